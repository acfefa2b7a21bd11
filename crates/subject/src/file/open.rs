//! Making a subject file, and opening one.

use std::path::Path;
use std::time::Duration;

use bramble_value::SubjectId;
use hdf5::{File, Group};
use uuid::Uuid;

use super::held::{Access, Held, Identity, beside, make, put_in_place, remove};
use super::whole::Whole;
use super::{SubjectFile, growing, index, read_lists, subject, whole};
use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::table::{Diary, Keep};
use crate::session::records::{self, Records};
use crate::session::start;
use crate::{Biography, By, Change, SessionNumber};

/// How often a file is tried to be read that is written to, which takes a moment, and how long
/// between two tries.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

impl SubjectFile {
    /// A new file for a new subject. It comes to be whole or not at all.
    ///
    /// # Errors
    /// Where `path` exists, or its folder can't be written.
    pub fn create(
        path: &Path,
        id: &SubjectId,
        biography: &Biography,
        by: &By,
    ) -> Result<SubjectFile, SubjectError> {
        if path.exists() {
            return Err(SubjectError::Exists(path.to_owned()));
        }
        make_new(path, id, biography, by)?;
        put_in_place(&beside(path), path).inspect_err(|_| remove(&beside(path)))?;
        SubjectFile::open(path)
    }

    /// Opens a file to write to it. What a killed process left unfinished is cut off.
    ///
    /// # Errors
    /// Where there is none, another handle or program has it open, it can't be
    /// read, or it is not a subject's. It is left as it is then.
    pub fn open(path: &Path) -> Result<SubjectFile, SubjectError> {
        let mut file = SubjectFile::open_as(path, Access::Write)?;
        remove(&beside(path));
        if file.main.here(|| is_unfinished(&file.main.file, &file.index))? {
            file.rewrite(repair)?;
        }
        file.cut_what_grows()?;
        file.drop_what_was_taken_in()?;
        file.main.rest();
        Ok(file)
    }

    /// Opens a file to read it. It stays as it is then until it is closed, whatever is written
    /// meanwhile; a session that another handle writes to is not in it
    /// ([`SubjectFile::running`]).
    ///
    /// # Errors
    /// As [`SubjectFile::open`]; but for sessions, another handle may have it open.
    pub fn open_read_only(path: &Path) -> Result<SubjectFile, SubjectError> {
        for _ in 0..TRIES {
            match SubjectFile::open_as(path, Access::Read) {
                // It is written to at this moment.
                Err(SubjectError::InUse(_)) => {}
                // A session may have been taken in that was then not found beside it.
                Ok(file) if file.main.is_replaced() || file.is_taking_in() => {}
                result => return result,
            }
            std::thread::sleep(BETWEEN_TRIES);
        }
        SubjectFile::open_as(path, Access::Read)
    }

    fn open_as(path: &Path, access: Access) -> Result<SubjectFile, SubjectError> {
        let (main, identity) = Held::open(path, access)?;
        // Whoever writes has the subject's own file first: no other comes or goes meanwhile.
        let (growing, running) = growing::open(path, access)?;
        let (index, moves) = read_lists(&main)?;
        let writable = access == Access::Write;
        let sessions = Default::default();
        let file = SubjectFile { sessions, index, moves, growing, running, main, identity, writable };
        file.check_growing()?;
        Ok(file)
    }

    /// Whether a session that is in the file is beside it still, as it is for a moment when it was just
    /// taken in, and for longer where more of it comes.
    fn is_taking_in(&self) -> bool {
        self.running.iter().any(|number| whole::has(&self.main.file, *number))
    }

    /// That sessions that grow are this file's, and not those of another one that lay here.
    fn check_growing(&self) -> Result<(), SubjectError> {
        for (number, held) in &self.growing {
            let uuid = |file: &File| start::parsed::<Uuid>(&whole::group(file, *number)?, "uuid");
            let grows = held.here(|| uuid(&held.file))?;
            if whole::has(&self.main.file, *number) && self.main.here(|| uuid(&self.main.file))? != grows {
                let main = self.main.path().display();
                let what = format!("{main} has another session {number}; move this one elsewhere");
                return Err(SubjectError::Damaged { path: held.path().to_owned(), what });
            }
        }
        Ok(())
    }

