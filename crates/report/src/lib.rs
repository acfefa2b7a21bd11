//! How good a session was: checks of its records, each with its number and its limit.
//!
//! [`Report::of`] is a function of the records alone; it reads no file and knows no clock.
//! A check says what was found and what would have been fine, so that a person sees why it
//! is as it is. The score counts those that are fine; it weighs none against another, since a lost
//! edge and a session without water have nothing in common.

mod checks;
mod columns;
mod html;
mod kept;
mod score;
mod text;

use bramble_subject::{ClockEstimate, Health, Note, SessionStart, SessionSummary};
use bramble_value::{Event, SubjectId, Time, Trials};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use kept::{Checked, Kept};
pub use score::Score;

/// The version of a report's JSON form.
pub const VERSION: u32 = 2;

/// Everything that was recorded of a session.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    /// Whose session.
    pub subject: &'a SubjectId,
    /// The session in a few words.
    pub summary: &'a SessionSummary,
    /// What it started from.
    pub start: &'a SessionStart,
    /// Its trials.
    pub trials: &'a Trials,
    /// Its events.
    pub events: &'a [Event],
    /// What a person should read.
    pub notes: &'a [Note],
    /// The estimates of its clock.
    pub clock: &'a [ClockEstimate],
    /// How the computer fared that it ran on.
    pub health: &'a [Health],
}

/// How good a session was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form: [`VERSION`].
    pub version: u32,
    /// Whose session.
    pub subject: SubjectId,
    /// The session in a few words.
    pub session: SessionSummary,
    /// Whether its rig was simulated, so that no animal was in it.
    pub simulated: bool,
    /// From its start to its end or its last event, in seconds of the pilot's clock.
    pub seconds: f64,
    /// Whose checks these are, where the file kept them; none where they were made just now.
    pub checked: Option<Checked>,
    /// How many of the checks are fine.
    pub score: Score,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What its columns held.
    pub columns: Vec<Column>,
    /// For each trial when it ended, in seconds from the start, and how long it took.
    pub trials: Vec<[f64; 2]>,
    /// What a person should read, each with its time in seconds from the start.
    pub notes: Vec<(f64, String)>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found, with its unit.
    pub found: String,
    /// What is fine, with its unit.
    pub limit: String,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as it should be.
    Fine,
    /// A person should look at it.
    Look,
    /// The session has nothing to tell it by.
    Unknown,
}

impl Verdict {
    /// The verdict in a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "fine",
            Verdict::Look => "LOOK",
            Verdict::Unknown => "-",
        }
    }
}

/// What a column held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// The unit of its numbers; empty for what has none.
    pub unit: String,
    /// In how many trials it was written.
    pub written: usize,
    /// What was in it.
    pub held: Held,
}

/// What the values of a column come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Nothing: no trial wrote it.
    Nothing,
    /// How often each choice, or each of true and false, was there.
    Counts(Vec<(String, usize)>),
    /// Numbers: the least, the median and the largest.
    Numbers {
        /// The least.
        least: f64,
        /// As many are below as above.
        median: f64,
        /// The largest.
        most: f64,
    },
}

impl Report {
    /// How good a session was.
    pub fn of(records: Records<'_>) -> Report {
        let begun = records.start.start_time;
        let last = records.events.iter().map(|event| event.time);
        let last = last.chain(records.trials.rows.iter().map(|row| row.end)).max().unwrap_or(begun);
        let at = |time: Time| (time.ns() - begun.ns()) as f64 * 1e-9;
        let rows = &records.trials.rows;
        let checks = checks::all(&records);
        Report {
            version: VERSION,
            subject: records.subject.clone(),
            session: records.summary.clone(),
            simulated: records.start.is_simulated(),
            seconds: at(last),
            checked: None,
            score: Score::of(&checks),
            checks,
            columns: columns::all(&records),
            trials: rows.iter().map(|row| [at(row.end), at(row.end) - at(row.start)]).collect(),
            notes: records.notes.iter().map(|note| (at(note.time), note.text.clone())).collect(),
        }
    }

    /// Which task ran where, in a few words.
    fn what(&self) -> String {
        let simulated = if self.simulated { " (simulated)" } else { "" };
        format!("{} on {}{simulated}", self.session.task, self.session.pilot)
    }

    /// The report as a page of text, 80 columns wide; its times are those of `zone`.
    pub fn text(&self, zone: &TimeZone) -> String {
        text::page(self, zone)
    }

    /// Whether these are the bytes of a page that [`Report::html`] made.
    pub fn is_page(bytes: &[u8]) -> bool {
        bytes.starts_with(html::MARK.as_bytes())
    }

    /// The report as one HTML file that leads nowhere else; its times are those of `zone`.
    pub fn html(&self, zone: &TimeZone) -> String {
        html::page(self, zone)
    }
}

#[cfg(test)]
mod tests;
