//! Takes the places where an agent listens.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use bramble_gate::{Door, Gate};
use bramble_identity::{Agent, Role};
use tempfile::TempDir;
use zeromq::Listener;

use super::LinkError;
use crate::endpoint::Endpoint;
use crate::place::{Place, Way};

/// What was taken.
pub(super) struct Bound {
    /// Where the ROUTER listens.
    pub(super) sockets: Vec<Listener>,
    /// What lets agents of the network in.
    pub(super) gate: Option<(Gate, Door)>,
    /// The folder of a socket that nobody else needs to know.
    pub(super) folder: Option<TempDir>,
    /// The endpoint, with the port that was free.
    pub(super) endpoint: Endpoint,
}

/// Takes a place to listen to agents of a role.
pub(super) fn bind(place: Place, me: Agent, accepts: Role) -> Result<Bound, LinkError> {
    let way = place.way(me)?;
    let Place { endpoint, socket, revocations, joins, told, .. } = place;
    match way {
        Way::Socket(path) => {
            let mut sockets = vec![bind_socket(&path)?];
            if let Some(socket) = socket.filter(|socket| socket != &path) {
                sockets.push(bind_socket(&socket)?);
            }
            Ok(Bound { sockets, gate: None, folder: None, endpoint })
        }
        Way::Find { .. } => Err(LinkError::OnlyToDial(endpoint)),
        Way::Network { host, port, identity } => {
            let gate = Gate::bind(host.as_str(), port).map_err(|why| cant_listen(&endpoint, why))?;
            // A name stays one, for those who read where to dial.
            let bound = Endpoint::Tcp { host, port: gate.address().port() };
            let (folder, socket) = match socket {
                Some(socket) => (None, socket),
                None => {
                    let folder = private_folder().map_err(|why| cant_listen(&endpoint, why))?;
                    let socket = folder.path().join("gate.sock");
                    (Some(folder), socket)
                }
            };
            let sockets = vec![bind_socket(&socket)?];
            let door = Door { identity, accepts, revocations, joins, told, socket };
            Ok(Bound { sockets, gate: Some((gate, door)), folder, endpoint: bound })
        }
    }
}

fn cant_listen(endpoint: &Endpoint, why: std::io::Error) -> LinkError {
    match why.kind() {
        ErrorKind::AddrInUse => LinkError::AlreadyRunning(endpoint.clone()),
        _ => LinkError::CantListen { endpoint: endpoint.clone(), why },
    }
}

fn bind_socket(path: &Path) -> Result<Listener, LinkError> {
    let endpoint = Endpoint::Ipc(path.to_owned());
    clear(path, &endpoint)?;
    let listener = UnixListener::bind(path).map_err(|why| cant_listen(&endpoint, why))?;
    // Whoever can write to the socket can speak as any agent.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|why| cant_listen(&endpoint, why))?;
    Ok(listener.into())
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

/// A folder where only this user gets.
pub(super) fn private_folder() -> std::io::Result<TempDir> {
    let make = |folder: &Path| {
        tempfile::Builder::new()
            .prefix("bramble-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(folder)
    };
    // It may be that of another user, or of a session that is over.
    let own = std::env::var_os("XDG_RUNTIME_DIR").and_then(|folder| make(Path::new(&folder)).ok());
    own.map_or_else(|| make(&std::env::temp_dir()), Ok)
}
