//! The children of this pilot: which are there, and the devices of theirs that a
//! session uses.

mod live;
mod offer;
mod presence;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bramble_gate::Counts;
use bramble_identity::Revocations;
use bramble_link::{
    Endpoint, Event, Events, Line, LinkError, Listener, Me, MemoryOutbox, Place, Terms, listen,
};
use bramble_message::{
    Ask, Child, ChildHello, ChildToPilot, Origin, PilotToChild, PortName, Reading, RigDevice, decode, encode,
};
use bramble_rig::remote::{Remote, RemoteError, Remotes, Unwaited};
use bramble_rig::{self as rig, Happening, Post, Wire, Wiring};
use bramble_task::definition::PortId;
use bramble_value::{Name, Time};
use uuid::Uuid;

use live::happening;
use offer::{check_offer, is_real};
use presence::Presence;

/// How long a child may take to do what it is asked.
const PATIENCE: Duration = Duration::from_secs(3);

/// All children. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Children {
    listener: Option<Arc<Listener>>,
    known: Arc<Mutex<BTreeMap<Name, Known>>>,
    next_ask: Arc<AtomicU64>,
    /// What they are told of other pilots.
    revocations: Revocations,
}

/// A child that has been there, or that the rig names.
#[derive(Debug, Default)]
struct Known {
    /// What it offers, while it is there.
    offer: Option<Vec<RigDevice>>,
    /// What it is, for the records of sessions.
    origin: Origin,
    presence: Presence,
    /// The session that uses it.
    user: Option<User>,
}

#[derive(Debug)]
struct User {
    /// What the child says goes here; gone when the child is.
    mailbox: Option<Sender<ChildToPilot>>,
    post: Post,
    /// What is on the child, in a session in real time: its inputs go to the
    /// session as they come.
    live: Option<BTreeMap<PortName, PortId>>,
}

impl Children {
    /// A pilot whose rig names these children, listening for them there.
    /// `changed` is told whenever one comes or goes.
    ///
    /// # Errors
    /// Where it can't listen.
    pub(crate) fn start(
        place: Option<Place>,
        pilot: &Name,
        named: impl Iterator<Item = Name>,
        changed: impl Fn() + Send + 'static,
    ) -> Result<Children, LinkError> {
        let known = named.map(|child| (child, Known::default())).collect();
        let known = Arc::new(Mutex::new(known));
        // An answer to an earlier run of this program is not taken for one to this.
        let next_ask = Arc::new(AtomicU64::new(bramble_link::now().ns().unsigned_abs()));
        let revocations = place.as_ref().map_or_else(Revocations::none, |place| place.revocations().clone());
        let mut children = Children { listener: None, known, next_ask, revocations };
        if let Some(place) = place {
            let me = Me::new(pilot.clone(), "pilot", "child");
            let letting_in = children.clone();
            let place = place.with_told(Arc::new(move |peer, _| {
                letting_in.known().entry(peer.agent.name.clone()).or_default().presence.certificate =
                    Some(peer.serial);
            }));
            let (listener, events) = listen(place, me, |_| Ok(Terms::new(MemoryOutbox::new())))?;
            let listener = Arc::new(listener);
            children.listener = Some(listener.clone());
            let hearing = children.clone();
            let hear = move || hearing.hear(&listener, &events, changed);
            std::thread::Builder::new()
                .name("children".to_owned())
                .spawn(hear)
                .map_err(LinkError::NoThread)?;
        }
        Ok(children)
    }

