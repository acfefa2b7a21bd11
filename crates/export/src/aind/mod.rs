//! A data asset of the Allen Institute for Neural Dynamics: a folder by its convention
//! for names, five JSON documents of `aind-data-schema` 2, and `behavior/`, where the
//! session is as CSV.
//!
//! The schema wants more of a session than most of its fields, and takes animals and
//! institutions from lists of its own. What it wants and isn't known is an error that
//! names all of it, since a document without it is refused by the schema's models.

use std::fs;
use std::path::Path;

use bramble_subject::Sex;
use serde_json::{Value as Json, json};

use crate::summary::age_days;
use crate::{ExportError, Here, Session, csv};

/// The institutions, companies and funders that the schema knows.
const ORGANIZATIONS: &str = include_str!("organizations.txt");
/// The strains of mice that it knows.
const STRAINS: [&str; 2] = ["C57BL/6J", "BALB/c"];
/// The only species whose sessions it has documents for in a behaviour box.
const MOUSE: &str = "Mus musculus";

const BEHAVIOR: &str = "behavior";

/// The folder of a session: `M001_2026-01-31_14-05-09`, after when it ended.
pub(crate) fn folder(session: &Session, here: &Here) -> String {
    let ended = session.ended().to_zoned(here.zone.clone());
    format!("{}_{}", subject_id(session), ended.strftime("%Y-%m-%d_%H-%M-%S"))
}

/// Sees that a folder that is there already isn't another session's.
///
/// # Errors
/// Where it is.
pub(crate) fn check_whose(folder: &Path, session: &Session) -> Result<(), ExportError> {
    let Ok(text) = fs::read(folder.join(BEHAVIOR).join(csv::PACKAGE)) else { return Ok(()) };
    let there: Json = serde_json::from_slice(&text).unwrap_or_default();
    let there = &there["session"];
    match (there["uuid"].as_str(), there["subject"].as_str(), there["session"].as_u64()) {
        (Some(uuid), Some(subject), Some(number)) if uuid != session.start.uuid.to_string() => {
            Err(ExportError::Other {
                path: folder.to_owned(),
                subject: subject.to_owned(),
                number: format!("{number:04}"),
            })
        }
        _ => Ok(()),
    }
}

/// Writes a session's documents and tables into `folder`, which is there and empty.
///
/// # Errors
/// Where something isn't known that the schema wants, or a file can't be written.
pub(crate) fn write(session: &Session, here: &Here, folder: &Path) -> Result<(), ExportError> {
    let subject = subject(session, here).map_err(|wants| unknown(session, wants))?;
    let description = data_description(session, here).map_err(|wants| unknown(session, wants))?;
    let documents = [
        ("subject", "2.3.3", subject),
        ("procedures", "2.2.3", json!({ "subject_id": subject_id(session) })),
        ("instrument", "2.2.8", instrument(session, here)),
        ("acquisition", "2.5.4", acquisition(session, here)),
        ("data_description", "2.4.2", description),
    ];
    for (name, version, document) in documents {
        let mut whole = json!({
            "describedBy": format!("https://raw.githubusercontent.com/AllenNeuralDynamics/aind-data-schema/main/src/aind_data_schema/core/{name}.py"),
            "schema_version": version,
        });
        if let (Json::Object(whole), Json::Object(document)) = (&mut whole, document) {
            whole.extend(document);
        }
        let path = folder.join(format!("{name}.json"));
        crate::place::write_file(&path, format!("{whole:#}\n").as_bytes())?;
    }
    let tables = folder.join(BEHAVIOR);
    fs::create_dir(&tables).map_err(ExportError::write(&tables))?;
    csv::write(session, here, &tables)
}

fn unknown(session: &Session, wants: Vec<String>) -> ExportError {
    ExportError::Unknown {
        form: "aind-data-schema",
        subject: session.subject.to_string(),
        session: session.number.to_string(),
        what: wants.iter().map(|want| format!("\n  {want}")).collect(),
    }
}

/// The animal's name, which has no underscore there.
fn subject_id(session: &Session) -> String {
    session.subject.as_str().replace('_', "-")
}

