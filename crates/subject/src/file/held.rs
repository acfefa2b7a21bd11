//! One HDF5 file: locked, opened without ever harming it, and changed whole or not at all.

use std::cell::Cell;
use std::fs::{self, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use bramble_value::SubjectId;
use hdf5::file::LibraryVersion;
use hdf5::{File, FileBuilder};
use uuid::Uuid;

use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::attribute;
use crate::session::start;

/// What the root's attribute `format` says.
const FORMAT: &str = "bramble subject";
/// The version of the layout; a file of a later one is not opened.
const VERSION: u64 = 1;
/// What every HDF5 file begins with.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Where a superblock of version 0, which is all that this crate writes, holds
/// how long the file is.
const LENGTH_AT: u64 = 40;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Whose a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: SubjectId,
    pub(super) uuid: Uuid,
}

/// A file that is open. Where it may be written, nobody else writes to it, and until [`Held::rest`]
/// nobody reads it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: File,
    /// Held for as long as the file is open.
    lock: fs::File,
    path: PathBuf,
    /// Somebody else may have written to it.
    lost: Cell<bool>,
}

impl Held {
    /// Opens a file that is a subject's.
    ///
    /// # Errors
    /// Where there is none, another handle or program has it open, it can't be read, or it is
    /// not a subject's. It is left as it is then.
    pub(super) fn open(path: &Path, access: Access) -> Result<(Held, Identity), SubjectError> {
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
        let identity = read_identity(&file).map_err(|fault| fault.in_file(path))?;
        if access == Access::Write {
            take_in_the_tail(&lock).map_err(cannot("write", path))?;
            file.close().map_err(unreadable)?;
            file = options().open_rw(path).map_err(unreadable)?;
        }
        Ok((Held { file, lock, path: path.to_owned(), lost: Cell::new(false) }, identity))
    }

    /// Lets others read it, and nobody write to it.
    pub(super) fn rest(&self) {
        // A lock is not always exchanged for another in one: a third may come between.
        if matches!(self.lock.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            self.lost.set(true);
        }
    }

    /// Whether nobody reads it now, and nobody will before [`Held::rest`].
    ///
    /// # Errors
    /// Where somebody else may have written to it.
    pub(super) fn is_alone(&self) -> Result<bool, SubjectError> {
        self.check_own()?;
        match self.lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                self.rest();
                self.check_own().map(|()| false)
            }
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                Err(cannot("write", &self.path)(error))
            }
            _ => Ok(true),
        }
    }

    /// Whether somebody else may have written to it, so that it has to be opened anew.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.get()
    }

    fn check_own(&self) -> Result<(), SubjectError> {
        if self.is_lost() { Err(SubjectError::InUse(self.path.clone())) } else { Ok(()) }
    }

    /// Whether another file has taken its place since it was opened.
    pub(super) fn is_replaced(&self) -> bool {
        let which = |about: fs::Metadata| (about.dev(), about.ino());
        let here = self.lock.metadata().map(which).ok();
        here != fs::metadata(&self.path).map(which).ok()
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Says in which file something went wrong.
    pub(super) fn here<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, SubjectError> {
        work().map_err(|fault| fault.in_file(&self.path))
    }

    /// Has the disk hold what was written.
    pub(super) fn sync(&self) -> Result<(), SubjectError> {
        self.check_whole()?;
        self.flush()?;
        self.lock.sync_all().map_err(cannot("write", &self.path))
    }

    fn flush(&self) -> Result<(), SubjectError> {
        self.here(|| self.file.flush().doing(|| "write".to_owned()))
    }

    /// An open file that something else cut off must not be written to: HDF5 would fill
    /// the room of what is gone with zeros.
    pub(super) fn check_whole(&self) -> Result<(), SubjectError> {
        if is_broken(&self.lock).map_err(cannot("read", &self.path))? {
            let what = "it was cut off or written over while it was open".to_owned();
            return Err(SubjectError::Damaged { path: self.path.clone(), what });
        }
        Ok(())
    }

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
    pub(super) fn rewrite_in_two<T>(
        &mut self,
        shorten: impl FnOnce(&File) -> Result<(), Fault>,
        work: impl FnOnce(&File) -> Result<T, Fault>,
    ) -> Result<T, SubjectError> {
        self.replace(|copy| {
            let ((), file) = changed(copy, shorten)?;
            file.close().doing(|| "close a copy of".to_owned())?;
            changed(copy, work)
        })
    }

    fn replace<T>(
        &mut self,
        work: impl FnOnce(&Path) -> Result<(T, File), Fault>,
    ) -> Result<T, SubjectError> {
        self.check_own()?;
        self.flush()?;
        let copy = beside(&self.path);
        let (result, file, lock) = self.changed_copy(&copy, work).inspect_err(|_| remove(&copy))?;
        self.file = file;
        self.lock = lock;
        self.rest();
        Ok(result)
    }

    fn changed_copy<T>(
        &self,
        copy: &Path,
        work: impl FnOnce(&Path) -> Result<(T, File), Fault>,
    ) -> Result<(T, File, fs::File), SubjectError> {
        fs::copy(&self.path, copy).map_err(cannot("write", &self.path))?;
        let lock = lock(copy, Access::Write)?;
        let (result, file) = self.here(|| work(copy))?;
        lock.sync_all().map_err(cannot("write", &self.path))?;
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

/// Writes a new file beside `path`, where it is to be put, and says where it is. The disk has
/// it then.
pub(super) fn make(
    path: &Path,
    identity: &Identity,
    work: impl FnOnce(&File) -> Result<(), Fault>,
) -> Result<PathBuf, SubjectError> {
    let unfinished = beside(path);
    // A folder that can't be written says so here in plain words.
    let on_disk = fs::File::create(&unfinished).map_err(cannot("make", path))?;
    let write = || {
        let file = options().create(&unfinished).doing(|| "make".to_owned())?;
        attribute::set_text(&file, "format", FORMAT)?;
        attribute::set_numbers(&file, "version", &[VERSION])?;
        attribute::set_text(&file, "subject", identity.id.as_str())?;
        attribute::set_text(&file, "uuid", &identity.uuid.to_string())?;
        for group in ["sources", "sessions"] {
            file.create_group(group).doing(|| format!("make /{group} in"))?;
        }
        work(&file)?;
        file.flush().doing(|| "write".to_owned())
    };
    let written = write().map_err(|fault| fault.in_file(path));
    let kept = written.and_then(|()| on_disk.sync_all().map_err(cannot("make", path)));
    kept.inspect_err(|_| remove(&unfinished))?;
    Ok(unfinished)
}

/// Where a file is written before it takes its place.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

pub(super) fn put_in_place(unfinished: &Path, path: &Path) -> Result<(), SubjectError> {
    let rename = || {
        fs::rename(unfinished, path)?;
        // The new name has to reach the disk too.
        fs::File::open(folder_of(path))?.sync_all()
    };
    rename().map_err(cannot("write", path))
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what was left half written, if anything; where that fails, the next
/// time writes over it.
pub(super) fn remove(unfinished: &Path) {
    let _ = fs::remove_file(unfinished);
}

/// What the system says of a file, as what could not be done.
pub(super) fn cannot(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> SubjectError {
    move |source| SubjectError::Folder { doing, path: path.to_owned(), source }
}

/// Locks the way HDF5 does, so that h5py and this heed each other; HDF5's own
/// lock would not keep two handles of one process apart.
fn lock(path: &Path, access: Access) -> Result<fs::File, SubjectError> {
    let opened = fs::File::options().read(true).write(access == Access::Write).open(path);
    let file = opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => SubjectError::NoSuchFile(path.to_owned()),
        _ => cannot("open", path)(error),
    })?;
    let locked = if access == Access::Write { file.try_lock() } else { file.try_lock_shared() };
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SubjectError::InUse(path.to_owned())),
        // Some network folders have no locks: there is nothing to heed.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(cannot("open", path)(error)),
    }
}

