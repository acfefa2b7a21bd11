//! The examiner of a session, as the loop asks it: on the spot, or beside the loop.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use bramble_rig::session::{Judge, Verdict};
use bramble_rig::{Post, Request};
use bramble_training::Examiner;
use bramble_value::Row;

/// For a loop that can wait.
pub(crate) struct OnTheSpot(pub(crate) Examiner);

impl Judge for OnTheSpot {
    fn row(&mut self, row: &Row) -> Verdict {
        match self.0.row(row) {
            Some(why) => Verdict::EndAfterTrial(why.into()),
            None => Verdict::Continue,
        }
    }
}

/// For a loop that can't wait: what takes long is looked at elsewhere, and posted to
/// the session.
///
/// A rule of plain numbers is looked at on the spot, which takes some microseconds. A
/// protocol's own function may take a thousand times that: the subject may then be in
/// the next trial before it is known that it graduated with the last, and finishes
/// that one.
pub(crate) enum Beside {
    /// On the spot.
    Quick(OnTheSpot),
    /// By a thread.
    Slow {
        /// What is decided on the spot all the same.
        limit: OnTheSpot,
        /// To the thread.
        rows: Sender<Row>,
        /// It returns whether the subject graduated.
        thread: JoinHandle<bool>,
    },
}

impl Beside {
    /// # Errors
    /// Where there can't be another thread.
    pub(crate) fn new(examiner: Examiner, post: Post) -> std::io::Result<Beside> {
        if !examiner.asks_function() {
            return Ok(Beside::Quick(OnTheSpot(examiner)));
        }
        let (limit, mut examiner) = examiner.split();
        let (rows, finished) = channel::<Row>();
        let body = move || {
            for row in finished {
                if let Some(why) = examiner.row(&row) {
                    // A session that is over needs to be told nothing.
                    post.request(Request::StopAfterTrial { why: why.into() });
                    break;
                }
            }
            examiner.graduated()
        };
        let thread = std::thread::Builder::new().name("graduation".to_owned()).spawn(body)?;
        Ok(Beside::Slow { limit: OnTheSpot(limit), rows, thread })
    }

    /// Whether the subject graduated, now that its session is over.
    pub(crate) fn graduated(self) -> bool {
        match self {
            Beside::Quick(OnTheSpot(examiner)) => examiner.graduated(),
            Beside::Slow { rows, thread, .. } => {
                drop(rows);
                // A panic has said what it was.
                thread.join().unwrap_or(false)
            }
        }
    }
}

impl Judge for Beside {
    fn row(&mut self, row: &Row) -> Verdict {
        match self {
            Beside::Quick(examiner) => examiner.row(row),
            Beside::Slow { limit, rows, .. } => {
                // It ends when the subject has graduated.
                let _ = rows.send(row.clone());
                limit.row(row)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_rig::Happening;
    use bramble_training::Graduation;
    use bramble_value::{Ending, Sources, Time, Trials};

    fn row(trial: u32) -> Row {
        Row { trial, start: Time::ZERO, end: Time::ZERO, ending: Ending::Done, values: vec![] }
    }

    /// A rule that asks a function of the protocol's file.
    fn second_trial() -> Graduation {
        let text = "protocol(name = \"p\", steps = [step(\"s\", task = \"t.star\", graduate = \
                    lambda trials: len(trials) == 2), step(\"e\", task = \"t.star\")])";
        let task = "task(stages = trials(body = delay(\"1 s\")))";
        let files = [("p.star".to_owned(), text.to_owned()), ("t.star".to_owned(), task.to_owned())];
        let protocol =
            bramble_training::Protocol::load(&Sources { root: "p.star".into(), files: files.into() });
        protocol.unwrap().step(0).unwrap().graduation
    }

    #[test]
    fn a_function_s_say_comes_later_and_the_limit_at_once_where_the_loop_can_not_wait() {
        let (post, inbox) = bramble_rig::inbox();
        let examiner = Examiner::new(vec![], Some(3), Some((second_trial(), Trials::default())));
        let mut judge = Beside::new(examiner, post).unwrap();
        assert!(matches!(judge, Beside::Slow { .. }));
        assert_eq!(judge.row(&row(1)), Verdict::Continue);
        assert_eq!(judge.row(&row(2)), Verdict::Continue);
        let Ok(Some(Happening::Request(Request::StopAfterTrial { why }))) = inbox.wait(None) else {
            panic!()
        };
        assert_eq!(why.as_ref(), "the subject graduated");
        assert_eq!(judge.row(&row(3)), Verdict::EndAfterTrial("3 trials were asked for".into()));
        assert!(judge.graduated());
    }

    #[test]
    fn a_rule_of_numbers_is_decided_on_the_spot() {
        let (post, _inbox) = bramble_rig::inbox();
        let examiner = Examiner::new(vec![], None, Some((Graduation::Trials(2), Trials::default())));
        let mut judge = Beside::new(examiner, post).unwrap();
        assert_eq!(judge.row(&row(1)), Verdict::Continue);
        assert_eq!(judge.row(&row(2)), Verdict::EndAfterTrial("the subject graduated".into()));
        assert!(judge.graduated());
    }
}
