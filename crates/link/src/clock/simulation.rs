//! The estimator on clocks whose truth is known.

use bramble_value::{Random, Seed, Time};

use super::{Clock, Estimator, RoundTrip};

/// The other end's clock less ours, in nanoseconds, by seconds of ours: quartzes
/// that part by up to 100 parts in a million and change slowly with the day.
struct Truth {
    offset: f64,
    drift: f64,
    swing: f64,
    period: f64,
    phase: f64,
    /// It stood still: when, and for how long, in seconds.
    slept: Vec<(f64, f64)>,
}

impl Truth {
    fn new(random: &mut Random) -> Truth {
        let drift = 50e3 * (2.0 * random.unit() - 1.0);
        Truth {
            offset: 1e15 * (random.unit() - 0.5),
            drift,
            swing: 50e3 * random.unit(),
            period: 1800.0 + 7200.0 * random.unit(),
            phase: std::f64::consts::TAU * random.unit(),
            slept: Vec::new(),
        }
    }

    fn offset(&self, at: f64) -> f64 {
        let turn = std::f64::consts::TAU / self.period;
        let swung = libm::cos(self.phase) - libm::cos(turn * at + self.phase);
        let slept: f64 = self.slept.iter().map(|(when, long)| (at - when).clamp(0.0, *long)).sum();
        self.offset + self.drift * at + self.swing / turn * swung - slept * 1e9
    }

    fn drift(&self, at: f64) -> f64 {
        self.drift + self.swing * libm::sin(std::f64::consts::TAU / self.period * at + self.phase)
    }

    fn theirs(&self, at: f64) -> Time {
        Time::from_ns((at * 1e9 + self.offset(at)) as i64)
    }
}

/// One direction of a path.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// What it takes at least, and what queues add in the mean, in seconds.
    least: f64,
    queues: f64,
}

impl Way {
    fn new(random: &mut Random) -> Way {
        let least = libm::pow(10.0, -4.7 + 3.0 * random.unit());
        Way { least, queues: least * libm::pow(10.0, -1.5 + 2.5 * random.unit()) }
    }

    /// A tail that has a mean but no variance: Pareto's, of exponent 1.5.
    fn take(self, random: &mut Random) -> f64 {
        self.least + self.queues / 2.0 * (libm::pow(1.0 - random.unit(), -1.0 / 1.5) - 1.0)
    }
}

/// Heartbeats as the link sends them, with what was then true.
fn run(
    truth: &Truth,
    seconds: f64,
    random: &mut Random,
    mut ways: impl FnMut(f64, &mut Random) -> [Way; 2],
) -> Vec<(f64, Clock)> {
    let mut estimator = Estimator::default();
    let mut clocks = Vec::new();
    let (mut sent, mut beat) = (1.0, 0);
    while sent < seconds {
        let [out, back] = ways(sent, random).map(|way| way.take(random));
        let thinking = 20e-6 * random.unit();
        let returned = sent + out + thinking + back;
        // An end that waits for longer than this is down.
        if returned < sent + 2.5 {
            let trip = RoundTrip {
                sent: Time::from_ns((sent * 1e9) as i64),
                received: truth.theirs(sent + out),
                answered: truth.theirs(sent + out + thinking),
                returned: Time::from_ns((returned * 1e9) as i64),
            };
            clocks.extend(estimator.add(trip).map(|clock| (returned, clock)));
        }
        beat += 1;
        sent = returned.max(sent + if beat < 8 { 0.025 } else { 0.5 });
    }
    clocks
}

/// How many of the estimates are right, in themselves and for a while after.
fn count(truth: &Truth, clocks: &[(f64, Clock)]) -> (usize, usize) {
    let right = clocks.iter().filter(|(at, clock)| {
        let drift = (clock.drift_ppb as f64 - truth.drift(*at)).abs() <= clock.drift_error_ppb as f64 + 1.0;
        let later = [0.0, 0.5, 5.0].iter().all(|more| {
            let at = at + more;
            let ours = Time::from_ns((at * 1e9) as i64);
            let wrong = (clock.theirs(ours).ns() - truth.theirs(at).ns()).abs();
            wrong <= clock.error_at(ours).ns() + 2
        });
        drift && later
    });
    (right.count(), clocks.len())
}

#[test]
fn the_bounds_hold_however_the_network_is_and_the_clocks_drift() {
    let (mut right, mut all) = (0, 0);
    for seed in 0..60 {
        let random = &mut Random::new(Seed(seed), "clocks", 0);
        let truth = Truth::new(random);
        let mut ways = [Way::new(random), Way::new(random)];
        let clocks = run(&truth, 600.0, random, |_, random| {
            // Another path, or a queue that fills up, on one of the two ways.
            if random.chance(0.01) {
                ways[random.below(2) as usize] = Way::new(random);
            }
            ways
        });
        let (more_right, more) = count(&truth, &clocks);
        (right, all) = (right + more_right, all + more);
    }
    assert!(all > 60_000);
    assert_eq!(right, all);
}

#[test]
fn a_computer_that_sleeps_now_and_then_makes_few_bounds_wrong() {
    let (mut right, mut all) = (0, 0);
    for seed in 0..20 {
        let random = &mut Random::new(Seed(seed), "sleepers", 0);
        let mut truth = Truth::new(random);
        // Short enough that the link stays up.
        truth.slept = vec![(200.0 + 100.0 * random.unit(), 2.0 * random.unit())];
        let ways = [Way::new(random), Way::new(random)];
        let clocks = run(&truth, 600.0, random, |_, _| ways);
        // What is said of the time before the sleep isn't meant for the time after.
        let when = truth.slept[0].0;
        let awake: Vec<_> =
            clocks.into_iter().filter(|(at, _)| !(when - 5.0..when + 3.0).contains(at)).collect();
        let (more_right, more) = count(&truth, &awake);
        (right, all) = (right + more_right, all + more);
    }
    assert!(right * 1000 >= all * 999, "{right} of {all}");
}

#[test]
fn the_bounds_are_tight_where_the_network_is_quiet() {
    let random = &mut Random::new(Seed(1), "quiet", 0);
    let truth = Truth::new(random);
    let way = Way { least: 100e-6, queues: 20e-6 };
    let clocks = run(&truth, 120.0, random, |_, _| [way; 2]);
    // Soon little more than half of the quickest round trip, which is 200 us,
    for (at, clock) in &clocks {
        let most = if *at < 1.1 {
            250_000
        } else if *at < 10.0 {
            150_000
        } else {
            115_000
        };
        assert!(clock.error.ns() < most, "{at} {clock:?}");
    }
    // and wrong by a few microseconds, since the two ways take the same.
    for (at, clock) in clocks.iter().filter(|(at, _)| *at > 20.0) {
        let wrong = (clock.offset_ns as f64 - truth.offset(*at)).abs();
        assert!(wrong < 15_000.0, "{wrong} {clock:?}");
        assert!(clock.drift_error_ppb < 30_000, "{clock:?}");
    }
}
