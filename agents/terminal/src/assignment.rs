//! Where in its training a subject is, read from its history.

use std::path::PathBuf;

use bramble_subject::{By, Change};
use jiff::Timestamp;

use crate::api::types::Training;

/// What [`Change::what`] says of a new protocol.
const PROTOCOL: &str = "protocol";
/// ... of a step that a person chose.
const STEP: &str = "step";
/// ... of a step that the subject came to by itself.
const GRADUATED: &str = "graduated";
/// What a subject graduates to from its last step.
const FINISHED: &str = "protocol finished";

/// A step as people and the subject file name it: `2 cued_choice`.
pub(crate) fn label(step: u32, name: &str) -> String {
    format!("{step} {name}")
}

/// Where a subject is; `None` before it was assigned to a protocol.
pub(crate) fn training(history: &[Change]) -> Option<Training> {
    let mut training: Option<Training> = None;
    for change in history {
        match (change.what.as_str(), &mut training) {
            (PROTOCOL, _) => {
                let protocol = PathBuf::from(&change.to);
                training = Some(Training { protocol, step: 1, label: String::new(), finished: false });
            }
            (GRADUATED, Some(training)) if change.to == FINISHED => training.finished = true,
            (STEP | GRADUATED, Some(training)) => {
                let number = change.to.split(' ').next().and_then(|number| number.parse().ok());
                training.step = number.unwrap_or(training.step);
                training.label.clone_from(&change.to);
                training.finished = false;
            }
            _ => {}
        }
    }
    training
}

/// The graduation that came of a session that ended then.
pub(crate) fn graduated_at(history: &[Change], ended: Timestamp) -> Option<&Change> {
    history.iter().find(|change| change.what == GRADUATED && change.when == ended)
}

/// How often a subject was put at a step, by a person or by itself.
pub(crate) fn moves(history: &[Change]) -> usize {
    history.iter().filter(|change| [PROTOCOL, STEP, GRADUATED].contains(&change.what.as_str())).count()
}

/// What a person's assignment adds to the history.
pub(crate) fn assigned(before: Option<&Training>, protocol: &str, label: &str, by: &By) -> [Change; 2] {
    let from = |text: Option<String>| text.unwrap_or_default();
    let change = |what: &str, from: String, to: &str| Change {
        when: by.when,
        who: by.who.clone(),
        what: what.to_owned(),
        from,
        to: to.to_owned(),
    };
    [
        change(PROTOCOL, from(before.map(|training| training.protocol.display().to_string())), protocol),
        change(STEP, from(before.map(|training| training.label.clone())), label),
    ]
}

/// What a graduation adds to the history; without `to`, it was from the last step.
pub(crate) fn graduated(from: &str, to: Option<&str>, by: By) -> Change {
    Change {
        when: by.when,
        who: by.who,
        what: GRADUATED.to_owned(),
        from: from.to_owned(),
        to: to.unwrap_or(FINISHED).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by() -> By {
        By { who: "ada".to_owned(), when: jiff::Timestamp::UNIX_EPOCH }
    }

    fn after(changes: &[Change]) -> Option<(u32, String, bool)> {
        training(changes).map(|training| (training.step, training.label, training.finished))
    }

    #[test]
    fn a_subject_without_a_protocol_is_nowhere() {
        assert_eq!(training(&[]), None);
    }

    #[test]
    fn a_subject_goes_from_step_to_step_until_its_protocol_is_finished() {
        let mut history = assigned(None, "/lab/water.star", "1 free_water", &by()).to_vec();
        assert_eq!(after(&history), Some((1, "1 free_water".to_owned(), false)));
        history.push(graduated("1 free_water", Some("2 cued_choice"), by()));
        assert_eq!(after(&history), Some((2, "2 cued_choice".to_owned(), false)));
        history.push(graduated("2 cued_choice", None, by()));
        assert_eq!(after(&history), Some((2, "2 cued_choice".to_owned(), true)));
    }

    #[test]
    fn a_new_assignment_starts_anew_and_says_what_was_before() {
        let mut history = assigned(None, "/lab/water.star", "1 free_water", &by()).to_vec();
        history.push(graduated("1 free_water", None, by()));
        let before = training(&history);
        let changes = assigned(before.as_ref(), "/lab/other.star", "3 two_choice", &by());
        assert_eq!((changes[0].from.as_str(), changes[1].from.as_str()), ("/lab/water.star", "1 free_water"));
        history.extend(changes);
        assert_eq!(after(&history), Some((3, "3 two_choice".to_owned(), false)));
    }
}
