//! The tasks and protocols that Bramble comes with, for a terminal that has none yet.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../tasks"]
struct Shipped;

/// Makes a folder of them, whole or not at all, where there is none; whether there was none.
///
/// # Errors
/// What the system said; then nothing has changed.
pub(crate) fn put(folder: &Path) -> io::Result<bool> {
    // A link that leads nowhere is somebody's, too.
    if fs::symlink_metadata(folder).is_ok() {
        return Ok(false);
    }
    let outer = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(outer)?;
    let made = tempfile::tempdir_in(outer)?;
    for name in Shipped::iter() {
        let file = made.path().join(name.as_ref());
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = Shipped::get(&name).map(|file| file.data).unwrap_or_default();
        fs::write(file, text)?;
    }
    fs::set_permissions(made.path(), Permissions::from_mode(0o755))?;
    fs::rename(made.path(), folder)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_put_where_there_are_none_and_stay_as_they_are_afterwards() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("lab/tasks");
        assert!(put(&folder).unwrap());
        for file in ["cued_choice.star", "lib/bias.star", "protocols/water_to_choice.star"] {
            assert!(folder.join(file).is_file(), "{file}");
        }
        let own = "# Our own.";
        fs::write(folder.join("cued_choice.star"), own).unwrap();
        assert!(!put(&folder).unwrap());
        assert_eq!(fs::read_to_string(folder.join("cued_choice.star")).unwrap(), own);
        assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }
}
