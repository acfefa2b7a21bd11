//! `replay --extract`: a folder from which a session can be run again on another rig.

use std::fs;
use std::path::{Component, Path, PathBuf};

use bramble_rig::calibration::{self, Calibration};
use bramble_subject::{SessionNumber, SessionStart, SubjectFile};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::{Value, json};

/// Writes everything that a session started from into a new folder.
pub(super) fn extract(file: &SubjectFile, number: SessionNumber, folder: &Path) -> miette::Result<()> {
    if folder.exists() {
        return Err(miette!("{} is there already: name a new folder", folder.display()));
    }
    let start = file.session(number).into_diagnostic()?;
    let end = file.summary(number).into_diagnostic()?.end;
    let pilot = &start.provenance["pilot"];
    for (path, text) in &start.sources {
        write(&folder.join("sources").join(inside(path)), text)?;
    }
    if let Some(configuration) = pilot["rig"]["configuration"].as_str() {
        write(&folder.join("config/pilot.toml"), configuration)?;
    }
    let calibrations: Vec<Calibration> =
        serde_json::from_value(pilot["calibrations"].clone()).unwrap_or_default();
    for one in &calibrations {
        calibration::save(&folder.join("calibrations"), one)
            .into_diagnostic()
            .wrap_err("a calibration can't be written")?;
    }
    write(&folder.join("session.json"), &pretty(&session(file, number, &start, end.as_ref())))?;
    write(&folder.join("provenance.json"), &pretty(&start.provenance))?;
    let versions = start.versions.iter().map(|(what, version)| format!("{what} {version}\n"));
    write(&folder.join("versions.txt"), &versions.collect::<String>())?;
    write(&folder.join("README.md"), &readme(file, number, &start))
}

fn session(
    file: &SubjectFile,
    number: SessionNumber,
    start: &SessionStart,
    end: Option<&bramble_subject::SessionEnd>,
) -> Value {
    let parameters = start.parameters.iter().map(|one| (one.name.clone(), json!(shown(one))));
    json!({
        "subject": file.id(),
        "session": number,
        "uuid": start.uuid,
        "task": start.task,
        "root": start.root,
        "parameters": parameters.collect::<serde_json::Map<_, _>>(),
        "seed": start.seed,
        "kept": start.provenance["request"]["kept"],
        "protocol": start.protocol,
        "pilot": start.pilot,
        "started": start.started,
        "end": end,
    })
}

fn shown(parameter: &bramble_subject::Parameter) -> String {
    parameter.value_type.show(parameter.value)
}

/// A path of the file's, which stays inside a folder whatever it says.
fn inside(path: &str) -> PathBuf {
    let parts = Path::new(path).components();
    parts.filter(|part| matches!(part, Component::Normal(_))).collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn write(path: &Path, text: &str) -> miette::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .into_diagnostic()
        .wrap_err_with(|| format!("{} can't be written", path.display()))
}

fn readme(file: &SubjectFile, number: SessionNumber, start: &SessionStart) -> String {
    let root = inside(&start.root);
    let parameters: String = start
        .parameters
        .iter()
        .map(|one| format!(" \\\n      --param {}=\"{}\"", one.name, shown(one)))
        .collect();
    format!(
        "# Session {number} of {subject}

It ran the task {task} on {pilot}, at {started}. This folder holds all that it started from, as
its subject file has it.

- `sources/`: the task's files, and its protocol's; the task is `sources/{root}`.
- `config/pilot.toml`: the configuration of its pilot, with the pins of that box.
- `calibrations/`: the water that its valves gave. They are of those valves: calibrate your own.
- `session.json`: parameters as resolved, seed, what the columns kept, how it ended.
- `provenance.json`, `versions.txt`: hardware, host, software.

## To run it again

1. Give a pilot a configuration with the same devices, on your pins: begin from `config/pilot.toml`.
   `bramble-pilot check` exercises the rig, `bramble-pilot calibrate VALVE` measures the water.
2. See that the task fits: `bramble-terminal task check sources/{root}`
3. Try it without an animal, with the session's seed:
   `bramble-terminal task simulate sources/{root} --seed {seed}`
4. Start it:

       bramble-terminal start SUBJECT --pilot PILOT --task sources/{root}{parameters}

The session itself, on what happened in it, is run again from the subject file:
`bramble-terminal replay FILE --session {plain}`
",
        subject = file.id(),
        task = start.task,
        pilot = start.pilot,
        started = start.started,
        root = root.display(),
        seed = start.seed.0,
        plain = number.get(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_a_file_leads_out_of_the_folder() {
        assert_eq!(inside("../../etc/passwd"), Path::new("etc/passwd"));
        assert_eq!(inside("/tasks/lib/../a.star"), Path::new("tasks/lib/a.star"));
    }
}
