//! Where in its training a subject is, read from its history, and where that is in its protocol
//! as it is now.

use std::path::PathBuf;

use bramble_subject::{By, Change};
use bramble_training::Protocol;
use bramble_value::SubjectId;
use jiff::Timestamp;

use crate::api::types::Training;
use crate::refusal::{Allowed, Refusal};

/// What [`Change::what`] says of a new protocol.
const PROTOCOL: &str = "protocol";
/// ... of a step that a person chose.
const STEP: &str = "step";
/// ... of a step that the subject came to by itself.
const GRADUATED: &str = "graduated";
/// ... of the subject's step, which has another place since its protocol was changed.
const RENUMBERED: &str = "step renumbered";
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
                training = Some(Training {
                    protocol,
                    step: 1,
                    label: String::new(),
                    finished: false,
                    was: None,
                    problem: None,
                });
            }
            (GRADUATED, Some(training)) if change.to == FINISHED => training.finished = true,
            (STEP | GRADUATED | RENUMBERED, Some(training)) => {
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

impl Training {
    /// The name of the step, where the history has one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.label.split_once(' ').map(|(_, name)| name).filter(|name| !name.is_empty())
    }

    /// The same in its protocol as that is now: the step is the one of its name, wherever in the
    /// protocol it has come to be.
    ///
    /// # Errors
    /// Where the protocol has no such step any more.
    pub(crate) fn now(&self, subject: &SubjectId, protocol: &Protocol) -> Allowed<Training> {
        let mut steps = (1_u32..).zip(&protocol.steps);
        let found = match self.name() {
            Some(name) => steps.find(|(_, step)| step.name == name),
            None => steps.find(|(number, _)| *number == self.step),
        };
        let (number, step) = found.ok_or_else(|| self.gone(subject, protocol))?;
        let label = label(number, &step.name);
        let was = Some(self.label.clone()).filter(|was| !was.is_empty() && *was != label);
        Ok(Training { step: number, label, was, ..self.clone() })
    }

    fn gone(&self, subject: &SubjectId, protocol: &Protocol) -> Refusal {
        let steps = (1..).zip(&protocol.steps).map(|(number, step)| label(number, &step.name));
        let (steps, file) = (steps.collect::<Vec<_>>().join(", "), self.protocol.display());
        let which = self.name().map_or_else(|| self.step.to_string(), str::to_owned);
        Refusal::conflict(format!("there is no step {which} any more in {file}: its steps are {steps}")).help(
            format!(
                "put {subject} at one of them: bramble-terminal subject assign {subject} {file} --step N"
            ),
        )
    }
}

/// The graduation that came of a session that ended then.
pub(crate) fn graduated_at(history: &[Change], ended: Timestamp) -> Option<&Change> {
    history.iter().find(|change| change.what == GRADUATED && change.when == ended)
}

/// How often a subject was put at another step, by a person or by itself.
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

/// What a start adds to the history where the protocol was changed since the subject came to its step.
pub(crate) fn renumbered(from: &str, to: &str, by: By) -> Change {
    let (what, from, to) = (RENUMBERED.to_owned(), from.to_owned(), to.to_owned());
    Change { when: by.when, who: by.who, what, from, to }
}

#[cfg(test)]
mod tests {
    use bramble_training::{Graduation, Step};
    use bramble_value::Sources;

    use super::*;

    fn protocol(names: &[&str]) -> Protocol {
        let step = |name: &&str| Step {
            name: (*name).to_owned(),
            task: Sources { root: String::new(), files: Default::default() },
            parameters: Default::default(),
            graduation: Graduation::Never,
        };
        Protocol { name: "three".to_owned(), doc: String::new(), steps: names.iter().map(step).collect() }
    }

    fn at(label: &str) -> Training {
        training(&assigned(None, "/lab/three.star", label, &by())).unwrap()
    }

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

    #[test]
    fn a_step_is_followed_by_its_name_to_where_its_protocol_has_it_now() {
        let subject: SubjectId = "M001".parse().unwrap();
        let now = |label: &str, names: &[&str]| {
            let now = at(label).now(&subject, &protocol(names)).unwrap();
            (now.step, now.label, now.was)
        };
        let cued = "2 cued".to_owned();
        assert_eq!(now("2 cued", &["free", "cued", "last"]), (2, cued.clone(), None));
        let moved = (3, "3 cued".to_owned(), Some(cued.clone()));
        assert_eq!(now("2 cued", &["free", "short", "cued", "last"]), moved);
        assert_eq!(now("2 cued", &["cued", "last"]), (1, "1 cued".to_owned(), Some(cued)));
        // What has no name is the step of its number.
        assert_eq!(now("2", &["free", "last"]), (2, "2 last".to_owned(), Some("2".to_owned())));
    }

    #[test]
    fn a_step_that_its_protocol_lost_is_told_with_those_there_are() {
        let refusal = at("2 cued").now(&"M001".parse().unwrap(), &protocol(&["free", "short"])).unwrap_err();
        let said = refusal.to_string();
        assert!(said.contains("no step cued any more") && said.ends_with("1 free, 2 short"), "{said}");
        assert!(refusal.help.unwrap().contains("subject assign M001 /lab/three.star --step N"));
    }

    #[test]
    fn a_subject_whose_step_was_renumbered_was_put_at_no_other() {
        let mut history = assigned(None, "/lab/three.star", "2 cued", &by()).to_vec();
        let before = moves(&history);
        history.push(renumbered("2 cued", "3 cued", by()));
        assert_eq!(after(&history), Some((3, "3 cued".to_owned(), false)));
        assert_eq!(moves(&history), before);
    }
}
