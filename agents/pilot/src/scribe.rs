//! The thread that makes what was observed durable, and has it sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bramble_journal::{Journal, JournalError};
use bramble_message::{Activity, Answer, Bytes, Ended, ParameterSet, PilotToTerminal, Started, encode};
use bramble_value::{Person, Record, Time};
use uuid::Uuid;

use crate::memory::{LANE, Sessions};
use crate::reserve::Reserve;
use crate::tally::Tally;
use crate::watch::Watch;

/// As many entries wait for the disk before a simulated session does.
const ROOM: usize = 16_384;

/// As many records go into one message.
const BATCH: usize = 512;

/// Something to be written down. Each is written after those before it.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A session started, and is watched from now on.
    Started(Box<Started>, Box<Watch>),
    /// Something was observed in a session.
    Record(Uuid, Record),
    /// A session was taken over, by this person.
    Owner(Uuid, Person),
    /// A person changed a parameter.
    Set(ParameterSet),
    /// A session ended.
    Ended(Ended),
    /// A command is answered.
    Answer(Answer),
}

/// The way to the scribe, from any thread.
#[derive(Debug, Clone)]
pub(crate) struct Pen(SyncSender<Entry>);

impl Pen {
    /// Has an entry written down; where the disk is behind, waits for it.
    pub(crate) fn write(&self, entry: Entry) {
        // The scribe ends after every pen is gone.
        let _ = self.0.send(entry);
    }
}

/// The scribe's thread.
#[derive(Debug)]
pub(crate) struct Scribe {
    /// Nothing ever comes; it is closed when the thread ends.
    done: Receiver<()>,
    hurry: Arc<AtomicBool>,
}

/// What the pilot is doing, as far as it is written down.
#[derive(Debug, Clone)]
pub(crate) struct Doing(Arc<Mutex<Done>>);

#[derive(Debug)]
struct Done {
    activity: Activity,
    tally: Tally,
}

impl Doing {
    /// What it is doing, and how many records wait for the terminal, which has acknowledged
    /// messages up to `released`.
    pub(crate) fn now(&self, released: u64) -> (Activity, u64) {
        let mut done = self.done();
        (done.activity.clone(), done.tally.after(released))
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        // What is under the lock is whole after each statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scribe {
    /// Starts it, where so much waits already. `sent` is told whenever the journal has got
    /// more.
    pub(crate) fn start(
        journal: Journal,
        tally: Tally,
        sessions: Sessions,
        reserve: Reserve,
        sent: impl Fn() + Send + 'static,
    ) -> std::io::Result<(Scribe, Pen, Doing)> {
        let (pen, entries) = sync_channel(ROOM);
        let hurry = Arc::new(AtomicBool::new(false));
        let done = Done { activity: Activity::Idle, tally };
        let doing = Doing(Arc::new(Mutex::new(done)));
        let mut book = Book {
            journal,
            sessions,
            messages: Vec::new(),
            counts: Vec::new(),
            records: Vec::new(),
            watch: None,
            doing: doing.clone(),
            insistence: Insistence { hurry: hurry.clone(), reserve },
        };
        let (ends, done) = sync_channel::<()>(0);
        let body = move || {
            book.keep(&entries, sent);
            drop(ends);
        };
        std::thread::Builder::new().name("scribe".to_owned()).spawn(body)?;
        Ok((Scribe { done, hurry }, Pen(pen), doing))
    }

    /// Waits until everything is written, but not longer than this. Every pen
    /// should be gone.
    pub(crate) fn finish(self, within: Duration) {
        self.hurry.store(true, Ordering::Relaxed);
        if self.done.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("what was observed last could not be written down in time");
        }
    }
}

struct Book {
    journal: Journal,
    sessions: Sessions,
    /// To be written together, and how many records are in each.
    messages: Vec<Bytes>,
    counts: Vec<u64>,
    /// The next message's, all of one session.
    records: Vec<(Uuid, Record)>,
    /// How far the session is that runs.
    watch: Option<Box<Watch>>,
    doing: Doing,
    insistence: Insistence,
}

