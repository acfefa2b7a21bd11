//! The gate of an agent that listens.

use std::io;
use std::mem::{Discriminant, discriminant};
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bramble_identity::{ALPN_JOIN, Identity, Peer, Revocations, Role, Stranger};
use rustls::server::Acceptor;
use rustls::{CertificateError, Error as TlsError, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::carry::carry;
use crate::client::tls_error;
use crate::guard::{Guard, Sender};
use crate::log::Counts;
use crate::refused::Refused;

/// How long somebody has to prove who it is, and then to introduce itself.
pub const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long somebody that was invited has to join.
pub const JOINING: Duration = Duration::from_secs(30);
/// The most connections of one address that haven't proven themselves.
pub const MOST_WAITING_OF_ONE: usize = 64;
/// The most connections altogether that haven't proven themselves.
pub const MOST_WAITING: usize = 256;
/// The most connections of one agent: some that broke without a word may still be
/// taken for open while it comes back.
pub const MOST_OF_AN_AGENT: usize = 4;
/// The most connections of agents altogether.
pub const MOST_CONNECTED: usize = 1024;

/// How long a refused connection is listened to so that the refusal arrives: what
/// is closed with something unread is reset, and what was sent last with it.
const LAST_WORD: Duration = Duration::from_secs(1);
/// How long nobody is let in when the system has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// The connection of somebody that wants to be enrolled.
pub type JoinStream = TlsStream<TcpStream>;

/// Enrols agents that come to a gate without a certificate.
pub trait Joins: Send + Sync {
    /// Whether somebody is expected.
    fn are_open(&self) -> bool;

    /// Talks to somebody, in the gate's thread, which it mustn't hold up. After
    /// [`JOINING`] it is dropped.
    fn join(&self, stream: JoinStream, from: IpAddr) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Is told of every agent that was let in, by what it has proven and its certificate (in DER), in
/// the gate's thread, which it mustn't hold up.
pub type Told = Arc<dyn Fn(&Peer, &[u8]) + Send + Sync>;

/// Who is let in, and where to.
pub struct Door {
    /// Who listens.
    pub identity: Identity,
    /// Which agents are let in.
    pub accepts: Role,
    /// Which of them aren't.
    pub revocations: Revocations,
    /// What is done with those that want to be enrolled.
    pub joins: Option<Arc<dyn Joins>>,
    /// Who is told of those that are let in.
    pub told: Option<Told>,
    /// The Unix socket of the ROUTER.
    pub socket: PathBuf,
}

/// A place where agents are listened for.
#[derive(Debug)]
pub struct Gate {
    listener: StdListener,
    address: SocketAddr,
}

impl Gate {
    /// Takes the place. The host is an address or a name of this computer, and the port
    /// 0 is any that is free.
    ///
    /// # Errors
    /// When somebody has it already, or the system doesn't let us.
    pub fn bind(host: &str, port: u16) -> io::Result<Gate> {
        let listener = StdListener::bind((host, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Gate { listener, address })
    }

    /// Where it listens, with the port that was free.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets agents in until it is dropped, and all connections with it.
    ///
    /// # Errors
    /// When the system doesn't let us listen.
    pub async fn run(self, door: Door) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let (admissions, mut admitted) = mpsc::unbounded_channel();
        let entrance = Arc::new(Entrance {
            mutual: door.identity.server(door.accepts, &door.revocations),
            joining: door.identity.server_for_joining(),
            door,
            admissions,
        });
        let mut hall = Hall::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => hall.let_in(stream, address.ip().to_canonical(), &entrance),
                    Err(error) => {
                        hall.cant_accept(&error);
                        sleep(OUT_OF_DESCRIPTORS).await;
                    }
                },
                Some(peer) = admitted.recv() => hall.admit(peer),
                Some(ended) = hall.tasks.join_next_with_id() => match ended {
                    Ok((id, ended)) => hall.ended(id, ended.err()),
                    Err(error) => hall.ended(error.id(), None),
                },
            }
        }
    }
}

/// One connection, as far as it is counted.
struct Guest {
    id: Id,
    from: IpAddr,
    /// Who it is, once it has proven it.
    peer: Option<Peer>,
    task: AbortHandle,
}

/// All connections, in the order in which they came.
struct Hall {
    tasks: JoinSet<Result<(), Refused>>,
    guests: Vec<Guest>,
    refusals: Counts<(Discriminant<Refused>, IpAddr)>,
    failures: Counts<io::ErrorKind>,
}

impl Hall {
    fn new() -> Hall {
        Hall {
            tasks: JoinSet::new(),
            guests: Vec::new(),
            refusals: Counts::default(),
            failures: Counts::default(),
        }
    }

    fn let_in(&mut self, stream: TcpStream, from: IpAddr, entrance: &Arc<Entrance>) {
        let of_one = |guest: &Guest| guest.peer.is_none() && guest.from == from;
        self.make_room(MOST_WAITING_OF_ONE, of_one, Refused::Crowded);
        self.make_room(MOST_WAITING, |guest| guest.peer.is_none(), Refused::Crowded);
        let entrance = Arc::clone(entrance);
        let task = self.tasks.spawn(async move { entrance.serve(stream, from).await });
        self.guests.push(Guest { id: task.id(), from, peer: None, task });
    }

    /// Notes who a connection is of. An agent's new connection takes the place of its oldest
    /// one, and of nobody else's.
    fn admit(&mut self, (id, peer): (Id, Peer)) {
        let (agent, serial) = (peer.agent.clone(), peer.serial);
        let of_it = |guest: &Guest| guest.peer.as_ref().is_some_and(|peer| peer.serial == serial);
        self.make_room(MOST_OF_AN_AGENT, of_it, Refused::Replaced(agent));
        if let Some(guest) = self.guests.iter_mut().find(|guest| guest.id == id) {
            guest.peer = Some(peer);
        }
        if self.guests.iter().filter(|guest| guest.peer.is_some()).count() > MOST_CONNECTED {
            self.drop_guest(|guest| guest.id == id, Refused::Full);
        }
    }

