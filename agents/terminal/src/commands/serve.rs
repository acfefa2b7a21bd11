//! `serve`: the terminal itself.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use bramble_discovery::{Announcement, announce_listener};
use bramble_identity::Identity;
use bramble_journal::{Journal, JournalError};
use bramble_link::{Endpoint, Place};
use bramble_settings::WebAddress;
use bramble_subject::Subjects;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::runtime;
use crate::agents::{Agents, Joining, note_who_comes};
use crate::alerts::{self, Alerts};
use crate::config::Settings;
use crate::desk::{Desk, State, note_who_was_here};
use crate::hands::Hands;
use crate::lab::Running;
use crate::refusal::{Allowed, Refusal};
use crate::software;
use crate::swarm::{self, Swarm};
use crate::users::{self, Access};
use crate::web::{self, Door, Entrance, From as Peer, Guarded};
use crate::writer::{Files, News, Writer};

/// How long clients that are being answered may still take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

pub(super) fn run(settings: Settings, seed: Option<u64>) -> miette::Result<()> {
    let log = tracing_subscriber::EnvFilter::try_from_env("BRAMBLE_LOG").unwrap_or_else(|_| "info".into());
    let colors = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(log)
        .with_target(false)
        .with_ansi(colors)
        .with_writer(std::io::stderr)
        // A screen that is gone has nobody to be told so.
        .log_internal_errors(false)
        .init();
    if let Err(error) = open_many_files() {
        tracing::warn!(
            "this process may have few files open, which limits how many pilots there can be: {error}"
        );
    }
    runtime()?.block_on(serve(settings, seed))?;
    Ok(())
}

/// A pilot takes some descriptors, its subject's file two; a shell usually gives
/// a process fewer than it may have.
fn open_many_files() -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)
}

async fn serve(settings: Settings, seed: Option<u64>) -> Allowed<()> {
    let socket = settings.socket();
    let journal = open_journal(&settings)?;
    let files = Files::new(Subjects::in_folder(&settings.data)?);
    let agents = Arc::new(Agents::open(&settings, |swarm| swarm::lab(&journal, swarm))?);
    // The journal is ours, so that a socket left there is nobody's.
    let api = bind(&socket)?;
    let alerts = Alerts::open(&settings)?;
    let page = match settings.web.listen {
        Some(WebAddress::Off) => None,
        Some(WebAddress::At(address)) => Some(Page::open(Some(address), &settings).await?),
        None => Some(Page::open(None, &settings).await?),
    };

    let state = Arc::new(State::new());
    let (tell, news) = mpsc::unbounded_channel();
    // When nobody hears the news any more, the terminal is about to end.
    let writer = Writer::start(files, journal.clone(), move |one| drop(tell.send(one)));
    let writer = writer.map_err(|error| Refusal::failed(error.to_string()))?;
    let known = journal.clone();
    let place = Place::from(settings.listen.clone())
        .with_identity(Some(agents.identity().clone()))
        .with_socket(settings.swarm_socket())
        .with_revocations(agents.revocations().clone())
        .with_joins(Arc::new(Joining::new(Arc::clone(&agents))))
        .with_told(note_who_comes(Arc::clone(&agents)));
    let me = swarm::me(&settings.name, &agents);
    let link = bramble_link::listen(place, me, move |pilot| swarm::terms(&known, pilot));
    let (link, events) = link.map_err(|error| Refusal::failed(error.to_string()))?;
    let announcement = announce(link.endpoint(), agents.identity());
    let desk = Arc::new(Desk {
        settings,
        seed,
        writer,
        link,
        agents,
        state,
        alerts,
        hands: Hands::default(),
        simulating: Semaphore::new(1),
        testing: Semaphore::new(1),
        exporting: Arc::new(Semaphore::new(2)),
        looking: Semaphore::new(1),
    });

    let stop = Arc::new(AtomicBool::new(false));
    let (found, to_look_up) = mpsc::unbounded_channel();
    let (expecting, known) = (Arc::clone(&desk), journal.clone());
    tokio::spawn(async move { expecting.expect(known).await });
    let swarm = Swarm { desk: Arc::clone(&desk), journal, found, stop: Arc::clone(&stop) };
    let hearing = std::thread::spawn(move || swarm.run(&events));
    let reacting = tokio::spawn(react(Arc::clone(&desk), news, to_look_up));
    let telling = tokio::spawn(Arc::clone(&desk).tell_revocations());
    let watching = tokio::spawn(alerts::watch(Arc::clone(&desk)));
    let alerting = tokio::spawn(alerts::tell(Arc::clone(&desk)));
    let noting = tokio::spawn(note_who_was_here(Arc::clone(&desk.agents)));

    let ending = ending()?;
    // It is as ready where nobody reads this.
    let _ =
        writeln!(std::io::stdout(), "ready: socket {}, pilots {}", socket.display(), desk.link.endpoint());
    let (finish, finished) = watch::channel(false);
    let mut answering = JoinSet::new();
    answering.spawn(answer(api, web::on_socket(Arc::clone(&desk)), finished.clone()));
    if let Some(page) = page {
        let _ = writeln!(std::io::stdout(), "page: {}", page.address);
        answering.spawn(answer(page.entrance, page.door.router(Arc::clone(&desk)), finished));
    }
    ending.await;

    tracing::info!("ending; sessions go on on their pilots");
    let _ = finish.send(true);
    let _ = tokio::time::timeout(LAST_ANSWERS, answering.join_all()).await;
    drop(announcement);
    reacting.abort();
    telling.abort();
    noting.abort();
    watching.abort();
    alerting.abort();
    desk.agents.write_what_is_not();
    stop.store(true, Ordering::Relaxed);
    if hearing.join().is_err() {
        tracing::error!("the thread that hears pilots had ended before; they have kept what they observed");
    }
    desk.writer.close();
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

/// Answers at one door until it should end.
async fn answer<L>(listener: L, router: Router, mut finished: watch::Receiver<bool>)
where
    L: Listener,
    L::Addr: std::fmt::Debug,
    for<'a> Peer: Connected<IncomingStream<'a, L>>,
{
    let router = router.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = finished.wait_for(|finished| *finished).await;
    });
    // It ends when it should.
    let _ = serving.await;
}

