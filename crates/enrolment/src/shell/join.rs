//! The joining agent's side over TLS, and what it keeps of it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bramble_discovery::{NoTerminal, the_terminal};
use bramble_identity::{Agent, Identity, IdentityError, Request, Role, joining_client, server_name};
use bramble_value::Name;
use rustls::{AlertDescription, Error as TlsError};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use uuid::Uuid;

use super::{Terminal, binding, in_time, said, send};
use crate::code::Code;
use crate::joining::{JoinError, Joining, Step, Welcome};

/// What an agent joins a swarm with.
#[derive(Debug, Clone)]
pub struct Join {
    /// Where the terminal listens; where that isn't known, it is looked for on this network.
    pub terminal: Option<Terminal>,
    /// The code that it printed.
    pub code: Code,
    /// What the agent is.
    pub role: Role,
    /// The folder where it keeps its identity.
    pub keys: PathBuf,
    /// Whether an identity of another swarm, or one that is damaged, may be replaced.
    pub replace: bool,
}

/// An agent that joined.
#[derive(Debug)]
pub struct Joined {
    /// What it proves itself with from now on; it is written down.
    pub identity: Identity,
    /// What the terminal is called.
    pub terminal: Name,
    /// Where it is.
    pub at: Terminal,
    /// Who it was before.
    pub before: Option<Agent>,
}

/// Why an agent did not join, for a person. `at` is the host and port that was dialed.
#[derive(Debug, Error)]
pub enum Failed {
    /// The terminal isn't found.
    #[error(transparent)]
    NotFound(#[from] NoTerminal),
    /// The name isn't any computer's.
    #[error("no computer is known by the name in {at} ({why}): check it, or write its address")]
    UnknownHost {
        /// Where.
        at: String,
        /// What the system said.
        why: String,
    },
    /// The computer can't be reached, or nothing listens there.
    #[error(
        "no terminal answers at {at} ({why}): check that `bramble-terminal serve` runs there and \
         listens beyond its own computer (`listen` in its configuration), the network, and the firewall"
    )]
    NoAnswer {
        /// Where.
        at: String,
        /// What the system said.
        why: String,
    },
    /// A terminal that has no open invitation.
    #[error(
        "the terminal at {at} expects nobody: an invitation holds for ten minutes, once; ask for a \
         new code with `bramble-terminal invite`"
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
    /// The agent is of another swarm already.
    #[error(
        "the keys in {} are those of the {me} of another swarm than that at {at}: to leave that one and \
         join this, add --replace; the code is still good", keys.display()
    )]
    OtherSwarm {
        /// Where the keys are.
        keys: PathBuf,
        /// Whose they are.
        me: Agent,
        /// Where the other swarm is.
        at: String,
    },
    /// The identity could not be kept.
    #[error("the folder of keys {} can't be written: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection ended before this agent had everything.
    #[error(
        "the connection to the terminal at {at} broke before it let this agent join ({why}), which is who it was; {}",
        if *is_used { "ask for a new code with `bramble-terminal invite`" } else { "type the same again" }
    )]
    Broken {
        /// Where.
        at: String,
        /// What the system said.
        why: String,
        /// Whether the code is used up.
        is_used: bool,
    },
    /// Something of this agent's is in the way of becoming another, which is who it was.
    #[error("{why}; then ask for a new code with `bramble-terminal invite`")]
    Hindered {
        /// What, and what to do.
        why: String,
    },
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] JoinError),
    /// The identity that is there is damaged, or no identity came of it.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Who an agent is about to become.
#[derive(Debug)]
pub struct Prospect<'a> {
    /// What it will prove itself with.
    pub identity: &'a Identity,
    /// The number of the terminal's lab: that of its swarm where it says no other.
    pub lab: Uuid,
    /// What it proved itself with before.
    pub before: Option<&'a Identity>,
}

impl Joined {
    /// What became of it, in a sentence without its point.
    pub fn said(&self) -> String {
        let agent = self.identity.agent();
        let before = match &self.before {
            Some(before) if before.name == agent.name => " again".to_owned(),
            Some(before) => format!(", and was {} before", before.name),
            None => String::new(),
        };
        let Joined { terminal, at, .. } = self;
        format!("{} is a {} of the swarm of {terminal}, at {at}{before}", agent.name, agent.role)
    }
}

impl Join {
    /// Joins the swarm of the terminal: makes a key, has it certified, and writes the identity
    /// down in place of the one that was.
    ///
    /// # Errors
    /// [`Failed`] when this agent doesn't join; then it is who it was.
    pub async fn run(self) -> Result<Joined, Failed> {
        self.run_unless(|_| Ok(())).await
    }

