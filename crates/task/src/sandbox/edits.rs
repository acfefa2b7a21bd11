//! A text with changes, and the way back from its places to the first text's.

/// Changes to a text, made in one go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    /// Where in the first text, how much of it is replaced, and by what.
    changes: Vec<(usize, usize, String)>,
}

impl Edits {
    /// Puts `text` before the byte `at`.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at, at, text);
    }

    /// Puts `text` in the place of the bytes from `from` up to `to`.
    pub(crate) fn replace(&mut self, from: usize, to: usize, text: impl Into<String>) {
        self.changes.push((from, to.saturating_sub(from), text.into()));
    }

    /// The changed text. Changes at one place stay in the order they were made in.
    pub(crate) fn apply(&mut self, text: &str) -> String {
        self.changes.sort_by_key(|(from, ..)| *from);
        let mut changed = String::with_capacity(text.len() + 64);
        let mut done = 0;
        for (from, length, with) in &self.changes {
            changed.push_str(text.get(done..*from).unwrap_or_default());
            changed.push_str(with);
            done = done.max(from + length);
        }
        changed.push_str(text.get(done..).unwrap_or_default());
        changed
    }

    /// The byte of the first text that the byte `at` of the changed one was.
    pub(crate) fn origin(&self, at: usize) -> usize {
        let (mut first, mut changed) = (0, 0);
        for (from, length, with) in &self.changes {
            let kept = from - first;
            if at < changed + kept {
                break;
            }
            changed += kept;
            first = *from;
            if at < changed + with.len() {
                return first;
            }
            changed += with.len();
            first += length;
        }
        first + at.saturating_sub(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_changed_text_leads_back_to_the_first() {
        let text = "x += y; z";
        let mut edits = Edits::default();
        edits.insert(5, "grow(x, ");
        edits.insert(6, ")");
        let changed = edits.apply(text);
        assert_eq!(changed, "x += grow(x, y); z");
        assert_eq!(edits.origin(changed.find('y').unwrap()), 5);
        assert_eq!(edits.origin(changed.find('z').unwrap()), 8);
        assert_eq!(edits.origin(changed.find("grow").unwrap()), 5);
        assert_eq!(edits.origin(0), 0);
    }
}
