//! Dials an agent wherever on this network it is.

use std::time::Duration;

use bramble_discovery::{Found, Search, Wanted, find};
use bramble_gate::Dialed;
use bramble_identity::{Identity, Revocations, Role};
use bramble_value::Name;
use tokio::task::JoinSet;

use super::socket::NoConnection;

/// How long agents may take to answer that they are there.
const ANSWERS: Duration = Duration::from_secs(3);
/// The most answers that are tried: anybody may answer, and as often as they like.
const MOST_TRIED: usize = 32;
/// The most addresses of one that are tried.
const MOST_ADDRESSES: usize = 8;

/// Who dials, and whom.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) identity: Identity,
    pub(super) role: Role,
    pub(super) revocations: Revocations,
}

/// Finds an agent of the swarm, that of a name or else the only one, and connects to it.
pub(super) async fn dial_found(name: Option<&Name>, caller: &Caller) -> Result<Dialed, NoConnection> {
    let role = caller.role;
    let wanted = Wanted { role, swarm: Some(caller.identity.swarm()), name: name.cloned() };
    let cant =
        |error: bramble_discovery::DiscoveryError| NoConnection { why: error.to_string(), may_pass: false };
    if wanted.is_one() {
        let mut search = Search::begin(wanted, ANSWERS).map_err(cant)?;
        let (answers, found) = flume::bounded(MOST_TRIED);
        tokio::spawn(async move {
            while let Some(answer) = search.next().await
                && answers.send_async(answer).await.is_ok()
            {}
        });
        dial_first(&found, caller).await.unwrap_or_else(|| Err(nobody(role, name)))
    } else {
        let found = find(&wanted, ANSWERS).await.map_err(cant)?;
        dial(the_one(found, role, name)?, caller).await
    }
}

/// Connects to the first of those that answer that is who it says. Whoever lies is no more than
/// one that isn't reached.
async fn dial_first(
    answers: &flume::Receiver<Found>,
    caller: &Caller,
) -> Option<Result<Dialed, NoConnection>> {
    let (mut tried, mut trying) = (Vec::new(), JoinSet::new());
    let (mut unreached, mut is_over) = (None, false);
    loop {
        tokio::select! {
            found = answers.recv_async(), if !is_over => match found {
                Ok(found) if tried.len() < MOST_TRIED => {
                    if !tried.contains(&found) {
                        let (caller, found) = (caller.clone(), found.clone());
                        trying.spawn(async move { dial(found, &caller).await });
                    }
                    tried.push(found);
                }
                _ => is_over = true,
            },
            Some(Ok(dialed)) = trying.join_next() => match dialed {
                Ok(dialed) => return Some(Ok(dialed)),
                Err(why) => unreached = Some(Err(why)),
            },
            else => return unreached,
        }
    }
}

/// Connects to one that answered, which has to prove that it is who it says.
async fn dial(found: Found, caller: &Caller) -> Result<Dialed, NoConnection> {
    let Caller { identity, role, revocations } = caller;
    let mut unreached = None;
    // Of the networks that it is on, this computer may not be on all.
    for address in found.addresses.iter().take(MOST_ADDRESSES) {
        let (host, port) = (address.ip().to_string(), address.port());
        unreached = Some(match bramble_gate::dial(&host, port, identity, *role, revocations).await {
            Ok(dialed) if dialed.peer().agent == found.agent => return Ok(dialed),
            Ok(dialed) => {
                let (is, said) = (&dialed.peer().agent, &found.agent);
                let why = format!("the {is} is at {address}, where the {said} is said to be on this network");
                NoConnection { why, may_pass: true }
            }
            Err(why) => why.into(),
        });
    }
    Err(unreached.unwrap_or_else(|| nobody(*role, Some(&found.agent.name))))
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
    use bramble_gate::{Door, Gate};
    use bramble_identity::{Agent, Authority};
    use uuid::Uuid;

    fn found(name: &str) -> Found {
        let agent = Agent::new(Role::Pilot, name.parse().unwrap());
        Found { agent, swarm: Uuid::nil(), addresses: vec!["10.0.0.1:5601".parse().unwrap()] }
    }

    /// A swarm, some pilots that listen, and a child that looks for one.
    struct Network {
        authority: Authority,
        child: Caller,
        folder: tempfile::TempDir,
    }

    impl Network {
        fn new() -> Network {
            let authority = Authority::new().unwrap();
            let identity = authority.enrol(&Agent::new(Role::Child, "wheels".parse().unwrap())).unwrap();
            let child = Caller { identity, role: Role::Pilot, revocations: Revocations::none() };
            Network { authority, child, folder: tempfile::tempdir().unwrap() }
        }

        /// A pilot listens, and is said to be another. Returns its identity too.
        fn announced_as(&self, says: &str, is: &str) -> (Found, Identity) {
            let agent = Agent::new(Role::Pilot, is.parse().unwrap());
            let identity = self.authority.enrol(&agent).unwrap();
            let gate = Gate::bind("127.0.0.1", 0).unwrap();
            let found = Found { addresses: vec![gate.address()], ..found(says) };
            let (revocations, socket) = (Revocations::none(), self.folder.path().join("none.sock"));
            let (identity_of_it, accepts) = (identity.clone(), Role::Child);
            let door =
                Door { identity: identity_of_it, accepts, revocations, joins: None, told: None, socket };
            tokio::spawn(gate.run(door));
            (found, identity)
        }

        async fn dial(&self, answers: Vec<Found>) -> Result<String, String> {
            let (answer, answered) = flume::unbounded();
            answers.into_iter().for_each(|found| answer.send(found).unwrap());
            drop(answer);
            let dialed = dial_first(&answered, &self.child).await.unwrap();
            dialed.map(|dialed| dialed.peer().agent.to_string()).map_err(|why| why.why)
        }
    }

    #[tokio::test]
    async fn who_is_announced_as_another_is_passed_over_for_the_one_that_is_meant() {
        let network = Network::new();
        let (posing, _) = network.announced_as("box1", "box7");
        let (real, _) = network.announced_as("box1", "box1");
        let why = network.dial(vec![posing.clone()]).await.unwrap_err();
        assert!(why.contains("the pilot `box7` is at 127.0.0.1"), "{why}");
        let dialed = network.dial(vec![posing.clone(), posing, real]).await;
        assert_eq!(dialed, Ok("pilot `box1`".to_owned()));
    }

    #[tokio::test]
    async fn who_was_revoked_is_not_dialed() {
        let network = Network::new();
        let (gone, identity) = network.announced_as("box1", "box1");
        network.child.revocations.revoke([identity.serial()]).unwrap();
        let why = network.dial(vec![gone.clone()]).await.unwrap_err();
        assert!(why.contains("was revoked"), "{why}");
        let (again, _) = network.announced_as("box1", "box1");
        assert_eq!(network.dial(vec![gone, again]).await, Ok("pilot `box1`".to_owned()));
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
