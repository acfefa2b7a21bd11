//! A session's way from one subject's file to another's.

use hdf5::{File, Group};

use super::subject::{long, short, timestamp, words};
use super::{SubjectFile, index, subject, whole};
use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::copy;
use crate::hdf::layout::{Field, FieldType};
use crate::hdf::table::{Diary, FEW, TIME_WIDTH};
use crate::moves::{Move, MoveOrder, Way};
use crate::session::start;
use crate::{By, Change, SessionNumber, SessionSummary};

const NAME: &str = "moves";
/// What [`Change::what`] says of a session that was moved.
const MOVED: &str = "session moved";

impl SubjectFile {
    /// The sessions that were moved out of this file or into it, oldest move first.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Takes a session in from another file, whole or not at all. There it stays as it is. It
    /// must not be in a file of its own.
    pub(crate) fn take_in(
        &mut self,
        from: &SubjectFile,
        order: &MoveOrder,
    ) -> Result<SessionNumber, SubjectError> {
        self.check_writable()?;
        let (known, group) = (from.summary(order.number)?, from.session_group(order.number)?);
        let hashes = from.main.here(|| start::hashes(&group))?;
        let texts: Vec<String> = hashes.iter().map(|hash| from.source(hash)).collect::<Result<_, _>>()?;
        let number = self.next_number()?;
        let packed = from.is_packed(order.number);
        let here = Move::of(order, &known, Way::From, number, order.number);
        let origin = format!("{}, session {}", order.from, order.number);
        let change = change(&order.by, with_reason(&origin, &order.why), format!("session {number}"));
        self.rewrite(|file| {
            let sessions = file.group("sessions").doing(|| "open /sessions of".to_owned())?;
            copy::group(&group, &sessions, &number.to_string())?;
            texts.iter().try_for_each(|text| subject::write_source(file, text).map(drop))?;
            if packed {
                index::add(file, &[SessionSummary { number, ..known.clone() }])?;
            }
            add(file, &here)?;
            subject::write_change(file, &change)
        })?;
        Ok(number)
    }

    /// Lets a session go that another file has taken in; what was done stays written here.
    pub(crate) fn give_away(&mut self, order: &MoveOrder, there: SessionNumber) -> Result<(), SubjectError> {
        self.check_writable()?;
        let number = order.number;
        let away = Move::of(order, &self.summary(number)?, Way::To, number, there);
        let goal = format!("{}, session {there}", order.to);
        let change = change(&order.by, format!("session {number}"), with_reason(&goal, &order.why));
        let take_out = |file: &File| whole::take_out(file, number);
        self.rewrite_in_two(take_out, |file| {
            index::remove(file, number)?;
            add(file, &away)?;
            subject::write_change(file, &change)
        })
    }

    /// Where a session of this number went, that was moved out of this file.
    pub(super) fn moved_away(&self, is_it: impl Fn(&Move) -> bool) -> Option<&Move> {
        self.moves.iter().rfind(|one| one.way == Way::To && is_it(one))
    }

    /// The number of the next session: one that was moved away keeps its own.
    pub(super) fn next_number(&self) -> Result<SessionNumber, SubjectError> {
        let there = self.numbers()?.last().map_or(0, |number| number.get());
        let gone = self.moves.iter().map(|one| one.number.get()).max().unwrap_or(0);
        Ok(SessionNumber::new(there.max(gone) + 1))
    }

    /// Puts sessions, which are in the order of their numbers, into the order in which they ran:
    /// one that was moved here has a later number than it would have got.
    pub(super) fn in_order(&self, sessions: Vec<SessionSummary>) -> Vec<SessionSummary> {
        let came = |session: &SessionSummary| {
            self.moves.iter().any(|one| one.way == Way::From && one.number == session.number)
        };
        let (came, mut ordered): (Vec<_>, Vec<_>) = sessions.into_iter().partition(came);
        for session in came {
            let place = ordered.iter().position(|other| other.started > session.started);
            ordered.insert(place.unwrap_or(ordered.len()), session);
        }
        ordered
    }
}

