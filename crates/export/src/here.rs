//! What an export says beyond what is in the subject file.

use bramble_value::Lab;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Session;

/// By whom, where and when a session is exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Here {
    /// Whose data these are.
    pub lab: Lab,
    /// The time on the wall of the lab, for a day that has a night; of a session whose file says
    /// which that was, that.
    pub zone: TimeZone,
    /// When it is exported.
    pub now: Timestamp,
}

impl Here {
    /// As this session has it, wherever it is exported.
    pub(crate) fn of(&self, session: &Session) -> Here {
        Here { zone: session.zone().unwrap_or_else(|| self.zone.clone()), ..self.clone() }
    }

    /// The day of a moment in the lab.
    pub(crate) fn day(&self, moment: Timestamp) -> Date {
        moment.to_zoned(self.zone.clone()).date()
    }

    /// A moment as ISO 8601 with its distance from UTC, as NWB and AIND want it.
    pub(crate) fn moment(&self, moment: Timestamp) -> String {
        moment.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
    }
}
