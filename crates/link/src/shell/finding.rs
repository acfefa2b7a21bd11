//! Dials an agent wherever on this network it is.

use std::time::Duration;

use bramble_discovery::{Found, Wanted, find};
use bramble_gate::Dialed;
use bramble_identity::{Identity, Role};
use bramble_value::Name;

use super::socket::NoConnection;

/// How long agents may take to answer that they are there.
const ANSWERS: Duration = Duration::from_secs(3);

/// Finds an agent of the swarm, that of a name or else the only one, and connects to it.
pub(super) async fn dial_found(
    name: Option<&Name>,
    identity: &Identity,
    role: Role,
) -> Result<Dialed, NoConnection> {
    let wanted = Wanted { role, swarm: Some(identity.swarm()), name: name.cloned() };
    let found = find(&wanted, ANSWERS).await;
    let found = found.map_err(|error| NoConnection { why: error.to_string(), may_pass: false })?;
    let found = the_one(found, role, name)?;
    let mut unreached = None;
    // Of the networks that it is on, this computer may not be on all.
    for address in found.addresses {
        match bramble_gate::dial(&address.ip().to_string(), address.port(), identity, role).await {
            Ok(dialed) => return Ok(dialed),
            Err(why) => unreached = Some(why),
        }
    }
    Err(unreached.map_or_else(|| nobody(role, name), NoConnection::from))
}

fn the_one(found: Vec<Found>, role: Role, name: Option<&Name>) -> Result<Found, NoConnection> {
    let names: Vec<&str> = found.iter().map(|found| found.agent.name.as_str()).collect();
    if let [first, _, ..] = names[..] {
        let why =
            format!("several {role}s answer, {}: say which one, as in `find:{first}`", names.join(", "));
        return Err(NoConnection { why, may_pass: false });
    }
    found.into_iter().next().ok_or_else(|| nobody(role, name))
}

fn nobody(role: Role, name: Option<&Name>) -> NoConnection {
    let who = name.map_or_else(|| role.to_string(), |name| format!("{role} {name}"));
    let why = format!(
        "no {who} of this swarm is found on this network: see that it runs and listens at tcp://0.0.0.0:PORT; where \
         multicast doesn't get through, write its address, as in tcp://NAME:PORT"
    );
    NoConnection { why, may_pass: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_identity::Agent;
    use uuid::Uuid;

    fn found(name: &str) -> Found {
        let agent = Agent::new(Role::Pilot, name.parse().unwrap());
        Found { agent, swarm: Uuid::nil(), addresses: vec!["10.0.0.1:5601".parse().unwrap()] }
    }

    #[test]
    fn where_several_answer_a_person_has_to_say_which() {
        let why = the_one(vec![found("box1"), found("box2")], Role::Pilot, None).unwrap_err();
        assert_eq!(why.why, "several pilots answer, box1, box2: say which one, as in `find:box1`");
        assert_eq!(the_one(vec![found("box1")], Role::Pilot, None).unwrap(), found("box1"));
    }

    #[test]
    fn where_nobody_answers_the_way_without_multicast_is_named() {
        let why = the_one(Vec::new(), Role::Pilot, Some(&"box1".parse().unwrap())).unwrap_err();
        assert!(
            why.why.starts_with("no pilot box1 of this swarm") && why.why.contains("tcp://NAME:PORT"),
            "{why:?}"
        );
    }
}
