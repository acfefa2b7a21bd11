//! The folder of tasks and protocols that the page shows. Nothing outside of it is read or
//! written for a page.

use std::path::{Path, PathBuf};

use crate::refusal::{Allowed, Refusal};

/// The most files that are looked at, and how deep folders may lie in each other.
const MOST: usize = 500;
const DEEPEST: usize = 6;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Task,
    Protocol,
}

impl Folder {
    /// A folder that need not be there.
    pub(crate) fn new(path: PathBuf) -> Folder {
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The files of one kind, in the order of their paths. What can't be read isn't shown.
    pub(crate) fn files(&self, kind: Kind) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.0, DEEPEST, &mut files);
        files.sort();
        files.retain(|file| read(file).is_ok_and(|text| kind_of(&text) == Some(kind)));
        files
    }

    /// The file of the folder that a page means, wherever it says that it is.
    ///
    /// # Errors
    /// Where it isn't there, or not in this folder.
    pub(crate) fn file(&self, named: &Path) -> Allowed<PathBuf> {
        let missing = || {
            Refusal::missing(format!(
                "{} is no file of the tasks folder, {}",
                named.display(),
                self.0.display()
            ))
            .help("[web] tasks in the configuration says which folder that is")
        };
        let folder = self.0.canonicalize().map_err(|_| missing())?;
        let file = folder.join(named).canonicalize().map_err(|_| missing())?;
        let inside = file.starts_with(&folder) && file.extension().is_some_and(|end| end == "star");
        if inside && file.is_file() { Ok(file) } else { Err(missing()) }
    }

    /// The same of a protocol.
    ///
    /// # Errors
    /// Where it isn't there, not in this folder, or no protocol.
    pub(crate) fn protocol(&self, named: &Path) -> Allowed<PathBuf> {
        let file = self.file(named)?;
        match read(&file).map(|text| kind_of(&text)) {
            Ok(Some(Kind::Protocol)) => Ok(file),
            _ => Err(Refusal::wrong(format!("{} is no protocol", named.display()))),
        }
    }

    /// A file's path within this folder, for people.
    pub(crate) fn within(&self, listed: &Path) -> String {
        listed.strip_prefix(&self.0).unwrap_or(listed).display().to_string()
    }

    /// A file's path as [`Folder::files`] has it, whichever way it was named; none where it isn't in
    /// this folder.
    pub(crate) fn listed(&self, named: &Path) -> Option<PathBuf> {
        let (file, folder) = (self.file(named).ok()?, self.0.canonicalize().ok()?);
        file.strip_prefix(folder).ok().map(|inside| self.0.join(inside))
    }
}

fn read(file: &Path) -> std::io::Result<String> {
    if std::fs::metadata(file)?.len() > LONGEST {
        return Err(std::io::Error::other("it is far too long"));
    }
    std::fs::read_to_string(file)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if files.len() >= MOST {
            return;
        }
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else { continue };
        // A link might lead out of the folder.
        if kind.is_dir() && depth > 0 && !name.to_string_lossy().starts_with('.') {
            walk(&path, depth - 1, files);
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "star") {
            files.push(path);
        }
    }
}

/// What a file is, by the word that only such a file has at the beginning of a line: one with
/// mistakes is one too.
fn kind_of(text: &str) -> Option<Kind> {
    let has = |word: &str| text.lines().any(|line| line.starts_with(word));
    match (has("protocol("), has("task(")) {
        (true, _) => Some(Kind::Protocol),
        (_, true) => Some(Kind::Task),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("tasks");
        std::fs::create_dir_all(inner.join("protocols")).unwrap();
        std::fs::write(outer.path().join("secret.star"), "task()").unwrap();
        for (name, text) in [("a.star", "\"\"\"A.\"\"\"\ntask("), ("b.star", "x = 1"), ("c.txt", "task(")] {
            std::fs::write(inner.join(name), text).unwrap();
        }
        std::fs::write(inner.join("protocols/p.star"), "protocol(name = ").unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret.star"), inner.join("link.star")).unwrap();
        (outer, Folder::new(inner))
    }

    #[test]
    fn files_are_told_apart_by_what_they_are() {
        let (_outer, folder) = folder();
        assert_eq!(folder.files(Kind::Task), [folder.path().join("a.star")]);
        assert_eq!(folder.files(Kind::Protocol), [folder.path().join("protocols/p.star")]);
        assert!(Folder::new("/nowhere".into()).files(Kind::Task).is_empty());
    }

    #[test]
    fn nothing_outside_is_read() {
        let (outer, folder) = folder();
        assert!(folder.file(Path::new("a.star")).is_ok());
        assert!(folder.file(&folder.path().join("a.star")).is_ok());
        let secret = outer.path().join("secret.star");
        for path in
            ["../secret.star", secret.to_str().unwrap(), "link.star", "c.txt", "/etc/passwd", "", "protocols"]
        {
            assert!(folder.file(Path::new(path)).is_err(), "{path}");
        }
    }
}