fn subject(session: &Session, here: &Here) -> Result<Json, Vec<String>> {
    let biography = &session.biography;
    let mut wants = Vec::new();
    if biography.species != MOUSE {
        wants.push(match biography.species.as_str() {
            "" => format!("the species, which must be {MOUSE}"),
            species => format!("another species than {species}: it describes sessions of {MOUSE} alone"),
        });
    }
    let sex = match biography.sex {
        Sex::Female => "Female",
        Sex::Male => "Male",
        Sex::Other | Sex::Unknown => {
            wants.push("the sex, female or male".to_owned());
            ""
        }
    };
    match biography.birth.as_ref() {
        None => wants.push("the day of birth".to_owned()),
        Some(birth) if age_days(session, here).is_none() => {
            wants.push(format!("another day of birth than {birth}, which is after the session"));
        }
        Some(_) => {}
    }
    if biography.genotype.is_empty() {
        wants.push("the genotype".to_owned());
    }
    if !wants.is_empty() {
        return Err(wants);
    }
    let strain = STRAINS.into_iter().find(|strain| *strain == biography.strain).unwrap_or("Unknown");
    let source = biography.extra.get("source").map_or("", String::as_str);
    // What the schema has no place for, or takes from a list only.
    let mut notes = vec![format!("subject {}, {}", session.subject, session.subject_uuid)];
    notes.push(format!("strain {}", if biography.strain.is_empty() { "unknown" } else { &biography.strain }));
    notes.extend(Some(biography.notes.clone()).filter(|notes| !notes.is_empty()));
    notes.extend(biography.extra.iter().map(|(name, value)| format!("{name}: {value}")));
    Ok(json!({
        "object_type": "Subject",
        "subject_id": subject_id(session),
        "subject_details": {
            "object_type": "Mouse subject",
            "sex": sex,
            "date_of_birth": biography.birth,
            "strain": { "name": strain },
            "species": { "name": MOUSE },
            "genotype": biography.genotype,
            "source": organization(source),
        },
        "notes": notes.join("; "),
    }))
}

fn instrument(session: &Session, here: &Here) -> Json {
    let host = &session.start.provenance["pilot"]["host"];
    let devices = session.devices();
    let devices = devices
        .iter()
        .map(|(name, device)| json!({ "object_type": "Device", "name": name, "notes": device.describe() }));
    let computer = json!({
        "object_type": "Computer",
        "name": format!("computer of {}", session.start.pilot),
        "operating_system": host["system"].as_str(),
        "model": host["board"].as_str(),
    });
    json!({
        "object_type": "Instrument",
        "instrument_id": session.start.pilot,
        "modification_date": session.start.started.to_zoned(here.zone.clone()).date(),
        "modalities": [modality()],
        "global_coordinate_system": {
            "object_type": "Coordinate system",
            "name": "none: no positions are recorded",
            "origin": "Origin",
            "axes": [],
            "axis_unit": "millimeter",
        },
        "components": devices.chain([computer]).collect::<Json>(),
        "notes": "Bramble's provenance of the session, in behavior/datapackage.json and the subject file, says more",
    })
}

