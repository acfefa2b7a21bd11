//! The sessions that are over, in one table: what a history shows, without opening
//! each of a thousand groups.
//!
//! A session is in it once its tables were packed; both are done in one copy of the file.
//! Whatever is said of it later is a new row, and the last one counts. One without an end
//! takes it out: it was moved, or an older version had its tables grow again.

use std::collections::BTreeMap;

use hdf5::{File, Group};

use super::subject::{long, short, timestamp, words};
use crate::error::{Doing, Fault};
use crate::hdf::layout::{Field, FieldType};
use crate::hdf::table::{Diary, FEW, TIME_WIDTH};
use crate::session::records;
use crate::{ProtocolStep, SessionEnd, SessionNumber, SessionSummary};

const NAME: &str = "index";

/// The sessions that are in the index, by their number.
pub(super) type Index = BTreeMap<SessionNumber, SessionSummary>;

/// The index of a file; empty where an older version made the file and none was packed.
pub(super) fn read(file: &File) -> Result<Index, Fault> {
    let Some(diary) = open(file)? else { return Ok(Index::new()) };
    let rows = diary.read(|mut row| {
        let (number, trials, events) = (row.u32(), row.i64(), row.i64());
        let (uuid, task, pilot, protocol, step) =
            (row.text(), row.text(), row.text(), row.text(), row.text());
        let (started, ended, ending, why) = (row.text(), row.text(), row.text(), row.text());
        (
            (number, trials, events),
            [uuid, task, pilot, protocol, step],
            [started, ended, ending, why],
            [row.f64(), row.f64()],
        )
    })?;
    let mut index = Index::new();
    for ((number, trials, events), names, [started, ended, ending, why], numbers) in rows {
        if ended.is_empty() {
            index.remove(&SessionNumber::new(number));
            continue;
        }
        let [uuid, task, pilot, protocol, step] = names;
        let damaged = |what: String| Fault::Damaged(format!("/{NAME}: session {number}: {what}"));
        let number = SessionNumber::new(number);
        let protocol = long(file, protocol)?;
        let [correct, water] = numbers.map(|number| (!number.is_nan()).then_some(number));
        let summary = SessionSummary {
            number,
            uuid: uuid.parse().map_err(|_| damaged(format!("`{uuid}` is no uuid")))?,
            task: long(file, task)?,
            pilot: long(file, pilot)?,
            protocol: (!protocol.is_empty())
                .then(|| Ok::<_, Fault>(ProtocolStep { protocol, step: long(file, step)? }))
                .transpose()?,
            started: timestamp(&started)?,
            end: Some(SessionEnd {
                ended: timestamp(&ended)?,
                ending: records::ending_named(&ending)
                    .ok_or_else(|| damaged(format!("`{ending}` is no ending")))?,
                why: long(file, why)?,
                correct,
                water,
            }),
            trials: trials.cast_unsigned(),
            events: events.cast_unsigned(),
        };
        index.insert(number, summary);
    }
    Ok(index)
}

/// Says in the index how sessions are that are over. The file must be a copy.
pub(super) fn add(file: &File, sessions: &[SessionSummary]) -> Result<(), Fault> {
    let mut diary = match open(file)? {
        Some(diary) => diary,
        None => Diary::create(file, NAME, FEW, fields())?,
    };
    let layout = diary.layout().clone();
    let mut rows = layout.rows();
    for one in sessions {
        let Some(end) = &one.end else { continue };
        let step =
            one.protocol.clone().unwrap_or(ProtocolStep { protocol: String::new(), step: String::new() });
        rows.u32(one.number.get()).i64(one.trials.cast_signed()).i64(one.events.cast_signed());
        rows.text(&one.uuid.to_string());
        for text in [&one.task, &one.pilot, &step.protocol, &step.step] {
            rows.text(&short(file, text)?);
        }
        rows.text(&one.started.to_string()).text(&end.ended.to_string()).text(end.ending.name());
        rows.text(&short(file, &end.why)?);
        rows.f64(end.correct.unwrap_or(f64::NAN)).f64(end.water.unwrap_or(f64::NAN));
    }
    diary.append(&rows)
}

/// Says that a session is no longer here.
pub(super) fn remove(file: &File, number: SessionNumber) -> Result<(), Fault> {
    let Some(mut diary) = open(file)? else { return Ok(()) };
    let layout = diary.layout().clone();
    let mut rows = layout.rows();
    rows.u32(number.get()).i64(0).i64(0);
    for _ in 0..9 {
        rows.text("");
    }
    rows.f64(f64::NAN).f64(f64::NAN);
    diary.append(&rows)
}

/// The table itself.
pub(super) fn diary(file: &File) -> Result<Option<Diary>, Fault> {
    open(file)
}

fn open(file: &File) -> Result<Option<Diary>, Fault> {
    let root: Group = file.group("/").doing(|| "open".to_owned())?;
    if root.link_exists(NAME) { Diary::open(&root, NAME, fields()).map(Some) } else { Ok(None) }
}

fn fields() -> Vec<Field> {
    let text = |name: &str, width, doc: &str| Field::new(name, FieldType::Text(width), doc);
    vec![
        Field::new("session", FieldType::U32, "which session, from 1; the last row of one counts"),
        Field::new("trials", FieldType::I64, "how many trials it has"),
        Field::new("events", FieldType::I64, "how many events it has"),
        text("uuid", 36, "its own name"),
        words("task", "the task"),
        words("pilot", "where it ran"),
        words("protocol", "the protocol; empty: none"),
        words("step", "the step of the protocol"),
        text("started", TIME_WIDTH, "when it started: ISO 8601, UTC"),
        text("ended", TIME_WIDTH, "when it ended: ISO 8601, UTC; empty: it was moved"),
        text("ending", 16, "how it ended"),
        words("why", "why, in words"),
        Field::new("correct", FieldType::F64, "share of the trials that were correct; NaN: nothing says so"),
        Field::new(
            "water_ul",
            FieldType::F64,
            "water given [uL]; NaN: not known, as of a valve that wasn't calibrated",
        ),
    ]
}
