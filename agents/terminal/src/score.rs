//! How well an animal does: the share of its last trials that were correct.

use std::collections::VecDeque;

use bramble_task::TaskDefinition;
use bramble_value::{Row, Trials, Value};

/// Over how many trials, where the task's plot doesn't say.
const USUAL_WINDOW: usize = 20;

/// In how many trials one column held one value: of the last ones, and of all.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Score {
    counted: Option<Counted>,
    recent: VecDeque<bool>,
    /// Of all trials that count: how many there were, and how many of them were correct.
    all: (u64, u64),
}

/// What counts as correct.
#[derive(Debug, Clone, PartialEq)]
struct Counted {
    column: usize,
    value: Value,
    window: usize,
}

impl Score {
    /// What a task counts: the column of its first plot with `of`; else a choice
    /// column `outcome` that may be `correct`; else a boolean column `correct`.
    pub(crate) fn of(task: &TaskDefinition) -> Score {
        let plotted = task.plots.iter().find_map(|plot| {
            let column = usize::from(plot.columns.first()?.0);
            let window = plot.window.map_or(USUAL_WINDOW, |window| window as usize);
            Some(Counted { column, value: plot.of?, window })
        });
        let named = || {
            let (id, column) = task.column("outcome")?;
            let value = column.kind.choice("correct")?;
            Some(Counted { column: usize::from(id.0), value, window: USUAL_WINDOW })
        };
        let flagged = || {
            let (id, column) = task.column("correct")?;
            let value = Value::Boolean(true);
            column.kind.accepts(value).then_some(Counted {
                column: usize::from(id.0),
                value,
                window: USUAL_WINDOW,
            })
        };
        Score { counted: plotted.or_else(named).or_else(flagged), ..Score::default() }
    }

    /// The share over all of a session's trials.
    pub(crate) fn of_all(task: &TaskDefinition, trials: &Trials) -> Option<f64> {
        let mut score = Score::of(task);
        trials.rows.iter().for_each(|row| score.add(row));
        score.overall()
    }

    /// A trial is over. One in which the column was not written does not count.
    pub(crate) fn add(&mut self, row: &Row) {
        let Some(counted) = &self.counted else { return };
        let Some(Some(value)) = row.values.get(counted.column) else { return };
        let correct = *value == counted.value;
        self.all = (self.all.0 + 1, self.all.1 + u64::from(correct));
        self.recent.push_back(correct);
        while self.recent.len() > counted.window.max(1) {
            self.recent.pop_front();
        }
    }

    /// Of the last trials, whether each was correct, oldest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = bool> {
        self.recent.iter().copied()
    }

    /// The share over all trials so far, once there is one that counts.
    pub(crate) fn overall(&self) -> Option<f64> {
        let (counted, correct) = self.all;
        (counted > 0).then(|| correct as f64 / counted as f64)
    }

    /// The share of the last trials, once there is one that counts.
    pub(crate) fn share(&self) -> Option<f64> {
        let correct = self.recent.iter().filter(|correct| **correct).count();
        (!self.recent.is_empty()).then(|| correct as f64 / self.recent.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_value::{Ending, Sources, Time};

    /// The score of a task with these columns and plots.
    fn score(columns: &str, recorded: &str, plot: &str) -> Score {
        let text = format!(
            "poke = hardware(digital_input)\n{columns}\n\
             task(stages = trials(body = state(\"wait\", on = {{poke.rises: [record({recorded}), done]}})), plot = [{plot}])"
        );
        let sources = Sources { root: "t.star".into(), files: [("t.star".to_owned(), text)].into() };
        Score::of(&bramble_task::load(&sources).unwrap().definition)
    }

    fn after(mut score: Score, values: &[Option<Value>]) -> Option<f64> {
        for (trial, value) in (1..).zip(values) {
            let (start, end, ending) = (Time::ZERO, Time::ZERO, Ending::Done);
            score.add(&Row { trial, start, end, ending, values: vec![*value] });
        }
        score.share()
    }

    const OUTCOME: &str = "outcome = column(choice([\"correct\", \"error\"]))";
    const CORRECT: Option<Value> = Some(Value::Choice(0));
    const ERROR: Option<Value> = Some(Value::Choice(1));

    #[test]
    fn a_plot_with_of_says_what_counts_and_over_how_many_trials() {
        let plot = "rolling_mean(outcome, of = \"error\", window = 2)";
        let score = score(OUTCOME, "outcome = \"error\"", plot);
        assert_eq!(after(score, &[CORRECT, CORRECT, CORRECT, ERROR]), Some(0.5));
    }

    #[test]
    fn without_a_plot_an_outcome_or_a_column_correct_counts() {
        let outcome = score(OUTCOME, "outcome = \"error\"", "");
        assert_eq!(after(outcome, &[CORRECT, ERROR, ERROR, ERROR]), Some(0.25));
        let correct = score("correct = column(boolean)", "correct = True", "");
        assert_eq!(after(correct, &[Some(Value::Boolean(true)), Some(Value::Boolean(false))]), Some(0.5));
    }

    #[test]
    fn a_task_without_such_a_column_has_no_score_and_a_missing_value_does_not_count() {
        let none = score("latency = column(duration)", "latency = state_time", "");
        assert_eq!(after(none, &[CORRECT]), None);
        let outcome = score(OUTCOME, "outcome = \"error\"", "");
        assert_eq!(after(outcome, &[CORRECT, None, None]), Some(1.0));
    }
}
