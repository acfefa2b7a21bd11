use bramble_task::definition::{DeviceId, Stimulus, StimulusKind};
use bramble_value::Level;
use proptest::prelude::*;

use super::*;
use crate::calibration::{Calibration, Point, Valve, WATER};
use crate::config::{DriverConfig, Flow};
use crate::dose::Dose;

const LONGEST: Span = Span::from_ms(700);

fn wire(kind: DeviceKind, name: &str) -> Wire {
    Wire {
        device: name.parse().unwrap(),
        port: None,
        kind,
        driver: DriverConfig::Simulated,
        longest_on: None,
        safe: Level::default(),
        dose: None,
        no_dose: None,
    }
}

/// A light, a valve that may be open for 700 ms, a speaker, and a fan that is
/// on when safe.
fn rig() -> Devices {
    Devices::new(&Wiring::of_singles(vec![
        wire(DeviceKind::DigitalOutput, "light"),
        Wire {
            longest_on: Some(LONGEST),
            dose: Flow::from_microliters_per_second(40.0).map(Dose::Flow),
            ..wire(DeviceKind::Solenoid, "valve")
        },
        wire(DeviceKind::Sound, "speaker"),
        Wire { safe: Level::from_share(1.0).unwrap(), ..wire(DeviceKind::LevelOutput, "fan") },
    ]))
}

const fn port(device: u16) -> PortId {
    PortId { device: DeviceId(device), port: 0 }
}

const LIGHT: PortId = port(0);
const VALVE: PortId = port(1);
const SPEAKER: PortId = port(2);
const FAN: PortId = port(3);

fn ms(ms: u32) -> Value {
    Value::Duration(Span::from_ms(ms))
}

fn at(ms: u32) -> Time {
    Time::ZERO + Span::from_ms(ms)
}

fn pulse(length: u32) -> Command {
    Command::Pulse { on: ms(length), after: None, level: None }
}

/// Everything that happens until then, with its time.
fn run(devices: &mut Devices, from: Time, until: Time) -> Vec<(Time, Effect)> {
    let mut now = from;
    let mut seen = Vec::new();
    loop {
        devices.advance(now);
        while let Some(effect) = devices.poll() {
            seen.push((now, effect));
        }
        match devices.deadline(now) {
            Some(next) if next <= until => {
                assert!(next > now, "a deadline at {now:?} is not in the past");
                now = next;
            }
            _ => return seen,
        }
    }
}

fn levels(seen: &[(Time, Effect)], of: PortId) -> Vec<(u32, f64)> {
    let level = |(time, effect): &(Time, Effect)| match effect {
        Effect::Write { port, signal: Signal::Level(level) } if *port == of => {
            Some(((time.ns() / 1_000_000) as u32, *level))
        }
        _ => None,
    };
    seen.iter().filter_map(level).collect()
}

fn ends(seen: &[(Time, Effect)], of: PortId) -> Vec<Time> {
    let end = |(_, effect): &(Time, Effect)| match effect {
        Effect::Ends { port, at } if *port == of => Some(*at),
        _ => None,
    };
    seen.iter().filter_map(end).collect()
}

#[test]
fn a_volume_is_the_time_that_it_takes_to_flow() {
    let mut devices = rig();
    devices.give(VALVE, "4 uL".parse().unwrap(), at(5)).unwrap();
    let seen = run(&mut devices, at(5), at(1000));
    assert_eq!(levels(&seen, VALVE), [(5, 1.0), (105, 0.0)]);
    assert_eq!(ends(&seen, VALVE), [at(105)]);
}

#[test]
fn two_drops_that_overlap_are_both_given() {
    let mut devices = rig();
    devices.command(VALVE, &Command::Open(ms(100)), at(0)).unwrap();
    run(&mut devices, at(0), at(50));
    devices.command(VALVE, &Command::Open(ms(100)), at(50)).unwrap();
    let seen = run(&mut devices, at(50), at(1000));
    assert_eq!(levels(&seen, VALVE), [(200, 0.0)]);
    assert_eq!(ends(&seen, VALVE), [at(200)]);
}

#[test]
fn a_light_that_is_on_stays_on_through_a_pulse() {
    let mut devices = rig();
    devices.command(LIGHT, &Command::On(None), at(0)).unwrap();
    devices.command(LIGHT, &pulse(50), at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(1000));
    assert_eq!(levels(&seen, LIGHT), [(0, 1.0)]);
    assert_eq!(ends(&seen, LIGHT), [at(50)]);
}

