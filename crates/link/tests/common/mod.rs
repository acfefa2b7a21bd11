//! What tests over real sockets need: agents, swarms in memory, and patience.

use std::time::{Duration, Instant};

use bramble_identity::{Agent, Authority, Identity, Revocations, Role};
use bramble_link::{
    Dialer, Endpoint, Event, Events, Listener, Me, MemoryOutbox, Place, Position, Terms, dial, listen,
};
use bramble_value::Name;

/// Long enough for the slowest machine, and never waited for when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn pilot(name: &str) -> Me {
    Me::new(name.parse().expect("a name"), "pilot", "terminal").with_detail(format!("{name} is in session 3"))
}

pub(crate) fn terminal() -> Me {
    Me::new("desk".parse().expect("a name"), "terminal", "pilot")
}

pub(crate) fn in_folder(folder: &tempfile::TempDir) -> Endpoint {
    format!("ipc://{}/terminal.sock", folder.path().display()).parse().expect("an endpoint")
}

pub(crate) fn listen_with_memory(endpoint: &Endpoint) -> (Listener, Events) {
    listen(endpoint.clone(), terminal(), |_| Ok(Terms::new(MemoryOutbox::new()))).expect("it can listen")
}

pub(crate) fn dial_with_memory(endpoint: &Endpoint, name: &str) -> (Dialer, Events) {
    dial(endpoint.clone(), pilot(name), Terms::new(MemoryOutbox::new())).expect("it can dial")
}

/// The next event that `pick` has something to say about.
pub(crate) fn wait_for<T>(events: &Events, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(left).expect("the link is there").expect("something happens");
        if let Some(found) = pick(event) {
            return found;
        }
    }
}

pub(crate) fn wait_up(events: &Events) -> (Name, Position) {
    wait_for(events, |event| match event {
        Event::Up { peer, from, .. } => Some((peer, from)),
        _ => None,
    })
}

pub(crate) fn wait_message(events: &Events) -> (Position, String) {
    wait_for(events, |event| match event {
        Event::Message { at, payload, .. } => Some((at, String::from_utf8_lossy(&payload).into_owned())),
        _ => None,
    })
}

pub(crate) fn wait_refused(events: &Events) -> bramble_link::Refusal {
    wait_for(events, |event| match event {
        Event::Refused(refusal) => Some(refusal),
        _ => None,
    })
}

/// Everything that a swarm's authority makes, in memory.
pub(crate) struct Swarm {
    pub(crate) authority: Authority,
    pub(crate) revocations: Revocations,
}

impl Swarm {
    pub(crate) fn new() -> Swarm {
        Swarm { authority: Authority::new().expect("randomness"), revocations: Revocations::none() }
    }

    pub(crate) fn enrol(&self, role: Role, name: &str) -> Identity {
        self.authority.enrol(&Agent::new(role, name.parse().expect("a name"))).expect("randomness")
    }

    /// The terminal `desk` at a free port.
    pub(crate) fn listen(&self) -> (Listener, Events) {
        listen(self.desk(), terminal(), |_| Ok(Terms::new(MemoryOutbox::new()))).expect("it can listen")
    }

    /// Where `desk` listens: any free port.
    pub(crate) fn desk(&self) -> Place {
        Place::from(anywhere())
            .with_identity(Some(self.enrol(Role::Terminal, "desk")))
            .with_revocations(self.revocations.clone())
    }

    /// A pilot that is enrolled here dials.
    pub(crate) fn dial(&self, endpoint: &Endpoint, name: &str) -> (Dialer, Events) {
        dial_as(endpoint, self.enrol(Role::Pilot, name))
    }
}

/// A pilot of that identity dials.
pub(crate) fn dial_as(endpoint: &Endpoint, identity: Identity) -> (Dialer, Events) {
    let me = pilot(identity.agent().name.as_str());
    let place = Place::from(endpoint.clone()).with_identity(Some(identity));
    dial(place, me, Terms::new(MemoryOutbox::new())).expect("it can dial")
}

pub(crate) fn anywhere() -> Endpoint {
    "tcp://127.0.0.1:0".parse().expect("an endpoint")
}

pub(crate) fn wait_unreached(events: &Events) -> String {
    wait_for(events, |event| match event {
        Event::Unreached { why } => Some(why),
        _ => None,
    })
}
