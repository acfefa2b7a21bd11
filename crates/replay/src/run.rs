//! Running a recorded session again.

use std::rc::Rc;
use std::sync::Arc;

use bramble_rig::inbox;
use bramble_rig::remote::{Remote, Remotes};
use bramble_rig::session::{Around, Session};
use bramble_task::definition::SourceMap;
use bramble_value::{Asked, Event, Kind, Span};

use crate::difference::Difference;
use crate::driver::{Absent, Again, Recorded};
use crate::judge::Examined;
use crate::recording::{Recording, UnreadableRecording};
use crate::tape::{Held, Tape};

/// What came of running a session again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// How many transitions, outputs and columns came out as they were recorded,
    /// before the first difference.
    pub identical: usize,
    /// How many were recorded.
    pub of: usize,
    /// How many trials were recorded.
    pub trials: usize,
    /// How long the session ran.
    pub lasted: Span,
    /// The record ends without the session's end: a crash cut it.
    pub cut: bool,
    /// The first difference, if there is one.
    pub difference: Option<Difference>,
}

/// Whether an event is of what the task and its devices did, and not of what happened
/// to them or of when it was decided.
fn is_made(event: &Event) -> bool {
    !matches!(
        event.kind,
        Kind::Input
            | Kind::Analog
            | Kind::Position
            | Kind::Late
            | Kind::Lost
            | Kind::Manual
            | Kind::Moment
            | Kind::Asked
            | Kind::Answered
            | Kind::Waits
            | Kind::Pause
            | Kind::Resume
    )
}

/// Runs a session again, up to its end or the first difference.
///
/// # Errors
/// [`UnreadableRecording`] where its parameters are not the task's.
pub fn replay(recording: Recording) -> Result<Replayed, UnreadableRecording> {
    let definition = Arc::clone(recording.definition());
    let Recording { task, settings, wiring, examiner, real, events, rows, names, end } = recording;
    let columns = definition.columns.iter().map(|column| column.name.to_string()).collect();
    let lasted = match (events.first(), events.last()) {
        (Some(first), Some(last)) => last.time.since(first.time),
        _ => Span::ZERO,
    };
    let (of, trials) = (events.iter().filter(|event| is_made(event)).count(), rows.len());
    let tape = Tape::new(events, rows, names, columns);
    let mut replayed = Replayed { identical: of, of, trials, lasted, cut: tape.cut, difference: None };
    if tape.events.is_empty() {
        return Ok(replayed);
    }
    let why = end.as_ref().map_or("", |(_, why)| why.as_str()).into();
    let answers = Rc::default();
    let mut driver = Recorded::new(Rc::clone(&tape), Rc::clone(&answers), &definition, &wiring, real, why);
    let (post, inbox) = inbox();
    for happening in driver.before() {
        post.send(happening);
    }
    drop(post);
    let children = wiring.ports().filter_map(|(_, wire)| wire.child().cloned());
    let mut remotes: Remotes = children.map(|child| (child, Box::new(Absent) as Box<dyn Remote>)).collect();
    let mut session = Session::new(definition, settings, wiring)?;
    let start = tape.events.iter().find(|event| event.kind == Kind::SessionStart);
    if let Some(start) = start.filter(|start| start.value != 0.0) {
        session = session.told(start.value as i64);
    }
    let outcome = session.run(Around {
        driver: &mut driver,
        remotes: &mut remotes,
        inbox: &inbox,
        functions: &mut Again { functions: task.functions(), answers, real },
        recorder: &mut Held(Rc::clone(&tape)),
        judge: &mut Examined(examiner),
    });
    replayed.difference = tape.finish();
    if replayed.difference.is_some() {
        let came = &tape.events[..tape.place()];
        replayed.identical = came.iter().filter(|event| is_made(event)).count();
    } else if let Some((ending, why)) = end.filter(|_| !tape.cut) {
        // Why a person stopped it, or what failed, is in words that only the record has.
        let told = tape.events.iter().any(|event| {
            event.kind == Kind::Asked
                && event.source == SourceMap::SESSION
                && Asked::from_f64(event.value).is_some_and(|asked| asked <= Asked::Fail)
        });
        if ending != outcome.ending || !told && *why != *outcome.why {
            let text = |ending: bramble_value::Ending, why: &str| format!("{}: {why}", ending.name());
            replayed.difference = Some(Difference::End {
                recorded: text(ending, &why),
                came: text(outcome.ending, &outcome.why),
            });
        }
    }
    Ok(replayed)
}
