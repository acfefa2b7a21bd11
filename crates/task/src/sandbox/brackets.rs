//! The brackets of a text: which belong together, and how deep what is in them
//! nests. The parser and all that walks its tree recurse, so that what nests
//! too deep must be found before.

use std::collections::HashMap;

/// How many operators may follow one another.
const LONGEST_CHAIN: usize = 500;

/// Words that nest what follows them.
const NESTING: &[&str] = &["not", "and", "or", "if", "elif", "else", "in", "lambda"];

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
        // How many operators are chained, in each of the open brackets.
        let mut chains = vec![0usize];
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'#' => at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at),
                quote @ (b'"' | b'\'') => at = after_text(bytes, at, quote),
                b'(' | b'[' | b'{' => {
                    open.push(at);
                    brackets.chain(&mut chains, at);
                    chains.push(0);
                    if open.len() > deepest && brackets.too_deep.is_none() {
                        brackets.too_deep = Some(at);
                    }
                    at += 1;
                }
                b')' | b']' | b'}' => {
                    brackets.opening.extend(open.pop().map(|start| (at, start)));
                    if chains.len() > 1 {
                        chains.pop();
                    }
                    at += 1;
                }
                b'\\' => at += 2,
                b',' | b';' => {
                    chains.last_mut().into_iter().for_each(|chain| *chain = 0);
                    at += 1;
                }
                b'\n' if open.is_empty() => {
                    chains = vec![0];
                    at += 1;
                }
                letter if letter.is_ascii_alphabetic() || letter == b'_' => {
                    let end =
                        bytes[at..].iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
                    let end = end.map_or(bytes.len(), |length| at + length);
                    if NESTING.contains(&&text[at..end]) {
                        brackets.chain(&mut chains, at);
                    }
                    at = end;
                }
                sign => {
                    if b"+-*/%|&^~<>=.:".contains(&sign) {
                        brackets.chain(&mut chains, at);
                    }
                    at += 1;
                }
            }
        }
        brackets
    }

    fn chain(&mut self, chains: &mut [usize], at: usize) {
        let Some(chain) = chains.last_mut() else { return };
        *chain += 1;
        if *chain > LONGEST_CHAIN && self.too_deep.is_none() {
            self.too_deep = Some(at);
        }
    }

    /// The bytes from `start` to `end`, balanced: a span may leave out the
    /// bracket that opens it or the one that closes it.
    pub(super) fn around(&self, start: usize, end: usize) -> (usize, usize) {
        let opened = (start..end).filter_map(|at| self.opening.get(&at)).copied().min().unwrap_or(start);
        let closed =
            self.opening.iter().filter(|(_, open)| (start..end).contains(*open)).map(|(close, _)| close + 1);
        (opened.min(start), closed.max().unwrap_or(end).max(end))
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
