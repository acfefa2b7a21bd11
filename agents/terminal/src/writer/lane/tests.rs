use std::cell::RefCell;
use std::collections::BTreeMap;

use bramble_message::{ColumnInfo, ParameterSet, Software, StartSession, encode};
use bramble_subject::{Biography, ClockEstimate, MoveOrder, SubjectFile, Subjects};
use bramble_value::{Ending, Event, Kind, Names, Record, Row, Source, Sources, Time, Value, ValueType};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::writer::timestamp;

/// A data folder with a journal and one subject.
struct Lab {
    data: TempDir,
    journal: Journal,
    files: Files,
    subject: SubjectId,
    lane: String,
    news: RefCell<Vec<News>>,
}

impl Lab {
    fn new() -> Lab {
        let data = tempfile::tempdir().unwrap();
        let files = Files::new(Subjects::in_folder(data.path()).unwrap());
        let subject: SubjectId = "M001".parse().unwrap();
        let by = By { who: "ada".into(), when: timestamp(0) };
        files.create(&subject, &Biography::default(), &by).unwrap();
        let journal = Journal::open(data.path().join("journal.sqlite")).unwrap();
        let lane = lane_name(&"box1".parse().unwrap(), Uuid::from_u128(1));
        Lab { data, journal, files, subject, lane, news: RefCell::default() }
    }

    fn hear(&self, messages: &[PilotToTerminal]) {
        self.journal.append(&self.lane, &messages.iter().map(encode).collect::<Vec<_>>()).unwrap();
    }

    fn open(&self) -> Lane {
        Lane::open(&self.journal, &self.lane).unwrap().unwrap()
    }

    fn write(&mut self, lane: &mut Lane) {
        let news = |news| self.news.borrow_mut().push(news);
        assert!(lane.write(&self.journal, &mut self.files, &news));
        keep(vec![lane], &self.journal, &mut self.files, &news);
    }

    fn trials(&self) -> Vec<u32> {
        let trials = self.files.read(&self.subject, |file| file.trials(SessionNumber::new(1))).unwrap();
        trials.rows.iter().map(|row| row.trial).collect()
    }

    fn ending(&self) -> Option<Ending> {
        let sessions = self.files.read(&self.subject, SubjectFile::sessions).unwrap();
        sessions[0].end.as_ref().map(|end| end.ending)
    }

    fn set_aside(&self) -> usize {
        self.journal.read(SET_ASIDE, 0, 100).unwrap().len()
    }
}

const SESSION: Uuid = Uuid::from_u128(77);

fn started() -> PilotToTerminal {
    let request = StartSession {
        session: SESSION,
        subject: "M001".parse().unwrap(),
        owner: "alice@desk".parse().unwrap(),
        task: Sources { root: "t.star".into(), files: BTreeMap::from([("t.star".into(), "task()".into())]) },
        parameters: BTreeMap::new(),
        seed: Seed(1),
        kept: BTreeMap::new(),
        graduation: None,
        trials: None,
        paused: false,
        despite_check: false,
        confirmed: Default::default(),
        unix_ns: None,
        origin: Default::default(),
    };
    let software = Software {
        program: "bramble-pilot".into(),
        version: "0.1.0".into(),
        host: "pi".into(),
        system: "linux aarch64".into(),
    };
    PilotToTerminal::Started(Box::new(Started {
        request,
        task_name: "t".into(),
        task_doc: String::new(),
        parameters: Vec::new(),
        columns: vec![ColumnInfo {
            name: "n".parse().unwrap(),
            kind: ValueType::Integer,
            doc: String::new(),
        }],
        names: Names::default(),
        time: Time::ZERO,
        unix_ns: 0,
        software,
        provenance: serde_json::Value::Null,
        texts: BTreeMap::new(),
    }))
}

fn row(trial: u32, values: Vec<Option<Value>>) -> Record {
    Record::Row(Row { trial, start: Time::ZERO, end: Time::ZERO, ending: Ending::Done, values })
}

/// A trial with its event and its row.
fn trial(number: u32) -> PilotToTerminal {
    let event = Event { time: Time::ZERO, trial: number, kind: Kind::Input, source: Source(0), value: 1.0 };
    let row = row(number, vec![Some(Value::Integer(number.into()))]);
    PilotToTerminal::Records { session: SESSION, records: vec![Record::Event(event), row] }
}

