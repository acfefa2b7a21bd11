//! Those who work a pilot's rig by hand at a page. What they ask and what they are told is
//! between them and the pilot: this terminal only passes it on.

pub(crate) mod socket;
pub(crate) mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bramble_message::HandTold;
use bramble_value::Name;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

/// As many messages may wait for a page that doesn't read; then it has no hand any more.
const ROOM: usize = 1024;

/// The hands that there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hands(Arc<Mutex<HashMap<Uuid, Hand>>>);

#[derive(Debug)]
struct Hand {
    pilot: Name,
    tells: Sender<HandTold>,
}

/// One hand, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Held {
    hands: Hands,
    /// Its number, everywhere.
    pub(crate) lease: Uuid,
    /// What it is told; nothing more where it is over.
    pub(crate) told: Receiver<HandTold>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hands.all().remove(&self.lease);
    }
}

impl Hands {
    /// A hand on the rig of this pilot.
    pub(crate) fn begin(&self, pilot: Name) -> Held {
        let (lease, (tells, told)) = (Uuid::new_v4(), channel(ROOM));
        self.all().insert(lease, Hand { pilot, tells });
        Held { hands: self.clone(), lease, told }
    }

    /// A pilot tells a hand something.
    pub(crate) fn told(&self, pilot: &Name, lease: Uuid, told: HandTold) {
        let mut all = self.all();
        let Some(hand) = all.get(&lease).filter(|hand| hand.pilot == *pilot) else { return };
        // What a page doesn't read is not kept for it, and nothing between may be missing.
        if hand.tells.try_send(told).is_err() {
            all.remove(&lease);
        }
    }

    /// A pilot is gone, and lets whoever has its rig go.
    pub(crate) fn gone(&self, pilot: &Name) {
        self.all().retain(|_, hand| hand.pilot != *pilot);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Uuid, Hand>> {
        // Nothing that is done under the lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_hand_hears_its_own_pilot_until_that_is_gone() {
        let hands = Hands::default();
        let mut held = hands.begin(name("box1"));
        hands.told(&name("box2"), held.lease, HandTold::Beat(1));
        hands.told(&name("box1"), Uuid::from_u128(1), HandTold::Beat(2));
        hands.told(&name("box1"), held.lease, HandTold::Beat(3));
        hands.gone(&name("box2"));
        hands.gone(&name("box1"));
        assert_eq!(held.told.blocking_recv(), Some(HandTold::Beat(3)));
        assert_eq!(held.told.blocking_recv(), None);
    }

    #[test]
    fn a_page_that_does_not_read_loses_its_hand_and_misses_nothing_before() {
        let hands = Hands::default();
        let mut held = hands.begin(name("box1"));
        for beat in 0..=ROOM as u64 {
            hands.told(&name("box1"), held.lease, HandTold::Beat(beat));
        }
        let heard: Vec<HandTold> = std::iter::from_fn(|| held.told.blocking_recv()).collect();
        assert_eq!((heard.len(), heard.last()), (ROOM, Some(&HandTold::Beat(ROOM as u64 - 1))));
    }
}
