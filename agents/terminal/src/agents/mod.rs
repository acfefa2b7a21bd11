//! The agents of this swarm: who is invited, who was enrolled, whose certificates
//! hold no more.

mod file;
mod joins;
mod registry;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bramble_enrolment::{Code, Invitations, Wanted, Welcome};
use bramble_identity::{Agent, Authority, Identity, IdentityError, Peer, Revocations, Serial};
use bramble_value::Name;
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) use joins::{Joining, note_who_comes};
pub(crate) use registry::Enrolled;
use registry::{Becoming, Certificate, Registry};

use crate::config::Settings;
use crate::refusal::{Allowed, Refusal};

/// The file of the enrolled agents in the data folder.
const FILE: &str = "agents.json";

/// Everything about who may talk to whom.
pub(crate) struct Agents {
    /// The number of this terminal's lab, which outlives its swarm's keys.
    lab: Uuid,
    authority: Authority,
    identity: Identity,
    revocations: Revocations,
    invitations: Mutex<Invitations>,
    registry: Mutex<Registry>,
    /// Whether there is something that was not worth a write by itself.
    unwritten: AtomicBool,
    file: PathBuf,
}

impl Agents {
    /// The agents of the terminal with these settings. Its keys are made when it starts for
    /// the first time. `lab` says which lab a swarm's is.
    ///
    /// # Errors
    /// When its files can't be read or written, or don't fit together.
    pub(crate) fn open(settings: &Settings, lab: impl FnOnce(Uuid) -> Uuid) -> Allowed<Agents> {
        Agents::with(&settings.keys(), settings.data.join(FILE), &settings.name, lab)
    }

    fn with(keys: &Path, file: PathBuf, name: &Name, lab: impl FnOnce(Uuid) -> Uuid) -> Allowed<Agents> {
        let registry = file::read(&file)?;
        let unusable =
            |error: IdentityError| Refusal::failed(format!("the swarm's keys can't be used: {error}"));
        if registry.has_enrolled() && Authority::load(keys).map_err(unusable)?.is_none() {
            return Err(Refusal::failed(format!(
                "there are no keys of a swarm in {}, and {} has agents that were enrolled with them",
                keys.display(),
                file.display()
            ))
            .help(
                "restore the folder from a backup; or, to make a new swarm, move that file away and let every agent \
                 join again with --replace",
            ));
        }
        let open = || {
            let authority = Authority::open(keys)?;
            let identity = authority.terminal(keys, name)?;
            Ok((authority, identity, Revocations::load(keys)?))
        };
        let (authority, identity, revocations) = open().map_err(unusable)?;
        let agents = Agents {
            lab: lab(authority.swarm()),
            authority,
            identity,
            revocations,
            invitations: Mutex::default(),
            registry: Mutex::new(registry),
            unwritten: AtomicBool::new(false),
            file,
        };
        agents.take_up();
        Ok(agents)
    }

    /// Completes what was half done when this terminal ended.
    fn take_up(&self) {
        let (unsettled, revoked) = {
            let registry = self.registry();
            (registry.unsettled(), registry.revoked().collect::<Vec<_>>())
        };
        // Who is noted down as revoked is so, whatever came of the other file.
        self.revoke_or_say_so(revoked);
        for (agent, given, before) in unsettled {
            match self.revocations.contains(before) {
                true => self.joined(&agent, given),
                false => self.did_not_join(&agent, given),
            }
        }
    }

    /// The number of this terminal's lab.
    pub(crate) fn lab(&self) -> Uuid {
        self.lab
    }

    /// What this terminal proves itself with.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The certificates that hold no more.
    pub(crate) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Everybody that was ever enrolled.
    pub(crate) fn all(&self) -> Vec<Enrolled> {
        self.registry().all().to_vec()
    }

