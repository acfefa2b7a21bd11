//! `export`: sessions for other programs, from the subject file alone.

use std::path::{Path, PathBuf};

use bramble_export::{ExportError, Form, Here, Session, Whether};
use bramble_subject::{SessionNumber, Sex, SubjectError, SubjectFile};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use miette::{IntoDiagnostic, Report, miette};

use super::{say, subject_file};
use crate::cli;
use crate::config::Settings;

pub(super) fn run(options: &cli::Export, settings: Settings) -> miette::Result<()> {
    let file = open(&options.subject, settings.data)?;
    let here = Here { lab: settings.lab, zone: TimeZone::system(), now: Timestamp::now() };
    if options.forms().contains(&Form::Nwb) {
        remind(&file)?;
    }
    let whether = if options.replace { Whether::ToReplace } else { Whether::ToKeep };
    let mut kept = Vec::new();
    for number in chosen(&file, &options.session)? {
        let session = Session::read(&file, number).map_err(|error| refusal(error, number))?;
        if session.end.is_none() {
            eprintln!(
                "session {number} has no end: it still runs, or its end was never heard of. It is exported as far as it is"
            );
        }
        for form in options.forms() {
            match form.export(&session, &here, &options.out, whether) {
                Ok(path) => say(format_args!("session {number}  {form:<8} {}", path.display())),
                Err(ExportError::Exists(path)) => kept.push(path),
                Err(error) => return Err(refusal(error, number)),
            }
        }
    }
    if kept.is_empty() {
        return Ok(());
    }
    let some = kept.iter().map(|path| format!("\n  {}", path.display())).collect::<String>();
    Err(miette!(
        help = "--replace writes them anew, --out DIR writes into another folder",
        "these are there already, and were left as they are:{some}"
    ))
}

/// Says what archives ask of NWB and isn't known. It is exported without it.
fn remind(file: &SubjectFile) -> miette::Result<()> {
    let biography = file.biography().into_diagnostic()?;
    let wanted = [
        ("its species", biography.species.is_empty()),
        ("its sex", biography.sex == Sex::Unknown),
        ("its day of birth", biography.birth.is_none()),
    ];
    let unknown: Vec<&str> = wanted.iter().filter(|(_, unknown)| *unknown).map(|(what, _)| *what).collect();
    if !unknown.is_empty() {
        eprintln!("archives of NWB ask for what isn't known of {}: {}", file.id(), unknown.join(", "));
    }
    Ok(())
}

/// The sessions that are meant, in order.
fn chosen(file: &SubjectFile, wanted: &[u32]) -> miette::Result<Vec<SessionNumber>> {
    let all = file.sessions().into_diagnostic()?;
    let all: Vec<SessionNumber> = all.iter().map(|session| session.number).collect();
    if all.is_empty() {
        return Err(miette!("{} has no sessions yet: there is nothing to export", file.id()));
    }
    let mut wanted: Vec<SessionNumber> = wanted.iter().copied().map(SessionNumber::new).collect();
    wanted.sort();
    wanted.dedup();
    if let Some(none) = wanted.iter().find(|number| !all.contains(number)) {
        return Err(miette!(
            help = format!("bramble-terminal subject show {} lists them", file.id()),
            "{} has no session {none}; its sessions are {} to {}",
            file.id(),
            all[0],
            all[all.len() - 1],
        ));
    }
    Ok(if wanted.is_empty() { all } else { wanted })
}

fn open(subject: &str, data: PathBuf) -> miette::Result<SubjectFile> {
    let path = subject_file(subject, || Ok(data))?;
    SubjectFile::open_read_only(&path).map_err(|error| match error {
        SubjectError::NoSuchFile(path) => no_such_file(subject, &path),
        SubjectError::InUse(_) => {
            miette!(help = "a session's file is free when the session has ended", "{error}")
        }
        error => Report::msg(error.to_string()),
    })
}

fn no_such_file(subject: &str, path: &Path) -> Report {
    miette!(
        help = "bramble-terminal subject list shows those there are; --data DIR names another data folder",
        "there is no subject {subject}: {} isn't there",
        path.display()
    )
}

fn refusal(error: ExportError, number: SessionNumber) -> Report {
    match error {
        ExportError::Subject(error) => miette!(
            help = "the other sessions can be exported: name each with --session N",
            "session {number} can't be read: {error}"
        ),
        error => Report::msg(error.to_string()),
    }
}
