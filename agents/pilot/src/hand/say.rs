//! What commands print.

use std::fmt::Display;
use std::io::Write;

use bramble_task::definition::DeviceKind;
use bramble_value::{Span, Time};

use super::protocol::Part;

/// Prints a line at once. Where nobody reads any more, as behind `| head`, there
/// is nothing left to do: whoever has the rig makes it safe.
pub(super) fn say(text: impl Display) {
    let mut out = std::io::stdout();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("what there is to say can't be written: {error}");
        std::process::exit(1);
    }
}

/// Prints one JSON object on a line of its own.
pub(super) fn say_json(value: &impl serde::Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => say(text),
        Err(error) => eprintln!("what there is to say can't be written: {error}"),
    }
}

/// What a part reads or is: `high`, `on`, `50 %`, `12.5 deg`.
pub(super) fn shown(part: &Part, value: f64) -> String {
    match part.kind {
        DeviceKind::DigitalInput => if value > 0.0 { "high" } else { "low" }.to_owned(),
        DeviceKind::AnalogInput | DeviceKind::Encoder => {
            format!("{value} {}", part.unit).trim_end().to_owned()
        }
        _ if value == 0.0 => "off".to_owned(),
        _ if value == 1.0 => "on".to_owned(),
        _ => format!("{} %", (value * 1000.0).round() / 10.0),
    }
}

/// Seconds since the rig was opened, for the start of a line.
pub(super) fn since(time: Time, opened: Time) -> String {
    let seconds = (time.ns() - opened.ns()) as f64 / 1e9;
    format!("{seconds:>9.3} s")
}

/// A span without more digits than a person wants.
pub(super) fn rounded(span: Span) -> String {
    let ns = span.ns();
    let step = if ns >= 10_000_000 {
        100_000
    } else if ns >= 10_000 {
        100
    } else {
        1
    };
    Span::from_ns(ns / step * step).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::part;
    use super::*;

    #[test]
    fn a_value_is_shown_as_what_it_is() {
        let wheel = Part { unit: "deg".to_owned(), ..part("wheel", DeviceKind::Encoder) };
        assert_eq!(shown(&wheel, -12.5), "-12.5 deg");
        assert_eq!(shown(&part("poke", DeviceKind::DigitalInput), 1.0), "high");
        assert_eq!(shown(&part("fan", DeviceKind::LevelOutput), 0.333), "33.3 %");
        assert_eq!(shown(&part("valve", DeviceKind::Solenoid), 0.0), "off");
    }

    #[test]
    fn times_are_shown_with_the_digits_that_matter() {
        assert_eq!(since(Time::from_ns(3_204_567_000), Time::from_ns(2_000_000_000)), "    1.205 s");
        assert_eq!(rounded(Span::from_ns(123_456)), "123.4 us");
        assert_eq!(rounded(Span::from_ns(1_234)), "1.234 us");
    }
}
