//! The words of the task language that are said of something, after a dot.

use super::words::{Of, Verb, Word, attribute, named, of, opt, req};
use crate::definition::DeviceKind;

use DeviceKind as K;

const IN: Of = Of::Device(&[K::DigitalInput]);
const MEASURED: Of = Of::Device(&[K::AnalogInput, K::Encoder]);
const WHEEL: Of = Of::Device(&[K::Encoder]);
const OUT: Of = Of::Device(&[K::DigitalOutput, K::Solenoid]);
const LIGHT: Of = Of::Device(&[K::LevelOutput]);
const DRIVEN: Of = Of::Device(&[K::DigitalOutput, K::LevelOutput, K::Solenoid]);
const VALVE: Of = Of::Device(&[K::Solenoid]);
const ENDING: Of = Of::Device(&[K::DigitalOutput, K::LevelOutput, K::Solenoid, K::Sound]);
const RUNNING: Of = Of::Device(&[K::DigitalOutput, K::LevelOutput, K::Solenoid, K::Sound, K::Camera]);
const SCREEN: Of = Of::Device(&[K::Display]);

/// The words that are said of something, after a dot.
pub(crate) const METHODS: &[Word] = &[
    attribute(IN, "rises", Verb::Rises, "An event: it goes from low to high."),
    attribute(IN, "falls", Verb::Falls, "An event: it goes from high to low."),
    attribute(IN, "changes", Verb::Changes, "An event: it rises or falls."),
    attribute(IN, "high", Verb::High, "The condition that it is high; true at entry, it fires at once."),
    attribute(IN, "low", Verb::Low, "The condition that it is low; true at entry, it fires at once."),
    of(MEASURED, "above", Verb::Above, &[req("threshold")], "The condition that it is above a threshold."),
    of(MEASURED, "below", Verb::Below, &[req("threshold")], "The condition that it is below a threshold."),
    of(
        MEASURED,
        "between",
        Verb::Between,
        &[req("low"), req("high")],
        "The condition that it is between two thresholds.",
    ),
    of(
        WHEEL,
        "beyond",
        Verb::Beyond,
        &[req("position")],
        "The condition that it has turned this far in this direction.",
    ),
    of(
        WHEEL,
        "still",
        Verb::Still,
        &[req("within")],
        "The condition that it has not just moved further than this.",
    ),
    attribute(WHEEL, "speed", Verb::Speed, "How fast it turns: `.speed.above(x)`."),
    of(WHEEL, "zero", Verb::Zero, &[], "Calls where it is now its zero."),
    of(
        Of::Speed,
        "above",
        Verb::SpeedAbove,
        &[req("speed")],
        "The condition that it turns faster than this, either way.",
    ),
    of(
        Of::Speed,
        "below",
        Verb::SpeedBelow,
        &[req("speed")],
        "The condition that it turns slower than this, either way.",
    ),
    of(Of::Level, "lasts", Verb::Lasts, &[req("time")], "The condition holds for this long without a break."),
    of(OUT, "on", Verb::On, &[], "Switches it on."),
    of(LIGHT, "on", Verb::On, &[opt("level")], "Switches it on, at a level from 0 to 1."),
    of(DRIVEN, "off", Verb::Off, &[], "Switches it off."),
    of(VALVE, "open", Verb::Open, &[req("amount")], "Opens it for a volume or a duration."),
    of(OUT, "pulse", Verb::Pulse, &[req("on"), named("after")], "On for a time, after waiting."),
    of(
        LIGHT,
        "pulse",
        Verb::Pulse,
        &[req("on"), named("after"), named("level")],
        "On for a time, after waiting, at a level from 0 to 1.",
    ),
    of(
        OUT,
        "train",
        Verb::Train,
        &[req("on"), named("every"), named("count"), named("after")],
        "On for a time, again and again.",
    ),
    of(
        LIGHT,
        "train",
        Verb::Train,
        &[req("on"), named("every"), named("count"), named("after"), named("level")],
        "On for a time, again and again, at a level from 0 to 1.",
    ),
    of(
        DRIVEN,
        "series",
        Verb::Series,
        &[req("segments"), named("count"), named("after")],
        "One level after the other, each for a time: `led.series([(1, \"20 ms\"), (0, \"80 ms\")], count = 5)`. Without `count`, until stopped.",
    ),
    of(Of::Device(&[K::Sound]), "play", Verb::Play, &[req("sound"), named("after")], "Plays a sound."),
    of(RUNNING, "stop", Verb::Stop, &[], "Ends what runs: a pulse, a train, a series, an opening, a sound."),
    attribute(
        ENDING,
        "ends",
        Verb::Ends,
        "An event: its pulse, train, series, opening or sound came to its end.",
    ),
    of(SCREEN, "show", Verb::Show, &[req("picture")], "Shows a picture."),
    of(
        SCREEN,
        "follow",
        Verb::Follow,
        &[req("encoder"), opt("gain")],
        "Moves what is shown with a wheel, by `gain` degrees a unit.",
    ),
    of(SCREEN, "center", Verb::Center, &[], "Moves what is shown to the middle."),
    of(SCREEN, "freeze", Verb::Freeze, &[], "Keeps what is shown where it is."),
    of(SCREEN, "clear", Verb::Clear, &[], "Shows nothing."),
    of(Of::Device(&[K::Camera]), "film", Verb::Film, &[], "Starts to film."),
    attribute(Of::Column, "other", Verb::Other, "The other of a choice of two."),
    attribute(Of::Column, "last", Verb::Last, "What it held at the end of the last trial."),
    of(Of::Timer, "start", Verb::StartTimer, &[req("time")], "Starts it, for this long."),
    of(Of::Timer, "stop", Verb::StopTimer, &[], "Stops it."),
    attribute(Of::Timer, "running", Verb::Running, "The condition that it runs."),
    attribute(Of::Timer, "ends", Verb::TimerEnds, "An event: it ran out."),
    attribute(Of::Counter, "count", Verb::Count, "How often it has counted."),
    of(Of::Counter, "reset", Verb::Reset, &[], "Sets it to 0."),
    of(Of::Counter, "reaches", Verb::Reaches, &[req("count")], "An event: it has counted this often."),
    attribute(Of::Event, "port", Verb::EventPort, "The port it came from."),
    attribute(Of::Event, "time", Verb::EventTime, "When it happened, from the start of the session."),
    attribute(Of::Event, "value", Verb::EventValue, "What it carried."),
];
