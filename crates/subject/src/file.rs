//! One subject's file.

mod broken;
mod index;
mod moved;
mod open;
mod subject;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bramble_value::{Event, Record, SubjectId, Trials, Value, ValueType};
use hdf5::{File, Group};
use uuid::Uuid;

use crate::column;
use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::attribute;
use crate::moves::Move;
use crate::session::records::{self, Records, Written};
use crate::session::start;
use crate::session::{
    ClockEstimate, Note, ProtocolStep, SessionEnd, SessionNumber, SessionStart, SessionSummary,
};

/// A subject's file, open. Whoever has it open for writing is alone with it.
#[derive(Debug)]
pub struct SubjectFile {
    /// Sessions opened so far. Before `file`: their tables close first.
    sessions: RefCell<BTreeMap<SessionNumber, Records>>,
    /// The sessions that are packed.
    index: index::Index,
    /// The sessions that were moved.
    moves: Vec<Move>,
    file: File,
    /// Held for as long as the file is open.
    lock: std::fs::File,
    path: PathBuf,
    id: SubjectId,
    uuid: Uuid,
    writable: bool,
}

impl SubjectFile {
    /// Whose file it is.
    pub fn id(&self) -> &SubjectId {
        &self.id
    }

    /// The subject's own name, the same wherever its data go.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has the disk hold all that was written so far. Every write survives the
    /// death of this process without it; this makes it survive that of the machine.
    pub fn sync(&self) -> Result<(), SubjectError> {
        self.check_whole()?;
        self.flush()?;
        self.lock.sync_all().map_err(|source| SubjectError::Folder {
            doing: "write",
            path: self.path.clone(),
            source,
        })
    }

    /// Makes the next session, or finds the one of this uuid, so that a start
    /// which is told twice makes one session.
    ///
    /// # Errors
    /// Where the file can't be written, or a column is of a type that no table holds; and where
    /// the session was moved to another subject.
    pub fn begin_session(&mut self, session: &SessionStart) -> Result<SessionNumber, SubjectError> {
        self.check_writable()?;
        if let Some(known) = self.session_by_uuid(session.uuid)? {
            return Ok(known.number);
        }
        if let Some(away) = self.moved_away(|away| away.session == session.uuid) {
            return Err(self.went(away));
        }
        if let Some(column) = session.columns.iter().find(|column| column.value_type == ValueType::Integers) {
            let kind = column.value_type.to_string();
            return Err(SubjectError::Column { column: column.name.clone(), kind });
        }
        let number = self.next_number()?;
        self.rewrite(|file| {
            let keep = |texts: &BTreeMap<String, String>| -> Result<start::Hashes, Fault> {
                let keep_one =
                    |(path, text): (&String, &String)| Ok((path.clone(), subject::write_source(file, text)?));
                texts.iter().map(keep_one).collect()
            };
            let (sources, texts) = (keep(&session.sources)?, keep(&session.texts)?);
            let group = file
                .group("sessions")
                .and_then(|sessions| sessions.create_group(&number.to_string()))
                .doing(|| format!("make session {number} of"))?;
            start::write(&group, session, &sources, &texts)?;
            Records::create(&group, column::place(&session.columns))?;
            Written::default().write(&group)
        })?;
        Ok(number)
    }

    /// Adds what a pilot observed, in order, each record with its number in the
    /// journal it came from, from 1. Records up to the last one that the file has
    /// are left out, so that a batch may come twice or overlap the one before.
    /// Batches of some hundreds are written fastest.
    ///
    /// # Errors
    /// Where a row does not fit the session's columns or the file can't be
    /// written; then none of the batch counts as written, and it may come again.
    pub fn append(&mut self, number: SessionNumber, records: &[(u64, Record)]) -> Result<(), SubjectError> {
        self.check_writable()?;
        let written = self.written_up_to(number)?;
        let new = &records[records.partition_point(|(at, _)| *at <= written)..];
        if !new.is_empty() && self.index.contains_key(&number) {
            self.unpack(number)?;
        }
        self.with_session(number, |session| {
            let misfit = new.iter().find_map(|(_, record)| session.misfit(record));
            match misfit {
                Some((trial, why)) => Ok(Err(SubjectError::Row { number, trial, why })),
                None => session.append(new).map(Ok),
            }
        })?
    }

    /// The number of the last record of a session that the file has; 0 before the first.
    pub fn written_up_to(&self, number: SessionNumber) -> Result<u64, SubjectError> {
        self.with_session(number, |session| Ok(session.written().up_to))
    }

