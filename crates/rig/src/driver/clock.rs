//! The clock of real hardware: the kernel's monotonic one, which edges are
//! stamped with.

use bramble_value::Time;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// Now, on the kernel's monotonic clock.
pub fn monotonic() -> Time {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has a monotonic clock");
    Time::from_ns(now.tv_sec() * 1_000_000_000 + now.tv_nsec())
}

/// A moment of the monotonic clock, as the kernel takes it; the clock's
/// beginning for one before it.
pub(crate) fn timespec(time: Time) -> TimeSpec {
    let ns = time.since(Time::ZERO).ns();
    TimeSpec::new(ns / 1_000_000_000, ns % 1_000_000_000)
}
