//! A report as a page of text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Column, Held, Report};

/// How wide a page is.
const WIDTH: usize = 80;

pub(crate) fn page(report: &Report, zone: &TimeZone) -> String {
    let session = &report.session;
    let mut lines = vec![
        format!("{}  session {}  {}", report.subject, session.number, report.what()),
        format!("started {}, {}", moment(session.started, zone), minutes(report.seconds)),
    ];
    for line in report.whose(zone) {
        lines.extend(wrapped("", &line));
    }
    lines.push(String::new());
    for check in &report.checks {
        let head = format!("  {:<5}{:<17}", check.verdict.word(), check.name);
        lines.extend(wrapped(&head, &format!("{} (fine: {})", check.found, check.limit)));
    }
    if !report.columns.is_empty() {
        lines.push("\ncolumns".to_owned());
    }
    for column in &report.columns {
        lines.extend(wrapped(&format!("  {:<21} ", column.name), &held(column)));
    }
    if !report.notes.is_empty() {
        lines.push("\nnotes".to_owned());
    }
    for (seconds, note) in &report.notes {
        lines.extend(wrapped(&format!("  {:>9.1} s  ", seconds), note));
    }
    lines.push(format!("\n{}", report.score));
    lines.join("\n")
}

/// How long a session ran.
pub(crate) fn minutes(seconds: f64) -> String {
    format!("{:.1} min", seconds / 60.0)
}

/// What a column held, in a line.
pub(crate) fn held(column: &Column) -> String {
    let unit = if column.unit.is_empty() { String::new() } else { format!(" {}", column.unit) };
    match &column.held {
        Held::Nothing => "never written".to_owned(),
        Held::Counts(counts) => {
            let all = column.written as f64;
            let one = |(name, count): &(String, usize)| {
                format!("{name} {count} ({:.0} %)", *count as f64 / all * 100.0)
            };
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        Held::Numbers { least, median, most } => {
            let [least, median, most] = [least, median, most].map(|number| rounded(*number));
            format!("median {median}{unit}, from {least} to {most}{unit}")
        }
    }
}

/// A number as a person reads it: below 1 with three digits that say something.
fn rounded(number: f64) -> String {
    let size = number.abs();
    if size > 0.0 && size < 1e-6 {
        return format!("{number:.2e}");
    }
    let zeros = (1..6).take_while(|zeros| size > 0.0 && size < 0.1_f64.powi(*zeros)).count();
    let text = format!("{number:.*}", 3 + zeros);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A moment on the wall of this zone, and how far that is from UTC: a page may be read elsewhere.
pub(crate) fn moment(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// A text behind a head, broken between words and indented below it.
fn wrapped(head: &str, text: &str) -> Vec<String> {
    let indent = " ".repeat(head.len());
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
}
