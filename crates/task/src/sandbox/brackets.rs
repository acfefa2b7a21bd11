//! The brackets of a text: which belong together, and how deep they nest.

use std::collections::HashMap;

/// The brackets of a file, apart from those in texts and comments.
#[derive(Debug, Default)]
pub(super) struct Brackets {
    /// From each closing bracket to the one that opens it.
    opening: HashMap<usize, usize>,
    /// Where they first nest deeper than they may.
    pub(super) too_deep: Option<usize>,
}

impl Brackets {
    /// Scans a text. It may be wrong where the text isn't well formed, but then
    /// it is never evaluated.
    pub(super) fn new(text: &str, deepest: usize) -> Brackets {
        let bytes = text.as_bytes();
        let mut brackets = Brackets::default();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'#' => at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at),
                quote @ (b'"' | b'\'') => at = after_text(bytes, at, quote),
                b'(' | b'[' | b'{' => {
                    open.push(at);
                    if open.len() > deepest && brackets.too_deep.is_none() {
                        brackets.too_deep = Some(at);
                    }
                    at += 1;
                }
                b')' | b']' | b'}' => {
                    brackets.opening.extend(open.pop().map(|start| (at, start)));
                    at += 1;
                }
                _ => at += 1,
            }
        }
        brackets
    }

    /// Where what stands from `from` and is closed by all brackets between `to`
    /// and `until` begins.
    pub(super) fn start(&self, from: usize, to: usize, until: usize) -> usize {
        (to..until).filter_map(|at| self.opening.get(&at)).copied().fold(from, usize::min)
    }
}

/// The byte after the text that begins at `start`. A backslash takes the next
/// byte with it, in raw texts too.
fn after_text(bytes: &[u8], start: usize, quote: u8) -> usize {
    let triple = bytes.get(start..start + 3) == Some(&[quote; 3]);
    let mut at = start + if triple { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' if !triple => return at,
            byte if byte == quote && !triple => return at + 1,
            byte if byte == quote && bytes.get(at..at + 3) == Some(&[quote; 3]) => return at + 3,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_texts_and_comments_are_none() {
        let text = "f('(', \"\"\"(\"\"\", # ((\n  (a)).join(b)";
        let brackets = Brackets::new(text, 10);
        let inner = text.find("(a)").unwrap();
        assert_eq!(brackets.opening[&(inner + 2)], inner);
        assert_eq!(brackets.opening[&(inner + 3)], 1);
        assert_eq!(brackets.start(inner + 1, inner + 2, inner + 3), inner);
        assert!(Brackets::new("((()))", 2).too_deep.is_some());
    }
}
