//! What a session leaves in the file.

use crate::common::{choice, columns, event, events_of, numbered, row, rows_of, start, subject_in};
use bramble_subject::{ClockEstimate, Column, Note, ProtocolStep, SessionNumber, SubjectError, SubjectFile};
use bramble_value::{Record, Time, Value, ValueType};

#[test]
fn everything_a_session_starts_from_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let (first, mut second) = (start(columns()), start(Vec::new()));
    second.protocol = None;
    second.parameters.clear();
    second.names.sources.clear();
    let numbers = [file.begin_session(&first).unwrap(), file.begin_session(&second).unwrap()];
    assert_eq!(numbers.map(SessionNumber::get), [1, 2]);
    let path = file.path().to_owned();
    drop(file);
    let file = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!(file.session(numbers[0]).unwrap(), first);
    assert_eq!(file.session(numbers[1]).unwrap(), second);
    assert_eq!(file.session_by_uuid(second.uuid).unwrap().unwrap().number, numbers[1]);
    let none = file.trials(SessionNumber::new(3)).unwrap_err();
    assert!(none.to_string().contains("no session 0003"), "{none}");
}

#[test]
fn a_start_that_is_told_twice_makes_one_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let session = start(columns());
    assert_eq!(file.begin_session(&session).unwrap(), file.begin_session(&session).unwrap());
    assert_eq!(file.sessions().unwrap().len(), 1);
}

#[test]
fn missing_is_told_apart_from_every_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let records: Vec<Record> = (1..=6).map(|trial| row(trial, trial % 2 == 0)).collect();
    file.append(number, &numbered(1, records.clone())).unwrap();
    assert_eq!(file.trials(number).unwrap().rows, rows_of(&records));
}

#[test]
fn a_column_may_have_the_name_of_a_field_that_is_there_already() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let column =
        |name: &str| Column { name: name.to_owned(), value_type: ValueType::Integer, doc: String::new() };
    let names = ["trial", "ending", "n", "n_missing", "trial_", "CLASS"];
    let number = file.begin_session(&start(names.map(column).to_vec())).unwrap();
    let Record::Row(mut written) = row(1, true) else { panic!("a row") };
    written.values = (0..6).map(|value| (value != 3).then_some(Value::Integer(value))).collect();
    file.append(number, &[(1, Record::Row(written.clone()))]).unwrap();
    let trials = file.trials(number).unwrap();
    assert_eq!(trials.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    assert_eq!(trials.rows, [written]);
}

#[test]
fn a_batch_that_comes_again_or_overlaps_adds_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let records: Vec<Record> =
        (1..=30).map(|each| if each % 3 == 0 { row(each, true) } else { event(each) }).collect();
    let numbered = numbered(1, records.clone());
    for part in [0..10, 0..10, 5..20, 0..3, 0..30, 30..30] {
        file.append(number, &numbered[part]).unwrap();
    }
    assert_eq!(file.written_up_to(number).unwrap(), 30);
    assert_eq!(file.trials(number).unwrap().rows, rows_of(&records));
    assert_eq!(file.events(number).unwrap(), events_of(&records));
}

#[test]
fn a_row_that_does_not_fit_the_columns_is_refused_with_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let Record::Row(good) = row(7, true) else { panic!("a row") };
    let (mut wrong, mut short, mut nan) = (good.clone(), good.clone(), good.clone());
    wrong.values[7] = Some(Value::Choice(3));
    short.values.pop();
    nan.values[2] = Some(Value::Number(f64::NAN));
    for (bad, why) in [(wrong, "`target`"), (short, "7 values for 8 columns"), (nan, "`bias`")] {
        let error = file.append(number, &numbered(1, [event(1), Record::Row(bad)])).unwrap_err().to_string();
        assert!(error.contains("trial 7") && error.contains(why), "{error}");
    }
    assert_eq!((file.written_up_to(number).unwrap(), file.events(number).unwrap()), (0, Vec::new()));
    let ranges = Column { name: "block".to_owned(), value_type: ValueType::Integers, doc: String::new() };
    assert!(matches!(file.begin_session(&start(vec![ranges])), Err(SubjectError::Column { .. })));
    assert_eq!(file.sessions().unwrap().len(), 1);
}