    /// The same, unless something hinders it, which is asked before anything is changed here.
    ///
    /// # Errors
    /// [`Failed`] when this agent doesn't join; then it is who it was.
    pub async fn run_unless(
        self,
        hinders: impl FnOnce(&Prospect<'_>) -> Result<(), String>,
    ) -> Result<Joined, Failed> {
        let Join { terminal, code, role, keys, replace } = self;
        // Everything that can go wrong here goes wrong before the code is used.
        let before = match Identity::load(&keys) {
            Ok(before) => before,
            Err(_) if replace => None,
            Err(error) => return Err(error.into()),
        };
        check_writable(&keys).map_err(|source| Failed::Folder { path: keys.clone(), source })?;
        let place = match terminal {
            Some(terminal) => terminal,
            None => Terminal::found(the_terminal().await?.addresses),
        };
        let at = place.to_string();
        let stream = connect(&place).await?;
        if let Some(before) = before.as_ref().filter(|_| !replace) {
            let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
            // Nobody has proven anything yet: this is for a person that mistook the terminal.
            if before.peer(shown).is_err() {
                return Err(Failed::OtherSwarm { keys, me: before.agent().clone(), at });
            }
        }
        let (identity, Welcome { terminal, lab, .. }, mut stream) =
            exchange(stream, &at, &code, role).await?;
        let lab = lab.unwrap_or_else(|| identity.swarm());
        // Where it is hindered the connection breaks, by which the terminal knows.
        hinders(&Prospect { identity: &identity, lab, before: before.as_ref() })
            .map_err(|why| Failed::Hindered { why })?;
        identity.save(&keys)?;
        // The terminal has said all; with something unread the end would be a reset.
        let _ = in_time(stream.read(&mut [0; 64])).await;
        // Only now the terminal may take it that this agent has its certificate.
        let _ = in_time(stream.shutdown()).await;
        Ok(Joined { identity, terminal, at: place, before: before.map(|before| before.agent().clone()) })
    }
}

async fn connect(terminal: &Terminal) -> Result<TlsStream<TcpStream>, Failed> {
    let at = terminal.to_string();
    let addresses = in_time(terminal.addresses()).await;
    let addresses = addresses.map_err(|error| Failed::UnknownHost { at: at.clone(), why: said(&error) })?;
    let mut tcp = Err(io::ErrorKind::NotFound.into());
    for address in addresses {
        // Of several networks one may lead nowhere.
        tcp = in_time(TcpStream::connect(address)).await;
        if tcp.is_ok() {
            break;
        }
    }
    let tcp = tcp.map_err(|error| Failed::NoAnswer { at: at.clone(), why: said(&error) })?;
    let connecting = TlsConnector::from(joining_client()).connect(server_name(), tcp);
    in_time(connecting).await.map_err(|error| refused(at, &error))
}

async fn exchange(
    mut stream: TlsStream<TcpStream>,
    at: &str,
    code: &Code,
    role: Role,
) -> Result<(Identity, Welcome, TlsStream<TcpStream>), Failed> {
    let broken =
        |is_used| move |error: io::Error| Failed::Broken { at: at.to_owned(), why: said(&error), is_used };
    let request = Request::new()?;
    let csr = request.csr()?;
    let (mut joining, hello) = Joining::new(code, role, csr, binding(stream.get_ref().1));
    send(&mut stream, &hello).await.map_err(broken(false))?;
    let mut buffer = [0; 2048];
    loop {
        let is_used = joining.has_asked();
        let received = in_time(stream.read(&mut buffer)).await.map_err(broken(is_used))?;
        if received == 0 {
            return Err(broken(is_used)(io::ErrorKind::UnexpectedEof.into()));
        }
        match joining.receive(&buffer[..received])? {
            Step::More => {}
            Step::Send(bytes) => send(&mut stream, &bytes).await.map_err(broken(joining.has_asked()))?,
            Step::Done(welcome) => {
                let identity = request.into_identity(&welcome.certificate, &welcome.authority)?;
                return Ok((identity, welcome, stream));
            }
        }
    }
}

/// Makes the folder where it isn't there, and a file in it for a moment.
fn check_writable(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    File::create(&probe)?;
    std::fs::remove_file(&probe)
}

/// Why TLS didn't come to be.
fn refused(at: String, error: &io::Error) -> Failed {
    match error.get_ref().and_then(|error| error.downcast_ref::<TlsError>()) {
        // That it doesn't speak of joining now.
        Some(TlsError::AlertReceived(AlertDescription::NoApplicationProtocol)) => Failed::NotInvited { at },
        Some(why) => Failed::NoTerminal { at, why: why.to_string() },
        None => Failed::NoTerminal { at, why: said(error) },
    }
}
