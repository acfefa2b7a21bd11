//! What happened in a session: its trials, events, notes and clock.

use bramble_value::{Ending, Event, Kind, Record, Row, Source, Time, Trials};
use hdf5::Group;

use super::health::{self, Health};
use super::{ClockEstimate, Note, SessionEnd};
use crate::column::{StoredColumn, TRIAL_FIELDS};
use crate::error::{Doing, Fault};
use crate::hdf::attribute;
use crate::hdf::layout::{Cursor, Field, FieldType};
use crate::hdf::table::{Copied, Diary, FEW, MANY, TEXT_WIDTH, TIME_WIDTH, Table};

/// The tables of one session, and how much of them counts.
#[derive(Debug)]
pub(crate) struct Records {
    group: Group,
    columns: Vec<StoredColumn>,
    trials: Table,
    events: Table,
    notes: Table,
    clock: Diary,
    /// None in a session of before it was kept.
    health: Option<Diary>,
    end: Diary,
    written: Written,
}

/// What has been written for good: the attribute `written` of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written {
    /// The number of the last record.
    pub(crate) up_to: u64,
    pub(crate) trials: u64,
    pub(crate) events: u64,
    pub(crate) notes: u64,
}

const WRITTEN: &str = "written";
/// How many rows of the end have room together: it has one, unless it is told at length.
const ENDS: usize = 4;
/// Wide enough for every ending's name.
const ENDING_WIDTH: usize = 16;

impl Written {
    pub(crate) fn read(group: &Group) -> Result<Written, Fault> {
        let [up_to, trials, events, notes] = attribute::numbers(group, WRITTEN)?;
        Ok(Written { up_to, trials, events, notes })
    }

    pub(crate) fn write(self, group: &Group) -> Result<(), Fault> {
        attribute::set_numbers(group, WRITTEN, &[self.up_to, self.trials, self.events, self.notes])
    }
}

impl Records {
    pub(crate) fn create(group: &Group, columns: Vec<StoredColumn>) -> Result<Records, Fault> {
        Ok(Records {
            trials: Table::create(group, "trials", MANY, trial_fields(&columns))?,
            events: Table::create(group, "events", MANY, event_fields())?,
            notes: Table::create(group, "notes", MANY, note_fields())?,
            clock: Diary::create(group, "clock", FEW, clock_fields())?,
            health: Some(Diary::create(group, "health", FEW, health::fields())?),
            end: Diary::create(group, "end", ENDS, end_fields())?,
            group: group.clone(),
            columns,
            written: Written::default(),
        })
    }

    pub(crate) fn open(group: &Group, columns: Vec<StoredColumn>) -> Result<Records, Fault> {
        Ok(Records {
            trials: Table::open(group, "trials", trial_fields(&columns))?,
            events: Table::open(group, "events", event_fields())?,
            notes: Table::open(group, "notes", note_fields())?,
            clock: Diary::open(group, "clock", clock_fields())?,
            health: match group.link_exists("health") {
                true => Some(Diary::open(group, "health", health::fields())?),
                false => None,
            },
            end: Diary::open(group, "end", end_fields())?,
            group: group.clone(),
            columns,
            written: Written::read(group)?,
        })
    }

    pub(crate) fn written(&self) -> Written {
        self.written
    }

    /// Whether a crash left rows behind those that count.
    pub(crate) fn is_longer(&self) -> bool {
        self.trials.len() as u64 > self.written.trials
            || self.events.len() as u64 > self.written.events
            || self.notes.len() as u64 > self.written.notes
            || self.clock.is_longer()
            || self.health.as_ref().is_some_and(Diary::is_longer)
            || self.end.is_longer()
    }

    /// Cuts off what a crash left behind the rows that count.
    pub(crate) fn truncate(&self) -> Result<(), Fault> {
        self.trials.truncate(self.written.trials as usize)?;
        self.events.truncate(self.written.events as usize)?;
        self.notes.truncate(self.written.notes as usize)?;
        self.clock.truncate()?;
        self.health.as_ref().map_or(Ok(()), Diary::truncate)?;
        self.end.truncate()
    }

