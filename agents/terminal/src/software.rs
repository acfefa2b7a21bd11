//! What this program is, as others are told and as the subject file says, and who uses it.

use std::path::Path;

use bramble_message::{Origin, Software};
use bramble_value::{Person, PersonError};
use jiff::tz::TimeZone;
use serde_json::json;

use crate::config::Settings;
use crate::repository::{self, Found};

/// This program.
const PROGRAM: &str = "bramble-terminal";

/// All that the record of a session says of this program, and of where its task lies; and what a
/// person should know of that.
pub(crate) fn origin(settings: &Settings, tasks: &Path) -> (Origin, Option<String>) {
    let configuration = settings.text.as_deref().map(|text| ("config/terminal.toml", text));
    let mut origin = bramble_software::origin(PROGRAM, settings.name.as_str(), configuration);
    let mut told = json!({ "data": settings.data, "listen": settings.listen.to_string() });
    // What day it was is asked of the file elsewhere too.
    if let Some(zone) = TimeZone::system().iana_name() {
        told["zone"] = json!(zone);
    }
    origin.provenance["settings"] = told;
    let Found { repository, patch } = repository::look(tasks);
    let unread = repository.unread();
    origin.provenance["repository"] = json!(repository);
    if let Some(patch) = patch {
        origin.texts.insert(repository::PATCH.to_owned(), patch);
    }
    (origin, unread)
}

/// This program, on this machine.
pub(crate) fn here() -> Software {
    bramble_software::software(PROGRAM)
}

/// Who is at the keyboard: the user, at this computer.
pub(crate) fn person() -> Person {
    let id = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(id).ok().flatten();
    let user = user.map_or_else(|| id.to_string(), |user| user.name);
    named(&user).unwrap_or_else(|_| {
        format!("{id}@localhost").parse().expect("a number and a name without spaces say who it is")
    })
}

/// The person of this name, at this computer where it says no other.
pub(crate) fn named(name: &str) -> Result<Person, PersonError> {
    Person::at(name, &here().host)
}
