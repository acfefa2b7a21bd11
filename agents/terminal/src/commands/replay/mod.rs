//! `replay`: runs recorded sessions again, from the subject file alone.

mod extract;

use std::path::PathBuf;
use std::time::Instant;

use bramble_replay::{Recording, Replayed, replay};
use bramble_subject::{SessionNumber, SubjectFile};
use miette::{IntoDiagnostic, miette};
use serde_json::json;

use super::{grouped, print_json, say, subject_file};
use crate::cli;

pub(super) fn run(
    options: &cli::Replay,
    data: impl FnOnce() -> miette::Result<PathBuf>,
) -> miette::Result<()> {
    let path = subject_file(&options.subject, data)?;
    let file = SubjectFile::open_read_only(&path).into_diagnostic()?;
    let chosen = match options.session {
        Some(number) => vec![SessionNumber::new(number)],
        None => file.sessions().into_diagnostic()?.iter().map(|session| session.number).collect(),
    };
    if let (Some(folder), [number]) = (&options.extract, chosen.as_slice()) {
        extract::extract(&file, *number, folder)?;
        say(format_args!("session {number} is in {}: see its README.md", folder.display()));
        return Ok(());
    }
    let mut results = Vec::new();
    for number in chosen {
        let begun = Instant::now();
        let recording = Recording::read(&file, number);
        let replayed = recording.and_then(replay).map_err(|error| error.to_string());
        let seconds = begun.elapsed().as_secs_f64();
        if !options.json {
            say(format_args!("session {number}  {}", sentence(&replayed)));
        }
        results.push((number, replayed, seconds));
    }
    if options.session.is_none() && !options.json {
        for number in file.running() {
            say(format_args!("session {number}  runs: try again when it has ended"));
        }
    }
    if options.json {
        let all: Vec<_> =
            results.iter().map(|(number, came, seconds)| as_json(*number, came, *seconds)).collect();
        print_json(&json!({ "file": path, "sessions": all }))?;
    }
    let failed = results.iter().filter(|(_, came, _)| !is_identical(came)).count();
    match failed {
        0 => Ok(()),
        failed => {
            Err(miette!("{failed} of {} sessions did not come out as they were recorded", results.len()))
        }
    }
}

fn is_identical(came: &Result<Replayed, String>) -> bool {
    came.as_ref().is_ok_and(|replayed| replayed.difference.is_none())
}

fn sentence(came: &Result<Replayed, String>) -> String {
    match came {
        Err(why) => format!("can't be run again: {why}"),
        Ok(Replayed { identical, of, cut, difference, .. }) => {
            let (identical, of) = (grouped(*identical), grouped(*of));
            match difference {
                None => {
                    let cut = if *cut { ", up to where a crash cut it" } else { "" };
                    format!("identical: {identical} of {of} transitions, outputs and columns{cut}")
                }
                Some(difference) => {
                    format!(
                        "differs after {identical} of {of} transitions, outputs and columns: {difference}"
                    )
                }
            }
        }
    }
}

fn as_json(number: SessionNumber, came: &Result<Replayed, String>, seconds: f64) -> serde_json::Value {
    match came {
        Err(why) => json!({ "session": number, "identical": false, "error": why }),
        Ok(replayed) => json!({
            "session": number,
            "identical": replayed.difference.is_none(),
            "matched": replayed.identical,
            "of": replayed.of,
            "trials": replayed.trials,
            "cut": replayed.cut,
            "lasted_seconds": replayed.lasted.seconds(),
            "seconds": seconds,
            "difference": replayed.difference.as_ref().map(ToString::to_string),
        }),
    }
}
