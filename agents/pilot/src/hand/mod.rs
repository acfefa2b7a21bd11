//! The rig in a person's hand: watching its inputs, working its outputs, checking
//! and calibrating it, beside a running pilot or without one.
//!
//! A command talks to a bench ([`serve`]) over a connection, and a bench has jobs
//! done by the thread that owns the rig ([`session`]). Where a pilot runs, bench
//! and thread are the pilot's, and the connection is a socket in its data folder;
//! where none runs, both are the command's own. From a page it comes over the link to the
//! terminal ([`far`]), with a lease that ends where the page is not heard of any more.

mod bench;
mod calibrate;
mod calibrations;
mod check;
mod cli;
mod drive;
mod error;
mod far;
mod guide;
mod lease;
mod monitor;
mod names;
mod orders;
mod protocol;
mod say;
mod serve;
mod session;
mod task;
mod timing;

use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use miette::{IntoDiagnostic, Report};
use nix::sys::signal::{SigSet, Signal};

use crate::children::Children;
use crate::config::Workshop;
use bench::Bench;
use error::HandError;

pub(crate) use bench::Socket;
pub(crate) use check::Checked;
#[cfg(test)]
pub(crate) use check::failed_check;
pub(crate) use cli::Command;
pub(crate) use far::Far;
pub(crate) use session::{Hands, Job};

/// Runs one command.
pub(crate) fn run(command: &Command, workshop: Workshop) -> Result<ExitCode, Report> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    // Before any thread is started, so that all of them leave these to one.
    signals.thread_block().into_diagnostic()?;
    if let Command::Calibrations(asked) = command {
        calibrations::list(asked, &workshop)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut bench = Bench::reach(&workshop.data, |theirs| own(theirs, workshop.clone()))?;
    bench.hear_signals(signals)?;
    if bench.is_a_pilots() && workshop.animal.is_some() {
        eprintln!("--animal is left out: a pilot runs, and nobody works the inputs of its rig by hand");
    }
    match command {
        Command::Monitor(monitor) => monitor::run(&mut bench, monitor)?,
        Command::Set(set) => drive::set(&mut bench, set)?,
        Command::Pulse(pulse) => drive::pulse(&mut bench, pulse)?,
        Command::Train(train) => drive::train(&mut bench, train)?,
        Command::Calibrate(asked) => calibrate::run(&mut bench, asked, &workshop)?,
        Command::Check(asked) => return Ok(check::run(&mut bench, asked, &workshop)?),
        Command::Calibrations(_) => {}
    }
    bench.close()?;
    Ok(ExitCode::SUCCESS)
}

/// A bench of this process's own, where no pilot runs; the thread that has the rig.
fn own(theirs: UnixStream, workshop: Workshop) -> Result<JoinHandle<()>, HandError> {
    std::fs::create_dir_all(&workshop.data)
        .map_err(|source| HandError::File { path: workshop.data.clone(), source })?;
    let (jobs, waiting) = channel::<Job>();
    let shared = Arc::new(workshop.clone());
    bench::thread("hand", move || serve::serve(theirs, shared, move |job| jobs.send(job).is_ok()))?;
    bench::thread("session", move || {
        let Workshop { name, data, rig, animal } = workshop;
        let calibrations = calibrations::folder(&data);
        let mut hardware = bramble_rig::Hardware::of(&rig, data);
        let children =
            Children::none(rig.devices.values().filter_map(|device| device.driver.child().cloned()));
        while let Ok(job) = waiting.recv() {
            let hardware = hardware.as_mut();
            let (pilot, rig, calibrations, animal) = (&name, &rig, calibrations.as_path(), animal.as_deref());
            Hands { pilot, rig, children: &children, calibrations, hardware, animal }.run(job).tell();
        }
        if let Some(hardware) = hardware {
            hardware.close();
        }
    })
}
