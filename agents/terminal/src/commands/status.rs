//! `status`: a line for each pilot, once or live.

use std::io::IsTerminal;
use std::time::Duration;

use bramble_message::Hold;
use jiff::Timestamp;

use super::{print_json, say, table};
use crate::api::client::Client;
use crate::api::types::{PilotStatus, SessionStatus, Status};

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(client: &Client, watch: bool, json: bool) -> miette::Result<()> {
    let mut status: Status = client.get("/status").await?;
    if json {
        return print_json(&status);
    }
    let mut shown = show(&status, Timestamp::now());
    say(format_args!("{shown}"));
    if !watch {
        return Ok(());
    }
    let on_screen = std::io::stdout().is_terminal();
    loop {
        tokio::time::sleep(EVERY).await;
        status = client.get("/status").await?;
        let now = show(&status, Timestamp::now());
        if now == shown {
            continue;
        }
        if on_screen {
            // Back to where the last picture began, and clear what was there.
            print!("\x1b[{}A\x1b[J", shown.lines().count());
        }
        say(format_args!("{now}"));
        shown = now;
    }
}

/// The whole picture.
fn show(status: &Status, now: Timestamp) -> String {
    let mut text = if status.pilots.is_empty() {
        format!("no pilot has called at {} yet", status.listen)
    } else {
        let mut table = table(&["pilot", "subject", "task", "trials", "correct", "water", "time", ""]);
        for pilot in &status.pilots {
            table.add_row(line(pilot, now));
        }
        table.trim_fmt()
    };
    for pilot in &status.pilots {
        if let Some(notice) = &pilot.notice {
            text.push_str(&format!("\n{}: {notice}", pilot.name));
        }
    }
    if let Some(notice) = &status.notice {
        text.push_str(&format!("\n{notice}"));
    }
    for why in &status.refused {
        text.push_str(&format!("\nrefused: {why}"));
    }
    text
}

fn line(pilot: &PilotStatus, now: Timestamp) -> [String; 8] {
    let nothing = || "-".to_owned();
    let hold = pilot.session.as_ref().and_then(|session| session.hold);
    let here = match (pilot.here, hold, pilot.children.iter().find(|child| !child.here)) {
        (false, ..) => format!("away for {}", clock(now.duration_since(pilot.since).as_secs_f64())),
        (true, Some(Hold::Coming), _) => "paused after this trial".to_owned(),
        (true, Some(Hold::Since { .. }), _) => "paused".to_owned(),
        (true, None, Some(child)) => format!("{} is away", child.name),
        (true, None, None) => String::new(),
    };
    let name = pilot.name.to_string();
    match &pilot.session {
        Some(SessionStatus { subject, task, trials, correct, water, seconds, .. }) => [
            name,
            subject.to_string(),
            task.clone(),
            trials.to_string(),
            correct.map_or_else(nothing, |share| format!("{:.0} %", share * 100.0)),
            format!("{water:.0} uL"),
            clock(*seconds),
            here,
        ],
        None => {
            let subject =
                pilot.starting.as_ref().map_or_else(nothing, |one| format!("{} is starting", one.subject));
            let idle = if pilot.starting.is_none() && pilot.here { "idle".to_owned() } else { nothing() };
            [name, subject, idle, nothing(), nothing(), nothing(), nothing(), here]
        }
    }
}

/// Seconds as hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(pilots: serde_json::Value) -> Status {
        let status =
            json!({ "data": "/lab", "listen": "tcp://127.0.0.1:5600", "pilots": pilots, "refused": [] });
        serde_json::from_value(status).unwrap()
    }

    fn pilot(more: serde_json::Value) -> serde_json::Value {
        let mut pilot = json!({
            "name": "box1", "here": true, "since": "2026-01-01T00:00:00Z", "rig": [], "children": [],
            "software": { "program": "bramble-pilot", "version": "0.1.0", "host": "pi", "system": "linux aarch64" },
            "unacknowledged": 0, "starting": null, "session": null, "notice": null,
        });
        pilot.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pilot
    }

    /// What is shown a minute and a half after everybody came, a line each.
    fn shown(pilots: serde_json::Value) -> Vec<String> {
        let now: Timestamp = "2026-01-01T00:01:30Z".parse().unwrap();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        show(&status(pilots), now).lines().map(words).collect()
    }

    #[test]
    fn a_running_session_is_one_line() {
        let session = json!({
            "session": "00000000-0000-0000-0000-000000000001", "subject": "M001", "task": "two_choice",
            "owner": "alice@desk", "hold": null, "trials": 120, "correct": 0.75, "water": 361.6, "seconds": 3723.4, "stages": [],
        });
        let lines = shown(json!([pilot(json!({ "session": session }))]));
        assert_eq!(lines[1], "box1 M001 two_choice 120 75 % 362 uL 1:02:03");
    }

    #[test]
    fn who_is_idle_away_or_lacks_a_child_is_told_apart() {
        let lines = shown(json!([
            pilot(json!({})),
            pilot(json!({ "here": false })),
            pilot(json!({ "children": [{ "name": "wheel", "here": false }] })),
            pilot(json!({ "starting": { "subject": "M001", "owner": "alice@desk" } })),
        ]));
        assert_eq!(lines[1], "box1 - idle - - - -");
        assert_eq!(lines[2], "box1 - - - - - - away for 0:01:30");
        assert_eq!(lines[3], "box1 - idle - - - - wheel is away");
        assert_eq!(lines[4], "box1 M001 is starting - - - - -");
    }

    #[test]
    fn what_a_person_should_read_is_below_the_table() {
        let lines =
            shown(json!([pilot(json!({ "notice": "what it sent waits in the journal: the disk is full" }))]));
        assert_eq!(lines[2], "box1: what it sent waits in the journal: the disk is full");
    }
}
