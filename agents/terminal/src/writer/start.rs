//! From what a pilot says of a session it started to what the subject file says.

use std::collections::BTreeMap;

use bramble_message::{ColumnInfo, Origin, Started};
use bramble_subject::{Column, Parameter, ProtocolStep, SessionStart};
use bramble_value::Name;
use jiff::Timestamp;
use serde_json::json;

use crate::{plan, software};

/// A pilot's wall clock, on the calendar.
pub(crate) fn timestamp(unix_ns: i64) -> Timestamp {
    // Every 64-bit count of nanoseconds lies between 1677 and 2262.
    Timestamp::from_nanosecond(unix_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What the subject file says of a session, from what its pilot said alone.
pub(crate) fn session_start(pilot: &Name, started: Started, protocol: Option<ProtocolStep>) -> SessionStart {
    let Started { request, task_name, task_doc, parameters, columns, names, time, unix_ns, .. } = started;
    let Origin { provenance: mut terminal, mut texts } = request.origin;
    // What this terminal knows itself is not for another to say.
    for (path, text) in started.texts {
        texts.entry(path).or_insert(text);
    }
    let repository = terminal.as_object_mut().and_then(|all| all.remove("repository"));
    // What a parameter is for stands in the sources alone.
    let task = plan::definition(&request.task);
    let doc = |name: &str| task.as_ref().and_then(|task| Some(task.parameter(name)?.1.doc.clone()));
    let parameters = parameters.into_iter().map(|(name, value_type, value)| {
        let doc = doc(&name).unwrap_or_default();
        Parameter { name, value_type, value, doc }
    });
    let parameters = parameters.collect();
    let mut sources = request.task.files;
    for (path, text) in request.graduation.iter().flat_map(|graduation| &graduation.protocol.files) {
        match sources.get(path) {
            Some(known) if known == text => {}
            // The task and the protocol lie in different folders.
            Some(_) => drop(sources.insert(format!("protocol/{path}"), text.clone())),
            None => drop(sources.insert(path.clone(), text.clone())),
        }
    }
    let writer = software::here();
    let mut versions = BTreeMap::from([(started.software.program.clone(), started.software.version.clone())]);
    // A terminal that tells nothing of itself is of before it did.
    let asked_by = terminal["build"]["version"].as_str().unwrap_or(&writer.version);
    versions.insert(writer.program.clone(), asked_by.to_owned());
    for (child, told) in started.provenance["children"].as_object().into_iter().flatten() {
        let version = told["build"]["version"].as_str().unwrap_or("unknown");
        versions.insert(format!("bramble-child {child}"), version.to_owned());
    }
    let provenance = json!({
        "pilot": started.provenance,
        "pilot_software": started.software,
        // The one that asked for it, and the one that wrote it down.
        "terminal": terminal,
        "terminal_software": writer,
        "repository": repository,
        // With these, the seed, the parameters and the inputs, the session can be run again.
        "request": {
            "owner": request.owner,
            "paused": request.paused,
            "despite_check": request.despite_check,
            "confirmed": request.confirmed,
            "parameters": request.parameters,
            "kept": request.kept,
            "trials": request.trials,
            "graduation": request.graduation.map(|graduation| json!({
                "protocol": graduation.protocol.root,
                "step": graduation.step,
                "earlier": graduation.earlier,
            })),
        },
    });
    SessionStart {
        uuid: request.session,
        task: task_name,
        task_doc,
        root: request.task.root,
        sources,
        parameters,
        columns: columns.into_iter().map(column).collect(),
        names,
        seed: request.seed,
        pilot: pilot.to_string(),
        protocol,
        started: timestamp(unix_ns),
        start_time: time,
        versions,
        provenance,
        texts,
    }
}

fn column(ColumnInfo { name, kind, doc }: ColumnInfo) -> Column {
    Column { name: name.to_string(), value_type: kind, doc }
}

#[cfg(test)]
mod tests;
