//! What a running session has recorded, as far back as pages are shown it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bramble_task::Summary;
use bramble_value::{Asked, Event, Kind, Names, Record, Row, Source, Time, Value, ValueType};
use serde_json::json;
use uuid::Uuid;

use super::line::{Line, words};
use super::part::Part;
use super::ring::Ring;
use super::stream::{self, Stream, WIDTH, since};
use super::wire::{Bucket, EventView, NoteView, RowView, SessionView};

/// How many trials are kept.
const MOST_ROWS: usize = 5_000;
/// How many events are kept.
const MOST_EVENTS: usize = 5_000;
/// How many events of a part of a session that is over are shown.
const MOST_PART: usize = 20_000;
/// How many notes are kept.
const MOST_NOTES: usize = 500;

/// What is known of a session from its start on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct About {
    pub(crate) task: Option<Arc<Summary>>,
    /// The protocol's step that it is, as in `2 cued_choice`.
    pub(crate) step: Option<String>,
    pub(crate) parameters: Vec<(String, ValueType, Value)>,
    pub(crate) columns: Vec<(String, ValueType)>,
    pub(crate) names: Names,
    pub(crate) start: Time,
}

/// A session's record so far.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    about: Option<Arc<About>>,
    rows: Ring<Row>,
    events: Ring<Event>,
    notes: Ring<Line>,
    streams: BTreeMap<Source, Stream>,
    /// How long a bucket of a stream is, in nanoseconds.
    width: i64,
    /// It was asked to end when its present trial is over.
    stops: bool,
    /// What live parameters were set to last.
    set: BTreeMap<Source, f64>,
    /// Events that were seen in passing and will come again.
    ahead: VecDeque<Event>,
    /// The latest event that came for good.
    safe: Option<Time>,
    /// Counts how often what pages have of it became worthless.
    edition: u32,
}

/// How much of a session a page has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    session: Uuid,
    edition: u32,
    rows: u64,
    events: u64,
    notes: u64,
    streams: BTreeMap<Source, stream::Seen>,
}

/// What a page lacks of a session that it has a part of.
#[derive(Debug, Default)]
pub(super) struct More {
    pub(super) rows: Vec<RowView>,
    pub(super) events: Vec<EventView>,
    pub(super) notes: Vec<NoteView>,
    pub(super) streams: BTreeMap<String, Vec<Bucket>>,
}

impl Default for Log {
    fn default() -> Log {
        Log {
            about: None,
            rows: Ring::new(MOST_ROWS),
            events: Ring::new(MOST_EVENTS),
            notes: Ring::new(MOST_NOTES),
            streams: BTreeMap::new(),
            width: WIDTH,
            stops: false,
            set: BTreeMap::new(),
            ahead: VecDeque::new(),
            safe: None,
            edition: 0,
        }
    }
}

impl Log {
    /// Of a session that starts.
    pub(crate) fn of(about: About) -> Log {
        Log { about: Some(Arc::new(about)), ..Log::default() }
    }

    /// Of a session that is over: these trials, a part of its events, and its notes, among them
    /// what a person should read of its events.
    pub(crate) fn recorded(
        about: About,
        rows: &[Row],
        (part, events): (&Part, &[Event]),
        notes: &[Line],
    ) -> Log {
        let lasted = part.time.map_or(0, |(first, last)| since(first, last));
        let mut log = Log {
            rows: Ring::new(rows.len()),
            events: Ring::new(MOST_PART),
            width: WIDTH.max(lasted / (stream::MOST as i64 - 2)),
            ..Log::of(about)
        };
        rows.iter().for_each(|row| log.row(row));
        part.events.iter().for_each(|event| log.is_safe(*event));
        let mut lines = log.lines(events, notes);
        if let Some(first) = log.events.iter().next().filter(|_| log.events.gone() > 0) {
            let gone = log.events.gone();
            let text = format!(
                "{gone} events of these trials aren't shown, all before this: the subject's file has them"
            );
            let place = lines.partition_point(|line| line.time < first.time);
            lines.insert(place, Line::note(first.time, text));
        }
        log.notes = Ring::new(lines.len());
        lines.into_iter().for_each(|line| log.notes.push(line));
        log
    }

