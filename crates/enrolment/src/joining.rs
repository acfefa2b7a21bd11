//! The joining agent's side of the exchange.

use bramble_identity::Role;
use bramble_value::Name;
use spake2::{Ed25519Group, Identity, Password, Spake2};
use thiserror::Error;
use uuid::Uuid;

use crate::code::Code;
use crate::proof::{Binding, Proofs, Side};
use crate::refusal::Refusal;
use crate::wire::{Inbox, Message, VERSION};

/// The two sides, as SPAKE2 tells them apart.
pub(crate) fn joins() -> Identity {
    Identity::new(b"joins")
}

pub(crate) fn invites() -> Identity {
    Identity::new(b"invites")
}

pub(crate) fn password(code: &Code) -> Password {
    Password::new(code.secret())
}

/// An agent that joins.
pub struct Joining {
    inbox: Inbox,
    binding: Binding,
    role: Role,
    csr: Vec<u8>,
    state: State,
}

enum State {
    /// For the terminal's half of the key.
    Greeted(Box<Spake2<Ed25519Group>>),
    /// For the terminal's proof.
    Proving(Box<Proofs>),
    /// For the certificate.
    Asked,
    Ended,
}

/// What came of what was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// It is not whole yet: there is more to receive.
    More,
    /// This is to be sent, and then there is more to receive.
    Send(Vec<u8>),
    /// The terminal, which has proven that it knows the code, lets this agent join.
    Done(Welcome),
}

/// What an agent becomes one with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// Its certificate, in DER.
    pub certificate: Vec<u8>,
    /// The swarm's, in DER.
    pub authority: Vec<u8>,
    /// What the terminal is called.
    pub terminal: Name,
    /// The number of the terminal's lab, which is another than its swarm's where the keys of that
    /// were made anew; `None` from a terminal that doesn't say.
    pub lab: Option<Uuid>,
}

/// Why an agent doesn't join.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JoinError {
    /// The terminal says why.
    #[error(transparent)]
    Refused(Refusal),
    /// Whoever answers doesn't know the code.
    #[error(
        "what answers is not the terminal that gave this code, or somebody sits between the two: check the address, and ask for a new code"
    )]
    Impostor,
    /// What answers speaks something else.
    #[error("what answers is no terminal of this version of Bramble: check the address and the port")]
    Garbage,
}

impl Joining {
    /// Begins, with a request for a certificate (PKCS#10 in DER). The bytes are to be
    /// sent; then there is something to receive.
    pub fn new(code: &Code, role: Role, csr: Vec<u8>, binding: Binding) -> (Joining, Vec<u8>) {
        let (spake, x) = Spake2::<Ed25519Group>::start_a(&password(code), &joins(), &invites());
        let hello = Message::Hello { version: VERSION, invitation: code.invitation(), x: x.into() };
        let state = State::Greeted(Box::new(spake));
        (Joining { inbox: Inbox::default(), binding, role, csr, state }, hello.encode())
    }

    /// Whether it has said all that it has to: the terminal may have used up the code.
    pub fn has_asked(&self) -> bool {
        matches!(self.state, State::Asked)
    }

    /// Takes what came over the connection, in pieces of any size.
    ///
    /// # Errors
    /// [`JoinError`] when this agent doesn't join; then this is over.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Step, JoinError> {
        let Some(message) = self.inbox.push(bytes).map_err(|_| JoinError::Garbage)? else {
            return Ok(Step::More);
        };
        // Where nothing is put in its place, this is over.
        match (std::mem::replace(&mut self.state, State::Ended), message) {
            (State::Ended, _) => Err(JoinError::Garbage),
            (_, Message::Refused(refusal)) => Err(JoinError::Refused(refusal)),
            (State::Greeted(spake), Message::Answer { y }) => {
                let key = spake.finish(&y).map_err(|_| JoinError::Garbage)?;
                let proofs = Box::new(Proofs::new(&key, self.binding.clone()));
                let proof = proofs.of(Side::Joins).into();
                self.state = State::Proving(proofs);
                Ok(Step::Send(Message::Proof { proof }.encode()))
            }
            (State::Proving(proofs), Message::Proof { proof }) => {
                if !proofs.is(Side::Invites, &proof) {
                    return Err(JoinError::Impostor);
                }
                self.state = State::Asked;
                let csr = std::mem::take(&mut self.csr).into();
                Ok(Step::Send(Message::Ask { role: self.role, csr }.encode()))
            }
            (State::Asked, Message::Welcome { certificate, authority, terminal, lab }) => {
                let terminal = terminal.parse().map_err(|_| JoinError::Garbage)?;
                let (certificate, authority) = (certificate.to_vec(), authority.to_vec());
                Ok(Step::Done(Welcome { certificate, authority, terminal, lab }))
            }
            _ => Err(JoinError::Garbage),
        }
    }
}