fn ended() -> PilotToTerminal {
    PilotToTerminal::Ended(Ended {
        session: SESSION,
        ending: Ending::Done,
        why: String::new(),
        graduated: false,
        paused: false,
        time: Time::ZERO,
        unix_ns: 1,
    })
}

#[test]
fn a_session_goes_from_the_journal_to_the_subject_file() {
    let mut lab = Lab::new();
    let mut lane = lab.open();
    lab.hear(&[started(), trial(1), trial(2)]);
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending()), (vec![1, 2], None));
    lab.hear(&[trial(3), ended()]);
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending()), (vec![1, 2, 3], Some(Ending::Done)));
    assert_eq!(lab.journal.pending(&lab.lane).unwrap(), 0, "the journal let go of what the file has");
}

#[test]
fn a_session_begins_with_what_is_known_of_its_pilots_clock_once() {
    let mut lab = Lab::new();
    let estimate = ClockEstimate { time: Time::ZERO, offset_ns: 7, error_ns: 1, drift_ppb: 0 };
    lab.files.hear_clock("box1".parse().unwrap(), estimate);
    lab.hear(&[started()]);
    assert!(lab.open().write(&lab.journal, &mut lab.files, &|_| ()));
    // A crash came before the journal remembered how far that was.
    let mut lane = lab.open();
    lab.write(&mut lane);
    let clock = lab.files.read(&lab.subject, |file| file.clock(SessionNumber::new(1))).unwrap();
    assert_eq!(clock.iter().map(|estimate| estimate.offset_ns).collect::<Vec<_>>(), [7]);
}

#[test]
fn a_row_that_does_not_fit_is_kept_aside_and_the_others_are_written() {
    let mut lab = Lab::new();
    let wrong = PilotToTerminal::Records { session: SESSION, records: vec![row(2, Vec::new())] };
    lab.hear(&[started(), trial(1), wrong, trial(3), ended()]);
    let mut lane = lab.open();
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending(), lab.set_aside()), (vec![1, 3], Some(Ending::Done), 1));
}

#[test]
fn what_belongs_to_no_session_or_is_no_message_is_kept_aside_and_told_once() {
    let mut lab = Lab::new();
    lab.hear(&[trial(1), trial(1)]);
    lab.journal.append(&lab.lane, &[b"nonsense"]).unwrap();
    lab.hear(&[started(), trial(1)]);
    let mut lane = lab.open();
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.set_aside()), (vec![1], 3));
    let told = lab.news.borrow().iter().filter(|news| matches!(news, News::SetAside { .. })).count();
    assert_eq!(told, 2, "{:?}", lab.news.borrow());
}

#[test]
fn a_session_whose_subject_has_no_file_waits_until_there_is_one() {
    let mut lab = Lab::new();
    let subject: SubjectId = "M999".parse().unwrap();
    let mut stranger = started();
    if let PilotToTerminal::Started(started) = &mut stranger {
        started.request.subject = subject.clone();
    }
    lab.hear(&[stranger, trial(1), ended()]);
    let mut lane = lab.open();
    assert!(!lane.write(&lab.journal, &mut lab.files, &|news| lab.news.borrow_mut().push(news)));
    assert!(
        matches!(&lab.news.borrow()[..], [News::Stuck { why: Some(why), .. }] if why.contains("M999.h5"))
    );
    let by = By { who: "ada".into(), when: timestamp(0) };
    lab.files.create(&subject, &Biography::default(), &by).unwrap();
    lab.write(&mut lane);
    let trials = lab.files.read(&subject, |file| file.trials(SessionNumber::new(1))).unwrap();
    assert_eq!((trials.rows.len(), lab.set_aside()), (1, 0));
}

