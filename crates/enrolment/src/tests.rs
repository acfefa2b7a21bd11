use bramble_identity::{Agent, Authority, Request, Role};
use bramble_value::{Span, Time};
use proptest::prelude::*;
use uuid::Uuid;

use crate::wire::Message;
use crate::*;

/// A terminal with one invitation, and a clock.
struct Terminal {
    invitations: Invitations,
    now: Time,
}

const HERE: [u8; 32] = [1; 32];
const ELSEWHERE: [u8; 32] = [2; 32];

fn box1() -> Agent {
    Agent::new(Role::Pilot, "box1".parse().unwrap())
}

fn terminal() -> (Terminal, Code) {
    let mut invitations = Invitations::default();
    let code = invitations.invite(box1(), [7, 1, 2, 3, 4, 5, 6, 7], Time::ZERO).unwrap();
    (Terminal { invitations, now: Time::ZERO }, code)
}

/// What came of an exchange.
#[derive(Debug, PartialEq)]
enum Outcome {
    Wanted(Wanted),
    /// What the terminal and the agent say.
    Not(Option<Declined>, JoinError),
}

fn not(refusal: Refusal, agent: Option<Agent>) -> Outcome {
    Outcome::Not(Some(Declined { refusal: refusal.clone(), agent }), JoinError::Refused(refusal))
}

impl Terminal {
    /// Somebody joins, over the connections that the two ends see, with everything that is
    /// said going through `between`, which knows its number.
    fn exchange(
        &mut self,
        code: &Code,
        role: Role,
        (here, there): ([u8; 32], [u8; 32]),
        mut between: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
    ) -> Outcome {
        let (mut joining, mut to_terminal) =
            Joining::new(code, role, b"a request".to_vec(), Binding::new(here));
        let mut hosting = Hosting::new(Binding::new(there));
        for number in 0.. {
            let heard = hosting.receive(&between(2 * number, to_terminal), &mut self.invitations, self.now);
            let (to_agent, declined) = match heard {
                Ok(Heard::Enrol(wanted)) => return Outcome::Wanted(wanted),
                Ok(Heard::Send(bytes)) => (bytes, None),
                Ok(Heard::More) => return Outcome::Not(None, JoinError::Garbage),
                Err(declined) => (declined.message(), Some(declined)),
            };
            to_terminal = match joining.receive(&between(2 * number + 1, to_agent)) {
                Ok(Step::Send(bytes)) if declined.is_none() => bytes,
                Ok(Step::More) => return Outcome::Not(None, JoinError::Garbage),
                Ok(other) => panic!("nothing else comes of it: {other:?}"),
                Err(error) => return Outcome::Not(declined, error),
            };
        }
        unreachable!("the loop doesn't end by itself")
    }

    fn join(&mut self, code: &Code, role: Role) -> Outcome {
        self.exchange(code, role, (HERE, HERE), |_, bytes| bytes)
    }
}

fn wrong(code: &Code) -> Code {
    let text = code.to_string();
    let last = if text.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &text[..text.len() - 1]).parse().unwrap()
}

fn wanted() -> Outcome {
    Outcome::Wanted(Wanted { agent: box1(), csr: b"a request".to_vec() })
}

fn welcome(certificate: &[u8], authority: &[u8]) -> Welcome {
    let (certificate, authority) = (certificate.to_vec(), authority.to_vec());
    Welcome { certificate, authority, terminal: "desk".parse().unwrap(), lab: Some(Uuid::from_u128(7)) }
}

#[test]
fn whoever_has_the_code_joins_as_who_was_invited() {
    let (mut terminal, code) = terminal();
    assert_eq!(terminal.join(&code, Role::Pilot), wanted());
}

#[test]
fn an_agent_that_joined_has_an_identity_of_the_swarm() {
    let (mut terminal, code) = terminal();
    let authority = Authority::new().unwrap();
    let request = Request::new().unwrap();
    let csr = request.csr().unwrap();
    let (mut joining, hello) = Joining::new(&code, Role::Pilot, csr, Binding::new(HERE));
    let mut hosting = Hosting::new(Binding::new(HERE));
    let mut bytes = hello;
    let welcome = loop {
        bytes = match hosting.receive(&bytes, &mut terminal.invitations, Time::ZERO).unwrap() {
            Heard::Send(bytes) => bytes,
            Heard::Enrol(Wanted { agent, csr }) => {
                let issued = authority.issue(&csr, &agent).unwrap();
                Hosting::welcome(welcome(&issued.certificate, authority.certificate()))
            }
            Heard::More => panic!("messages are whole here"),
        };
        match joining.receive(&bytes).unwrap() {
            Step::Send(more) => bytes = more,
            Step::Done(welcome) => break welcome,
            Step::More => panic!("messages are whole here"),
        }
    };
    assert_eq!(welcome.terminal.as_str(), "desk");
    let identity = request.into_identity(&welcome.certificate, &welcome.authority).unwrap();
    assert_eq!((identity.agent(), identity.swarm()), (&box1(), authority.swarm()));
}

