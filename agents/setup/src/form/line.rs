//! A line that is being typed.

use super::Key;

/// As much as anybody types.
const LONGEST: usize = 400;

/// A text with a cursor in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    letters: Vec<char>,
    at: usize,
}

impl Line {
    /// A text, with the cursor behind it.
    pub(crate) fn new(text: &str) -> Line {
        let letters: Vec<char> = text.chars().collect();
        Line { at: letters.len(), letters }
    }

    pub(crate) fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// Where the cursor is, in letters.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Types a key; whether it was one for a line.
    pub(crate) fn key(&mut self, key: Key) -> bool {
        match key {
            Key::Char(letter) if !letter.is_control() => {
                if self.letters.len() < LONGEST {
                    self.letters.insert(self.at, letter);
                    self.at += 1;
                }
            }
            Key::Backspace | Key::Ctrl('h') if self.at > 0 => {
                self.at -= 1;
                self.letters.remove(self.at);
            }
            Key::Backspace | Key::Ctrl('h') => {}
            Key::Delete | Key::Ctrl('d') if self.at < self.letters.len() => _ = self.letters.remove(self.at),
            Key::Delete | Key::Ctrl('d') => {}
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(self.letters.len()),
            Key::Home | Key::Ctrl('a') => self.at = 0,
            Key::End | Key::Ctrl('e') => self.at = self.letters.len(),
            Key::Ctrl('u') => {
                self.letters.drain(..self.at);
                self.at = 0;
            }
            Key::Ctrl('k') => self.letters.truncate(self.at),
            Key::Ctrl('w') => {
                let before = &self.letters[..self.at];
                let end = before.iter().rposition(|letter| *letter != ' ').map_or(0, |last| last + 1);
                let start =
                    before[..end].iter().rposition(|letter| *letter == ' ').map_or(0, |space| space + 1);
                self.letters.drain(start..self.at);
                self.at = start;
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(start: &str, keys: &[Key]) -> (String, usize) {
        let mut line = Line::new(start);
        for key in keys {
            assert!(line.key(*key), "{key:?}");
        }
        (line.text(), line.at())
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        use Key::*;
        assert_eq!(typed("box", &[Char('1')]), ("box1".to_owned(), 4));
        assert_eq!(typed("box", &[Home, Char('a'), Delete]), ("aox".to_owned(), 1));
        assert_eq!(typed("box", &[Left, Backspace, Backspace, Backspace]), ("x".to_owned(), 0));
        assert_eq!(typed("one two", &[Ctrl('w')]), ("one ".to_owned(), 4));
        assert_eq!(typed("one two", &[Left, Ctrl('u'), End]), ("o".to_owned(), 1));
        assert_eq!(typed("µs", &[Left, Left, Left, Ctrl('k')]), (String::new(), 0));
        assert!(!Line::new("x").key(Enter));
    }
}
