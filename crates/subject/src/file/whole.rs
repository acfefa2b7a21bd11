//! All of a session, on its way from one file to another.

use std::collections::BTreeMap;

use hdf5::{File, Group};

use super::subject;
use crate::error::{Doing, Fault};
use crate::hdf::table::{Copied, Keep};
use crate::session::records::{Records, Written};
use crate::session::start::{self, Hashes};
use crate::{SessionNumber, SessionStart};

/// A session: what it started from, and what happened in it as far as it counts.
#[derive(Debug)]
pub(super) struct Whole {
    start: SessionStart,
    tables: Vec<Copied>,
    written: Written,
}

impl Whole {
    /// Reads a session.
    pub(super) fn read(file: &File, number: SessionNumber) -> Result<Whole, Fault> {
        let group = group(file, number)?;
        let start = start::read(&group, |hash| subject::source(file, hash))?;
        let records = Records::open(&group, start::read_columns(&group)?)?;
        Ok(Whole { start, tables: records.copy()?, written: records.written() })
    }

    /// Writes it to a file that doesn't have it.
    pub(super) fn write(&self, file: &File, number: SessionNumber, keep: Keep) -> Result<(), Fault> {
        let group = write_start(file, number, &self.start)?;
        self.tables.iter().try_for_each(|table| table.put(&group, keep))?;
        self.written.write(&group)
    }
}

/// Makes a session's group, with what it starts from.
pub(super) fn write_start(file: &File, number: SessionNumber, start: &SessionStart) -> Result<Group, Fault> {
    let keep = |texts: &BTreeMap<String, String>| -> Result<Hashes, Fault> {
        let keep_one =
            |(path, text): (&String, &String)| Ok((path.clone(), subject::write_source(file, text)?));
        texts.iter().map(keep_one).collect()
    };
    let (sources, texts) = (keep(&start.sources)?, keep(&start.texts)?);
    let group = file
        .group("sessions")
        .and_then(|sessions| sessions.create_group(&number.to_string()))
        .doing(|| format!("make session {number} of"))?;
    start::write(&group, start, &sources, &texts)?;
    Ok(group)
}

/// A session's group.
pub(super) fn group(file: &File, number: SessionNumber) -> Result<Group, Fault> {
    let name = format!("sessions/{number}");
    file.group(&name).doing(|| format!("open {name} of"))
}

/// Takes a session out of a file.
pub(super) fn take_out(file: &File, number: SessionNumber) -> Result<(), Fault> {
    let take_out = || file.group("sessions")?.unlink(&number.to_string());
    take_out().doing(|| format!("take session {number} out of"))
}

/// Whether a file has a session of this number.
pub(super) fn has(file: &File, number: SessionNumber) -> bool {
    file.group("sessions").is_ok_and(|sessions| sessions.link_exists(&number.to_string()))
}
