//! The exchange over TLS.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bramble_identity::{Agent, Identity, IdentityError, Request, Role, joining_client, server_name};
use bramble_value::{Name, Time};
use rustls::{AlertDescription, ConnectionCommon, Error as TlsError, SideData};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, server};

use crate::code::Code;
use crate::hosting::{Declined, Heard, Hosting, Wanted};
use crate::invitations::Invitations;
use crate::joining::{JoinError, Joining, Step, Welcome};
use crate::proof::Binding;
use crate::refusal::Refusal;

/// How long the other computer may take for each step.
const ANSWER: Duration = Duration::from_secs(5);

/// Why an agent did not join, for a person. `at` is the host and port that was dialed.
#[derive(Debug, Error)]
pub enum Failed {
    /// The name isn't any computer's.
    #[error("no computer is known as `{host}` ({why}): check the name, or write its address")]
    UnknownHost {
        /// The name.
        host: String,
        /// What the system said.
        why: String,
    },
    /// The computer can't be reached, or nothing listens there.
    #[error(
        "no terminal answers at {at} ({why}): check that `bramble-terminal serve` runs there and listens beyond its own computer (`listen` in its configuration), the network, and the firewall"
    )]
    NoAnswer {
        /// Where.
        at: String,
        /// What the system said.
        why: String,
    },
    /// A terminal that has no open invitation.
    #[error(
        "the terminal at {at} expects nobody: an invitation holds for ten minutes, once; ask for a new code with `bramble-terminal invite`"
    )]
    NotInvited {
        /// Where.
        at: String,
    },
    /// Something else listens there.
    #[error(
        "what listens at {at} is no terminal of this version of Bramble ({why}): check the address and port"
    )]
    NoTerminal {
        /// Where.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] JoinError),
    /// No identity came of it.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Joins the swarm of the terminal that listens at a host and a port: makes a key, and has
/// it certified. Nothing is written; the identity has to be saved.
///
/// # Errors
/// [`Failed`] when this agent doesn't join.
pub async fn join(host: &str, port: u16, code: &Code, role: Role) -> Result<(Identity, Name), Failed> {
    let at = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let no_answer = |error: io::Error| Failed::NoAnswer { at: at.clone(), why: said(&error) };
    let addresses: Vec<_> = match in_time(tokio::net::lookup_host((host, port))).await {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(Failed::UnknownHost { host: host.to_owned(), why: said(&error) }),
    };
    let tcp = in_time(TcpStream::connect(&addresses[..])).await.map_err(no_answer)?;
    let connecting = TlsConnector::from(joining_client()).connect(server_name(), tcp);
    let mut stream = in_time(connecting).await.map_err(|error| refused(&at, &error))?;

    let request = Request::new()?;
    let csr = request.csr()?;
    let (mut joining, hello) = Joining::new(code, role, csr, binding(stream.get_ref().1));
    send(&mut stream, &hello).await.map_err(no_answer)?;
    let mut buffer = [0; 2048];
    loop {
        let received = in_time(stream.read(&mut buffer)).await.map_err(no_answer)?;
        if received == 0 {
            return Err(no_answer(io::ErrorKind::UnexpectedEof.into()));
        }
        match joining.receive(&buffer[..received])? {
            Step::More => {}
            Step::Send(bytes) => send(&mut stream, &bytes).await.map_err(no_answer)?,
            Step::Done(Welcome { certificate, authority, terminal }) => {
                // It says what there is to say by itself.
                let _ = in_time(stream.shutdown()).await;
                return Ok((request.into_identity(&certificate, &authority)?, terminal));
            }
        }
    }
}

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
    /// The connection broke.
    #[error("the connection of somebody that wanted to join broke: {0}")]
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
/// `enrol` makes the certificate and notes the agent down; then the agent is told.
///
/// # Errors
/// [`Unfinished`] when it did not join.
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
                // It may have gone.
                let _ = say_last(&mut stream, &declined.message()).await;
                return Err(Unfinished::Declined(declined));
            }
        }
    };
    let agent = wanted.agent.clone();
    match enrol(wanted).await {
        Ok(Welcome { certificate, authority, terminal }) => {
            let welcome = Hosting::welcome(&certificate, &authority, &terminal);
            say_last(&mut stream, &welcome).await.map_err(Unfinished::Broken)?;
            Ok(agent)
        }
        Err(why) => {
            let failed = Declined { refusal: Refusal::Failed {}, agent: Some(agent.clone()) };
            // It may have gone.
            let _ = say_last(&mut stream, &failed.message()).await;
            Err(Unfinished::NotEnrolled { agent, why })
        }
    }
}

/// What only the two ends of this connection have.
fn binding<S: SideData>(connection: &ConnectionCommon<S>) -> Binding {
    let exported = connection.export_keying_material([0; Binding::LENGTH], Binding::LABEL, None);
    // It is asked for once the handshake is over, and for less than TLS can export.
    Binding::new(exported.expect("a connection of TLS 1.3 has an exporter"))
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    in_time(async {
        stream.write_all(bytes).await?;
        stream.flush().await
    })
    .await
}

/// Sends the last message, and waits until the other has closed.
async fn say_last<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    send(stream, bytes).await?;
    in_time(stream.shutdown()).await?;
    // There may be something on the way, which nobody reads any more.
    let _ = in_time(stream.read(&mut [0; 64])).await;
    Ok(())
}

async fn in_time<T>(does: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(ANSWER, does).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Why TLS didn't come to be.
fn refused(at: &str, error: &io::Error) -> Failed {
    let at = at.to_owned();
    match error.get_ref().and_then(|error| error.downcast_ref::<TlsError>()) {
        // That it doesn't speak of joining now.
        Some(TlsError::AlertReceived(AlertDescription::NoApplicationProtocol)) => Failed::NotInvited { at },
        Some(why) => Failed::NoTerminal { at, why: why.to_string() },
        None => Failed::NoTerminal { at, why: said(error) },
    }
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
