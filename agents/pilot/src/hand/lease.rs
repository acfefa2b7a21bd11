//! The leases of those who work the rig from a page, as pure code: what the terminal says goes
//! in, what is to be done comes out.
//!
//! The pilot sends each of them a beat now and then, and whoever is there says at once that
//! they heard it. A lease ends when its newest beat that was heard was sent too long ago, and
//! what is asked counts only with a beat that was not. So whatever is between the rig and a
//! person may stand still, break or die: nothing is done later than a lease lasts, by the
//! pilot's clock alone.

use std::collections::{BTreeMap, VecDeque};

use bramble_message::HandSays;
use bramble_value::{Person, Span, Time};
use uuid::Uuid;

/// A lease ends so long after its page was last known to be there, and nothing is done that
/// was asked longer ago.
pub(super) const LEASE: Span = Span::from_s(3);

/// From one beat to the next.
pub(super) const BEAT: Span = Span::from_ms(500);

/// As many may be there at a time. One of them has the rig, the others look at what is known.
const MOST: usize = 16;

/// The leases that there are.
#[derive(Debug)]
pub(super) struct Leases {
    all: BTreeMap<Uuid, Lease>,
    /// The next beat has this number, which no other beat of this pilot has.
    next: u64,
}

#[derive(Debug)]
struct Lease {
    /// When the newest beat was sent that was heard; at first, when it began.
    alive: Time,
    /// The beats that still count, with when they were sent, the newest last.
    beats: VecDeque<(u64, Time)>,
    /// When the next one is to be sent.
    due: Time,
}

/// Something to be done, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    /// Serve this person from now on.
    Begin {
        /// By this lease.
        lease: Uuid,
        /// Who.
        by: Person,
    },
    /// Do what is asked.
    Ask {
        /// By whom.
        lease: Uuid,
        /// What.
        ask: String,
    },
    /// Send a beat.
    Beat {
        /// To whom.
        lease: Uuid,
        /// Which.
        beat: u64,
    },
    /// They have nothing any more.
    End {
        /// Who.
        lease: Uuid,
        /// Why.
        why: String,
    },
}

impl Leases {
    /// None yet. `first` is the number of the first beat: one that an earlier run of the
    /// pilot is not likely to have come to.
    pub(super) fn new(first: u64) -> Leases {
        Leases { all: BTreeMap::new(), next: first }
    }

    /// The terminal says something.
    pub(super) fn hear(&mut self, lease: Uuid, says: HandSays, now: Time) -> Vec<Deed> {
        match says {
            HandSays::Begin { .. } if self.all.contains_key(&lease) => Vec::new(),
            HandSays::Begin { .. } if self.all.len() >= MOST => {
                let why = format!("{MOST} pages look at this rig already: close one of them");
                vec![Deed::End { lease, why }]
            }
            HandSays::Begin { by } => {
                self.all.insert(lease, Lease { alive: now, beats: VecDeque::new(), due: now });
                let mut deeds = vec![Deed::Begin { lease, by }];
                deeds.extend(self.tick(now));
                deeds
            }
            HandSays::Heard { beat, ask } => self.heard(lease, beat, ask, now),
            HandSays::End => self.end(lease, "the page was closed"),
        }
    }

    fn heard(&mut self, lease: Uuid, beat: u64, ask: Option<String>, now: Time) -> Vec<Deed> {
        // One that is not there any more comes back no more: what it says comes late.
        let Some(known) = self.all.get_mut(&lease) else { return Vec::new() };
        known.beats.retain(|(_, sent)| now.since(*sent) <= LEASE);
        let Some((_, sent)) = known.beats.iter().find(|(number, _)| *number == beat) else {
            return match ask {
                None => Vec::new(),
                // Whoever asked sees by this that it was not done.
                Some(_) => self.end(lease, &format!("what was asked was on its way for more than {LEASE}")),
            };
        };
        known.alive = known.alive.max(*sent);
        ask.map(|ask| Deed::Ask { lease, ask }).into_iter().collect()
    }

    /// Time has passed: what is due.
    pub(super) fn tick(&mut self, now: Time) -> Vec<Deed> {
        let is_over = |lease: &Lease| now.since(lease.alive) > LEASE;
        let over: Vec<Uuid> =
            self.all.iter().filter(|(_, lease)| is_over(lease)).map(|(id, _)| *id).collect();
        let why = format!("nothing was heard of the page for {LEASE}");
        let mut deeds: Vec<Deed> = over.into_iter().flat_map(|lease| self.end(lease, &why)).collect();
        for (id, lease) in self.all.iter_mut().filter(|(_, lease)| now >= lease.due) {
            lease.beats.push_back((self.next, now));
            lease.due = now + BEAT;
            deeds.push(Deed::Beat { lease: *id, beat: self.next });
            self.next += 1;
        }
        deeds
    }

    /// When something is due next.
    pub(super) fn due(&self) -> Option<Time> {
        self.all.values().map(|lease| lease.due).min()
    }

    /// This one ends, if it is there.
    pub(super) fn end(&mut self, lease: Uuid, why: &str) -> Vec<Deed> {
        let known = self.all.remove(&lease);
        known.map(|_| Deed::End { lease, why: why.to_owned() }).into_iter().collect()
    }

