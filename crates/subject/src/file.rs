//! One subject's file.

mod broken;
mod end;
mod growing;
mod held;
mod index;
mod moved;
mod open;
mod subject;
mod whole;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bramble_value::{Event, Record, SubjectId, Trials, Value, ValueType};
use hdf5::{File, Group};
use uuid::Uuid;

pub use broken::SetAside;
use growing::Growing;
pub(crate) use growing::main_of;
use held::{Held, Identity, remove};
use whole::Whole;

use crate::column;
use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::table::Keep;
use crate::hdf::{attribute, text};
use crate::moves::Move;
use crate::session::health::Health;
use crate::session::records::{self, Records, Written};
use crate::session::start;
use crate::session::{ClockEstimate, Note, ProtocolStep, SessionNumber, SessionStart, SessionSummary};

/// What a session's report is called in its group.
const REPORT: &str = "report";

/// A subject's file, open, with those of sessions that grow beside it. One handle writes to it at
/// most. Others may read it meanwhile, but for the sessions that grow: what they have open stays as
/// it is.
#[derive(Debug)]
pub struct SubjectFile {
    /// Sessions opened so far. Before the files: their tables close first.
    sessions: RefCell<BTreeMap<SessionNumber, Records>>,
    /// The sessions that are packed.
    index: index::Index,
    /// The sessions that were moved.
    moves: Vec<Move>,
    /// Sessions that are not packed, or of which more came.
    growing: Growing,
    /// Sessions that another handle writes to.
    running: BTreeSet<SessionNumber>,
    main: Held,
    identity: Identity,
    writable: bool,
}

impl SubjectFile {
    /// Whose file it is.
    pub fn id(&self) -> &SubjectId {
        &self.identity.id
    }

    /// The subject's own name, the same wherever its data go.
    pub fn uuid(&self) -> Uuid {
        self.identity.uuid
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.main.path()
    }

    /// The sessions that another handle writes to, of which nothing is seen here. None where this one
    /// writes.
    pub fn running(&self) -> impl Iterator<Item = SessionNumber> {
        self.running.iter().copied()
    }

    /// Whether another program may have written to it since it was opened: then nothing can be
    /// written here any more, and it is to be opened anew.
    pub fn is_lost(&self) -> bool {
        self.main.is_lost()
    }

    /// Has the disk hold all that was written so far. Every write survives the
    /// death of this process without it; this makes it survive that of the machine.
    pub fn sync(&self) -> Result<(), SubjectError> {
        self.main.sync()?;
        self.growing.values().try_for_each(Held::sync)
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
        let held = growing::create(self.main.path(), number, &self.identity, |file| {
            let group = whole::write_start(file, number, session)?;
            Records::create(&group, column::place(&session.columns))?;
            Written::default().write(&group)
        })?;
        self.growing.insert(number, held);
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
        if new.is_empty() {
            return Ok(());
        }
        self.grow(number)?;
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
        self.grow(number)?;
        self.with_session(number, |session| session.add_clock(estimates))
    }

    /// Adds how the computer fared that a session ran on. A session of before this was kept has
    /// no place for it.
    pub fn add_health(&mut self, number: SessionNumber, all: &[Health]) -> Result<(), SubjectError> {
        self.check_writable()?;
        self.grow(number)?;
        self.with_session(number, |session| session.add_health(all))
    }

    /// Takes the sessions that have files of their own into the subject's: their tables are
    /// compressed, which is some times smaller, and those that are over are noted in the
    /// file's index. More may come for them all the same.
    ///
    /// # Errors
    /// Where the file can't be written; it is as it was then.
    pub fn pack(&mut self) -> Result<(), SubjectError> {
        self.pack_with(|_, _| None)
    }