    /// Adds estimates of a session's clock.
    pub fn add_clock(
        &mut self,
        number: SessionNumber,
        estimates: &[ClockEstimate],
    ) -> Result<(), SubjectError> {
        self.check_writable()?;
        if self.index.contains_key(&number) {
            self.unpack(number)?;
        }
        self.with_session(number, |session| session.add_clock(estimates))
    }

    /// Says how a session ended. Told again, the last one counts.
    pub fn end_session(&mut self, number: SessionNumber, end: &SessionEnd) -> Result<(), SubjectError> {
        self.check_writable()?;
        self.with_session(number, |session| session.add_end(end))?;
        if self.index.contains_key(&number) {
            let summary = self.summary_of(number)?;
            self.rewrite(|file| index::add(file, &[summary]))?;
        }
        Ok(())
    }

    /// Packs the sessions that are over and were not packed: their tables are compressed,
    /// which is some times smaller, and they are noted in the file's index. A running
    /// session's tables stay as they are, because a kill amid growing a compressed one
    /// damages it.
    ///
    /// # Errors
    /// Where the file can't be written; it is as it was then.
    pub fn pack(&mut self) -> Result<(), SubjectError> {
        self.check_writable()?;
        let mut over = Vec::new();
        for number in self.numbers()?.into_iter().filter(|number| !self.index.contains_key(number)) {
            over.extend(Some(self.summary_of(number)?).filter(|session| session.end.is_some()));
        }
        if over.is_empty() {
            return Ok(());
        }
        let numbers: Vec<SessionNumber> = over.iter().map(|session| session.number).collect();
        self.keep_otherwise(&numbers, true, |file| index::add(file, &over))
    }

    /// Makes a packed session's tables such that rows can be added.
    fn unpack(&mut self, number: SessionNumber) -> Result<(), SubjectError> {
        self.keep_otherwise(&[number], false, |file| index::remove(file, number))
    }

