//! `serve`: the terminal itself.

use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use bramble_discovery::{Announcement, announce_listener};
use bramble_identity::Identity;
use bramble_journal::{Journal, JournalError};
use bramble_link::{Endpoint, Place};
use bramble_subject::Subjects;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::runtime;
use crate::agents::{Agents, Joining};
use crate::config::Settings;
use crate::desk::{Desk, State, note_who_was_here};
use crate::lab::Running;
use crate::refusal::{Allowed, Refusal};
use crate::software;
use crate::swarm::{self, Swarm};
use crate::web::{self, Door};
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
    let agents = Arc::new(Agents::open(&settings)?);
    // The journal is ours, so that a socket left there is nobody's.
    let api = bind(&socket)?;
    let page = web::bind(settings.web.listen).await?;

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
        .with_joins(Arc::new(Joining(Arc::clone(&agents))));
    let me = swarm::me(&settings.name, &agents);
    let link = bramble_link::listen(place, me, move |pilot| swarm::terms(&known, pilot));
    let (link, events) = link.map_err(|error| Refusal::failed(error.to_string()))?;
    let announcement = announce(link.endpoint(), agents.identity());
    let desk = Arc::new(Desk { settings, seed, writer, link, agents, state });

    let stop = Arc::new(AtomicBool::new(false));
    let (found, to_look_up) = mpsc::unbounded_channel();
    let (expecting, known) = (Arc::clone(&desk), journal.clone());
    tokio::spawn(async move { expecting.expect(known).await });
    let swarm = Swarm { desk: Arc::clone(&desk), journal, found, stop: Arc::clone(&stop) };
    let hearing = std::thread::spawn(move || swarm.run(&events));
    let reacting = tokio::spawn(react(Arc::clone(&desk), news, to_look_up));
    let telling = tokio::spawn(Arc::clone(&desk).tell_revocations());
    let noting = tokio::spawn(note_who_was_here(Arc::clone(&desk.agents)));

    let ending = ending()?;
    // It is as ready where nobody reads this.
    let _ =
        writeln!(std::io::stdout(), "ready: socket {}, pilots {}", socket.display(), desk.link.endpoint());
    let (finish, finished) = watch::channel(false);
    let mut answering = JoinSet::new();
    answering.spawn(answer(api, web::on_socket(Arc::clone(&desk)), finished.clone()));
    if let Some(page) = page {
        let _ = writeln!(std::io::stdout(), "page: {}", address(&page)?);
        let door = Door::new(desk.settings.web.names.clone(), false, software::person());
        answering.spawn(answer(page, door.router(Arc::clone(&desk)), finished));
    }
    ending.await;

    tracing::info!("ending; sessions go on on their pilots");
    let _ = finish.send(true);
    let _ = tokio::time::timeout(LAST_ANSWERS, answering.join_all()).await;
    drop(announcement);
    reacting.abort();
    telling.abort();
    noting.abort();
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
{
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = finished.wait_for(|finished| *finished).await;
    });
    // It ends when it should.
    let _ = serving.await;
}

/// What a person types to see the page.
fn address(page: &TcpListener) -> Allowed<String> {
    let address =
        page.local_addr().map_err(|error| Refusal::failed(format!("the page has no address: {error}")))?;
    Ok(format!("http://{address}/"))
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
