//! The form that every benchmark prints its results in: a table for people, or
//! one line of JSON for scripts.

use std::time::Instant;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

/// What a result is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// This or more is wanted.
    AtLeast(f64),
    /// Less than this is wanted.
    Below(f64),
}

/// The results of one benchmark.
#[derive(Debug)]
pub struct Report {
    name: &'static str,
    json: bool,
    quick: bool,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
    simulated: bool,
}

impl Report {
    /// Results of this benchmark, printed as the program's arguments say:
    /// `--json` for JSON, `--quick` for a trial run whose numbers mean little.
    pub fn from_arguments(name: &'static str) -> Report {
        let given = |wanted: &str| std::env::args().any(|argument| argument == wanted);
        Report { name, json: given("--json"), quick: given("--quick"), rows: Vec::new() }
    }

    /// Whether this is a trial run, which should take no longer than it must.
    pub fn is_quick(&self) -> bool {
        self.quick
    }

    /// Adds a result that was measured on the real thing.
    pub fn measured(&mut self, name: &str, value: f64, unit: &'static str, goal: Option<Goal>) {
        self.rows.push(Row { name: name.to_owned(), value, unit, goal, simulated: false });
    }

    /// Adds a result of simulated hardware.
    pub fn simulated(&mut self, name: &str, value: f64, unit: &'static str, goal: Option<Goal>) {
        self.rows.push(Row { name: name.to_owned(), value, unit, goal, simulated: true });
    }

    /// Prints the results.
    pub fn print(&self) {
        if self.json { println!("{}", self.to_json()) } else { println!("{}", self.to_table()) }
    }

    fn to_json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "name": row.name,
                    "value": row.value,
                    "unit": row.unit,
                    "goal": row.goal.map(|goal| goal.text(row.unit)),
                    "met": row.goal.map(|goal| goal.is_met(row.value)),
                    "simulated": row.simulated,
                })
            })
            .collect();
        json!({ "bench": self.name, "rows": rows })
    }

    fn to_table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([self.name, "result", "unit", "goal", "met", "on"]);
        for row in &self.rows {
            let met = row.goal.map(|goal| if goal.is_met(row.value) { "yes" } else { "NO" });
            table.add_row([
                row.name.clone(),
                grouped(row.value),
                row.unit.to_owned(),
                row.goal.map_or(String::new(), |goal| goal.text(row.unit)),
                met.unwrap_or_default().to_owned(),
                if row.simulated { "simulated" } else { "this machine" }.to_owned(),
            ]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

impl Goal {
    /// Whether a result meets it.
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Goal::AtLeast(least) => value >= least,
            Goal::Below(most) => value < most,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Goal::AtLeast(least) => format!("at least {} {unit}", grouped(least)),
            Goal::Below(most) => format!("below {} {unit}", grouped(most)),
        }
    }
}

/// The middle one of some results; 0 of none.
pub fn median(mut results: Vec<f64>) -> f64 {
    results.sort_by(f64::total_cmp);
    results.get(results.len() / 2).copied().unwrap_or_default()
}

/// The value that this share of the others is below; 0 of none.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// How many seconds something takes.
pub fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let begin = Instant::now();
    std::hint::black_box(work());
    begin.elapsed().as_secs_f64()
}

/// A number as a person reads it: thousands apart, and three digits at least.
fn grouped(value: f64) -> String {
    if value.abs() < 1000.0 {
        let decimals = if value.abs() < 10.0 { 2 } else { usize::from(value.abs() < 100.0) };
        let text = format!("{value:.decimals$}");
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        return short.to_owned();
    }
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.split_at(usize::from(value < 0.0));
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    format!("{sign}{}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_of_each_row_whether_its_goal_is_met() {
        let mut report = Report { name: "engine", json: true, quick: false, rows: Vec::new() };
        report.measured("turns", 1_500_000.0, "1/s", Some(Goal::AtLeast(1e6)));
        report.simulated("reaction", 1.0, "us", Some(Goal::Below(1.0)));
        report.measured("size", 3.0, "MB", None);
        let json = report.to_json();
        assert_eq!(json["bench"], "engine");
        assert_eq!(
            json["rows"][0],
            json!({"name": "turns", "value": 1_500_000.0, "unit": "1/s", "goal": "at least 1,000,000 1/s",
                "met": true, "simulated": false})
        );
        assert_eq!(json["rows"][1]["met"], false);
        assert_eq!(json["rows"][1]["simulated"], true);
        assert!(json["rows"][2]["met"].is_null() && json["rows"][2]["goal"].is_null());
    }

    #[test]
    fn numbers_are_read_easily() {
        let shown: Vec<String> =
            [0.0, 0.123, 2.0, 45.67, 999.4, 1000.0, 1_234_567.8, -1234.0].map(grouped).into();
        assert_eq!(shown, ["0", "0.12", "2", "45.7", "999", "1,000", "1,234,568", "-1,234"]);
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(vec![]), 0.0);
    }
}
