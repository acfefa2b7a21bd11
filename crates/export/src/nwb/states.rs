//! The stages of the task, and when each was active: `/intervals/states`.

use std::collections::HashMap;

use bramble_value::Kind;
use hdf5::{Group, Result};

use super::object::{self, CORE, Objects};
use crate::Session;
use crate::events::ending;
use crate::table::{Column, NamesBuilder, Values};

/// A stage that was active.
struct State {
    stage: String,
    trial: u32,
    start: f64,
    /// `None` where the session has no end of it.
    stop: Option<f64>,
    ending: Option<&'static str>,
}

pub(super) fn write(objects: &Objects, intervals: &Group, session: &Session) -> Result<()> {
    let states = states(session);
    if states.is_empty() || are_of_one_moment(session) {
        return Ok(());
    }
    let mut stages = NamesBuilder::default();
    let mut endings = NamesBuilder::default();
    for state in &states {
        stages.push(Some(&state.stage));
        endings.push(state.ending);
    }
    let columns = [
        Column::new(
            "start_time",
            "s",
            "when the stage started, from the session's start",
            Values::Numbers(states.iter().map(|state| Some(state.start)).collect()),
        ),
        Column::new(
            "stop_time",
            "s",
            "when it ended; NaN where the session was cut before",
            Values::Numbers(states.iter().map(|state| state.stop).collect()),
        ),
        Column::new("state", "", "the stage of the task, with those that it is part of", stages.values()),
        Column::new(
            "trial",
            "",
            "the trial it started in, from 1; 0 outside any trial",
            Values::Integers(states.iter().map(|state| Some(i64::from(state.trial))).collect()),
        ),
        Column::new("ending", "", "how it ended", endings.values()),
    ];
    let made = objects.group(intervals, "states", "TimeIntervals", CORE)?;
    object::set_text(&made, "description", "The stages of the task, and when each was active")?;
    let mut names = Vec::new();
    for column in &columns {
        names.extend(objects.column(&made, &column.name, column, false)?);
    }
    objects.finish(&made, &names, states.len())
}

/// Whether all stages started at one moment, as those do that a session was stopped in at once: archives
/// take a table of intervals with a single start for a mistake, so these are among the events.
pub(super) fn are_of_one_moment(session: &Session) -> bool {
    let mut starts = session.events.iter().filter(|event| event.kind == Kind::StageStart);
    match starts.next() {
        Some(first) => {
            let mut others = starts.peekable();
            others.peek().is_some() && others.all(|other| other.time == first.time)
        }
        None => false,
    }
}

/// Every stage that started, in the order they started.
fn states(session: &Session) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    let mut active: HashMap<u16, Vec<usize>> = HashMap::new();
    for event in &session.events {
        match event.kind {
            Kind::StageStart => {
                active.entry(event.source.0).or_default().push(states.len());
                states.push(State {
                    stage: session.start.names.name(event.source),
                    trial: event.trial,
                    start: session.seconds(event.time),
                    stop: None,
                    ending: None,
                });
            }
            Kind::StageEnd => {
                if let Some(place) = active.get_mut(&event.source.0).and_then(Vec::pop) {
                    states[place].stop = Some(session.seconds(event.time));
                    states[place].ending = ending(event.value).map(|ending| ending.name());
                }
            }
            _ => {}
        }
    }
    states
}