    /// Its tables, as far as they count.
    pub(crate) fn copy(&self) -> Result<Vec<Copied>, Fault> {
        let mut tables = vec![
            self.trials.copy("trials", self.written.trials as usize, MANY)?,
            self.events.copy("events", self.written.events as usize, MANY)?,
            self.notes.copy("notes", self.written.notes as usize, MANY)?,
            self.clock.copy("clock", FEW)?,
            self.end.copy("end", ENDS)?,
        ];
        if let Some(health) = &self.health {
            tables.push(health.copy("health", FEW)?);
        }
        Ok(tables)
    }

    /// How much there is: what only grows has as much where it is the same.
    pub(crate) fn size(&self) -> (Written, [usize; 3]) {
        let health = self.health.as_ref().map_or(0, Diary::rows);
        (self.written, [self.clock.rows(), health, self.end.rows()])
    }

    /// What does not fit the columns about a record, with its trial.
    pub(crate) fn misfit(&self, record: &Record) -> Option<(u32, String)> {
        let Record::Row(row) = record else { return None };
        if row.values.len() != self.columns.len() {
            return Some((
                row.trial,
                format!("{} values for {} columns", row.values.len(), self.columns.len()),
            ));
        }
        let mut pairs = self.columns.iter().zip(&row.values);
        pairs.find_map(|(stored, value)| {
            let column = &stored.column;
            let value = value.filter(|value| !column.value_type.accepts(*value))?;
            Some((row.trial, format!("`{}` is a {}, not {value:?}", column.name, column.value_type)))
        })
    }

    /// Writes numbered records, then, once they are flushed, that they are
    /// there. What an earlier call failed to finish is written over.
    pub(crate) fn append(&mut self, records: &[(u64, Record)]) -> Result<(), Fault> {
        let Some((up_to, _)) = records.last() else { return Ok(()) };
        let (mut trials, mut events, mut notes) =
            (self.trials.layout.rows(), self.events.layout.rows(), self.notes.layout.rows());
        for (_, record) in records {
            match record {
                Record::Event(event) => {
                    events.i64(event.time.ns()).u32(event.trial).u8(u8::from(event.kind));
                    events.u16(event.source.0).f64(event.value);
                }
                Record::Row(row) => {
                    trials.u32(row.trial).i64(row.start.ns()).i64(row.end.ns()).text(row.ending.name());
                    for (stored, value) in self.columns.iter().zip(&row.values) {
                        stored.write(&mut trials, *value);
                    }
                }
                Record::Note { time, text } => {
                    for (part, piece) in (0..).zip(pieces(text)) {
                        notes.i64(time.ns()).u32(part).text(piece);
                    }
                }
            }
        }
        let after = Written {
            up_to: *up_to,
            trials: self.written.trials + trials.count() as u64,
            events: self.written.events + events.count() as u64,
            notes: self.written.notes + notes.count() as u64,
        };
        self.trials.write(self.written.trials as usize, &trials)?;
        self.events.write(self.written.events as usize, &events)?;
        self.notes.write(self.written.notes as usize, &notes)?;
        self.flush()?;
        after.write(&self.group)?;
        self.flush()?;
        self.written = after;
        Ok(())
    }

    fn flush(&self) -> Result<(), Fault> {
        self.group.file().and_then(|file| file.flush()).doing(|| "write".to_owned())
    }

    pub(crate) fn add_clock(&mut self, estimates: &[ClockEstimate]) -> Result<(), Fault> {
        let layout = self.clock.layout().clone();
        let mut rows = layout.rows();
        for estimate in estimates {
            rows.i64(estimate.time.ns())
                .i64(estimate.offset_ns)
                .i64(estimate.error_ns)
                .i64(estimate.drift_ppb);
        }
        self.clock.append(&rows)
    }

