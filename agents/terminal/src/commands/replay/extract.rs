//! `replay --extract`: a folder from which a session can be run again on another rig.

mod deeds;
mod layout;
mod readme;

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use bramble_rig::calibration::{self, Calibration};
use bramble_subject::{SessionEnd, SessionNumber, SessionStart, SubjectFile};
use bramble_value::{Value, ValueType};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::{Value as Json, json};

use layout::Layout;

/// Where a folder has the files of the task and its protocol.
const SOURCES: &str = "sources";

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
    let summary = file.summary(number).into_diagnostic()?;
    let layout = Layout::of(&start);
    for (path, text) in &start.sources {
        write(&folder.join(SOURCES).join(layout.place(path)), text)?;
    }
    for (path, text) in &start.texts {
        write(&folder.join(inside(path)), text)?;
    }
    if start.texts.is_empty() {
        older(&start, folder)?;
    }
    write(&folder.join("session.json"), &pretty(&session(file, number, &start, summary.end.as_ref())))?;
    write(&folder.join("provenance.json"), &pretty(&start.provenance))?;
    write(&folder.join("versions.txt"), &versions(&start))?;
    let events = file.events(number).into_diagnostic()?;
    let about = readme::About {
        subject: file.id(),
        number,
        start: &start,
        layout: &layout,
        summary: &summary,
        deeds: deeds::deeds(&start.names, &start.parameters, start.start_time, &events),
        calibrated: folder.join("calibrations").exists(),
    };
    write(&folder.join("README.md"), &about.readme())
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
    end: Option<&SessionEnd>,
) -> Json {
    let parameters =
        start.parameters.iter().map(|one| (one.name.clone(), json!(shown(&one.value_type, one.value))));
    json!({
        "subject": file.id(),
        "session": number,
        "uuid": start.uuid,
        "task": start.task,
        "root": start.root,
        "parameters": parameters.collect::<serde_json::Map<_, _>>(),
        "seed": start.seed,
        "kept": kept(start),
        "protocol": start.protocol,
        "pilot": start.pilot,
        "started": start.started,
        "end": end,
    })
}

/// A parameter's or a column's value as a start takes it, which is exactly this one again.
fn shown(value_type: &ValueType, value: Value) -> String {
    match value {
        Value::Integers(least, most) => format!("[{least}, {most}]"),
        Value::Level(level) => level.share().to_string(),
        Value::Frequency(frequency) => format!("{} Hz", frequency.hertz()),
        value => value_type.show(value),
    }
}

/// What the columns with `keep` began with, as a start takes it.
fn kept(start: &SessionStart) -> BTreeMap<String, String> {
    let kept = start.provenance["request"]["kept"].clone();
    let kept: BTreeMap<String, Value> = serde_json::from_value(kept).unwrap_or_default();
    let of_column = |(name, value): (String, Value)| {
        let column = start.columns.iter().find(|column| column.name == name)?;
        Some((name, shown(&column.value_type, value)))
    };
    kept.into_iter().filter_map(of_column).collect()
}

/// A path of the file's, which stays inside a folder whatever it says.
fn inside(path: &str) -> PathBuf {
    let parts = Path::new(path).components();
    parts.filter(|part| matches!(part, Component::Normal(_))).collect()
}

fn pretty(value: &Json) -> String {
    format!("{value:#}\n")
}

/// Writes a file that isn't there yet: none takes the place of another.
fn write(path: &Path, text: &str) -> miette::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| File::create_new(path)?.write_all(text.as_bytes()))
        .into_diagnostic()
        .wrap_err_with(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_a_file_leads_out_of_the_folder() {
        assert_eq!(inside("../../etc/passwd"), Path::new("etc/passwd"));
        assert_eq!(inside("/tasks/lib/../a.star"), Path::new("tasks/lib/a.star"));
    }

    #[test]
    fn a_value_is_written_as_a_start_reads_it_to_the_last_digit() {
        let level = bramble_value::Level::from_share(1.0 / 3.0).unwrap();
        let written = shown(&ValueType::Level, Value::Level(level));
        assert_eq!(written.parse::<f64>().unwrap(), 1.0 / 3.0);
        let frequency = ValueType::Frequency.value_from_f64(4_321.000_000_1).unwrap();
        assert_eq!(shown(&ValueType::Frequency, frequency), "4321.0000001 Hz");
    }

    #[test]
    fn no_file_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sources/task.star");
        write(&path, "one").unwrap();
        assert!(write(&path, "another").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    }
}
