//! The checks.

use std::collections::{BTreeMap, BTreeSet};

use bramble_subject::Supply;
use bramble_value::{Ending, Event, Kind, Person, Source, SourceKind, Time, Volume};

use crate::{Check, Records, Verdict};

/// How much later than it was decided an output may be written.
const LATENCY_MS: f64 = 2.0;
/// How far an input may come after what it should have come before.
const LATE_MS: f64 = 1.0;
/// How much earlier than it should a valve may be seen to close, in seconds: its times may be
/// another computer's, moved to the pilot's clock.
const EARLY: f64 = 1e-3;
/// How well the pilot's clock must be known on the terminal's.
const CLOCK_MS: f64 = 5.0;
/// How much of a disk is to be free: this share, or so much where that is less.
const DISK_SHARE: f64 = 0.2;
const DISK_GB: f64 = 2.0;
/// From so many degrees Celsius on a Raspberry Pi slows down
/// (<https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#frequency-management-and-thermal-control>).
const HOT: f64 = 80.0;

pub(crate) fn all(records: &Records<'_>) -> Vec<Check> {
    vec![
        ending(records),
        trials(records),
        rewards(records),
        lost(records),
        late(records),
        latency(records),
        clock(records),
        sync_sent(records),
        sync_seen(records),
        disk(records),
        temperature(records),
        supply(records),
        notes(records),
    ]
}

fn check(name: &'static str, fine: bool, found: String, limit: &'static str) -> Check {
    let verdict = if fine { Verdict::Fine } else { Verdict::Look };
    Check { name: name.to_owned(), verdict, found, limit: limit.to_owned() }
}

fn unknown(name: &'static str, found: &str, limit: &'static str) -> Check {
    let (name, found, limit) = (name.to_owned(), found.to_owned(), limit.to_owned());
    Check { name, verdict: Verdict::Unknown, found, limit }
}

fn ending(records: &Records<'_>) -> Check {
    let limit = "done, or stopped";
    match &records.summary.end {
        None => unknown("ending", "it runs, or its end was never heard of", limit),
        Some(end) => {
            let fine = matches!(end.ending, Ending::Done | Ending::Stopped);
            let why = if end.why.is_empty() { String::new() } else { format!(": {}", end.why) };
            check("ending", fine, format!("{}{why}", end.ending.name()), limit)
        }
    }
}

fn trials(records: &Records<'_>) -> Check {
    let limit = "1 or more";
    let done = records.trials.rows.len();
    let of_trials = |(kind, path): &(SourceKind, String)| {
        *kind == SourceKind::Stage && path.split('/').any(|stage| stage == "trials")
    };
    let has_trials = records.start.names.sources.iter().any(of_trials);
    if done == 0 && !has_trials && records.start.columns.is_empty() {
        return unknown("trials", "the task has none", limit);
    }
    let correct = records.summary.end.as_ref().and_then(|end| end.correct);
    let correct = correct.map(|share| format!(", {:.0} % correct", share * 100.0)).unwrap_or_default();
    check("trials", done > 0, format!("{done}{correct}"), limit)
}

/// What was asked of the valves, and what of it they opened and stayed open for. Drops that run into
/// each other are one opening.
fn rewards(records: &Records<'_>) -> Check {
    let limit = "each was given";
    let devices = &records.start.provenance["pilot"]["rig"]["settings"]["devices"];
    let is_valve = |(kind, name): &(SourceKind, String)| {
        let device = name.split('.').next().unwrap_or_default();
        *kind == SourceKind::Port && devices[device]["kind"] == "solenoid"
    };
    let valves = (0..).map(Source).zip(&records.start.names.sources).filter(|(_, source)| is_valve(source));
    let valves: BTreeSet<Source> = valves.map(|(source, _)| source).collect();
    if valves.is_empty() {
        return unknown("rewards", "no valve", limit);
    }
    let (mut asked, mut given, mut cut) = (0, 0, 0);
    // Until when each of the drops lasts that a valve was told to give, since it was last closed.
    let mut told: BTreeMap<Source, Vec<f64>> = BTreeMap::new();
    let mut open: BTreeSet<Source> = BTreeSet::new();
    for event in records.events.iter().filter(|event| valves.contains(&event.source)) {
        let told = told.entry(event.source).or_default();
        let now = event.time.ns() as f64 * 1e-9;
        match event.kind {
            Kind::Command if event.value > 0.0 => {
                asked += 1;
                // What a valve that stayed closed should have given by now is lost.
                if !open.contains(&event.source) {
                    told.retain(|until| *until >= now);
                }
                told.push(now + event.value);
            }
            Kind::Output if event.value > 0.0 => drop(open.insert(event.source)),
            Kind::Output if open.remove(&event.source) => {
                let drops = std::mem::take(told);
                let whole = drops.iter().filter(|until| **until <= now + EARLY).count();
                given += whole;
                cut += drops.len() - whole;
            }
            _ => {}
        }
    }
    let short = if cut > 0 { format!(", {cut} cut short") } else { String::new() };
    let water = records.summary.end.as_ref().and_then(|end| Volume::from_microliters(end.water?));
    let water =
        water.map_or_else(|| ", how much is not known".to_owned(), |water| format!(", {}", water.tenths()));
    let fine = asked == given && open.is_empty();
    check("rewards", fine, format!("{given} of {asked} given{short}{water}"), limit)
}

