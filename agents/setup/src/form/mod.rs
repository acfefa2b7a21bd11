//! The form as a state machine: keys go in, and what is on the screen comes out.
//!
//! It does nothing by itself: what only the shell can do it asks for. A wrong answer
//! stays in its line and goes nowhere else, so that at any time what was answered
//! can be written.

mod editing;
mod key;
mod line;
mod pages;
mod row;
mod view;

use bramble_identity::Role;

use crate::answers::Answers;
use crate::draft::{Pinned, Problem, Template};
use editing::Editing;
pub(crate) use key::Key;
use line::Line;
pub(crate) use pages::user;
use row::{Field, Holds, Page, Row};
pub(crate) use view::{Body, Header, Shown, View};

/// A terminal that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its name.
    pub(crate) name: String,
    /// Its address and port.
    pub(crate) place: String,
}

/// What is known of terminals on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Looked {
    Not,
    Looking,
    Failed(String),
    Found(Vec<Found>),
}

/// What the form asks of its shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Look for terminals, and say what was found.
    Look,
    /// End: write what was answered.
    Write,
    /// End: nothing is written.
    Leave,
}

/// The form.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    answers: Answers,
    /// The configuration that it began with.
    began: String,
    page: usize,
    /// Where one stands on each page.
    stand: usize,
    typing: Option<Line>,
    /// Why what is typed can't be.
    wrong: Vec<Problem>,
    editing: Option<Editing>,
    /// How far down the file is read, where it is.
    reading: Option<usize>,
    leaving: bool,
    /// The rig that is begun anew if Enter is pressed again.
    beginning: Option<Template>,
    looked: Looked,
}

impl Form {
    /// A form with these answers.
    pub(crate) fn new(answers: Answers) -> Form {
        let began = answers.draft().text();
        Form {
            answers,
            began,
            page: 0,
            stand: 0,
            typing: None,
            wrong: Vec::new(),
            editing: None,
            reading: None,
            leaving: false,
            beginning: None,
            looked: Looked::Not,
        }
    }

    /// What was answered.
    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Takes what came of [`Ask::Look`].
    pub(crate) fn found(&mut self, looked: Looked) {
        self.looked = looked;
    }

