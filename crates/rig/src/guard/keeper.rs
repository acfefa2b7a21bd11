//! What the guard does when, as pure code: what happens goes in, deeds come out.

use bramble_value::{Span, Time};

/// How often outputs are made safe while the pilot hangs: it may come back in
/// the middle of writing one.
const AGAIN: Span = Span::from_ms(20);

/// How much later than it wanted the guard may wake, and still take the pilot's
/// silence for the pilot's.
const PUNCTUAL: Span = Span::from_ms(30);

/// Something that happens to the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// The pilot's outputs are these from now on, or none; this long it may be
    /// silent in a session.
    Hold { any: bool, watchdog: Span },
    /// A session starts: from now on the pilot shows that it lives.
    Arm,
    /// The pilot lives.
    Feed,
    /// The session is over.
    Disarm,
    /// The pilot ends as it should, its outputs safe.
    LetGo,
    /// The pilot is gone without a word.
    Gone,
    /// Another pilot asks for the lines.
    Asked,
    /// Nothing; time went on.
    Time,
}

/// Something the guard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Bring every output to its safe level.
    MakeSafe,
    /// Note this for people.
    Log(&'static str),
    /// Tell the pilot that it was taken for hanging.
    Tell,
    /// Tell whoever asked that the pilot is there.
    Refuse,
    /// Let go of all lines, and end.
    LetGo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No session runs.
    Resting,
    /// The pilot must be heard of until then. `spared` once it was given time
    /// because the guard itself was late.
    Armed { due: Time, spared: bool },
    /// The pilot hangs; outputs are made safe again then.
    Tripped { again: Time },
    /// The pilot is gone.
    Alone,
}

/// The guard's state.
#[derive(Debug)]
pub(super) struct Keeper {
    state: State,
    watchdog: Span,
    holds: bool,
}

impl Keeper {
    pub(super) fn new() -> Keeper {
        Keeper { state: State::Resting, watchdog: Span::MAX, holds: false }
    }

