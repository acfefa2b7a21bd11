//! NWB: one HDF5 file a session, of NWB's own types alone.
//!
//! There is an extension for tasks, `ndx-structured-behavior`, that says of itself that
//! it will change, and that older readers can't read. States, events and actions are
//! tables of the core here, which every reader of NWB 2.10 and later has.
//!
//! What isn't `hdmf` must write as it does: see [`object`].

mod object;
mod series;
mod states;
mod subject;
mod task;
mod trials;

use std::path::Path;

use bramble_value::Kind;
use hdf5::File;
use hdf5::file::LibraryVersion;

use crate::events::{notes, table_of};
use crate::table::Values;
use crate::{ExportError, Here, Session};
use object::{CORE, Objects};

/// The version of NWB's core that is written.
const VERSION: &str = "2.11.0";

/// Groups that a file must have, with something in them or without.
const GROUPS: [&str; 9] = [
    "acquisition",
    "analysis",
    "processing",
    "stimulus/presentation",
    "stimulus/templates",
    "general/devices",
    "intervals",
    "events",
    "scratch",
];

/// Writes a session as the file `path`.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn write(session: &Session, here: &Here, path: &Path) -> Result<(), ExportError> {
    // A folder that can't be written says so here in plain words.
    let on_disk = std::fs::File::create(path).map_err(ExportError::write(path))?;
    let file = File::with_options()
        .with_fapl(|access| {
            access.file_locking(false).libver_bounds(LibraryVersion::Earliest, LibraryVersion::V110)
        })
        .create(path)
        .map_err(ExportError::library(path))?;
    let written = write_into(&file, session, here).and_then(|()| file.flush());
    // A full disk may be told only when the file is closed.
    let closed = file.close();
    written.and(closed).map_err(|error| ExportError::library(path)(said(&error)))?;
    on_disk.sync_all().map_err(ExportError::write(path))
}

/// What went wrong: where the system said something, that alone.
fn said(error: &hdf5::Error) -> String {
    let text = error.to_string();
    let system = text.split("error message = '").nth(1).and_then(|rest| rest.split('\'').next());
    system.map_or_else(|| text.clone(), str::to_owned)
}

fn write_into(file: &File, session: &Session, here: &Here) -> hdf5::Result<()> {
    let objects = Objects::of(session.start.uuid);
    object::set_text(file, "nwb_version", VERSION)?;
    objects.typed(file, "NWBFile", CORE)?;
    for group in GROUPS {
        file.create_group(group)?;
    }
    let started = here.moment(session.start.started);
    let start = &session.start;
    object::text(file, "identifier", &start.uuid.to_string())?;
    object::text(file, "session_description", &description(session))?;
    object::text(file, "session_start_time", &started)?;
    object::text(file, "timestamps_reference_time", &started)?;
    object::texts(file, "file_create_date", &[here.moment(here.now)])?;
    general(file, session, here)?;
    subject::write(&objects, &file.group("general")?, session, here)?;
    task::devices(&objects, &file.group("general/devices")?, session)?;
    trials::write(&objects, &file.group("intervals")?, session)?;
    states::write(&objects, &file.group("intervals")?, session)?;
    let acquisition = file.group("acquisition")?;
    task::write(&objects, &acquisition, session)?;
    task::documents(&objects, &file.group("scratch")?, session, here)?;
    series::write(&objects, &acquisition, session)?;
    events(&objects, file, session)
}

fn description(session: &Session) -> String {
    let start = &session.start;
    let mut text = format!("Session {} of {}: the task {}", session.number, session.subject, start.task);
    if let Some(at) = &start.protocol {
        text.push_str(&format!(", step {} of the protocol {}", at.step, at.protocol));
    }
    if start.is_simulated() {
        text.push_str(", on a simulated rig: no animal was in it");
    }
    match &session.end {
        None => text.push_str(". Its end isn't known: it was exported as far as it was"),
        Some(end) if end.why.is_empty() => text.push_str(&format!(". It ended: {}", end.ending.name())),
        Some(end) => text.push_str(&format!(". It ended: {}, {}", end.ending.name(), end.why)),
    }
    text
}

fn general(file: &File, session: &Session, here: &Here) -> hdf5::Result<()> {
    let group = file.group("general")?;
    let start = &session.start;
    let doc = if start.task_doc.trim().is_empty() { &start.task } else { &start.task_doc };
    object::text(&group, "session_id", &session.number.to_string())?;
    object::text(&group, "experiment_description", doc)?;
    object::texts(&group, "keywords", &["behavior".to_owned(), start.task.clone()])?;
    let lab = &here.lab;
    for (name, text) in [("institution", &lab.institution), ("lab", &lab.name)] {
        if !text.is_empty() {
            object::text(&group, name, text)?;
        }
    }
    if !lab.experimenters.is_empty() {
        object::texts(&group, "experimenter", &lab.experimenters)?;
    }
    Ok(())
}

/// What the outputs did is an action; what is a state or a series is not here.
fn events(objects: &Objects, file: &File, session: &Session) -> hdf5::Result<()> {
    let group = file.group("events")?;
    let is_action =
        |kind| matches!(kind, Kind::Output | Kind::Command | Kind::Halt | Kind::Ends | Kind::Manual);
    let in_states = !states::are_of_one_moment(session);
    let is_elsewhere = |kind| match kind {
        Kind::StageStart | Kind::StageEnd => in_states,
        kind => matches!(kind, Kind::Position | Kind::Analog),
    };
    let tables = [
        table_of(session, "actions", "What outputs were told to do, and when they had done it", is_action),
        table_of(
            session,
            "events",
            "What happened: inputs, transitions, messages, timers, and values that were written",
            |kind| !is_action(kind) && !is_elsewhere(kind),
        ),
        notes(session),
    ];
    for table in tables.iter().filter(|table| table.len() > 0) {
        let made = objects.group(&group, table.name, "EventsTable", CORE)?;
        object::set_text(&made, "description", &table.doc)?;
        object::set_text(&made, "source_description", "Bramble")?;
        let mut names = vec!["timestamp".to_owned()];
        for column in &table.columns {
            match &column.values {
                Values::Numbers(times) if column.name == "time_s" => {
                    objects.timestamps(&made, times, &column.doc)?;
                }
                _ => names.extend(objects.column(&made, &column.name, column, false)?),
            }
        }
        objects.finish(&made, &names, table.len())?;
    }
    Ok(())
}