    /// Keeps the tables of sessions as those of sessions that are over, or are not.
    fn keep_otherwise(
        &mut self,
        numbers: &[SessionNumber],
        over: bool,
        note: impl FnOnce(&File) -> Result<(), Fault>,
    ) -> Result<(), SubjectError> {
        let group = |file: &File, number: &SessionNumber| {
            let name = format!("sessions/{number}");
            file.group(&name).doing(|| format!("open {name}"))
        };
        let take = |file: &File| {
            let tables = numbers.iter().map(|number| {
                let group = group(file, number)?;
                Records::open(&group, start::read_columns(&group)?)?.take_out()
            });
            tables.collect::<Result<Vec<_>, Fault>>()
        };
        self.rewrite_in_two(take, |file, tables| {
            for (number, tables) in numbers.iter().zip(tables) {
                let group = group(file, number)?;
                tables.iter().try_for_each(|(table, grows)| table.put(&group, grows.keep(over)))?;
            }
            note(file)
        })
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> Result<Vec<SessionSummary>, SubjectError> {
        let sessions = self.numbers()?.into_iter().map(|number| self.summary(number));
        Ok(self.in_order(sessions.collect::<Result<_, _>>()?))
    }

    /// The session of this uuid.
    pub fn session_by_uuid(&self, uuid: Uuid) -> Result<Option<SessionSummary>, SubjectError> {
        if let Some(known) = self.index.values().rfind(|session| session.uuid == uuid) {
            return Ok(Some(known.clone()));
        }
        for number in self.numbers()?.into_iter().rev().filter(|number| !self.index.contains_key(number)) {
            let summary = self.summary_of(number)?;
            if summary.uuid == uuid {
                return Ok(Some(summary));
            }
        }
        Ok(None)
    }

    /// A session in a few words.
    pub fn summary(&self, number: SessionNumber) -> Result<SessionSummary, SubjectError> {
        match self.index.get(&number) {
            Some(summary) => Ok(summary.clone()),
            None => self.summary_of(number),
        }
    }

    fn summary_of(&self, number: SessionNumber) -> Result<SessionSummary, SubjectError> {
        let group = self.session_group(number)?;
        self.here(|| {
            let written = Written::read(&group)?;
            Ok(SessionSummary {
                number,
                uuid: start::parsed(&group, "uuid")?,
                task: attribute::text(&group, "task")?,
                pilot: attribute::text(&group, "pilot")?,
                protocol: start::read_protocol(&group)?,
                started: start::parsed(&group, "started")?,
                end: records::read_end(&group)?,
                trials: written.trials,
                events: written.events,
            })
        })
    }

    /// Everything a session started from.
    pub fn session(&self, number: SessionNumber) -> Result<SessionStart, SubjectError> {
        let group = self.session_group(number)?;
        self.here(|| start::read(&group, |hash| subject::source(&self.file, hash)))
    }

    /// A session's trials.
    pub fn trials(&self, number: SessionNumber) -> Result<Trials, SubjectError> {
        self.with_session(number, |session| session.trials(0))
    }

    /// A session's events.
    pub fn events(&self, number: SessionNumber) -> Result<Vec<Event>, SubjectError> {
        self.with_session(number, |session| session.events())
    }

    /// A session's notes.
    pub fn notes(&self, number: SessionNumber) -> Result<Vec<Note>, SubjectError> {
        self.with_session(number, |session| session.notes())
    }

    /// The estimates of a session's clock.
    pub fn clock(&self, number: SessionNumber) -> Result<Vec<ClockEstimate>, SubjectError> {
        self.with_session(number, |session| session.clock())
    }

    /// The last value of a column in any session of a task, with the column's
    /// type then: what a column with `keep = True` starts from.
    pub fn kept(&self, task: &str, column: &str) -> Result<Option<(ValueType, Value)>, SubjectError> {
        for session in self.sessions()?.into_iter().rev().filter(|session| session.task == task) {
            let trials = self.trials(session.number)?;
            if let Some((value_type, mut values)) = trials.column(column)
                && let Some(value) = values.rfind(Option::is_some).flatten()
            {
                return Ok(Some((value_type.clone(), value)));
            }
        }
        Ok(None)
    }

    /// The last trials, at most `n`, since the subject came to this step:
    /// what graduation looks at. They are those of its sessions in the step, back
    /// to the last one in another step of the protocol, or with other columns.
    pub fn recent_trials(&self, at: &ProtocolStep, n: usize) -> Result<Trials, SubjectError> {
        let mut recent = Trials::default();
        for session in self.sessions()?.into_iter().rev() {
            match &session.protocol {
                Some(step) if step.protocol == at.protocol && step.step != at.step => break,
                Some(step) if step == at => {}
                _ => continue,
            }
            let wanted = (n - recent.rows.len()) as u64;
            let mut trials = self.with_session(session.number, |records| {
                records.trials(session.trials.saturating_sub(wanted))
            })?;
            if recent.columns.is_empty() && recent.rows.is_empty() {
                recent.columns.clone_from(&trials.columns);
            }
            if recent.columns != trials.columns {
                break;
            }
            trials.rows.append(&mut recent.rows);
            recent.rows = trials.rows;
            if recent.rows.len() >= n {
                break;
            }
        }
        Ok(recent)
    }

    /// The numbers of all sessions, in order.
    fn numbers(&self) -> Result<Vec<SessionNumber>, SubjectError> {
        let names = self
            .file
            .group("sessions")
            .and_then(|sessions| sessions.member_names())
            .doing(|| "list the sessions of".to_owned())
            .map_err(|fault| fault.in_file(&self.path))?;
        let mut numbers: Vec<SessionNumber> = names.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort();
        Ok(numbers)
    }

    fn session_group(&self, number: SessionNumber) -> Result<Group, SubjectError> {
        self.file.group(&format!("sessions/{number}")).map_err(|_| {
            match self.moved_away(|away| away.number == number) {
                Some(away) => self.went(away),
                None => SubjectError::NoSession { path: self.path.clone(), number },
            }
        })
    }

    fn went(&self, Move { number, other, there, .. }: &Move) -> SubjectError {
        let (number, to, there) = (*number, other.clone(), *there);
        SubjectError::Moved { path: self.path.clone(), number, to, there }
    }

    /// Does something with a session, which is opened the first time.
    fn with_session<T>(
        &self,
        number: SessionNumber,
        work: impl FnOnce(&mut Records) -> Result<T, Fault>,
    ) -> Result<T, SubjectError> {
        let mut sessions = self.sessions.borrow_mut();
        if let std::collections::btree_map::Entry::Vacant(place) = sessions.entry(number) {
            let group = self.session_group(number)?;
            place.insert(self.here(|| Records::open(&group, start::read_columns(&group)?))?);
        }
        let session = sessions.get_mut(&number).expect("the session was put there just above");
        work(session).map_err(|fault| fault.in_file(&self.path))
    }

    fn check_writable(&self) -> Result<(), SubjectError> {
        if self.writable { self.check_whole() } else { Err(SubjectError::ReadOnly(self.path.clone())) }
    }

    fn flush(&self) -> Result<(), SubjectError> {
        self.here(|| self.file.flush().doing(|| "write".to_owned()))
    }

    /// Says in which file something went wrong.
    fn here<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, SubjectError> {
        work().map_err(|fault| fault.in_file(&self.path))
    }
}
