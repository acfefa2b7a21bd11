//! Sessions that grow, each in a small file of its own beside the subject's.
//!
//! Making one costs the same however large the subject's file is, and that file is not written
//! to while a session runs. Once the session is over, it goes into the copy of the subject's
//! file that takes its place, compressed, and the small file is removed. Where both have a
//! session, because a kill came in between or more came later, the small one counts: it has
//! everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hdf5::File;

use super::held::{Access, Held, Identity, cannot, folder_of, make, put_in_place, remove};
use super::subject;
use crate::SessionNumber;
use crate::error::{Fault, SubjectError};

/// The sessions that grow, by their number.
pub(super) type Growing = BTreeMap<SessionNumber, Held>;

/// What comes behind a subject file's name, before the session's number.
const RUNNING: &str = ".running-";

/// Where a session grows.
fn path(main: &Path, number: SessionNumber) -> PathBuf {
    let mut name = main.as_os_str().to_owned();
    name.push(format!("{RUNNING}{number}"));
    name.into()
}

/// The name of the subject's file that one of this name is beside, where a session grows in it.
pub(crate) fn main_of(name: &str) -> Option<&str> {
    let (main, number) = name.split_once(RUNNING)?;
    number.parse::<SessionNumber>().ok().map(|_| main)
}

/// The files beside a subject's, in the order of their sessions.
pub(super) fn find(main: &Path) -> Result<Vec<(SessionNumber, PathBuf)>, SubjectError> {
    let folder = folder_of(main);
    let Some(name) = main.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot("list", folder))? {
        let entry = entry.map_err(cannot("list", folder))?.file_name();
        let number = entry.to_str().and_then(|entry| entry.strip_prefix(name)?.strip_prefix(RUNNING));
        let number = number.and_then(|text| Some((text, text.parse::<SessionNumber>().ok()?)));
        found.extend(number.filter(|(text, number)| *text == number.to_string()).map(|(_, number)| number));
    }
    found.sort();
    Ok(found.into_iter().map(|number| (number, path(main, number))).collect())
}

/// Opens them; for reading, those of sessions that nobody writes to, with the numbers of the others.
pub(super) fn open(main: &Path, access: Access) -> Result<(Growing, BTreeSet<SessionNumber>), SubjectError> {
    let (mut growing, mut running) = (Growing::new(), BTreeSet::new());
    for (number, path) in find(main)? {
        match Held::open(&path, access) {
            Ok((held, _)) => drop(growing.insert(number, held)),
            Err(SubjectError::InUse(_)) if access == Access::Read => drop(running.insert(number)),
            // Taken in just now, which whoever reads finds out.
            Err(SubjectError::NoSuchFile(_)) if access == Access::Read => {}
            Err(error) => return Err(error),
        }
    }
    Ok((growing, running))
}

/// Makes the file that a session grows in. It comes to be whole or not at all.
pub(super) fn create(
    main: &Path,
    number: SessionNumber,
    identity: &Identity,
    work: impl FnOnce(&File) -> Result<(), Fault>,
) -> Result<Held, SubjectError> {
    let path = path(main, number);
    let unfinished = make(&path, identity, |file| {
        // It is a subject's file in all that a reader looks for.
        subject::create_diaries(file)?;
        work(file)
    })?;
    put_in_place(&unfinished, &path).inspect_err(|_| remove(&unfinished))?;
    Ok(Held::open(&path, Access::Write)?.0)
}
