//! How two ends agree on where to go on from, or that they don't talk.

use bramble_value::Time;
use uuid::Uuid;

use super::end::{Inbound, State, Up};
use super::{End, Event, Frame, Gone, HIGHEST, Introduction, Position, Reason, Refusal};
use crate::addressed::Addressee;

impl End {
    pub(super) fn introduction(&mut self) -> Option<Introduction> {
        // First: a new count may begin.
        let addressee = self.addressee()?;
        let counts = (self.outbox.released(), self.outbox.last());
        let (released, last) = match counts {
            (Ok(released), Ok(last)) => (released, last),
            (Err(error), _) | (_, Err(error)) => {
                self.fail(&error);
                return None;
            }
        };
        Some(Introduction {
            version: self.me.version,
            name: self.me.name.clone(),
            role: self.me.role.clone(),
            instance: self.me.instance,
            epoch: self.outbox.epoch(),
            released,
            last,
            have: self.inbound.map(|inbound| Position { epoch: inbound.epoch, number: inbound.taken }),
            window: self.window,
            keeper: self.me.keeper,
            addressee: addressee.map(Box::new),
            detail: self.me.detail.clone(),
        })
    }

    /// Whose alone our messages are, if they are; `None` where that can't be found out.
    fn addressee(&mut self) -> Option<Option<Addressee>> {
        self.outbox.addressee().map_err(|error| self.fail(&error)).ok()
    }

    /// Takes in who the other end is.
    pub(super) fn meet(&mut self, peer: Introduction, now: Time) {
        let known = matches!(&self.state, State::Up(up) if up.instance == peer.instance);
        if known && self.inbound.is_some_and(|inbound| inbound.epoch == peer.epoch) {
            // The welcome was lost, and this was said before what came since.
            self.heard(now);
            return self.welcome();
        }
        // What we have of the other end's is said before its hello changes it;
        // the count starts anew with a new epoch.
        let inbound = match self.inbound {
            Some(inbound) if inbound.epoch == peer.epoch => Inbound {
                seen: inbound.seen.max(peer.released),
                taken: inbound.taken.max(peer.released),
                ..inbound
            },
            _ => Inbound { epoch: peer.epoch, seen: peer.released, taken: peer.released },
        };
        // What was observed meanwhile is for somebody too.
        let Some(addressee) = self.addressee() else { return };
        if let Err(refusal) = self.check(&peer, inbound, addressee) {
            return self.refuse(refusal);
        }
        if let Err(error) = self.outbox.turn_to(peer.keeper, &peer.name) {
            // A disk that is full gets room by what is delivered.
            self.fail(&error);
        }
        let resumed = match peer.have {
            Some(have) if have.epoch == self.outbox.epoch() => self.outbox.release(have.number),
            _ => Ok(()),
        };
        let acked = match resumed.and_then(|()| self.outbox.released()) {
            Ok(released) => released,
            Err(error) => return self.fail(&error),
        };
        self.inbound = Some(inbound);
        self.go_down(Gone::Broken);
        self.state = State::Up(Box::new(Up::new(peer.instance, peer.window, acked, now)));
        self.welcome();
        let from = Position { epoch: inbound.epoch, number: inbound.seen };
        self.events.push_back(Event::Up { peer, from });
        self.advance(now);
    }

    /// Says welcome, where that is for this end to say.
    fn welcome(&mut self) {
        if !self.dials
            && let Some(introduction) = self.introduction()
        {
            self.frames.push_back(Frame::Welcome(introduction));
        }
    }

    /// Whether the two can talk at all.
    fn check(
        &self,
        peer: &Introduction,
        inbound: Inbound,
        addressee: Option<Addressee>,
    ) -> Result<(), Refusal> {
        let (us, them) = (self.me.name.as_str(), peer.name.as_str());
        if peer.last > HIGHEST {
            return Err(Refusal::new(
                Reason::Other,
                format!("`{them}` counts its messages beyond {HIGHEST}"),
            ));
        }
        if peer.version != self.me.version {
            return Err(Refusal::version((us, self.me.version), (them, peer.version)));
        }
        if peer.role != self.me.talks_to {
            let (our, their) = (&self.me.role, &peer.role);
            let text = format!(
                "`{us}` is a {our} that talks to a {}, and `{them}` is a {their}: check the endpoints",
                self.me.talks_to
            );
            return Err(Refusal::new(Reason::Role, text));
        }
        let elsewhere = |to: &&Addressee, keeper: Option<Uuid>| Some(to.keeper) != keeper;
        if let Some(to) = addressee.as_ref().filter(|to| elsewhere(to, peer.keeper)) {
            return Err(Refusal::addressee(&self.me.name, to, &peer.name, peer.keeper));
        }
        if let Some(to) = peer.addressee.as_deref().filter(|to| elsewhere(to, self.me.keeper)) {
            return Err(Refusal::addressee(&peer.name, to, &self.me.name, self.me.keeper));
        }
        let lost = |has: &str, has_number: u64, sent: &str, sent_number: u64| {
            let text = format!(
                "`{has}` has message {has_number} of `{sent}`, which now knows only of {sent_number}: \
                 the journal of `{sent}` was replaced by an older copy; put the newer `journal.sqlite` back into its \
                 data folder, or begin a new one: move that one away, with the files beside it that begin with its name"
            );
            Err(Refusal::new(Reason::Lost, text))
        };
        if peer.last < inbound.seen {
            return lost(us, inbound.seen, them, peer.last);
        }
        match (peer.have, self.outbox.last()) {
            (Some(have), Ok(last)) if have.epoch == self.outbox.epoch() && have.number > last => {
                lost(them, have.number, us, last)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.go_down(Gone::Left);
        self.frames.clear();
        self.frames.push_back(Frame::Refuse(refusal.clone()));
        self.refused = true;
        self.events.push_back(Event::Refused(refusal));
    }
}
