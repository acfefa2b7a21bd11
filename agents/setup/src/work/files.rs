//! Putting a file into its place: whole, or not at all, with a copy of what was there.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use tempfile::NamedTempFile;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Put {
    /// It says just that already.
    Same,
    /// It wasn't there.
    New,
    /// What was there is in this file now.
    Kept(PathBuf),
}

/// Writes a file that everybody may read: beside its place, to the disk, and then into it.
///
/// # Errors
/// What the system said; then nothing has changed.
pub(crate) fn put(path: &Path, text: &str, now: &Zoned) -> io::Result<Put> {
    // Where the file is a link, what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let before = match fs::read(&path) {
        Ok(before) if before == text.as_bytes() => return Ok(Put::Same),
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mode = fs::metadata(&path).map_or(0o644, |metadata| metadata.permissions().mode());
    let put = match before {
        Some(before) => {
            let copy = copy_name(&path, now);
            place(folder, &copy, &before, mode)?;
            Put::Kept(copy)
        }
        None => Put::New,
    };
    place(folder, &path, text.as_bytes(), mode)?;
    Ok(put)
}

fn place(folder: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = NamedTempFile::new_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().set_permissions(Permissions::from_mode(mode))?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    File::open(folder)?.sync_all()
}

/// A name for a copy, with the time in it, that no file has.
fn copy_name(path: &Path, now: &Zoned) -> PathBuf {
    let stem = format!("{}.{}", path.display(), now.strftime("%Y-%m-%dT%H%M%S"));
    let names = std::iter::once(stem.clone()).chain((2..).map(|number| format!("{stem}-{number}")));
    let mut free = names.map(PathBuf::from).filter(|name| fs::symlink_metadata(name).is_err());
    free.next().unwrap_or_else(|| stem.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_kept_each_time_and_nothing_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("etc/pilot.toml");
        let now: Zoned = "2026-11-27T09:30:00[UTC]".parse().unwrap();
        assert_eq!(put(&path, "a", &now).unwrap(), Put::New);
        assert_eq!(put(&path, "a", &now).unwrap(), Put::Same);
        let Put::Kept(first) = put(&path, "b", &now).unwrap() else { panic!("it differs") };
        let Put::Kept(second) = put(&path, "c", &now).unwrap() else { panic!("it differs") };
        assert!(first.ends_with("pilot.toml.2026-11-27T093000"), "{first:?}");
        assert_eq!(fs::read_to_string(first).unwrap(), "a");
        assert_eq!(fs::read_to_string(second).unwrap(), "b");
        assert_eq!(fs::read_to_string(&path).unwrap(), "c");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 3, "nothing is left beside them");
    }

    #[test]
    fn a_link_stays_one_and_a_mode_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "a").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        put(&link, "b", &Zoned::now()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "b");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_can_not_be_written_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "a").unwrap();
        assert!(put(&file.join("pilot.toml"), "b", &Zoned::now()).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "a");
    }
}