/// When the session ended whose end was told like this, after trials of which the last took as long.
fn ended_at(provenance: serde_json::Value, lasted: i64, end: Ended) -> String {
    let mut lab = Lab::new();
    let (mut begin, mut last) = (started(), trial(1));
    if let PilotToTerminal::Started(started) = &mut begin {
        (started.time, started.provenance) = (Time::from_ns(5_000_000_000), provenance);
    }
    if let PilotToTerminal::Records { records, .. } = &mut last
        && let [Record::Event(event), Record::Row(row)] = &mut records[..]
    {
        let end = Time::from_ns((5 + lasted) * 1_000_000_000);
        (event.time, row.start, row.end) = (end, end, end);
    }
    lab.hear(&[begin, last, PilotToTerminal::Ended(end)]);
    let mut lane = lab.open();
    lab.write(&mut lane);
    let sessions = lab.files.read(&lab.subject, SubjectFile::sessions).unwrap();
    sessions[0].end.as_ref().unwrap().ended.to_string()
}

#[test]
fn a_session_that_a_crash_cut_ended_with_its_last_record_whenever_its_pilot_is_back() {
    let three_days = 3 * 24 * 3600 * 1_000_000_000;
    let PilotToTerminal::Ended(end) = ended() else { unreachable!("it is an end") };
    let cut = Ended { ending: Ending::Error, unix_ns: three_days, ..end };
    let real = || serde_json::Value::Null;
    // The pilot's journal has nothing of it any more, or the last of it.
    assert_eq!(ended_at(real(), 62, cut.clone()), "1970-01-01T00:01:02Z");
    let told = Ended { time: Time::from_ns(70_000_000_000), ..cut.clone() };
    assert_eq!(ended_at(real(), 62, told), "1970-01-01T00:01:05Z");
    let before = Ended { unix_ns: -three_days, ..cut.clone() };
    assert_eq!(ended_at(real(), 62, before), "1970-01-01T00:01:02Z", "its wall clock is days behind");
    // Hours of its own time took a simulated session seconds.
    let simulated = || serde_json::json!({ "simulation": { "speed": "max" } });
    let soon = Ended { unix_ns: 9_000_000_000, ..cut.clone() };
    assert_eq!(ended_at(simulated(), 7200, soon), "1970-01-01T00:00:09Z");
    assert_eq!(ended_at(simulated(), 62, cut.clone()), "1970-01-01T00:01:02Z");
    // What wasn't cut ended when its pilot says.
    let done = Ended { ending: Ending::Done, ..cut };
    assert_eq!(ended_at(real(), 62, done), "1970-01-04T00:00:00Z");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn however_often_the_terminal_dies_between_file_and_journal_each_trial_is_there_once(
        parts in prop::collection::vec((1u32..4, prop::bool::ANY), 1..8)
    ) {
        let mut lab = Lab::new();
        lab.hear(&[started()]);
        let mut count = 0;
        for (trials, dies) in parts {
            let messages: Vec<_> = (count + 1..=count + trials).map(trial).collect();
            count += trials;
            lab.hear(&messages);
            let mut lane = lab.open();
            if dies {
                // The file has them, and neither the mark nor the journal knows.
                let messages = lab.journal.read(&lab.lane, lane.mark.number, BATCH).unwrap();
                lane.apply(messages, &lab.journal, &mut lab.files, &|_| {}).unwrap();
                let subject = lab.subject.clone();
                lab.files.let_go(&subject);
            } else {
                lab.write(&mut lane);
            }
        }
        lab.hear(&[ended()]);
        let mut lane = lab.open();
        lab.write(&mut lane);
        prop_assert_eq!(lab.trials(), (1..=count).collect::<Vec<_>>());
        prop_assert_eq!((lab.ending(), lab.set_aside()), (Some(Ending::Done), 0));
    }
}