    pub(crate) fn clock(&self) -> Result<Vec<ClockEstimate>, Fault> {
        self.clock.read(|mut row| ClockEstimate {
            time: Time::from_ns(row.i64()),
            offset_ns: row.i64(),
            error_ns: row.i64(),
            drift_ppb: row.i64(),
        })
    }

    /// Adds how the computer fared; what isn't later than what is there comes a second time.
    pub(crate) fn add_health(&mut self, all: &[Health]) -> Result<(), Fault> {
        let last = self.health()?.last().map(|health| health.time);
        let Some(diary) = &mut self.health else { return Ok(()) };
        let layout = diary.layout().clone();
        let mut rows = layout.rows();
        all.iter()
            .filter(|health| last.is_none_or(|last| health.time > last))
            .for_each(|health| health.write(&mut rows));
        diary.append(&rows)
    }

    pub(crate) fn health(&self) -> Result<Vec<Health>, Fault> {
        self.health.as_ref().map_or(Ok(Vec::new()), |diary| diary.read(|mut row| Health::read(&mut row)))
    }

    /// The trials from the `from`th on, counted from 0.
    pub(crate) fn trials(&self, from: u64) -> Result<Trials, Fault> {
        let columns = self.columns.iter().map(|stored| &stored.column);
        let columns = columns.map(|column| (column.name.clone(), column.value_type.clone())).collect();
        let rows = self.trials.read(from as usize, self.written.trials as usize, |row| self.row(row))?;
        Ok(Trials { columns, rows: rows.into_iter().collect::<Result<_, _>>()? })
    }

    fn row(&self, mut row: Cursor<'_>) -> Result<Row, Fault> {
        let (trial, start, end, ending) = (row.u32(), row.i64(), row.i64(), row.text());
        let ending = ending_named(&ending).ok_or_else(|| {
            Fault::Damaged(format!("{}/trials: trial {trial} ended in no known way", self.group.name()))
        })?;
        let values = self.columns.iter().map(|stored| stored.read(&mut row)).collect();
        Ok(Row { trial, start: Time::from_ns(start), end: Time::from_ns(end), ending, values })
    }

    pub(crate) fn events(&self) -> Result<Vec<Event>, Fault> {
        let events = self.events.read(0, self.written.events as usize, |mut row| {
            let (time, trial, kind) = (Time::from_ns(row.i64()), row.u32(), Kind::try_from(row.u8()));
            kind.map(|kind| Event { time, trial, kind, source: Source(row.u16()), value: row.f64() })
        })?;
        events
            .into_iter()
            .collect::<Result<_, String>>()
            .map_err(|what| Fault::Damaged(format!("{}/events: {what}", self.group.name())))
    }

    pub(crate) fn notes(&self) -> Result<Vec<Note>, Fault> {
        let rows = self.notes.read(0, self.written.notes as usize, |mut row| {
            (Time::from_ns(row.i64()), row.u32(), row.text())
        })?;
        let mut notes: Vec<Note> = Vec::new();
        for (time, part, text) in rows {
            match notes.last_mut().filter(|_| part > 0) {
                Some(note) => note.text.push_str(&text),
                None => notes.push(Note { time, text }),
            }
        }
        Ok(notes)
    }

    /// Says how the session ended; said again, the last one counts.
    pub(crate) fn add_end(&mut self, end: &SessionEnd) -> Result<(), Fault> {
        let layout = self.end.layout().clone();
        let mut rows = layout.rows();
        for (part, piece) in (0..).zip(pieces(&end.why)) {
            rows.text(&end.ended.to_string()).text(end.ending.name()).u32(part).text(piece);
            rows.f64(end.correct.unwrap_or(f64::NAN)).f64(end.water.unwrap_or(f64::NAN));
        }
        self.end.append(&rows)
    }
}