    fn pages(&self) -> &'static [Page] {
        Page::of(self.answers.role)
    }

    fn page(&self) -> Page {
        let pages = self.pages();
        pages[self.page.min(pages.len() - 1)]
    }

    fn rows(&self) -> Vec<Row> {
        match &self.editing {
            Some(editing) => editing.rows(),
            None => pages::rows(&self.answers, self.page(), &self.looked),
        }
    }

    fn stand(&self) -> usize {
        self.editing.as_ref().map_or(self.stand, |editing| editing.stand)
    }

    fn stand_on(&mut self, at: usize) {
        match &mut self.editing {
            Some(editing) => editing.stand = at,
            None => self.stand = at,
        }
    }

    /// Takes a key.
    pub(crate) fn key(&mut self, key: Key) -> Option<Ask> {
        if self.leaving {
            self.leaving = false;
            return matches!(key, Key::Char('y' | 'Y')).then_some(Ask::Leave);
        }
        if let Some(template) = self.beginning.take() {
            if key == Key::Enter {
                self.wrong = self.answers.begin_rig_with(template).err().unwrap_or_default();
                self.stand = 0;
                self.settle();
            }
            return None;
        }
        if let Some(line) = self.reading {
            self.read(line, key);
            return None;
        }
        if matches!(key, Key::Ctrl('c' | 'q')) {
            return self.leave();
        }
        if self.editing.as_ref().is_some_and(Editing::is_picking) {
            self.pick(key);
            return None;
        }
        let rows = self.rows();
        let Some(row) = rows.get(self.stand()).cloned() else {
            self.settle();
            return None;
        };
        let ask = match key {
            Key::Esc => self.back(),
            Key::Up | Key::BackTab => self.walk(&row, -1),
            Key::Down | Key::Tab => self.walk(&row, 1),
            Key::PageDown | Key::Ctrl('n') if self.editing.is_none() => self.turn(&row, 1),
            Key::PageUp | Key::Ctrl('p') if self.editing.is_none() => self.turn(&row, -1),
            Key::F(2) | Key::Ctrl('g') if matches!(row.field, Field::Pin(_)) => {
                self.start_picking(&row);
                None
            }
            Key::Enter => self.enter(&row),
            key => self.write(&row, key),
        };
        self.settle();
        ask
    }

    /// Stands on a line that can be stood on, whatever lines there are now.
    fn settle(&mut self) {
        let rows = self.rows();
        let at = self.stand().min(rows.len().saturating_sub(1));
        let stands = |at: &usize| rows.get(*at).is_some_and(Row::can_be_stood_on);
        let nearest = (at..rows.len()).find(stands).or_else(|| (0..at).rev().find(stands));
        self.stand_on(nearest.unwrap_or(0));
    }

    fn back(&mut self) -> Option<Ask> {
        if self.typing.take().is_some() {
            self.wrong.clear();
            return None;
        }
        if self.editing.take().is_some() {
            self.wrong.clear();
            return None;
        }
        self.leave()
    }

    fn leave(&mut self) -> Option<Ask> {
        self.leaving =
            self.answers.draft().text() != self.began || self.typing.is_some() || self.editing.is_some();
        if self.leaving { None } else { Some(Ask::Leave) }
    }

    /// Types into a line, or turns a choice.
    fn write(&mut self, row: &Row, key: Key) -> Option<Ask> {
        match &row.holds {
            Holds::Text(value) => {
                let mut line = self.typing.clone().unwrap_or_else(|| Line::new(value));
                if line.key(key) {
                    let typed = line.text();
                    self.typing = Some(line);
                    self.wrong = self.trial(&row.field, &typed).err().unwrap_or_default();
                }
            }
            choice @ Holds::Choice(..) => {
                let by = match key {
                    Key::Left => -1,
                    Key::Right | Key::Char(' ') => 1,
                    _ => return None,
                };
                let value = pages::turned(choice, by).unwrap_or_default().to_owned();
                self.wrong = self.answer(&row.field, &value).err().unwrap_or_default();
            }
            Holds::Action(_) | Holds::Nothing => {}
        }
        None
    }

    /// Whether an answer would be taken, without giving it.
    fn trial(&self, field: &Field, value: &str) -> Result<(), Vec<Problem>> {
        match &self.editing {
            Some(editing) => editing.clone().answer(&self.answers, field, value),
            None => pages::answer(&mut self.answers.clone(), field, value),
        }
    }

    fn answer(&mut self, field: &Field, value: &str) -> Result<(), Vec<Problem>> {
        match &mut self.editing {
            Some(editing) => editing.answer(&self.answers, field, value),
            None => {
                let role = self.answers.role;
                pages::answer(&mut self.answers, field, value)?;
                if self.answers.role != role {
                    self.began = self.answers.draft().text();
                }
                Ok(())
            }
        }
    }

    /// Gives what was typed as the answer; whether it was taken.
    fn settle_line(&mut self, row: &Row) -> bool {
        let Some(line) = &self.typing else {
            self.wrong.clear();
            return true;
        };
        match self.answer(&row.field, &line.text()) {
            Ok(()) => {
                self.typing = None;
                self.wrong.clear();
                true
            }
            Err(wrong) => {
                self.wrong = wrong;
                false
            }
        }
    }

    fn walk(&mut self, row: &Row, by: isize) -> Option<Ask> {
        if !self.settle_line(row) {
            return None;
        }
        let rows = self.rows();
        let mut places: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].can_be_stood_on()).collect();
        if by < 0 {
            places.reverse();
        }
        let now = self.stand();
        let next = places.into_iter().find(|at| if by < 0 { *at < now } else { *at > now });
        if let Some(next) = next {
            self.stand_on(next);
        }
        None
    }

    fn turn(&mut self, row: &Row, by: isize) -> Option<Ask> {
        if self.settle_line(row) {
            let last = self.pages().len() - 1;
            let next = self.page.saturating_add_signed(by).min(last);
            if next != self.page {
                (self.page, self.stand) = (next, 0);
            }
        }
        None
    }

    fn enter(&mut self, row: &Row) -> Option<Ask> {
        if !self.settle_line(row) {
            return None;
        }
        match &row.field {
            Field::Look => {
                self.looked = Looked::Looking;
                return Some(Ask::Look);
            }
            Field::Found(at) => self.take_found(*at),
            Field::Begin(template) => self.beginning = Some(*template),
            Field::Device(name) => self.editing = Editing::of(&self.answers, Pinned::Device, name),
            Field::Sync(line) => {
                let there = Editing::of(&self.answers, *line, "");
                self.editing = Some(there.unwrap_or_else(|| Editing::new(&self.answers, *line)));
            }
            Field::AddDevice => self.editing = Some(Editing::new(&self.answers, Pinned::Device)),
            Field::Read => self.reading = Some(0),
            Field::Write => return Some(Ask::Write),
            Field::Done | Field::Remove => self.finish(row.field == Field::Remove),
            _ => self.next(row),
        }
        None
    }

    /// Goes on to the next line, and behind the last one to the next page.
    fn next(&mut self, row: &Row) {
        let before = self.stand();
        self.walk(row, 1);
        if self.stand() == before && self.editing.is_none() {
            self.turn(row, 1);
        }
    }

    fn take_found(&mut self, at: usize) {
        let Looked::Found(all) = &self.looked else { return };
        let Some(found) = all.get(at).cloned() else { return };
        let field = if self.answers.role == Role::Pilot { Field::Terminal } else { Field::JoinsAt };
        self.wrong = self.answer(&field, &found.place).err().unwrap_or_default();
        if self.wrong.is_empty() {
            self.stand = 0;
        }
    }

    /// Ends the editing of a device, and has it in the rig, or out of it.
    fn finish(&mut self, remove: bool) {
        let Some(editing) = &self.editing else { return };
        let done = if remove { editing.remove(&mut self.answers) } else { editing.done(&mut self.answers) };
        match done {
            Ok(()) => {
                self.editing = None;
                self.wrong.clear();
            }
            Err(wrong) => self.wrong = wrong,
        }
    }

    fn start_picking(&mut self, row: &Row) {
        let Some(editing) = &mut self.editing else { return };
        let now = match (&self.typing, &row.holds) {
            (Some(line), _) => line.text(),
            (None, Holds::Text(now)) => now.clone(),
            _ => String::new(),
        };
        editing.pick_from(&now);
    }

    fn pick(&mut self, key: Key) {
        let Some(editing) = &mut self.editing else { return };
        if let Some(pin) = editing.pick(key) {
            self.typing = Some(Line::new(&pin));
            let rows = self.rows();
            if let Some(row) = rows.get(self.stand()).cloned() {
                self.settle_line(&row);
            }
        }
    }

    fn read(&mut self, line: usize, key: Key) {
        let lines = self.answers.draft().text().lines().count();
        let by: isize = match key {
            Key::Up => -1,
            Key::Down | Key::Enter => 1,
            Key::PageUp => -15,
            Key::PageDown | Key::Char(' ') => 15,
            Key::Home => isize::MIN,
            Key::End => isize::MAX,
            _ => {
                self.reading = None;
                return;
            }
        };
        self.reading = Some(line.saturating_add_signed(by).min(lines.saturating_sub(1)));
    }
}

#[cfg(test)]
mod tests;
