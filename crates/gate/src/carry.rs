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

/// After so many bytes others are let on this core: with TLS some 100 us.
const SHARE: usize = 64 << 10;

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
        let mut turn = Turn::default();
        loop {
            let count = from_network.read(&mut buffer).await.map_err(Refused::Broken)?;
            if count == 0 {
                break;
            }
            guard.push(&buffer[..count])?;
            heard.store(true, Relaxed);
            ready.store(guard.is_ready(), Relaxed);
            to_here.write_all(&buffer[..count]).await.map_err(Refused::Broken)?;
            if turn.is_over(count) {
                std::thread::yield_now();
            }
        }
        // An end that is there already is one too.
        let _ = to_here.shutdown().await;
        Ok(())
    };
    let outward = async {
        let mut buffer = vec![0; BUFFER];
        let mut turn = Turn::default();
        loop {
            let count = from_here.read(&mut buffer).await.map_err(Refused::Broken)?;
            if count == 0 {
                break;
            }
            send(&mut to_network, &buffer[..count]).await.map_err(Refused::Broken)?;
            if turn.is_over(count) {
                std::thread::yield_now();
            }
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

/// What was carried since others were let on this core.
///
/// The system lets who has work go on for milliseconds, and whoever has little to say, as of
/// an event, waits for that. So who carries much, as of a stream, asks after each share of it
/// whether anybody waits, which costs next to nothing where nobody does.
#[derive(Debug, Default)]
struct Turn(usize);

impl Turn {
    /// So many bytes were carried: says whether it is the others' turn now.
    fn is_over(&mut self, count: usize) -> bool {
        self.0 += count;
        let over = self.0 >= SHARE;
        if over {
            self.0 = 0;
        }
        over
    }
}

/// Sends all of it now.
async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::guard::{Sender, Unwelcome};

    const INTRODUCTION: Duration = Duration::from_secs(5);

    /// A carrying, the agent's end of it and ZeroMQ's, in time that passes by itself.
    fn begin() -> (JoinHandle<Result<(), Refused>>, DuplexStream, UnixStream) {
        let (agent, tls) = tokio::io::duplex(1 << 20);
        let (unix, zeromq) = UnixStream::pair().expect("two sockets");
        let guard = Guard::new(Sender::Dealer("box1".parse().expect("a name")));
        (tokio::spawn(carry(tls, unix, guard, INTRODUCTION)), agent, zeromq)
    }

    fn introduction() -> Vec<u8> {
        let mut bytes = vec![0; 64];
        (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
        bytes[12..16].copy_from_slice(b"NULL");
        bytes.extend(
            b"\x04\x2e\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x04box1",
        );
        bytes[65] = u8::try_from(bytes.len() - 66).expect("a short command");
        bytes
    }

    #[test]
    fn who_carries_much_lets_others_in_between_and_who_carries_little_does_not() {
        let mut turn = Turn::default();
        let turns = |turn: &mut Turn, count, pieces| (0..pieces).filter(|_| turn.is_over(count)).count();
        assert_eq!(turns(&mut turn, 16 << 10, 4000), 1000);
        assert_eq!(turns(&mut turn, 100, 600), 0);
        assert_eq!(turns(&mut turn, 64 << 10, 10), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_introduce_itself_in_time_is_refused() {
        let (carrying, mut agent, _zeromq) = begin();
        agent.write_all(&introduction()[..70]).await.unwrap();
        assert!(matches!(carrying.await.unwrap(), Err(Refused::Slow)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_quiet_for_long_is_let_go_and_not_before() {
        let (carrying, mut agent, mut zeromq) = begin();
        agent.write_all(&introduction()).await.unwrap();
        for _ in 0..10 {
            sleep(QUIET / 2).await;
            agent.write_all(b"\x00\x01x").await.unwrap();
        }
        assert!(!carrying.is_finished());
        assert!(matches!(carrying.await.unwrap(), Err(Refused::Quiet)));
        let mut carried = Vec::new();
        zeromq.read_to_end(&mut carried).await.unwrap();
        assert_eq!(carried, [introduction(), b"\x00\x01x".repeat(10)].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_does_not_get_to_zeromq() {
        let (carrying, mut agent, mut zeromq) = begin();
        agent.write_all(&introduction()).await.unwrap();
        let mut carried = vec![0; introduction().len()];
        zeromq.read_exact(&mut carried).await.unwrap();
        agent.write_all(&[0x02, 0x40, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let refused = carrying.await.unwrap().unwrap_err();
        assert!(
            matches!(refused, Refused::Unwelcome(Unwelcome::TooLarge(size)) if size == 1 << 62),
            "{refused}"
        );
        assert_eq!(zeromq.read(&mut carried).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_said_last_arrives_on_both_sides() {
        let (carrying, mut agent, mut zeromq) = begin();
        agent.write_all(&introduction()).await.unwrap();
        agent.shutdown().await.unwrap();
        zeromq.read_to_end(&mut Vec::new()).await.unwrap();
        zeromq.write_all(b"goodbye").await.unwrap();
        drop(zeromq);
        let mut heard = Vec::new();
        agent.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"goodbye");
        assert!(carrying.await.unwrap().is_ok());
    }
}
