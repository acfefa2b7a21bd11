//! What a page asks, line by line.

use bramble_identity::Role;

use crate::draft::{Pinned, Template};

/// A page of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Role,
    Name,
    Swarm,
    Rig,
    Sound,
    Data,
    Service,
    Write,
}

impl Page {
    /// The pages of a role.
    pub(crate) fn of(role: Role) -> &'static [Page] {
        match role {
            Role::Terminal => &[Page::Role, Page::Name, Page::Swarm, Page::Data, Page::Service, Page::Write],
            Role::Pilot => &[
                Page::Role,
                Page::Name,
                Page::Swarm,
                Page::Rig,
                Page::Sound,
                Page::Data,
                Page::Service,
                Page::Write,
            ],
            Role::Child => {
                &[Page::Role, Page::Name, Page::Swarm, Page::Rig, Page::Data, Page::Service, Page::Write]
            }
        }
    }

    /// What it is called, in a role's form.
    pub(crate) fn title(self, role: Role) -> &'static str {
        match (self, role) {
            (Page::Role, _) => "Role",
            (Page::Name, _) => "Name",
            (Page::Swarm, Role::Pilot) => "Terminal",
            (Page::Swarm, Role::Terminal) => "Network",
            (Page::Swarm, Role::Child) => "Pilot",
            (Page::Rig, _) => "Rig",
            (Page::Sound, _) => "Sound",
            (Page::Data, _) => "Data",
            (Page::Service, _) => "Service",
            (Page::Write, _) => "Write",
        }
    }
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// Only to be read.
    Note,
    Role,
    Name,
    /// A key of the file that is a text.
    Key(&'static [&'static str]),
    /// A key of the file that is a list.
    Keys(&'static [&'static str]),
    Terminal,
    /// Look for terminals on the network.
    Look,
    /// Take the terminal that was found at this place of the list.
    Found(usize),
    Code,
    JoinsAt,
    Replace,
    Begin(Template),
    Device(String),
    Sync(Pinned),
    AddDevice,
    Speaker,
    Service,
    User,
    File,
    Check,
    /// Show the file as it will be.
    Read,
    /// Write it, and do the rest.
    Write,
    // Of a device that is being edited:
    DeviceName,
    /// The pin of the line at this place.
    Pin(usize),
    AddPort,
    Say(&'static str),
    Done,
    Remove,
}

/// A line of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) field: Field,
    pub(crate) label: String,
    pub(crate) holds: Holds,
    /// What a person should know who stands on it.
    pub(crate) hint: String,
}

/// What stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Text that can be typed.
    Text(String),
    /// One of several: all of them, and which it is.
    Choice(Vec<String>, usize),
    /// Something that Enter does or opens, and what there is of it.
    Action(String),
    /// Text to read.
    Nothing,
}

impl Row {
    pub(super) fn text(field: Field, label: &str, value: impl Into<String>, hint: &str) -> Row {
        Row { field, label: label.to_owned(), holds: Holds::Text(value.into()), hint: hint.to_owned() }
    }

    /// A choice; where `now` is none of them, it stands first, as it is.
    pub(super) fn choice(field: Field, label: &str, all: &[&str], now: &str, hint: &str) -> Row {
        let mut all: Vec<String> = all.iter().map(|one| (*one).to_owned()).collect();
        let at = all.iter().position(|one| one == now).unwrap_or_else(|| {
            all.insert(0, now.to_owned());
            0
        });
        Row { field, label: label.to_owned(), holds: Holds::Choice(all, at), hint: hint.to_owned() }
    }

    pub(super) fn action(
        field: Field,
        label: impl Into<String>,
        shows: impl Into<String>,
        hint: &str,
    ) -> Row {
        Row { field, label: label.into(), holds: Holds::Action(shows.into()), hint: hint.to_owned() }
    }

    pub(super) fn note(text: impl Into<String>) -> Row {
        Row { field: Field::Note, label: text.into(), holds: Holds::Nothing, hint: String::new() }
    }

    /// Whether one can stand on it.
    pub(crate) fn can_be_stood_on(&self) -> bool {
        self.field != Field::Note
    }
}
