//! What the session ran from: the rig's devices, the task's parameters and its files.

use hdf5::{Group, Result};

use super::object::{self, COMMON, CORE, Objects};
use crate::summary::{about, number};
use crate::table::{Column, Values};
use crate::{Here, Session};

/// `/general/devices`: the pilot, and each device of its rig.
pub(super) fn devices(objects: &Objects, group: &Group, session: &Session) -> Result<()> {
    let host = &session.start.provenance["pilot"]["host"];
    let about: Vec<&str> = ["board", "system"].iter().filter_map(|key| host[key].as_str()).collect();
    let pilot = match about.as_slice() {
        [] => "the computer that ran the session".to_owned(),
        about => format!("the computer that ran the session: {}", about.join(", ")),
    };
    let rig = session.devices();
    let rig = rig.iter().map(|(name, device)| (name.as_str(), device.describe()));
    for (name, description) in std::iter::once((session.start.pilot.as_str(), pilot)).chain(rig) {
        let made = objects.group(group, &object::free(group, name), "Device", CORE)?;
        object::set_text(&made, "description", &description)?;
    }
    Ok(())
}

/// `/acquisition`: the parameters, and every file that the session ran from.
pub(super) fn write(objects: &Objects, acquisition: &Group, session: &Session) -> Result<()> {
    let texts = |texts: Vec<String>| Values::Texts(texts.into_iter().map(Some).collect());
    let parameters = &session.start.parameters;
    let of = |each: fn(&bramble_subject::Parameter) -> String| texts(parameters.iter().map(each).collect());
    if !parameters.is_empty() {
        let columns = [
            Column::new("parameter", "", "the parameter", of(|one| one.name.clone())),
            Column::new(
                "value",
                "",
                "its value at the start, as written",
                of(|one| one.value_type.show(one.value)),
            ),
            Column::new(
                "number",
                "",
                "the same as one number, in its unit; of a choice: its place, from 0; missing for a range",
                Values::Numbers(parameters.iter().map(|one| number(one.value)).collect()),
            ),
            Column::new("unit", "", "the unit of number", of(|one| one.value_type.unit().to_owned())),
            Column::new("meaning", "", "what it is", of(|one| one.doc.clone())),
        ];
        table(objects, acquisition, "task_parameters", "The task's parameters at the start", &columns)?;
    }
    let (paths, contents) = session.start.sources.clone().into_iter().unzip();
    let columns = [
        Column::new("path", "", "the file", texts(paths)),
        Column::new("text", "", "all that is in it", texts(contents)),
    ];
    let what = format!(
        "What the session ran from: the task {}, all that it loads, its protocol",
        session.start.root
    );
    table(objects, acquisition, "task_files", &what, &columns)
}

/// `/scratch`: what has no place of its own in NWB, as JSON.
pub(super) fn documents(objects: &Objects, scratch: &Group, session: &Session, here: &Here) -> Result<()> {
    for (name, notes, json) in [
        ("session", "What the session was, as JSON", &about(session, here)),
        (
            "provenance",
            "Rig, calibrations, host and software of the session, as JSON",
            &session.start.provenance,
        ),
    ] {
        let made = object::text(scratch, name, &format!("{json:#}"))?;
        objects.typed(&made, "ScratchData", CORE)?;
        object::set_text(&made, "notes", notes)?;
    }
    Ok(())
}

fn table(objects: &Objects, parent: &Group, name: &str, what: &str, columns: &[Column]) -> Result<()> {
    let made = objects.group(parent, name, "DynamicTable", COMMON)?;
    object::set_text(&made, "description", what)?;
    let mut names = Vec::new();
    for column in columns {
        names.extend(objects.column(&made, &column.name, column, false)?);
    }
    objects.finish(&made, &names, columns.first().map_or(0, |column| column.values.len()))
}