/// How writing is tried until it is done.
struct Insistence {
    /// The pilot is ending: a full disk is not waited for.
    hurry: Arc<AtomicBool>,
    /// Given to what is written where the disk is full.
    reserve: Reserve,
}

impl Book {
    fn keep(&mut self, entries: &Receiver<Entry>, sent: impl Fn()) {
        while let Ok(first) = entries.recv() {
            self.take(first);
            // What waits already is synced to the disk together with it.
            for entry in entries.try_iter().take(ROOM) {
                self.take(entry);
            }
            self.write();
            self.doing.done().activity = match &self.watch {
                Some(watch) => Activity::Running(watch.progress()),
                None => Activity::Idle,
            };
            sent();
        }
    }

    fn take(&mut self, entry: Entry) {
        if let Entry::Record(session, record) = entry {
            let other = self.records.first().is_some_and(|(first, _)| *first != session);
            if other || self.records.len() >= BATCH {
                self.close_batch();
            }
            if let Some(watch) = &mut self.watch {
                watch.note(&record);
            }
            return self.records.push((session, record));
        }
        self.close_batch();
        match entry {
            Entry::Record(..) => {}
            Entry::Answer(answer) => self.push(&PilotToTerminal::Answer(answer), 0),
            Entry::Started(started, watch) => {
                let session = started.request.session;
                self.watch = Some(watch);
                self.note(|sessions, number, journal| sessions.note_start(session, number, journal));
                self.push(&PilotToTerminal::Started(started), 0);
            }
            Entry::Owner(session, owner) => {
                if let Some(watch) = &mut self.watch {
                    watch.is_owned_by(owner.clone());
                }
                self.push(&PilotToTerminal::Owner { session, owner }, 0);
            }
            Entry::Set(set) => self.push(&PilotToTerminal::Parameter(set), 0),
            Entry::Ended(ended) => {
                let session = ended.session;
                self.watch = None;
                self.note(|sessions, number, journal| sessions.note_end(session, number, journal));
                self.push(&PilotToTerminal::Ended(ended), 0);
            }
        }
    }

    fn close_batch(&mut self) {
        let Some((session, _)) = self.records.first() else { return };
        let session = *session;
        let records: Vec<Record> = self.records.drain(..).map(|(_, record)| record).collect();
        let count = records.len() as u64;
        self.push(&PilotToTerminal::Records { session, records }, count);
    }

    fn push(&mut self, message: &PilotToTerminal, records: u64) {
        self.messages.push(encode(message));
        self.counts.push(records);
    }

    /// Notes a message's number before it is written.
    fn note(&mut self, note: impl Fn(&mut Sessions, u64, &Journal) -> Result<(), JournalError>) {
        self.write();
        let (journal, sessions) = (&self.journal, &mut self.sessions);
        self.insistence.insist(|| note(sessions, journal.last(LANE) + 1, journal));
    }

    fn write(&mut self) {
        self.close_batch();
        if !self.messages.is_empty() {
            let mut numbers = None;
            self.insistence.insist(|| {
                numbers = Some(self.journal.append(LANE, &self.messages)?);
                Ok(())
            });
            let mut done = self.doing.done();
            for (number, count) in numbers.into_iter().flatten().zip(&self.counts) {
                done.tally.add(number, *count);
            }
            drop(done);
            self.messages.clear();
            self.counts.clear();
        }
    }
}

