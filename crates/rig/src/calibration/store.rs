//! The calibrations of a machine, as files: a folder for each valve, a file for
//! each calibration, named by its time.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bramble_value::Name;
use jiff::Timestamp;
use thiserror::Error;

use super::{Calibration, Valve};

const HEAD: &str = "\
# A calibration of a valve, made by `bramble-pilot calibrate`. The newest of a valve
# counts; older ones are kept. `grams` is what all openings of a point weighed
# together, `density` is mg/uL, and an opening gives
# microliters_per_second x seconds + offset_microliters. No real valve goes by one
# with `simulated = true`.

";

/// Calibrations that can't be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder or a file doesn't open.
    #[error("can't {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A newer one is there already, and would count instead.
    #[error(
        "a calibration of `{valve}` has a later date ({}), so it would count and not a new one: see that this \
         computer's clock is right, and put that file aside if it was made while the clock was ahead",
        file.display()
    )]
    Later {
        /// The valve.
        valve: Valve,
        /// The one of a later date.
        file: PathBuf,
    },
    /// It can't be written as text.
    #[error("the calibration of `{valve}` can't be written: {why}")]
    Unwritable {
        /// The valve.
        valve: Valve,
        /// Why.
        why: String,
    },
}

/// The newest calibration of each valve.
#[derive(Debug, Clone, Default)]
pub struct Calibrations {
    valves: BTreeMap<Valve, Result<Arc<Calibration>, String>>,
}

/// A calibration that was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Of which valve.
    pub valve: Valve,
    /// Where.
    pub file: PathBuf,
    /// It, or a sentence that says how its file is damaged.
    pub calibration: Result<Calibration, String>,
}

impl Calibrations {
    /// Reads the newest calibration of each valve in this folder; there is none
    /// where there is no such folder. A file that is damaged is only a mistake
    /// for what needs its valve: [`Calibrations::of`] names it.
    ///
    /// # Errors
    /// [`StoreError`] where a folder can't be read.
    pub fn read(folder: &Path) -> Result<Calibrations, StoreError> {
        let mut valves = BTreeMap::new();
        for (valve, files) in files(folder)? {
            if let Some(newest) = files.last() {
                valves.insert(valve.clone(), read(&valve, newest).map(Arc::new));
            }
        }
        Ok(Calibrations { valves })
    }

    /// What is known of a valve: nothing, its newest calibration, or a sentence
    /// that says which file is damaged.
    pub fn of(&self, valve: &Valve) -> Option<&Result<Arc<Calibration>, String>> {
        self.valves.get(valve)
    }
}

impl FromIterator<Calibration> for Calibrations {
    /// These alone, the newest of each valve.
    fn from_iter<I: IntoIterator<Item = Calibration>>(all: I) -> Calibrations {
        let mut all: Vec<Calibration> = all.into_iter().collect();
        all.sort_by_key(Calibration::made);
        let valves = all.into_iter().map(|one| (one.valve().clone(), Ok(Arc::new(one))));
        Calibrations { valves: valves.collect() }
    }
}

/// Whether a calibration that is made `now` would be its valve's newest.
///
/// # Errors
/// [`StoreError`] where there is one of a later date, or a folder can't be read.
pub fn later(folder: &Path, valve: &Valve, now: Timestamp) -> Result<(), StoreError> {
    let (folder, name) = (folder.join(valve.to_string()), file_name(now));
    let newest = listed(&folder)?.into_iter().filter(|path| is_calibration(path)).max();
    match newest.filter(|file| file.file_name().is_some_and(|newest| newest > name.as_str())) {
        Some(file) => Err(StoreError::Later { valve: valve.clone(), file }),
        None => Ok(()),
    }
}

/// A calibration's file: its path in the folder of all, and its text.
///
/// # Errors
/// [`StoreError::Unwritable`] where it has no form as text.
pub fn text(calibration: &Calibration) -> Result<(String, String), StoreError> {
    let valve = calibration.valve();
    let text = toml::to_string(calibration)
        .map_err(|error| StoreError::Unwritable { valve: valve.clone(), why: error.to_string() })?;
    Ok((format!("{valve}/{}", file_name(calibration.made())), format!("{HEAD}{text}")))
}

/// Writes a calibration into its valve's folder, whole or not at all, and says
/// which file it is. Everyone may read it.
///
/// # Errors
/// [`StoreError`] where that is impossible, or there is a file of that time or a
/// later one.
pub fn save(folder: &Path, calibration: &Calibration) -> Result<PathBuf, StoreError> {
    let (valve, (_, text)) = (calibration.valve(), text(calibration)?);
    later(folder, valve, calibration.made())?;
    let folder = folder.join(valve.to_string());
    let file = folder.join(file_name(calibration.made()));
    let write = || {
        fs::create_dir_all(&folder)?;
        let readable = Permissions::from_mode(0o644);
        let mut new = tempfile::Builder::new().prefix(".new-").permissions(readable).tempfile_in(&folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        new.persist_noclobber(&file)?;
        // The name is durable too only once its folder is.
        fs::File::open(&folder)?.sync_all()
    };
    write().map_err(|source| StoreError::Io { what: "write the calibration", path: file.clone(), source })?;
    Ok(file)
}

/// Every calibration that there is, by valve, the oldest first.
///
/// # Errors
/// [`StoreError`] where a folder can't be read.
pub fn kept(folder: &Path) -> Result<Vec<Kept>, StoreError> {
    let all = files(folder)?.into_iter().flat_map(|(valve, files)| {
        files.into_iter().map(move |file| {
            let calibration = read(&valve, &file);
            Kept { valve: valve.clone(), file, calibration }
        })
    });
    Ok(all.collect())
}

/// The files of each valve. Their names are times: sorted, the last is the newest.
fn files(folder: &Path) -> Result<BTreeMap<Valve, Vec<PathBuf>>, StoreError> {
    let mut all = BTreeMap::new();
    for path in listed(folder)? {
        let Some(valve) = valve(&path) else { continue };
        let mut files = listed(&path)?;
        files.retain(|file| is_calibration(file));
        files.sort();
        all.insert(valve, files);
    }
    Ok(all)
}

fn file_name(made: Timestamp) -> String {
    format!("{}.toml", made.strftime("%Y-%m-%dT%H-%M-%S%.3fZ"))
}

fn is_calibration(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "toml")
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let unreadable = |source| StoreError::Io { what: "read", path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unreadable(error)),
    }
}

/// The valve whose calibrations a folder holds, if those of any.
fn valve(folder: &Path) -> Option<Valve> {
    let name = folder.file_name()?.to_str()?;
    if !folder.is_dir() {
        return None;
    }
    let (device, port) = match name.split_once('.') {
        Some((device, port)) => (device, Some(port.parse::<Name>().ok()?)),
        None => (name, None),
    };
    Some(Valve { device: device.parse().ok()?, port })
}

fn read(valve: &Valve, file: &Path) -> Result<Calibration, String> {
    let damaged = |why: String| {
        format!(
            "the calibration of `{valve}` in {} is damaged: {why}; put it aside, or run `{}`",
            file.display(),
            valve.command()
        )
    };
    let text = fs::read_to_string(file).map_err(|error| damaged(error.to_string()))?;
    let calibration: Calibration =
        toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
    if calibration.valve() == valve {
        Ok(calibration)
    } else {
        Err(damaged(format!("it is one of `{}`", calibration.valve())))
    }
}
