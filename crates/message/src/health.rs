//! How the computer that an agent runs on fares, and how well two agents hear each other.

use bramble_value::{Span, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How an agent's computer fares. What a computer doesn't tell is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// When this was looked at, on the agent's clock.
    pub time: Time,
    /// The same moment by its wall clock: nanoseconds since 1970, UTC.
    pub unix_ns: i64,
    /// The disk that its data folder is on.
    pub disk: Option<Disk>,
    /// The hottest sensor of its processor, in degrees Celsius.
    pub temperature: Option<f64>,
    /// Its supply, where it watches that.
    pub power: Option<Power>,
}

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Disk {
    /// Bytes that the agent may still write.
    pub free: u64,
    /// Bytes that it has in all.
    pub size: u64,
}

/// What a computer says of its supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Power {
    /// Its voltage is too low now.
    pub low: bool,
    /// Its processor is slowed down now, for want of power or for heat.
    pub throttled: bool,
    /// One of these was so at some time since it was switched on.
    pub earlier: bool,
}

/// How late something was, each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delays {
    /// How many times.
    pub count: u64,
    /// How many took how long, from the shortest up.
    pub bars: Vec<Bar>,
    /// Half of them took no longer.
    pub p50: Span,
    /// 99 of 100 took no longer.
    pub p99: Span,
    /// 999 of 1000 took no longer.
    pub p99_9: Span,
    /// The longest.
    pub worst: Span,
}

/// One bar of a histogram; its lower end is the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = DelayBar))]
pub struct Bar {
    /// The longest in it; the last bar has no end.
    pub up_to: Span,
    /// How many.
    pub count: u64,
}

/// How a session in real time reacted: how much later than what led to it, an edge or a time that
/// was over, each output was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reaction {
    /// Which: the one that runs, or ran last.
    pub session: Uuid,
    /// How late its outputs were.
    pub delays: Delays,
}

/// How well one agent hears another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Quality {
    /// A heartbeat's way there and back.
    pub round_trip: Span,
    /// A time of the other's clock is known on one's own to within this.
    pub clock_error: Span,
    /// How much faster the other's clock goes, in parts of a million.
    pub drift_ppm: f64,
    /// By how many seconds the other's wall clock is ahead; negative: behind.
    pub wall_ahead: Option<f64>,
}