#[test]
fn a_pulse_outlives_the_light_being_switched_off() {
    let mut devices = rig();
    devices.command(LIGHT, &Command::On(None), at(0)).unwrap();
    devices.command(LIGHT, &pulse(50), at(0)).unwrap();
    devices.command(LIGHT, &Command::Off, at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(1000));
    assert_eq!(levels(&seen, LIGHT), [(0, 1.0), (50, 0.0)]);
}

#[test]
fn a_light_that_one_stage_leaves_off_and_the_next_puts_on_does_not_flicker() {
    let mut devices = rig();
    devices.command(LIGHT, &Command::On(None), at(0)).unwrap();
    run(&mut devices, at(0), at(10));
    devices.command(LIGHT, &Command::Off, at(10)).unwrap();
    devices.command(LIGHT, &Command::On(None), at(10)).unwrap();
    assert_eq!(levels(&run(&mut devices, at(10), at(1000)), LIGHT), []);
}

#[test]
fn a_new_pulse_replaces_the_old_one_and_ends_once() {
    let mut devices = rig();
    devices.command(LIGHT, &pulse(50), at(0)).unwrap();
    run(&mut devices, at(0), at(20));
    devices.command(LIGHT, &pulse(100), at(20)).unwrap();
    let seen = run(&mut devices, at(20), at(1000));
    assert_eq!(levels(&seen, LIGHT), [(120, 0.0)]);
    assert_eq!(ends(&seen, LIGHT), [at(120)]);
}

#[test]
fn what_is_stopped_does_not_end_by_itself() {
    let mut devices = rig();
    devices.command(LIGHT, &pulse(50), at(0)).unwrap();
    run(&mut devices, at(0), at(20));
    devices.command(LIGHT, &Command::Stop, at(20)).unwrap();
    let seen = run(&mut devices, at(20), at(1000));
    assert_eq!(levels(&seen, LIGHT), [(20, 0.0)]);
    assert_eq!(ends(&seen, LIGHT), []);
    let halted = Effect::Event { kind: Kind::Halt, port: LIGHT, value: 0.0, at: at(20) };
    assert!(seen.contains(&(at(20), halted)));
}

#[test]
fn a_valve_is_shut_when_it_has_been_open_for_as_long_as_it_may() {
    let mut devices = rig();
    devices.command(VALVE, &Command::Open(ms(60_000)), at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(100_000));
    assert_eq!(levels(&seen, VALVE), [(0, 1.0), (700, 0.0)]);
    assert_eq!(ends(&seen, VALVE), [at(700)], "what waits for its end is not left waiting");
    assert!(
        seen.iter()
            .any(|(_, effect)| matches!(effect, Effect::Warning { text, .. } if text.contains("700 ms")))
    );
}

#[test]
fn blinking_does_not_make_a_valve_s_longest_time_longer() {
    let mut devices = rig();
    devices.command(VALVE, &Command::On(None), at(0)).unwrap();
    let mut seen = run(&mut devices, at(0), at(500));
    devices.command(VALVE, &Command::Off, at(500)).unwrap();
    seen.extend(run(&mut devices, at(500), at(500)));
    devices.command(VALVE, &Command::On(None), at(500)).unwrap();
    seen.extend(run(&mut devices, at(500), at(5000)));
    assert_eq!(levels(&seen, VALVE), [(0, 1.0), (500, 0.0), (500, 1.0), (700, 0.0)]);
}

#[test]
fn a_series_goes_through_its_levels_and_says_once_that_it_ended() {
    let mut devices = rig();
    let twice = series(vec![(1, ms(20)), (0, ms(10)), (2, ms(5))], Some(Value::Integer(2)), Some(ms(100)));
    devices.command(FAN, &Command::Off, at(0)).unwrap();
    devices.command(FAN, &twice, at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(1000));
    let [first, second] = [100, 135].map(|start| [(start, 0.5), (start + 20, 0.0), (start + 30, 1.0)]);
    assert_eq!(levels(&seen, FAN), [&[(0, 0.0)], &first[..], &second[..], &[(170, 0.0)]].concat());
    assert_eq!(ends(&seen, FAN), [at(170)]);
    let told = Effect::Event { kind: Kind::Command, port: FAN, value: 0.07, at: at(0) };
    assert!(seen.contains(&(at(0), told)));
}

#[test]
fn a_light_without_levels_is_on_or_off_in_a_series() {
    let mut devices = rig();
    devices.command(LIGHT, &series(vec![(1, ms(20)), (0, ms(10))], None, None), at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(50));
    assert_eq!(levels(&seen, LIGHT), [(0, 1.0), (20, 0.0), (30, 1.0), (50, 0.0)]);
}

