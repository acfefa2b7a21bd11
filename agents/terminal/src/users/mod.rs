//! Who may use the page: users, their roles and their passwords.

mod access;
mod file;
mod logins;
mod role;

use std::collections::BTreeMap;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use bramble_value::Name;
use serde::{Deserialize, Serialize};

use crate::refusal::{Allowed, Refusal};

pub(crate) use access::{Access, Login, Token};
pub(crate) use file::{path, read, write};
pub(crate) use role::Role;

/// A password has at least so many characters.
const SHORTEST: usize = 10;
/// A password has at most so many bytes.
const LONGEST: usize = 1_000;

/// Everybody who can log in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Users(BTreeMap<Name, User>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// What they may do.
    pub(crate) role: Role,
    /// The password's hash (Argon2id), with its salt and its cost, as a PHC string.
    password: String,
}

impl Users {
    /// Everybody, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Name, &User)> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a user may do, where there is one of this name.
    pub(crate) fn role(&self, name: &Name) -> Option<Role> {
        self.0.get(name).map(|user| user.role)
    }

    /// Adds a user, or gives one another password and role.
    ///
    /// # Errors
    /// Where the password is too short.
    pub(crate) fn add(&mut self, name: Name, role: Role, password: &str) -> Allowed<()> {
        if password.chars().count() < SHORTEST || password.len() > LONGEST {
            return Err(Refusal::wrong(format!("the password has to have at least {SHORTEST} characters"))
                .help("several words that don't belong together are easily remembered"));
        }
        let hash = Argon2::default().hash_password(password.as_bytes());
        let hash = hash.map_err(|error| Refusal::failed(format!("the password can't be hashed: {error}")))?;
        self.0.insert(name, User { role, password: hash.to_string() });
        Ok(())
    }

    /// Gives a user another role.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub(crate) fn set_role(&mut self, name: &Name, role: Role) -> Allowed<()> {
        self.0.get_mut(name).map(|user| user.role = role).ok_or_else(|| no_user(name))
    }

    /// Takes a user away.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub(crate) fn remove(&mut self, name: &Name) -> Allowed<()> {
        self.0.remove(name).map(drop).ok_or_else(|| no_user(name))
    }

    /// Whether this is the user's password. It takes as long where there is no such user, so that
    /// nobody learns from that who there is.
    pub(crate) fn knows(&self, name: &str, password: &str) -> bool {
        let user = name.parse::<Name>().ok().and_then(|name| self.0.get(&name));
        let known = user.map(|user| user.password.as_str());
        match known.and_then(|hash| PasswordHash::new(hash).ok()) {
            Some(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
            None => {
                // What comes of it is of no interest.
                let _ = Argon2::default().hash_password(password.as_bytes());
                false
            }
        }
    }
}

fn no_user(name: &Name) -> Refusal {
    Refusal::missing(format!("there is no user {name}"))
        .help("bramble-terminal user list shows those there are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let mut users = Users::default();
        let alice: Name = "alice".parse().unwrap();
        assert!(users.add(alice.clone(), Role::Run, "too short").is_err());
        users.add(alice.clone(), Role::Run, "correct horse").unwrap();
        assert!(users.knows("alice", "correct horse"));
        assert!(!users.knows("alice", "correct horses") && !users.knows("bob", "correct horse"));
        assert!(!users.knows("a b", ""), "what is no name is nobody's");
        assert!(!serde_json::to_string(&users).unwrap().contains("horse"));
        users.set_role(&alice, Role::Manage).unwrap();
        assert_eq!(users.role(&alice), Some(Role::Manage));
        assert!(users.knows("alice", "correct horse"), "with another role too");
        users.remove(&alice).unwrap();
        assert!(users.remove(&alice).is_err() && users.is_empty());
    }
}
