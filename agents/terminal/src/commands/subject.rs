//! `subject ...`: add, list, show, assign, history, and its life between sessions.

use std::collections::BTreeMap;

use bramble_subject::{Biography, Change, Move, SessionEnd, SessionSummary};
use bramble_value::{Person, SubjectId, Volume};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{absolute, life, print_done, print_json, say, table};
use crate::api::client::Client;
use crate::api::types::{Assign, NewSubject, SubjectInfo, SubjectLine, Training};
use crate::cli::Subject;
use crate::fares;

pub(super) async fn run(client: &Client, who: Person, command: Subject) -> miette::Result<()> {
    match command {
        Subject::Add { id, about } => {
            let new = NewSubject { id, biography: about.into(), who };
            print_done(&client.post("/subjects", &new).await?);
        }
        Subject::List { json } => list(client.get("/subjects").await?, json)?,
        Subject::Show { id, json } => show(&client.get(&format!("/subjects/{id}")).await?, json)?,
        Subject::Assign { id, protocol, step } => {
            let assign = Assign { protocol: absolute(&protocol)?, step, who };
            print_done(&client.post(&format!("/subjects/{id}/protocol"), &assign).await?);
        }
        Subject::Edit(options) => life::edit(client, who, options).await?,
        Subject::Weigh(options) => life::weigh(client, who, options).await?,
        Subject::Water(options) => life::water(client, who, options).await?,
        Subject::Note { id, text } => life::note(client, who, &id, text).await?,
        Subject::Out { id } => life::take_out(client, who, &id).await?,
        Subject::History { id, json } => {
            history(&id, client.get(&format!("/subjects/{id}/history")).await?, json)?
        }
    }
    Ok(())
}

fn list(subjects: Vec<SubjectLine>, json: bool) -> miette::Result<()> {
    if json {
        return print_json(&subjects);
    }
    if subjects.is_empty() {
        say(format_args!("no subjects yet; add one: bramble-terminal subject add M001"));
        return Ok(());
    }
    let mut problems = String::new();
    let mut stuck: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = table(&["subject", "step", "sessions", "trials", "last session"]);
    for subject in subjects {
        let last = subject.last.map(local).unwrap_or_else(|| "-".to_owned());
        let training = subject.training.as_ref();
        let step = match &subject.problem {
            Some(why) => {
                problems.push_str(&format!("\n{} can't be read: {why}", subject.id));
                "can't be read".to_owned()
            }
            None => step(training),
        };
        if let Some(why) = training.and_then(|training| training.problem.clone()) {
            stuck.entry(why).or_default().push(subject.id.to_string());
        }
        table.add_row([
            subject.id.to_string(),
            step,
            subject.sessions.to_string(),
            subject.trials.to_string(),
            last,
        ]);
    }
    for (why, subjects) in stuck {
        let subjects = subjects.join(", ");
        problems.push_str(&format!("\n{subjects}: the step can't be started: {why}"));
    }
    say(format_args!("{}{problems}", table.trim_fmt()));
    Ok(())
}

fn show(subject: &SubjectInfo, json: bool) -> miette::Result<()> {
    if json {
        return print_json(subject);
    }
    say(format_args!("{}  {}", subject.id, subject.file.display()));
    let Biography { sex, birth, .. } = &subject.biography;
    for (name, value) in subject.biography.fields() {
        let unknown = value.is_empty() || (name == "sex" && *sex == Default::default());
        if !unknown {
            let name = name.strip_prefix("extra.").unwrap_or(&name).to_owned();
            say(format_args!("  {name:<12} {value}"));
        }
    }
    if let Some(days) = birth.and_then(age) {
        say(format_args!("  {:<12} {days} days", "age"));
    }
    if let Some(weight) = fares::weight(&subject.life) {
        say(format_args!("  {:<12} {weight}", "weight"));
    }
    if subject.life.target.is_some() || subject.life.water != Default::default() {
        say(format_args!("  {:<12} {}", "water", fares::owed(&subject.life)));
    }
    if let Some(why) = &subject.behind {
        say(format_args!("  {:<12} its file lacks what happened last: {why}", "behind"));
    }
    match &subject.training {
        Some(training) => {
            say(format_args!("  {:<12} {}", "protocol", training.protocol.display()));
            say(format_args!("  {:<12} {}", "step", step(Some(training))));
            if let Some(was) = &training.was {
                say(format_args!("  {:<12} it was {was} before the protocol was changed", ""));
            }
            if let Some(why) = &training.problem {
                say(format_args!("  {:<12} it can't be started: {why}", ""));
            }
        }
        None => say(format_args!(
            "  {:<12} none; bramble-terminal subject assign {} PROTOCOL",
            "protocol", subject.id
        )),
    }
    if subject.sessions.is_empty() {
        let so_far = if subject.behind.is_some() { "in its file yet" } else { "yet" };
        say(format_args!("\nno sessions {so_far}"));
        moves(subject);
        return Ok(());
    }
    let mut table =
        table(&["session", "task", "step", "pilot", "started", "trials", "correct", "water", "ended"]);
    for session in &subject.sessions {
        let step = session.protocol.as_ref().map(|at| at.step.clone()).unwrap_or_else(|| "-".to_owned());
        table.add_row([
            session.number.to_string(),
            session.task.clone(),
            step,
            session.pilot.clone(),
            local(session.started),
            session.trials.to_string(),
            came_of(session, |end| Some(format!("{:.0} %", end.correct? * 100.0))),
            came_of(session, |end| Some(Volume::from_microliters(end.water?)?.tenths())),
            ending(session),
        ]);
    }
    say(format_args!("\n{}", table.trim_fmt()));
    moves(subject);
    Ok(())
}

