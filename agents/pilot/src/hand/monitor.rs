//! `monitor`: what the inputs read, and every change of it.

use std::time::Instant;

use bramble_value::Kind;

use super::bench::{Bench, Heard};
use super::cli::Monitor;
use super::drive::bound;
use super::error::HandError;
use super::names::{self, NameError};
use super::protocol::{Opened, Part, Told};
use super::say::{say, say_json, shown, since};

pub(super) fn run(bench: &mut Bench, monitor: &Monitor) -> Result<(), HandError> {
    let opened = bench.open("monitor")?;
    let chosen = chosen(&opened.parts, &monitor.only)?;
    if monitor.json {
        say_json(&Told::Open(opened.clone()));
    } else {
        say(heading(&opened, monitor));
        let width = width(&opened.parts);
        for part in chosen.iter().map(|place| &opened.parts[*place]) {
            let reads = shown(part, part.reads.unwrap_or(0.0));
            say(format!("{:>11}  {:width$}  {reads}", "now", part.name));
        }
    }
    let until = bound(Instant::now(), monitor.length);
    loop {
        match bench.next(until) {
            Heard::Leave | Heard::Over => break,
            Heard::Told(told @ (Told::Event { .. } | Told::Note { .. })) => {
                if concerns(&told, &opened.parts, &chosen) {
                    show(&told, &opened, monitor.json);
                }
            }
            heard => _ = bench.unless_over(heard)?,
        }
    }
    bench.close()
}

/// The places of the inputs that are looked at.
fn chosen(parts: &[Part], only: &[String]) -> Result<Vec<usize>, HandError> {
    let mut chosen = Vec::new();
    for name in only {
        let found = names::find_all(parts, name)?;
        if let Some(output) = found.iter().map(|place| &parts[*place]).find(|part| !part.is_input()) {
            let (name, kind) = (output.name.clone(), output.kind.word());
            return Err(NameError::Output { name, kind }.into());
        }
        chosen.extend(found);
    }
    if only.is_empty() {
        chosen.extend((0..parts.len()).filter(|place| parts[*place].is_input()));
    }
    Ok(chosen)
}

fn heading(opened: &Opened, monitor: &Monitor) -> String {
    let what = if opened.real { "its real pins" } else { "its simulated rig" };
    let end = monitor.length.map_or_else(|| "until ctrl-C".to_owned(), |length| format!("for {length}"));
    let left_out: String = opened.left_out.iter().map(|why| format!("\n(left out: {why})")).collect();
    format!("{}: {what}, {end}{left_out}", opened.pilot)
}

fn width(parts: &[Part]) -> usize {
    parts.iter().filter(|part| part.is_input()).map(|part| part.name.len()).max().unwrap_or(0)
}

fn concerns(told: &Told, parts: &[Part], chosen: &[usize]) -> bool {
    match told {
        Told::Event { device, .. } => chosen.iter().any(|place| parts[*place].name == *device),
        _ => true,
    }
}

fn show(told: &Told, opened: &Opened, json: bool) {
    if json {
        return say_json(told);
    }
    let line = |device: &str, kind, value| {
        let width = width(&opened.parts);
        let part = names::find(&opened.parts, device).ok().map(|place| &opened.parts[place]);
        let value = match (kind, part) {
            (Kind::Lost, _) => format!("{value} changes were missed just before"),
            (Kind::Late, _) => format!("seen {:.3} ms late", value * 1e3),
            (_, Some(part)) => shown(part, value),
            (_, None) => value.to_string(),
        };
        format!("{device:width$}  {value}")
    };
    match told {
        Told::Event { device, kind, value, time_ns } => {
            say(format!("{}  {}", since(*time_ns, opened.time_ns), line(device, *kind, *value)));
        }
        Told::Note { text, time_ns } => say(format!("{}  {text}", since(*time_ns, opened.time_ns))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use bramble_task::definition::DeviceKind;

    use super::super::names::tests::part;
    use super::*;

    #[test]
    fn inputs_are_chosen_by_port_or_by_device_and_outputs_are_not() {
        let parts = [
            part("light", DeviceKind::DigitalOutput),
            part("poke.left", DeviceKind::DigitalInput),
            part("poke.right", DeviceKind::DigitalInput),
        ];
        let all =
            |only: &[&str]| chosen(&parts, &only.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(all(&[]).unwrap(), [1, 2]);
        assert_eq!(all(&["poke"]).unwrap(), [1, 2]);
        assert_eq!(all(&["poke.right"]).unwrap(), [2]);
        let error = all(&["light"]).unwrap_err().to_string();
        assert!(error.contains("`light` is an output"), "{error}");
    }
}
