//! The subject files, as the writer's thread has them: open while it needs them.

use std::collections::BTreeMap;

use bramble_subject::{Biography, By, SubjectError, SubjectFile, Subjects};
use bramble_value::SubjectId;

/// Every subject's file. Those of subjects in a session stay open; the others
/// are open only for a moment, so that a notebook may have them in between.
#[derive(Debug)]
pub(crate) struct Files {
    subjects: Subjects,
    held: BTreeMap<SubjectId, SubjectFile>,
}

impl Files {
    pub(crate) fn new(subjects: Subjects) -> Files {
        Files { subjects, held: BTreeMap::new() }
    }

    /// The names of all subjects, in order.
    pub(crate) fn list(&self) -> Result<Vec<SubjectId>, SubjectError> {
        self.subjects.list()
    }

    /// A new subject's file.
    pub(crate) fn create(&self, id: &SubjectId, biography: &Biography, by: &By) -> Result<(), SubjectError> {
        self.subjects.create(id, biography, by).map(drop)
    }

    /// Does something with a subject's file that changes nothing.
    pub(crate) fn read<T>(
        &self,
        id: &SubjectId,
        work: impl FnOnce(&SubjectFile) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        match self.held.get(id) {
            Some(file) => work(file),
            None => work(&self.subjects.open_read_only(id)?),
        }
    }

    /// Does something with a subject's file.
    pub(crate) fn write<T>(
        &mut self,
        id: &SubjectId,
        work: impl FnOnce(&mut SubjectFile) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        match self.held.get_mut(id) {
            Some(file) => work(file),
            None => work(&mut self.subjects.open(id)?),
        }
    }

    /// Opens a subject's file and keeps it open.
    pub(crate) fn hold(&mut self, id: &SubjectId) -> Result<&mut SubjectFile, SubjectError> {
        if !self.held.contains_key(id) {
            let file = self.subjects.open(id)?;
            self.held.insert(id.clone(), file);
        }
        Ok(self.held.get_mut(id).expect("the file was put there just above"))
    }

    /// Closes a file that was held.
    pub(crate) fn let_go(&mut self, id: &SubjectId) {
        self.held.remove(id);
    }
}
