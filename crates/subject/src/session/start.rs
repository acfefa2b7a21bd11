//! What a session starts from, into its group and back.

use std::collections::{BTreeMap, BTreeSet};

use bramble_value::{Ending, Kind, Names, Seed, SourceKind, Time};
use hdf5::Group;

use super::{Column, Parameter, ProtocolStep, SessionStart};
use crate::column::{self, StoredColumn, type_from, type_name, widest};
use crate::error::{Doing, Fault};
use crate::hdf::layout::{Cursor, Field, FieldType, Rows};
use crate::hdf::table::{FEW, Table};
use crate::hdf::{attribute, text};

/// The hash of each text that a session has, by its path.
pub(crate) type Hashes = BTreeMap<String, String>;

/// Writes everything but the texts, which are kept once for the whole file; `sources` says
/// where those of the task are, and `texts` the others.
pub(crate) fn write(
    group: &Group,
    start: &SessionStart,
    sources: &Hashes,
    texts: &Hashes,
) -> Result<(), Fault> {
    let step = start.protocol.as_ref();
    for (name, value) in [
        ("uuid", start.uuid.to_string()),
        ("task", start.task.clone()),
        ("root", start.root.clone()),
        ("pilot", start.pilot.clone()),
        ("protocol", step.map(|step| step.protocol.clone()).unwrap_or_default()),
        ("step", step.map(|step| step.step.clone()).unwrap_or_default()),
        ("started", start.started.to_string()),
    ] {
        attribute::set_text(group, name, &value)?;
    }
    attribute::set_numbers(group, "seed", &[start.seed.0])?;
    // The same 64 bits; a pilot's clock may begin after the session's zero.
    attribute::set_numbers(group, "start_time_ns", &[start.start_time.ns().cast_unsigned()])?;
    text::write(group, "doc", &start.task_doc)?;
    text::write(group, "provenance", &start.provenance.to_string())?;
    let pairs = |map: &BTreeMap<String, String>| map.clone().into_iter().collect::<Vec<_>>();
    for (name, hashes) in [("sources", pairs(sources)), ("texts", pairs(texts))] {
        write_all(group, name, &source_fields(&hashes), &hashes, |rows, (path, hash)| {
            rows.text(path).text(hash);
        })?;
    }
    let versions = pairs(&start.versions);
    write_all(group, "versions", &version_fields(&versions), &versions, |rows, (what, version)| {
        rows.text(what).text(version);
    })?;
    write_all(
        group,
        "parameters",
        &parameter_fields(&start.parameters),
        &start.parameters,
        |rows, parameter| {
            let kind = &parameter.value_type;
            rows.text(&parameter.name).text(&type_name(kind)).text(kind.unit()).text(&column::choices(kind));
            rows.text(&kind.show(parameter.value)).f64(parameter.value.to_f64()).text(&parameter.doc);
        },
    )?;
    let columns = column::place(&start.columns);
    write_all(group, "columns", &column_fields(&columns), &columns, |rows, stored| {
        let kind = &stored.column.value_type;
        rows.text(&stored.column.name).text(&stored.field).text(&stored.missing_field);
        rows.text(&type_name(kind)).text(kind.unit()).text(&column::choices(kind)).text(&stored.column.doc);
    })?;
    write_names(group, &start.names)
}

fn write_names(group: &Group, names: &Names) -> Result<(), Fault> {
    let group = group.create_group("names").doing(|| format!("make {}/names in", group.name()))?;
    let sources: Vec<_> = (0u16..).zip(&names.sources).collect();
    write_all(&group, "sources", &name_fields(names), &sources, |rows, (number, (kind, name))| {
        rows.u16(*number).text(kind.name()).text(name);
    })?;
    let kinds = number_fields("kind", Kind::ALL.iter().map(|kind| kind.name()));
    write_all(&group, "kinds", &kinds, Kind::ALL, |rows, kind| {
        rows.u8(u8::from(*kind)).text(kind.name());
    })?;
    let endings = number_fields("ending", Ending::ALL.iter().map(|ending| ending.name()));
    write_all(&group, "endings", &endings, Ending::ALL, |rows, ending| {
        rows.u8(*ending as u8).text(ending.name());
    })
}

