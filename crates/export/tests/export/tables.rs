//! CSV and Parquet.

use bramble_export::{Form, Whether};
use bramble_value::{Event, Kind, Source};

use crate::outside::check;
use crate::sessions::{cohort, exported, here, odd, session, subject};

#[test]
fn pandas_reads_in_csv_what_the_subject_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let said = check("csv", &exported(Form::Csv, cohort(folder.path()), folder.path()));
    assert_eq!(said.trim(), "csv: 6 sessions, 90 trials compared");
}

#[test]
fn duckdb_and_pyarrow_read_a_cohort_in_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let said =
        check("parquet", &exported(Form::Parquet, cohort(folder.path()), &folder.path().join("cohort")));
    assert_eq!(said.trim(), "parquet: 6 sessions, 90 trials compared");
}

#[test]
fn a_field_with_nothing_in_it_is_missing_and_no_value_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    let number = odd(&mut file);
    let session = session(&file, number.get());
    let export = Form::Csv.export(&session, &here(), folder.path(), Whether::ToKeep).unwrap();
    let text = std::fs::read_to_string(export.join("trials.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("trial,start_s,end_s,ending,correct,n,bias,latency"), "{}", lines[0]);
    assert_eq!(lines[1].split(',').filter(|field| field.is_empty()).count(), 0, "{}", lines[1]);
    let missing = session.trials.rows[1].values.iter().filter(|value| value.is_none()).count();
    assert_eq!(lines[2].split(',').filter(|field| field.is_empty()).count(), missing, "{}", lines[2]);
}

#[test]
fn what_was_asked_of_a_parameter_has_its_unit_and_a_range_is_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    let number = odd(&mut file);
    let mut session = session(&file, number.get());
    let asked = |value, source| {
        let time = session.start.start_time;
        Event { time, trial: 1, kind: Kind::Asked, source: Source(source), value }
    };
    let began = Event { kind: Kind::SessionStart, ..asked(1.77e15, 0) };
    session.events = vec![began, asked(0.25, 6), asked(2.0, 5)];
    let export = Form::Csv.export(&session, &here(), folder.path(), Whether::ToKeep).unwrap();
    let text = std::fs::read_to_string(export.join("events.csv")).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert!(lines[0].ends_with("session start,session,session,1770000000000000,us,"), "{text}");
    assert!(lines[1].ends_with("asked,parameter,pause,0.25,s,"), "{text}");
    assert!(lines[2].ends_with("asked,column,target,2,,right"), "{text}");
    let about = std::fs::read_to_string(export.join("datapackage.json")).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let block = &about["session"]["parameters"][2];
    assert_eq!((block["value"].as_str(), block["number"].as_f64()), (Some("-20 to 40"), None));
}
