//! Where the files of a session's task lie in a folder: each has the place to the others that it had.

use std::path::PathBuf;

use bramble_subject::SessionStart;

/// How the files of a session lie to each other. Their paths are counted from the folder of the
/// task, or of the protocol, which other files may lie above.
#[derive(Debug)]
pub(super) struct Layout {
    /// The folder that paths are counted from, with those above it that others lie in.
    base: Vec<String>,
}

impl Layout {
    /// How the files of this session lie.
    pub(super) fn of(start: &SessionStart) -> Layout {
        let of_protocol = start.provenance["request"]["graduation"].is_object();
        Layout::around(
            start.sources.keys().map(String::as_str),
            if of_protocol { "protocols" } else { "tasks" },
        )
    }

    /// How files with these paths lie; what isn't known is how the folder is called that they are
    /// counted from.
    fn around<'a>(paths: impl Iterator<Item = &'a str> + Clone, name: &str) -> Layout {
        let above = paths.clone().map(|path| climbed(path).0).max().unwrap_or_default();
        let mut name = name.to_owned();
        // So that no file comes to lie in it that lay in another folder.
        while paths.clone().any(|path| path.split('/').any(|part| part == name)) {
            name.push('_');
        }
        Layout { base: vec![name; above] }
    }

    /// Where a file of this path lies, which is never outside.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        let (above, parts) = climbed(path);
        let base = &self.base[..self.base.len().saturating_sub(above)];
        base.iter().map(String::as_str).chain(parts).collect()
    }
}

/// How many folders a path leads up, and then down.
fn climbed(path: &str) -> (usize, Vec<&str>) {
    let (mut above, mut parts) = (0, Vec::new());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => above += 1,
            ".." => {}
            part => parts.push(part),
        }
    }
    (above, parts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn files_of_one_name_lie_in_their_own_folders() {
        let paths = ["light_2afc.star", "../light_2afc.star", "../lib/bias.star"];
        let layout = Layout::around(paths.into_iter(), "protocols");
        let places = paths.map(|path| layout.place(path));
        let expected = ["protocols/light_2afc.star", "light_2afc.star", "lib/bias.star"];
        assert_eq!(places, expected.map(PathBuf::from));
    }

    #[test]
    fn what_lies_in_one_folder_stays_in_one() {
        let paths = ["two_choice.star", "lib/bias.star"];
        let layout = Layout::around(paths.into_iter(), "tasks");
        assert_eq!(paths.map(|path| layout.place(path)), paths.map(PathBuf::from));
    }

    #[test]
    fn no_two_files_come_to_lie_in_one_place_and_none_outside() {
        let paths = ["a.star", "../protocols/a.star", "../../protocols/protocols_/a.star", "../../a.star"];
        let layout = Layout::around(paths.into_iter(), "protocols");
        let places: BTreeSet<PathBuf> = paths.into_iter().map(|path| layout.place(path)).collect();
        assert_eq!(places.len(), paths.len(), "{places:?}");
        assert_eq!(layout.place("../../../../etc/passwd"), Path::new("etc/passwd"));
    }
}
