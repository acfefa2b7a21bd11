//! The exchange over TLS.

mod host;
mod join;
mod terminal;

use std::io;
use std::time::Duration;

use ring::rand;
use rustls::{ConnectionCommon, SideData};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

pub use host::{Unfinished, host};
pub use join::{Failed, Join, Joined, Prospect};
pub use terminal::{Terminal, TerminalError, USUAL_PORT};

use crate::proof::Binding;

/// How long the other computer may take for each step.
const ANSWER: Duration = Duration::from_secs(5);

/// Bytes that nobody can guess, for [`Invitations::invite`](crate::Invitations::invite).
///
/// # Errors
/// When the system has no randomness.
pub fn random() -> io::Result<[u8; 8]> {
    let random = rand::generate(&rand::SystemRandom::new());
    random.map(rand::Random::expose).map_err(|_| io::Error::other("the system has no randomness"))
}

/// What only the two ends of this connection have.
fn binding<S: SideData>(connection: &ConnectionCommon<S>) -> Binding {
    let exported = connection.export_keying_material([0; Binding::LENGTH], Binding::LABEL, None);
    // It is asked for once the handshake is over, and for less than TLS can export.
    Binding::new(exported.expect("a connection of TLS 1.3 has an exporter"))
}

/// What the system said, without the number of it.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "nothing came in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    in_time(async {
        stream.write_all(bytes).await?;
        stream.flush().await
    })
    .await
}

async fn in_time<T>(does: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(ANSWER, does).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
