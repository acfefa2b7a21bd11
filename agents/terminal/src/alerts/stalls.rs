//! For how long each session has had no trial.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::api::types::{PilotStatus, SessionStatus};

/// A session that is this young was seen from its start.
const YOUNG: f64 = 30.0;

/// How the sessions that run get on.
#[derive(Debug, Default)]
pub(super) struct Stalls(BTreeMap<Uuid, Pace>);

#[derive(Debug)]
struct Pace {
    trials: u32,
    /// When its last trial ended, or later.
    since: Timestamp,
    /// Its last trial may have been long before that.
    found: bool,
}

/// How a session gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pacing {
    /// It was paused, or had a trial, or began, not before this.
    Since(Timestamp),
    /// So much is known of it; it may be longer.
    SinceOrBefore(Timestamp),
}

impl Stalls {
    /// Looks at the pilots as they are now.
    pub(super) fn look(&mut self, now: Timestamp, pilots: &[PilotStatus]) {
        let running = || pilots.iter().filter_map(|pilot| Some((pilot, pilot.session.as_ref()?)));
        self.0.retain(|known, _| running().any(|(_, session)| session.session == *known));
        for (pilot, session) in running() {
            let SessionStatus { session, trials, hold, seconds, .. } = session;
            let found = *trials > 0 || *seconds > YOUNG;
            let pace = self.0.entry(*session).or_insert(Pace { trials: *trials, since: now, found });
            if !pilot.here {
                // What happens there is told when it is back.
                (pace.since, pace.found) = (now, true);
            } else if *trials != pace.trials || hold.is_some() {
                *pace = Pace { trials: *trials, since: now, found: false };
            }
        }
    }

    /// How a session gets on; nothing is known of one that doesn't run.
    pub(super) fn of(&self, session: Uuid) -> Option<Pacing> {
        let Pace { since, found, .. } = self.0.get(&session)?;
        Some(if *found { Pacing::SinceOrBefore(*since) } else { Pacing::Since(*since) })
    }
}
