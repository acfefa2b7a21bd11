//! When a link's thread stays awake for an answer of an agent, rather than sleep and be woken.
//!
//! Waking a thread takes some 20 us on a computer whose cores rest, four times in each
//! question and answer. So whoever has said something looks for what comes for a moment.
//! Where nothing came, that was for nothing: the next times are passed over, the more of
//! them the more often that happened, so that a pilot whose events nobody answers at once
//! sleeps as if there were no vigils.

use std::time::Duration;

use bramble_value::{Span, Time};

/// For how long it stays awake; what takes longer can bear to wake it.
const AWAKE: Span = Span::from_ns(250_000);

/// As many times at most are passed over after vigils in vain.
const MOST_PASSED_OVER: u32 = 63;

/// Whether to stay awake for one other agent. Time is given to it.
#[derive(Debug, Default)]
pub(super) struct Vigil {
    /// While there is one.
    until: Option<Time>,
    /// Something came since it began, or was prolonged.
    paid: bool,
    said: Option<Time>,
    /// As many times were passed over after the last one in vain.
    penalty: u32,
    pass_over: u32,
}

impl Vigil {
    /// Something was said that may be answered at once.
    pub(super) fn said(&mut self, now: Time) {
        self.said = Some(now);
        match self.until {
            Some(_) if !self.paid => {}
            None if self.pass_over > 0 => self.pass_over -= 1,
            _ => (self.until, self.paid) = (Some(now + AWAKE), false),
        }
    }

    /// Something came that may be an answer.
    pub(super) fn heard(&mut self, now: Time) {
        if self.said.is_some_and(|said| now.since(said) < AWAKE) {
            (self.penalty, self.pass_over) = (0, 0);
            self.paid = true;
        }
    }

    /// Whether to stay awake now.
    pub(super) fn is_kept(&mut self, now: Time) -> bool {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            if !self.paid {
                self.penalty = (2 * self.penalty + 1).min(MOST_PASSED_OVER);
                self.pass_over = self.penalty;
            }
        }
        self.until.is_some()
    }
}

/// Returns at once where the thread stays awake, having let all else go on that can, and
/// otherwise when so much time has passed.
pub(super) async fn rest(awake: bool, wait: Duration) {
    if awake {
        // Whoever else wants this core may be the one that is to answer.
        std::thread::yield_now();
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(us: i64) -> Time {
        Time::from_ns(us * 1000)
    }

    /// How many of a thousand questions are waited for awake, where answers come so many
    /// microseconds later.
    fn awake(answered_after: i64) -> usize {
        let mut vigil = Vigil::default();
        let mut ask = |begin: i64| {
            vigil.said(at(begin));
            let kept = vigil.is_kept(at(begin + 1));
            vigil.is_kept(at(begin + answered_after));
            vigil.heard(at(begin + answered_after));
            assert!(!vigil.is_kept(at(begin + 251)), "it lasted longer");
            kept
        };
        (0..1000).filter(|question| ask(question * 10_000)).count()
    }

    #[test]
    fn who_is_answered_soon_stays_awake_each_time() {
        assert_eq!(awake(80), 1000);
    }

    #[test]
    fn who_is_answered_late_hardly_ever_stays_awake() {
        assert!((1..30).contains(&awake(3000)), "{}", awake(3000));
    }

    #[test]
    fn an_answer_that_came_soon_after_all_ends_the_passing_over() {
        let mut vigil = Vigil::default();
        for time in 0..1000 {
            vigil.said(at(time * 10_000));
            vigil.is_kept(at(time * 10_000 + 9_000));
        }
        vigil.heard(at(999 * 10_000 + 100));
        vigil.said(at(10_000_000));
        assert!(vigil.is_kept(at(10_000_001)));
    }

    #[test]
    fn a_talk_goes_on_awake_and_a_monologue_does_not() {
        let (mut talk, mut monologue) = (Vigil::default(), Vigil::default());
        let (mut talked, mut told) = (0, 0);
        for time in (0..100_000).step_by(100) {
            talk.said(at(time));
            talk.heard(at(time + 50));
            monologue.said(at(time));
            talked += u32::from(talk.is_kept(at(time + 60)));
            told += u32::from(monologue.is_kept(at(time + 60)));
        }
        assert_eq!(talked, 1000);
        assert!(told < 100, "{told}");
    }

    /// What may happen to a vigil.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Said,
        Heard,
        Looked,
    }

    fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
        let step = prop_oneof![Just(Step::Said), Just(Step::Heard), Just(Step::Looked)];
        // From much less than a vigil takes to much more.
        let later = prop_oneof![0..50i64, 200..300i64, 0..10_000i64];
        prop::collection::vec((later, step), 1..300)
    }

    proptest! {
        #[test]
        fn nobody_stays_awake_for_longer_than_a_vigil_after_something_was_said(steps in steps()) {
            let (mut vigil, mut now, mut said) = (Vigil::default(), 0, None);
            for (later, step) in steps {
                now += later;
                match step {
                    Step::Said => {
                        vigil.said(at(now));
                        said = Some(at(now));
                    }
                    Step::Heard => vigil.heard(at(now)),
                    Step::Looked => {}
                }
                if vigil.is_kept(at(now)) {
                    prop_assert!(said.is_some_and(|said| at(now).since(said) < AWAKE));
                }
            }
        }

        #[test]
        fn an_answer_that_comes_soon_is_worth_a_vigil_the_next_time(steps in steps(), soon in 0..250i64) {
            let (mut vigil, mut now) = (Vigil::default(), 0);
            for (later, step) in steps {
                now += later;
                match step {
                    Step::Said => vigil.said(at(now)),
                    Step::Heard => vigil.heard(at(now)),
                    Step::Looked => _ = vigil.is_kept(at(now)),
                }
            }
            vigil.said(at(now));
            vigil.heard(at(now + soon));
            // What began before may last until then.
            let next = now + 1000;
            vigil.is_kept(at(next));
            vigil.said(at(next));
            prop_assert!(vigil.is_kept(at(next)));
        }

        #[test]
        fn who_is_never_answered_keeps_few_vigils(apart in prop::collection::vec(0..3000i64, 1..2000)) {
            let (mut vigil, mut now, mut begun) = (Vigil::default(), 0, 0);
            for later in &apart {
                now += later;
                let was_kept = vigil.is_kept(at(now));
                vigil.said(at(now));
                begun += usize::from(vigil.is_kept(at(now)) && !was_kept);
            }
            // 1, 3, 7, ... are passed over after each, and soon 63.
            prop_assert!(begun <= 7 + apart.len() / 64, "{begun} of {}", apart.len());
        }
    }
}