/// Where browsers come in, before it is known to what.
struct Page {
    /// What a person types to see it.
    address: String,
    entrance: Entrance,
    door: Door,
}

impl Page {
    /// The page at an address, guarded as that asks for.
    async fn open(address: Option<SocketAddr>, settings: &Settings) -> Allowed<Page> {
        let broken = |error: std::io::Error| Refusal::failed(format!("the page can't be served: {error}"));
        let web = &settings.web;
        let has_users = !users::read(&users::path(&settings.data))?.is_empty();
        // Nothing listens where it is not to be.
        let wanted = address.unwrap_or_else(WebAddress::usual).ip();
        let Guarded { tls, login } = web::guarded(wanted, web, has_users)?;
        let config = match (&web.certificate, &web.key) {
            (Some(certificate), Some(key)) => Some(web::config(certificate, key)?),
            _ => None,
        };
        let listener = web::bind(address).await?;
        let at = listener.local_addr().map_err(broken)?;
        let host = software::here().host;
        // A name of this computer's is one that its network gave it.
        let names: Vec<String> = match at.ip().is_loopback() {
            true => web.names.clone(),
            false => web.names.iter().cloned().chain([host.clone()]).collect(),
        };
        let shown = match (at.ip().is_unspecified(), names.first()) {
            (true, Some(name)) => format!("{name}:{}", at.port()),
            _ => at.to_string(),
        };
        let address = format!("{}://{shown}/", if tls { "https" } else { "http" });
        let access = Access::new(&settings.data, login, tls, host);
        let door = Door::new(names, tls, software::person(), access);
        Ok(Page { address, entrance: Entrance::new(listener, config).map_err(broken)?, door })
    }
}

/// Tells the networks where this terminal listens that it is there.
fn announce(endpoint: &Endpoint, identity: &Identity) -> Option<Announcement> {
    let Endpoint::Tcp { host, port } = endpoint else { return None };
    announce_listener(identity.agent(), identity.swarm(), host.as_str(), *port)
}

/// Does what news and sessions that were found running ask for.
async fn react(
    desk: Arc<Desk>,
    mut news: mpsc::UnboundedReceiver<News>,
    mut found: mpsc::UnboundedReceiver<Running>,
) {
    loop {
        let desk = Arc::clone(&desk);
        tokio::select! {
            Some(news) = news.recv() => drop(tokio::spawn(async move { desk.hear(news).await })),
            Some(found) = found.recv() => drop(tokio::spawn(async move { desk.look_up(found).await })),
            else => return,
        }
    }
}

/// When a person or the system ends the program. A window or a connection that
/// is closed does not.
fn ending() -> Allowed<impl Future<Output = ()>> {
    let listen =
        |kind| signal(kind).map_err(|error| Refusal::failed(format!("signals can't be heard: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    // Once it is listened for, it ends nothing.
    drop(listen(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// The journal, which only one terminal can have.
fn open_journal(settings: &Settings) -> Allowed<Journal> {
    let data = &settings.data;
    let unwritable = |error: &dyn std::fmt::Display| {
        Refusal::failed(format!("the data folder {} can't be written: {error}", data.display()))
            .help("give this user the right to write there, or name another folder with --data")
    };
    std::fs::create_dir_all(data).map_err(|error| unwritable(&error))?;
    // Said here in plain words, before SQLite says it in its own.
    write_probe(data).map_err(|error| unwritable(&error))?;
    Journal::open(data.join("journal.sqlite")).map_err(|error| match error {
        JournalError::InUse { by, .. } => {
            Refusal::conflict(format!("a terminal runs on the data folder {} already: {by}", data.display()))
                .help("use that one, end it first, or name another folder with --data")
        }
        error => Refusal::failed(error.to_string()),
    })
}

/// Makes a file in a folder and removes it again.
fn write_probe(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    std::fs::File::create(&probe)?;
    std::fs::remove_file(&probe)
}

/// The API's socket, which only this user may connect to.
fn bind(socket: &Path) -> Allowed<UnixListener> {
    let cannot = |error: std::io::Error| {
        Refusal::failed(format!("can't listen at {}: {error}", socket.display()))
            .help("a socket's path can have 107 bytes: name a shorter folder with --data")
    };
    if UnixStream::connect(socket).is_ok() {
        return Err(cannot(std::io::ErrorKind::AddrInUse.into()));
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(error)),
        _ => {}
    }
    let before = umask(Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(socket);
    umask(before);
    listener.map_err(cannot)
}
