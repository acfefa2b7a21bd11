//! A command to a pilot, and its answer.

use std::ops::RangeInclusive;
use std::sync::mpsc::channel;
use std::time::Duration;

use bramble_bench::quantile;
use bramble_link::{Event, Reply, now};
use bramble_message::{Answer, Ask, Bytes, Command, PilotInPassing, TerminalToPilot, decode, encode};
use uuid::Uuid;

use crate::Failed;
use crate::ends::{Ends, Pilot};

/// How long commands took to be answered, in microseconds.
pub(crate) struct Turns {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Asks so many times, each time when the last was answered and so long after.
pub(crate) fn measure(turns: u64, apart: Duration) -> Result<Turns, Failed> {
    ask(&Ends::start("answering", &[])?, 1..=turns, apart)
}

/// Asks these questions, as [`measure`] does.
pub(crate) fn ask(ends: &Ends, turns: RangeInclusive<u64>, apart: Duration) -> Result<Turns, Failed> {
    let mut times = Vec::new();
    for turn in turns {
        let begin = now();
        ends.line.hand_over(command(turn, "go"))?;
        ends.until(|event| {
            let Event::Passing { payload, .. } = event else { return None };
            let Ok(PilotInPassing::Answer(answer)) = decode(&payload) else { return None };
            (answer.ask == Ask(turn)).then_some(())
        })?;
        times.push(now().since(begin).seconds() * 1e6);
        if !apart.is_zero() {
            std::thread::sleep(apart);
        }
    }
    Ok(Turns { p50: quantile(&mut times, 0.5), p99: quantile(&mut times, 0.99) })
}

/// A message for a pilot's task.
pub(crate) fn command(ask: u64, name: &str) -> Bytes {
    let command = Command::Message { session: Uuid::nil(), name: name.to_owned() };
    let by = "bench@here".parse().expect("somebody at a place is a person");
    encode(&TerminalToPilot::Command { ask: Ask(ask), by, take_over: false, not_after: None, command })
}

/// Is a pilot that answers what it is asked, on its link's thread, as a pilot does.
pub(crate) fn be(folder: &str, endpoint: &str) -> Result<(), Failed> {
    let (taken, messages) = channel();
    let dialer = Pilot::dial_hearing(folder, endpoint, move |event| {
        let Event::Message { at, payload, .. } = event else { return None };
        // Where nobody acknowledges, this process is about to end.
        let _ = taken.send(at);
        match decode(&payload) {
            Ok(TerminalToPilot::Command { ask, .. }) => {
                let answer = Answer { ask, outcome: Ok(()) };
                Some(Reply::Passing(encode(&PilotInPassing::Answer(answer))))
            }
            _ => None,
        }
    })?;
    let line = dialer.line();
    messages.iter().try_for_each(|at| line.taken(at))?;
    Ok(())
}