impl Move {
    fn of(
        order: &MoveOrder,
        session: &SessionSummary,
        way: Way,
        number: SessionNumber,
        there: SessionNumber,
    ) -> Move {
        Move {
            by: order.by.clone(),
            why: order.why.clone(),
            way,
            number,
            session: order.session,
            other: if way == Way::To { order.to.clone() } else { order.from.clone() },
            there,
            task: session.task.clone(),
            pilot: session.pilot.clone(),
            started: session.started,
        }
    }
}

fn change(by: &By, from: String, to: String) -> Change {
    Change { when: by.when, who: by.who.clone(), what: MOVED.to_owned(), from, to }
}

fn with_reason(text: &str, why: &str) -> String {
    if why.is_empty() { text.to_owned() } else { format!("{text}: {why}") }
}

/// The moves that a file tells of; none where no session was ever moved.
pub(super) fn read(file: &File) -> Result<Vec<Move>, Fault> {
    let Some(diary) = open(file)? else { return Ok(Vec::new()) };
    let rows = diary.read(|mut row| {
        let [when, who, why, way] = [(); 4].map(|()| row.text());
        let number = row.u32();
        let [session, other] = [(); 2].map(|()| row.text());
        let there = row.u32();
        let [task, pilot, started] = [(); 3].map(|()| row.text());
        ([when, who, why, way], [session, other, task, pilot, started], [number, there])
    })?;
    let moves = rows.into_iter().map(|(said, named, [number, there])| {
        let ([when, who, why, way], [session, other, task, pilot, started]) = (said, named);
        let damaged = |what: String| Fault::Damaged(format!("/{NAME}: {what}"));
        Ok(Move {
            by: By { who: long(file, who)?, when: timestamp(&when)? },
            why: long(file, why)?,
            way: [Way::To, Way::From]
                .into_iter()
                .find(|known| known.word() == way)
                .ok_or_else(|| damaged(format!("`{way}` is no way")))?,
            number: SessionNumber::new(number),
            session: session.parse().map_err(|_| damaged(format!("`{session}` is no uuid")))?,
            other: other.parse().map_err(|error| damaged(format!("{error}")))?,
            there: SessionNumber::new(there),
            task: long(file, task)?,
            pilot: long(file, pilot)?,
            started: timestamp(&started)?,
        })
    });
    moves.collect()
}

/// Adds a move. The file must be a copy.
fn add(file: &File, one: &Move) -> Result<(), Fault> {
    let mut diary = match open(file)? {
        Some(diary) => diary,
        None => Diary::create(file, NAME, FEW, fields())?,
    };
    let layout = diary.layout().clone();
    let mut rows = layout.rows();
    rows.text(&one.by.when.to_string()).text(&short(file, &one.by.who)?).text(&short(file, &one.why)?);
    rows.text(one.way.word()).u32(one.number.get());
    rows.text(&one.session.to_string()).text(&short(file, one.other.as_str())?).u32(one.there.get());
    rows.text(&short(file, &one.task)?).text(&short(file, &one.pilot)?).text(&one.started.to_string());
    diary.append(&rows)
}

fn open(file: &File) -> Result<Option<Diary>, Fault> {
    let root: Group = file.group("/").doing(|| "open".to_owned())?;
    if root.link_exists(NAME) { Diary::open(&root, NAME, fields()).map(Some) } else { Ok(None) }
}

fn fields() -> Vec<Field> {
    let text = |name: &str, width, doc: &str| Field::new(name, FieldType::Text(width), doc);
    vec![
        text("when", TIME_WIDTH, "ISO 8601, UTC"),
        words("who", "who moved it"),
        words("why", "why, in words"),
        text("way", 4, "to: out of this file; from: into this file"),
        Field::new("session", FieldType::U32, "its number in this file, which no other session gets"),
        text("uuid", 36, "its own name"),
        words("subject", "the subject of the other file"),
        Field::new("there", FieldType::U32, "its number in the other file"),
        words("task", "the task"),
        words("pilot", "where it ran"),
        text("started", TIME_WIDTH, "when it started: ISO 8601, UTC"),
    ]
}
