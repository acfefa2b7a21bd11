//! The agents of this swarm: who is invited, who was enrolled, whose certificates
//! hold no more.

mod file;
mod joins;
mod registry;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bramble_enrolment::{Code, Invitations, Wanted, Welcome};
use bramble_identity::{Agent, Authority, Identity, IdentityError, Revocations, Serial};
use bramble_value::Name;
use jiff::Timestamp;

pub(crate) use joins::Joining;
pub(crate) use registry::Enrolled;
use registry::{Becoming, Certificate, Registry};

use crate::config::Settings;
use crate::refusal::{Allowed, Refusal};

/// The file of the enrolled agents in the data folder.
const FILE: &str = "agents.json";

/// Everything about who may talk to whom.
pub(crate) struct Agents {
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
    /// the first time.
    ///
    /// # Errors
    /// When its files can't be read or written.
    pub(crate) fn open(settings: &Settings) -> Allowed<Agents> {
        let keys = settings.keys();
        let open = || {
            let authority = Authority::open(&keys)?;
            let identity = authority.terminal(&keys, &settings.name)?;
            Ok((authority, identity, Revocations::load(&keys)?))
        };
        let (authority, identity, revocations) = open().map_err(|error: IdentityError| {
            Refusal::failed(format!("the swarm's keys can't be used: {error}"))
        })?;
        let file = settings.data.join(FILE);
        Ok(Agents {
            authority,
            identity,
            revocations,
            invitations: Mutex::default(),
            registry: Mutex::new(file::read(&file)?),
            unwritten: AtomicBool::new(false),
            file,
        })
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

    /// Enrols an agent that proved to be invited: when this returns, all is on disk.
    /// It blocks.
    ///
    /// # Errors
    /// Why it wasn't, for the log.
    fn enrol(&self, Wanted { agent, csr }: &Wanted) -> Result<Welcome, String> {
        let issued = self.authority.issue(csr, agent).map_err(|error| error.to_string())?;
        let before = self.write(|registry| {
            registry.may_invite(agent)?;
            Ok(registry.enrol(agent, &issued, Timestamp::now()))
        });
        let before = before.map_err(|refusal| refusal.to_string())?;
        if !before.is_empty() {
            tracing::warn!("the {agent} joined again, and the certificate it had is revoked");
        }
        self.revocations.revoke(before).map_err(|error| error.to_string())?;
        Ok(Welcome {
            certificate: issued.certificate,
            authority: self.authority.certificate().to_vec(),
            terminal: self.identity.agent().name.clone(),
        })
    }

    /// Revokes an agent's certificate, at once and for good. It blocks.
    ///
    /// # Errors
    /// When there is no such agent, or it can't be written down.
    pub(crate) fn revoke(&self, name: &Name) -> Allowed<Agent> {
        let (agent, serials) = self.write(|registry| registry.revoke(name, Timestamp::now()))?;
        self.invitations().withdraw(&agent);
        self.revoke_certificates(serials)?;
        Ok(agent)
    }

    fn revoke_certificates(&self, serials: impl IntoIterator<Item = Serial>) -> Allowed<()> {
        self.revocations.revoke(serials).map_err(|error| {
            Refusal::failed(format!("it is revoked only until this terminal ends: {error}"))
                .help("see that the disk has room, and revoke it again after a start")
        })
    }

    /// Makes the certificate for a pilot's new name, for the pilot to take: in DER.
    /// It is renamed when it is here under that name. It blocks.
    ///
    /// # Errors
    /// When the pilot can't be renamed so.
    pub(crate) fn promise(&self, name: &Name, to: &Name) -> Allowed<Vec<u8>> {
        if *to == self.identity.agent().name {
            return Err(Refusal::conflict(format!("{to} is this terminal's own name")));
        }
        self.write(|registry| {
            let agent = registry.may_rename(name, to)?;
            if let Some(becoming) = &agent.becomes {
                return Ok(becoming.certificate.der());
            }
            let (role, certificate) = (agent.role, agent.certificate.der());
            let issued = self.authority.issue_again(&certificate, &Agent::new(role, to.clone()));
            let issued =
                issued.map_err(|error| Refusal::failed(format!("{name} can't be renamed: {error}")))?;
            let certificate = Certificate::new(&issued);
            registry.promise(name, Becoming { name: to.clone(), certificate });
            Ok(issued.certificate)
        })
    }

    /// A pilot didn't take its new name, and keeps the one that it has. It blocks.
    ///
    /// # Errors
    /// When it can't be written down.
    pub(crate) fn keep_name(&self, name: &Name) -> Allowed<()> {
        let not_used = self.write(|registry| Ok(registry.keep_name(name)))?;
        self.revoke_certificates(not_used)
    }

    /// An agent is here, or was until now. What it was called before is returned where it
    /// is here under a new name.
    pub(crate) fn is_here(&self, name: &Name) -> Option<Name> {
        let renamed = self.registry().is_here(name, Timestamp::now());
        self.unwritten.store(true, Ordering::Relaxed);
        let (old, serial) = renamed?;
        tracing::info!("{old} is called {name} from now on");
        // What isn't written now is written later, and the certificate is of the same agent.
        self.write_what_is_not();
        if let Err(refusal) = self.revoke_certificates([serial]) {
            tracing::warn!("the certificate of {old}: {refusal}");
        }
        Some(old)
    }

    /// Writes down what was not worth a write by itself. It blocks.
    pub(crate) fn write_what_is_not(&self) {
        if self.unwritten.swap(false, Ordering::Relaxed)
            && let Err(refusal) = self.write(|_| Ok(()))
        {
            tracing::warn!("{refusal}");
        }
    }

    /// Changes the registry, on disk and then here.
    fn write<T>(&self, change: impl FnOnce(&mut Registry) -> Allowed<T>) -> Allowed<T> {
        let mut registry = self.registry();
        let mut changed = registry.clone();
        let result = change(&mut changed)?;
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
