//! How late pilots are, as far as is known.

use bramble_message::Reaction;
use bramble_value::Name;

use super::Lab;
use crate::api::timing::PilotTiming;

impl Lab {
    /// How a pilot reacts.
    pub(crate) fn reacts(&mut self, name: &Name, reaction: Reaction) {
        self.reactions.insert(name.clone(), reaction);
    }

    /// How late every pilot is.
    pub(crate) fn timing(&self) -> Vec<PilotTiming> {
        let of = |(name, pilot): (&Name, &super::Pilot)| PilotTiming {
            pilot: name.clone(),
            here: pilot.presence.away_since().is_none(),
            round_trip: Some(pilot.presence.round_trips()).filter(|delays| delays.count > 0),
            reaction: self.reactions.get(name).cloned(),
        };
        self.pilots.iter().map(of).collect()
    }
}