    /// What the agents are called now that were called so then.
    pub(crate) fn names_now<'a>(&self, then: impl Iterator<Item = (&'a str, Timestamp)>) -> Vec<String> {
        let registry = self.registry();
        then.map(|(name, when)| registry.name_now(name, when).to_owned()).collect()
    }

    /// Invites an agent. Says by which code, and whether one of that name is enrolled.
    ///
    /// # Errors
    /// When the name is another agent's, or too many are invited.
    pub(crate) fn invite(&self, agent: Agent) -> Allowed<(Code, bool)> {
        if agent.name == self.identity.agent().name {
            return Err(Refusal::conflict(format!("{} is this terminal's own name", agent.name))
                .help("choose another name"));
        }
        let is_enrolled = {
            let registry = self.registry();
            registry.may_invite(&agent)?;
            registry.find(&agent.name).is_some()
        };
        let random = bramble_enrolment::random().map_err(|error| Refusal::failed(error.to_string()))?;
        let code = self.invitations().invite(agent, random, bramble_link::now());
        Ok((code.map_err(|full| Refusal::conflict(full.to_string()))?, is_enrolled))
    }

    /// Makes the certificate of an agent that proved to be invited, and notes it down: when this
    /// returns, all is on disk. Who has its name keeps it until [`Agents::joined`]. It blocks.
    ///
    /// # Errors
    /// Why it wasn't, for the log.
    fn enrol(&self, Wanted { agent, csr }: &Wanted) -> Result<(Welcome, Serial), String> {
        let issued = self.authority.issue(csr, agent).map_err(|error| error.to_string())?;
        let noted = self.write(|registry| {
            registry.may_invite(agent)?;
            let not_used = registry.joins(agent, &issued, Timestamp::now());
            Ok(((), not_used.into_iter().collect()))
        });
        noted.map_err(|refusal| refusal.to_string())?;
        let welcome = Welcome {
            certificate: issued.certificate,
            authority: self.authority.certificate().to_vec(),
            terminal: self.identity.agent().name.clone(),
            lab: Some(self.lab),
        };
        Ok((welcome, issued.serial))
    }

    /// An agent has the certificate that it was given; who had its name before has lost it. It
    /// blocks.
    fn joined(&self, agent: &Agent, given: Serial) {
        let before = self.registry().joined(agent, given, Timestamp::now());
        if before.is_some() {
            tracing::warn!("the {agent} joined again, and the certificate it had is revoked");
            self.settle(before);
        }
    }

    /// Whether an agent has the certificate that it was given nobody knows, so that it holds no
    /// more. It blocks.
    fn did_not_join(&self, agent: &Agent, given: Serial) {
        self.registry().did_not_join(agent, given);
        self.settle([given]);
    }

    /// Writes down a change that has happened, and what it revoked. Where it can't be written now,
    /// that is tried again.
    fn settle(&self, revoked: impl IntoIterator<Item = Serial>) {
        self.revoke_or_say_so(revoked);
        self.unwritten.store(true, Ordering::Relaxed);
        self.write_what_is_not();
    }

    fn revoke_or_say_so(&self, serials: impl IntoIterator<Item = Serial>) {
        if let Err(refusal) = self.revoke_certificates(serials) {
            tracing::warn!("{refusal}");
        }
    }

    /// Revokes an agent's certificate, at once and for good. It blocks.
    ///
    /// # Errors
    /// When there is no such agent, it was revoked before, or it can't be written down.
    pub(crate) fn revoke(&self, name: &Name) -> Allowed<Agent> {
        let agent = self.write(|registry| {
            // Also where it was revoked before: whoever asks wants it to hold.
            self.revoke_certificates(registry.serials(name)?)?;
            Ok((registry.revoke(name, Timestamp::now())?, Vec::new()))
        })?;
        self.invitations().withdraw(&agent);
        Ok(agent)
    }

    fn revoke_certificates(&self, serials: impl IntoIterator<Item = Serial>) -> Allowed<()> {
        self.revocations.revoke(serials).map_err(|error| {
            Refusal::failed(format!("what is revoked is so only until this terminal ends: {error}"))
                .help("see that the disk has room and that this user may write there, and revoke it again")
        })
    }

    /// Makes the certificate for a pilot's new name, for the pilot to take: in DER.
    /// It is renamed when it is here under that name. It blocks.
    ///
    /// # Errors
    /// When the pilot can't be renamed so.
    pub(crate) fn promise(&self, name: &Name, to: &Name) -> Allowed<Vec<u8>> {
        self.write(|registry| {
            let agent = self.may_rename(registry, name, to)?;
            if let Some(becoming) = &agent.becomes {
                return Ok((becoming.certificate.der(), Vec::new()));
            }
            let (role, certificate) = (agent.role, agent.certificate.der());
            let issued = self.authority.issue_again(&certificate, &Agent::new(role, to.clone()));
            let issued =
                issued.map_err(|error| Refusal::failed(format!("{name} can't be renamed: {error}")))?;
            let certificate = Certificate::new(&issued);
            registry.promise(name, Becoming { name: to.clone(), certificate });
            Ok((issued.certificate, Vec::new()))
        })
    }

    /// Whether a pilot can be renamed so, as far as it isn't asked itself.
    ///
    /// # Errors
    /// When it can't.
    pub(crate) fn check_rename(&self, name: &Name, to: &Name) -> Allowed<()> {
        self.may_rename(&self.registry(), name, to).map(drop)
    }

    fn may_rename<'a>(&self, registry: &'a Registry, name: &Name, to: &Name) -> Allowed<&'a Enrolled> {
        if *to == self.identity.agent().name {
            return Err(
                Refusal::conflict(format!("{to} is this terminal's own name")).help("choose another name")
            );
        }
        registry.may_rename(name, to)
    }

    /// A pilot didn't take its new name, and keeps the one that it has. It blocks.
    ///
    /// # Errors
    /// When it can't be written down.
    pub(crate) fn keep_name(&self, name: &Name) -> Allowed<()> {
        self.write(|registry| Ok(((), registry.keep_name(name).into_iter().collect())))
    }

    /// An agent is here, or was until now. What it was called before is returned where it
    /// is here under a new name.
    pub(crate) fn is_here(&self, name: &Name) -> Option<Name> {
        let (outgrown, renamed) = {
            let mut registry = self.registry();
            (registry.outgrown(name), registry.is_here(name, Timestamp::now()))
        };
        self.unwritten.store(true, Ordering::Relaxed);
        let old = renamed?;
        tracing::info!("{old} is called {name} from now on");
        self.settle(outgrown);
        Some(old)
    }

    /// An agent came with a certificate of this swarm, here or at its pilot. Where it isn't noted
    /// down, because the file of the agents was lost, it is from now on, so that it can be seen and
    /// revoked. Where its name is another's by now, it is revoked, if it has shown its certificate
    /// here. It blocks.
    pub(crate) fn came(&self, peer: &Peer, certificate: Option<&[u8]>) {
        let Peer { agent, serial } = peer;
        if self.registry().knows(*serial) || self.revocations.contains(*serial) {
            return;
        }
        let (taken_in, is_anothers) = {
            let mut registry = self.registry();
            let taken_in = registry.take_in(peer, certificate, Timestamp::now());
            (taken_in, registry.find(&agent.name).is_some() || registry.may_invite(agent).is_err())
        };
        if taken_in {
            tracing::warn!("the {agent} is of this swarm and was not noted down; it is now");
            self.settle([]);
        } else if is_anothers && certificate.is_some() {
            tracing::warn!("a {agent} came whose name is another's by now, and its certificate is revoked");
            self.settle([*serial]);
        }
    }

    /// Writes down what was not worth a write by itself. It blocks.
    pub(crate) fn write_what_is_not(&self) {
        if self.unwritten.swap(false, Ordering::Relaxed)
            && let Err(refusal) = self.write(|_| Ok(((), Vec::new())))
        {
            self.unwritten.store(true, Ordering::Relaxed);
            tracing::warn!("{refusal}");
        }
    }

    /// Changes the registry, on disk and then here. The certificates that the change returns, and
    /// all that were revoked before, are on disk first: one that nobody has noted down could be
    /// revoked by nobody.
    fn write<T>(&self, change: impl FnOnce(&mut Registry) -> Allowed<(T, Vec<Serial>)>) -> Allowed<T> {
        let mut registry = self.registry();
        let mut changed = registry.clone();
        let (result, revoked) = change(&mut changed)?;
        self.revoke_certificates(revoked)?;
        file::write(&self.file, &changed)?;
        *registry = changed;
        Ok(result)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // It is changed as a whole.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn invitations(&self) -> MutexGuard<'_, Invitations> {
        // What a panic may leave half done is one invitation.
        self.invitations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