    /// Where they are listened for.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.listener.as_ref().map(|listener| listener.endpoint())
    }

    /// The children of a rig that listens for none now: none is there.
    pub(crate) fn none(named: impl Iterator<Item = Name>) -> Children {
        let known = named.map(|child| (child, Known::default())).collect();
        let (known, revocations) = (Arc::new(Mutex::new(known)), Revocations::none());
        Children { listener: None, known, next_ask: Arc::default(), revocations }
    }

    /// Every child, whether it is there, and how it fares.
    pub(crate) fn presence(&self) -> Vec<Child> {
        let (now, unix_ns) = (bramble_link::now(), bramble_health::unix_ns());
        self.known().iter().map(|(name, known)| known.presence.told(name.clone(), now, unix_ns)).collect()
    }

    /// Claims the devices that a session's wiring has on children. What is
    /// claimed is released when the claims are dropped. The session is one in
    /// `real_time`, or becomes so where a child has anything that is real.
    ///
    /// # Errors
    /// A sentence, where a child is not there or doesn't have the device.
    pub(crate) fn claim(
        &self,
        wiring: &Wiring,
        session: Uuid,
        real_time: bool,
        post: &Post,
    ) -> Result<Claims, String> {
        let mut wanted: BTreeMap<Name, Vec<(PortId, &Wire)>> = BTreeMap::new();
        for (port, wire) in wiring.ports() {
            if let Some(child) = wire.child() {
                wanted.entry(child.clone()).or_default().push((port, wire));
            }
        }
        let real_time = real_time || wanted.iter().any(|(child, wires)| self.has_real(child, wires));
        let remotes = Remotes::new();
        let mut claims = Claims { remotes, real_time, held: Vec::new(), children: self.clone() };
        for (child, wires) in wanted {
            let remote = self.claim_one(&child, &wires, session, post, &mut claims)?;
            claims.remotes.insert(child, Box::new(remote));
        }
        Ok(claims)
    }

    fn claim_one(
        &self,
        child: &Name,
        wires: &[(PortId, &Wire)],
        session: Uuid,
        post: &Post,
        claims: &mut Claims,
    ) -> Result<Claimed, String> {
        let absent = || {
            let device =
                wires.first().map_or_else(String::new, |(_, wire)| format!(", which has `{}`,", wire.device));
            format!("the child {child}{device} is not there: start it, and see that it dials this pilot")
        };
        let listener = self.listener.as_ref().ok_or_else(absent)?;
        let (sender, replies) = channel();
        {
            let mut all = self.known();
            let known = all.get_mut(child).ok_or_else(absent)?;
            let offer = known.offer.as_ref().ok_or_else(absent)?;
            wires.iter().try_for_each(|(_, wire)| check_offer(child, offer, wire))?;
            let live =
                claims.real_time.then(|| wires.iter().map(|(port, wire)| (port_name(wire), *port)).collect());
            known.user = Some(User { mailbox: Some(sender), post: post.clone(), live });
        }
        claims.held.push(child.clone());
        let mut devices: Vec<Name> = wires.iter().map(|(_, wire)| wire.device.clone()).collect();
        devices.dedup();
        let line = listener.line(child);
        let mut claimed = Claimed { line, replies, next_ask: self.next_ask.clone() };
        let simulated = !claims.real_time;
        let claim = |ask| PilotToChild::Claim { ask, session, devices, simulated };
        claimed.ask(claim).map_err(|error| format!("the child {child} can't be used: {error}"))?;
        Ok(claimed)
    }

    /// Takes in what children say, until the link ends.
    fn hear(&self, listener: &Listener, events: &Events, changed: impl Fn()) {
        let mut refusals = Counts::default();
        while let Ok(event) = events.recv() {
            match event {
                Event::Up { peer, detail, .. } => {
                    self.has_come(&peer, &detail);
                    self.tell_revocations(listener, &peer);
                    changed();
                }
                Event::Down { peer, why } => {
                    self.has_gone(&peer, &why.to_string());
                    changed();
                }
                Event::Message { peer, at, payload } => {
                    match decode(&payload) {
                        Ok(message) => self.pass_on(&peer, message),
                        Err(error) => tracing::error!("the child {peer}: {error}"),
                    }
                    if listener.line(&peer).taken(at).is_err() {
                        return;
                    }
                }
                Event::Refused(refusal) => {
                    if refusals.one_more(refusal.text.clone()).is_some() {
                        tracing::error!("a child is not talked to: {refusal}");
                    }
                }
                Event::Failed { why, .. } => tracing::error!("{why}"),
                Event::Clock { peer, clock } => {
                    self.known().entry(peer).or_default().presence.clock = Some(clock);
                }
                Event::Passing { peer, payload } => match decode(&payload) {
                    Ok(health) => self.known().entry(peer).or_default().presence.health = Some(health),
                    Err(error) => tracing::debug!("the child {peer}: {error}"),
                },
                // A pilot doesn't dial its children.
                Event::Unreached { .. } => {}
            }
        }
    }

    /// There are more revoked certificates: a child hears of them from its pilot only.
    pub(crate) fn more_are_revoked(&self) {
        let Some(listener) = &self.listener else { return };
        let here = |(name, known): (&Name, &Known)| known.offer.is_some().then(|| name.clone());
        let here: Vec<Name> = self.known().iter().filter_map(here).collect();
        here.iter().for_each(|child| self.tell_revocations(listener, child));
    }

    fn tell_revocations(&self, listener: &Listener, child: &Name) {
        let certificates: Vec<_> = self.revocations.all().into_iter().collect();
        if !certificates.is_empty() {
            // Where the link has ended, so does the pilot.
            let _ = listener.line(child).send(encode(&PilotToChild::Revoked { certificates }));
        }
    }

    /// What a child is, for a session's record, and what it offers.
    fn origin(&self, child: &Name) -> Origin {
        let all = self.known();
        let Some(Known { offer, origin, .. }) = all.get(child) else { return Origin::default() };
        let mut origin = origin.clone();
        if origin.provenance.is_object() {
            origin.provenance["devices"] = serde_json::json!(offer);
        }
        origin
    }

    /// Whether any of these of a child's is real.
    pub(crate) fn has_real(&self, child: &Name, wires: &[(PortId, &Wire)]) -> bool {
        let all = self.known();
        let offer = all.get(child).and_then(|known| known.offer.as_ref());
        let of_wire = |device: &RigDevice| wires.iter().any(|(_, wire)| wire.device == device.name);
        offer.is_some_and(|offer| offer.iter().filter(|device| is_real(device)).any(of_wire))
    }

    fn has_come(&self, child: &Name, detail: &[u8]) {
        // One that was restarted knows nothing of the session it was in.
        self.has_gone(child, "it was restarted");
        match decode::<ChildHello>(detail) {
            Ok(hello) => {
                tracing::info!("the child {child} is there, with {} devices", hello.offer.devices.len());
                let mut all = self.known();
                let known = all.entry(child.clone()).or_default();
                known.offer = Some(hello.offer.devices);
                known.origin = hello.origin;
                known.presence.comes(bramble_link::now());
            }
            Err(error) => tracing::error!("the child {child}: {error}"),
        }
    }

    fn has_gone(&self, child: &Name, why: &str) {
        let mut all = self.known();
        let Some(known) = all.get_mut(child) else { return };
        known.presence.goes(bramble_link::now(), why);
        if known.offer.take().is_some() {
            tracing::warn!("the child {child} is gone: {why}");
        }
        if let Some(user) = &mut known.user {
            user.mailbox = None;
            user.post.send(Happening::Lost { child: child.clone(), why: why.to_owned() });
        }
    }

    fn pass_on(&self, child: &Name, message: ChildToPilot) {
        let all = self.known();
        let Some(known) = all.get(child) else { return };
        let Some(user) = &known.user else { return };
        if let Some(live) = &user.live
            && !matches!(message, ChildToPilot::Done { .. })
        {
            if let Some(happening) = happening(child, message, live, known.presence.clock) {
                user.post.send(happening);
            }
            return;
        }
        if let Some(mailbox) = &user.mailbox {
            // A session that is over needs nothing more of it.
            let _ = mailbox.send(message);
        }
    }

    fn release(&self, child: &Name) {
        if let Some(known) = self.known().get_mut(child) {
            known.user = None;
        }
        if let Some(listener) = &self.listener {
            let release = PilotToChild::Release { ask: self.take_ask() };
            // Where the link has ended, the child has noticed that too.
            let _ = listener.line(child).send(encode(&release));
        }
    }

    fn take_ask(&self) -> Ask {
        Ask(self.next_ask.fetch_add(1, Ordering::Relaxed))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        // What is under the lock is whole after each statement.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session has claimed of children.
pub(crate) struct Claims {
    /// How the session talks to them.
    pub(crate) remotes: Remotes,
    /// Whether the session is one in real time.
    pub(crate) real_time: bool,
    held: Vec<Name>,
    children: Children,
}

/// Keeps what a child says of itself beside what is known already, which it can't replace: its
/// configuration, the lock that it was built from, and anything else in a folder of its own.
pub(crate) fn keep_texts(child: &Name, said: BTreeMap<String, String>, texts: &mut BTreeMap<String, String>) {
    for (path, text) in said {
        let own = path == format!("config/children/{child}.toml") || path.starts_with("software/");
        let path = if own { path } else { format!("children/{child}/{path}") };
        texts.entry(path).or_insert(text);
    }
}

impl Claims {
    /// The children that the session uses, and what they are.
    pub(crate) fn origins(&self) -> impl Iterator<Item = (&Name, Origin)> {
        self.held.iter().map(|child| (child, self.children.origin(child)))
    }

    /// For a session in real time, which waits for no child.
    ///
    /// # Errors
    /// Where there can't be another thread.
    pub(crate) fn in_real_time(mut self, post: &Post) -> std::io::Result<Claims> {
        for (child, remote) in std::mem::take(&mut self.remotes) {
            let unwaited = Unwaited::start(child.clone(), remote, post.clone())?;
            self.remotes.insert(child, Box::new(unwaited));
        }
        Ok(self)
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        for child in &self.held {
            self.children.release(child);
        }
    }
}

/// A child that a session uses.
#[derive(Debug)]
struct Claimed {
    line: Line,
    replies: Receiver<ChildToPilot>,
    next_ask: Arc<AtomicU64>,
}

impl Claimed {
    /// Asks, and waits for the answer; the inputs that came before it.
    fn ask(
        &mut self,
        question: impl FnOnce(Ask) -> PilotToChild,
    ) -> Result<Vec<(PortName, Reading, Time)>, RemoteError> {
        let ask = Ask(self.next_ask.fetch_add(1, Ordering::Relaxed));
        self.line.send(encode(&question(ask))).map_err(|_| gone())?;
        let until = Instant::now() + PATIENCE;
        let mut inputs = Vec::new();
        loop {
            match self.replies.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(ChildToPilot::Input { time, port, reading }) => inputs.push((port, reading, time)),
                Ok(ChildToPilot::Done { ask: of, outcome }) if of == ask => {
                    return outcome.map(|()| inputs).map_err(RemoteError);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(RemoteError(format!("it did not answer within {} s", PATIENCE.as_secs())));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }
}

impl Remote for Claimed {
    fn touch(
        &mut self,
        wire: &Wire,
        reading: rig::Reading,
        time: Time,
    ) -> Result<(rig::Reading, Time), RemoteError> {
        let port = port_name(wire);
        let reading = to_message(reading);
        let inputs = self.ask(|ask| PilotToChild::Touch { ask, time, port: port.clone(), reading })?;
        let input = inputs.into_iter().rev().find(|(of, ..)| *of == port);
        let (_, reading, time) =
            input.ok_or_else(|| RemoteError(format!("it says nothing of its input `{port}`")))?;
        Ok((from_message(reading), time))
    }

    fn write(&mut self, wire: &Wire, level: f64, time: Time) -> Result<(), RemoteError> {
        let port = port_name(wire);
        self.ask(|ask| PilotToChild::Write { ask, time, port, level }).map(drop)
    }
}

fn gone() -> RemoteError {
    RemoteError("it is gone".to_owned())
}

fn port_name(wire: &Wire) -> PortName {
    PortName { device: wire.device.clone(), port: wire.port.clone() }
}

fn to_message(reading: rig::Reading) -> Reading {
    match reading {
        rig::Reading::Digital(high) => Reading::Digital(high),
        rig::Reading::Analog(value) => Reading::Analog(value),
        rig::Reading::Position(value) => Reading::Position(value),
    }
}

fn from_message(reading: Reading) -> rig::Reading {
    match reading {
        Reading::Digital(high) => rig::Reading::Digital(high),
        Reading::Analog(value) => rig::Reading::Analog(value),
        Reading::Position(value) => rig::Reading::Position(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_says_of_itself_is_kept_beside_what_the_pilot_says() {
        let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let mut texts =
            BTreeMap::from([text("config/pilot.toml", "ours"), text("software/1/Cargo.lock", "ours")]);
        let said =
            ["config/pilot.toml", "config/children/wheels.toml", "software/1/Cargo.lock", "changes.patch"];
        let said = said.map(|path| text(path, "theirs")).into();
        keep_texts(&"wheels".parse().expect("a name"), said, &mut texts);
        let expected = [
            text("children/wheels/changes.patch", "theirs"),
            text("children/wheels/config/pilot.toml", "theirs"),
            text("config/children/wheels.toml", "theirs"),
            text("config/pilot.toml", "ours"),
            text("software/1/Cargo.lock", "ours"),
        ];
        assert_eq!(texts, BTreeMap::from(expected));
    }
}