/// Reads what [`write`] wrote; `source` gives the text that belongs to a hash.
pub(crate) fn read(
    group: &Group,
    mut source: impl FnMut(&str) -> Result<String, Fault>,
) -> Result<SessionStart, Fault> {
    let mut texts_of = |name: &str| {
        let hashes = read_all(group, name, source_fields(&[]), |row| (row.text(), row.text()))?;
        let texts = hashes.into_iter().map(|(path, hash)| Ok((path, source(&hash)?)));
        texts.collect::<Result<BTreeMap<_, _>, Fault>>()
    };
    let sources = texts_of("sources")?;
    let texts = if group.link_exists("texts") { texts_of("texts")? } else { BTreeMap::new() };
    let versions = read_all(group, "versions", version_fields(&[]), |row| (row.text(), row.text()))?;
    let [seed] = attribute::numbers(group, "seed")?;
    let [start_time] = attribute::numbers(group, "start_time_ns")?;
    let provenance = text::read(group, "provenance")?;
    let damaged = |what: String| Fault::Damaged(format!("{}: {what}", group.name()));
    Ok(SessionStart {
        uuid: parsed(group, "uuid")?,
        task: attribute::text(group, "task")?,
        task_doc: text::read(group, "doc")?,
        root: attribute::text(group, "root")?,
        sources,
        parameters: read_parameters(group)?,
        columns: read_columns(group)?.into_iter().map(|stored| stored.column).collect(),
        names: read_names(group)?,
        seed: Seed(seed),
        pilot: attribute::text(group, "pilot")?,
        protocol: read_protocol(group)?,
        started: parsed(group, "started")?,
        start_time: Time::from_ns(start_time.cast_signed()),
        versions: versions.into_iter().collect(),
        provenance: serde_json::from_str(&provenance).map_err(|error| damaged(error.to_string()))?,
        texts,
    })
}

/// The hashes of all texts that a session has.
pub(crate) fn hashes(group: &Group) -> Result<BTreeSet<String>, Fault> {
    let mut all = BTreeSet::new();
    for name in ["sources", "texts"].into_iter().filter(|name| group.link_exists(name)) {
        let hashes = read_all(group, name, source_fields(&[]), |row| (row.text(), row.text()))?;
        all.extend(hashes.into_iter().map(|(_, hash)| hash));
    }
    Ok(all)
}

fn read_parameters(group: &Group) -> Result<Vec<Parameter>, Fault> {
    let rows = read_all(group, "parameters", parameter_fields(&[]), |row| {
        let (name, kind, _unit, choices) = (row.text(), row.text(), row.text(), row.text());
        let (shown, number, doc) = (row.text(), row.f64(), row.text());
        let value_type = type_from(&kind, &choices)?;
        let value = column::value_from(&value_type, &shown, number)
            .ok_or_else(|| format!("parameter `{name}` is no {kind}: {shown}"))?;
        Ok(Parameter { name, value_type, value, doc })
    })?;
    rows.into_iter()
        .collect::<Result<_, String>>()
        .map_err(|what| Fault::Damaged(format!("{}: {what}", group.name())))
}

/// The columns with the fields that hold them.
pub(crate) fn read_columns(group: &Group) -> Result<Vec<StoredColumn>, Fault> {
    let rows = read_all(group, "columns", column_fields(&[]), |row| {
        let (name, field, missing_field) = (row.text(), row.text(), row.text());
        let (kind, _unit, choices, doc) = (row.text(), row.text(), row.text(), row.text());
        let value_type = type_from(&kind, &choices)?;
        Ok(StoredColumn { column: Column { name, value_type, doc }, field, missing_field })
    })?;
    rows.into_iter()
        .collect::<Result<_, String>>()
        .map_err(|what| Fault::Damaged(format!("{}: {what}", group.name())))
}

fn read_names(group: &Group) -> Result<Names, Fault> {
    let group = group.group("names").doing(|| format!("open {}/names in", group.name()))?;
    let rows = read_all(&group, "sources", name_fields(&Names::default()), |row| {
        (row.u16(), row.text(), row.text())
    })?;
    let sources = rows.into_iter().map(|(_, kind, name)| {
        let kind = SOURCE_KINDS.into_iter().find(|known| known.name() == kind);
        kind.map(|kind| (kind, name))
            .ok_or_else(|| Fault::Damaged(format!("{} has a source of no known kind", group.name())))
    });
    Ok(Names { sources: sources.collect::<Result<_, _>>()? })
}

/// The protocol and step of a session, from its attributes.
pub(crate) fn read_protocol(group: &Group) -> Result<Option<ProtocolStep>, Fault> {
    let protocol = attribute::text(group, "protocol")?;
    let step = attribute::text(group, "step")?;
    Ok((!protocol.is_empty()).then_some(ProtocolStep { protocol, step }))
}

/// An attribute that is written as text.
pub(crate) fn parsed<T>(group: &Group, name: &str) -> Result<T, Fault>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text = attribute::text(group, name)?;
    text.parse().map_err(|error| Fault::Damaged(format!("`{name}` of {}: {error}", group.name())))
}

