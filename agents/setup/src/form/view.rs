//! What is on the screen, before anybody knows how it is drawn.

use std::collections::BTreeMap;

use bramble_rig::config::board::{self, Position};

use super::row::{Field, Holds, Page};
use super::{Form, Row};
use crate::draft::Pinned;

/// What is on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Of what, and where.
    pub(crate) title: String,
    /// The pages.
    pub(crate) pages: Vec<&'static str>,
    /// Which of them this is.
    pub(crate) page: usize,
    pub(crate) body: Body,
    /// What is wrong, or else what a person should know here.
    pub(crate) says: String,
    /// Whether something is wrong.
    pub(crate) wrong: bool,
    /// What the keys do.
    pub(crate) keys: &'static str,
}

/// The middle of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Rows {
        rows: Vec<Shown>,
        stand: usize,
        header: Option<Header>,
    },
    /// The file, from this line on.
    File {
        text: String,
        from: usize,
    },
}

/// A line of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) is_choice: bool,
    pub(crate) is_note: bool,
    pub(crate) is_action: bool,
    /// Where the cursor is in the value, while it is typed.
    pub(crate) cursor: Option<usize>,
}

/// What is drawn of the 40-pin header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// What is at each used position.
    pub(crate) used: BTreeMap<u8, String>,
    /// The positions of what one stands on.
    pub(crate) marked: Vec<u8>,
    /// The position that is pointed at.
    pub(crate) pointed: Option<u8>,
}

const KEYS: &str = "arrows move  Enter next  type to change  PgDn/PgUp or ctrl-N/P page  Esc leave";
const EDITING: &str = "arrows move  Enter next  left/right choose  F2 pick a pin  Esc as it was";
const TYPING: &str = "Enter takes it  Esc as it was  ctrl-U empties the line";
const PICKING: &str = "arrows point  Enter takes the pin  Esc as it was";
const READING: &str = "up/down, PgUp/PgDn move  any other key goes back";
const BEGINNING: &str = "Enter begins anew  any other key keeps the rig";
const LEAVING: &str = "y leaves  any other key stays";

/// What a position of the header is for, where nothing is at it.
fn header_words(position: u8) -> &'static str {
    match board::at(position) {
        Some(Position::Gpio(gpio)) if board::RESERVED.contains(&gpio) => {
            "the Pi asks with it what is stacked on it"
        }
        Some(Position::Gpio(gpio)) if board::PULLED_UP.contains(&gpio) => {
            "free, with a resistor to 3.3 V on the board"
        }
        Some(Position::Gpio(gpio)) if board::CONSOLE.contains(&gpio) => {
            "free, where the Pi has no serial console"
        }
        Some(Position::Gpio(_)) => "free",
        Some(Position::Power(_)) => "a supply",
        Some(Position::Ground) | None => "ground",
    }
}

impl Form {
    /// What is on the screen now.
    pub(crate) fn view(&self) -> View {
        let (rows, stand) = (self.rows(), self.stand());
        let row = rows.get(stand);
        let hint = row.map(|row| row.hint.clone()).unwrap_or_default();
        let wrong = self.wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let is_picking = self.editing.as_ref().is_some_and(|editing| editing.is_picking());
        let (says, keys) = match () {
            () if self.leaving => ("Leave without writing anything?".to_owned(), LEAVING),
            () if self.beginning.is_some() => {
                let lost =
                    "The rig above goes, and the new one comes: Enter does it, any other key keeps the rig";
                (lost.to_owned(), BEGINNING)
            }
            () if self.reading.is_some() => (String::new(), READING),
            () if !wrong.is_empty() => (wrong.clone(), TYPING),
            () if is_picking => (self.pointed().unwrap_or(hint), PICKING),
            () if self.typing.is_some() => (hint, TYPING),
            () if self.editing.is_some() => (hint, EDITING),
            () => (hint, KEYS),
        };
        let body = match self.reading {
            Some(from) => Body::File { text: crate::plan::text(&self.answers), from },
            None => Body::Rows { header: self.header(row), rows: self.shown(&rows), stand },
        };
        let role = self.answers.role;
        let what = match &self.editing {
            Some(editing) => format!("{}: {}", self.called(), editing.title()),
            None => self.called(),
        };
        View {
            title: format!(
                "bramble-setup   {what}   on {}, {}",
                self.answers.facts.host,
                self.answers.facts.words()
            ),
            pages: self.pages().iter().map(|page| page.title(role)).collect(),
            page: self.page,
            body,
            says,
            wrong: !wrong.is_empty() && !self.leaving && self.reading.is_none(),
            keys,
        }
    }

    /// What is at the pin that is pointed at.
    fn pointed(&self) -> Option<String> {
        let position = self.editing.as_ref()?.picked()?;
        let used = self.answers.draft().rig().and_then(|rig| rig.on_header().remove(&position));
        let what = used.unwrap_or_else(|| header_words(position).to_owned());
        Some(format!("header {position}: {what}"))
    }

    fn called(&self) -> String {
        match self.answers.name() {
            name if name.is_empty() => format!("a {}", self.answers.role),
            name => format!("{} {name}", self.answers.role),
        }
    }

    fn shown(&self, rows: &[Row]) -> Vec<Shown> {
        let one = |(at, row): (usize, &Row)| {
            let typing = self.typing.as_ref().filter(|_| at == self.stand());
            let value = match (&row.holds, typing) {
                (Holds::Text(_), Some(line)) => line.text(),
                (Holds::Text(value) | Holds::Action(value), _) => value.clone(),
                (Holds::Choice(all, at), _) => all.get(*at).cloned().unwrap_or_default(),
                (Holds::Nothing, _) => String::new(),
            };
            Shown {
                label: row.label.clone(),
                value,
                is_choice: matches!(row.holds, Holds::Choice(..)),
                is_note: row.field == Field::Note,
                is_action: matches!(row.holds, Holds::Action(_)),
                cursor: typing.map(super::Line::at),
            }
        };
        rows.iter().enumerate().map(one).collect()
    }

    /// The header, on the page of the rig.
    fn header(&self, row: Option<&Row>) -> Option<Header> {
        if self.page() != Page::Rig {
            return None;
        }
        let used = self.answers.draft().rig().map(|rig| rig.on_header()).unwrap_or_default();
        let of = |name: &str| {
            let mine = |owner: &String| {
                owner.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ']))
            };
            used.iter().filter(|(_, owner)| mine(owner)).map(|(position, _)| *position).collect()
        };
        let marked = match (&self.editing, row.map(|row| &row.field)) {
            (Some(editing), _) => editing.positions(),
            (None, Some(Field::Device(name))) => of(name),
            (None, Some(Field::Sync(Pinned::SyncOutput))) => of("sync_output"),
            (None, Some(Field::Sync(Pinned::SyncInput))) => of("sync_input"),
            _ => Vec::new(),
        };
        Some(Header { used, marked, pointed: self.editing.as_ref().and_then(|editing| editing.picked()) })
    }
}