#[test]
fn notes_and_clock_estimates_are_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let notes = ["", "the valve is slow", &"µ".repeat(3000)]
        .map(|text| Note { time: Time::from_ns(3), text: text.to_owned() });
    let records = notes.clone().map(|note| Record::Note { time: note.time, text: note.text });
    file.append(number, &numbered(1, records)).unwrap();
    assert_eq!(file.notes(number).unwrap(), notes);
    let estimate =
        |ns| ClockEstimate { time: Time::from_ns(ns), offset_ns: 7 - ns, error_ns: 100, drift_ppb: -20 };
    file.add_clock(number, &[estimate(1), estimate(2)]).unwrap();
    file.add_clock(number, &[estimate(3)]).unwrap();
    assert_eq!(file.clock(number).unwrap(), [1, 2, 3].map(estimate));
}

#[test]
fn a_kept_column_starts_from_its_last_value_in_the_same_task() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let (first, second, mut other) = (start(columns()), start(columns()), start(columns()));
    other.task = "another".to_owned();
    for (session, rows) in [(&first, [row(2, true), row(4, true)]), (&second, [row(1, true), row(2, false)])]
    {
        let number = file.begin_session(session).unwrap();
        file.append(number, &numbered(1, rows)).unwrap();
    }
    let later = file.begin_session(&other).unwrap();
    file.append(later, &[(1, row(9, true))]).unwrap();
    file.begin_session(&start(columns())).unwrap();
    let target = choice(&["left", "center", "right"]);
    assert_eq!(file.kept("two_choice", "target").unwrap(), Some((target, Value::Choice(1))));
    assert_eq!(file.kept("two_choice", "n").unwrap(), Some((ValueType::Integer, Value::Integer(-1))));
    assert_eq!(file.kept("two_choice", "nothing").unwrap(), None);
    assert_eq!(file.kept("nothing", "n").unwrap(), None);
}

#[test]
fn recent_trials_are_those_since_the_subject_came_to_the_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let at = |step: &str| ProtocolStep { protocol: "p".to_owned(), step: step.to_owned() };
    let mut trial = 0;
    for step in [Some("b"), Some("a"), Some("b"), None, Some("b"), Some("b")] {
        let mut session = start(columns());
        session.protocol = step.map(at);
        let number = file.begin_session(&session).unwrap();
        let rows = (1..=3).map(|more| row(trial + more, true));
        file.append(number, &numbered(1, rows)).unwrap();
        trial += 3;
    }
    let seen =
        |n| file.recent_trials(&at("b"), n).unwrap().rows.iter().map(|row| row.trial).collect::<Vec<_>>();
    assert_eq!(seen(100), [7, 8, 9, 13, 14, 15, 16, 17, 18]);
    assert_eq!(seen(4), [15, 16, 17, 18]);
    assert_eq!(seen(0), Vec::<u32>::new());
    assert!(file.recent_trials(&at("a"), 9).unwrap().rows.is_empty());
}

#[test]
fn trials_of_a_step_count_by_its_name_wherever_its_protocol_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let at = |step: &str| ProtocolStep { protocol: "p".to_owned(), step: step.to_owned() };
    for (trial, step) in (1..).zip(["2 short", "2 cued", "3 cued"]) {
        let mut session = start(columns());
        session.protocol = Some(at(step));
        let number = file.begin_session(&session).unwrap();
        file.append(number, &numbered(1, [row(trial, true)])).unwrap();
    }
    let seen = |step: &str| file.recent_trials(&at(step), 9).unwrap().rows.len();
    assert_eq!((seen("3 cued"), seen("1 cued")), (2, 2));
    assert_eq!((seen("2 short"), seen("3 short")), (0, 0), "it has been at another step since");
}

#[test]
fn a_journal_that_held_other_things_in_between_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let records = [5, 6, 8, 9, 12].map(|at| (u64::from(at), event(at)));
    for part in [0..2, 1..3, 0..5, 3..5] {
        file.append(number, &records[part]).unwrap();
    }
    assert_eq!(file.written_up_to(number).unwrap(), 12);
    let times = file.events(number).unwrap().iter().map(|event| event.time.ns()).collect::<Vec<_>>();
    assert_eq!(times, [50, 60, 80, 90, 120]);
}
