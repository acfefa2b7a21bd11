//! What ends a session between two trials: the subject graduates, or has done as many
//! trials as were asked for.

use bramble_value::{Row, Trials, Value, ValueType};

use crate::Graduation;

/// Why a session ended that its subject graduated in.
pub const GRADUATED: &str = "the subject graduated";

/// Looks at every trial of a session.
#[derive(Debug, Default)]
pub struct Examiner {
    limit: Option<u32>,
    rule: Option<Graduation>,
    /// The trials of this step, those of earlier sessions among them.
    trials: Trials,
    graduated: bool,
}

impl Examiner {
    /// For a task with these columns, with the earlier trials of the step.
    pub fn new(
        columns: Vec<(String, ValueType)>,
        limit: Option<u32>,
        rule: Option<(Graduation, Trials)>,
    ) -> Examiner {
        let (rule, earlier) = rule.unzip();
        let rows = earlier.map(|earlier| rows_under(&columns, earlier)).unwrap_or_default();
        Examiner { limit, rule, trials: Trials { columns, rows }, graduated: false }
    }

    /// Whether the subject graduated.
    pub fn graduated(&self) -> bool {
        self.graduated
    }

    /// Whether a protocol's own function decides, which may take its time.
    pub fn asks_function(&self) -> bool {
        self.rule.as_ref().is_some_and(Graduation::asks_function)
    }

    /// It in two: what is decided by counting, and what the rule decides.
    pub fn split(self) -> (Examiner, Examiner) {
        (Examiner { limit: self.limit, ..Examiner::default() }, Examiner { limit: None, ..self })
    }

    /// A trial ended: why it was the session's last, if it was.
    pub fn row(&mut self, row: &Row) -> Option<String> {
        if let Some(rule) = &self.rule {
            self.trials.rows.push(row.clone());
            match rule.met(&self.trials) {
                Ok(true) => {
                    self.graduated = true;
                    return Some(GRADUATED.to_owned());
                }
                Ok(false) => {}
                Err(why) => return Some(format!("the graduation can't be decided: {why}")),
            }
        }
        self.limit.filter(|limit| row.trial >= *limit).map(|limit| format!("{limit} trials were asked for"))
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
    use bramble_value::{Ending, Time};

    use super::*;

    fn row(trial: u32, values: Vec<Option<Value>>) -> Row {
        Row { trial, start: Time::ZERO, end: Time::ZERO, ending: Ending::Done, values }
    }

    #[test]
    fn a_session_ends_after_as_many_trials_as_were_asked_for() {
        let mut examiner = Examiner::new(vec![], Some(2), None);
        assert_eq!(examiner.row(&row(1, vec![])), None);
        assert_eq!(examiner.row(&row(2, vec![])).as_deref(), Some("2 trials were asked for"));
        assert!(!examiner.graduated());
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
