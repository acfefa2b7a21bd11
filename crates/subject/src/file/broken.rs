//! Files that something else cut off or wrote over, and new ones in their place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bramble_value::SubjectId;

use super::held::{Access, Held, beside, cannot, is_broken, put_in_place, remove};
use super::open::make_new;
use super::whole::Whole;
use super::{SubjectFile, growing};
use crate::error::SubjectError;
use crate::{Biography, By, SessionNumber};

/// What was broken, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetAside {
    /// The subject's file: a new one has the sessions that grow.
    Subject(PathBuf),
    /// The file of a session that grows: it is to be written anew.
    Session(PathBuf),
}

impl SetAside {
    /// Where it is kept.
    pub fn path(&self) -> &Path {
        match self {
            SetAside::Subject(path) | SetAside::Session(path) => path,
        }
    }
}

impl SubjectFile {
    /// Whether a subject's file, or that of a session that grows beside it, is provably not
    /// whole: it is no HDF5 any more, or shorter than it was when it was last written to; or,
    /// where a session grows, a kill left it such that it can't be read. A file that can't be
    /// opened for another reason may be well.
    ///
    /// # Errors
    /// Where one can't be read.
    pub fn is_broken(path: &Path) -> Result<bool, SubjectError> {
        Ok(is_broken_at(path)? || broken_session(path)?.is_some())
    }

    /// Sets aside what is broken, as `<its name>.damaged-<when>`, with a new file in the place of a
    /// subject's: at no moment is there no file, and the broken one stays as it is. `open` says
    /// that it is open in this process, which then still writes to what it has open. `None`, and
    /// nothing has changed, where nothing is provably broken.
    ///
    /// # Errors
    /// Where the place to keep it in is taken, or the folder can't be written; then nothing has
    /// changed.
    pub fn replace_broken(
        path: &Path,
        id: &SubjectId,
        by: &By,
        open: bool,
    ) -> Result<Option<SetAside>, SubjectError> {
        let aside_of = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".damaged-{}", by.when.strftime("%Y-%m-%dT%H-%M-%S")));
            PathBuf::from(name)
        };
        if is_broken_at(path)? {
            let aside = aside_of(path);
            keep(path, &aside, open)?;
            let made = make_new(path, id, &Biography::default(), by);
            made.and_then(|()| put_in_place(&beside(path), path)).inspect_err(|_| {
                remove(&beside(path));
                remove(&aside);
            })?;
            return Ok(Some(SetAside::Subject(aside)));
        }
        let Some(session) = broken_session(path)? else { return Ok(None) };
        let aside = aside_of(&session);
        keep(&session, &aside, open)?;
        fs::remove_file(&session).map_err(cannot("remove", &session)).inspect_err(|_| remove(&aside))?;
        Ok(Some(SetAside::Session(aside)))
    }
}

fn is_broken_at(path: &Path) -> Result<bool, SubjectError> {
    File::open(path).and_then(|file| is_broken(&file)).map_err(cannot("read", path))
}

/// The first file beside a subject's that is broken.
fn broken_session(main: &Path) -> Result<Option<PathBuf>, SubjectError> {
    for (number, path) in growing::find(main)? {
        if is_broken_at(&path)? || is_unreadable(&path, number)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a kill left the file of a session that grows such that HDF5 can't read it: of what
/// it adds to a table it writes the pieces in no certain order.
fn is_unreadable(path: &Path, number: SessionNumber) -> Result<bool, SubjectError> {
    match Held::open(path, Access::Read) {
        Ok((held, _)) => Ok(held.here(|| Whole::read(&held.file, number)).is_err()),
        Err(SubjectError::Unreadable { .. }) => Ok(true),
        // It may be well.
        Err(SubjectError::InUse(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Keeps a file as `aside` too.
fn keep(path: &Path, aside: &Path, open: bool) -> Result<(), SubjectError> {
    if aside.exists() {
        return Err(SubjectError::Exists(aside.to_owned()));
    }
    // Not every disk has a second name for a file.
    if !open && fs::hard_link(path, aside).is_ok() {
        return Ok(());
    }
    let copy = || {
        fs::copy(path, aside)?;
        File::open(aside)?.sync_all()
    };
    copy().map_err(cannot("write", aside)).inspect_err(|_| remove(aside))
}
