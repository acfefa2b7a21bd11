//! The subject files, as the writer's thread has them: open while it needs them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bramble_subject::{Biography, By, Change, SubjectError, SubjectFile, Subjects};
use bramble_value::SubjectId;

/// The most files that stay open: an open one takes two of the process's
/// descriptors and some memory.
const MOST_HELD: usize = 256;

/// Every subject's file. Those of subjects in a session stay open, where they
/// aren't too many; the others are open only for a moment, so that a notebook may
/// have them in between.
#[derive(Debug)]
pub(crate) struct Files {
    subjects: Subjects,
    held: BTreeMap<SubjectId, Held>,
    /// Counts uses of files that are held.
    uses: u64,
}

#[derive(Debug)]
struct Held {
    file: SubjectFile,
    used: u64,
}

impl Files {
    pub(crate) fn new(subjects: Subjects) -> Files {
        Files { subjects, held: BTreeMap::new(), uses: 0 }
    }

    /// The names of all subjects, in order.
    pub(crate) fn list(&self) -> Result<Vec<SubjectId>, SubjectError> {
        self.subjects.list()
    }

    /// A new subject's file.
    pub(crate) fn create(&self, id: &SubjectId, biography: &Biography, by: &By) -> Result<(), SubjectError> {
        self.subjects.create(id, biography, by).map(drop)
    }

    /// Whether a subject's file is provably not whole.
    pub(crate) fn is_broken(&self, id: &SubjectId) -> Result<bool, SubjectError> {
        SubjectFile::is_broken(&self.subjects.path(id))
    }

    /// Puts a new file in the place of one that is provably broken, and says where that
    /// is kept; the new one's history says so too. `None` where it may be well.
    pub(crate) fn replace_broken(&mut self, id: &SubjectId, by: By) -> Result<Option<PathBuf>, SubjectError> {
        let aside = self.subjects.replace_broken(id, &by, self.held.contains_key(id))?;
        if let Some(aside) = &aside {
            self.held.remove(id);
            let aside = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let change = Change {
                when: by.when,
                who: by.who,
                what: "file".to_owned(),
                from: aside,
                to: "a new one".to_owned(),
            };
            self.subjects.open(id)?.log(&change)?;
        }
        Ok(aside)
    }

    /// Does something with a subject's file that changes nothing.
    pub(crate) fn read<T>(
        &self,
        id: &SubjectId,
        work: impl FnOnce(&SubjectFile) -> Result<T, SubjectError>,
    ) -> Result<T, SubjectError> {
        match self.held.get(id) {
            Some(held) => work(&held.file),
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
            Some(held) => work(&mut held.file),
            None => work(&mut self.subjects.open(id)?),
        }
    }

    /// Opens a subject's file and keeps it open; where many are, the one that was
    /// not used for longest is closed.
    pub(crate) fn hold(&mut self, id: &SubjectId) -> Result<&mut SubjectFile, SubjectError> {
        if !self.held.contains_key(id) {
            if self.held.len() >= MOST_HELD {
                let oldest = self.held.iter().min_by_key(|(_, held)| held.used);
                let oldest = oldest.map(|(id, _)| id.clone());
                oldest.map(|id| self.held.remove(&id));
            }
            let file = self.subjects.open(id)?;
            self.held.insert(id.clone(), Held { file, used: 0 });
        }
        self.uses += 1;
        let held = self.held.get_mut(id).expect("the file was put there just above");
        held.used = self.uses;
        Ok(&mut held.file)
    }

    /// Closes a file that was held.
    pub(crate) fn let_go(&mut self, id: &SubjectId) {
        self.held.remove(id);
    }
}