#[test]
fn a_code_can_be_used_once() {
    let (mut terminal, code) = terminal();
    assert_eq!(terminal.join(&code, Role::Pilot), wanted());
    assert_eq!(terminal.join(&code, Role::Pilot), not(Refusal::NotInvited {}, None));
}

#[test]
fn of_two_that_use_a_code_at_the_same_time_one_joins() {
    let (mut terminal, code) = terminal();
    let Terminal { mut invitations, now } = std::mem::replace(&mut terminal, self::terminal().0);
    let mut sides: Vec<_> = (0..2)
        .map(|_| {
            let (joining, bytes) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
            (joining, Hosting::new(Binding::new(HERE)), bytes)
        })
        .collect();
    // Both prove that they have the code, and both ask.
    for _ in 0..2 {
        for (joining, hosting, bytes) in &mut sides {
            let Ok(Heard::Send(answer)) = hosting.receive(bytes, &mut invitations, now) else { panic!() };
            let Ok(Step::Send(more)) = joining.receive(&answer) else { panic!() };
            *bytes = more;
        }
    }
    let ends: Vec<_> =
        sides.iter_mut().map(|(_, hosting, bytes)| hosting.receive(bytes, &mut invitations, now)).collect();
    assert!(matches!(ends[0], Ok(Heard::Enrol(_))));
    assert_eq!(ends[1], Err(Declined { refusal: Refusal::NotInvited {}, agent: Some(box1()) }));
}

#[test]
fn an_invitation_holds_for_ten_minutes_and_not_a_nanosecond_more() {
    let (mut terminal, code) = terminal();
    terminal.now = Time::ZERO + VALID;
    assert!(!terminal.invitations.are_open(terminal.now));
    assert_eq!(terminal.join(&code, Role::Pilot), not(Refusal::NotInvited {}, None));

    let (mut terminal, code) = self::terminal();
    terminal.now = Time::ZERO + VALID - Span::from_ns(1);
    assert!(terminal.invitations.are_open(terminal.now));
    assert_eq!(terminal.join(&code, Role::Pilot), wanted());
}

#[test]
fn an_invitation_that_ends_during_the_exchange_has_ended() {
    let (mut terminal, code) = terminal();
    let (mut joining, hello) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
    let mut hosting = Hosting::new(Binding::new(HERE));
    let Ok(Heard::Send(answer)) = hosting.receive(&hello, &mut terminal.invitations, Time::ZERO) else {
        panic!()
    };
    let Ok(Step::Send(proof)) = joining.receive(&answer) else { panic!() };
    let late = hosting.receive(&proof, &mut terminal.invitations, Time::ZERO + VALID);
    assert_eq!(late, Err(Declined { refusal: Refusal::NotInvited {}, agent: Some(box1()) }));
}

#[test]
fn a_wrong_code_costs_a_try_and_the_third_the_invitation() {
    let (mut terminal, code) = terminal();
    for left in [2, 1, 0] {
        let outcome = terminal.join(&wrong(&code), Role::Pilot);
        assert_eq!(outcome, not(Refusal::WrongCode { left }, Some(box1())));
    }
    assert_eq!(terminal.join(&code, Role::Pilot), not(Refusal::NotInvited {}, None));
}

#[test]
fn the_right_code_after_two_wrong_ones_is_right() {
    let (mut terminal, code) = terminal();
    terminal.join(&wrong(&code), Role::Pilot);
    terminal.join(&wrong(&code), Role::Pilot);
    assert_eq!(terminal.join(&code, Role::Pilot), wanted());
}

