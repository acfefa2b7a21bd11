//! What can be typed after `bramble-pilot` to work its rig by hand.

use bramble_value::{Level, Span};
use clap::{ArgAction, Args, Subcommand};

use super::{calibrate, check};

/// A subcommand for the hand.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Show each input's level, and then every change, until ctrl-C
    #[command(after_help = "\
Examples:
  bramble-pilot monitor
  bramble-pilot monitor poke wheel --for \"10 s\"
  bramble-pilot monitor --json | jq 'select(.event.kind == \"input\")'")]
    Monitor(Monitor),
    /// Switch outputs, and hold them until ctrl-C; then they are safe again
    #[command(after_help = "\
What the rig says of the longest an output may be on holds here too.

Examples:
  bramble-pilot set light.left on
  bramble-pilot set light.left on light.right on --for \"10 s\"
  bramble-pilot set dimmer 0.5")]
    Set(Set),
    /// Switch an output on for a time
    #[command(after_help = "\
Examples:
  bramble-pilot pulse valve.left 50ms
  bramble-pilot pulse light 1s")]
    Pulse(Pulse),
    /// Switch outputs on again and again, each with its length and its offset
    #[command(after_help = "\
LENGTH is how long an output is on in each turn; LENGTH+OFFSET lets it wait that long first. A turn
ends when the last output goes off; then there is a pause, or the next turn starts EVERY so often.

Examples:
  bramble-pilot train light.left 10ms --every 50ms --count 20
  bramble-pilot train light.left 20ms+0ms light.right 30ms+25ms --pause 50ms --count 10")]
    Train(Train),
    /// Exercise the whole rig before an animal is in it, and say whether all is well
    #[command(after_help = "\
It measures how late the computer wakes the loop, asks for each input to be triggered by hand, and
switches each output on for a moment, valves too. The exit status is 0 where all is well and 1 where
something failed; a pilot whose rig failed its last check refuses to start sessions. Where no terminal is
attached nothing is asked, and everything else is the same.

Examples:
  bramble-pilot check
  bramble-pilot check --skip-inputs --json
  bramble-pilot check --timeout 60s --p99 500us")]
    Check(Check),
    /// Measure how much water a valve gives, so that a task can ask for a volume
    #[command(after_help = "\
Put a cup on a scale, under the spout. The valve opens many times for each duration; type what the scale
then shows for that water, in grams. Between two durations empty or tare the cup.

