//! ZeroMQ sockets, without their traps.

use std::path::Path;
use std::time::Duration;

use bramble_gate::Dialed;
use bramble_identity::{Agent, Revocations, Role};
use bramble_value::Name;
use bytes::Bytes;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;
use zeromq::util::PeerIdentity;
use zeromq::{DealerSocket, Socket, SocketEvent, SocketOptions, SocketRecv, SocketSend, ZmqMessage};

use super::bind::private_folder;
use super::core::SEND_TIMEOUT;
use super::finding::{Caller, dial_found};
use crate::endpoint::Endpoint;
use crate::place::Way;
use crate::protocol::Frame;

/// How long one try to connect on this computer may take. ZeroMQ waits 50, 100,
/// 200, ... ms between its own tries, so that a new try of ours is sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(750);

/// How long the ROUTER at the other end of the network may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The identity of one connection: the agent's name, and what tells it from the
/// agent's other connections. ZeroMQ would otherwise take the end of an old
/// connection for the end of the new one.
fn identity(name: &Name) -> PeerIdentity {
    let connection = Uuid::new_v4().simple().to_string();
    let text = format!("{name}/{}", &connection[..8]);
    text.parse().expect("a name of at most 63 characters makes a short identity")
}

/// The name in an identity.
pub(super) fn name_in(identity: &[u8]) -> Option<Name> {
    let text = std::str::from_utf8(identity).ok()?;
    text.split('/').next()?.parse().ok()
}

/// The identities of connections that ended, as far as ZeroMQ notices.
pub(super) fn watch(socket: &mut impl Socket) -> flume::Receiver<Bytes> {
    let mut monitor = socket.monitor();
    let (ended, watch) = flume::unbounded();
    tokio::spawn(async move {
        while let Ok(event) = monitor.recv().await {
            if let SocketEvent::Disconnected(identity) = event
                && ended.send(identity.into()).is_err()
            {
                return;
            }
        }
    });
    watch
}

/// Who is dialed, and how.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) endpoint: Endpoint,
    pub(super) way: Way,
    pub(super) me: Name,
    pub(super) role: Role,
    /// Those that aren't talked to.
    pub(super) revocations: Revocations,
}

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoConnection {
    /// In a sentence.
    pub(super) why: String,
    /// Whether that may be otherwise in a moment.
    pub(super) may_pass: bool,
}

impl From<bramble_gate::Unreached> for NoConnection {
    fn from(why: bramble_gate::Unreached) -> NoConnection {
        use bramble_gate::Unreached::{NoAnswer, Nobody};
        let may_pass = matches!(why, Nobody { .. } | NoAnswer { .. });
        NoConnection { why: why.to_string(), may_pass }
    }
}

/// Carries bytes to and from an agent on the network, and says why it doesn't let
/// us in.
type Carrying = JoinHandle<Result<(), NoConnection>>;

/// A connection of ours to a listening agent.
pub(super) struct Connection {
    socket: DealerSocket,
    ended: flume::Receiver<Bytes>,
    carrying: Option<Carrying>,
    /// Who the other one is, where it has proven it.
    pub(super) peer: Option<Agent>,
}

impl Connection {
    /// Connects.
    pub(super) async fn make(to: Dial) -> Result<Connection, NoConnection> {
        let mut options = SocketOptions::default();
        options.peer_identity(identity(&to.me)).connect_timeout(CONNECT_TIMEOUT);
        let mut socket = DealerSocket::with_options(options);
        let ended = watch(&mut socket);
        let dialed = match &to.way {
            Way::Socket(path) => {
                connect(&mut socket, path, CONNECT_TIMEOUT * 2).await.ok_or_else(|| NoConnection {
                    why: format!("nobody listens at {}: start the {} there", to.endpoint, to.role),
                    may_pass: true,
                })?;
                return Ok(Connection { socket, ended, carrying: None, peer: None });
            }
            Way::Network { host, port, identity } => {
                bramble_gate::dial(host.as_str(), *port, identity, to.role, &to.revocations).await?
            }
            Way::Find { name, identity } => {
                let caller =
                    Caller { identity: identity.clone(), role: to.role, revocations: to.revocations };
                dial_found(name.as_ref(), &caller).await?
            }
        };
        let peer = Some(dialed.peer().agent.clone());
        let (carrying, folder) = carry(dialed).map_err(|why| NoConnection {
            why: format!("this agent can't make a socket of its own: {why}"),
            may_pass: true,
        })?;
        let path = folder.path().join(SOCKET);
        if connect(&mut socket, &path, ANSWER_TIMEOUT).await.is_some() {
            return Ok(Connection { socket, ended, carrying: Some(carrying), peer });
        }
        drop(socket);
        Err(outcome(carrying).await.unwrap_or_else(|| NoConnection {
            why: format!("the {} at {} doesn't answer", to.role, to.endpoint),
            may_pass: true,
        }))
    }

    /// The next message; an error when the connection has ended, with what is known
    /// of why. Nothing is lost when the future is dropped.
    pub(super) async fn recv(&mut self) -> Result<ZmqMessage, Option<NoConnection>> {
        tokio::select! {
            // What came before the end goes before it.
            biased;
            message = self.socket.recv() => if let Ok(message) = message {
                return Ok(message);
            },
            _ = self.ended.recv_async() => {}
        }
        match self.carrying.take() {
            Some(carrying) => Err(outcome(carrying).await),
            None => Err(None),
        }
    }

    /// Sends a frame; false when the connection has ended or is stuck.
    pub(super) async fn send(&mut self, frame: &Frame) -> bool {
        deliver(&mut self.socket, ZmqMessage::from(frame.encode())).await
    }
}

/// The name of the socket in its private folder.
const SOCKET: &str = "gate.sock";

/// Carries bytes between an agent on the network and whoever connects to a socket in
/// the folder first, which is nobody but ZeroMQ here.
fn carry(dialed: Dialed) -> std::io::Result<(Carrying, TempDir)> {
    let folder = private_folder()?;
    let listener = UnixListener::bind(folder.path().join(SOCKET))?;
    let carrying = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.map_err(|why| NoConnection {
            why: format!("this agent can't use a socket of its own: {why}"),
            may_pass: true,
        })?;
        drop(listener);
        Ok(dialed.carry(stream).await?)
    });
    Ok((carrying, folder))
}

/// Connects ZeroMQ to a Unix socket, where that succeeds in time.
async fn connect(socket: &mut DealerSocket, path: &Path, within: Duration) -> Option<()> {
    let endpoint = format!("ipc://{}", path.display());
    timeout(within, socket.connect(&endpoint)).await.ok()?.ok()
}

/// Why a connection over the network ended, where that is known in a moment.
async fn outcome(mut carrying: Carrying) -> Option<NoConnection> {
    let ended = timeout(SEND_TIMEOUT, &mut carrying).await;
    carrying.abort();
    ended.ok()?.ok()?.err()
}

/// Sends a message; false when there is no connection for it, or it is stuck.
pub(super) async fn deliver(socket: &mut impl SocketSend, message: ZmqMessage) -> bool {
    matches!(timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}