/// How a session ended, if it did.
pub(crate) fn read_end(group: &Group) -> Result<Option<SessionEnd>, Fault> {
    let rows = Diary::open(group, "end", end_fields())?
        .read(|mut row| (row.text(), row.text(), row.u32(), row.text(), [row.f64(), row.f64()]))?;
    let damaged = |what: String| Fault::Damaged(format!("{}/end: {what}", group.name()));
    let mut end: Option<SessionEnd> = None;
    for (ended, ending, part, why, numbers) in rows {
        match end.as_mut().filter(|_| part > 0) {
            Some(end) => end.why.push_str(&why),
            None => {
                let ended = ended.parse().map_err(|_| damaged(format!("`{ended}` is no time")))?;
                let ending =
                    ending_named(&ending).ok_or_else(|| damaged(format!("`{ending}` is no ending")))?;
                let [correct, water] = numbers.map(|number| (!number.is_nan()).then_some(number));
                end = Some(SessionEnd { ended, ending, why, correct, water });
            }
        }
    }
    Ok(end)
}

pub(crate) fn ending_named(name: &str) -> Option<Ending> {
    Ending::ALL.iter().copied().find(|ending| ending.name() == name)
}

/// A text in pieces that fit a field; at least one.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while rest.len() > TEXT_WIDTH {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(TEXT_WIDTH));
        pieces.push(piece);
        rest = more;
    }
    pieces.push(rest);
    pieces
}

fn trial_fields(columns: &[StoredColumn]) -> Vec<Field> {
    let [trial, start, end, ending] = TRIAL_FIELDS;
    let mut fields = vec![
        Field::new(trial, FieldType::U32, "which trial, from 1"),
        Field::new(start, FieldType::I64, "when it started, on the pilot's clock [ns]"),
        Field::new(end, FieldType::I64, "when it ended, on the pilot's clock [ns]"),
        Field::new(ending, FieldType::Text(ENDING_WIDTH), "how it ended"),
    ];
    fields.extend(columns.iter().flat_map(StoredColumn::fields));
    fields
}

fn event_fields() -> Vec<Field> {
    vec![
        Field::new("time_ns", FieldType::I64, "when, on the pilot's clock [ns]"),
        Field::new("trial", FieldType::U32, "in which trial, from 1; 0 outside any"),
        Field::new("kind", FieldType::U8, "what happened: names/kinds says in words"),
        Field::new("source", FieldType::U16, "what it happened to: names/sources says in words"),
        Field::new("value", FieldType::F64, "what the kind says of it; of an end: names/endings"),
    ]
}

fn note_fields() -> Vec<Field> {
    vec![
        Field::new("time_ns", FieldType::I64, "when, on the pilot's clock [ns]"),
        Field::new("part", FieldType::U32, "0, or 1, 2, ... where it goes on with the note before"),
        Field::new("text", FieldType::Text(TEXT_WIDTH), "what a person should read"),
    ]
}

fn clock_fields() -> Vec<Field> {
    vec![
        Field::new("time_ns", FieldType::I64, "when it was estimated, on the pilot's clock [ns]"),
        Field::new(
            "offset_ns",
            FieldType::I64,
            "add this to the pilot's clock for time since 1970, UTC [ns]",
        ),
        Field::new("error_ns", FieldType::I64, "by how much the offset may be wrong [ns]"),
        Field::later("drift_ppb", FieldType::I64, "how much the offset grows in a second [ns/s]"),
    ]
}

fn end_fields() -> Vec<Field> {
    vec![
        Field::new("when", FieldType::Text(TIME_WIDTH), "when it ended: ISO 8601, UTC"),
        Field::new("ending", FieldType::Text(ENDING_WIDTH), "how it ended; the last that is said counts"),
        Field::new("part", FieldType::U32, "0, or 1, 2, ... where why goes on"),
        Field::new("why", FieldType::Text(TEXT_WIDTH), "why, in words"),
        Field::new("correct", FieldType::F64, "share of the trials that were correct; NaN: nothing says so"),
        Field::new(
            "water_ul",
            FieldType::F64,
            "water given [uL]; NaN: not known, as of a valve that wasn't calibrated",
        ),
    ]
}
