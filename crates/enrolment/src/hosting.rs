//! The terminal's side of the exchange.

use bramble_identity::Agent;
use bramble_value::Time;
use spake2::{Ed25519Group, Spake2};

use crate::invitations::{Id, Invitations};
use crate::joining::{Welcome, invites, joins, password};
use crate::proof::{Binding, Proofs, Side};
use crate::refusal::Refusal;
use crate::wire::{Inbox, Message, VERSION};

/// One connection of somebody that wants to join.
pub struct Hosting {
    inbox: Inbox,
    binding: Binding,
    state: State,
}

enum State {
    /// For what the other has to say first.
    Waiting,
    /// For the other's proof.
    Answered {
        id: Id,
        agent: Agent,
        proofs: Box<Proofs>,
    },
    /// For what the other wants; it is who it should be.
    Proven {
        id: Id,
        agent: Agent,
    },
    Ended,
}

/// What came of what was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is not whole yet: there is more to receive.
    More,
    /// This is to be sent, and then there is more to receive.
    Send(Vec<u8>),
    /// This certificate is to be made, and sent with [`Hosting::welcome`]. The invitation
    /// is used.
    Enrol(Wanted),
}

/// A certificate that an agent may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Who it is for, as the invitation says.
    pub agent: Agent,
    /// What the agent asks for it with: PKCS#10 in DER.
    pub csr: Vec<u8>,
}

/// Somebody that may not join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// Why.
    pub refusal: Refusal,
    /// Whose invitation it tried.
    pub agent: Option<Agent>,
}

impl Declined {
    /// What is sent to say so.
    pub fn message(&self) -> Vec<u8> {
        Message::Refused(self.refusal.clone()).encode()
    }
}

impl Hosting {
    /// For a new connection, of which nothing is known.
    pub fn new(binding: Binding) -> Hosting {
        Hosting { inbox: Inbox::default(), binding, state: State::Waiting }
    }

    /// Takes what came over the connection, in pieces of any size.
    ///
    /// # Errors
    /// [`Declined`] when the other may not join; then this is over.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        invitations: &mut Invitations,
        now: Time,
    ) -> Result<Heard, Declined> {
        let message = match self.inbox.push(bytes) {
            Ok(None) => return Ok(Heard::More),
            Ok(Some(message)) => Some(message),
            Err(_) => None,
        };
        // Where nothing is put in its place, this is over.
        match (std::mem::replace(&mut self.state, State::Ended), message) {
            (State::Waiting, Some(Message::Hello { version, .. })) if version != VERSION => {
                Err(Declined { refusal: Refusal::OtherVersion { speaks: VERSION }, agent: None })
            }
            (State::Waiting, Some(Message::Hello { invitation, x, .. })) => {
                self.answer(invitation, &x, invitations, now)
            }
            (State::Answered { id, agent, proofs }, Some(Message::Proof { proof })) => {
                if !invitations.holds(id, now) {
                    return Err(declined(Refusal::NotInvited {}, agent));
                }
                if !proofs.is(Side::Joins, &proof) {
                    let left = invitations.wrong(id);
                    return Err(declined(Refusal::WrongCode { left }, agent));
                }
                self.state = State::Proven { id, agent };
                let proof = proofs.of(Side::Invites).into();
                Ok(Heard::Send(Message::Proof { proof }.encode()))
            }
            (State::Proven { id, agent }, Some(Message::Ask { role, csr })) => {
                // Another may have been faster with the same code.
                if !invitations.holds(id, now) {
                    return Err(declined(Refusal::NotInvited {}, agent));
                }
                if role != agent.role {
                    // Somebody mixed up two computers; the right one may still come.
                    return Err(declined(Refusal::OtherRole { expected: agent.role }, agent));
                }
                invitations.take(id);
                Ok(Heard::Enrol(Wanted { agent, csr: csr.to_vec() }))
            }
            (State::Answered { agent, .. } | State::Proven { agent, .. }, _) => {
                Err(declined(Refusal::Garbled {}, agent))
            }
            _ => Err(Declined { refusal: Refusal::Garbled {}, agent: None }),
        }
    }

    fn answer(
        &mut self,
        invitation: u8,
        x: &[u8],
        invitations: &mut Invitations,
        now: Time,
    ) -> Result<Heard, Declined> {
        let Some((id, agent, code)) = invitations.find(invitation, now) else {
            return Err(Declined { refusal: Refusal::NotInvited {}, agent: None });
        };
        let agent = agent.clone();
        let (spake, y) = Spake2::<Ed25519Group>::start_b(&password(code), &joins(), &invites());
        let Ok(key) = spake.finish(x) else { return Err(declined(Refusal::Garbled {}, agent)) };
        let proofs = Box::new(Proofs::new(&key, self.binding.clone()));
        self.state = State::Answered { id, agent, proofs };
        Ok(Heard::Send(Message::Answer { y: y.into() }.encode()))
    }

    /// What is sent to an agent that was enrolled.
    pub fn welcome(Welcome { certificate, authority, terminal, lab }: Welcome) -> Vec<u8> {
        let (certificate, authority) = (certificate.into(), authority.into());
        Message::Welcome { certificate, authority, terminal: terminal.to_string(), lab }.encode()
    }
}

fn declined(refusal: Refusal, agent: Agent) -> Declined {
    Declined { refusal, agent: Some(agent) }
}
