//! `replay --extract`: a folder from which a session can be run again on another rig.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use bramble_rig::calibration::{self, Calibration};
use bramble_subject::{SessionNumber, SessionStart, SubjectFile};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::{Value, json};

/// Writes everything that a session started from into a new folder, which is there whole or
/// not at all.
pub(super) fn extract(file: &SubjectFile, number: SessionNumber, folder: &Path) -> miette::Result<()> {
    if folder.exists() {
        return Err(miette!("{} is there already: name a new folder", folder.display()));
    }
    let cannot = || format!("{} can't be written", folder.display());
    let parent = folder.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).into_diagnostic().wrap_err_with(cannot)?;
    let readable = Permissions::from_mode(0o755);
    let unfinished = tempfile::Builder::new().prefix(".new-").permissions(readable).tempdir_in(parent);
    let unfinished = unfinished.into_diagnostic().wrap_err_with(cannot)?;
    write_all(file, number, unfinished.path())?;
    fs::rename(unfinished.path(), folder).into_diagnostic().wrap_err_with(cannot)
}

fn write_all(file: &SubjectFile, number: SessionNumber, folder: &Path) -> miette::Result<()> {
    let start = file.session(number).into_diagnostic()?;
    let end = file.summary(number).into_diagnostic()?.end;
    for (path, text) in &start.texts {
        write(&folder.join(inside(path)), text)?;
    }
    // After the texts, which no agent can then have put in a source's place.
    for (path, text) in &start.sources {
        write(&folder.join("sources").join(inside(path)), text)?;
    }
    if start.texts.is_empty() {
        older(&start, folder)?;
    }
    write(&folder.join("session.json"), &pretty(&session(file, number, &start, end.as_ref())))?;
    write(&folder.join("provenance.json"), &pretty(&start.provenance))?;
    write(&folder.join("versions.txt"), &versions(&start))?;
    write(&folder.join("README.md"), &readme(file, number, &start))
}

/// What a session of before its texts were kept has in its provenance instead.
fn older(start: &SessionStart, folder: &Path) -> miette::Result<()> {
    let pilot = &start.provenance["pilot"];
    if let Some(configuration) = pilot["rig"]["configuration"].as_str() {
        write(&folder.join("config/pilot.toml"), configuration)?;
    }
    let calibrations: Vec<Calibration> =
        serde_json::from_value(pilot["calibrations"].clone()).unwrap_or_default();
    for one in &calibrations {
        let (path, text) = calibration::text(one).into_diagnostic()?;
        write(&folder.join("calibrations").join(inside(&path)), &text)?;
    }
    Ok(())
}

/// Every program: its version, and what it was built from as far as it says.
fn versions(start: &SessionStart) -> String {
    let provenance = &start.provenance;
    let line = |(program, version): (&String, &String)| {
        let told = match program.split_once(' ') {
            Some((_, child)) => &provenance["pilot"]["children"][child],
            None if program == "bramble-pilot" => &provenance["pilot"],
            None => &provenance["terminal"],
        };
        let build = &told["build"];
        let mut line = format!("{program} {version}");
        for (word, key) in
            [("commit", "commit"), ("for", "target"), ("built as", "profile"), ("by", "compiler")]
        {
            if let Some(value) = build[key].as_str() {
                line.push_str(&format!(", {word} {value}"));
            }
        }
        if build["modified"] == true {
            line.push_str(", with changes of its own");
        }
        if let Some(lock) = build["lock"].as_str() {
            line.push_str(&format!(", libraries of {}", bramble_software::lock_path(lock)));
        }
        line + "\n"
    };
    start.versions.iter().map(line).collect()
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

/// A parameter's value as a start takes it.
fn shown(parameter: &bramble_subject::Parameter) -> String {
    match parameter.value {
        bramble_value::Value::Integers(least, most) => format!("[{least}, {most}]"),
        value => parameter.value_type.show(value),
    }
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
    let request = &start.provenance["request"];
    let mut more: Vec<String> = vec![format!("--seed {}", start.seed.0)];
    more.extend(request["trials"].as_u64().map(|trials| format!("--trials {trials}")));
    more.extend(start.parameters.iter().map(|one| format!("--param {}=\"{}\"", one.name, shown(one))));
    let more: String = more.iter().map(|one| format!(" \\\n      {one}")).collect();
    let kept = match request["kept"].as_object() {
        Some(kept) if !kept.is_empty() => {
            let names: Vec<&str> = kept.keys().map(String::as_str).collect();
            format!(
                "\nIt began with what {} had been at the end of the session before (`kept` in\n`session.json`). A \
                 subject that has done the task begins with its own.\n",
                names.join(", ")
            )
        }
        _ => String::new(),
    };
    format!(
        "# Session {number} of {subject}

It ran the task {task} on {pilot}, at {started}. This folder holds all that it started from, as
its subject file has it.

- `sources/`: the task's files, and its protocol's; the task is `sources/{root}`.
- `config/`: the configuration of its pilot, with the pins of that box, of the children that it
  used, and of the terminal.
- `calibrations/`: the water that its valves gave. They are of those valves: calibrate your own.
- `session.json`: parameters as resolved, seed, what the columns kept, how it ended.
- `provenance.json`: hardware, drivers, hosts, builds, and how it was started.
- `versions.txt`: the programs; `software/`: the versions of the libraries in them, `Cargo.lock`.
{repository}
## To run it again

1. Give a pilot a configuration with the same devices, on your pins: begin from `config/pilot.toml`.
   `bramble-pilot check` exercises the rig, `bramble-pilot calibrate VALVE` measures the water.
2. See that the task fits: `bramble-terminal task check sources/{root}`
3. Try it without an animal, with the session's seed:
   `bramble-terminal task simulate sources/{root} --seed {seed}`
4. Start it, with its seed and its parameters:

       bramble-terminal start SUBJECT --pilot PILOT --task sources/{root}{more}
{kept}
The session itself, on what happened in it, is run again from the subject file:
`bramble-terminal replay FILE --session {plain}`
",
        subject = file.id(),
        task = start.task,
        pilot = start.pilot,
        started = start.started,
        root = root.display(),
        repository = repository(start),
        seed = start.seed.0,
        plain = number.get(),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_a_file_leads_out_of_the_folder() {
        assert_eq!(inside("../../etc/passwd"), Path::new("etc/passwd"));
        assert_eq!(inside("/tasks/lib/../a.star"), Path::new("tasks/lib/a.star"));
    }
}
