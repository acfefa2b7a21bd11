//! Who asks for something, as far as the door knows.

use std::sync::Arc;

use bramble_value::Person;
use serde_json::{Map, Value};

use crate::refusal::{Allowed, Refusal};
use crate::users::{Access, Login, Role, Token};

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The terminal's own user, at the Unix socket, who says for whom it is.
    Socket,
    /// Somebody on this computer, without a login: this person, where they don't say who.
    Here(Person),
    /// Who has not logged in, where that is asked for.
    Nobody,
    /// Who has logged in.
    User(Arc<User>),
}

/// Who has logged in.
#[derive(Debug)]
pub(crate) struct User {
    pub(super) login: Login,
    pub(super) token: Token,
    pub(super) access: Arc<Access>,
}

impl Caller {
    /// Says in what is asked who asks.
    ///
    /// # Errors
    /// Where it says already that it's somebody else than who has logged in.
    pub(crate) fn sign(&self, fields: &mut Map<String, Value>) -> Allowed<()> {
        let person = match self {
            Caller::Socket | Caller::Nobody => return Ok(()),
            Caller::Here(person) => person,
            Caller::User(user) => &user.login.person,
        };
        let said = fields.entry("who").or_insert_with(|| person.as_str().into());
        if let (Caller::Here(_), Some(name)) = (self, said.as_str()) {
            let named = Person::at(name, person.computer());
            *said = named.map_err(|error| Refusal::wrong(error.to_string()))?.as_str().into();
        }
        match self {
            Caller::User(_) if said.as_str() != Some(person.as_str()) => {
                Err(Refusal::forbidden(format!("you are {person}, and the record says nobody else"))
                    .help("leave out `who`"))
            }
            _ => Ok(()),
        }
    }

    /// Whether who has opened something may still do what that takes.
    pub(crate) fn may_still(&self, role: Role) -> bool {
        match self {
            Caller::Socket | Caller::Here(_) => true,
            Caller::Nobody => false,
            Caller::User(user) => user.access.holds(&user.token, role),
        }
    }

    /// Ends the login that there is.
    pub(crate) fn log_out(&self) {
        if let Caller::User(user) = self {
            user.access.log_out(&user.token);
        }
    }

    /// Who it is, where that is known.
    pub(crate) fn person(&self) -> Option<&Person> {
        match self {
            Caller::Socket | Caller::Nobody => None,
            Caller::Here(person) => Some(person),
            Caller::User(user) => Some(&user.login.person),
        }
    }

    /// What they may do: on this computer everything, where there is no login.
    pub(crate) fn role(&self) -> Role {
        match self {
            Caller::Socket | Caller::Here(_) => Role::Manage,
            Caller::Nobody => Role::View,
            Caller::User(user) => user.login.role,
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
        let login = Login { user: "alice".parse().unwrap(), person: alice.clone(), role: Role::Run };
        let access = Arc::new(Access::none(std::path::Path::new("/nowhere")));
        let user = Caller::User(Arc::new(User { login, token: Token::of("00"), access }));
        assert_eq!(signed(&user, json!({})).unwrap(), json!({ "who": "alice@desk" }));
        assert!(signed(&user, json!({ "who": "alice@desk" })).is_ok());
        assert!(signed(&user, json!({ "who": "bob@desk" })).is_err());
        assert!(signed(&user, json!({ "who": null })).is_err());
        let here = Caller::Here(alice);
        assert_eq!(signed(&here, json!({})).unwrap(), json!({ "who": "alice@desk" }));
        assert_eq!(signed(&here, json!({ "who": "bob@desk" })).unwrap(), json!({ "who": "bob@desk" }));
        let jane = signed(&here, json!({ "who": "Jane Doe" })).unwrap();
        assert_eq!(jane, json!({ "who": "Jane Doe@desk" }), "she sits at the terminal's computer");
        assert!(signed(&here, json!({ "who": "Jane\nDoe" })).is_err());
        assert_eq!(signed(&Caller::Socket, json!({})).unwrap(), json!({}), "it has to say so");
    }
}
