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
            format!("when `{column}` is {of} in {} % of the last {window} trials", at_least * 100.0)
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
