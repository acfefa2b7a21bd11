//! Who was enrolled: pure bookkeeping, without I/O and without a clock.

use bramble_identity::{Agent, Issued, Peer, Role, Serial};
use bramble_value::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::refusal::{Allowed, Refusal};

/// The most agents that are taken in without having been invited.
const MOST: usize = 1024;

/// Every agent that was ever enrolled, in the order of their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Registry {
    agents: Vec<Enrolled>,
}

/// An agent that was enrolled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolled {
    pub(crate) name: Name,
    pub(crate) role: Role,
    pub(crate) certificate: Certificate,
    pub(crate) enrolled: Timestamp,
    /// When it was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_here: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<Timestamp>,
    /// What it is about to be: it has the certificate, or is about to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) becomes: Option<Becoming>,
    /// What it was called before, and until when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) called: Vec<Called>,
}

/// A name that an agent had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Called {
    name: Name,
    until: Timestamp,
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificate {
    pub(crate) serial: Serial,
    /// As PEM.
    pub(crate) pem: String,
}

/// A new name of an agent, and the certificate that says so. The name is the one that it has where
/// another joins in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Becoming {
    pub(crate) name: Name,
    pub(crate) certificate: Certificate,
}

impl Certificate {
    pub(crate) fn new(issued: &Issued) -> Certificate {
        Certificate::of(issued.serial, &issued.certificate)
    }

    fn of(serial: Serial, der: &[u8]) -> Certificate {
        let lf = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        let text = pem::encode_config(&pem::Pem::new("CERTIFICATE", der), lf);
        Certificate { serial, pem: text }
    }

    /// The certificate in DER; nothing where it isn't known, or somebody changed the file.
    pub(crate) fn der(&self) -> Vec<u8> {
        pem::parse(&self.pem).map(pem::Pem::into_contents).unwrap_or_default()
    }
}

impl Enrolled {
    pub(crate) fn agent(&self) -> Agent {
        Agent::new(self.role, self.name.clone())
    }

    /// Whether it is about to be called so.
    fn is_promised(&self, name: &Name) -> bool {
        self.becomes.as_ref().is_some_and(|becoming| becoming.name == *name)
    }

    /// Every certificate that it may have.
    fn serials(&self) -> impl Iterator<Item = Serial> {
        let next = self.becomes.as_ref().map(|becoming| becoming.certificate.serial);
        [self.certificate.serial].into_iter().chain(next)
    }
}

impl Registry {
    /// Everybody, revoked agents too.
    pub(crate) fn all(&self) -> &[Enrolled] {
        &self.agents
    }

    /// Whether anybody is enrolled.
    pub(crate) fn has_enrolled(&self) -> bool {
        self.agents.iter().any(|agent| agent.revoked.is_none())
    }

    /// Whether a certificate is noted down.
    pub(crate) fn knows(&self, serial: Serial) -> bool {
        self.agents.iter().any(|agent| agent.serials().any(|known| known == serial))
    }

    /// Notes down an agent that came with a certificate that isn't, where nobody else has its name.
    /// Says whether it did. Its certificate, in DER, may not be at hand.
    pub(crate) fn take_in(&mut self, peer: &Peer, certificate: Option<&[u8]>, now: Timestamp) -> bool {
        let is_free = self.agents.len() < MOST
            && self.may_invite(&peer.agent).is_ok()
            && self.find(&peer.agent.name).is_none();
        if is_free {
            let certificate = Certificate::of(peer.serial, certificate.unwrap_or_default());
            self.add(&peer.agent, certificate, now);
        }
        is_free
    }

    /// The enrolled agent of that name.
    pub(crate) fn find(&self, name: &Name) -> Option<&Enrolled> {
        self.agents.iter().find(|agent| agent.name == *name && agent.revoked.is_none())
    }

    fn find_mut(&mut self, name: &Name) -> Option<&mut Enrolled> {
        self.agents.iter_mut().find(|agent| agent.name == *name && agent.revoked.is_none())
    }

