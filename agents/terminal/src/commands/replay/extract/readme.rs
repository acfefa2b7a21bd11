//! How a session that was written out is run again, in words.

use std::path::Path;

use bramble_subject::{SessionNumber, SessionStart, SessionSummary};
use bramble_training::GRADUATED;
use bramble_value::SubjectId;

use super::layout::Layout;
use super::{SOURCES, kept, shown};

/// What the list says of the calibrations, where there are any.
const CALIBRATIONS: &str = "\
- `calibrations/`: the water that its valves gave. They are of those valves: calibrate your own.
";

/// What there is to say.
pub(super) struct About<'a> {
    pub(super) subject: &'a SubjectId,
    pub(super) number: SessionNumber,
    pub(super) start: &'a SessionStart,
    pub(super) layout: &'a Layout,
    pub(super) summary: &'a SessionSummary,
    /// What people did while it ran.
    pub(super) deeds: Vec<String>,
    /// Whether calibrations were written out.
    pub(super) calibrated: bool,
}

impl About<'_> {
    /// The folder's README.
    pub(super) fn readme(&self) -> String {
        let About { subject, number, start, .. } = self;
        let root = self.source(&start.root);
        format!(
            "# Session {number} of {subject}

It ran the task {task} on {pilot}, at {started}. This folder holds all that it started from, as
its subject file has it.

- `sources/`: the task's files, and its protocol's; the task is `{root}`.
- `config/`: the configuration of its pilot, with the pins of that box, of the children that it
  used, and of the terminal.
{calibrations}- `session.json`: parameters as resolved, seed, what the columns kept, how it ended.
- `provenance.json`: hardware, drivers, hosts, builds, and how it was started.
- `versions.txt`: the programs; `software/`: the versions of the libraries in them, `Cargo.lock`.
{repository}
## To run it again

1. Give a pilot a configuration with the same devices, on your pins: begin from `config/pilot.toml`.
   `bramble-pilot check` exercises the rig, `bramble-pilot calibrate VALVE` measures the water.
2. See that the task fits: `bramble-terminal task check {root}`
3. Try it without an animal, with the session's seed and parameters:

{simulate}

4. Start it, with its seed and its parameters:

{begin}

{deeds}{ended}
The session itself, on what happened in it, is run again from the subject file:
`bramble-terminal replay FILE --session {plain}`
",
            task = start.task,
            pilot = start.pilot,
            started = start.started,
            repository = repository(start),
            simulate = code(&[self.simulate(&root)]),
            begin = code(&self.begin(&root)),
            deeds = self.deeds(),
            ended = self.ended(),
            calibrations = match self.calibrated {
                true => CALIBRATIONS,
                false => "",
            },
            plain = number.get(),
        )
    }

    /// Where a file is, from this folder.
    fn source(&self, path: &str) -> String {
        Path::new(SOURCES).join(self.layout.place(path)).display().to_string()
    }

    fn simulate(&self, root: &str) -> Vec<String> {
        let begin = vec![format!("bramble-terminal task simulate {root}"), self.seed()];
        [begin, self.values()].concat()
    }

    /// The commands that start it: of a step of a protocol, the subject is put at it first.
    fn begin(&self, root: &str) -> Vec<Vec<String>> {
        let graduation = &self.start.provenance["request"]["graduation"];
        let step = graduation["step"].as_u64().zip(graduation["protocol"].as_str());
        let assign = step.map(|(step, protocol)| {
            let protocol = self.source(protocol);
            vec![format!("bramble-terminal subject assign SUBJECT {protocol} --step {}", step + 1)]
        });
        let task = if assign.is_none() { format!(" --task {root}") } else { String::new() };
        let mut start = vec![format!("bramble-terminal start SUBJECT --pilot PILOT{task}"), self.seed()];
        start.extend(self.trials().map(|trials| format!("--trials {trials}")));
        start.extend(self.values());
        assign.into_iter().chain([start]).collect()
    }

    fn seed(&self) -> String {
        format!("--seed {}", self.start.seed.0)
    }

    /// What it had at its start, as options.
    fn values(&self) -> Vec<String> {
        let parameters = self.start.parameters.iter();
        let parameters =
            parameters.map(|one| format!("--param {}=\"{}\"", one.name, shown(&one.value_type, one.value)));
        let kept = kept(self.start).into_iter().map(|(name, value)| format!("--keep {name}=\"{value}\""));
        parameters.chain(kept).collect()
    }

    fn graduated(&self) -> bool {
        self.summary.end.as_ref().is_some_and(|end| end.why == GRADUATED)
    }

    /// After how many trials it was to end. Graduation may have looked at trials of sessions before,
    /// which another subject doesn't have.
    fn trials(&self) -> Option<u64> {
        match self.graduated() {
            true => Some(self.summary.trials),
            false => self.start.provenance["request"]["trials"].as_u64(),
        }
    }

    /// What no command at its start does again, in step 4.
    fn deeds(&self) -> String {
        if self.deeds.is_empty() {
            return String::new();
        }
        let deeds: String = self.deeds.iter().map(|deed| format!("   - {deed}\n")).collect();
        format!("   While it ran, people did what no start does again:\n\n{deeds}")
    }

    /// What a person has to know of its end.
    fn ended(&self) -> String {
        let Some(end) = &self.summary.end else { return String::new() };
        let trials = self.summary.trials;
        match (self.graduated(), self.trials()) {
            (true, _) => format!(
                "\nIt ended by graduation, after {trials} trials, which may have counted trials of sessions before: \
                 `--trials`\nends it there for any subject, and what graduates earlier goes on with the next step \
                 until then.\n"
            ),
            (false, asked) if asked != Some(trials) && !end.why.is_empty() => {
                format!("\nIt ended after {trials} trials ({}): {}.\n", end.ending.name(), end.why)
            }
            _ => String::new(),
        }
    }
}

/// Commands as a block of code in an item of a list: an option a line, all indented as far as
/// Markdown wants it at least.
fn code(commands: &[Vec<String>]) -> String {
    let lines: Vec<String> =
        commands.iter().map(|parts| format!("       {}", parts.join(" \\\n         "))).collect();
    lines.join("\n")
}

/// Where the task came from, in a line of the list.
fn repository(start: &SessionStart) -> String {
    let repository = &start.provenance["repository"];
    let Some(commit) = repository["commit"].as_str() else { return String::new() };
    let of = repository["remote"].as_str().or(repository["top"].as_str()).unwrap_or("its repository");
    let changes = match repository["changed"].as_bool() {
        Some(true) => ", with the\n  changes of `changes.patch`, which `git apply` makes there",
        Some(false) => ", unchanged",
        None => "; whether it was changed isn't known",
    };
    let missing = match repository["missing"].as_str() {
        Some(missing) => format!(" ({missing})"),
        None => String::new(),
    };
    format!("- The task lay in {of} at commit\n  {commit}{changes}{missing}.\n")
}
