//! What an agent is of its swarm when it starts.

use std::path::Path;

use bramble_identity::{Agent, Identity, IdentityError, Revocations, Role};
use bramble_value::Name;
use thiserror::Error;

/// An agent, and what it has of its swarm.
#[derive(Debug, Clone)]
pub struct Member {
    /// What it is called. A certificate is the truth; where there is none, what was written
    /// in a configuration or on a command line counts.
    pub name: Name,
    /// What it proves itself with, where it is enrolled.
    pub identity: Option<Identity>,
    /// The certificates that hold no more, as far as it was told.
    pub revocations: Revocations,
}

/// Keys that an agent can't start with.
#[derive(Debug, Error)]
pub enum MemberError {
    /// They can't be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// They are another agent's.
    #[error("the keys in {keys} are those of the {found}, and this is a {role}: give it another data folder")]
    OtherRole {
        /// The folder.
        keys: String,
        /// Whose they are.
        found: Agent,
        /// What this agent is.
        role: Role,
    },
}

impl Member {
    /// The agent of a role with that keys' folder, which is called so where it isn't enrolled.
    ///
    /// # Errors
    /// [`MemberError`] when there are keys that can't be its.
    pub fn load(keys: &Path, role: Role, written: &Name) -> Result<Member, MemberError> {
        let identity = Identity::load(keys)?;
        if let Some(found) = identity.as_ref().map(Identity::agent).filter(|found| found.role != role) {
            let keys = keys.display().to_string();
            return Err(MemberError::OtherRole { keys, found: found.clone(), role });
        }
        let name = identity.as_ref().map_or(written, |identity| &identity.agent().name).clone();
        Ok(Member { name, identity, revocations: Revocations::load(keys)? })
    }

    /// What a person should know where the agent is called otherwise than was written.
    pub fn differs_from(&self, written: &Name) -> Option<String> {
        let Member { name, .. } = self;
        (name != written).then(|| {
            format!("this agent is enrolled as {name}, which counts, and its configuration says {written}: write name = \"{name}\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_identity::Authority;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn an_agent_is_called_as_its_certificate_says() {
        let folder = tempfile::tempdir().unwrap();
        let written = name("box1");
        let member = Member::load(folder.path(), Role::Pilot, &written).unwrap();
        assert_eq!((&member.name, member.differs_from(&written)), (&written, None));
        assert!(member.identity.is_none());

        let authority = Authority::new().unwrap();
        authority.enrol(&Agent::new(Role::Pilot, name("box2"))).unwrap().save(folder.path()).unwrap();
        let member = Member::load(folder.path(), Role::Pilot, &written).unwrap();
        assert_eq!(member.name, name("box2"));
        assert!(member.differs_from(&written).unwrap().contains("write name = \"box2\""));
    }

    #[test]
    fn the_keys_of_a_child_are_not_a_pilots() {
        let folder = tempfile::tempdir().unwrap();
        let child = Agent::new(Role::Child, name("wheels"));
        Authority::new().unwrap().enrol(&child).unwrap().save(folder.path()).unwrap();
        let error = Member::load(folder.path(), Role::Pilot, &name("box1")).unwrap_err();
        assert!(error.to_string().contains("those of the child `wheels`"), "{error}");
    }
}
