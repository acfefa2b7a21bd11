//! The subject file: everything that happened to one animal, in one HDF5 file
//! that h5py, PyTables and pandas open with no help.
//!
//! ```text
//! /                          format, version, subject, uuid
//! /biography/table           version, when, who, field, value: each edit is a new version
//! /history/table             when, who, what, from, to: every change to this subject
//! /weights/table             when, grams, occasion, who
//! /index/table               the sessions that are over: what a history shows of each
//! /moves/table               the sessions that were moved from this subject to another, or to it: who, when, why
//! /sources/<sha256>          every text a session ran from, once
//! /sessions/0001/            uuid, task, root, seed, pilot, protocol, step, started, start_time_ns, written
//!     trials/table           one row a trial: trial, start_ns, end_ns, ending, and the columns
//!     events/table           time_ns, trial, kind, source, value
//!     notes/table            time_ns, part, text
//!     clock/table            time_ns, offset_ns, error_ns, drift_ppb
//!     health/table           time_ns, disk_free, disk_size, temperature, supply
//!     end/table              when, ending, part, why, correct, water_ul: empty where no end was told
//!     names/{sources,kinds,endings}/table   what the small integers of events stand for
//!     columns/table, parameters/table, versions/table
//!     sources/table, texts/table   path, sha256: what the task is made of; what else belongs to the session
//!     doc, provenance        texts, the second one JSON
//!     report                 JSON: how good it was, once it is over
//! ```
//!
//! # Missing values
//!
//! A column that a trial never wrote is missing, and missing is told apart from
//! every value: it is NaN in a column of numbers with a fraction (number,
//! duration, volume, frequency, level; none of their values is NaN), the empty
//! text in a column of choices (no choice is empty), and for a column `n` of
//! whole numbers or booleans, which have no value to spare, a boolean column
//! `n_missing` beside it says so (`n` itself is then 0).
//!
//! # Crashes
//!
//! Only one handle may write a file, and every write is whole or not at all,
//! also when the process is killed in the midst of it. Others may read it meanwhile, but for
//! the sessions that grow.
//!
//! - What only makes tables longer (records, changes, weights) is written
//!   behind the rows that count and flushed; only then the number of rows that
//!   count grows. Where others read the file it is done as everything else. What a killed process left behind that number is never read,
//!   and is written over by the same records when they come again.
//! - A new session is a small file of its own beside the subject's, `M001.h5.running-0001`,
//!   in which it grows; it is a subject file too.
//! - Everything else (a new source, taking in sessions that are over) is done in a copy of the
//!   file, which then takes its place.

mod biography;
mod column;
mod error;
mod file;
mod hdf;
mod history;
pub mod life;
mod moves;
mod session;
mod store;

pub use biography::{Biography, Sex};
pub use error::SubjectError;
pub use file::{SetAside, SubjectFile};
pub use history::{By, Change, Occasion, Weight};
pub use life::{Care, Life};
pub use moves::{Move, MoveOrder, Way};
pub use session::health::{Health, Supply};
pub use session::{
    ClockEstimate, Column, Note, Parameter, ProtocolStep, SessionEnd, SessionNumber, SessionStart,
    SessionSummary,
};
pub use store::Subjects;
