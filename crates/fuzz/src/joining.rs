//! Both sides of the exchange by which an agent joins a swarm.

use bramble_enrolment::{Binding, Code, Heard, Hosting, Invitations, Joining, Refusal, Step, Welcome};
use bramble_identity::{Agent, Role};
use bramble_value::{Name, Time};
use uuid::Uuid;

fn binding() -> Binding {
    Binding::new([7; Binding::LENGTH])
}

fn name(text: &str) -> Name {
    text.parse().expect("it is a name")
}

/// A terminal that expects one agent, and the code for it.
fn inviting() -> (Invitations, Code) {
    let mut invitations = Invitations::default();
    let code = invitations.invite(Agent::new(Role::Pilot, name("box1")), [7; 8], Time::ZERO);
    (invitations, code.expect("there is room for one"))
}

/// The pieces that bytes come in: the first says how long they are.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (size, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    bytes.chunks(usize::from(*size).max(1) * 16)
}

pub(crate) fn hosting(bytes: &[u8]) {
    let (mut invitations, _) = inviting();
    let mut hosting = Hosting::new(binding());
    for piece in pieces(bytes) {
        match hosting.receive(piece, &mut invitations, Time::ZERO) {
            Ok(Heard::Enrol(wanted)) => panic!("{wanted:?} without the code"),
            Ok(_) => {}
            Err(declined) => {
                let _ = declined.message();
                return;
            }
        }
    }
}

pub(crate) fn joining(bytes: &[u8]) {
    let (_, code) = inviting();
    let (mut joining, _) = Joining::new(&code, Role::Pilot, b"a request".to_vec(), binding());
    for piece in pieces(bytes) {
        match joining.receive(piece) {
            Ok(Step::Done(_)) => panic!("it joins what doesn't know the code"),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// What each side says in an exchange that goes well: the joiner, and the host.
fn exchange() -> [Vec<Vec<u8>>; 2] {
    let (mut invitations, code) = inviting();
    let (mut joining, mut said) = Joining::new(&code, Role::Pilot, b"a request".to_vec(), binding());
    let mut hosting = Hosting::new(binding());
    let [mut by_joiner, mut by_host] = [Vec::new(), Vec::new()];
    loop {
        by_joiner.push(said.clone());
        match hosting.receive(&said, &mut invitations, Time::ZERO) {
            Ok(Heard::Send(answer)) => by_host.push(answer.clone()),
            _ => by_host.push(Hosting::welcome(Welcome {
                certificate: b"a certificate".to_vec(),
                authority: b"an authority".to_vec(),
                terminal: name("desk"),
                lab: Some(Uuid::from_u128(7)),
            })),
        }
        match joining.receive(by_host.last().expect("it has just been said")) {
            Ok(Step::Send(next)) => said = next,
            _ => return [by_joiner, by_host],
        }
    }
}

/// One after the other, and each by itself.
fn seeds_of(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let all = messages.concat();
    let whole = |message: &Vec<u8>| [&[255][..], message].concat();
    messages.iter().chain([&all]).map(whole).collect()
}

pub(crate) fn to_host() -> Vec<Vec<u8>> {
    seeds_of(&exchange()[0])
}

pub(crate) fn to_joiner() -> Vec<Vec<u8>> {
    let refused = bramble_enrolment::Declined { refusal: Refusal::WrongCode { left: 2 }, agent: None };
    let mut messages = exchange()[1].clone();
    messages.push(refused.message());
    seeds_of(&messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzzer_starts_from_every_message_of_an_exchange() {
        assert_eq!(exchange().map(|messages| messages.len()), [3, 3]);
    }
}
