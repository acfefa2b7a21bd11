//! The two ends of a link over the network of this computer, by way of both gates.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bramble_identity::{Agent, Authority, Identity, Role};
use bramble_link::{
    Dialer, Event, Events, Line, Listener, Me, MemoryOutbox, Outbox, Place, Terms, dial, listen,
};
use bramble_value::Name;
use tempfile::TempDir;

use crate::Failed;
use crate::other::Other;

/// How long anything may take to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// This process, which is a terminal, and the other one, which is a pilot.
pub(crate) struct Ends {
    pub(crate) other: Other,
    pub(crate) line: Line,
    pub(crate) events: Events,
    // Closed before the folder is gone.
    _listener: Listener,
    folder: TempDir,
}

impl Ends {
    /// Starts the other process as `what`, with its arguments, and waits until the two are linked.
    pub(crate) fn start(what: &str, arguments: &[&str]) -> Result<Ends, Failed> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let pilot = name("box1")?;
        authority.enrol(&Agent::new(Role::Pilot, pilot.clone()))?.save(&keys(folder.path()))?;
        let me = Me::new(name("terminal")?, "terminal", "pilot");
        let identity = authority.terminal(&folder.path().join("terminal"), &me.name)?;
        let place = Place::from("tcp://127.0.0.1:0".parse::<bramble_link::Endpoint>()?);
        let (listener, events) =
            listen(place.with_identity(Some(identity)), me, |_| Ok(Terms::new(MemoryOutbox::new())))?;
        let endpoint = listener.endpoint().to_string();
        let path = folder.path().display().to_string();
        let mut all = vec![what, &path, &endpoint];
        all.extend(arguments);
        let other = Other::start(&all)?;
        let line = listener.line(&pilot);
        let ends = Ends { other, line, events, _listener: listener, folder };
        ends.until(|event| matches!(event, Event::Up { .. }).then_some(()))?;
        Ok(ends)
    }

    /// A folder for this process's files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits for something that happens on the link.
    pub(crate) fn until<T>(&self, mut wanted: impl FnMut(Event) -> Option<T>) -> Result<T, Failed> {
        loop {
            let event = self.events.recv_timeout(PATIENCE)?.ok_or("nothing came over the link")?;
            if let Some(found) = wanted(event) {
                return Ok(found);
            }
        }
    }
}

/// The pilot's end, in the other process.
pub(crate) struct Pilot {
    pub(crate) dialer: Dialer,
    pub(crate) events: Events,
}

impl Pilot {
    /// Dials, and waits until the link is up.
    pub(crate) fn dial(folder: &str, endpoint: &str, outbox: impl Outbox + 'static) -> Result<Pilot, Failed> {
        let identity = Identity::load(&keys(Path::new(folder)))?;
        let place = Place::from(endpoint.parse::<bramble_link::Endpoint>()?).with_identity(identity);
        let me = Me::new(name("box1")?, "pilot", "terminal");
        let (dialer, events) = dial(place, me, Terms::new(outbox))?;
        while !matches!(events.recv()?, Event::Up { .. }) {}
        Ok(Pilot { dialer, events })
    }
}

fn keys(folder: &Path) -> PathBuf {
    folder.join("pilot")
}

fn name(text: &str) -> Result<Name, Failed> {
    Ok(text.parse()?)
}