fn lost(records: &Records<'_>) -> Check {
    // A sum of nothing is -0.
    let lost = of_kind(records.events, Kind::Lost).fold(0.0, |lost, event| lost + event.value);
    check("lost edges", lost == 0.0, format!("{lost:.0}"), "none")
}

fn late(records: &Records<'_>) -> Check {
    let late: Vec<f64> = of_kind(records.events, Kind::Late).map(|event| event.value * 1e3).collect();
    let worst = late.iter().copied().fold(0.0, f64::max);
    let found =
        if late.is_empty() { "none".to_owned() } else { format!("{}, up to {worst:.2} ms", late.len()) };
    check("late inputs", worst <= LATE_MS, found, "none by more than 1 ms")
}

/// How much later than they were decided outputs were written.
fn latency(records: &Records<'_>) -> Check {
    let limit = "none over 2 ms";
    let mut moment: Option<Time> = None;
    let mut delays = Vec::new();
    for event in records.events {
        match (event.kind, moment) {
            (Kind::Moment, _) => moment = Some(event.time),
            (Kind::Output, Some(moment)) => delays.push((event.time.ns() - moment.ns()) as f64 * 1e-6),
            _ => {}
        }
    }
    if delays.is_empty() {
        return unknown("output latency", "no outputs in real time", limit);
    }
    delays.sort_by(f64::total_cmp);
    let (median, worst) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    let over = delays.iter().filter(|delay| **delay > LATENCY_MS).count();
    let found = format!("{over} of {} over; median {median:.3} ms, worst {worst:.3} ms", delays.len());
    check("output latency", over == 0, found, limit)
}

fn clock(records: &Records<'_>) -> Check {
    let limit = "5 ms or less";
    match records.clock.iter().map(|estimate| estimate.error_ns).max() {
        None => unknown("clock error", "no estimate", limit),
        Some(worst) => {
            let worst = worst as f64 * 1e-6;
            check("clock error", worst <= CLOCK_MS, format!("up to {worst:.3} ms"), limit)
        }
    }
}

fn sync_sent(records: &Records<'_>) -> Check {
    rises(records, "sync pulses sent", "sync", Kind::Output)
}

fn sync_seen(records: &Records<'_>) -> Check {
    rises(records, "sync pulses seen", "sync_input", Kind::Input)
}

fn rises(records: &Records<'_>, name: &'static str, port: &str, kind: Kind) -> Check {
    let limit = "1 or more";
    let sources = &records.start.names.sources;
    let source = sources.iter().position(|(of, known)| *of == SourceKind::Port && known == port);
    let Some(source) = source.and_then(|place| u16::try_from(place).ok()) else {
        return unknown(name, "no such line", limit);
    };
    let rose = of_kind(records.events, kind);
    let rose = rose.filter(|event| event.source == Source(source) && event.value > 0.0).count();
    check(name, rose > 0, rose.to_string(), limit)
}

/// How much of the pilot's disk was free when it was least.
fn disk(records: &Records<'_>) -> Check {
    let limit = "20 %, or 2 GB";
    let least = records.health.iter().filter_map(|health| health.disk).min_by_key(|(free, _)| *free);
    let Some((free, size)) = least else { return unknown("disk", "nothing was told of it", limit) };
    let gb = |bytes: u64| bytes as f64 * 1e-9;
    let found = format!("at least {:.1} of {:.1} GB free", gb(free), gb(size));
    check("disk", gb(free) >= (gb(size) * DISK_SHARE).min(DISK_GB), found, limit)
}

fn temperature(records: &Records<'_>) -> Check {
    let limit = "less than 80 C";
    match records.health.iter().filter_map(|health| health.temperature).reduce(f64::max) {
        None => unknown("temperature", "nothing was told of it", limit),
        Some(most) => check("temperature", most < HOT, format!("up to {most:.1} C"), limit),
    }
}

fn supply(records: &Records<'_>) -> Check {
    let limit = "never low";
    let all: Vec<Supply> = records.health.iter().filter_map(|health| health.supply).collect();
    let of = |what| all.iter().filter(|supply| **supply == what).count();
    match (all.len(), of(Supply::Low), of(Supply::Slowed)) {
        (0, ..) => unknown("supply", "nothing was told of it", limit),
        (_, 0, 0) => check("supply", true, "fine".to_owned(), limit),
        (all, low, slowed) => check(
            "supply",
            false,
            format!("voltage too low {low} times, slowed down {slowed}, of {all}"),
            limit,
        ),
    }
}

/// What a person did is no warning.
fn notes(records: &Records<'_>) -> Check {
    let warnings = records.notes.iter().filter(|note| !Person::is_deed(&note.text)).count();
    check("warnings", warnings == 0, warnings.to_string(), "none")
}

fn of_kind(events: &[Event], kind: Kind) -> impl Iterator<Item = &Event> {
    events.iter().filter(move |event| event.kind == kind)
}
