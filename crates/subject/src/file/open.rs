//! Making a subject file, and opening one without ever harming it.

use std::fs::{self, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bramble_value::SubjectId;
use hdf5::file::LibraryVersion;
use hdf5::{File, FileBuilder, Group};
use uuid::Uuid;

use super::{SubjectFile, index, moved, subject};
use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::attribute;
use crate::hdf::table::Diary;
use crate::session::records::{self, Records};
use crate::session::start;
use crate::{Biography, By, Change};

/// What the root's attribute `format` says.
const FORMAT: &str = "bramble subject";
/// The version of the layout; a file of a later one is not opened.
const VERSION: u64 = 1;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

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
        let unfinished = beside(path);
        make(&unfinished, path, id, biography, by)?;
        put_in_place(&unfinished, path).inspect_err(|_| remove(&unfinished))?;
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
        if file.here(|| is_unfinished(&file.file, &file.index))? {
            file.rewrite(repair)?;
        }
        Ok(file)
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    /// As [`SubjectFile::open`].
    pub fn open_read_only(path: &Path) -> Result<SubjectFile, SubjectError> {
        SubjectFile::open_as(path, Access::Read)
    }

    fn open_as(path: &Path, access: Access) -> Result<SubjectFile, SubjectError> {
        let lock = lock(path, access)?;
        let unreadable =
            |error: hdf5::Error| SubjectError::Unreadable { path: path.to_owned(), why: error.to_string() };
        // To read first, whatever comes: opened to be written, HDF5 would make
        // an empty file its own.
        let mut file = options().open(path).map_err(unreadable)?;
        if attribute::text(&file, "format").ok().as_deref() != Some(FORMAT) {
            return Err(SubjectError::NotASubject(path.to_owned()));
        }
        let [format] = attribute::numbers(&file, "version").map_err(|fault| fault.in_file(path))?;
        if format > VERSION {
            return Err(SubjectError::Newer { path: path.to_owned(), format, ours: VERSION });
        }
        let (id, uuid) = read_identity(&file).map_err(|fault| fault.in_file(path))?;
        if access == Access::Write {
            take_in_the_tail(&lock).map_err(|source| SubjectError::Folder {
                doing: "write",
                path: path.to_owned(),
                source,
            })?;
            file.close().map_err(unreadable)?;
            file = options().open_rw(path).map_err(unreadable)?;
        }
        let writable = access == Access::Write;
        let read = || Ok((index::read(&file)?, moved::read(&file)?));
        let (index, moves) = read().map_err(|fault: Fault| fault.in_file(path))?;
        Ok(SubjectFile {
            sessions: Default::default(),
            index,
            moves,
            file,
            lock,
            path: path.to_owned(),
            id,
            uuid,
            writable,
        })
    }
}

impl SubjectFile {
    /// Changes more of the file than the ends of its tables. HDF5 can't make
    /// such a change whole or not at all, so it is made in a copy, which then
    /// takes the file's place.
    pub(super) fn rewrite<T>(
        &mut self,
        work: impl FnOnce(&File) -> Result<T, Fault>,
    ) -> Result<T, SubjectError> {
        self.replace(|copy| changed(copy, work))
    }

    /// The same, after something else that makes the copy shorter: HDF5 gives room at a
    /// file's end back when the file is closed, and forgets it then elsewhere.
    pub(super) fn rewrite_in_two<S, T>(
        &mut self,
        shorten: impl FnOnce(&File) -> Result<S, Fault>,
        work: impl FnOnce(&File, S) -> Result<T, Fault>,
    ) -> Result<T, SubjectError> {
        self.replace(|copy| {
            let (state, file) = changed(copy, shorten)?;
            file.close().doing(|| "close a copy of".to_owned())?;
            changed(copy, |file| work(file, state))
        })
    }

    fn replace<T>(
        &mut self,
        work: impl FnOnce(&Path) -> Result<(T, File), Fault>,
    ) -> Result<T, SubjectError> {
        self.flush()?;
        let copy = beside(&self.path);
        let (result, file, lock) = self.changed_copy(&copy, work).inspect_err(|_| remove(&copy))?;
        self.sessions.get_mut().clear();
        (self.index, self.moves) = self.here(|| Ok((index::read(&file)?, moved::read(&file)?)))?;
        self.file = file;
        self.lock = lock;
        Ok(result)
    }

    fn changed_copy<T>(
        &self,
        copy: &Path,
        work: impl FnOnce(&Path) -> Result<(T, File), Fault>,
    ) -> Result<(T, File, fs::File), SubjectError> {
        let cannot = |source| SubjectError::Folder { doing: "write", path: self.path.clone(), source };
        fs::copy(&self.path, copy).map_err(cannot)?;
        let lock = lock(copy, Access::Write)?;
        let (result, file) = self.here(|| work(copy))?;
        lock.sync_all().map_err(cannot)?;
        put_in_place(copy, &self.path)?;
        Ok((result, file, lock))
    }
}

