//! What a pilot still has for a terminal, when it is to become another's or to leave that behind.

use std::path::{Path, PathBuf};

use bramble_enrolment::Prospect;
use bramble_journal::{Journal, JournalError};
use bramble_link::Addressed;
use miette::{Diagnostic, Report};
use thiserror::Error;

use crate::config::{Arguments, Dialed};
use crate::memory::{LANE, journal, waits};

/// Why nothing was left behind.
#[derive(Debug, Error, Diagnostic)]
enum NotLeft {
    /// The journal can't be read, or a pilot has it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It can't be moved.
    #[error("{} can't be moved to {}: {source}", from.display(), to.display())]
    Unmovable { from: PathBuf, to: PathBuf, source: std::io::Error },
}

/// Leaves behind what waits: in a file beside the journal, which a new one takes the place of.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Report> {
    let Dialed { name, data, .. } = Dialed::read(arguments)?;
    let path = journal(&data);
    let Some(left) = waiting(&path).map_err(NotLeft::from)? else {
        println!("Nothing waits for a terminal in {}, and nothing was changed.", data.display());
        return Ok(());
    };
    let when = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S");
    // A clock that was set may say the same time twice.
    let names = (1..).map(|count| match count {
        1 => format!(".left-behind-{when}"),
        more => format!(".left-behind-{when}-{more}"),
    });
    let mut places = names.map(|name| with_end(&path, &name));
    let to = places.find(|place| !place.exists()).expect("there are more numbers than files");
    // The log that SQLite has beside a file is gone once it was closed well, and else is a part of it.
    for end in ["-wal", "-shm", ""] {
        let (from, to) = (with_end(&path, end), with_end(&to, end));
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            moved => moved.map_err(|source| NotLeft::Unmovable { from, to, source }).map_err(Report::new)?,
        }
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "{} left behind in {}.\nTo deliver that after all: end {name}, put the file back as {file}, and start {name} \
         with that terminal.",
        left.said(),
        to.display()
    );
    Ok(())
}

/// Why a pilot with this data folder must not become what it is about to, if anything waits that
/// could be written to no file then.
pub(crate) fn hinders(data: &Path, prospect: &Prospect<'_>) -> Result<(), String> {
    let Prospect { identity, lab, before } = prospect;
    let name = &identity.agent().name;
    let is_the_same =
        before.is_some_and(|before| before.swarm() == identity.swarm() && before.agent().name == *name);
    let left = match waiting(&journal(data)) {
        Ok(None) => return Ok(()),
        Ok(Some(left)) => left,
        // A pilot that runs sees to it when it starts again.
        Err(_) if before.is_none() || is_the_same => return Ok(()),
        Err(JournalError::InUse { .. }) => {
            return Err(format!(
                "a pilot runs with the data folder {}, so that it can't be seen whether something waits there for its \
                 terminal, and did not join: end it first",
                data.display()
            ));
        }
        Err(error) => return Err(format!("{error}; nobody joined")),
    };
    let stays = match left.addressed.as_ref().and_then(|addressed| Some((addressed, addressed.to()?))) {
        Some((addressed, to)) => to.keeper == *lab && addressed.sender() == name,
        // As an older Bramble left it.
        None => before.is_none() || is_the_same,
    };
    if stays {
        return Ok(());
    }
    let before = left.addressed.as_ref().map(Addressed::sender);
    let before = before.or(before_name(prospect)).unwrap_or(name);
    Err(format!(
        "{} can be written to files by that terminal alone, and by the name {before}, so {before} did not join: start \
         it once more as it was, until nothing of it is to come (`bramble-terminal status`), or leave that behind with \
         `bramble-pilot leave-behind`",
        left.said()
    ))
}

fn before_name<'a>(prospect: &Prospect<'a>) -> Option<&'a bramble_value::Name> {
    prospect.before.map(|before| &before.agent().name)
}

/// What waits in a journal.
struct Left {
    messages: u64,
    addressed: Option<Addressed>,
}

impl Left {
    fn said(&self) -> String {
        let messages = match self.messages {
            // Only its end is missing, which the pilot's next start reports.
            0 => "what is left of a session".to_owned(),
            1 => "1 message".to_owned(),
            more => format!("{more} messages"),
        };
        match self.addressed.as_ref().and_then(Addressed::to) {
            Some(to) => format!("{messages} for the terminal {to}"),
            None => format!("{messages} for a terminal"),
        }
    }
}

/// What waits in the journal at this path; `None` where nothing does that belongs to a file.
fn waiting(path: &Path) -> Result<Option<Left>, JournalError> {
    if !path.exists() {
        return Ok(None);
    }
    let journal = Journal::open(path)?;
    if !waits(&journal)? {
        return Ok(None);
    }
    let (messages, addressed) = (journal.pending(LANE)?, Addressed::recall(&journal, LANE)?);
    Ok(Some(Left { messages, addressed }))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}
