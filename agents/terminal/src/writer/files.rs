//! The subject files, as the writer's thread has them: open while it needs them.

use std::collections::{BTreeMap, BTreeSet};

use bramble_subject::{
    Biography, By, Change, ClockEstimate, Health, MoveOrder, SessionNumber, SetAside, SubjectError,
    SubjectFile, Subjects, Way,
};
use bramble_value::{Name, SubjectId};
use uuid::Uuid;

/// The most files that stay open: an open one takes two of the process's
/// descriptors and some memory.
const MOST_HELD: usize = 256;

/// Every subject's file. Those of subjects in a session stay open, where they
/// aren't too many; the others are open only for a moment, so that a notebook may
/// have them in between.
#[derive(Debug)]
pub(crate) struct Files {
    subjects: Subjects,
    held: BTreeMap<SubjectId, Held>,
    /// Counts uses of files that are held.
    uses: u64,
    /// The subjects whose files lack something, and why.
    behind: BTreeMap<SubjectId, String>,
    /// How each pilot's computer fared when it last said so.
    health: BTreeMap<Name, Health>,
    /// What each pilot's clock said when it last did.
    clocks: BTreeMap<Name, ClockEstimate>,
    /// The subjects whose session ended and could not be packed since that was last asked, and why.
    unpacked: BTreeMap<SubjectId, String>,
}

#[derive(Debug)]
struct Held {
    file: SubjectFile,
    used: u64,
}

/// A file that is used beside another.
struct Taken {
    file: SubjectFile,
    /// What it was used at last, where it was held.
    used: Option<u64>,
}

impl Files {
    pub(crate) fn new(subjects: Subjects) -> Files {
        let (held, behind) = (BTreeMap::new(), BTreeMap::new());
        let (health, clocks, unpacked) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Files { subjects, held, uses: 0, behind, health, clocks, unpacked }
    }

    /// The names of all subjects, in order.
    pub(crate) fn list(&self) -> Result<Vec<SubjectId>, SubjectError> {
        self.subjects.list()
    }

    /// The subjects beside whose files there are sessions that are not in them.
    pub(super) fn growing(&self) -> Result<BTreeSet<SubjectId>, SubjectError> {
        self.subjects.growing()
    }

    /// A session of this subject is over and could not be packed.
    pub(super) fn was_not_packed(&mut self, id: &SubjectId, why: String) {
        self.unpacked.insert(id.clone(), why);
    }

    /// The subjects of which that is so since this was last asked, and why.
    pub(super) fn take_unpacked(&mut self) -> BTreeMap<SubjectId, String> {
        std::mem::take(&mut self.unpacked)
    }

    /// Why a subject's file lacks what happened last; `None` where it has everything that the
    /// terminal has.
    pub(crate) fn behind(&self, id: &SubjectId) -> Option<&str> {
        self.behind.get(id).map(String::as_str)
    }

    /// These subjects' files lack something now, and no others.
    pub(super) fn note_behind(&mut self, behind: BTreeMap<SubjectId, String>) {
        self.behind = behind;
    }

    /// A new subject's file.
    pub(crate) fn create(&self, id: &SubjectId, biography: &Biography, by: &By) -> Result<(), SubjectError> {
        self.subjects.create(id, biography, by).map(drop)
    }

    /// Whether a file of a subject's is provably not whole.
    pub(crate) fn is_broken(&self, id: &SubjectId) -> Result<bool, SubjectError> {
        SubjectFile::is_broken(&self.subjects.path(id))
    }

    /// Sets aside what is provably broken of a subject, and says where that is kept; its
    /// history says so too. `None` where all may be well.
    pub(crate) fn replace_broken(
        &mut self,
        id: &SubjectId,
        by: By,
    ) -> Result<Option<SetAside>, SubjectError> {
        let open = self.held.contains_key(id);
        let aside = SubjectFile::replace_broken(&self.subjects.path(id), id, &by, open)?;
        if let Some(aside) = &aside {
            self.held.remove(id);
            let from = aside.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            let to = match aside {
                SetAside::Subject(_) => "a new one",
                SetAside::Session(_) => "",
            };
            let By { when, who } = by;
            let change = Change { when, who, what: "file".to_owned(), from, to: to.to_owned() };
            self.subjects.open(id)?.log(&change)?;
        }
        Ok(aside)
    }

    /// Does something with a subject's file that changes nothing.
    pub(crate) fn read<T>(
        &self,
        id: &SubjectId,
        work: impl FnOnce(&SubjectFile) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        match self.held.get(id) {
            Some(held) => work(&held.file),
            None => work(&self.subjects.open_read_only(id)?),
        }
    }

    /// Does something with a subject's file.
    pub(crate) fn write<T>(
        &mut self,
        id: &SubjectId,
        work: impl FnOnce(&mut SubjectFile) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        self.let_go_where_lost(id);
        match self.held.get_mut(id) {
            Some(held) => work(&mut held.file),
            None => work(&mut self.subjects.open(id)?),
        }
    }

    /// Moves a session to the subject that it is of, and says its number there.
    pub(crate) fn move_session(&mut self, order: &MoveOrder) -> Result<SessionNumber, SubjectError> {
        let mut from = self.take(&order.from)?;
        let there = self.take(&order.to).and_then(|mut to| {
            let there = self.subjects.move_session(order, &mut from.file, &mut to.file);
            self.put_back(&order.to, to);
            there
        });
        self.put_back(&order.from, from);
        there
    }

