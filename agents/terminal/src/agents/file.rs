//! The file of who was enrolled.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::refusal::{Allowed, Refusal};

/// The version of the file's form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    #[serde(flatten)]
    registry: Registry,
}

/// What is in a file, if it is there.
pub(super) fn read(path: &Path) -> Allowed<Registry> {
    let cannot = |why: &dyn std::fmt::Display| {
        Refusal::failed(format!("{} can't be read: {why}", path.display())).help(
            "restore it from a backup, or move it away: agents go on, and are listed again when they are here",
        )
    };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Registry::default()),
        Err(error) => return Err(cannot(&error)),
    };
    let written: Written = serde_json::from_slice(&text).map_err(|error| cannot(&error))?;
    if written.version != VERSION {
        return Err(cannot(&format!("its version is {}, and this Bramble knows {VERSION}", written.version)));
    }
    Ok(written.registry)
}

/// Writes a file, as a whole or not at all.
pub(super) fn write(path: &Path, registry: &Registry) -> Allowed<()> {
    let written = (|| {
        let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        serde_json::to_writer_pretty(&mut file, &Written { version: VERSION, registry: registry.clone() })?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    })();
    written.map_err(|error: std::io::Error| {
        Refusal::failed(format!("{} can't be written: {error}", path.display()))
            .help("see that the disk has room and that this user may write there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_identity::{Agent, Authority, Request, Role};

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.json");
        assert_eq!(read(&path).unwrap(), Registry::default());
        let agent = Agent::new(Role::Pilot, "box1".parse().unwrap());
        let issued =
            Authority::new().unwrap().issue(&Request::new().unwrap().csr().unwrap(), &agent).unwrap();
        let mut registry = Registry::default();
        registry.joins(&agent, &issued, jiff::Timestamp::from_second(5).unwrap());
        write(&path, &registry).unwrap();
        let again = read(&path).unwrap();
        assert_eq!(again, registry);
        assert_eq!(again.all()[0].certificate.der(), issued.certificate);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_damaged_file_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agents.json");
        for text in ["", "{", "{\"version\":2,\"agents\":[]}", "{\"version\":1,\"agents\":[{}]}"] {
            std::fs::write(&path, text).unwrap();
            let refusal = read(&path).unwrap_err();
            assert!(refusal.message.contains("agents.json") && refusal.help.is_some(), "{text}: {refusal}");
        }
    }
}
