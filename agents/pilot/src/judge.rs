//! What ends a session between two trials: the subject graduates, or has done as
//! many trials as were asked for.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use bramble_rig::session::{Judge, Verdict};
use bramble_rig::{Post, Request};
use bramble_training::Graduation;
use bramble_value::{Row, Trials, Value, ValueType};

/// Looks at every trial of a session.
#[derive(Default)]
pub(crate) struct Examiner {
    limit: Option<u32>,
    rule: Option<Graduation>,
    /// The trials of this step, those of earlier sessions among them.
    trials: Trials,
    graduated: bool,
}

impl Examiner {
    /// For a task with these columns, with the earlier trials of the step.
    pub(crate) fn new(
        columns: Vec<(String, ValueType)>,
        limit: Option<u32>,
        rule: Option<(Graduation, Trials)>,
    ) -> Examiner {
        let (rule, earlier) = rule.unzip();
        let rows = earlier.map(|earlier| rows_under(&columns, earlier)).unwrap_or_default();
        Examiner { limit, rule, trials: Trials { columns, rows }, graduated: false }
    }

    /// Whether the subject graduated.
    pub(crate) fn graduated(&self) -> bool {
        self.graduated
    }

    /// For a loop that can't wait: what takes long is looked at elsewhere, and
    /// posted to the session.
    ///
    /// # Errors
    /// Where there can't be another thread.
    pub(crate) fn beside(self, post: Post) -> std::io::Result<Beside> {
        if !self.rule.as_ref().is_some_and(Graduation::asks_function) {
            return Ok(Beside::Quick(self));
        }
        let limit = self.limit;
        let mut examiner = Examiner { limit: None, ..self };
        let (rows, finished) = channel::<Row>();
        let body = move || {
            for row in finished {
                if let Verdict::EndAfterTrial(why) = examiner.row(&row) {
                    // A session that is over needs to be told nothing.
                    post.request(Request::StopAfterTrial { why });
                    break;
                }
            }
            examiner.graduated
        };
        let thread = std::thread::Builder::new().name("graduation".to_owned()).spawn(body)?;
        Ok(Beside::Slow { limit: Examiner::new(Vec::new(), limit, None), rows, thread })
    }
}

/// An [`Examiner`] of a session in real time. A rule of plain numbers is looked
/// at on the spot, which takes some microseconds. A protocol's own function may
/// take a thousand times that: the subject may then be in the next trial before
/// it is known that it graduated with the last, and finishes that one.
pub(crate) enum Beside {
    /// On the spot.
    Quick(Examiner),
    /// By a thread.
    Slow {
        /// What is decided on the spot all the same.
        limit: Examiner,
        /// To the thread.
        rows: Sender<Row>,
        /// It returns whether the subject graduated.
        thread: JoinHandle<bool>,
    },
}

impl Beside {
    /// Whether the subject graduated, now that its session is over.
    pub(crate) fn graduated(self) -> bool {
        match self {
            Beside::Quick(examiner) => examiner.graduated(),
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

impl Judge for Examiner {
    fn row(&mut self, row: &Row) -> Verdict {
        if let Some(rule) = &self.rule {
            self.trials.rows.push(row.clone());
            match rule.met(&self.trials) {
                Ok(true) => {
                    self.graduated = true;
                    return Verdict::EndAfterTrial("the subject graduated".into());
                }
                Ok(false) => {}
                Err(why) => {
                    return Verdict::EndAfterTrial(format!("the graduation can't be decided: {why}").into());
                }
            }
        }
        match self.limit {
            Some(limit) if row.trial >= limit => {
                Verdict::EndAfterTrial(format!("{limit} trials were asked for").into())
            }
            _ => Verdict::Continue,
        }
    }
}

/// Earlier trials with their values under these columns: the task may have been
/// changed since. What a column did not hold then is missing.
fn rows_under(columns: &[(String, ValueType)], earlier: Trials) -> Vec<Row> {
    if earlier.columns == columns {
        return earlier.rows;
    }
    let places: Vec<Option<usize>> =
        columns.iter().map(|column| earlier.columns.iter().position(|old| old == column)).collect();
    let value =
        |row: &Row, place: &Option<usize>| -> Option<Value> { row.values.get((*place)?).copied().flatten() };
    let under = |row: Row| Row { values: places.iter().map(|place| value(&row, place)).collect(), ..row };
    earlier.rows.into_iter().map(under).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_rig::Happening;
    use bramble_value::{Ending, Sources, Time};

    fn row(trial: u32, values: Vec<Option<Value>>) -> Row {
        Row { trial, start: Time::ZERO, end: Time::ZERO, ending: Ending::Done, values }
    }

    #[test]
    fn a_session_ends_after_as_many_trials_as_were_asked_for() {
        let mut examiner = Examiner::new(vec![], Some(2), None);
        assert_eq!(examiner.row(&row(1, vec![])), Verdict::Continue);
        assert_eq!(examiner.row(&row(2, vec![])), Verdict::EndAfterTrial("2 trials were asked for".into()));
        assert!(!examiner.graduated());
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
        let mut judge = examiner.beside(post).unwrap();
        assert!(matches!(judge, Beside::Slow { .. }));
        assert_eq!(judge.row(&row(1, vec![])), Verdict::Continue);
        assert_eq!(judge.row(&row(2, vec![])), Verdict::Continue);
        let Ok(Some(Happening::Request(Request::StopAfterTrial { why }))) = inbox.wait(None) else {
            panic!()
        };
        assert_eq!(why.as_ref(), "the subject graduated");
        assert_eq!(judge.row(&row(3, vec![])), Verdict::EndAfterTrial("3 trials were asked for".into()));
        assert!(judge.graduated());
    }

    #[test]
    fn a_rule_of_numbers_is_decided_on_the_spot() {
        let (post, _inbox) = bramble_rig::inbox();
        let examiner = Examiner::new(vec![], None, Some((Graduation::Trials(2), Trials::default())));
        let mut judge = examiner.beside(post).unwrap();
        assert_eq!(judge.row(&row(1, vec![])), Verdict::Continue);
        assert_eq!(judge.row(&row(2, vec![])), Verdict::EndAfterTrial("the subject graduated".into()));
        assert!(judge.graduated());
    }

    #[test]
    fn trials_of_an_earlier_version_of_the_task_are_seen_under_its_columns_now() {
        let column = |name: &str| (name.to_owned(), ValueType::Integer);
        let old = Trials {
            columns: vec![column("latency"), column("outcome")],
            rows: vec![row(1, vec![Some(Value::Integer(5)), Some(Value::Integer(1))])],
        };
        let rows = rows_under(&[column("outcome"), column("side")], old);
        assert_eq!(rows[0].values, [Some(Value::Integer(1)), None]);
    }
}