    /// All end.
    pub(super) fn end_all(&mut self, why: &str) -> Vec<Deed> {
        let all: Vec<Uuid> = self.all.keys().copied().collect();
        all.into_iter().flat_map(|lease| self.end(lease, why)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn begin() -> HandSays {
        HandSays::Begin { by: "alice@desk".parse().unwrap() }
    }

    fn at(ms: u32) -> Time {
        Time::ZERO + Span::from_ms(ms)
    }

    fn beats(deeds: &[Deed]) -> Vec<u64> {
        let beat = |deed: &Deed| match deed {
            Deed::Beat { beat, .. } => Some(*beat),
            _ => None,
        };
        deeds.iter().filter_map(beat).collect()
    }

    #[test]
    fn who_says_that_beats_are_heard_keeps_the_lease_and_may_ask() {
        let mut leases = Leases::new(10);
        assert_eq!(beats(&leases.hear(ID, begin(), at(0))), [10]);
        for (number, ms) in (10_u64..).zip((100_u32..60_000).step_by(500)) {
            let ask = Some("{}".to_owned());
            let deeds = leases.hear(ID, HandSays::Heard { beat: number, ask }, at(ms));
            assert_eq!(deeds, [Deed::Ask { lease: ID, ask: "{}".into() }]);
            assert_eq!(beats(&leases.tick(at(ms + 400))), [number + 1]);
        }
        let over = leases.hear(ID, HandSays::End, at(60_000));
        assert!(matches!(&over[..], [Deed::End { why, .. }] if why.contains("closed")), "{over:?}");
        assert_eq!((leases.due(), leases.tick(at(90_000))), (None, vec![]));
    }

    #[test]
    fn a_second_beginning_is_none_and_one_too_many_is_refused() {
        let mut leases = Leases::new(0);
        for number in 0..MOST {
            assert_eq!(leases.hear(Uuid::from_u128(number as u128), begin(), at(0)).len(), 2);
        }
        assert_eq!(leases.hear(Uuid::from_u128(0), begin(), at(0)), []);
        let refused = leases.hear(Uuid::from_u128(99), begin(), at(0));
        assert!(matches!(&refused[..], [Deed::End { why, .. }] if why.contains("16 pages")), "{refused:?}");
    }

    #[test]
    fn the_beats_of_another_lease_keep_none() {
        let mut leases = Leases::new(0);
        leases.hear(ID, begin(), at(0));
        let other = beats(&leases.hear(Uuid::from_u128(2), begin(), at(1)));
        let deeds = leases.hear(ID, HandSays::Heard { beat: other[0], ask: Some("{}".into()) }, at(2));
        assert!(matches!(&deeds[..], [Deed::End { .. }]), "{deeds:?}");
    }

    /// A frame that is on its way, and when it arrives.
    #[derive(Debug)]
    struct Frame<T> {
        arrives: Time,
        what: T,
    }

    proptest! {
        /// Frames wait, get lost and come in bursts, in either direction; the page falls silent.
        #[test]
        fn nothing_is_done_later_than_a_lease_lasts_and_a_lease_that_ended_does_nothing(
            delays in proptest::collection::vec((0_u32..9_000, 0_u8..10), 400),
            asks in proptest::collection::btree_set(0_u32..20_000, 0..40),
            silent_from in 0_u32..20_000,
        ) {
            let mut leases = Leases::new(0);
            let mut delays = delays.into_iter().cycle();
            // In order, as over one connection; now and then one is lost.
            let mut send = |line: &mut VecDeque<Frame<_>>, now: Time, what| {
                let (ms, luck) = delays.next().unwrap();
                let last = line.back().map_or(now, |frame: &Frame<_>| frame.arrives);
                let wait = if luck < 7 { ms / 100 } else { ms };
                if luck != 9 {
                    line.push_back(Frame { arrives: last.max(now + Span::from_ms(wait)), what });
                }
            };
            let mut to_page: VecDeque<Frame<(u64, Time)>> = VecDeque::new();
            let mut to_pilot: VecDeque<Frame<(u64, Time)>> = VecDeque::new();
            let mut heard = None;
            let mut last_said = Time::ZERO;
            let mut over: Option<Time> = None;
            let mut deeds = leases.hear(ID, begin(), at(0));
            let mut asked = BTreeSet::new();
            for ms in (0_u32..30_000).step_by(20) {
                let now = at(ms);
                while to_pilot.front().is_some_and(|frame| frame.arrives <= now) {
                    let Frame { what: (beat, sent), .. } = to_pilot.pop_front().unwrap();
                    let ask = Some(sent.ns().to_string());
                    deeds.extend(leases.hear(ID, HandSays::Heard { beat, ask }, now));
                }
                deeds.extend(leases.tick(now));
                for deed in deeds.drain(..) {
                    match deed {
                        Deed::Beat { beat, .. } => send(&mut to_page, now, (beat, now)),
                        Deed::Ask { ask, .. } => {
                            prop_assert!(over.is_none(), "nothing is done when it is over");
                            let sent = Time::from_ns(ask.parse().unwrap());
                            prop_assert!(now.since(sent) <= LEASE, "asked {}, done {now:?}", ask);
                            prop_assert!(asked.insert(sent), "once");
                        }
                        Deed::End { .. } => {
                            prop_assert!(over.is_none(), "it ends once");
                            over = Some(now);
                        }
                        Deed::Begin { .. } => {}
                    }
                }
                while to_page.front().is_some_and(|frame| frame.arrives <= now) {
                    heard = Some(to_page.pop_front().unwrap().what);
                }
                let speaks = ms < silent_from;
                if let (Some((beat, _)), true) = (heard, speaks && (ms % 500 == 0 || asks.contains(&(ms / 20)))) {
                    last_said = now;
                    send(&mut to_pilot, now, (beat, now));
                }
                if now.since(last_said) > LEASE + Span::from_ms(20) {
                    prop_assert!(over.is_some(), "it is over {:?} after the page's last word", now.since(last_said));
                }
            }
        }
    }
}