impl Insistence {
    /// Tries until the disk has room again, and while it has none, what the scribe
    /// is told waits.
    fn insist(&self, mut attempt: impl FnMut() -> Result<(), JournalError>) {
        let mut told = false;
        while let Err(error) = attempt() {
            if !std::mem::replace(&mut told, true) {
                tracing::error!("{error}");
                if matches!(error, JournalError::DiskFull { .. }) {
                    self.reserve.give();
                    continue;
                }
            }
            if self.hurry.load(Ordering::Relaxed) {
                tracing::error!("what was observed last could not be written down");
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// When the last record that is still in the journal was made, of this session.
pub(crate) fn last_time(journal: &Journal, session: Uuid) -> Option<Time> {
    let last = journal.last(LANE);
    let latest = journal.read(LANE, last.saturating_sub(LOOK_BACK), usize::MAX).ok()?;
    latest.iter().rev().find_map(|(_, bytes)| match bramble_message::decode(bytes).ok()? {
        PilotToTerminal::Started(started) if started.request.session == session => Some(started.time),
        PilotToTerminal::Records { session: of, records } if of == session => {
            records.iter().rev().map(time_of).next()
        }
        _ => None,
    })
}

/// As many messages are looked at: between records there may be answers.
const LOOK_BACK: u64 = 64;

/// When a record was made.
pub(crate) fn time_of(record: &Record) -> Time {
    match record {
        Record::Event(event) => event.time,
        Record::Row(row) => row.end,
        Record::Note { time, .. } => *time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_message::Ask;
    use bramble_value::Ending;

    fn note(at: i64) -> Record {
        Record::Note { time: Time::from_ns(at), text: at.to_string() }
    }

    fn ended(session: Uuid) -> Ended {
        let (ending, why) = (Ending::Done, String::new());
        Ended { session, ending, why, graduated: false, paused: false, time: Time::ZERO, unix_ns: 0 }
    }

    /// Writes entries through a scribe and reads the lane back.
    fn written(entries: Vec<Entry>) -> Vec<PilotToTerminal> {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        let (scribe, pen, _) = Scribe::start(
            journal.clone(),
            Tally::default(),
            Sessions::default(),
            Reserve::in_folder(folder.path()),
            || {},
        )
        .unwrap();
        for entry in entries {
            pen.write(entry);
        }
        drop(pen);
        scribe.finish(Duration::from_secs(60));
        let lane = journal.read(LANE, 0, usize::MAX).unwrap();
        lane.iter().map(|(_, bytes)| bramble_message::decode(bytes).unwrap()).collect()
    }

    #[test]
    fn everything_is_written_in_its_order_with_records_together() {
        let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
        let answer = || Answer { ask: Ask(1), outcome: Ok(()) };
        let mut entries: Vec<Entry> = (0..2000).map(|at| Entry::Record(first, note(at))).collect();
        entries.push(Entry::Answer(answer()));
        entries.push(Entry::Record(second, note(2000)));
        entries.push(Entry::Record(first, note(2001)));
        entries.push(Entry::Ended(ended(first)));

        let mut times = Vec::new();
        let mut kinds = Vec::new();
        for message in written(entries) {
            match message {
                PilotToTerminal::Records { session, records } => {
                    assert!(records.len() <= BATCH);
                    times.extend(records.iter().map(|record| time_of(record).ns()));
                    kinds.push(if session == first { 'f' } else { 's' });
                }
                PilotToTerminal::Answer(_) => kinds.push('a'),
                PilotToTerminal::Ended(_) => kinds.push('e'),
                PilotToTerminal::Started(_)
                | PilotToTerminal::Owner { .. }
                | PilotToTerminal::Parameter(_) => unreachable!(),
            }
        }
        assert_eq!(times, (0..=2001).collect::<Vec<i64>>());
        kinds.dedup();
        assert_eq!(kinds, ['f', 'a', 's', 'f', 'e']);
    }

    #[test]
    fn the_last_record_of_a_session_that_was_cut_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        let session = Uuid::new_v4();
        assert_eq!(last_time(&journal, session), None);
        let records = vec![note(3), note(7)];
        journal.append(LANE, &[encode(&PilotToTerminal::Records { session, records })]).unwrap();
        assert_eq!(last_time(&journal, session), Some(Time::from_ns(7)));
        assert_eq!(last_time(&journal, Uuid::new_v4()), None);
    }
}