    /// Ends the moves that were begun and not ended; what can't be done now stays noted.
    pub(crate) fn end_moves(&mut self) {
        let orders = self.subjects.moves_under_way().unwrap_or_else(|error| {
            tracing::error!("{error}");
            Vec::new()
        });
        for order in orders {
            let MoveOrder { from, number, to, .. } = &order;
            match self.move_session(&order) {
                Ok(there) => tracing::info!(
                    "session {number} of {from} is session {there} of {to} now: its move had been cut short"
                ),
                Err(error) => tracing::error!(
                    "session {number} of {from} is not all moved to {to}; that is tried again at the next start: \
                     {error}"
                ),
            }
        }
    }

    /// Whose a session is that a subject had, and its number there, where it is in a file.
    pub(crate) fn whereabouts(
        &self,
        subject: &SubjectId,
        session: Uuid,
    ) -> Result<(SubjectId, Option<SessionNumber>), SubjectError> {
        let (mut at, mut seen) = (subject.clone(), BTreeSet::new());
        loop {
            let is_it = |away: &&bramble_subject::Move| away.way == Way::To && away.session == session;
            let (known, went) = self.read(&at, |file| {
                let went = file.moves().iter().rfind(is_it).map(|away| away.other.clone());
                Ok((file.session_by_uuid(session)?, went))
            })?;
            match went.filter(|_| known.is_none() && seen.insert(at.clone())) {
                Some(other) => at = other,
                None => return Ok((at, known.map(|known| known.number))),
            }
        }
    }

    /// Whose file has a session; `None` where none has.
    ///
    /// # Errors
    /// Where it isn't found, and a file that may have it is open in another program.
    pub(super) fn of_session(&self, session: Uuid) -> Result<Option<SubjectId>, SubjectError> {
        let growing = self.growing()?;
        let others = self.list()?.into_iter().filter(|id| !growing.contains(id));
        let mut closed = Ok(None);
        for id in growing.iter().cloned().chain(others) {
            match self.read(&id, |file| file.session_by_uuid(session)) {
                Ok(Some(_)) => return Ok(Some(id)),
                Ok(None) => {}
                Err(error @ SubjectError::InUse(_)) => closed = Err(error),
                // What nobody can read has nothing to be gone on with.
                Err(error) => tracing::warn!("{error}"),
            }
        }
        closed
    }

    /// A file to write to, out of those that are held or newly open.
    fn take(&mut self, id: &SubjectId) -> Result<Taken, SubjectError> {
        self.let_go_where_lost(id);
        match self.held.remove(id) {
            Some(Held { file, used }) => Ok(Taken { file, used: Some(used) }),
            None => Ok(Taken { file: self.subjects.open(id)?, used: None }),
        }
    }

    /// A file that was held is so again; another is closed.
    fn put_back(&mut self, id: &SubjectId, Taken { file, used }: Taken) {
        if let Some(used) = used {
            self.held.insert(id.clone(), Held { file, used });
        }
    }

    /// Opens a subject's file and keeps it open; where many are, the one that was
    /// not used for longest is closed.
    pub(crate) fn hold(&mut self, id: &SubjectId) -> Result<&mut SubjectFile, SubjectError> {
        self.let_go_where_lost(id);
        if !self.held.contains_key(id) {
            if self.held.len() >= MOST_HELD {
                let oldest = self.held.iter().min_by_key(|(_, held)| held.used);
                let oldest = oldest.map(|(id, _)| id.clone());
                oldest.map(|id| self.held.remove(&id));
            }
            let file = self.subjects.open(id)?;
            self.held.insert(id.clone(), Held { file, used: 0 });
        }
        self.uses += 1;
        let held = self.held.get_mut(id).expect("the file was put there just above");
        held.used = self.uses;
        Ok(&mut held.file)
    }

    /// How a pilot's computer fared when it last said so.
    pub(crate) fn health_of(&self, pilot: &Name) -> Option<Health> {
        self.health.get(pilot).copied()
    }

    /// What a pilot's clock says.
    pub(super) fn hear_clock(&mut self, pilot: Name, estimate: ClockEstimate) {
        self.clocks.insert(pilot, estimate);
    }

    /// Has a session that begins on a pilot begin with what is known of that one's clock: a short one
    /// may be over before more is.
    pub(super) fn begin_clock(
        &mut self,
        pilot: &Name,
        subject: &SubjectId,
        number: SessionNumber,
    ) -> Result<(), SubjectError> {
        let Some(estimate) = self.clocks.get(pilot).copied() else { return Ok(()) };
        let file = self.hold(subject)?;
        // A start that is told twice.
        if file.clock(number)?.is_empty() { file.add_clock(number, &[estimate]) } else { Ok(()) }
    }

    /// How a pilot's computer fares.
    pub(crate) fn hear_health(&mut self, pilot: Name, health: Health) {
        self.health.insert(pilot, health);
    }

    /// Closes a file that was held, where another program may have written to it.
    fn let_go_where_lost(&mut self, id: &SubjectId) {
        if self.held.get(id).is_some_and(|held| held.file.is_lost()) {
            self.let_go(id);
        }
    }

    /// Closes a file that was held.
    pub(crate) fn let_go(&mut self, id: &SubjectId) {
        self.held.remove(id);
    }
}