fn acquisition(session: &Session, here: &Here) -> Json {
    let start = &session.start;
    let (started, ended) = (here.moment(start.started), here.moment(session.ended()));
    let end = session.end.as_ref();
    let water = end.and_then(|end| end.water);
    let unit = water.map(|_| "microliter");
    let done = session.trials.rows.iter().filter(|row| row.ending == bramble_value::Ending::Done).count();
    let parameters: serde_json::Map<String, Json> = start
        .parameters
        .iter()
        .map(|one| (one.name.clone(), json!(one.value_type.show(one.value))))
        .collect();
    let why = match end {
        Some(end) if end.why.is_empty() => format!("it ended: {}", end.ending.name()),
        Some(end) => format!("it ended: {}, {}", end.ending.name(), end.why),
        None => "its end isn't known".to_owned(),
    };
    let notes = session.notes.iter().map(|note| note.text.as_str());
    json!({
        "object_type": "Acquisition",
        "subject_id": subject_id(session),
        "acquisition_start_time": started,
        "acquisition_end_time": ended,
        "experimenters": here.lab.experimenters,
        "instrument_id": start.pilot,
        "acquisition_type": start.task,
        "notes": std::iter::once(why.as_str()).chain(notes).collect::<Vec<_>>().join("\n"),
        "data_streams": [{
            "object_type": "Data stream",
            "stream_start_time": started,
            "stream_end_time": ended,
            "modalities": [modality()],
            "active_devices": session.devices().keys().collect::<Vec<_>>(),
            "configurations": [],
        }],
        "stimulus_epochs": [{
            "object_type": "Stimulus epoch",
            "stimulus_start_time": started,
            "stimulus_end_time": ended,
            "stimulus_name": start.task,
            "stimulus_modalities": [],
            "code": {
                "object_type": "Code",
                // Where the text is: in the subject file, under its hash.
                "url": format!("bramble:{}", start.root),
                "name": start.task,
                "language": "Starlark",
                "parameters": parameters,
            },
            "performance_metrics": {
                "object_type": "Performance metrics",
                "trials_total": session.trials.rows.len(),
                "trials_finished": done,
                "reward_consumed_during_epoch": water,
                "reward_consumed_unit": unit,
                "output_parameters": { "correct": end.and_then(|end| end.correct) },
            },
            "curriculum_status": start.protocol.as_ref().map(|at| format!("{}, {}", at.protocol, at.step)),
        }],
        "subject_details": {
            "object_type": "Acquisition subject details",
            "animal_weight_prior": session.weights.before(here).map(|weight| weight.grams),
            "animal_weight_post": session.weights.after(here).map(|weight| weight.grams),
            "weight_unit": "gram",
            "mouse_platform_name": "unknown",
            "reward_consumed_total": water,
            "reward_consumed_unit": unit,
        },
    })
}

fn data_description(session: &Session, here: &Here) -> Result<Json, Vec<String>> {
    let lab = &here.lab;
    let mut wants = Vec::new();
    let people = if lab.investigators.is_empty() { &lab.experimenters } else { &lab.investigators };
    if people.is_empty() {
        wants.push("who answers for the data: investigators, in [lab] of config/terminal.toml".to_owned());
    }
    if lab.project.is_empty() {
        wants.push("the project: project, in [lab] of config/terminal.toml".to_owned());
    } else if lab.project.contains(['<', '>', ':', ';', '"', '/', '|', '?', '\\', '_']) {
        wants.push(format!("a project without any of <>:;\"/|?\\_ in its name, as `{}` has", lab.project));
    }
    if !wants.is_empty() {
        return Err(wants);
    }
    let funders = if lab.funders.is_empty() { vec![String::new()] } else { lab.funders.clone() };
    let mut tags =
        vec![format!("bramble session {}", session.start.uuid), format!("institution: {}", lab.institution)];
    tags.extend(lab.funders.iter().map(|funder| format!("funder: {funder}")));
    let funding = funders.iter().map(|one| json!({ "object_type": "Funding", "funder": organization(one) }));
    Ok(json!({
        "object_type": "Data description",
        "subject_id": subject_id(session),
        "creation_time": here.moment(session.ended()),
        "name": folder(session, here),
        "institution": organization(&lab.institution),
        "funding_source": funding.collect::<Json>(),
        "data_level": "raw",
        "investigators": people.iter().map(|name| json!({ "object_type": "Person", "name": name })).collect::<Json>(),
        "project_name": lab.project,
        "modalities": [modality()],
        "data_summary": format!("{}\n{}", session.start.task, session.start.task_doc).trim(),
        "tags": tags,
    }))
}

fn modality() -> Json {
    json!({ "name": "Behavior", "abbreviation": BEHAVIOR })
}

/// An organization by its name, where the schema knows it.
fn organization(name: &str) -> Json {
    let known = ORGANIZATIONS.lines().find(|known| *known == name);
    let name = known.unwrap_or(if name.is_empty() { "Unknown" } else { "Other" });
    json!({ "name": name })
}