/// The sessions that were recorded under the wrong subject.
fn moves(subject: &SubjectInfo) {
    for Move { by, why, way, number, other, there, .. } in &subject.moves {
        let (way, when) = (way.word(), local(by.when));
        say(format_args!(
            "session {number} was moved {way} {other}, session {there}, by {} on {when}: {why}",
            by.who
        ));
    }
}

fn history(id: &SubjectId, changes: Vec<Change>, json: bool) -> miette::Result<()> {
    if json {
        return print_json(&changes);
    }
    let mut table = table(&["when", "who", "what", "from", "to"]);
    for change in changes {
        let [from, to] = [&change.from, &change.to].map(|text| of_when(text, &TimeZone::system()));
        table.add_row([local(change.when), change.who, change.what, from, to]);
    }
    say(format_args!("{id}\n{}", table.trim_fmt()));
    Ok(())
}

fn step(training: Option<&Training>) -> String {
    match training {
        None => "-".to_owned(),
        Some(training) if training.finished => format!("{}, protocol finished", training.label),
        Some(training) if training.problem.is_some() => format!("{}, can't be started", training.label),
        Some(training) => training.label.clone(),
    }
}

/// What is known of a session once it is over.
fn came_of(session: &SessionSummary, known: impl Fn(&SessionEnd) -> Option<String>) -> String {
    session.end.as_ref().and_then(known).unwrap_or_else(|| "-".to_owned())
}

fn ending(session: &SessionSummary) -> String {
    match &session.end {
        None => "running".to_owned(),
        Some(end) if end.why.is_empty() => end.ending.name().to_owned(),
        Some(end) => format!("{}: {}", end.ending.name(), end.why),
    }
}

/// What was written down, with the time that it names, where it is of another, on the wall of the lab.
fn of_when(from: &str, zone: &TimeZone) -> String {
    let named = from.rsplit_once(", ").and_then(|(said, when)| Some((said, when.parse().ok()?)));
    named.map_or_else(|| from.to_owned(), |(said, when)| format!("{said}, {}", on_the_wall(when, zone)))
}

/// A time on the wall of the lab.
pub(super) fn local(time: Timestamp) -> String {
    on_the_wall(time, &TimeZone::system())
}

/// A time on a wall, with how far that is from UTC in the hour that comes twice in autumn.
fn on_the_wall(time: Timestamp, zone: &TimeZone) -> String {
    let there = time.to_zoned(zone.clone());
    let twice = zone.to_ambiguous_zoned(there.datetime()).is_ambiguous();
    there.strftime(if twice { "%Y-%m-%d %H:%M:%S %:z" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

/// In days; `None` where it is yet to be born, which no more than an older version took.
fn age(birth: jiff::civil::Date) -> Option<i32> {
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    birth.until(today).ok().map(|age| age.get_days()).filter(|days| *days >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_lab_and_those_of_the_hour_that_comes_twice_are_told_apart() {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        let wall = |time: &str| on_the_wall(time.parse().unwrap(), &zone);
        assert_eq!(wall("2026-11-01T03:59:47Z"), "2026-10-31 23:59:47");
        assert_eq!(wall("2026-11-01T05:59:57Z"), "2026-11-01 01:59:57 -04:00");
        assert_eq!(wall("2026-11-01T06:00:04Z"), "2026-11-01 01:00:04 -05:00");
        let said = of_when("21.9 g, before, 2026-11-01T03:59:47.513354186Z", &zone);
        assert_eq!(said, "21.9 g, before, 2026-10-31 23:59:47");
        assert_eq!(of_when("a note, and nothing of a time", &zone), "a note, and nothing of a time");
    }
}
