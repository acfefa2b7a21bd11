//! `export`: sessions for other programs, from the subject file alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bramble_export::{ExportError, Form, Here, Session, Whether};
use bramble_subject::{SessionNumber, SessionSummary, Sex, SubjectError, SubjectFile};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use miette::{IntoDiagnostic, Report, miette};

use super::{say, subject_file};
use crate::cli;
use crate::config::Settings;

pub(super) fn run(options: &cli::Export, settings: Settings) -> miette::Result<()> {
    let file = open(&options.subject, settings.data)?;
    let here = Here { lab: settings.lab, zone: TimeZone::system(), now: Timestamp::now() };
    let whether = if options.replace { Whether::ToReplace } else { Whether::ToKeep };
    let mut left = Left::default();
    let sessions = chosen(&file, &options.session)?;
    if options.forms().contains(&Form::Nwb) {
        remind(&file, &sessions, &here)?;
    }
    for number in sessions.iter().map(|session| session.number) {
        let session = match Session::read(&file, number) {
            Ok(session) => session,
            Err(error) => {
                left.not_exported.push(format!("session {number} can't be read: {error}"));
                continue;
            }
        };
        if session.end.is_none() {
            eprintln!(
                "session {number} has no end: it still runs, or its end was never heard of. It is exported as far as it is"
            );
        }
        for form in options.forms() {
            match form.export(&session, &here, &options.out, whether) {
                Ok(path) => say(format_args!("session {number}  {form:<8} {}", path.display())),
                Err(error) => left.add(number, error)?,
            }
        }
    }
    left.said()
}

/// What was not written, of one session or another.
#[derive(Default)]
struct Left {
    /// What is there already.
    kept: Vec<PathBuf>,
    /// What a form wants that isn't known, and of which sessions: it is mostly of the animal.
    unknown: Vec<(&'static str, String, BTreeSet<SessionNumber>)>,
    not_exported: Vec<String>,
}

impl Left {
    /// Another form or session may go where this one does not.
    ///
    /// # Errors
    /// Where none will, as on a full disk.
    fn add(&mut self, number: SessionNumber, error: ExportError) -> miette::Result<()> {
        match error {
            ExportError::Exists(path) => self.kept.push(path),
            ExportError::Unknown { form, what, .. } => {
                match self.unknown.iter_mut().find(|one| (one.0, &one.1) == (form, &what)) {
                    Some((_, _, sessions)) => _ = sessions.insert(number),
                    None => self.unknown.push((form, what, [number].into())),
                }
            }
            error @ (ExportError::Write { .. } | ExportError::Library { .. }) => {
                return Err(Report::msg(error.to_string()));
            }
            error => self.not_exported.push(format!("session {number}: {error}")),
        }
        Ok(())
    }

    /// # Errors
    /// Where there is anything.
    fn said(self) -> miette::Result<()> {
        let mut said = Vec::new();
        if !self.kept.is_empty() {
            let some = self.kept.iter().map(|path| format!("\n  {}", path.display())).collect::<String>();
            said.push(format!("these are there already, and were left as they are:{some}"));
        }
        for (form, what, sessions) in &self.unknown {
            let sessions = match sessions.len() {
                1 => format!("session {}", listed(sessions)),
                _ => format!("sessions {}", listed(sessions)),
            };
            said.push(format!("{form} wants what isn't known of {sessions}:{what}"));
        }
        if !self.not_exported.is_empty() {
            said.push(format!("these were not exported:\n  {}", self.not_exported.join("\n  ")));
        }
        match (said.is_empty(), self.kept.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => Err(Report::msg(said.join("\n"))),
            (false, false) => Err(miette!(
                help = "--replace writes them anew, --out DIR writes into another folder",
                "{}",
                said.join("\n")
            )),
        }
    }
}

/// Says what archives ask of NWB and isn't known. It is exported without it.
fn remind(file: &SubjectFile, sessions: &[SessionSummary], here: &Here) -> miette::Result<()> {
    let biography = file.biography().into_diagnostic()?;
    let day = |session: &SessionSummary| session.started.to_zoned(here.zone.clone()).date();
    let first = sessions.iter().map(day).min();
    let birth = match (biography.birth, first) {
        (None, _) => Some("its day of birth".to_owned()),
        (Some(birth), Some(first)) if birth > first => {
            Some(format!("its day of birth, since {birth} is after its session of {first}"))
        }
        _ => None,
    };
    let species = biography.species.is_empty().then(|| "its species".to_owned());
    let sex = (biography.sex == Sex::Unknown).then(|| "its sex".to_owned());
    let unknown: Vec<String> = [species, sex, birth].into_iter().flatten().collect();
    if !unknown.is_empty() {
        eprintln!("archives of NWB ask for what isn't known of {}: {}", file.id(), unknown.join(", "));
    }
    Ok(())
}

/// The sessions that are meant, in order.
fn chosen(file: &SubjectFile, wanted: &[u32]) -> miette::Result<Vec<SessionSummary>> {
    let all = file.sessions().into_diagnostic()?;
    let running: BTreeSet<SessionNumber> = file.running().collect();
    let mut meant =
        wanted.iter().map(|number| SessionNumber::new(*number)).filter(|one| running.contains(one));
    if let Some(number) = meant.next().or(running.first().copied().filter(|_| all.is_empty())) {
        return Err(miette!("session {number} of {} runs: try again when it has ended", file.id()));
    }
    if wanted.is_empty() {
        running.iter().for_each(|number| eprintln!("session {number} runs, and is left out"));
    }
    if all.is_empty() {
        return Err(miette!("{} has no sessions yet: there is nothing to export", file.id()));
    }
    let numbers: BTreeSet<SessionNumber> = all.iter().map(|session| session.number).collect();
    let wanted: BTreeSet<SessionNumber> = wanted.iter().copied().map(SessionNumber::new).collect();
    if let Some(none) = wanted.difference(&numbers).next() {
        return Err(miette!(
            help = format!("bramble-terminal subject show {} lists them", file.id()),
            "{} has no session {none}; it has {}",
            file.id(),
            listed(&numbers),
        ));
    }
    Ok(all.into_iter().filter(|one| wanted.is_empty() || wanted.contains(&one.number)).collect())
}

/// Numbers in a sentence, those that follow each other as one: `0001 to 0003, 0005`.
fn listed(numbers: &BTreeSet<SessionNumber>) -> String {
    let mut runs: Vec<(SessionNumber, SessionNumber)> = Vec::new();
    for number in numbers.iter().copied() {
        match runs.last_mut() {
            Some((_, last)) if last.get() + 1 == number.get() => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let said = runs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn open(subject: &str, data: PathBuf) -> miette::Result<SubjectFile> {
    let path = subject_file(subject, || Ok(data))?;
    SubjectFile::open_read_only(&path).map_err(|error| match error {
        SubjectError::NoSuchFile(path) => no_such_file(subject, &path),
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