#[test]
fn tries_side_by_side_are_three_altogether() {
    let (mut terminal, code) = terminal();
    let wrong = wrong(&code);
    let mut proofs = Vec::new();
    for _ in 0..10 {
        let (mut joining, hello) = Joining::new(&wrong, Role::Pilot, Vec::new(), Binding::new(HERE));
        let mut hosting = Hosting::new(Binding::new(HERE));
        let Ok(Heard::Send(answer)) = hosting.receive(&hello, &mut terminal.invitations, Time::ZERO) else {
            panic!()
        };
        let Ok(Step::Send(proof)) = joining.receive(&answer) else { panic!() };
        proofs.push((hosting, proof));
    }
    let refusals: Vec<_> = proofs
        .iter_mut()
        .map(|(hosting, proof)| {
            hosting.receive(proof, &mut terminal.invitations, Time::ZERO).unwrap_err().refusal
        })
        .collect();
    let tried = refusals.iter().filter(|refusal| matches!(refusal, Refusal::WrongCode { .. })).count();
    assert_eq!(tried, 3);
    assert!(refusals[3..].iter().all(|refusal| *refusal == Refusal::NotInvited {}));
}

#[test]
fn a_code_for_a_pilot_makes_no_child_and_stays_good_for_the_pilot() {
    let (mut terminal, code) = terminal();
    let expected = Role::Pilot;
    assert_eq!(terminal.join(&code, Role::Child), not(Refusal::OtherRole { expected }, Some(box1())));
    assert_eq!(terminal.join(&code, Role::Pilot), wanted());
}

#[test]
fn who_passes_everything_on_between_two_connections_gains_nothing() {
    let (mut terminal, code) = terminal();
    // Everything arrives as it was said, and the two see different connections.
    let outcome = terminal.exchange(&code, Role::Pilot, (HERE, ELSEWHERE), |_, bytes| bytes);
    assert_eq!(outcome, not(Refusal::WrongCode { left: 2 }, Some(box1())));
}

#[test]
fn who_answers_in_the_terminals_place_without_the_code_is_an_impostor() {
    let (_, code) = terminal();
    let mut impostor = Invitations::default();
    // It knows whom it is for, which isn't secret, and says yes to any proof.
    impostor.invite(box1(), [7; 8], Time::ZERO).unwrap();
    let (mut joining, hello) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
    let mut hosting = Hosting::new(Binding::new(HERE));
    let Ok(Heard::Send(answer)) = hosting.receive(&hello, &mut impostor, Time::ZERO) else { panic!() };
    let Ok(Step::Send(_)) = joining.receive(&answer) else { panic!() };
    let proof = Message::Proof { proof: vec![0; 32].into() }.encode();
    assert_eq!(joining.receive(&proof), Err(JoinError::Impostor));
    // It is over: the certificate is asked of nobody.
    let welcome = Hosting::welcome(welcome(b"certificate", b"authority"));
    assert_eq!(joining.receive(&welcome), Err(JoinError::Garbage));
}

#[test]
fn a_proof_can_not_be_given_back_to_who_made_it() {
    let (_, code) = terminal();
    let (mut joining, _) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
    let (_, other) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
    // Another agent's half of the key is not a terminal's.
    let mut inbox = crate::wire::Inbox::default();
    let Ok(Some(Message::Hello { x, .. })) = inbox.push(&other) else { panic!() };
    assert_eq!(joining.receive(&Message::Answer { y: x }.encode()), Err(JoinError::Garbage));

    let (mut terminal, code) = terminal();
    let mut proof = Vec::new();
    let outcome = terminal.exchange(&code, Role::Pilot, (HERE, HERE), |number, bytes| match number {
        2 => {
            proof = bytes.clone();
            bytes
        }
        3 => proof.clone(),
        _ => bytes,
    });
    assert_eq!(outcome, Outcome::Not(None, JoinError::Impostor));
}

#[test]
fn inviting_again_makes_the_code_before_void() {
    let (mut terminal, old) = terminal();
    let new = terminal.invitations.invite(box1(), [9; 8], Time::ZERO).unwrap();
    assert_eq!(terminal.join(&old, Role::Pilot), not(Refusal::NotInvited {}, None));
    assert_eq!(terminal.join(&new, Role::Pilot), wanted());
}

#[test]
fn a_proof_for_an_invitation_before_is_none_for_the_next_with_the_same_first_digit() {
    let (mut terminal, code) = terminal();
    let (mut joining, hello) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
    let mut hosting = Hosting::new(Binding::new(HERE));
    let Ok(Heard::Send(answer)) = hosting.receive(&hello, &mut terminal.invitations, Time::ZERO) else {
        panic!()
    };
    let Ok(Step::Send(proof)) = joining.receive(&answer) else { panic!() };
    let other = Agent::new(Role::Pilot, "box2".parse().unwrap());
    terminal.invitations.withdraw(&box1());
    terminal.invitations.invite(other, [7; 8], Time::ZERO).unwrap();
    let declined = hosting.receive(&proof, &mut terminal.invitations, Time::ZERO).unwrap_err();
    assert_eq!(declined.refusal, Refusal::NotInvited {});
}