    /// Cuts off the rows that do not count of sessions that grow. A kill may have left the
    /// indices of their tables half written, so that nothing can be done to them: what counts
    /// is written to a new file.
    fn cut_what_grows(&mut self) -> Result<(), SubjectError> {
        for (number, held) in &mut self.growing {
            let (number, path) = (*number, held.path().to_owned());
            let damaged = |error: SubjectError| SubjectError::Damaged {
                path: path.clone(),
                what: format!("what was left of session {number} can't be read ({error})"),
            };
            let longer = held.here(|| Ok(records_of(&held.file, number)?.is_longer()));
            if longer.map_err(damaged)? {
                let session = held.here(|| Whole::read(&held.file, number)).map_err(damaged)?;
                let write = |file: &File| session.write(file, number, Keep::Growing);
                *held = growing::create(self.main.path(), number, &self.identity, write)?;
            }
        }
        Ok(())
    }

    /// Removes the files of sessions that the subject's own file has as they are: a kill came
    /// before that.
    fn drop_what_was_taken_in(&mut self) -> Result<(), SubjectError> {
        let mut taken_in = Vec::new();
        for (number, held) in &self.growing {
            if whole::has(&self.main.file, *number) {
                let records = held.here(|| records_of(&held.file, *number))?;
                let known = self.main.here(|| records_of(&self.main.file, *number))?;
                taken_in.extend((records.size() == known.size()).then_some(*number));
            }
        }
        taken_in.into_iter().for_each(|number| self.drop_growing(number));
        Ok(())
    }
}

/// Writes a new file beside `path`.
pub(super) fn make_new(
    path: &Path,
    id: &SubjectId,
    biography: &Biography,
    by: &By,
) -> Result<(), SubjectError> {
    let identity = Identity { id: id.clone(), uuid: Uuid::new_v4() };
    let made = make(path, &identity, |file| {
        subject::create_diaries(file)?;
        subject::write_biography(file, 1, biography, by)?;
        let change = Change {
            when: by.when,
            who: by.who.clone(),
            what: "subject".to_owned(),
            from: String::new(),
            to: id.to_string(),
        };
        subject::write_change(file, &change)
    });
    made.map(drop)
}

fn records_of(file: &File, number: SessionNumber) -> Result<Records, Fault> {
    let group = whole::group(file, number)?;
    Records::open(&group, start::read_columns(&group)?)
}

/// Whether a killed process left rows that do not count.
fn is_unfinished(file: &File, index: &index::Index) -> Result<bool, Fault> {
    let mut longer = subject::diaries(file)?.iter().any(Diary::is_longer);
    longer = longer || index::diary(file)?.is_some_and(|diary| diary.is_longer());
    for group in unpacked(file, index)? {
        longer = longer || running(&group)?.is_some_and(|records| records.is_longer());
    }
    Ok(longer)
}

/// Cuts off the rows that do not count.
fn repair(file: &File) -> Result<(), Fault> {
    subject::diaries(file)?.iter().try_for_each(Diary::truncate)?;
    index::diary(file)?.iter().try_for_each(Diary::truncate)?;
    for group in unpacked(file, &index::read(file)?)? {
        if let Some(records) = running(&group)? {
            records.truncate()?;
        }
    }
    Ok(())
}

/// The sessions that grew here, as an older version had them do.
fn unpacked(file: &File, index: &index::Index) -> Result<Vec<Group>, Fault> {
    let list = || -> hdf5::Result<Vec<Group>> {
        let sessions = file.group("sessions")?;
        let names = sessions.member_names()?;
        let packed = |name: &String| name.parse().is_ok_and(|number| index.contains_key(&number));
        names.iter().filter(|name| !packed(name)).map(|name| sessions.group(name)).collect()
    };
    list().doing(|| "list the sessions of".to_owned())
}

/// The tables of a session that has not ended.
fn running(group: &Group) -> Result<Option<Records>, Fault> {
    if records::read_end(group)?.is_some() {
        return Ok(None);
    }
    Records::open(group, start::read_columns(group)?).map(Some)
}
