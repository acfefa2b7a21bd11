//! Runs sessions beside an animal: takes commands from a terminal, runs tasks on
//! this computer's rig, and keeps what it observes until the terminal has it.

mod behind;
mod children;
mod config;
mod dates;
mod desk;
mod front;
mod hand;
mod join;
mod judge;
mod memory;
mod pilot;
mod punctual;
mod reaction;
#[cfg(test)]
mod requested;
mod reserve;
mod room;
mod scribe;
mod session;
mod tally;
mod wall;
mod watch;

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bramble_discovery::{Announcement, announce_listener};
use bramble_enrolment::Member;
use bramble_health::Probe;
use bramble_identity::{Identity, Role};
use bramble_journal::Journal;
use bramble_link::{AddressedOutbox, Endpoint, Me, Place, Terms, dial_hearing};
use bramble_message::{Activity, Ended, PilotToTerminal, encode};
use bramble_value::{Ending, Time};
use clap::Parser;
use miette::{Diagnostic, IntoDiagnostic, Report};
use nix::sys::signal::{SigSet, Signal};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use children::Children;
use config::{Arguments, Command, Settings, Workshop};
use dates::Dates;
use desk::Desk;
use front::Front;
use memory::{LANE, Sessions};
use pilot::{Alarm, Failed, Input, Pilot, Then};
use reaction::Reactions;
use reserve::Reserve;
use room::Room;
use scribe::Scribe;
use session::{Job, Runner};
use tally::Tally;

/// How long the disk, and then the terminal, are waited for to take what was
/// observed last.
const FAREWELL: Duration = Duration::from_secs(2);

/// A data folder that can't be used.
#[derive(Debug, Error, Diagnostic)]
#[error("the data folder {} can't be used: {source}", path.display())]
#[diagnostic(help(
    "choose a folder that this user may write, with --data DIR or `data` in the configuration"
))]
struct DataFolder {
    path: PathBuf,
    source: std::io::Error,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    // What a command has to say it prints; a pilot logs.
    let usual = if arguments.command.is_some() { "warn" } else { "info" };
    let filter = EnvFilter::try_from_env("BRAMBLE_LOG").unwrap_or_else(|_| usual.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let done = match arguments.command.take() {
        None => Settings::read(arguments).map_err(Report::new).and_then(run).map(|()| ExitCode::SUCCESS),
        Some(Command::Join(options)) => join::run(options, &arguments).map(|()| ExitCode::SUCCESS),
        Some(Command::LeaveBehind) => behind::run(&arguments).map(|()| ExitCode::SUCCESS),
        Some(Command::Guard { folder }) => guard(&folder).map(|()| ExitCode::SUCCESS),
        Some(Command::Hand(command)) => {
            Workshop::read(arguments).map_err(Report::new).and_then(|workshop| hand::run(&command, workshop))
        }
    };
    match done {
        Ok(code) => code,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::FAILURE
        }
    }
}

/// The other process of a pilot: see [`bramble_rig::guard`].
fn guard(data: &Path) -> Result<(), Report> {
    bramble_rig::guard::run(data).into_diagnostic()
}