#[test]
fn a_pulse_of_a_level_does_not_dim_what_is_brighter() {
    let mut devices = rig();
    let dim = Command::Pulse { on: ms(10), after: None, level: Some(half(1)) };
    devices.command(FAN, &dim, at(0)).unwrap();
    assert_eq!(levels(&run(&mut devices, at(0), at(50)), FAN), []);
    devices.command(FAN, &Command::Off, at(50)).unwrap();
    devices.command(FAN, &dim, at(50)).unwrap();
    assert_eq!(levels(&run(&mut devices, at(50), at(90)), FAN), [(50, 0.5), (60, 0.0)]);
}

#[test]
fn a_series_holds_a_valve_open_no_longer_than_it_may_be() {
    let mut devices = rig();
    let open = series(vec![(2, ms(400)), (1, ms(400)), (0, ms(1))], None, None);
    devices.command(VALVE, &open, at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(5000));
    assert_eq!(levels(&seen, VALVE), [(0, 1.0), (700, 0.0)]);
    assert_eq!(ends(&seen, VALVE), [at(700)]);
}

#[test]
fn a_sound_ends_once_and_then_there_is_silence() {
    let mut devices = rig();
    let tone = Stimulus { kind: StimulusKind::Tone, arguments: vec![None, Some(ms(110)), None] };
    devices.command(SPEAKER, &Command::Play { sound: tone, after: Some(ms(10)) }, at(0)).unwrap();
    let seen = run(&mut devices, at(0), at(1000));
    let writes: Vec<_> = seen.iter().filter(|(_, effect)| matches!(effect, Effect::Write { .. })).collect();
    assert!(matches!(writes[0], (time, Effect::Write { signal: Signal::Play(_), .. }) if *time == at(10)));
    assert!(matches!(writes[1], (time, Effect::Write { signal: Signal::Silence, .. }) if *time == at(120)));
    assert_eq!(ends(&seen, SPEAKER), [at(120)]);
}

