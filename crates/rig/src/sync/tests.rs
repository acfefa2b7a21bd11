use proptest::prelude::*;

use super::*;

const S: i64 = 1_000_000_000;

const BARCODE: SyncPattern =
    SyncPattern::Barcode { every: Span::from_s(5), bit: Span::from_ms(30), bits: 32 };

fn random(shortest: u32, longest: u32) -> SyncPattern {
    SyncPattern::Random { gap: (Span::from_ms(shortest), Span::from_ms(longest)), width: Span::from_ms(50) }
}

/// The edges until then, as a loop that is always in time writes them.
fn edges(mut sync: Sync, until: Time) -> Vec<(Time, bool)> {
    let mut now = sync.time;
    let mut edges = Vec::new();
    loop {
        edges.extend(sync.advance(now).map(|high| (now, high)));
        match sync.deadline(now) {
            Some(next) if next <= until => {
                assert!(next > now, "time goes on");
                now = next;
            }
            _ => return edges,
        }
    }
}

/// The barcodes that another recorder finds in edges: where each starts, and its
/// number. Written from the description of the format, not from what makes it: a
/// number lies between two pulses of 10 ms, each bit of it is as the line is in
/// its middle.
fn decoded(edges: &[(Time, bool)], bits: u32) -> Vec<(Time, u64)> {
    let level = |at: Time| edges.iter().rev().find(|(time, _)| *time <= at).is_some_and(|(_, high)| *high);
    let rises: Vec<Time> = edges.iter().filter(|(_, high)| *high).map(|(time, _)| *time).collect();
    let falls: Vec<Time> = edges.iter().filter(|(_, high)| !*high).map(|(time, _)| *time).collect();
    let mut found = Vec::new();
    let mut free = Time::ZERO;
    for rise in rises {
        let wrapper = falls.iter().any(|fall| fall.since(rise) == Span::from_ms(10) && *fall > rise);
        if rise < free || !wrapper {
            continue;
        }
        let first = rise + Span::from_ms(20);
        let middle = |bit: u32| first + Span::from_ms(30 * bit) + Span::from_ms(15);
        found.push((rise, (0..bits).map(|bit| u64::from(level(middle(bit))) << bit).sum()));
        free = first + Span::from_ms(30 * bits + 30);
    }
    found
}

#[test]
fn the_patterns_that_nothing_is_said_of_are_right() {
    assert_eq!(BARCODE.check(), Ok(BARCODE));
    assert_eq!(random(500, 5000).check(), Ok(random(500, 5000)));
}

#[test]
fn a_pattern_that_could_not_be_read_is_refused() {
    let barcode = |every, bit, bits| SyncPattern::Barcode {
        every: Span::from_ms(every),
        bit: Span::from_ms(bit),
        bits,
    };
    for (pattern, says) in [
        (random(600, 500), "longer than `longest`"),
        (random(90, 500), "at least twice the `width`: 100 ms"),
        (SyncPattern::Random { gap: (Span::ZERO, Span::ZERO), width: Span::ZERO }, "more than 0"),
        (barcode(5000, 30, 0), "from 1 to 64"),
        (barcode(5000, 30, 65), "from 1 to 64"),
        (barcode(5000, 0, 32), "at least 1 ms"),
        (barcode(1500, 30, 32), "one barcode lasts 1.01 s"),
        (barcode(500, 1, 8), "at least 1 s"),
    ] {
        let problem = pattern.check().unwrap_err();
        assert!(problem.contains(says), "{problem}");
    }
}

#[test]
fn a_barcode_is_wrapped_in_short_pulses_and_has_its_lowest_bit_first() {
    // 5 in binary is 101.
    let program = barcode(Time::ZERO, Span::from_ms(30), 4, 5);
    let levels: Vec<u8> =
        (0..17).map(|step| u8::from(program.level(Time::ZERO + Span::from_ms(10 * step)) > 0.0)).collect();
    assert_eq!(levels, [1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0]);
    assert_eq!(program.end(), Some(Time::ZERO + Span::from_ms(170)));
}

#[test]
fn random_intervals_are_those_of_the_seed() {
    let until = Time::ZERO + Span::from_s(600);
    let of = |seed| edges(Sync::new(random(500, 5000), Seed(seed), Time::ZERO, 0), until);
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

proptest! {
    #[test]
    fn a_barcode_says_the_second_in_which_it_starts(
        unix_ns in 0..4_000_000_000i64 * S,
        start in 0..1_000_000_000 * S,
    ) {
        let start = Time::from_ns(start);
        let sync = Sync::new(BARCODE, Seed(1), start, unix_ns);
        // The last one may be cut off where the recording ends.
        let until = start + Span::from_s(31);
        let mut codes = decoded(&edges(sync, until), 32);
        codes.retain(|(rise, _)| until.since(*rise) > Span::from_s(2));
        prop_assert!(codes.len() >= 5, "{:?}", codes);
        for (place, (rise, seconds)) in codes.iter().enumerate() {
            let wall = unix_ns + rise.since(start).ns();
            prop_assert_eq!(*seconds as i64 * S, wall, "on the second");
            prop_assert_eq!(seconds % 5, 0);
            prop_assert!(place == 0 || *seconds == codes[place - 1].1 + 5);
        }
    }

    #[test]
    fn random_pulses_are_as_wide_and_as_far_apart_as_was_said(
        seed: u64, shortest in 100..2000u32, more in 0..3000u32
    ) {
        let start = Time::from_ns(12_345);
        let sync = Sync::new(random(shortest, shortest + more), Seed(seed), start, 0);
        let edges = edges(sync, start + Span::from_s(60));
        let mut last = start;
        for pair in edges.chunks_exact(2) {
            let [(rise, true), (fall, false)] = pair else { panic!("{pair:?}") };
            let gap = rise.since(last);
            prop_assert!((Span::from_ms(shortest)..=Span::from_ms(shortest + more)).contains(&gap));
            prop_assert_eq!(fall.since(*rise), Span::from_ms(50));
            last = *rise;
        }
    }

    /// A loop that comes late writes late, and does not push what follows.
    #[test]
    fn lateness_does_not_add_up(late in 0..20_000_000i64) {
        let mut sync = Sync::new(random(500, 800), Seed(3), Time::ZERO, 0);
        let due = edges(Sync::new(random(500, 800), Seed(3), Time::ZERO, 0), Time::ZERO + Span::from_s(60));
        for (time, high) in due {
            let now = time + Span::from_ns(late);
            prop_assert_eq!(sync.advance(now), Some(high));
        }
    }
}
