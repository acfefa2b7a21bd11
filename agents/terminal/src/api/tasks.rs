//! What is asked of tasks and protocols.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bramble_task::{Mistake, Summary};
use bramble_value::{Name, Person, SubjectId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::live::wire::SessionView;

/// `GET /tasks`: one each.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TaskLine {
    #[schema(value_type = String)]
    pub(crate) path: PathBuf,
    /// Its path within the tasks folder.
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) doc: String,
    /// What is wrong with it, in a line; `POST /tasks/check` says all.
    pub(crate) problem: Option<String>,
}

/// `POST /tasks/check`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct CheckTask {
    /// A file of the tasks folder.
    #[schema(value_type = String)]
    pub(crate) path: PathBuf,
    /// A text to check in its place: the file stays as it is.
    #[serde(default)]
    pub(crate) text: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CheckedTask {
    /// What the task declares; none where it has mistakes.
    pub(crate) task: Option<Summary>,
    /// Each with its file, line and column.
    pub(crate) mistakes: Vec<Mistake>,
    /// The text that was checked.
    pub(crate) text: String,
    /// What mistakes call the file that it is of; others are in files that it loads.
    pub(crate) root: String,
}

/// `POST /tasks/simulate`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SimulateTask {
    /// A file of the tasks folder.
    #[schema(value_type = String)]
    pub(crate) path: PathBuf,
    /// The simulated animal: `learner`, or one with a temper, `learner:bias=0.3`.
    #[serde(default = "learner")]
    pub(crate) animal: String,
    /// From 1 to 1000.
    pub(crate) trials: u32,
    #[serde(default)]
    pub(crate) seed: u64,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
}

fn learner() -> String {
    "learner".to_owned()
}

/// A session that was simulated.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SimulatedTask {
    /// As a page sees one that runs.
    pub(crate) session: SessionView,
    pub(crate) trials: usize,
    /// Of simulated time.
    pub(crate) seconds: f64,
    /// In microliters.
    pub(crate) water: f64,
    /// How it ended, and why.
    pub(crate) ending: bramble_value::Ending,
    pub(crate) why: String,
}

/// `GET /protocols`: one each.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProtocolLine {
    #[schema(value_type = String)]
    pub(crate) path: PathBuf,
    /// Its path within the tasks folder.
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) doc: String,
    /// What is wrong with it, in a line.
    pub(crate) problem: Option<String>,
    pub(crate) steps: Vec<StepLine>,
    /// What its file says.
    pub(crate) text: String,
    /// Who is on it, and hasn't finished it.
    pub(crate) subjects: Vec<OnProtocol>,
    /// Of one that was just saved: the file that has what it was before.
    #[schema(value_type = Option<String>)]
    pub(crate) kept: Option<PathBuf>,
}

/// A subject that is on a protocol.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OnProtocol {
    pub(crate) id: SubjectId,
    /// The name of its step, which the protocol may not have any more.
    pub(crate) step: String,
}

/// A step of a protocol.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StepLine {
    pub(crate) name: String,
    /// The task's file, from the protocol's folder.
    pub(crate) task: String,
    /// The same as the list of tasks has it; none where it isn't in the tasks folder.
    #[schema(value_type = Option<String>)]
    pub(crate) path: Option<PathBuf>,
    /// Those that differ from the task's own.
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
    /// When the subject moves on, in words.
    pub(crate) graduation: String,
    /// The same as a form has it; none where that is by hand, or no form has it.
    pub(crate) rule: Option<Rule>,
    /// Whether a form can say all of the step.
    pub(crate) by_form: bool,
}

/// `POST /subjects/assign`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AssignAll {
    pub(crate) subjects: Vec<SubjectId>,
    /// The protocol's file.
    #[schema(value_type = String)]
    pub(crate) protocol: PathBuf,
    /// From 1.
    pub(crate) step: u32,
    pub(crate) who: Person,
}

/// What became of each of several.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EachDone {
    pub(crate) subject: SubjectId,
    /// What was done.
    pub(crate) done: Option<String>,
    /// Why it was not.
    pub(crate) refused: Option<String>,
}

/// `POST /protocols`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct NewProtocol {
    /// The protocol that is changed; none where it is a new one.
    #[serde(default)]
    pub(crate) change: Option<ChangedProtocol>,
    /// Of a new one: its file's name, without its ending, in the folder `protocols` of the tasks folder.
    #[serde(default)]
    pub(crate) file: Option<Name>,
    /// The protocol's name, as people read it.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) doc: String,
    pub(crate) steps: Vec<NewStep>,
    /// Whether a new one takes the place of a file of that name, which is kept by another.
    #[serde(default)]
    pub(crate) replace: bool,
}

/// A protocol that is changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChangedProtocol {
    /// A file of the tasks folder.
    #[schema(value_type = String)]
    pub(crate) path: PathBuf,
    /// What the file said when the change was begun: where it says something else now, it stays.
    pub(crate) text: String,
}

/// A step of a new protocol.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct NewStep {
    pub(crate) name: Name,
    /// A file of the tasks folder.
    #[schema(value_type = String)]
    pub(crate) task: PathBuf,
    /// Those that differ from the task's own.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
    /// When the subject moves on; by hand, where there is none.
    #[serde(default)]
    pub(crate) graduation: Option<Rule>,
}

/// When a subject moves on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// After so many trials.
    Trials { count: u32 },
    /// When a share of the last trials has a value in a column.
    Accuracy {
        column: String,
        /// A choice's name, a truth or a number.
        of: serde_json::Value,
        /// Above 0, at most 1.
        at_least: f64,
        /// How many of the last trials are looked at.
        window: u32,
    },
}
