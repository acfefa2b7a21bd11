//! Carries bytes between TLS and a Unix socket.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use crate::guard::Guard;
use crate::refused::Refused;

/// Who is quiet for so long is gone. Links have two heartbeats a second, and give
/// each other up after 2.5 s; this frees what a connection holds here.
pub const QUIET: Duration = Duration::from_secs(10);

/// How long one direction may still take when the other has ended.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// What is carried at a time, in bytes, in each direction.
const BUFFER: usize = 64 << 10;

/// Carries bytes both ways until one side ends, with the guard reading what comes
/// from the network.
///
/// # Errors
/// When the guard refuses it, the connection breaks, or it is quiet too long.
/// Where it isn't introduced within `introduction`, it is too slow.
pub(crate) async fn carry<S: AsyncRead + AsyncWrite>(
    tls: S,
    unix: UnixStream,
    mut guard: Guard,
    introduction: Duration,
) -> Result<(), Refused> {
    let (mut from_network, mut to_network) = tokio::io::split(tls);
    let (mut from_here, mut to_here) = unix.into_split();
    let (heard, ready) = (AtomicBool::new(false), AtomicBool::new(false));
    let inward = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = from_network.read(&mut buffer).await.map_err(Refused::Broken)?;
            if count == 0 {
                break;
            }
            guard.push(&buffer[..count])?;
            heard.store(true, Relaxed);
            ready.store(guard.is_ready(), Relaxed);
            to_here.write_all(&buffer[..count]).await.map_err(Refused::Broken)?;
        }
        // An end that is there already is one too.
        let _ = to_here.shutdown().await;
        Ok(())
    };
    let outward = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = from_here.read(&mut buffer).await.map_err(Refused::Broken)?;
            if count == 0 {
                break;
            }
            send(&mut to_network, &buffer[..count]).await.map_err(Refused::Broken)?;
        }
        let _ = to_network.shutdown().await;
        Ok(())
    };
    let too_quiet = async {
        sleep(introduction).await;
        if !ready.load(Relaxed) {
            return Refused::Slow;
        }
        while heard.swap(false, Relaxed) {
            sleep(QUIET).await;
        }
        Refused::Quiet
    };
    tokio::pin!(inward, outward);
    tokio::select! {
        ended = &mut inward => {
            ended?;
            timeout(LAST_BYTES, outward).await.unwrap_or(Ok(()))
        }
        ended = &mut outward => {
            ended?;
            timeout(LAST_BYTES, inward).await.unwrap_or(Ok(()))
        }
        why = too_quiet => Err(why),
    }
}

/// Sends all of it now.
async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