    fn known(&self, name: &Name) -> Allowed<&Enrolled> {
        self.find(name).ok_or_else(|| {
            let enrolled = self.agents.iter().filter(|agent| agent.revoked.is_none());
            let names: Vec<&str> = enrolled.map(|agent| agent.name.as_str()).collect();
            let names = if names.is_empty() { "nobody is".to_owned() } else { names.join(", ") };
            Refusal::missing(format!("no agent {name} is enrolled ({names})"))
                .help("see all of them: bramble-terminal agents")
        })
    }

    /// Whether an agent may be invited. A name is one agent's, whatever its role, so that
    /// nobody has to ask which one is meant.
    ///
    /// # Errors
    /// When the name is that of an agent of another role, or is about to be another's.
    pub(crate) fn may_invite(&self, agent: &Agent) -> Allowed<()> {
        let Agent { role, name } = agent;
        if let Some(other) = self.find(name).filter(|other| other.role != *role) {
            return Err(Refusal::conflict(format!("{name} is the name of a {} already", other.role)).help(
                format!(
                    "choose another name, or revoke that one first: bramble-terminal agents revoke {name}"
                ),
            ));
        }
        self.not_promised(name)
    }

    fn not_promised(&self, name: &Name) -> Allowed<()> {
        let promised =
            |agent: &&Enrolled| agent.name != *name && agent.revoked.is_none() && agent.is_promised(name);
        match self.agents.iter().find(promised) {
            Some(other) => Err(Refusal::conflict(format!("{} is about to be called {name}", other.name))
                .help("choose another name")),
            None => Ok(()),
        }
    }

    /// Notes down a certificate that an agent is about to be given. Who has its name keeps it until
    /// [`Registry::joined`]. A certificate that was promised before and is not used is returned.
    pub(crate) fn joins(&mut self, agent: &Agent, issued: &Issued, now: Timestamp) -> Option<Serial> {
        let certificate = Certificate::new(issued);
        if let Some(before) = self.find_mut(&agent.name) {
            let becoming = Becoming { name: agent.name.clone(), certificate };
            return before.becomes.replace(becoming).map(|not_used| not_used.certificate.serial);
        }
        self.add(agent, certificate, now);
        None
    }

    /// An agent has the certificate that it was given. That of the one whose place it takes is
    /// returned.
    pub(crate) fn joined(&mut self, agent: &Agent, serial: Serial, now: Timestamp) -> Option<Serial> {
        let before = self.find_mut(&agent.name)?;
        let becoming = before.becomes.take_if(|becoming| becoming.certificate.serial == serial)?;
        let before = before.certificate.serial;
        self.add(agent, becoming.certificate, now);
        Some(before)
    }

    /// An agent doesn't have the certificate that it was given, or nobody knows: who had its name
    /// before keeps it.
    pub(crate) fn did_not_join(&mut self, agent: &Agent, serial: Serial) {
        if let Some(before) = self.find_mut(&agent.name) {
            before.becomes.take_if(|becoming| becoming.certificate.serial == serial);
        }
        self.agents.retain(|other| other.certificate.serial != serial);
    }

    /// Who was joining in another's place when this was written: it, the certificate that it was
    /// given, and that of the other.
    pub(crate) fn unsettled(&self) -> Vec<(Agent, Serial, Serial)> {
        let joining = self.agents.iter().filter(|agent| agent.is_promised(&agent.name));
        let serials = |agent: &Enrolled| {
            let given = agent.becomes.as_ref()?.certificate.serial;
            Some((agent.agent(), given, agent.certificate.serial))
        };
        joining.filter_map(serials).collect()
    }

    /// Notes down an agent, in place of all that had its name.
    fn add(&mut self, agent: &Agent, certificate: Certificate, now: Timestamp) {
        // It is the same box, whatever computer that has now.
        let called = self.agents.iter().filter(|other| other.name == agent.name);
        let called = called.flat_map(|other| other.called.clone()).collect();
        self.agents.retain(|other| other.name != agent.name);
        self.agents.push(Enrolled {
            called,
            name: agent.name.clone(),
            role: agent.role,
            certificate,
            enrolled: now,
            last_here: None,
            revoked: None,
            becomes: None,
        });
        self.sort();
    }

