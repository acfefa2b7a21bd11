//! Files that something else cut off or wrote over, and new ones in their place.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bramble_value::SubjectId;

use super::SubjectFile;
use super::open::{LENGTH_AT, beside, make, put_in_place, remove};
use crate::error::SubjectError;
use crate::{Biography, By};

/// What every HDF5 file begins with.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

impl SubjectFile {
    /// Whether a file is provably not whole: it is no HDF5 any more, or shorter than it
    /// was when it was last written to. A file that can't be opened for another reason
    /// may be well.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn is_broken(path: &Path) -> Result<bool, SubjectError> {
        let read = || is_broken(&File::open(path)?);
        read().map_err(|source| SubjectError::Folder { doing: "read", path: path.to_owned(), source })
    }

    /// Puts a new file in the place of a broken one, which is kept as `aside`: at no
    /// moment is there no file, and the broken one stays as it is. `open` says that it is
    /// open in this process, which then still writes to what it has open.
    ///
    /// # Errors
    /// Where `aside` exists, or the folder can't be written; then nothing has changed.
    pub fn make_anew(
        path: &Path,
        id: &SubjectId,
        by: &By,
        aside: &Path,
        open: bool,
    ) -> Result<(), SubjectError> {
        let cannot = |source| SubjectError::Folder { doing: "write", path: aside.to_owned(), source };
        if aside.exists() {
            return Err(SubjectError::Exists(aside.to_owned()));
        }
        let unfinished = beside(path);
        make(&unfinished, path, id, &Biography::default(), by)?;
        // Not every disk has a second name for a file.
        let linked = if open { false } else { fs::hard_link(path, aside).is_ok() };
        let kept = if linked { Ok(()) } else { copy(path, aside).map_err(cannot) };
        kept.and_then(|()| put_in_place(&unfinished, path)).inspect_err(|_| {
            remove(&unfinished);
            remove(aside);
        })
    }

    /// An open file that something else cut off must not be written to: HDF5 would fill
    /// the room of what is gone with zeros.
    pub(super) fn check_whole(&self) -> Result<(), SubjectError> {
        let cannot = |source| SubjectError::Folder { doing: "read", path: self.path.clone(), source };
        if is_broken(&self.lock).map_err(cannot)? {
            let what = "it was cut off or written over while it was open".to_owned();
            return Err(SubjectError::Damaged { path: self.path.clone(), what });
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn is_broken(file: &File) -> io::Result<bool> {
    let mut superblock = [0; LENGTH_AT as usize + 8];
    match file.read_exact_at(&mut superblock, 0) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(true),
        read => read?,
    }
    if !superblock.starts_with(SIGNATURE) {
        return Ok(true);
    }
    // Only what this crate writes has its length there; others' files are not judged.
    let version_0 = superblock[SIGNATURE.len()] == 0;
    let mut length = [0; 8];
    length.copy_from_slice(&superblock[LENGTH_AT as usize..]);
    Ok(version_0 && file.metadata()?.len() < u64::from_le_bytes(length))
}
