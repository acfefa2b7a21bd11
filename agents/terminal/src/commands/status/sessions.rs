//! The first table: what every pilot does.

use bramble_message::Hold;
use bramble_value::Person;

use super::super::table as new_table;
use super::{clock, grouped};
use crate::api::types::{PilotStatus, SessionStatus};

/// A line for each pilot.
pub(super) fn table(pilots: &[PilotStatus]) -> String {
    let mut table =
        new_table(&["pilot", "subject", "task", "trials", "correct", "water", "time", "owner", ""]);
    let host = common_host(pilots);
    for pilot in pilots {
        table.add_row(line(pilot, host));
    }
    table.trim_fmt()
}

fn line(pilot: &PilotStatus, host: Option<&str>) -> [String; 9] {
    let nothing = || "-".to_owned();
    let (name, state) = (pilot.name.to_string(), state(pilot));
    match &pilot.session {
        Some(SessionStatus { subject, task, trials, correct, water, seconds, owner, .. }) => [
            name,
            subject.to_string(),
            task.clone(),
            trials.to_string(),
            correct.map_or_else(nothing, |share| format!("{:.0} %", share * 100.0)),
            format!("{water:.0} uL"),
            clock(*seconds),
            short(owner, host),
            state,
        ],
        None => {
            let subject = pilot.starting.as_ref().map_or_else(nothing, |one| one.subject.to_string());
            let owner = pilot.starting.as_ref().map_or_else(nothing, |one| short(&one.owner, host));
            let dashes = [nothing(), nothing(), nothing(), nothing(), nothing()];
            let [task, trials, correct, water, time] = dashes;
            [name, subject, task, trials, correct, water, time, owner, state]
        }
    }
}

/// What is not as in a session that runs, in a word or two.
fn state(pilot: &PilotStatus) -> String {
    let hold = pilot.session.as_ref().and_then(|session| session.hold);
    if !pilot.here {
        return "away".to_owned();
    }
    if pilot.catching_up {
        return format!("{} to come", grouped(pilot.unacknowledged));
    }
    if pilot.session.as_ref().is_some_and(|session| session.stopping) {
        return "stopping".to_owned();
    }
    let child = pilot.children.iter().find(|child| !child.here);
    match (hold, child) {
        (Some(Hold::Coming), _) => "pausing".to_owned(),
        (Some(Hold::Since { .. }), _) => "paused".to_owned(),
        (None, Some(child)) => format!("{} away", child.name),
        (None, None) if pilot.starting.is_some() => "starting".to_owned(),
        (None, None) if pilot.hand.is_some() => "by hand".to_owned(),
        (None, None) if pilot.session.is_none() => "idle".to_owned(),
        (None, None) => String::new(),
    }
}

/// The computer that all owners sit at, where they do.
fn common_host(pilots: &[PilotStatus]) -> Option<&str> {
    let of_session = pilots.iter().filter_map(|pilot| pilot.session.as_ref()).map(|session| &session.owner);
    let starting = pilots.iter().filter_map(|pilot| pilot.starting.as_ref()).map(|one| &one.owner);
    let mut hosts = of_session.chain(starting).filter_map(|owner| Some(owner.as_str().rsplit_once('@')?.1));
    let first = hosts.next()?;
    hosts.all(|host| host == first).then_some(first)
}

/// An owner without the computer that all sit at.
fn short(owner: &Person, host: Option<&str>) -> String {
    match owner.as_str().rsplit_once('@') {
        Some((name, at)) if Some(at) == host => name.to_owned(),
        _ => owner.to_string(),
    }
}
