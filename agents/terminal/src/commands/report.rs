//! `session report`: how good a session was, from the subject file alone.

use std::path::PathBuf;

use bramble_report::Report;
use bramble_subject::{SessionNumber, SubjectFile};
use jiff::tz::TimeZone;
use miette::{IntoDiagnostic, miette};

use super::{print_json, say, subject_file};
use crate::cli::SessionReport;
use crate::reports;

pub(super) fn run(
    options: &SessionReport,
    data: impl FnOnce() -> miette::Result<PathBuf>,
) -> miette::Result<()> {
    let path = subject_file(&options.subject, data)?;
    let file = SubjectFile::open_read_only(&path).into_diagnostic()?;
    let number = match options.session {
        Some(number) => SessionNumber::new(number),
        None => match file.sessions().into_diagnostic()?.last() {
            Some(last) => last.number,
            None => return Err(miette!("{} has no session yet", path.display())),
        },
    };
    let report = reports::report(&file, number).into_diagnostic()?;
    let report = match reports::kept(&file, number).into_diagnostic()? {
        Some(kept) if !options.now => report.as_kept(kept),
        _ => report,
    };
    match &options.html {
        _ if options.json => print_json(&report),
        None => {
            say(report.text(&TimeZone::system()));
            Ok(())
        }
        Some(page) => {
            if std::fs::read(page).is_ok_and(|there| !Report::is_page(&there)) {
                return Err(miette!(
                    "{} is there already, and is no report: name another file",
                    page.display()
                ));
            }
            std::fs::write(page, report.html(&TimeZone::system())).map_err(|error| {
                miette!("{} can't be written: {error}; name a file in a folder that is there", page.display())
            })?;
            say(format_args!("session {number} of {} is in {}", file.id(), page.display()));
            Ok(())
        }
    }
}