    /// The same, and keeps of each of these sessions what `report` says of it.
    ///
    /// # Errors
    /// As [`SubjectFile::pack`].
    pub fn pack_with(
        &mut self,
        report: impl Fn(&SubjectFile, SessionNumber) -> Option<String>,
    ) -> Result<(), SubjectError> {
        self.check_writable()?;
        let mut over = Vec::new();
        let mut packed: BTreeSet<SessionNumber> = self.growing.keys().copied().collect();
        for number in self.numbers()?.into_iter().filter(|number| !self.is_packed(*number)) {
            let summary = self.summary_of(number)?;
            if summary.end.is_some() {
                packed.insert(number);
                over.push(summary);
            }
        }
        if packed.is_empty() {
            return Ok(());
        }
        let said = |session: &SessionSummary| Some((session.number, report(self, session.number)?));
        let reports: Vec<_> = over.iter().filter_map(said).collect();
        let mut sessions = Vec::new();
        for number in packed {
            let held = self.held(number);
            sessions.push((number, held.here(|| Whole::read(&held.file, number))?));
        }
        let write = |file: &File| {
            sessions.iter().try_for_each(|(number, session)| session.write(file, *number, Keep::Packed))?;
            for (number, report) in &reports {
                text::write(&whole::group(file, *number)?, REPORT, report)?;
            }
            index::add(file, &over)
        };
        let before: Vec<SessionNumber> = sessions
            .iter()
            .map(|(number, _)| *number)
            .filter(|number| whole::has(&self.main.file, *number))
            .collect();
        if before.is_empty() {
            self.rewrite(write)?;
        } else {
            let take_out = |file: &File| before.iter().try_for_each(|number| whole::take_out(file, *number));
            self.rewrite_in_two(take_out, write)?;
        }
        let numbers: Vec<SessionNumber> = self.growing.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.drop_growing(number));
        Ok(())
    }

    /// Has a session be in a file of its own, where more can come.
    fn grow(&mut self, number: SessionNumber) -> Result<(), SubjectError> {
        if self.is_growing(number) {
            return Ok(());
        }
        self.session_group(number)?;
        let session = self.main.here(|| Whole::read(&self.main.file, number))?;
        let held = growing::create(self.main.path(), number, &self.identity, |file| {
            session.write(file, number, Keep::Growing)
        })?;
        self.sessions.get_mut().remove(&number);
        self.growing.insert(number, held);
        Ok(())
    }

    /// Whether a session is in a file of its own.
    pub(crate) fn is_growing(&self, number: SessionNumber) -> bool {
        self.growing.contains_key(&number)
    }

    /// Removes a session's own file; what is left where that fails counts as before.
    fn drop_growing(&mut self, number: SessionNumber) {
        self.sessions.get_mut().remove(&number);
        if let Some(held) = self.growing.remove(&number) {
            remove(held.path());
        }
    }

    /// Makes tables of the subject's own file longer: where it is, or, where others read it, in a copy.
    fn lengthen(&mut self, work: impl FnOnce(&File) -> Result<(), Fault>) -> Result<(), SubjectError> {
        if !self.main.is_alone()? {
            return self.rewrite(work);
        }
        let done = self.main.here(|| work(&self.main.file));
        self.main.rest();
        done
    }

    /// Changes the subject's own file in a copy, which takes its place.
    fn rewrite<T>(&mut self, work: impl FnOnce(&File) -> Result<T, Fault>) -> Result<T, SubjectError> {
        let result = self.main.rewrite(work)?;
        self.is_rewritten().map(|()| result)
    }

    /// The same, after something else that makes the copy shorter.
    fn rewrite_in_two(
        &mut self,
        shorten: impl FnOnce(&File) -> Result<(), Fault>,
        work: impl FnOnce(&File) -> Result<(), Fault>,
    ) -> Result<(), SubjectError> {
        self.main.rewrite_in_two(shorten, work)?;
        self.is_rewritten()
    }

    fn is_rewritten(&mut self) -> Result<(), SubjectError> {
        self.sessions.get_mut().clear();
        (self.index, self.moves) = read_lists(&self.main)?;
        Ok(())
    }

    /// Whether the index has all there is of a session.
    fn is_packed(&self, number: SessionNumber) -> bool {
        self.index.contains_key(&number) && !self.is_growing(number) && !self.running.contains(&number)
    }

    /// The file that has a session, or would.
    fn held(&self, number: SessionNumber) -> &Held {
        self.growing.get(&number).unwrap_or(&self.main)
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> Result<Vec<SessionSummary>, SubjectError> {
        let sessions = self.numbers()?.into_iter().map(|number| self.summary(number));
        Ok(self.in_order(sessions.collect::<Result<_, _>>()?))
    }

    /// The session of this uuid.
    pub fn session_by_uuid(&self, uuid: Uuid) -> Result<Option<SessionSummary>, SubjectError> {
        let packed = |session: &&SessionSummary| session.uuid == uuid && self.is_packed(session.number);
        if let Some(known) = self.index.values().rfind(packed) {
            return Ok(Some(known.clone()));
        }
        for number in self.numbers()?.into_iter().rev().filter(|number| !self.is_packed(*number)) {
            let summary = self.summary_of(number)?;
            if summary.uuid == uuid {
                return Ok(Some(summary));
            }
        }
        Ok(None)
    }

    /// A session in a few words.
    pub fn summary(&self, number: SessionNumber) -> Result<SessionSummary, SubjectError> {
        match self.index.get(&number).filter(|_| self.is_packed(number)) {
            Some(summary) => Ok(summary.clone()),
            None => self.summary_of(number),
        }
    }

    fn summary_of(&self, number: SessionNumber) -> Result<SessionSummary, SubjectError> {
        let group = self.session_group(number)?;
        self.held(number).here(|| {
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
        let held = self.held(number);
        held.here(|| start::read(&group, |hash| subject::source(&held.file, hash)))
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

    /// How the computer fared that a session ran on.
    pub fn health(&self, number: SessionNumber) -> Result<Vec<Health>, SubjectError> {
        self.with_session(number, |session| session.health())
    }

    /// What was said of a session when it was packed; `None` where nothing was.
    pub fn report(&self, number: SessionNumber) -> Result<Option<String>, SubjectError> {
        let group = self.session_group(number)?;
        self.held(number).here(|| group.link_exists(REPORT).then(|| text::read(&group, REPORT)).transpose())
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
                Some(step) if step.is_same(at) => {}
                Some(step) if step.protocol == at.protocol => break,
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
        let names = self.main.here(|| {
            let list = || self.main.file.group("sessions")?.member_names();
            list().doing(|| "list the sessions of".to_owned())
        })?;
        let mut numbers: BTreeSet<SessionNumber> =
            names.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.extend(self.growing.keys());
        Ok(numbers.difference(&self.running).copied().collect())
    }

    fn session_group(&self, number: SessionNumber) -> Result<Group, SubjectError> {
        if self.running.contains(&number) {
            return Err(SubjectError::Runs { path: self.path().to_owned(), number });
        }
        whole::group(&self.held(number).file, number).map_err(|_| {
            match self.moved_away(|away| away.number == number) {
                Some(away) => self.went(away),
                None => SubjectError::NoSession { path: self.path().to_owned(), number },
            }
        })
    }

    fn went(&self, Move { number, other, there, .. }: &Move) -> SubjectError {
        let (number, to, there) = (*number, other.clone(), *there);
        SubjectError::Moved { path: self.path().to_owned(), number, to, there }
    }

    /// Does something with a session, which is opened the first time.
    fn with_session<T>(
        &self,
        number: SessionNumber,
        work: impl FnOnce(&mut Records) -> Result<T, Fault>,
    ) -> Result<T, SubjectError> {
        let mut sessions = self.sessions.borrow_mut();
        let held = self.held(number);
        if let std::collections::btree_map::Entry::Vacant(place) = sessions.entry(number) {
            let group = self.session_group(number)?;
            place.insert(held.here(|| Records::open(&group, start::read_columns(&group)?))?);
        }
        let session = sessions.get_mut(&number).expect("the session was put there just above");
        held.here(|| work(session))
    }

    /// That the files may be written to, and are whole.
    fn check_writable(&self) -> Result<(), SubjectError> {
        if !self.writable {
            return Err(SubjectError::ReadOnly(self.path().to_owned()));
        }
        self.main.check_whole()?;
        self.growing.values().try_for_each(Held::check_whole)
    }
}

/// The lists that a file has of its sessions.
fn read_lists(main: &Held) -> Result<(index::Index, Vec<Move>), SubjectError> {
    main.here(|| Ok((index::read(&main.file)?, moved::read(&main.file)?)))
}
