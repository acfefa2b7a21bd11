//! Sessions that were recorded under the wrong subject, and moved to the right one.
//!
//! Two files change one after the other: first the session is in both, then in the right one
//! alone. What is to be moved is written down before, and forgotten when it is done, so
//! that a move that was cut short is ended by whoever comes next.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bramble_value::SubjectId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::SubjectError;
use crate::{By, SessionNumber, SubjectFile, Subjects};

/// A session that was moved: a row of `/moves/table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Move {
    /// Who moved it, and when.
    pub by: By,
    /// Why, in words.
    pub why: String,
    /// From this file or to it.
    pub way: Way,
    /// Its number in this file, which no other session gets.
    pub number: SessionNumber,
    /// Its own name.
    pub session: Uuid,
    /// The subject of the other file.
    pub other: SubjectId,
    /// Its number in the other file.
    pub there: SessionNumber,
    /// The task's name.
    pub task: String,
    /// The pilot it ran on.
    pub pilot: String,
    /// When it started.
    pub started: Timestamp,
}

/// Which way a session was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Way {
    /// Out of this file.
    To,
    /// Into this file.
    From,
}

impl Way {
    /// The way in a word.
    pub fn word(self) -> &'static str {
        match self {
            Way::To => "to",
            Way::From => "from",
        }
    }
}

/// A session that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveOrder {
    /// Its own name.
    pub session: Uuid,
    /// Whose it was recorded as.
    pub from: SubjectId,
    /// Its number there.
    pub number: SessionNumber,
    /// Whose it is.
    pub to: SubjectId,
    /// Who moves it, and when.
    pub by: By,
    /// Why, in words.
    pub why: String,
}

/// How the note of an order is called, after its session.
const SUFFIX: &str = "move";

impl Subjects {
    /// Moves a session that is over from one file to the other, and returns its new number.
    /// What is in one of them already isn't done again.
    ///
    /// # Errors
    /// Where one of them can't be written. Then the session is where it was, or it is in both,
    /// and [`Subjects::moves_under_way`] has the order until it is given again.
    pub fn move_session(
        &self,
        order: &MoveOrder,
        from: &mut SubjectFile,
        to: &mut SubjectFile,
    ) -> Result<SessionNumber, SubjectError> {
        if from.is_growing(order.number) {
            from.pack()?;
        }
        let note = self.note_of(order);
        write(&note, order).map_err(|source| cannot("write", &note, source))?;
        let there = match to.session_by_uuid(order.session) {
            Ok(Some(known)) => Ok(known.number),
            Ok(None) => to.take_in(from, order),
            Err(error) => Err(error),
        };
        // Nothing was changed: it isn't under way.
        let there = there.inspect_err(|_| drop(fs::remove_file(&note)))?;
        if from.session_by_uuid(order.session)?.is_some_and(|known| known.number == order.number) {
            from.give_away(order, there)?;
        }
        fs::remove_file(&note).map_err(|source| cannot("remove", &note, source))?;
        Ok(there)
    }

    /// The moves that were begun and not ended.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn moves_under_way(&self) -> Result<Vec<MoveOrder>, SubjectError> {
        let folder = self.folder();
        let failed = |source| cannot("list", folder, source);
        let mut orders = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
                let text = fs::read(&path).map_err(|source| cannot("read", &path, source))?;
                // A note comes to be whole or not at all; what can't be read is none of ours.
                orders.extend(serde_json::from_slice::<MoveOrder>(&text).ok());
            }
        }
        orders.sort_by_key(|order| order.by.when);
        Ok(orders)
    }

    fn note_of(&self, order: &MoveOrder) -> PathBuf {
        self.folder().join(format!("{}.{SUFFIX}", order.session))
    }
}

/// Writes an order down, whole or not at all.
fn write(note: &Path, order: &MoveOrder) -> io::Result<()> {
    let unfinished = note.with_extension("move.new");
    let text = serde_json::to_vec(order).expect("an order has a JSON form");
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(&text)
        .and_then(|()| file.sync_all())
        .inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
    fs::rename(&unfinished, note)?;
    note.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

fn cannot(doing: &'static str, path: &Path, source: io::Error) -> SubjectError {
    SubjectError::Folder { doing, path: path.to_owned(), source }
}