    /// When it wants [`Input::Time`] at the latest.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Resting | State::Alone => None,
            State::Armed { due, .. } => Some(due),
            State::Tripped { again } => Some(again),
        }
    }

    /// What to do now that this has happened.
    pub(super) fn handle(&mut self, input: Input, now: Time) -> Vec<Deed> {
        let armed = State::Armed { due: now + self.watchdog, spared: false };
        match (input, self.state) {
            (Input::Asked, State::Alone) => vec![Deed::LetGo],
            (Input::Asked, _) => vec![Deed::Refuse],
            (_, State::Alone) => Vec::new(),
            (Input::Gone, _) => {
                self.state = State::Alone;
                if self.holds {
                    vec![Deed::MakeSafe, Deed::Log("the pilot is gone: its outputs are held safe")]
                } else {
                    vec![Deed::LetGo]
                }
            }
            (Input::LetGo, _) => vec![Deed::MakeSafe, Deed::LetGo],
            (Input::Hold { any, watchdog }, _) => {
                (self.holds, self.watchdog) = (any, watchdog);
                Vec::new()
            }
            (Input::Arm, _) => {
                self.state = armed;
                Vec::new()
            }
            (Input::Feed, State::Armed { .. }) => {
                self.state = armed;
                Vec::new()
            }
            // Only the end of its session makes up for having hung.
            (Input::Feed, _) => Vec::new(),
            (Input::Disarm, _) => {
                self.state = State::Resting;
                Vec::new()
            }
            (Input::Time, state) => self.look(state, now),
        }
    }

    fn look(&mut self, state: State, now: Time) -> Vec<Deed> {
        match state {
            State::Armed { due, spared: false } if due + PUNCTUAL < now => {
                // The whole computer may have stood still.
                self.state = State::Armed { due: now + PUNCTUAL, spared: true };
                Vec::new()
            }
            State::Armed { due, .. } if due <= now => {
                self.state = State::Tripped { again: now + AGAIN };
                vec![Deed::MakeSafe, Deed::Tell, Deed::Log("the pilot hangs: its outputs were made safe")]
            }
            State::Tripped { again } if again <= now => {
                self.state = State::Tripped { again: now + AGAIN };
                vec![Deed::MakeSafe]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOLD: Input = Input::Hold { any: true, watchdog: Span::from_ms(250) };

    fn at(ms: u32) -> Time {
        Time::ZERO + Span::from_ms(ms)
    }

    /// Hands in inputs at milliseconds; the deeds of the last.
    fn after(inputs: &[(Input, u32)]) -> Vec<Deed> {
        let mut keeper = Keeper::new();
        inputs.iter().map(|(input, ms)| keeper.handle(*input, at(*ms))).last().unwrap_or_default()
    }

    #[test]
    fn a_pilot_that_is_gone_leaves_safe_outputs_at_once() {
        let gone = after(&[(HOLD, 0), (Input::Arm, 1), (Input::Gone, 5)]);
        assert_eq!(gone[0], Deed::MakeSafe);
        assert!(!gone.contains(&Deed::LetGo), "the lines are held");
        assert_eq!(after(&[(HOLD, 0), (Input::Gone, 5)])[0], Deed::MakeSafe);
    }

    #[test]
    fn the_lines_are_let_go_when_another_pilot_asks_and_not_while_theirs_lives() {
        assert_eq!(after(&[(HOLD, 0), (Input::Asked, 1)]), [Deed::Refuse]);
        assert_eq!(after(&[(HOLD, 0), (Input::Gone, 5), (Input::Asked, 9)]), [Deed::LetGo]);
        assert_eq!(after(&[(HOLD, 0), (Input::LetGo, 5)]), [Deed::MakeSafe, Deed::LetGo]);
        assert_eq!(after(&[(Input::Gone, 5)]), [Deed::LetGo], "it holds nothing");
    }

    #[test]
    fn a_pilot_that_is_silent_for_the_watchdog_s_time_has_tripped_it_until_its_session_ends() {
        let armed = [(HOLD, 0), (Input::Arm, 1000), (Input::Feed, 1200)];
        let then = |more: &[(Input, u32)]| after(&[&armed[..], more].concat());
        assert_eq!(then(&[(Input::Time, 1449)]), []);
        assert_eq!(then(&[(Input::Time, 1450)])[..2], [Deed::MakeSafe, Deed::Tell]);
        assert_eq!(then(&[(Input::Time, 1450), (Input::Feed, 1460), (Input::Time, 1470)]), [Deed::MakeSafe]);
        assert_eq!(then(&[(Input::Time, 1450), (Input::Disarm, 1460), (Input::Time, 1470)]), []);
        assert_eq!(then(&[(Input::Disarm, 1300), (Input::Time, 9000)]), [], "no session runs");
    }

    #[test]
    fn a_guard_that_was_late_itself_gives_the_pilot_one_more_moment() {
        let late = [(HOLD, 0), (Input::Arm, 0), (Input::Time, 900)];
        let then = |more: (Input, u32)| after(&[&late[..], &[more]].concat());
        assert_eq!(after(&late), []);
        assert_eq!(then((Input::Feed, 910)), []);
        assert_eq!(then((Input::Time, 930))[0], Deed::MakeSafe);
        assert_eq!(then((Input::Time, 2000))[0], Deed::MakeSafe, "only once");
    }

    fn input() -> impl Strategy<Value = Input> {
        prop_oneof![
            Just(HOLD),
            Just(Input::Arm),
            Just(Input::Feed),
            Just(Input::Disarm),
            Just(Input::Gone),
            Just(Input::Asked),
            Just(Input::Time),
        ]
    }

    proptest! {
        /// Whatever came before, a pilot that holds outputs and goes leaves them
        /// safe, and one that is silent in a session is not waited for longer than
        /// twice the guard's own lateness over the watchdog's time.
        #[test]
        fn outputs_become_safe_whatever_came_before(
            before in prop::collection::vec((input(), 0_u32..400), 0..60), kill in any::<bool>(),
        ) {
            let mut keeper = Keeper::new();
            keeper.handle(HOLD, at(0));
            let mut now = 0;
            for (input, ms) in before {
                now += ms;
                keeper.handle(input, at(now));
            }
            if keeper.state == State::Alone {
                return Ok(());
            }
            if kill {
                prop_assert_eq!(keeper.handle(Input::Gone, at(now))[0], Deed::MakeSafe);
                return Ok(());
            }
            keeper.handle(Input::Disarm, at(now));
            keeper.handle(Input::Arm, at(now));
            let mut safe = None;
            while let (None, Some(due)) = (safe, keeper.deadline()) {
                safe = keeper.handle(Input::Time, due).contains(&Deed::MakeSafe).then_some(due);
            }
            prop_assert_eq!(safe, Some(at(now + 250)));
        }
    }
}