/// Whether a file is provably not whole: it is no HDF5 any more, or shorter than it was when
/// it was last written to.
pub(super) fn is_broken(file: &fs::File) -> io::Result<bool> {
    let mut superblock = [0; LENGTH_AT as usize + 8];
    match file.read_exact_at(&mut superblock, 0) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(true),
        read => read?,
    }
    if !superblock.starts_with(SIGNATURE) {
        return Ok(true);
    }
    // Only what this crate writes has its length there; others' files are not judged.
    match length(&superblock) {
        Some(length) => Ok(file.metadata()?.len() < length),
        None => Ok(false),
    }
}

/// Counts as the file's what was written behind its end. HDF5 writes a file's
/// length last; killed before that, it left an index that points behind it,
/// and would give the same room away again.
fn take_in_the_tail(file: &fs::File) -> io::Result<()> {
    let mut superblock = [0; LENGTH_AT as usize + 8];
    file.read_exact_at(&mut superblock, 0)?;
    let actual = file.metadata()?.len();
    if length(&superblock).is_some_and(|length| length < actual) {
        file.write_all_at(&actual.to_le_bytes(), LENGTH_AT)?;
    }
    Ok(())
}

/// The length that a superblock of version 0 says; `None` of another version.
fn length(superblock: &[u8; LENGTH_AT as usize + 8]) -> Option<u64> {
    let version_0 = superblock.starts_with(SIGNATURE) && superblock[SIGNATURE.len()] == 0;
    let mut length = [0; 8];
    length.copy_from_slice(&superblock[LENGTH_AT as usize..]);
    version_0.then(|| u64::from_le_bytes(length))
}

/// The default format up to 1.10: what every tool reads, and what reopens after a kill.
fn options() -> FileBuilder {
    let mut options = File::with_options();
    options.with_fapl(|access| {
        access.file_locking(false).libver_bounds(LibraryVersion::Earliest, LibraryVersion::V110)
    });
    options
}

fn read_identity(file: &File) -> Result<Identity, Fault> {
    Ok(Identity { id: start::parsed(file, "subject")?, uuid: start::parsed(file, "uuid")? })
}
