//! Who asks for something, as far as the door knows.

use bramble_value::Person;
use serde_json::{Map, Value};

use crate::refusal::{Allowed, Refusal};
use crate::users::Role;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The terminal's own user, at the Unix socket, who says for whom it is.
    Socket,
    /// Somebody on this computer, without a login: this person, where they don't say who.
    Here(Person),
    /// Who has logged in.
    User {
        /// As the record has them.
        person: Person,
        /// What they may do.
        role: Role,
    },
}

impl Caller {
    /// Says in what is asked who asks.
    ///
    /// # Errors
    /// Where it says already that it's somebody else than who has logged in.
    pub(crate) fn sign(&self, fields: &mut Map<String, Value>) -> Allowed<()> {
        let person = match self {
            Caller::Socket => return Ok(()),
            Caller::Here(person) | Caller::User { person, .. } => person,
        };
        let said = fields.entry("who").or_insert_with(|| person.as_str().into());
        match self {
            Caller::User { .. } if said.as_str() != Some(person.as_str()) => {
                Err(Refusal::forbidden(format!("you are {person}, and the record says nobody else"))
                    .help("leave out `who`"))
            }
            _ => Ok(()),
        }
    }

    /// Whether who has opened something may still look at it.
    pub(crate) fn is_still_allowed(&self) -> bool {
        true
    }

    /// Who it is, where that is known.
    pub(crate) fn person(&self) -> Option<&Person> {
        match self {
            Caller::Socket => None,
            Caller::Here(person) | Caller::User { person, .. } => Some(person),
        }
    }

    /// What they may do: on this computer everything, where there is no login.
    pub(crate) fn role(&self) -> Role {
        match self {
            Caller::Socket | Caller::Here(_) => Role::Manage,
            Caller::User { role, .. } => *role,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signed(caller: &Caller, mut asked: Value) -> Allowed<Value> {
        caller.sign(asked.as_object_mut().unwrap()).map(|()| asked)
    }

    #[test]
    fn who_asks_is_who_the_door_knows() {
        let alice: Person = "alice@desk".parse().unwrap();
        let user = Caller::User { person: alice.clone(), role: Role::Run };
        assert_eq!(signed(&user, json!({})).unwrap(), json!({ "who": "alice@desk" }));
        assert!(signed(&user, json!({ "who": "alice@desk" })).is_ok());
        assert!(signed(&user, json!({ "who": "bob@desk" })).is_err());
        assert!(signed(&user, json!({ "who": null })).is_err());
        let here = Caller::Here(alice);
        assert_eq!(signed(&here, json!({})).unwrap(), json!({ "who": "alice@desk" }));
        assert_eq!(signed(&here, json!({ "who": "bob@desk" })).unwrap(), json!({ "who": "bob@desk" }));
        assert_eq!(signed(&Caller::Socket, json!({})).unwrap(), json!({}), "it has to say so");
    }
}