#[test]
fn what_comes_again_of_a_session_that_was_moved_is_where_it_is_now() {
    let mut lab = Lab::new();
    let other: SubjectId = "M002".parse().unwrap();
    let by = By { who: "ada".into(), when: timestamp(0) };
    lab.files.create(&other, &Biography::default(), &by).unwrap();
    let mut lane = lab.open();
    lab.hear(&[started(), trial(1)]);
    lab.write(&mut lane);
    // What this lane remembers is of now; what follows it forgets, as after a crash.
    lab.hear(&[trial(2), ended()]);
    assert!(lane.write(&lab.journal, &mut lab.files, &|_| {}));
    let (from, number) = (lab.subject.clone(), SessionNumber::new(1));
    let order = MoveOrder { session: SESSION, from, number, to: other.clone(), by, why: "wrong".into() };
    lab.files.move_session(&order).unwrap();

    let mut lane = lab.open();
    lab.hear(&[trial(3)]);
    lab.write(&mut lane);
    assert_eq!(lab.set_aside(), 1, "it came after its end");
    let sessions = lab.files.read(&other, SubjectFile::sessions).unwrap();
    assert_eq!((sessions.len(), sessions[0].trials), (1, 2));
    assert_eq!(lab.files.read(&lab.subject, SubjectFile::sessions).unwrap(), []);

    // From its start: a lane that remembers nothing.
    lab.hear(&[started(), trial(1), trial(2), ended()]);
    lab.write(&mut lane);
    assert_eq!(lab.files.read(&other, SubjectFile::sessions).unwrap().len(), 1);
    assert_eq!(lab.files.read(&lab.subject, SubjectFile::sessions).unwrap(), []);
}

#[test]
fn a_parameter_that_a_person_set_is_in_the_history_once_with_what_it_was() {
    let set = |value: &str, unix_ns| {
        let (name, who) = ("reward".into(), "ada@desk".parse().unwrap());
        PilotToTerminal::Parameter(ParameterSet { session: SESSION, name, value: value.into(), who, unix_ns })
    };
    let mut lab = Lab::new();
    lab.hear(&[started(), set("5 uL", 1), trial(1), set("6 uL", 2)]);
    assert!(lab.open().write(&lab.journal, &mut lab.files, &|_| ()));
    // A crash came before the journal remembered how far that was.
    let mut lane = lab.open();
    lab.write(&mut lane);
    let history = lab.files.read(&lab.subject, SubjectFile::history).unwrap();
    let set = history.iter().filter(|change| change.what == "parameter.reward");
    let set: Vec<_> = set.map(|change| [&*change.who, &*change.from, &*change.to]).collect();
    assert_eq!(set, [["ada@desk", "", "5 uL"], ["ada@desk", "5 uL", "6 uL"]]);
}

#[test]
fn a_session_that_the_journal_knows_nothing_of_goes_on_in_the_file_that_has_it() {
    let mut lab = Lab::new();
    let mut lane = lab.open();
    lab.hear(&[started(), trial(1)]);
    lab.write(&mut lane);
    // The journal was damaged and moved away; the pilot goes on after what it had acknowledged.
    lab.journal = Journal::open(lab.data.path().join("another.sqlite")).unwrap();
    lab.journal.begin_after(&lab.lane, 2).unwrap();
    lab.hear(&[trial(2), trial(3), ended()]);
    let mut lane = lab.open();
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending(), lab.set_aside()), (vec![1, 2, 3], Some(Ending::Done), 0));
}

#[test]
fn a_session_whose_end_will_not_be_told_is_over_until_it_is_told_all_the_same() {
    let mut lab = Lab::new();
    let mut lane = lab.open();
    lab.hear(&[started(), trial(1)]);
    lab.write(&mut lane);
    assert!(lane.is_over("its pilot came back without it"));
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending()), (vec![1], Some(Ending::Error)));
    assert!(!lane.is_over("once more"));
    // The computer that it ran on comes back, with all that it observed.
    lab.hear(&[trial(2), trial(3), ended()]);
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending(), lab.set_aside()), (vec![1, 2, 3], Some(Ending::Done), 0));
}

#[test]
fn a_session_is_over_when_its_pilot_begins_another_and_says_nothing_of_its_end() {
    let mut lab = Lab::new();
    let PilotToTerminal::Started(mut second) = started() else { panic!() };
    second.request.session = Uuid::from_u128(78);
    lab.hear(&[started(), trial(1), PilotToTerminal::Started(second)]);
    let mut lane = lab.open();
    lab.write(&mut lane);
    assert_eq!((lab.trials(), lab.ending()), (vec![1], Some(Ending::Error)));
    let sessions = lab.files.read(&lab.subject, SubjectFile::sessions).unwrap();
    assert_eq!(sessions.iter().map(|session| session.end.is_some()).collect::<Vec<_>>(), [true, false]);
}