Examples:
  bramble-pilot calibrate valve left
  bramble-pilot calibrate valve.left --pulses 200 --durations 20ms,40ms,80ms,120ms
  bramble-pilot calibrate valve.left --weights 0.41,0.83,1.62 --yes
  bramble-pilot calibrate valve.left --scale \"python3 read_scale.py\"")]
    Calibrate(Calibrate),
    /// List the calibrations of all valves
    #[command(after_help = "Example:\n  bramble-pilot calibrations --all")]
    Calibrations(Calibrations),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Monitor {
    /// Only these devices or ports [default: every input]
    #[arg(value_name = "DEVICE")]
    pub(crate) only: Vec<String>,
    /// End after this time
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) length: Option<Span>,
    /// For scripts: one JSON object for each line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Set {
    /// Outputs with their levels: on, off, or a share from 0 to 1 (0.5, or 50%)
    #[arg(value_name = "DEVICE LEVEL", required = true, num_args = 2..)]
    pub(crate) pairs: Vec<String>,
    /// Hold them for this time only
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) length: Option<Span>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Pulse {
    /// The output: light.left, or led where it has no ports
    pub(crate) device: String,
    /// How long it is on
    pub(crate) length: Span,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Train {
    /// Outputs with how long each is on, and after how long: light.left 20ms, light.right 30ms+25ms
    #[arg(value_name = "DEVICE LENGTH[+OFFSET]", required = true, num_args = 2..)]
    pub(crate) members: Vec<String>,
    /// From one turn's start to the next
    #[arg(long, value_name = "TIME", required_unless_present = "pause", conflicts_with = "pause")]
    pub(crate) every: Option<Span>,
    /// From one turn's end to the next one's start
    #[arg(long, value_name = "TIME")]
    pub(crate) pause: Option<Span>,
    /// How many turns [default: until ctrl-C]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// End after this time, wherever the train is then
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) length: Option<Span>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Check {
    /// Leave the inputs out
    #[arg(long)]
    pub(crate) skip_inputs: bool,
    /// Leave the outputs out
    #[arg(long)]
    pub(crate) skip_outputs: bool,
    /// Leave the computer's timing out
    #[arg(long)]
    pub(crate) skip_timing: bool,
    /// How long each input is waited for
    #[arg(long, value_name = "TIME", default_value_t = check::TIMEOUT)]
    pub(crate) timeout: Span,
    /// How long each output is on; valves are for 20 ms
    #[arg(long, value_name = "TIME", default_value_t = check::BLINK)]
    pub(crate) blink: Span,
    /// At most so late may the loop be in 99 of 100 cases
    #[arg(long, value_name = "TIME", default_value_t = check::P99)]
    pub(crate) p99: Span,
    /// At most so late may the loop be at all
    #[arg(long, value_name = "TIME", default_value_t = check::WORST)]
    pub(crate) worst: Span,
    /// How often the loop is woken for measuring, every millisecond once
    #[arg(long, value_name = "N", default_value_t = check::WAKES,
          value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) wakes: u32,
    /// For scripts: what came of it as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Calibrate {
    /// The valve: `valve left`, `valve.left`, or `valve` where it has no ports
    #[arg(value_name = "VALVE", required = true, num_args = 1..=2)]
    pub(crate) valve: Vec<String>,
    /// How often the valve opens for each duration
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(calibrate::MOST_PULSES)))]
    pub(crate) pulses: u32,
    /// How long it opens; at least two durations
    #[arg(long, value_name = "TIME,TIME,...", value_delimiter = ',', default_value = "20ms,40ms,80ms")]
    pub(crate) durations: Vec<Span>,
    /// From one opening to the next [default: 150 ms more than the opening]
    #[arg(long, value_name = "TIME")]
    pub(crate) every: Option<Span>,
    /// The grams that were weighed before, one for each duration, in order; the
    /// valve stays closed
    #[arg(long, value_name = "GRAMS,GRAMS,...", value_delimiter = ',', conflicts_with = "scale")]
    pub(crate) weights: Option<Vec<f64>>,
    /// A command that prints the scale's grams, run before and after each duration
    #[arg(long, value_name = "COMMAND")]
    pub(crate) scale: Option<String>,
    /// Keep the calibration without asking
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) yes: bool,
    /// For scripts: the calibration as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Calibrations {
    /// Older ones too, which newer ones have replaced
    #[arg(long)]
    pub(crate) all: bool,
    /// For scripts: as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A level as it is typed: `on`, `off`, `0.5`, `50%`.
pub(crate) fn level(text: &str) -> Result<Level, String> {
    let share = match text {
        "on" => Some(1.0),
        "off" => Some(0.0),
        _ => text.parse().ok(),
    };
    let level = match share {
        Some(share) => Level::from_share(share),
        None => text.parse().ok(),
    };
    level.ok_or_else(|| format!("`{text}` is no level: write on, off, or a share from 0 to 1 (0.5, or 50%)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_typed_as_a_word_or_as_a_share() {
        for (text, share) in [("on", 1.0), ("off", 0.0), ("0.5", 0.5), ("50%", 0.5), ("1", 1.0)] {
            assert_eq!(level(text).map(Level::share), Ok(share), "{text}");
        }
        for text in ["1.5", "-1", "NaN", "bright", "150%", ""] {
            assert!(level(text).unwrap_err().contains("on, off, or a share"), "{text}");
        }
    }
}
