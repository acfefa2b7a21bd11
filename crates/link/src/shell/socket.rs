//! ZeroMQ sockets, without their traps.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use bramble_value::Name;
use bytes::Bytes;
use tokio::time::timeout;
use uuid::Uuid;
use zeromq::util::PeerIdentity;
use zeromq::{
    DealerSocket, Listener, Socket, SocketEvent, SocketOptions, SocketRecv, SocketSend, ZmqMessage,
};

use super::LinkError;
use super::core::SEND_TIMEOUT;
use crate::endpoint::Endpoint;
use crate::protocol::Frame;

/// How long one try to connect may take. ZeroMQ waits 50, 100, 200, ... ms
/// between its own tries, so that a new try of ours is sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(750);

/// Takes an endpoint for listening, and says which port was free.
pub(super) fn bind(endpoint: &Endpoint) -> Result<(Listener, Endpoint), LinkError> {
    let cant_listen = |why: std::io::Error| match why.kind() {
        ErrorKind::AddrInUse => LinkError::AlreadyRunning(endpoint.clone()),
        _ => LinkError::CantListen { endpoint: endpoint.clone(), why },
    };
    match endpoint {
        Endpoint::Tcp(address) => {
            let listener = std::net::TcpListener::bind(address).map_err(cant_listen)?;
            let bound = Endpoint::Tcp(listener.local_addr().map_err(cant_listen)?);
            Ok((listener.into(), bound))
        }
        Endpoint::Ipc(path) => {
            clear(path, endpoint)?;
            let listener = UnixListener::bind(path).map_err(cant_listen)?;
            // Whoever can write to the socket can speak as any agent.
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(cant_listen)?;
            Ok((listener.into(), endpoint.clone()))
        }
    }
}

/// Removes the socket that a process left behind when it was killed.
fn clear(path: &Path, endpoint: &Endpoint) -> Result<(), LinkError> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(LinkError::NotASocket(endpoint.clone()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path)
            .map_err(|why| LinkError::CantListen { endpoint: endpoint.clone(), why }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(why) => Err(LinkError::CantListen { endpoint: endpoint.clone(), why }),
        Ok(_) => Err(LinkError::AlreadyRunning(endpoint.clone())),
    }
}

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

/// A connection of ours to a listening agent.
pub(super) struct Connection {
    socket: DealerSocket,
    ended: flume::Receiver<Bytes>,
}

impl Connection {
    /// Connects; `None` when nobody answers for a while.
    pub(super) async fn make(endpoint: Endpoint, name: Name) -> Option<Connection> {
        let mut options = SocketOptions::default();
        options.peer_identity(identity(&name)).connect_timeout(CONNECT_TIMEOUT);
        let mut socket = DealerSocket::with_options(options);
        let ended = watch(&mut socket);
        match timeout(CONNECT_TIMEOUT * 2, socket.connect(&endpoint.to_string())).await {
            Ok(Ok(())) => Some(Connection { socket, ended }),
            Ok(Err(error)) => {
                tracing::debug!(%endpoint, %error, "nobody answers");
                None
            }
            Err(_) => None,
        }
    }

    /// The next message; `None` when the connection has ended. Nothing is lost
    /// when the future is dropped.
    pub(super) async fn recv(&mut self) -> Option<ZmqMessage> {
        tokio::select! {
            message = self.socket.recv() => message.ok(),
            _ = self.ended.recv_async() => None,
        }
    }

    /// Sends a frame; false when the connection has ended or is stuck.
    pub(super) async fn send(&mut self, frame: &Frame) -> bool {
        deliver(&mut self.socket, ZmqMessage::from(frame.encode())).await
    }
}

/// Sends a message; false when there is no connection for it, or it is stuck.
pub(super) async fn deliver(socket: &mut impl SocketSend, message: ZmqMessage) -> bool {
    matches!(timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}
