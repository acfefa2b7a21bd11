//! The terminal's side over TLS.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bramble_identity::Agent;
use bramble_value::Time;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::server;

use super::{binding, in_time, said, send};
use crate::hosting::{Declined, Heard, Hosting, Wanted};
use crate::invitations::Invitations;
use crate::joining::Welcome;
use crate::refusal::Refusal;

/// How long an agent may take to write down what it was given.
const KEEPS: Duration = Duration::from_secs(10);

/// Somebody that came to join and did not, for a log.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// It may not.
    #[error("{}", say_declined(.0))]
    Declined(Declined),
    /// It may, and could not be enrolled.
    #[error("the {agent} could not be enrolled: {why}")]
    NotEnrolled {
        /// Who it is.
        agent: Agent,
        /// Why.
        why: String,
    },
    /// It was given its certificate, and nobody knows whether it has it.
    #[error("the {0} did not say that it has its certificate, and needs a new code to join")]
    NotKept(Agent),
    /// The connection broke.
    #[error("the connection of somebody that wanted to join broke: {}", said(.0))]
    Broken(io::Error),
}

fn say_declined(Declined { refusal, agent }: &Declined) -> String {
    let whose =
        agent.as_ref().map_or_else(String::new, |agent| format!(" with the invitation of the {agent}"));
    let why = match refusal {
        Refusal::NotInvited {} => "it is not, or no longer, invited".to_owned(),
        Refusal::WrongCode { left: 0 } => {
            "its code is wrong for the third time, the invitation is void".to_owned()
        }
        Refusal::WrongCode { .. } => "its code is wrong, or somebody sits between the two".to_owned(),
        Refusal::OtherRole { expected } => format!("it is no {expected}"),
        Refusal::OtherVersion { .. } => "it is of another version of Bramble".to_owned(),
        Refusal::Garbled {} | Refusal::Failed {} => "what it says is no message of the exchange".to_owned(),
    };
    format!("somebody wanted to join{whose}: {why}")
}

/// Talks to somebody that wants to join, and has it enrolled when it is who is expected.
/// `enrol` makes the certificate and notes it down; then the agent is told, and says that it has
/// it by ending TLS as it should be ended, which nobody in between can do.
///
/// # Errors
/// [`Unfinished`] when it did not join. The certificate that was made for it is of no use then.
pub async fn host<IO, E>(
    mut stream: server::TlsStream<IO>,
    invitations: &Mutex<Invitations>,
    now: impl Fn() -> Time,
    enrol: impl FnOnce(Wanted) -> E,
) -> Result<Agent, Unfinished>
where
    IO: AsyncRead + AsyncWrite + Unpin,
    E: Future<Output = Result<Welcome, String>>,
{
    let mut hosting = Hosting::new(binding(stream.get_ref().1));
    let mut buffer = [0; 2048];
    let wanted = loop {
        let received = in_time(stream.read(&mut buffer)).await.map_err(Unfinished::Broken)?;
        if received == 0 {
            return Err(Unfinished::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        let heard = {
            // What a panic may leave half done is one invitation.
            let mut invitations = invitations.lock().unwrap_or_else(PoisonError::into_inner);
            hosting.receive(&buffer[..received], &mut invitations, now())
        };
        match heard {
            Ok(Heard::More) => {}
            Ok(Heard::Send(bytes)) => send(&mut stream, &bytes).await.map_err(Unfinished::Broken)?,
            Ok(Heard::Enrol(wanted)) => break wanted,
            Err(declined) => {
                decline(&mut stream, &declined).await;
                return Err(Unfinished::Declined(declined));
            }
        }
    };
    let agent = wanted.agent.clone();
    match enrol(wanted).await {
        Ok(welcome) => {
            let welcome = Hosting::welcome(welcome);
            let is_kept = match say_all(&mut stream, &welcome).await {
                Ok(()) => matches!(timeout(KEEPS, stream.read(&mut [0; 64])).await, Ok(Ok(0))),
                Err(_) => false,
            };
            if is_kept { Ok(agent) } else { Err(Unfinished::NotKept(agent)) }
        }
        Err(why) => {
            let failed = Declined { refusal: Refusal::Failed {}, agent: Some(agent.clone()) };
            decline(&mut stream, &failed).await;
            Err(Unfinished::NotEnrolled { agent, why })
        }
    }
}

/// Sends the last message and says that it is that, and leaves the connection open in both directions: not
/// all that lies between two computers carries what comes behind the end of the other direction.
async fn say_all<IO>(stream: &mut server::TlsStream<IO>, bytes: &[u8]) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    send(stream, bytes).await?;
    stream.get_mut().1.send_close_notify();
    in_time(stream.flush()).await
}

/// Sends the last message.
async fn say_last<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    send(stream, bytes).await?;
    in_time(stream.shutdown()).await
}

/// Says why somebody may not join, and waits until it has closed.
async fn decline<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, declined: &Declined) {
    // It may have gone; and there may be something on the way, which nobody reads any more.
    if say_last(stream, &declined.message()).await.is_ok() {
        let _ = in_time(stream.read(&mut [0; 64])).await;
    }
}
