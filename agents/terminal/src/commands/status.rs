//! `status`: the sessions, the agents, and what needs a person; once or live.

mod agents;
mod attention;
mod sessions;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::time::Duration;

use jiff::Zoned;

use super::{grouped, print_json, say};
use crate::api::client::Client;
use crate::api::types::Status;

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(client: &Client, watch: bool, brief: bool, json: bool) -> miette::Result<()> {
    let mut status: Status = client.get("/status").await?;
    let mut heard = Zoned::now();
    if json {
        return print_json(&status);
    }
    let on_screen = std::io::stdout().is_terminal();
    let picture = |status: &Status, trouble: Option<String>| {
        let picture = show(status, brief, &Zoned::now());
        let picture = trouble.map(|trouble| format!("{trouble}\n\n")).unwrap_or_default() + &picture;
        let rows = terminal_size::terminal_size().map(|(_, rows)| usize::from(rows.0));
        match rows.filter(|_| on_screen) {
            Some(rows) => fitting(&on_lines(&picture), if watch { rows } else { usize::MAX }),
            None => picture,
        }
    };
    let mut shown = picture(&status, None);
    say(format_args!("{shown}"));
    if !watch {
        return Ok(());
    }
    loop {
        tokio::time::sleep(EVERY).await;
        let now = match client.get("/status").await {
            Ok(new) => {
                (status, heard) = (new, Zoned::now());
                picture(&status, None)
            }
            // Whoever watches a lab at night wants to see it again when its terminal is back.
            Err(refusal) => {
                let then = heard.strftime("%H:%M:%S");
                picture(&status, Some(format!("as it was at {then}: {refusal}; the terminal is looked for")))
            }
        };
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

/// As many columns does every screen have.
const SCREEN: usize = 80;

/// With what is longer than a screen's line on several.
fn on_lines(picture: &str) -> String {
    let options = textwrap::Options::new(SCREEN).subsequent_indent("  ");
    picture.lines().map(|line| textwrap::fill(line, &options)).collect::<Vec<_>>().join("\n")
}

/// As much of a picture as a screen of so many rows has room for above a line: what is beyond its top can't
/// be drawn anew.
fn fitting(picture: &str, rows: usize) -> String {
    let lines: Vec<&str> = picture.lines().collect();
    let room = rows.saturating_sub(1).max(2);
    if lines.len() <= room {
        return picture.to_owned();
    }
    let shown = lines[..room - 1].join("\n");
    format!("{shown}\n... {} more lines: make the window higher, or --brief", lines.len() - (room - 1))
}

/// The whole picture.
fn show(status: &Status, brief: bool, now: &Zoned) -> String {
    if status.pilots.is_empty() {
        let first = format!("no pilot has called at {} yet", status.listen);
        return [first].into_iter().chain(attention::lines(status, now)).collect::<Vec<_>>().join("\n");
    }
    let mut parts = vec![sessions::table(&status.pilots)];
    if !brief {
        parts.push(agents::table(&status.pilots));
    }
    let lines = attention::lines(status, now);
    if !lines.is_empty() {
        parts.push(lines.join("\n"));
    }
    parts.join("\n\n")
}

/// Seconds as hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Seconds in the unit in which they are a number of one to three digits.
fn about(seconds: f64) -> String {
    let (size, unit) = match seconds.abs() {
        size if size < 1e-3 => (size * 1e6, "us"),
        size if size < 1.0 => (size * 1e3, "ms"),
        size if size < 180.0 => (size, "s"),
        size if size < 180.0 * 60.0 => (size / 60.0, "min"),
        size if size < 72.0 * 3600.0 => (size / 3600.0, "h"),
        size => (size / 86400.0, "days"),
    };
    format!("{size:.0} {unit}")
}

/// Bytes as a disk has them.
fn bytes(count: u64) -> String {
    match count {
        count if count < 10_000_000_000 => format!("{} MB", count / 1_000_000),
        count => format!("{} GB", count / 1_000_000_000),
    }
}