    /// What is known of it from its start on.
    pub(crate) fn about(&self) -> Option<&About> {
        self.about.as_deref()
    }

    /// What was recorded before this terminal heard of the session. What it has heard since
    /// comes after that.
    pub(crate) fn restore(&mut self, about: About, rows: &[Row], events: &[Event], notes: &[Line]) {
        let before = std::mem::replace(self, Log { edition: self.edition + 1, ..Log::of(about) });
        rows.iter().chain(before.rows.iter()).for_each(|row| self.row(row));
        let lines = self.lines(events, notes);
        events.iter().for_each(|event| self.is_safe(*event));
        let last = self.safe;
        let since = before.events.iter().filter(|event| last.is_none_or(|last| event.time > last));
        since.for_each(|event| self.show(*event));
        self.safe = self.safe.max(before.safe);
        self.ahead = before.ahead;
        let since = before.notes.iter().filter(|line| !lines.contains(line)).cloned().collect::<Vec<_>>();
        lines.into_iter().chain(since).for_each(|line| self.notes.push(line));
    }

    /// What came for good, in order and each once.
    pub(crate) fn safe(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Row(row) => self.row(row),
                Record::Event(event) => {
                    self.line(event).into_iter().for_each(|line| self.notes.push(line));
                    self.is_safe(*event);
                }
                Record::Note { time, text } => self.notes.push(Line::note(*time, text.clone())),
            }
        }
    }

    /// What was seen in passing, and comes again for good.
    pub(crate) fn passing(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Row(row) => self.row(row),
                Record::Event(event) if self.safe.is_none_or(|safe| event.time > safe) => {
                    self.ahead.push_back(*event);
                    if self.ahead.len() > MOST_EVENTS {
                        self.ahead.pop_front();
                    }
                    self.show(*event);
                }
                Record::Event(_) | Record::Note { .. } => {}
            }
        }
    }

    fn row(&mut self, row: &Row) {
        if self.rows.iter().next_back().is_none_or(|last| last.trial < row.trial) {
            self.rows.push(row.clone());
        }
    }

    /// Something that was said now, by a person or by this terminal itself.
    pub(crate) fn said(&mut self, who: Option<String>, text: String) {
        let row = self.rows.iter().next_back().map(|row| row.end);
        let seen = self.ahead.back().map(|event| event.time);
        let time = self.safe.max(seen).max(row).unwrap_or(self.start());
        self.notes.push(Line { time, text, who });
    }

    /// What people should read, in order.
    fn lines(&self, events: &[Event], notes: &[Line]) -> Vec<Line> {
        let mut lines = notes.to_vec();
        lines.extend(events.iter().filter_map(|event| self.line(event)));
        lines.sort_by_key(|line| line.time);
        lines
    }

    /// Whether it was asked to end when its present trial is over.
    pub(crate) fn stops(&self) -> bool {
        self.stops
    }

    /// What a person should read of an event.
    fn line(&self, event: &Event) -> Option<Line> {
        let text = words(event, || self.name(event.source))?;
        Some(Line::note(event.time, text))
    }

    fn is_safe(&mut self, event: Event) {
        self.safe = self.safe.max(Some(event.time));
        match self.ahead.iter().position(|ahead| *ahead == event) {
            Some(place) => drop(self.ahead.drain(..=place)),
            None => self.show(event),
        }
    }

    fn show(&mut self, event: Event) {
        let of_session = event.kind == Kind::Asked && event.source == Source(0);
        self.stops |= of_session && Asked::from_f64(event.value) == Some(Asked::StopAfterTrial);
        match event.kind {
            Kind::Analog | Kind::Position => {
                let since = since(self.start(), event.time);
                let stream = self.streams.entry(event.source).or_insert_with(|| Stream::new(self.width));
                stream.add(since, event.value);
            }
            _ => {
                if event.kind == Kind::Parameter {
                    self.set.insert(event.source, event.value);
                }
                self.events.push(event);
            }
        }
    }

    /// What its live parameters are that were changed since its start, as a person writes them.
    pub(crate) fn changed(&self) -> BTreeMap<String, String> {
        let parameters = self.about.as_ref().map(|about| about.parameters.as_slice()).unwrap_or_default();
        let known = self.set.iter().filter_map(|(source, value)| {
            let name = self.name(*source);
            let (_, kind, _) = parameters.iter().find(|(parameter, ..)| *parameter == name)?;
            Some((name, kind.show(kind.value_from_f64(*value)?)))
        });
        known.collect()
    }

    fn start(&self) -> Time {
        self.about.as_ref().map_or(Time::ZERO, |about| about.start)
    }

    /// How much a page has that has all of it.
    pub(super) fn seen(&self, session: Uuid) -> Seen {
        Seen {
            session,
            edition: self.edition,
            rows: self.rows.came(),
            events: self.events.came(),
            notes: self.notes.came(),
            streams: self.streams.iter().map(|(source, stream)| (*source, stream.seen())).collect(),
        }
    }

    /// All that is kept of it.
    pub(crate) fn view(&self, session: Uuid) -> SessionView {
        let parameters = self.about.iter().flat_map(|about| &about.parameters);
        SessionView {
            session,
            task: self.about.as_ref().and_then(|about| about.task.clone()),
            parameters: parameters.map(|(name, kind, value)| (name.clone(), kind.show(*value))).collect(),
            rows: self.rows.iter().map(|row| self.row_view(row)).collect(),
            events: self.events.iter().map(|event| self.event_view(event)).collect(),
            notes: self.notes.iter().map(|note| self.note_view(note)).collect(),
            streams: self.streams.iter().map(|(source, one)| (self.name(*source), one.all())).collect(),
        }
    }

    /// What a page lacks that has this much; `None` where it has to be given all.
    pub(super) fn after(&self, session: Uuid, seen: &Seen) -> Option<More> {
        if (seen.session, seen.edition) != (session, self.edition) {
            return None;
        }
        let mut streams = BTreeMap::new();
        for (source, stream) in &self.streams {
            let more = stream.after(seen.streams.get(source).copied().unwrap_or_default())?;
            if !more.is_empty() {
                streams.insert(self.name(*source), more);
            }
        }
        Some(More {
            rows: self.rows.after(seen.rows)?.map(|row| self.row_view(row)).collect(),
            events: self.events.after(seen.events)?.map(|event| self.event_view(event)).collect(),
            notes: self.notes.after(seen.notes)?.map(|note| self.note_view(note)).collect(),
            streams,
        })
    }

    fn row_view(&self, row: &Row) -> RowView {
        let columns = self.about.iter().flat_map(|about| &about.columns).zip(&row.values);
        let values = columns.map(|((name, kind), value)| (name.clone(), shown(kind, *value)));
        let start = self.start();
        RowView {
            trial: row.trial,
            start: since(start, row.start),
            end: since(start, row.end),
            ending: row.ending,
            values: values.collect(),
        }
    }

    fn event_view(&self, event: &Event) -> EventView {
        EventView {
            t: since(self.start(), event.time),
            trial: event.trial,
            kind: event.kind.name(),
            source: self.name(event.source),
            value: event.value,
        }
    }

    fn note_view(&self, line: &Line) -> NoteView {
        let Line { time, text, who } = line.clone();
        NoteView { t: since(self.start(), time), text, who }
    }

    fn name(&self, source: Source) -> String {
        let named = self.about.as_ref().map(|about| about.names.name(source));
        named.unwrap_or_else(|| Names::default().name(source))
    }
}

impl More {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.events.is_empty() && self.notes.is_empty() && self.streams.is_empty()
    }
}

/// A value as a page can draw it: a truth, a number in the type's unit, or a choice's name.
pub(crate) fn shown(kind: &ValueType, value: Option<Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::Boolean(flag)) => json!(flag),
        Some(value @ (Value::Choice(_) | Value::Integers(..))) => json!(kind.show(value)),
        Some(Value::Integer(number)) => json!(number),
        Some(value) => json!(value.to_f64()),
    }
}
