//! Whose the messages of an outbox are, where nobody else could make use of them.

use std::fmt;

use bramble_journal::{Journal, JournalError};
use bramble_value::Name;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::endpoint::Endpoint;
use crate::outbox::{JournalOutbox, Outbox, OutboxError};
use crate::protocol::Window;

/// An agent that keeps for good what it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressee {
    /// What it keeps messages in, wherever that is and whatever it is called: of a terminal, its lab.
    pub keeper: Uuid,
    /// What it was called.
    pub name: Name,
    /// Where it was dialed.
    pub at: Endpoint,
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Endpoint::Find(_) => write!(f, "`{}`", self.name),
            at => write!(f, "`{}` at {at}", self.name),
        }
    }
}

/// What an outbox remembers of whom it was linked to, and of what it was sent as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressed {
    sender: Name,
    to: Option<Addressee>,
    counts_on: bool,
}

impl Addressed {
    /// Of a sender that wasn't linked to anybody yet.
    pub fn by(sender: Name) -> Addressed {
        Addressed { sender, to: None, counts_on: false }
    }

    /// What the journal remembers of a lane; `None` where it never was linked by an
    /// [`AddressedOutbox`].
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn recall(journal: &Journal, lane: &str) -> Result<Option<Addressed>, JournalError> {
        let bytes = journal.recall(&key(lane))?;
        // What can't be read is of another version, and as good as nothing.
        Ok(bytes.and_then(|bytes| rmp_serde::from_slice(&bytes).ok()))
    }

    /// The name that the messages are sent by.
    pub fn sender(&self) -> &Name {
        &self.sender
    }

    /// Who was linked last.
    pub fn to(&self) -> Option<&Addressee> {
        self.to.as_ref()
    }

    /// Whether the numbers go on from those that were another's, or had another sender: a new
    /// count is to begin as soon as nothing waits, so that nobody misses what it was never sent.
    pub fn counts_on(&self) -> bool {
        self.counts_on
    }

    /// A new count has begun.
    pub fn begun_anew(&mut self) {
        self.counts_on = false;
    }

    /// They go to this one from now on; to `None` where nobody knows what it keeps them in, as of one
    /// of an older version.
    pub fn turn_to(&mut self, to: Option<Addressee>) {
        let keeper = |to: &Option<Addressee>| to.as_ref().map(|to| to.keeper);
        self.counts_on |= self.to.is_some() && keeper(&self.to) != keeper(&to);
        self.to = to;
    }

    /// They are sent by this name from now on.
    fn send_as(&mut self, sender: &Name) {
        self.counts_on |= self.sender != *sender;
        self.sender.clone_from(sender);
    }

    fn written(&self) -> Vec<u8> {
        // Writing names, texts and numbers into memory has no way to fail.
        rmp_serde::to_vec_named(self).expect("whom messages are for has a MessagePack form")
    }
}

fn key(lane: &str) -> String {
    format!("addressee of {lane}")
}

/// An outbox that is a lane of a journal, whose messages belong together: what waits goes to
/// nobody but whom it was observed for, by the name that it was observed under. Once nothing
/// waits, whoever is linked next has what follows.
#[derive(Debug)]
pub struct AddressedOutbox {
    outbox: JournalOutbox,
    at: Endpoint,
    waits: Waits,
    addressed: Addressed,
    /// What the journal has of that.
    remembered: Option<Addressed>,
}

/// Whether something is in the journal, or is to follow what was, that nobody else could use.
type Waits = fn(&Journal) -> Result<bool, JournalError>;

impl AddressedOutbox {
    /// The outbox in a lane of `journal`, of an agent that is called so and dials there.
    ///
    /// # Errors
    /// When the journal can't be read or written, or what waits has another sender.
    pub fn open(
        journal: Journal,
        lane: &str,
        sender: &Name,
        at: Endpoint,
        waits: Waits,
    ) -> Result<AddressedOutbox, OutboxError> {
        let remembered = Addressed::recall(&journal, lane)?;
        let mut addressed = remembered.clone().unwrap_or_else(|| Addressed::by(sender.clone()));
        if addressed.sender() != sender && waits(&journal)? {
            let (sender, before) = (sender.clone(), addressed.sender);
            return Err(OutboxError::OtherSender { sender, before });
        }
        addressed.send_as(sender);
        let outbox = JournalOutbox::open(journal, lane)?;
        Ok(AddressedOutbox { outbox, at, waits, addressed, remembered })
    }

