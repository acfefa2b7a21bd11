//! The forms a session can be exported in, and where each of them goes.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

use crate::{ExportError, Here, Session, Whether, aind, csv, nwb, parquet, place};

/// A form that other programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Neurodata Without Borders: one HDF5 file a session.
    Nwb,
    /// Tables as text, with a JSON document that describes them.
    Csv,
    /// A folder partitioned by subject and session.
    Parquet,
    /// The folder and documents of the Allen Institute for Neural Dynamics.
    Aind,
}

/// A word that is no form's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no form of an export: they are nwb, csv, parquet and aind")]
pub struct UnknownForm(String);

impl Form {
    /// Every form there is.
    pub const ALL: [Form; 4] = [Form::Nwb, Form::Csv, Form::Parquet, Form::Aind];

    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Form::Nwb => "nwb",
            Form::Csv => "csv",
            Form::Parquet => "parquet",
            Form::Aind => "aind",
        }
    }

    /// Where in the folder of exports a session goes.
    pub fn path(self, session: &Session, here: &Here) -> PathBuf {
        let (subject, number) = (&session.subject, session.number);
        match self {
            // As archives have them.
            Form::Nwb => PathBuf::from(format!("sub-{subject}/sub-{subject}_ses-{number}.nwb")),
            Form::Csv => PathBuf::from(format!("{subject}/{number}")),
            Form::Parquet => PathBuf::from(format!("subject={subject}/session={number}")),
            Form::Aind => PathBuf::from(aind::folder(session, &here.of(session))),
        }
    }

    /// Exports a session into `folder`, whole or not at all, and says where it is.
    ///
    /// # Errors
    /// Where it is there already and is to be kept, or can't be written.
    pub fn export(
        self,
        session: &Session,
        here: &Here,
        folder: &Path,
        whether: Whether,
    ) -> Result<PathBuf, ExportError> {
        let here = &here.of(session);
        let target = folder.join(self.path(session, here));
        // Every other form's places are one session's each.
        if self == Form::Aind {
            aind::check_whose(&target, session)?;
        }
        place(&target, whether, |path| self.write(session, here, path))?;
        Ok(target)
    }

    fn write(self, session: &Session, here: &Here, path: &Path) -> Result<(), ExportError> {
        let folder = || fs::create_dir(path).map_err(ExportError::write(path));
        match self {
            Form::Nwb => nwb::write(session, here, path),
            Form::Csv => folder().and_then(|()| csv::write(session, here, path)),
            Form::Parquet => folder().and_then(|()| parquet::write(session, here, path)),
            Form::Aind => folder().and_then(|()| aind::write(session, here, path)),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Form, UnknownForm> {
        let form = Form::ALL.into_iter().find(|form| form.name() == text);
        form.ok_or_else(|| UnknownForm(text.to_owned()))
    }
}
