//! What is said on one computer: between a hand and the pilot, and between the pilot and
//! its guard.

use std::path::PathBuf;

use bramble_task::definition::DeviceKind;
use bramble_value::{Kind, Level, Span, Time, Volume};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::hand::{
    Answer, Ask, Bar, Item, Known, Member, Opened, Outcome, Part, Step, Timing, Told, Weighed,
};
use crate::words::{FEED, Line, Order, Reply};

/// What can be read is the same after it was written and read again.
pub(crate) fn json<M: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(said) = serde_json::from_slice::<M>(bytes) {
        let written = write(&said);
        let again = serde_json::from_slice::<M>(&written).expect("what was written can be read");
        assert_eq!(write(&again), written);
    }
}

fn write(said: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(said).expect("it has no value that can't be written")
}

fn written<M: Serialize>(said: impl IntoIterator<Item = M>) -> Vec<Vec<u8>> {
    said.into_iter().map(|said| write(&said)).collect()
}

pub(crate) fn asks() -> Vec<Vec<u8>> {
    let device = || "light.left".to_owned();
    let member = Member { device: device(), on: Span::from_ms(20), offset: Span::from_ms(5) };
    written([
        Ask::Work { what: "monitor".into() },
        Ask::Set { device: device(), level: Level::default() },
        Ask::Train { members: vec![member.clone()], every: Span::from_ms(100), count: Some(3) },
        Ask::Train { members: vec![member], every: Span::ZERO, count: None },
        Ask::Done,
        Ask::Measure { wakes: 1000, every: Span::from_ms(1) },
        Ask::Give { device: device(), volume: Volume::default() },
        Ask::Known,
        Ask::Calibrate { valve: device(), pulses: 100, durations: vec![Span::from_ms(20)], every: None },
        Ask::Check { skip_inputs: true, skip_outputs: false, skip_timing: false },
        Ask::Answer(Answer::Ready),
        Ask::Answer(Answer::Weight("0.41 g".into())),
        Ask::Answer(Answer::Again(Span::from_ms(20))),
    ])
}

pub(crate) fn told() -> Vec<Vec<u8>> {
    let time_ns = Time::from_ns(7);
    let part = |reads| Part {
        name: "poke.left".into(),
        kind: DeviceKind::AnalogInput,
        unit: "V".into(),
        safe: Level::default(),
        longest_on: Some(Span::from_s(2)),
        simulated: true,
        reads,
        doses: false,
    };
    let opened = Opened {
        pilot: "box1".into(),
        rig: "0a1b".into(),
        parts: vec![part(Some(0.5)), part(None)],
        left_out: vec!["`lamp` is on a child".into()],
        real: false,
        time_ns,
        unix_ns: 1_700_000_000_000_000_000,
    };
    let late = Span::from_ms(1);
    let timing = Timing {
        wakes: 1000,
        p50: late,
        p99: late,
        p99_9: late,
        worst: late,
        bars: vec![Bar { up_to: late, count: 1000 }],
        shortfalls: vec!["no priority".into()],
    };
    written(
        [
            Told::Open(opened),
            Told::Refused { why: "busy".into(), busy: true },
            Told::Event { device: "poke.left".into(), kind: Kind::Input, value: 1.0, time_ns },
            Told::Note { text: "read this".into(), time_ns },
            Told::Closed { why: "done".into(), failed: false },
            Told::Measured(timing.clone()),
            Told::Known(Known {
                calibrations: vec![true.into()],
                check: None,
                problems: vec!["damaged".into()],
            }),
        ]
        .into_iter()
        .chain(steps(timing).map(Told::Step)),
    )
}

fn steps(timing: Timing) -> impl Iterator<Item = Step> {
    let (valve, open) = (|| "valve.left".to_owned(), Span::from_ms(20));
    let weighed = Weighed { open, pulses: 100, grams: 0.08, microliters: 0.8 };
    let found = Item { what: "timing".into(), outcome: Outcome::Passed, says: "in time".into() };
    [
        Step::Place { at: 0, valve: valve(), open, why: None },
        Step::Opens { at: 0, valve: valve(), open, pulses: 100, lasts: Span::from_s(17) },
        Step::Weigh { at: 0, open, why: Some("a flood".into()) },
        Step::NoLine { points: vec![weighed], why: "longer openings gave no more".into() },
        Step::Line { calibration: 1.into(), before: None, changed: None },
        Step::Kept { file: "a.toml".into() },
        Step::Timed(timing),
        Step::Found(found),
        Step::Trigger { device: "poke".into(), prompt: "touch it".into(), within: Span::from_s(30) },
        Step::Heard { text: "poke: low, then high".into() },
        Step::Spouts { valves: vec![valve()], open },
        Step::Blinked { device: "light".into(), was: "on".into(), length: open },
        Step::Checked { checked: 1.into(), file: "check.json".into() },
        Step::Left { why: "ended".into() },
    ]
    .into_iter()
}

pub(crate) fn orders() -> Vec<Vec<u8>> {
    let lines = vec![
        Line::Gpiocdev { safe: vec![(0, false), (3, true)] },
        Line::Rppal { pin: 17, high: true },
        Line::Pwm { path: PathBuf::from("/sys/class/pwm/pwmchip0/pwm0"), duty_ns: 1000 },
        Line::File { place: 2, safe: b'x' },
    ];
    let hold = Order::Hold { lines, watchdog: Span::from_ms(250) };
    let mut orders = written([hold, Order::Arm, Order::Feed, Order::Disarm, Order::LetGo]);
    orders.push(FEED.to_vec());
    orders
}

pub(crate) fn replies() -> Vec<Vec<u8>> {
    written([Reply::Ready, Reply::Held(Ok(())), Reply::Held(Err("no pin".into())), Reply::Tripped])
}
