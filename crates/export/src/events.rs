//! The events of a session, with what their numbers stand for.

use bramble_value::{Ending, Event, Kind, Names as Sources, Source, SourceKind, ValueType};

use crate::Session;
use crate::table::{Column, Names, NamesBuilder, Table, Values};

/// Everything that happened, in order: inputs, stages, outputs, messages.
pub(crate) fn events(session: &Session) -> Table {
    table_of(session, "events", "one row an event, in the order they happened", |_| true)
}

/// What a person should read, in order.
pub(crate) fn notes(session: &Session) -> Table {
    let times = session.notes.iter().map(|note| Some(session.seconds(note.time)));
    let texts = session.notes.iter().map(|note| Some(note.text.clone()));
    let columns = vec![
        Column::new("time_s", "s", "when, from the session's start", Values::Numbers(times.collect())),
        Column::new("text", "", "what a person should read", Values::Texts(texts.collect())),
    ];
    Table { name: "notes", doc: "one row a note: a warning, a mistake of the task".to_owned(), columns }
}

/// The events that are of some kinds.
pub(crate) fn table_of(
    session: &Session,
    name: &'static str,
    doc: &str,
    wanted: impl Fn(Kind) -> bool,
) -> Table {
    let events: Vec<&Event> = session.events.iter().filter(|event| wanted(event.kind)).collect();
    let meaning = Meaning { session, columns: units(session) };
    let mut sources = NamesBuilder::default();
    let mut kinds = NamesBuilder::default();
    let mut unit = NamesBuilder::default();
    let mut means = NamesBuilder::default();
    for event in &events {
        sources.push(Some(&session.start.names.name(event.source)));
        kinds.push(Some(source_kind(&session.start.names, event.source)));
        unit.push(Some(meaning.unit(event)).filter(|unit| !unit.is_empty()));
        means.push(meaning.of(event).as_deref());
    }
    let columns = vec![
        Column::new(
            "time_s",
            "s",
            "when, from the session's start",
            Values::Numbers(events.iter().map(|event| Some(session.seconds(event.time))).collect()),
        ),
        Column::new(
            "trial",
            "",
            "the trial it happened in, from 1; 0 outside any trial",
            Values::Integers(events.iter().map(|event| Some(i64::from(event.trial))).collect()),
        ),
        Column::new("kind", "", "what happened", kind_names(&events)),
        Column::new("source_kind", "", "what it happened to: a stage, a port, a column", kinds.values()),
        Column::new("source", "", "what it happened to, by name", sources.values()),
        Column::new(
            "value",
            "",
            "what the kind says of it, in the row's unit; 0 where it says nothing",
            Values::Numbers(
                events.iter().map(|event| Some(event.value).filter(|value| value.is_finite())).collect(),
            ),
        ),
        Column::new("unit", "", "the unit of value", unit.values()),
        Column::new("means", "", "the name that value stands for, where it stands for one", means.values()),
    ];
    Table { name, doc: doc.to_owned(), columns }
}

fn kind_names(events: &[&Event]) -> Values {
    Values::Names(Names {
        names: Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
        places: events
            .iter()
            .map(|event| Kind::ALL.iter().position(|kind| *kind == event.kind).map(|place| place as u32))
            .collect(),
        only: true,
    })
}

fn source_kind(names: &Sources, source: Source) -> &'static str {
    names.sources.get(usize::from(source.0)).map_or("unknown", |(kind, _)| SourceKind::name(*kind))
}

/// The types of what a source that is a column or a parameter holds.
fn units(session: &Session) -> Vec<Option<ValueType>> {
    let start = &session.start;
    let kind = |(kind, name): &(SourceKind, String)| match kind {
        SourceKind::Column => {
            let column = start.columns.iter().find(|column| column.name == *name);
            column.map(|column| column.value_type.clone())
        }
        SourceKind::Parameter => {
            let parameter = start.parameters.iter().find(|parameter| parameter.name == *name);
            parameter.map(|parameter| parameter.value_type.clone())
        }
        _ => None,
    };
    start.names.sources.iter().map(kind).collect()
}

struct Meaning<'a> {
    session: &'a Session,
    columns: Vec<Option<ValueType>>,
}

impl Meaning<'_> {
    fn held(&self, event: &Event) -> Option<&ValueType> {
        self.columns.get(usize::from(event.source.0))?.as_ref()
    }

    fn unit(&self, event: &Event) -> &str {
        match event.kind {
            Kind::Late | Kind::Command => "s",
            Kind::Manual => "uL",
            Kind::Position | Kind::Analog => {
                let source = self.session.start.names.sources.get(usize::from(event.source.0));
                source.map_or("", |(_, name)| self.session.device_unit(name))
            }
            // Where a sync line told the time; else it says nothing.
            Kind::SessionStart if event.value != 0.0 => "us",
            Kind::Column | Kind::Parameter | Kind::Asked => self.held(event).map_or("", ValueType::unit),
            _ => "",
        }
    }

    fn of(&self, event: &Event) -> Option<String> {
        match event.kind {
            Kind::SessionEnd | Kind::StageEnd => ending(event.value).map(|ending| ending.name().to_owned()),
            Kind::Goto => {
                let stage = Source(whole(event.value)?);
                self.session.start.names.sources.get(usize::from(stage.0)).map(|(_, name)| name.clone())
            }
            Kind::Column | Kind::Parameter | Kind::Asked => match self.held(event)? {
                kind @ ValueType::Choice(choices) => {
                    let place = whole(event.value).filter(|place| usize::from(*place) < choices.len())?;
                    Some(kind.show(bramble_value::Value::Choice(place)))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// The ending that an event's value stands for.
pub(crate) fn ending(value: f64) -> Option<Ending> {
    Ending::ALL.iter().copied().find(|ending| f64::from(*ending as u8) == value)
}

fn whole(value: f64) -> Option<u16> {
    (value.fract() == 0.0 && (0.0..=65535.0).contains(&value)).then_some(value as u16)
}
