//! What was recorded, and how far a replay has come in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bramble_rig::session::{Recorder, RecorderError};
use bramble_value::{Event, Kind, Names, Record, Row, Span, Time};

use crate::difference::{Difference, seconds, shown, value};

/// What was recorded. The driver of a replay reads it; the recorder of a replay holds
/// what comes out against it.
pub(crate) struct Tape {
    pub(crate) events: Vec<Event>,
    pub(crate) rows: Vec<Row>,
    pub(crate) names: Names,
    pub(crate) columns: Vec<String>,
    /// The session was cut by a crash: what came after the record is not known.
    pub(crate) cut: bool,
    pub(crate) start: Time,
    at: Cell<usize>,
    row: Cell<usize>,
    over: Cell<bool>,
    difference: RefCell<Option<Difference>>,
}

impl Tape {
    pub(crate) fn new(events: Vec<Event>, rows: Vec<Row>, names: Names, columns: Vec<String>) -> Rc<Tape> {
        let start = events.first().map_or(Time::ZERO, |event| event.time);
        Rc::new(Tape {
            cut: events.iter().all(|event| event.kind != Kind::SessionEnd),
            start,
            events,
            rows,
            names,
            columns,
            at: Cell::new(0),
            row: Cell::new(0),
            over: Cell::new(false),
            difference: RefCell::new(None),
        })
    }

    /// How many events have come out as they were recorded.
    pub(crate) fn place(&self) -> usize {
        self.at.get()
    }

    /// What is recorded next.
    pub(crate) fn next(&self) -> Option<&Event> {
        self.events.get(self.at.get())
    }

    /// Whether nothing more is looked at: something differed, or a record that was cut
    /// is at its end.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Nothing more came out where something was recorded.
    pub(crate) fn nothing_came(&self) {
        if !self.is_over() {
            self.differs(self.event(self.next(), None));
        }
    }

    /// The first difference, if there is any, once all has come out.
    pub(crate) fn finish(&self) -> Option<Difference> {
        if !self.is_over() {
            if self.next().is_some() {
                self.nothing_came();
            } else if let Some(row) = self.rows.get(self.row.get()) {
                self.differs(Difference::Row {
                    trial: row.trial,
                    what: "its row".to_owned(),
                    recorded: Some("a row".to_owned()),
                    came: None,
                });
            }
        }
        self.difference.borrow_mut().take()
    }

    fn differs(&self, difference: Difference) {
        self.over.set(true);
        self.difference.borrow_mut().get_or_insert(difference);
    }

    fn event(&self, recorded: Option<&Event>, came: Option<&Event>) -> Difference {
        let shown = |event: &Event| shown(&self.names, event, self.start);
        Difference::Event {
            place: self.at.get(),
            of: self.events.len(),
            after: recorded.or(came).map_or(Span::ZERO, |event| event.time.since(self.start)),
            recorded: recorded.map(shown),
            came: came.map(shown),
        }
    }

    fn take_event(&self, came: &Event) {
        match self.next() {
            Some(recorded) if is_same(recorded, came) => self.at.set(self.at.get() + 1),
            None if self.cut => self.over.set(true),
            recorded => self.differs(self.event(recorded, Some(came))),
        }
    }

    fn take_row(&self, came: &Row) {
        let Some(recorded) = self.rows.get(self.row.get()) else {
            if !self.cut {
                self.differs(self.row(came, "its row", None, Some("a row".to_owned())));
            }
            return;
        };
        self.row.set(self.row.get() + 1);
        if recorded == came {
            return;
        }
        let columns = self.columns.iter().zip(recorded.values.iter().zip(&came.values));
        let column = columns.into_iter().find(|(_, (recorded, came))| recorded != came);
        self.differs(match column {
            Some((name, (recorded, out))) => {
                self.row(came, &format!("column `{name}`"), Some(value(*recorded)), Some(value(*out)))
            }
            None => {
                let about = |row: &Row| {
                    let [start, end] = [row.start, row.end].map(|time| seconds(time.since(self.start)));
                    format!("trial {}, {start} to {end}, {}", row.trial, row.ending.name())
                };
                self.row(came, "its row", Some(about(recorded)), Some(about(came)))
            }
        });
    }

    fn row(&self, row: &Row, what: &str, recorded: Option<String>, came: Option<String>) -> Difference {
        Difference::Row { trial: row.trial, what: what.to_owned(), recorded, came }
    }
}

/// Whether two events are one, bit for bit.
fn is_same(one: &Event, other: &Event) -> bool {
    let value = |event: &Event| event.value.to_bits();
    (one.time, one.trial, one.kind, one.source) == (other.time, other.trial, other.kind, other.source)
        && (value(one) == value(other) || one.value.is_nan() && other.value.is_nan())
}

/// Holds what comes out against the tape.
pub(crate) struct Held(pub(crate) Rc<Tape>);

impl Recorder for Held {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        if self.0.is_over() {
            return Ok(());
        }
        match &record {
            Record::Event(event) => self.0.take_event(event),
            Record::Row(row) => self.0.take_row(row),
            // What people read is for people: hardware has its say in it.
            Record::Note { .. } => {}
        }
        if self.0.is_over() { Err(RecorderError("it is not as it was recorded".into())) } else { Ok(()) }
    }
}