#[test]
fn as_many_as_there_are_first_digits_are_invited_at_a_time() {
    let mut invitations = Invitations::default();
    let agent = |n: usize| Agent::new(Role::Pilot, format!("box{n}").parse().unwrap());
    let mut digits: Vec<String> = (0..MOST_OPEN)
        .map(|n| invitations.invite(agent(n), [0; 8], Time::ZERO).unwrap().to_string())
        .collect();
    digits.dedup();
    assert_eq!(digits.len(), MOST_OPEN);
    assert_eq!(invitations.invite(agent(99), [0; 8], Time::ZERO), Err(Full));
    assert!(invitations.invite(agent(99), [0; 8], Time::ZERO + VALID).is_ok());
}

#[test]
fn two_versions_say_so() {
    let (mut terminal, _) = terminal();
    let hello = Message::Hello { version: 2, invitation: 7, x: vec![0x41; 33].into() }.encode();
    let declined = Hosting::new(Binding::new(HERE)).receive(&hello, &mut terminal.invitations, Time::ZERO);
    assert_eq!(declined, Err(Declined { refusal: Refusal::OtherVersion { speaks: 1 }, agent: None }));
}

proptest! {
    #[test]
    fn whatever_is_said_nobody_joins_without_the_code(said: Vec<Vec<u8>>) {
        let (mut terminal, code) = terminal();
        let mut hosting = Hosting::new(Binding::new(HERE));
        let (mut joining, _) = Joining::new(&code, Role::Pilot, Vec::new(), Binding::new(HERE));
        for bytes in said {
            let heard = hosting.receive(&bytes, &mut terminal.invitations, Time::ZERO);
            prop_assert!(!matches!(heard, Ok(Heard::Enrol(_))));
            prop_assert!(!matches!(joining.receive(&bytes), Ok(Step::Done(_))));
        }
    }

    #[test]
    fn an_exchange_that_is_changed_anywhere_enrols_nobody_wrongly(
        message in 0usize..5, at: prop::sample::Index, bit in 0u8..8,
    ) {
        let (mut terminal, code) = terminal();
        let outcome = terminal.exchange(&code, Role::Pilot, (HERE, HERE), |number, mut bytes| {
            if number == message {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            bytes
        });
        // After both proofs, what is changed is TLS's to see: what is sent then is only
        // who asks. Before, nobody is enrolled.
        match outcome {
            Outcome::Wanted(Wanted { agent, .. }) => prop_assert_eq!((message, agent), (4, box1())),
            Outcome::Not(..) => {}
        }
    }

    #[test]
    fn an_exchange_that_is_cut_anywhere_enrols_nobody(message in 0usize..5, at: prop::sample::Index) {
        let (mut terminal, code) = terminal();
        let outcome = terminal.exchange(&code, Role::Pilot, (HERE, HERE), |number, mut bytes| {
            if number == message {
                bytes.truncate(at.index(bytes.len()));
            }
            bytes
        });
        prop_assert!(matches!(outcome, Outcome::Not(..)), "{outcome:?}");
    }

    #[test]
    fn pieces_of_any_size_make_the_same_exchange(sizes in prop::collection::vec(1usize..40, 1..20)) {
        let (mut terminal, code) = terminal();
        let (mut joining, hello) = Joining::new(&code, Role::Pilot, b"a request".to_vec(), Binding::new(HERE));
        let mut hosting = Hosting::new(Binding::new(HERE));
        let mut sizes = sizes.into_iter().cycle();
        let mut pieces = |bytes: Vec<u8>| {
            let (mut rest, mut pieces) = (&bytes[..], Vec::new());
            while !rest.is_empty() {
                let (piece, more) = rest.split_at(sizes.next().unwrap().min(rest.len()));
                pieces.push(piece.to_vec());
                rest = more;
            }
            pieces
        };
        let mut bytes = hello;
        let enrolled = 'exchange: loop {
            let mut answer = Vec::new();
            for piece in pieces(bytes) {
                match hosting.receive(&piece, &mut terminal.invitations, Time::ZERO).unwrap() {
                    Heard::More => {}
                    Heard::Send(bytes) => answer = bytes,
                    Heard::Enrol(wanted) => break 'exchange wanted,
                }
            }
            bytes = Vec::new();
            for piece in pieces(answer) {
                if let Step::Send(more) = joining.receive(&piece).unwrap() {
                    bytes = more;
                }
            }
        };
        prop_assert_eq!(Outcome::Wanted(enrolled), wanted());
    }
}
