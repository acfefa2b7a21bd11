//! CSV and Parquet.

use bramble_export::{Form, Whether};

use crate::outside::check;
use crate::sessions::{cohort, exported, here, odd, session, subject};

#[test]
fn pandas_reads_in_csv_what_the_subject_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let said = check("csv", &exported(Form::Csv, cohort(folder.path()), folder.path()));
    assert_eq!(said.trim(), "csv: 5 sessions, 90 trials compared");
}

#[test]
fn duckdb_and_pyarrow_read_a_cohort_in_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let said =
        check("parquet", &exported(Form::Parquet, cohort(folder.path()), &folder.path().join("cohort")));
    assert_eq!(said.trim(), "parquet: 5 sessions, 90 trials compared");
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
