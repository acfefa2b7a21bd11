//! Putting what was written into its place, whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::ExportError;

/// What becomes of what is in the place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whether {
    /// It stays, and nothing is written.
    ToKeep,
    /// It is replaced, once all is written, unless there is more in it than is written now.
    ToReplace,
}

/// Has `write` make a file or a folder at the path it is given, on the disk of
/// `target`, and then moves that to `target`. Where anything fails, or the process is
/// killed, `target` is as it was before.
///
/// # Errors
/// Where there is something already that is to be kept, or that is a folder with more in it than
/// was written; where `write` fails, or the folder can't be written.
pub fn place(
    target: &Path,
    whether: Whether,
    write: impl FnOnce(&Path) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    if whether == Whether::ToKeep && fs::symlink_metadata(target).is_ok() {
        return Err(ExportError::Exists(target.to_owned()));
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ExportError::write(folder))?;
    let beside = tempfile::Builder::new()
        .prefix(".unfinished-")
        .tempdir_in(folder)
        .map_err(ExportError::write(folder))?;
    let unfinished = beside.path().join("export");
    write(&unfinished).map_err(|error| named(error, &unfinished, target))?;
    if whether == Whether::ToReplace
        && let Some(foreign) = foreign(target, &unfinished).map_err(ExportError::write(target))?
    {
        return Err(ExportError::Foreign(foreign));
    }
    let moved = match whether {
        Whether::ToKeep => keep(&unfinished, target),
        Whether::ToReplace => replace(&unfinished, target),
    };
    // What was replaced is now in the folder that goes.
    moved.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
            ExportError::Exists(target.to_owned())
        }
        _ => ExportError::write(target)(error),
    })?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(ExportError::write(folder))
}

/// What is in the folder `old`, if it is one, and has nothing in `new` of its name.
fn foreign(old: &Path, new: &Path) -> io::Result<Option<PathBuf>> {
    if !fs::symlink_metadata(old).is_ok_and(|old| old.is_dir()) {
        return Ok(None);
    }
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let becomes = new.join(entry.file_name());
        if fs::symlink_metadata(&becomes).is_err() {
            return Ok(Some(entry.path()));
        }
        if let Some(inside) = foreign(&entry.path(), &becomes)? {
            return Ok(Some(inside));
        }
    }
    Ok(None)
}

/// Writes a file that the disk has when this returns.
pub(crate) fn write_file(path: &Path, text: &[u8]) -> Result<(), ExportError> {
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().map_err(ExportError::write(path))
}

/// An error that names what was asked for, and not what was to become it.
fn named(error: ExportError, unfinished: &Path, target: &Path) -> ExportError {
    let real = |path: &Path| match path.strip_prefix(unfinished) {
        Ok(inside) if inside.as_os_str().is_empty() => target.to_owned(),
        Ok(inside) => target.join(inside),
        Err(_) => path.to_owned(),
    };
    match error {
        ExportError::Write { path, source } => ExportError::Write { path: real(&path), source },
        ExportError::Library { path, why } => ExportError::Library { path: real(&path), why },
        error => error,
    }
}

fn keep(from: &Path, to: &Path) -> io::Result<()> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        Err(Errno::EINVAL | Errno::ENOSYS) if fs::symlink_metadata(to).is_ok() => Err(Errno::EEXIST.into()),
        // Some network folders don't know of this.
        Err(Errno::EINVAL | Errno::ENOSYS) => fs::rename(from, to),
        result => Ok(result?),
    }
}

fn replace(from: &Path, to: &Path) -> io::Result<()> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_EXCHANGE) {
        Err(Errno::ENOENT) => fs::rename(from, to),
        Err(Errno::EINVAL | Errno::ENOSYS) => {
            let old = from.with_extension("old");
            fs::rename(to, &old)?;
            // Where that fails, what was there is put back.
            fs::rename(from, to).inspect_err(|_| drop(fs::rename(&old, to)))
        }
        result => Ok(result?),
    }
}
