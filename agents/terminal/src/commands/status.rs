//! `status`: a line for each pilot, once or live.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use jiff::Timestamp;

use super::{print_json, table};
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
    println!("{shown}");
    let on_screen = std::io::stdout().is_terminal();
    while watch {
        tokio::time::sleep(EVERY).await;
        status = client.get("/status").await?;
        let now = show(&status, Timestamp::now());
        if on_screen {
            // Back to where the last picture began, and clear what was there.
            print!("\x1b[{}A\x1b[J", shown.lines().count());
        } else if now == shown {
            continue;
        }
        println!("{now}");
        // A closed pipe is noticed at the next line.
        let _ = std::io::stdout().flush();
        shown = now;
    }
    Ok(())
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
    for why in &status.refused {
        text.push_str(&format!("\nrefused: {why}"));
    }
    text
}

fn line(pilot: &PilotStatus, now: Timestamp) -> [String; 8] {
    let nothing = || "-".to_owned();
    let here = match (pilot.here, pilot.children.iter().find(|child| !child.here)) {
        (false, _) => format!("away for {}", clock(now.duration_since(pilot.since).as_secs_f64())),
        (true, Some(child)) => format!("{} is away", child.name),
        (true, None) => String::new(),
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
                pilot.starting.as_ref().map_or_else(nothing, |subject| format!("{subject} is starting"));
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