#[test]
fn what_a_device_cannot_do_is_refused_by_name() {
    let mut devices = rig();
    let play = Command::Play {
        sound: Stimulus { kind: StimulusKind::Noise, arguments: vec![None, None] },
        after: None,
    };
    for (port, command, says) in [
        (LIGHT, Command::Open(ms(1)), "light"),
        (LIGHT, play, "play a sound"),
        (SPEAKER, Command::On(None), "it is a sound"),
        (LIGHT, Command::Train { on: ms(1), every: ms(0), count: None, after: None, level: None }, "100 us"),
        (LIGHT, series(vec![(1, Value::Duration(Span::from_ns(10)))], None, None), "100 us"),
        (LIGHT, Command::Pulse { on: Value::Number(1.0), after: None, level: None }, "duration"),
    ] {
        let error = devices.command(port, &command, at(0)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let mut uncalibrated = Devices::new(&Wiring::of_singles(vec![wire(DeviceKind::Solenoid, "spout")]));
    let error = uncalibrated.give(LIGHT, "4 uL".parse().unwrap(), at(0)).unwrap_err().to_string();
    assert!(error.contains("bramble-pilot calibrate spout"), "{error}");
}

#[test]
fn drops_that_run_into_each_other_give_what_they_give_one_by_one() {
    // It gives 50 uL a second, after it was open for 10 ms.
    let point = |ms, microliters: f64| Point {
        open: Span::from_ms(ms),
        pulses: 100,
        grams: microliters * 100.0 * WATER / 1e3,
    };
    let valve = Valve { device: "spout".parse().unwrap(), port: None };
    let points = vec![point(30, 1.0), point(110, 5.0)];
    let made = "2026-03-01T00:00:00Z".parse().unwrap();
    let calibration = std::sync::Arc::new(Calibration::new(valve, made, WATER, points).unwrap());
    let dose = Some(Dose::Calibrated(calibration.clone()));
    let spout = Wire { dose, ..wire(DeviceKind::Solenoid, "spout") };
    let mut devices = Devices::new(&Wiring::of_singles(vec![spout]));
    let spout = port(0);
    for start in [0, 20] {
        devices.give(spout, "2 uL".parse().unwrap(), at(start)).unwrap();
    }
    let seen = run(&mut devices, at(20), at(500));
    let closed = seen.iter().find(|(_, effect)| matches!(effect, Effect::Ends { .. })).unwrap().0;
    let given = calibration.volume_of(closed.since(Time::ZERO));
    assert!((given - 4.0).abs() < 1e-6, "{given} uL");
}

fn series(levels: Vec<(u8, Value)>, count: Option<Value>, after: Option<Value>) -> Command {
    let segment = |(level, length)| definition::Segment { level: half(level), length };
    Command::Series { segments: levels.into_iter().map(segment).collect(), count, after }
}

fn half(level: u8) -> Value {
    Value::Level(Level::from_share(f64::from(level) / 2.0).unwrap())
}

fn count() -> impl Strategy<Value = Option<Value>> {
    proptest::option::of((0..20i64).prop_map(Value::Integer))
}

fn command() -> impl Strategy<Value = (PortId, Command)> {
    let length = || (0..2000u32).prop_map(ms);
    let told = prop_oneof![
        Just(Command::On(None)),
        Just(Command::Off),
        Just(Command::Stop),
        length().prop_map(Command::Open),
        (length(), proptest::option::of(length())).prop_map(|(on, after)| Command::Pulse {
            on,
            after,
            level: None
        }),
        (length(), 1..500u32, count()).prop_map(|(on, every, count)| {
            Command::Train { on, every: ms(every), count, after: None, level: None }
        }),
        (proptest::collection::vec((0..3u8, length()), 0..4), count(), proptest::option::of(length()))
            .prop_map(|(levels, count, after)| series(levels, count, after)),
    ];
    (prop_oneof![Just(LIGHT), Just(VALVE), Just(FAN)], told)
}

proptest! {
    /// The valve is watched from outside: by what is written to it alone.
    #[test]
    fn whatever_is_commanded_no_valve_is_open_too_long_and_all_is_safe_at_the_end(
        commands in proptest::collection::vec((command(), 0..900u32), 0..40)
    ) {
        let mut devices = rig();
        let mut now = Time::ZERO;
        let mut seen = Vec::new();
        for ((port, command), pause) in commands {
            // What a device can't do is refused, and changes nothing.
            let _ = devices.command(port, &command, now);
            let until = now + Span::from_ms(pause);
            seen.extend(run(&mut devices, now, until));
            now = until;
        }
        devices.make_safe(now);
        seen.extend(run(&mut devices, now, now + Span::from_s(100)));

        let mut open: Option<Time> = None;
        for (time, effect) in &seen {
            if let Effect::Write { port: VALVE, signal: Signal::Level(level) } = effect {
                match open {
                    Some(since) if *level == 0.0 => {
                        prop_assert!(time.since(since) <= LONGEST);
                        open = None;
                    }
                    Some(_) => {}
                    None => open = Some(*time),
                }
            }
        }
        prop_assert_eq!(open, None);
        let last = |port| levels(&seen, port).last().map(|(_, level)| *level);
        prop_assert!(matches!(last(LIGHT), None | Some(0.0)));
        prop_assert!(matches!(last(FAN), None | Some(1.0)));
        prop_assert_eq!(devices.deadline(now), None);
    }

    #[test]
    fn whatever_runs_to_its_end_says_so_exactly_once(
        pulses in proptest::collection::vec((0..300u32, 1..300u32), 1..20)
    ) {
        let mut devices = rig();
        let mut now = Time::ZERO;
        let (mut seen, mut finished) = (Vec::new(), 0);
        for (length, pause) in pulses {
            devices.command(LIGHT, &pulse(length), now).unwrap();
            let until = now + Span::from_ms(pause);
            seen.extend(run(&mut devices, now, until));
            finished += usize::from(length <= pause);
            now = until;
        }
        devices.make_safe(now);
        seen.extend(run(&mut devices, now, now + Span::from_s(10)));
        prop_assert_eq!(ends(&seen, LIGHT).len(), finished);
    }

    /// However late the loop looks, each pulse starts where arithmetic says.
    #[test]
    fn trains_do_not_drift(every in 2..100u32, on in 1..50u32, count in 1..200i64, late in 0..900_000i64) {
        prop_assume!(on < every);
        let mut devices = rig();
        let train = Command::Train {
            on: ms(on),
            every: ms(every),
            count: Some(Value::Integer(count)),
            after: None,
            level: None,
        };
        devices.command(LIGHT, &train, Time::ZERO).unwrap();
        let mut now = Time::ZERO;
        let mut rises = Vec::new();
        loop {
            devices.advance(now);
            while let Some(effect) = devices.poll() {
                if let Effect::Write { signal: Signal::Level(1.0), .. } = effect {
                    rises.push(now);
                }
            }
            match devices.deadline(now) {
                Some(next) => now = next + Span::from_ns(late),
                None => break,
            }
        }
        prop_assert_eq!(rises.len() as i64, count);
        for (turn, rise) in rises.iter().enumerate() {
            let due = Time::ZERO + Span::from_ns(i64::from(every) * 1_000_000 * turn as i64);
            prop_assert!(rise.since(due) <= Span::from_ns(late), "pulse {} came {} late", turn, rise.since(due));
        }
    }
}