fn run(mut settings: Settings) -> Result<(), Report> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    // Before any thread is started, so that all of them leave these to one.
    signals.thread_block().into_diagnostic()?;
    // An animal that can't be had is told now, and not when a session starts.
    bramble_simulation::named(&settings.simulation.animal, settings.simulation.seed, "").into_diagnostic()?;

    let journal = open_journal(&settings.data)?;
    let keys = settings.keys();
    let member = Member::load(&keys, Role::Pilot, &settings.name).into_diagnostic()?;
    if let Some(differs) = member.differs_from(&settings.name) {
        tracing::warn!("{differs}");
    }
    settings.name = member.name.clone();
    let mut sessions = Sessions::recall(&journal).into_diagnostic()?;
    report_cut_session(&journal, &mut sessions).into_diagnostic()?;

    let (inputs, to_pilot) = inputs_channel(signals)?;
    let rig = session::devices(&settings.rig);
    let dates = Dates::new(&settings.rig, settings.data.join("calibrations"));
    let terminal = settings.terminal.clone();
    let outbox = AddressedOutbox::open(journal.clone(), LANE, &settings.name, terminal, memory::waits);
    let outbox = outbox.into_diagnostic()?;
    let place = Place::from(settings.terminal.clone()).with_identity(member.identity.clone());
    let hello = pilot::hello(rig.clone(), Activity::Idle);
    let me = Me::new(settings.name.clone(), "pilot", "terminal").with_detail(encode(&hello));
    let front = Front::new(Desk::new(settings.name.clone(), sessions.started()));
    let (taking, alarm) = (front.clone(), Alarm { inputs: inputs.clone(), failed: Failed::Link });
    let hear = move |event| taking.hear(event, bramble_link::now(), &alarm.inputs);
    let dialer = dial_hearing(place, me, Terms::new(outbox), hear).into_diagnostic()?;
    let workshop = Arc::new(Workshop {
        name: settings.name.clone(),
        data: settings.data.clone(),
        rig: settings.rig.clone(),
        animal: None,
    });
    let pages = inputs.clone();
    let by_hand = move |job| pages.send(Input::Hand(job)).is_ok();
    front.serve_pages(hand::Far::start(Arc::clone(&workshop), dialer.line(), by_hand.clone())?);

    let (line, onlookers) = (dialer.line(), dialer.line());
    let waiting = Tally::of(&journal, LANE).into_diagnostic()?;
    // Where the link has ended, so does the pilot.
    let sent = move || _ = line.more();
    let reserve = Reserve::in_folder(&settings.data);
    let (scribe, pen, doing) =
        Scribe::start(journal.clone(), waiting, sessions, reserve.clone(), sent).into_diagnostic()?;

    let named = settings.rig.devices.values().filter_map(|device| device.driver.child().cloned());
    let on_change = inputs.clone();
    let changed = move || _ = on_change.send(Input::Children);
    let place = settings.children.clone().map(|endpoint| {
        Place::from(endpoint)
            .with_identity(member.identity.clone())
            .with_revocations(member.revocations.clone())
            .with_socket(settings.data.join("children.sock"))
    });
    let children = Children::start(place, &settings.name, named, changed).into_diagnostic()?;
    let announcement = announce(children.endpoint(), member.identity.as_ref());

    let (jobs, waiting_jobs) = channel::<Job>();
    let hardware = bramble_rig::Hardware::of(&settings.rig, settings.data.clone());
    let configuration = Some(("config/pilot.toml", settings.text.as_str()));
    let origin = bramble_software::origin(session::PROGRAM, settings.name.as_str(), configuration);
    let reactions = Reactions::default();
    let runner = Runner {
        pilot: settings.name.clone(),
        rig: settings.rig,
        calibrations: settings.data.join("calibrations"),
        origin,
        simulation: settings.simulation,
        hardware,
        data: settings.data.clone(),
        children: children.clone(),
        pen: pen.clone(),
        // Where the link has ended, so does the pilot.
        live: Arc::new(move |seen| _ = onlookers.passing(seen)),
        animals: HashMap::new(),
        reactions: reactions.clone(),
    };
    let told = front.clone();
    spawn("session", move || {
        let alarm = Alarm { inputs, failed: Failed::Session };
        runner.run(&waiting_jobs, |news| told.news(news, &alarm.inputs));
    })?;

    let bench = hand::Socket::open(workshop, by_hand)?;

    // It is as ready where nobody reads this.
    let _ = writeln!(std::io::stdout(), "ready: {}, terminal {}", settings.name, settings.terminal);
    let at_the_end = journal.clone();
    let pilot = Pilot {
        front,
        rig,
        dialer,
        journal,
        children,
        pen,
        doing,
        jobs,
        at_work: 0,
        told: None,
        room: Room::default(),
        limit: settings.journal_limit,
        reserve,
        member,
        keys,
        then: Then::End,
        probe: Probe::new("/", &settings.data),
        dates,
        reactions,
    };
    let (dialer, outcome) = pilot.run(&to_pilot);
    drop((bench, announcement));
    // The pilot's pen is gone, and so are the session's thread and its own.
    scribe.finish(FAREWELL);
    dialer.close(FAREWELL);
    // A thread that is about to end may have the journal still: what the terminal has is not to wait in it.
    if let Err(error) = at_the_end.settle() {
        tracing::warn!("{error}");
    }
    tracing::info!("{} has ended", settings.name);
    match outcome? {
        Then::End => Ok(()),
        Then::StartAgain => start_again(),
    }
}

/// Tells the networks where children are listened for that this pilot is there.
fn announce(endpoint: Option<&Endpoint>, identity: Option<&Identity>) -> Option<Announcement> {
    let Endpoint::Tcp { host, port } = endpoint? else { return None };
    let identity = identity?;
    announce_listener(identity.agent(), identity.swarm(), host.as_str(), *port)
}

/// Becomes a new run of this program, as it was started: of this process, so that whoever
/// watches over it sees no end.
fn start_again() -> Result<(), Report> {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_else(|| "bramble-pilot".into());
    let program = std::env::current_exe().unwrap_or_else(|_| called.clone().into());
    let error = std::process::Command::new(program).arg0(called).args(arguments).exec();
    Err(miette::miette!("this pilot was renamed and could not start again ({error}): start it"))
}

/// The way to the pilot's thread, with the signals that end it going there.
fn inputs_channel(signals: SigSet) -> Result<(Sender<Input>, std::sync::mpsc::Receiver<Input>), Report> {
    let (inputs, to_pilot) = channel();
    let on_signal = inputs.clone();
    spawn("signals", move || {
        while signals.wait().is_ok() {
            if on_signal.send(Input::Leave).is_err() {
                return;
            }
        }
    })?;
    Ok((inputs, to_pilot))
}

fn open_journal(data: &Path) -> Result<Journal, Report> {
    std::fs::create_dir_all(data)
        .map_err(|source| Report::new(DataFolder { path: data.to_owned(), source }))?;
    Journal::open(memory::journal(data)).into_diagnostic()
}

/// A session that a crash cut is reported as ended, with what was observed of it.
fn report_cut_session(
    journal: &Journal,
    sessions: &mut Sessions,
) -> Result<(), bramble_journal::JournalError> {
    let Some(session) = sessions.without_end(journal.last(LANE)) else { return Ok(()) };
    tracing::warn!("a session was cut when this pilot ended without warning");
    let ended = Ended {
        session,
        ending: Ending::Error,
        why: "the pilot restarted during the session".to_owned(),
        graduated: false,
        paused: false,
        time: scribe::last_time(journal, session).unwrap_or(Time::ZERO),
        unix_ns: wall::unix_ns(),
    };
    let number = journal.last(LANE) + 1;
    sessions.note_end(session, number, journal)?;
    journal.append(LANE, &[encode(&PilotToTerminal::Ended(ended))])?;
    Ok(())
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), Report> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map(drop).into_diagnostic()
}
