//! The file of the users, in the data folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Users;
use crate::refusal::{Allowed, Refusal};

/// Its name.
const FILE: &str = "users.json";
/// The version of its form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    users: Users,
}

/// Where it is in a data folder.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Who is in a file; nobody where there is none.
///
/// # Errors
/// Where it can't be read.
pub(crate) fn read(path: &Path) -> Allowed<Users> {
    let cannot = |why: &dyn std::fmt::Display| {
        Refusal::failed(format!("{} can't be read: {why}", path.display())).help(
            "restore it from a backup, or move it away and add the users again: bramble-terminal user add",
        )
    };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Users::default()),
        Err(error) => return Err(cannot(&error)),
    };
    let written: Written = serde_json::from_slice(&text).map_err(|error| cannot(&error))?;
    if written.version != VERSION {
        return Err(cannot(&format!("its version is {}, and this Bramble knows {VERSION}", written.version)));
    }
    Ok(written.users)
}

/// Writes a file, as a whole or not at all, for its owner alone to read.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn write(path: &Path, users: &Users) -> Allowed<()> {
    let written = (|| {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &Written { version: VERSION, users: users.clone() })?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        std::fs::File::open(folder)?.sync_all()
    })();
    written.map_err(|error: std::io::Error| {
        Refusal::failed(format!("{} can't be written: {error}", path.display()))
            .help("see that the disk has room and that this user may write there")
    })
}

/// Which edition of the file there is; none where it isn't there.
pub(super) fn edition(path: &Path) -> Option<(SystemTime, u64)> {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::users::Role;

    #[test]
    fn what_is_written_is_read_again_and_only_by_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path());
        assert_eq!(read(&path).unwrap(), Users::default());
        let mut users = Users::default();
        users.add("alice".parse().unwrap(), Role::View, "correct horse").unwrap();
        write(&path, &users).unwrap();
        assert_eq!(read(&path).unwrap(), users);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
