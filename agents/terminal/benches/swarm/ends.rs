//! The two ends of a link over the network of this computer, by way of both gates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bramble_identity::{Agent, Authority, Identity, Role};
use bramble_link::{
    Dialer, Event, Events, Line, Listener, Me, MemoryOutbox, Outbox, Place, Reply, Terms, dial, dial_hearing,
    listen, listen_hearing,
};
use bramble_value::Name;
use tempfile::TempDir;

use crate::Failed;
use crate::apart::Other;

/// How long anything may take to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// This process, which is a terminal, and the other one, which is a pilot.
pub(crate) struct Ends {
    _other: Other,
    pub(crate) line: Line,
    pub(crate) events: Events,
    // Closed before the folder is gone.
    listener: Listener,
    folder: TempDir,
}

impl Ends {
    /// Starts the other process as `what`, with its arguments, and waits until the two are linked.
    pub(crate) fn start(what: &str, arguments: &[&str]) -> Result<Ends, Failed> {
        let folder = tempfile::tempdir()?;
        let (place, me) = terminal(folder.path())?;
        let (listener, events) = listen(place, me, |_| Ok(Terms::new(MemoryOutbox::new())))?;
        let other = other(what, folder.path(), &listener, arguments)?;
        let line = listener.line(&name(PILOT)?);
        let ends = Ends { _other: other, line, events, listener, folder };
        ends.until(|event| matches!(event, Event::Up { .. }).then_some(()))?;
        Ok(ends)
    }

    /// Where this process listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failed> {
        let endpoint = self.listener.endpoint().to_string();
        Ok(endpoint.trim_start_matches("tcp://").parse()?)
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

/// This process, as a terminal that hears on its link's own thread, and the other one.
pub(crate) struct Hearing {
    pub(crate) other: Other,
    // Closed before the folder is gone.
    _listener: Listener,
    _folder: TempDir,
}

impl Hearing {
    /// Starts the other process as `what`, with its arguments.
    pub(crate) fn start(
        what: &str,
        arguments: &[&str],
        hear: impl FnMut(Event) -> Option<Reply> + Send + 'static,
    ) -> Result<Hearing, Failed> {
        let folder = tempfile::tempdir()?;
        let (place, me) = terminal(folder.path())?;
        let terms = |_: &Name| Ok(Terms::new(MemoryOutbox::new()));
        let listener = listen_hearing(place, me, terms, hear)?;
        let other = other(what, folder.path(), &listener, arguments)?;
        Ok(Hearing { other, _listener: listener, _folder: folder })
    }
}

/// What the pilot is called.
const PILOT: &str = "box1";

/// A terminal whose keys are in a folder, where the pilot's are too.
fn terminal(folder: &Path) -> Result<(Place, Me), Failed> {
    let authority = Authority::new()?;
    authority.enrol(&Agent::new(Role::Pilot, name(PILOT)?))?.save(&keys(folder))?;
    let me = Me::new(name("terminal")?, "terminal", "pilot");
    let identity = authority.terminal(&folder.join("terminal"), &me.name)?;
    let place = Place::from("tcp://127.0.0.1:0".parse::<bramble_link::Endpoint>()?);
    Ok((place.with_identity(Some(identity)), me))
}

/// The pilot's process.
fn other(what: &str, folder: &Path, listener: &Listener, arguments: &[&str]) -> Result<Other, Failed> {
    let (folder, endpoint) = (folder.display().to_string(), listener.endpoint().to_string());
    Other::start(&[&[what, &folder, &endpoint], arguments].concat())
}

/// The pilot's end, in the other process.
pub(crate) struct Pilot {
    pub(crate) dialer: Dialer,
    pub(crate) events: Events,
}

impl Pilot {
    /// Dials, and waits until the link is up.
    pub(crate) fn dial(folder: &str, endpoint: &str, outbox: impl Outbox + 'static) -> Result<Pilot, Failed> {
        let (place, me) = Pilot::to(folder, endpoint)?;
        let (dialer, events) = dial(place, me, Terms::new(outbox))?;
        while !matches!(events.recv()?, Event::Up { .. }) {}
        Ok(Pilot { dialer, events })
    }

    /// Dials, hears on the link's own thread, as a pilot does, and waits until the link is up.
    pub(crate) fn dial_hearing(
        folder: &str,
        endpoint: &str,
        mut hear: impl FnMut(Event) -> Option<Reply> + Send + 'static,
    ) -> Result<Dialer, Failed> {
        let (place, me) = Pilot::to(folder, endpoint)?;
        let (up, is_up) = std::sync::mpsc::channel();
        let hear = move |event| match event {
            Event::Up { .. } => {
                // It may come again, when nobody waits for it any more.
                let _ = up.send(());
                None
            }
            event => hear(event),
        };
        let dialer = dial_hearing(place, me, Terms::new(MemoryOutbox::new()), hear)?;
        is_up.recv_timeout(PATIENCE)?;
        Ok(dialer)
    }

    fn to(folder: &str, endpoint: &str) -> Result<(Place, Me), Failed> {
        let identity = Identity::load(&keys(Path::new(folder)))?;
        let place = Place::from(endpoint.parse::<bramble_link::Endpoint>()?).with_identity(identity);
        Ok((place, Me::new(name(PILOT)?, "pilot", "terminal")))
    }
}

fn keys(folder: &Path) -> PathBuf {
    folder.join("pilot")
}

fn name(text: &str) -> Result<Name, Failed> {
    Ok(text.parse()?)
}
