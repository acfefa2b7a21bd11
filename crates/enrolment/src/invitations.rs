//! Who is expected, and by which code.

use bramble_identity::Agent;
use bramble_value::{Span, Time};
use thiserror::Error;

use crate::code::Code;

/// How long an invitation holds.
pub const VALID: Span = Span::from_ns(600_000_000_000);
/// How many wrong codes make it void.
pub const TRIES: u32 = 3;
/// How many may be open at a time: a code's first digit tells them apart.
pub const MOST_OPEN: usize = 32;

/// The open invitations of a terminal.
#[derive(Debug, Default)]
pub struct Invitations {
    open: Vec<Invitation>,
    next: u64,
}

/// Tells an invitation from every other one that there ever was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(u64);

#[derive(Debug)]
struct Invitation {
    id: Id,
    agent: Agent,
    code: Code,
    until: Time,
    wrong: u32,
}

/// No more can be invited.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{MOST_OPEN} invitations are open already: wait until one of them was used, or ten minutes")]
pub struct Full;

impl Invitations {
    /// Invites an agent, in place of an invitation that it has already. The bytes have
    /// to be random; the code is made of them.
    ///
    /// # Errors
    /// [`Full`] where as many as can be are invited.
    pub fn invite(&mut self, agent: Agent, random: [u8; 8], now: Time) -> Result<Code, Full> {
        self.forget_old(now);
        self.open.retain(|invitation| invitation.agent.name != agent.name);
        let [first, rest @ ..] = random;
        let digit = (0..32)
            .map(|more| first.wrapping_add(more) % 32)
            .find(|digit| self.open.iter().all(|invitation| invitation.code.invitation() != *digit))
            .ok_or(Full)?;
        let code = Code::new(digit, rest);
        self.next += 1;
        self.open.push(Invitation {
            id: Id(self.next),
            agent,
            code: code.clone(),
            until: now + VALID,
            wrong: 0,
        });
        Ok(code)
    }

    /// Whether anybody is expected.
    pub fn are_open(&mut self, now: Time) -> bool {
        self.forget_old(now);
        !self.open.is_empty()
    }

    /// Takes back the invitation of an agent of that name.
    pub fn withdraw(&mut self, agent: &Agent) {
        self.open.retain(|invitation| invitation.agent.name != agent.name);
    }

    /// Who is expected with a code of that first digit.
    pub(crate) fn find(&mut self, digit: u8, now: Time) -> Option<(Id, &Agent, &Code)> {
        self.forget_old(now);
        let found = self.open.iter().find(|invitation| invitation.code.invitation() == digit)?;
        Some((found.id, &found.agent, &found.code))
    }

    /// Whether an invitation still holds.
    pub(crate) fn holds(&mut self, id: Id, now: Time) -> bool {
        self.forget_old(now);
        self.open.iter().any(|invitation| invitation.id == id)
    }

    /// Somebody tried a wrong code: how many tries are left.
    pub(crate) fn wrong(&mut self, id: Id) -> u32 {
        let Some(at) = self.open.iter().position(|invitation| invitation.id == id) else { return 0 };
        let invitation = &mut self.open[at];
        invitation.wrong += 1;
        let left = TRIES.saturating_sub(invitation.wrong);
        if left == 0 {
            self.open.remove(at);
        }
        left
    }

    /// It is used.
    pub(crate) fn take(&mut self, id: Id) {
        self.open.retain(|invitation| invitation.id != id);
    }

    fn forget_old(&mut self, now: Time) {
        self.open.retain(|invitation| now < invitation.until);
    }
}