    /// Has the journal know what this outbox does.
    fn remember(&mut self) -> Result<(), OutboxError> {
        if self.remembered.as_ref() != Some(&self.addressed) {
            let (journal, lane) = self.outbox.place();
            journal.remember(&key(lane), self.addressed.written())?;
            self.remembered = Some(self.addressed.clone());
        }
        Ok(())
    }
}

impl Outbox for AddressedOutbox {
    fn epoch(&self) -> Uuid {
        self.outbox.epoch()
    }

    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        self.outbox.push(payload)
    }

    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        self.outbox.read(after, most)
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        self.outbox.release(up_to)
    }

    fn last(&self) -> Result<u64, OutboxError> {
        self.outbox.last()
    }

    fn released(&self) -> Result<u64, OutboxError> {
        self.outbox.released()
    }

    fn addressee(&mut self) -> Result<Option<Addressee>, OutboxError> {
        if (self.waits)(self.outbox.place().0)? {
            return Ok(self.addressed.to.clone());
        }
        if self.addressed.counts_on() {
            self.outbox.begin_anew()?;
            self.addressed.begun_anew();
            self.remember()?;
        }
        Ok(None)
    }

    fn turn_to(&mut self, keeper: Option<Uuid>, name: &Name) -> Result<(), OutboxError> {
        let to = |keeper| Addressee { keeper, name: name.clone(), at: self.at.clone() };
        self.addressed.turn_to(keeper.map(to));
        self.remember()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: &str = "terminal";

    fn waits(journal: &Journal) -> Result<bool, JournalError> {
        journal.pending(LANE).map(|pending| pending > 0)
    }

    fn open(journal: &Journal, sender: &str) -> Result<AddressedOutbox, OutboxError> {
        let at = "tcp://desk:5600".parse().unwrap();
        AddressedOutbox::open(journal.clone(), LANE, &sender.parse().unwrap(), at, waits)
    }

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        (folder, journal)
    }

    fn desk() -> Name {
        "desk".parse().unwrap()
    }

    #[test]
    fn what_waits_is_for_whom_was_linked_last_over_any_restart() {
        let (_folder, journal) = journal();
        let lab = Uuid::new_v4();
        let mut outbox = open(&journal, "box1").unwrap();
        outbox.push("poke".into()).unwrap();
        assert_eq!(outbox.addressee().unwrap(), None, "as an older Bramble left it");
        outbox.turn_to(Some(lab), &desk()).unwrap();
        let mut outbox = open(&journal, "box1").unwrap();
        let addressee = outbox.addressee().unwrap().unwrap();
        assert_eq!((addressee.keeper, addressee.to_string().as_str()), (lab, "`desk` at tcp://desk:5600"));
        outbox.release(1).unwrap();
        assert_eq!(outbox.addressee().unwrap(), None);
    }

    #[test]
    fn a_count_goes_on_for_one_lab_and_begins_anew_for_another_once_nothing_waits() {
        let (_folder, journal) = journal();
        let (lab, other) = (Uuid::new_v4(), Uuid::new_v4());
        let mut outbox = open(&journal, "box1").unwrap();
        let first = outbox.epoch();
        outbox.turn_to(Some(lab), &desk()).unwrap();
        outbox.turn_to(Some(lab), &"desk-by-another-name".parse().unwrap()).unwrap();
        outbox.addressee().unwrap();
        assert_eq!(outbox.epoch(), first);
        outbox.turn_to(Some(other), &desk()).unwrap();
        outbox.push("poke".into()).unwrap();
        // Also over a restart.
        let mut outbox = open(&journal, "box1").unwrap();
        assert_eq!(outbox.addressee().unwrap().map(|addressee| addressee.keeper), Some(other));
        assert_eq!(outbox.epoch(), first, "what is on its way keeps its number");
        outbox.release(1).unwrap();
        assert_eq!(outbox.addressee().unwrap(), None);
        let second = outbox.epoch();
        assert_ne!(second, first);
        let mut outbox = open(&journal, "box1").unwrap();
        outbox.addressee().unwrap();
        assert_eq!(outbox.epoch(), second);
    }

    #[test]
    fn what_waits_is_sent_by_no_other_name() {
        let (_folder, journal) = journal();
        let mut outbox = open(&journal, "box1").unwrap();
        let first = outbox.epoch();
        outbox.turn_to(Some(Uuid::new_v4()), &desk()).unwrap();
        outbox.push("poke".into()).unwrap();
        let refused = open(&journal, "box7").unwrap_err().to_string();
        assert!(refused.contains("observed as `box1`, and this is `box7`"), "{refused}");
        outbox.release(1).unwrap();
        let mut outbox = open(&journal, "box7").unwrap();
        outbox.addressee().unwrap();
        assert_ne!(outbox.epoch(), first);
    }
}