const SOURCE_KINDS: [SourceKind; 8] = [
    SourceKind::Session,
    SourceKind::Stage,
    SourceKind::Port,
    SourceKind::Column,
    SourceKind::Parameter,
    SourceKind::Message,
    SourceKind::Timer,
    SourceKind::Counter,
];

fn source_fields(sources: &[(String, String)]) -> Vec<Field> {
    vec![
        texts("path", sources.iter().map(|(path, _)| path.as_str()), "the file's path"),
        texts("sha256", sources.iter().map(|(_, hash)| hash.as_str()), "its text is /sources/<sha256>"),
    ]
}

fn version_fields(versions: &[(String, String)]) -> Vec<Field> {
    vec![
        texts("what", versions.iter().map(|(what, _)| what.as_str()), "program or library"),
        texts("version", versions.iter().map(|(_, version)| version.as_str()), "its version"),
    ]
}

fn parameter_fields(parameters: &[Parameter]) -> Vec<Field> {
    let shown: Vec<String> =
        parameters.iter().map(|parameter| parameter.value_type.show(parameter.value)).collect();
    let choices: Vec<String> =
        parameters.iter().map(|parameter| column::choices(&parameter.value_type)).collect();
    vec![
        texts("name", parameters.iter().map(|parameter| parameter.name.as_str()), "the parameter"),
        Field::new("type", FieldType::Text(TYPE_WIDTH), "its type"),
        Field::new("unit", FieldType::Text(UNIT_WIDTH), "the unit of number"),
        texts("choices", choices.iter().map(String::as_str), "what a choice may be"),
        texts("value", shown.iter().map(String::as_str), "its value at the start, as written"),
        Field::new("number", FieldType::F64, "the same as one number (of a choice: its place, from 0)"),
        texts("doc", parameters.iter().map(|parameter| parameter.doc.as_str()), "what it is"),
    ]
}

fn column_fields(columns: &[StoredColumn]) -> Vec<Field> {
    let choices: Vec<String> =
        columns.iter().map(|stored| column::choices(&stored.column.value_type)).collect();
    vec![
        texts("name", columns.iter().map(|stored| stored.column.name.as_str()), "the column"),
        texts("field", columns.iter().map(|stored| stored.field.as_str()), "its field in trials/table"),
        texts(
            "missing_field",
            columns.iter().map(|stored| stored.missing_field.as_str()),
            "the field that says where it is missing; empty: it is missing where it is NaN or empty",
        ),
        Field::new("type", FieldType::Text(TYPE_WIDTH), "its type"),
        Field::new("unit", FieldType::Text(UNIT_WIDTH), "its unit"),
        texts("choices", choices.iter().map(String::as_str), "what a choice may be"),
        texts("doc", columns.iter().map(|stored| stored.column.doc.as_str()), "what it is"),
    ]
}

fn name_fields(names: &Names) -> Vec<Field> {
    vec![
        Field::new("source", FieldType::U16, "the source of an event"),
        texts("kind", SOURCE_KINDS.iter().map(|kind| kind.name()), "what it is"),
        texts("name", names.sources.iter().map(|(_, name)| name.as_str()), "its name"),
    ]
}

fn number_fields<'a>(number: &str, names: impl Iterator<Item = &'a str>) -> Vec<Field> {
    vec![Field::new(number, FieldType::U8, "the number"), texts("name", names, "what it stands for")]
}

/// Wide enough for the name of every type, and for every unit.
const TYPE_WIDTH: usize = 16;
const UNIT_WIDTH: usize = 8;

fn texts<'a>(name: &str, texts: impl Iterator<Item = &'a str>, doc: &str) -> Field {
    Field::new(name, FieldType::Text(widest(texts)), doc)
}

/// Makes a table with all the rows that it will ever have.
fn write_all<T>(
    group: &Group,
    name: &str,
    fields: &[Field],
    items: &[T],
    mut each: impl FnMut(&mut Rows<'_>, &T),
) -> Result<(), Fault> {
    let table = Table::create(group, name, items.len().clamp(1, FEW), fields.to_vec())?;
    let mut rows = table.layout.rows();
    items.iter().for_each(|item| each(&mut rows, item));
    table.write(0, &rows)
}

fn read_all<T>(
    group: &Group,
    name: &str,
    fields: Vec<Field>,
    mut each: impl FnMut(&mut Cursor<'_>) -> T,
) -> Result<Vec<T>, Fault> {
    let table = Table::open(group, name, fields)?;
    table.read(0, table.len(), |mut row| each(&mut row))
}