    /// Every certificate that an agent of that name may have, revoked or not.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(crate) fn serials(&self, name: &Name) -> Allowed<Vec<Serial>> {
        let agent = self.agents.iter().find(|agent| agent.name == *name);
        Ok(agent.map_or_else(|| self.known(name), Ok)?.serials().collect())
    }

    /// The certificates of those that are revoked.
    pub(crate) fn revoked(&self) -> impl Iterator<Item = Serial> {
        self.agents.iter().filter(|agent| agent.revoked.is_some()).flat_map(Enrolled::serials)
    }

    /// Notes down that an agent is revoked.
    ///
    /// # Errors
    /// When there is none of that name, or it was revoked before.
    pub(crate) fn revoke(&mut self, name: &Name, now: Timestamp) -> Allowed<Agent> {
        if let Some(when) =
            self.agents.iter().find(|agent| agent.name == *name).and_then(|agent| agent.revoked)
        {
            let when = when.strftime("%Y-%m-%d %H:%M:%S UTC");
            return Err(Refusal::conflict(format!("{name} was revoked before, at {when}")));
        }
        self.known(name)?;
        // It was found a line above.
        let agent = self.find_mut(name).expect("the agent is known");
        (agent.revoked, agent.becomes) = (Some(now), None);
        Ok(agent.agent())
    }

    /// The pilot that is to be renamed, if it may be.
    ///
    /// # Errors
    /// When there is none, it is no pilot, or the name is taken.
    pub(crate) fn may_rename(&self, name: &Name, to: &Name) -> Allowed<&Enrolled> {
        let agent = self.known(name)?;
        if agent.role != Role::Pilot {
            return Err(Refusal::conflict(format!(
                "{name} is a {}: its pilot's configuration names it, so both have to change together",
                agent.role
            ))
            .help(format!(
                "invite it anew: bramble-terminal invite {to} --child; let it join, change `child = \"{name}\"` in \
                 the pilot's configuration, and then: bramble-terminal agents revoke {name}"
            )));
        }
        match &agent.becomes {
            Some(becoming) if becoming.name == *name => {
                return Err(Refusal::conflict(format!("another computer is about to join as {name}"))
                    .help("try again in a moment"));
            }
            // The same again: it may not have arrived.
            Some(becoming) if becoming.name == *to => return Ok(agent),
            Some(becoming) => {
                return Err(Refusal::conflict(format!("{name} is about to be called {}", becoming.name))
                    .help("wait until it is here under that name: bramble-terminal agents"));
            }
            None => {}
        }
        if self.find(to).is_some() {
            return Err(
                Refusal::conflict(format!("{to} is another agent's name")).help("choose another name")
            );
        }
        self.not_promised(to)?;
        Ok(agent)
    }

    /// Notes down what an agent is about to be called.
    pub(crate) fn promise(&mut self, name: &Name, becoming: Becoming) {
        if let Some(agent) = self.find_mut(name) {
            agent.becomes = Some(becoming);
        }
    }

    /// The agent keeps its name after all. The certificate for the other one is returned.
    pub(crate) fn keep_name(&mut self, name: &Name) -> Option<Serial> {
        Some(self.find_mut(name)?.becomes.take()?.certificate.serial)
    }

    /// The certificate that an agent has no more when it is here under its new name.
    pub(crate) fn outgrown(&self, name: &Name) -> Option<Serial> {
        let is_new = |agent: &&Enrolled| agent.revoked.is_none() && agent.is_promised(name);
        match self.find(name) {
            Some(_) => None,
            None => self.agents.iter().find(is_new).map(|agent| agent.certificate.serial),
        }
    }

    /// An agent is here. Where it is so under its new name for the first time, what it was
    /// called before is returned.
    pub(crate) fn is_here(&mut self, name: &Name, now: Timestamp) -> Option<Name> {
        if let Some(agent) = self.find_mut(name) {
            agent.last_here = Some(now);
            return None;
        }
        let is_new = |agent: &&mut Enrolled| agent.revoked.is_none() && agent.is_promised(name);
        let agent = self.agents.iter_mut().find(is_new)?;
        let Becoming { name, certificate } = agent.becomes.take()?;
        let old = std::mem::replace(&mut agent.name, name);
        agent.called.push(Called { name: old.clone(), until: now });
        (agent.certificate, agent.last_here) = (certificate, Some(now));
        let (name, serial) = (agent.name.clone(), agent.certificate.serial);
        // A name is noted down once: who had it before was revoked.
        self.agents.retain(|other| other.name != name || other.certificate.serial == serial);
        self.sort();
        Some(old)
    }

    /// What the agent is called now that was called so then.
    pub(crate) fn name_now<'a>(&'a self, then: &'a str, when: Timestamp) -> &'a str {
        let called = self.agents.iter().flat_map(|agent| agent.called.iter().map(move |name| (agent, name)));
        let called = called.filter(|(_, called)| called.name.as_str() == then && called.until > when);
        called.min_by_key(|(_, called)| called.until).map_or(then, |(agent, _)| agent.name.as_str())
    }

    fn sort(&mut self) {
        self.agents.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_identity::{Authority, Request};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn issued(agent: &Agent) -> Issued {
        Authority::new().unwrap().issue(&Request::new().unwrap().csr().unwrap(), agent).unwrap()
    }

    fn pilot(text: &str) -> Agent {
        Agent::new(Role::Pilot, name(text))
    }

    fn child(text: &str) -> Agent {
        Agent::new(Role::Child, name(text))
    }

    fn registry(agents: &[Agent]) -> Registry {
        let mut registry = Registry::default();
        for agent in agents {
            assert_eq!(registry.joins(agent, &issued(agent), at(0)), None);
        }
        registry
    }

    fn becoming(text: &str) -> Becoming {
        Becoming { name: name(text), certificate: Certificate::new(&issued(&pilot(text))) }
    }

    fn names(registry: &Registry) -> Vec<&str> {
        registry.all().iter().map(|agent| agent.name.as_str()).collect()
    }

    #[test]
    fn an_agent_that_joins_again_takes_the_place_of_the_one_before() {
        let mut registry = registry(&[pilot("box2"), pilot("box1")]);
        let serial = |registry: &Registry| registry.find(&name("box1")).unwrap().certificate.serial;
        let (before, again) = (serial(&registry), issued(&pilot("box1")));
        assert_eq!(registry.joins(&pilot("box1"), &again, at(5)), None);
        assert_eq!(serial(&registry), before, "nobody knows yet whether it has its certificate");
        assert_eq!(registry.unsettled(), [(pilot("box1"), again.serial, before)]);
        assert!(registry.may_invite(&pilot("box1")).is_ok());
        assert_eq!(registry.joined(&pilot("box1"), again.serial, at(6)), Some(before));
        assert_eq!((names(&registry), serial(&registry)), (vec!["box1", "box2"], again.serial));
        assert_eq!(registry.unsettled(), []);
    }

    #[test]
    fn who_does_not_get_its_certificate_takes_nobodys_place() {
        let mut registry = registry(&[pilot("box1")]);
        let before = registry.clone();
        for agent in [pilot("box1"), pilot("box2")] {
            let given = issued(&agent);
            registry.joins(&agent, &given, at(5));
            registry.did_not_join(&agent, given.serial);
            assert_eq!(registry, before);
            assert_eq!(registry.joined(&agent, given.serial, at(6)), None);
        }
    }

    #[test]
    fn a_name_is_one_agents_whatever_its_role() {
        let mut registry = registry(&[pilot("box1")]);
        assert!(registry.may_invite(&child("box1")).unwrap_err().message.contains("a pilot already"));
        assert!(registry.may_invite(&pilot("box1")).is_ok());
        registry.revoke(&name("box1"), at(1)).unwrap();
        assert!(registry.may_invite(&child("box1")).is_ok(), "a revoked agent's name is free");
    }

    #[test]
    fn a_revoked_agent_stays_noted_down_and_can_not_be_revoked_again() {
        let mut registry = registry(&[pilot("box1")]);
        let serial = registry.find(&name("box1")).unwrap().certificate.serial;
        assert_eq!(registry.revoke(&name("box1"), at(1)).unwrap(), pilot("box1"));
        assert!(registry.revoke(&name("box1"), at(2)).unwrap_err().message.contains("revoked before"));
        assert_eq!(registry.revoked().collect::<Vec<_>>(), [serial]);
        assert_eq!(registry.serials(&name("box1")).unwrap(), [serial], "it may be revoked again");
        assert_eq!(registry.all()[0].revoked, Some(at(1)));
        let unknown = registry.serials(&name("box7")).unwrap_err();
        assert!(unknown.message.contains("no agent box7 is enrolled (nobody is)"), "{unknown}");
    }

    #[test]
    fn a_pilot_is_renamed_when_it_is_here_under_its_new_name() {
        let mut registry = registry(&[pilot("box1")]);
        let old = registry.find(&name("box1")).unwrap().certificate.serial;
        registry.promise(&name("box1"), becoming("box2"));
        assert_eq!(registry.outgrown(&name("box1")), None);
        assert_eq!(registry.is_here(&name("box1"), at(3)), None, "it has not heard of it");
        assert_eq!(registry.outgrown(&name("box2")), Some(old));
        assert_eq!(registry.is_here(&name("box2"), at(4)), Some(name("box1")));
        assert_eq!(names(&registry), ["box2"]);
        assert_eq!(registry.find(&name("box2")).unwrap().last_here, Some(at(4)));
        assert_eq!(registry.is_here(&name("box2"), at(5)), None);
    }

    #[test]
    fn a_box_is_found_by_the_name_that_it_had() {
        let mut registry = registry(&[pilot("box1")]);
        let rename = |registry: &mut Registry, from: &str, to: &str, when: i64| {
            registry.promise(&name(from), becoming(to));
            registry.is_here(&name(to), at(when)).unwrap();
        };
        rename(&mut registry, "box1", "box2", 10);
        assert_eq!(registry.name_now("box1", at(9)), "box2");
        assert_eq!(registry.name_now("box1", at(11)), "box1", "which is another by then");
        registry.joins(&pilot("box1"), &issued(&pilot("box1")), at(12));
        rename(&mut registry, "box1", "box3", 20);
        rename(&mut registry, "box2", "box4", 30);
        assert_eq!(["box1", "box2"].map(|then| registry.name_now(then, at(9))), ["box4", "box4"]);
        assert_eq!(registry.name_now("box1", at(15)), "box3");
        let again = issued(&pilot("box3"));
        registry.joins(&pilot("box3"), &again, at(40));
        registry.joined(&pilot("box3"), again.serial, at(41)).unwrap();
        assert_eq!(registry.name_now("box1", at(15)), "box3", "another computer is in the same box");
        let text = serde_json::to_string(&registry).unwrap();
        assert_eq!(serde_json::from_str::<Registry>(&text).unwrap(), registry);
    }

    #[test]
    fn a_name_that_is_promised_is_taken() {
        let mut registry = registry(&[pilot("box1"), pilot("box3"), child("wheels")]);
        registry.promise(&name("box1"), becoming("box2"));
        assert!(registry.may_rename(&name("box1"), &name("box2")).is_ok(), "the same again");
        assert!(registry.may_rename(&name("box1"), &name("box4")).is_err());
        for other in ["box2", "box1"] {
            assert!(registry.may_rename(&name("box3"), &name(other)).is_err(), "{other}");
        }
        assert!(registry.may_invite(&pilot("box2")).is_err());
        let refused = registry.may_rename(&name("wheels"), &name("lamps")).unwrap_err();
        assert!(refused.help.unwrap().contains("invite lamps --child"));
        let serial = registry.keep_name(&name("box1"));
        assert!(serial.is_some() && registry.may_rename(&name("box3"), &name("box2")).is_ok());
    }

    #[test]
    fn who_is_revoked_while_it_is_renamed_is_so_under_both_names() {
        let mut registry = registry(&[pilot("box1")]);
        let next = becoming("box2");
        registry.promise(&name("box1"), next.clone());
        let serials = registry.serials(&name("box1")).unwrap();
        registry.revoke(&name("box1"), at(1)).unwrap();
        assert_eq!(serials.len(), 2);
        assert_eq!(serials[1], next.certificate.serial);
        assert_eq!(registry.is_here(&name("box2"), at(2)), None);
    }
}
