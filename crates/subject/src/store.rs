//! All subjects of a terminal: a folder with a file for each.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bramble_value::SubjectId;

use crate::error::SubjectError;
use crate::file::main_of;
use crate::{Biography, By, SubjectFile};

/// Where in a data folder the subjects are.
const FOLDER: &str = "subjects";

/// The folder `subjects` of a data folder.
#[derive(Debug, Clone)]
pub struct Subjects {
    folder: PathBuf,
}

impl Subjects {
    /// The subjects in `data`, making the folder where there is none.
    pub fn in_folder(data: &Path) -> Result<Subjects, SubjectError> {
        let folder = data.join(FOLDER);
        match fs::create_dir_all(&folder) {
            Ok(()) => Ok(Subjects { folder }),
            Err(source) => Err(SubjectError::Folder { doing: "make the folder", path: folder, source }),
        }
    }

    /// Where a subject's file in `data` is, or would be. Nothing is made.
    pub fn path_in(data: &Path, id: &SubjectId) -> PathBuf {
        data.join(FOLDER).join(format!("{id}.h5"))
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of all subjects, in order.
    pub fn list(&self) -> Result<Vec<SubjectId>, SubjectError> {
        let failed = |source| SubjectError::Folder { doing: "list", path: self.folder.clone(), source };
        let mut subjects = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".h5")).and_then(|id| id.parse().ok());
            subjects.extend(id);
        }
        subjects.sort();
        Ok(subjects)
    }

    /// The subjects beside whose files there are sessions that are not in them, or not all in them.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn growing(&self) -> Result<BTreeSet<SubjectId>, SubjectError> {
        let failed = |source| SubjectError::Folder { doing: "list", path: self.folder.clone(), source };
        let mut subjects = BTreeSet::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let main = name.to_str().and_then(main_of).and_then(|main| main.strip_suffix(".h5"));
            subjects.extend(main.and_then(|id| id.parse().ok()));
        }
        Ok(subjects)
    }

    /// Where a subject's file is, or would be.
    pub fn path(&self, id: &SubjectId) -> PathBuf {
        self.folder.join(format!("{id}.h5"))
    }

    /// Whether there is such a subject.
    pub fn contains(&self, id: &SubjectId) -> bool {
        self.path(id).exists()
    }

    /// A new subject.
    ///
    /// # Errors
    /// Where there is one of this name already, or the folder can't be written.
    pub fn create(
        &self,
        id: &SubjectId,
        biography: &Biography,
        by: &By,
    ) -> Result<SubjectFile, SubjectError> {
        SubjectFile::create(&self.path(id), id, biography, by)
    }

    /// A subject's file, to write to.
    ///
    /// # Errors
    /// As [`SubjectFile::open`].
    pub fn open(&self, id: &SubjectId) -> Result<SubjectFile, SubjectError> {
        SubjectFile::open(&self.path(id))
    }

    /// A subject's file, to read.
    ///
    /// # Errors
    /// As [`SubjectFile::open_read_only`].
    pub fn open_read_only(&self, id: &SubjectId) -> Result<SubjectFile, SubjectError> {
        SubjectFile::open_read_only(&self.path(id))
    }
}