/// Opens a file and changes it.
fn changed<T>(path: &Path, work: impl FnOnce(&File) -> Result<T, Fault>) -> Result<(T, File), Fault> {
    let file = options().open_rw(path).doing(|| "open a copy of".to_owned())?;
    let result = work(&file)?;
    file.flush().doing(|| "write".to_owned())?;
    Ok((result, file))
}

/// Writes a new file, which is to take its place at `path`.
pub(super) fn make(
    unfinished: &Path,
    path: &Path,
    id: &SubjectId,
    biography: &Biography,
    by: &By,
) -> Result<(), SubjectError> {
    let cannot = |source| SubjectError::Folder { doing: "make", path: path.to_owned(), source };
    // A folder that can't be written says so here in plain words.
    let on_disk = fs::File::create(unfinished).map_err(cannot)?;
    let written = write_new(unfinished, id, biography, by).map_err(|fault| fault.in_file(path));
    written.and_then(|()| on_disk.sync_all().map_err(cannot)).inspect_err(|_| remove(unfinished))
}

/// Where a file is written before it takes its place.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_extension("h5.new")
}

pub(super) fn put_in_place(unfinished: &Path, path: &Path) -> Result<(), SubjectError> {
    let rename = || {
        fs::rename(unfinished, path)?;
        // The new name has to reach the disk too.
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    rename().map_err(|source| SubjectError::Folder { doing: "write", path: path.to_owned(), source })
}

/// Removes what was left half written, if anything; where that fails, the next
/// time writes over it.
pub(super) fn remove(unfinished: &Path) {
    let _ = fs::remove_file(unfinished);
}

/// Locks the way HDF5 does, so that h5py and this heed each other; HDF5's own
/// lock would not keep two handles of one process apart.
fn lock(path: &Path, access: Access) -> Result<fs::File, SubjectError> {
    let cannot = |source| SubjectError::Folder { doing: "open", path: path.to_owned(), source };
    let opened = fs::File::options().read(true).write(access == Access::Write).open(path);
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SubjectError::NoSuchFile(path.to_owned()),
        _ => cannot(error),
    })?;
    let locked = if access == Access::Write { file.try_lock() } else { file.try_lock_shared() };
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SubjectError::InUse(path.to_owned())),
        // Some network folders have no locks: there is nothing to heed.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Where a superblock of version 0, which is all that this crate writes, holds
/// how long the file is.
pub(super) const LENGTH_AT: u64 = 40;

/// Counts as the file's what was written behind its end. HDF5 writes a file's
/// length last; killed before that, it left an index that points behind it,
/// and would give the same room away again.
fn take_in_the_tail(file: &fs::File) -> io::Result<()> {
    let mut superblock = [0; LENGTH_AT as usize + 8];
    file.read_exact_at(&mut superblock, 0)?;
    let version_0 = superblock.starts_with(b"\x89HDF\r\n\x1a\n\0");
    let mut length = [0; 8];
    length.copy_from_slice(&superblock[LENGTH_AT as usize..]);
    let actual = file.metadata()?.len();
    if version_0 && u64::from_le_bytes(length) < actual {
        file.write_all_at(&actual.to_le_bytes(), LENGTH_AT)?;
    }
    Ok(())
}

/// The default format up to 1.10: what every tool reads, and what reopens after a kill.
fn options() -> FileBuilder {
    let mut options = File::with_options();
    options.with_fapl(|access| {
        access.file_locking(false).libver_bounds(LibraryVersion::Earliest, LibraryVersion::V110)
    });
    options
}

fn write_new(path: &Path, id: &SubjectId, biography: &Biography, by: &By) -> Result<(), Fault> {
    let file = options().create(path).doing(|| "make".to_owned())?;
    attribute::set_text(&file, "format", FORMAT)?;
    attribute::set_numbers(&file, "version", &[VERSION])?;
    attribute::set_text(&file, "subject", id.as_str())?;
    attribute::set_text(&file, "uuid", &Uuid::new_v4().to_string())?;
    for group in ["sources", "sessions"] {
        file.create_group(group).doing(|| format!("make /{group} in"))?;
    }
    subject::create_diaries(&file)?;
    subject::write_biography(&file, 1, biography, by)?;
    let change = Change {
        when: by.when,
        who: by.who.clone(),
        what: "subject".to_owned(),
        from: String::new(),
        to: id.to_string(),
    };
    subject::write_change(&file, &change)?;
    file.flush().doing(|| "write".to_owned())
}

fn read_identity(file: &File) -> Result<(SubjectId, Uuid), Fault> {
    Ok((start::parsed(file, "subject")?, start::parsed(file, "uuid")?))
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

/// The sessions that may have grown.
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
