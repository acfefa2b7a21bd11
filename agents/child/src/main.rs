//! Offers a part of a pilot's hardware to it, and does with it what the pilot asks.

mod child;
mod config;
mod join;
mod workshop;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bramble_enrolment::Member;
use bramble_health::Probe;
use bramble_identity::Role;
use bramble_link::{Event, Events, Line, Me, MemoryOutbox, Place, Terms, dial};
use bramble_message::{ChildHello, decode, encode};
use bramble_rig::Hardware;
use bramble_settings::KEYS;
use clap::Parser;
use miette::{Diagnostic, IntoDiagnostic, Report};
use nix::sys::signal::{SigSet, Signal};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use child::{Child, offer};
use config::{Arguments, Command, Settings};
use workshop::Workshop;

/// This program.
const PROGRAM: &str = "bramble-child";

/// How often the pilot is told how this computer fares.
const HEALTH_EVERY: Duration = Duration::from_secs(5);

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
    let filter = EnvFilter::try_from_env("BRAMBLE_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let done = match arguments.command.take() {
        Some(Command::Join(options)) => join::run(options, &arguments),
        Some(Command::Guard { data }) => bramble_rig::guard::run(&data).into_diagnostic(),
        None => run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Report> {
    let Settings { name, pilot, data, rig, text } = Settings::read(arguments)?;
    let stops = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
    // Before any thread is started, so that all of them leave these to `stops`.
    stops.thread_block().into_diagnostic()?;

    let member = Member::load(&data.join(KEYS), Role::Child, &name).into_diagnostic()?;
    if let Some(differs) = member.differs_from(&name) {
        tracing::warn!("{differs}");
    }
    let Member { name, identity, revocations } = member;
    let place = Place::from(pilot.clone()).with_identity(identity).with_revocations(revocations.clone());
    let path = format!("config/children/{name}.toml");
    let origin = bramble_software::origin(PROGRAM, name.as_str(), Some((&path, &text)));
    let hello = ChildHello { software: bramble_software::software(PROGRAM), offer: offer(&rig), origin };
    let me = Me::new(name.clone(), "child", "pilot").with_detail(encode(&hello));
    let (dialer, events) = dial(place, me, Terms::new(MemoryOutbox::new())).into_diagnostic()?;
    if rig.is_real() {
        std::fs::create_dir_all(&data).map_err(|source| DataFolder { path: data.clone(), source })?;
    }
    let telling = dialer.line();
    // Where the link has ended, so does the child.
    let tell = Arc::new(move |message| _ = telling.send(encode(&message)));
    let probed = data.clone();
    let hardware = Hardware::of(&rig, data).unwrap_or_else(|| Hardware::in_memory(&rig).0);
    let workshop = Workshop::start(name.clone(), rig.clone(), hardware, tell).into_diagnostic()?;
    // It is as ready where nobody reads this.
    let _ = writeln!(std::io::stdout(), "ready: {name}, pilot {pilot}");

    let (probe, telling) = (Probe::new("/", probed), dialer.line());
    let tell_health = move || {
        // It ends with the link.
        while telling.passing(encode(&probe.look(bramble_link::now()))).is_ok() {
            std::thread::sleep(HEALTH_EVERY);
        }
    };
    std::thread::Builder::new().name("health".to_owned()).spawn(tell_health).into_diagnostic()?;
    let (child, line) = (Child::new(rig, workshop, revocations), dialer.line());
    let devices = std::thread::Builder::new()
        .name("devices".to_owned())
        .spawn(move || serve(child, &line, &events))
        .into_diagnostic()?;
    stops.wait().into_diagnostic()?;
    tracing::info!("{name} ends");
    dialer.close(Duration::from_secs(1));
    // The link has ended, and so has what served it: outputs are safe. Were it
    // to panic, it would have said so.
    let _ = devices.join();
    Ok(())
}

/// Does what the pilot asks, until the link ends.
fn serve(mut child: Child, line: &Line, events: &Events) {
    while let Ok(event) = events.recv() {
        match event {
            Event::Up { peer, .. } => tracing::info!("the pilot {peer} is there"),
            Event::Down { peer, why } => {
                tracing::warn!("the pilot {peer} is gone: {why}; outputs are safe");
                child.release();
            }
            Event::Refused(refusal) => tracing::error!("the pilot does not talk to this child: {refusal}"),
            Event::Unreached { why } => tracing::warn!("the pilot can't be reached: {why}"),
            Event::Failed { why, .. } => tracing::error!("{why}"),
            Event::Message { at, payload, .. } => {
                let told = match decode(&payload) {
                    Ok(message) => child.handle(message),
                    Err(error) => {
                        tracing::error!("{error}");
                        Vec::new()
                    }
                };
                let sent = told.iter().try_for_each(|message| line.send(encode(message)));
                if sent.and_then(|()| line.taken(at)).is_err() {
                    return;
                }
            }
            Event::Passing { .. } | Event::Clock { .. } => {}
        }
    }
}
