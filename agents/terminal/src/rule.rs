//! A graduation rule in words.

use bramble_training::{Graduation, Wanted};

use crate::api::tasks::Rule;

/// The rule, as in `after 40 trials`.
pub(crate) fn words(rule: &Graduation) -> String {
    match rule {
        Graduation::Never => "by hand".to_owned(),
        Graduation::Trials(count) => format!("after {count} trials"),
        Graduation::Accuracy { column, of, at_least, window, .. } => {
            let of = match of {
                Wanted::Name(name) => name.clone(),
                Wanted::Boolean(flag) => flag.to_string(),
                Wanted::Number(number) => number.to_string(),
            };
            // Two thirds are no whole number of hundredths of a percent, either.
            let percent = (at_least * 1e4).round() / 1e2;
            format!("when `{column}` is {of} in {percent} % of the last {window} trials")
        }
        Graduation::Rate { at_least, per, window } => format!("at {at_least} trials in {per}, over {window}"),
        Graduation::Function(_) => "when its function says so".to_owned(),
        Graduation::AllOf(rules) => join(rules, ", and "),
        Graduation::AnyOf(rules) => join(rules, ", or "),
    }
}

/// The rule as a form has it; none where that is by hand. An error where no form can say it.
pub(crate) fn in_form(rule: &Graduation) -> Result<Option<Rule>, ()> {
    match rule {
        Graduation::Never => Ok(None),
        Graduation::Trials(count) => Ok(Some(Rule::Trials { count: *count })),
        Graduation::Accuracy { column, of, at_least, window, least } if least == window => {
            let of = match of {
                Wanted::Name(name) => name.clone().into(),
                Wanted::Boolean(flag) => (*flag).into(),
                Wanted::Number(_) => return Err(()),
            };
            Ok(Some(Rule::Accuracy { column: column.clone(), of, at_least: *at_least, window: *window }))
        }
        _ => Err(()),
    }
}

fn join(rules: &[Graduation], with: &str) -> String {
    rules.iter().map(words).collect::<Vec<_>>().join(with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_said_in_percent_as_people_write_it() {
        let said = |at_least| {
            let of = Wanted::Boolean(true);
            words(&Graduation::Accuracy { column: "good".into(), of, at_least, window: 60, least: 60 })
        };
        for (share, percent) in [(0.8, "80"), (0.575, "57.5"), (2.0 / 3.0, "66.67")] {
            assert_eq!(said(share), format!("when `good` is true in {percent} % of the last 60 trials"));
        }
    }
}