    /// Drops the oldest of some connections where there are as many as there may be.
    fn make_room(&mut self, most: usize, of: impl Fn(&Guest) -> bool, why: Refused) {
        if self.guests.iter().filter(|guest| of(guest)).count() >= most {
            self.drop_guest(of, why);
        }
    }

    fn drop_guest(&mut self, which: impl Fn(&Guest) -> bool, why: Refused) {
        if let Some(at) = self.guests.iter().position(which) {
            let guest = self.guests.remove(at);
            guest.task.abort();
            self.say(&guest, &why);
        }
    }

    fn ended(&mut self, id: Id, why: Option<Refused>) {
        let Some(at) = self.guests.iter().position(|guest| guest.id == id) else { return };
        let guest = self.guests.remove(at);
        if let Some(why) = why {
            self.say(&guest, &why);
        }
    }

    fn say(&mut self, guest: &Guest, why: &Refused) {
        let who = guest.peer.as_ref().map_or_else(|| "somebody".to_owned(), |peer| peer.agent.to_string());
        if why.is_usual() {
            tracing::debug!("{who} at {} is gone: {why}", guest.from);
        } else if let Some(count) = self.refusals.one_more((discriminant(why), guest.from)) {
            let times = if count == 1 { String::new() } else { format!(", {count} times by now") };
            tracing::warn!("refused {who} at {}: {why}{times}", guest.from);
        }
    }

    fn cant_accept(&mut self, error: &io::Error) {
        if let Some(count) = self.failures.one_more(error.kind()) {
            tracing::warn!(count, "nobody can be let in for a moment: {error}");
        }
    }
}

/// What every connection is let in by.
struct Entrance {
    door: Door,
    mutual: Arc<ServerConfig>,
    joining: Arc<ServerConfig>,
    admissions: mpsc::UnboundedSender<(Id, Peer)>,
}

impl Entrance {
    async fn serve(&self, stream: TcpStream, from: IpAddr) -> Result<(), Refused> {
        let shaken = timeout(HANDSHAKE, self.shake(stream)).await.map_err(|_| Refused::Slow)?;
        match shaken? {
            Shaken::Agent(stream, peer) => self.carry(stream, peer).await,
            Shaken::Joining(stream) => {
                let Some(joins) = &self.door.joins else { return Err(Refused::NotInvited) };
                timeout(JOINING, joins.join(stream, from)).await.map_err(|_| Refused::Slow)
            }
        }
    }

    async fn shake(&self, stream: TcpStream) -> Result<Shaken, Refused> {
        // A small message must not wait for the next.
        stream.set_nodelay(true).map_err(Refused::Broken)?;
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(refused)?;
        let wants_to_join =
            start.client_hello().alpn().is_some_and(|mut offered| offered.any(|one| one == ALPN_JOIN));
        let is_invited = self.door.joins.as_ref().is_some_and(|joins| joins.are_open());
        let config = if wants_to_join && is_invited { &self.joining } else { &self.mutual };
        match start.into_stream(Arc::clone(config)).into_fallible().await {
            Ok(stream) if wants_to_join && is_invited => Ok(Shaken::Joining(stream)),
            Ok(stream) => {
                let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
                let peer = self.door.identity.peer(certificates)?;
                if let (Some(told), Some(certificate)) = (&self.door.told, certificates.first()) {
                    told(&peer, certificate);
                }
                Ok(Shaken::Agent(stream, peer))
            }
            Err((error, stream)) => {
                say_last_word(stream).await;
                Err(if wants_to_join { Refused::NotInvited } else { refused(error) })
            }
        }
    }

    async fn carry(&self, stream: TlsStream<TcpStream>, peer: Peer) -> Result<(), Refused> {
        let serial = peer.serial;
        let guard = Guard::new(Sender::Dealer(peer.agent.name.clone()));
        // Where nobody counts any more, this is dropped too.
        let _ = self.admissions.send((tokio::task::id(), peer));
        let socket = UnixStream::connect(&self.door.socket).await.map_err(Refused::Broken)?;
        tokio::select! {
            ended = carry(stream, socket, guard, HANDSHAKE) => ended,
            () = self.door.revocations.revoked(serial) => Err(Refused::Revoked),
        }
    }
}

enum Shaken {
    Agent(TlsStream<TcpStream>, Peer),
    Joining(JoinStream),
}

/// Ends a connection so that the alert which is on its way arrives.
async fn say_last_word(mut stream: TcpStream) {
    // It may be closed on the other side already.
    let _ = stream.shutdown().await;
    let read_out = async {
        let mut nothing = [0; 4096];
        for _ in 0..16 {
            if !matches!(stream.read(&mut nothing).await, Ok(1..)) {
                return;
            }
        }
    };
    let _ = timeout(LAST_WORD, read_out).await;
}

/// Why TLS didn't let somebody in.
fn refused(error: io::Error) -> Refused {
    match tls_error(&error) {
        Some(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => Refused::OtherSwarm,
        Some(TlsError::InvalidCertificate(CertificateError::Revoked)) => Refused::Revoked,
        Some(TlsError::InvalidCertificate(CertificateError::Other(why))) => {
            match why.0.downcast_ref::<Stranger>() {
                Some(stranger) => Refused::Stranger(stranger.clone()),
                None => Refused::Tls(error),
            }
        }
        Some(_) => Refused::Tls(error),
        None => Refused::Broken(error),
    }
}
