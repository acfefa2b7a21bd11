//! Hardware: what devices a machine has, the drivers behind them, the loop that
//! runs a task on them, and the states in which they can do no harm.

pub mod calibration;
pub mod config;
pub mod devices;
mod dose;
pub mod driver;
pub mod guard;
pub mod hardware;
pub mod realtime;
pub mod remote;
pub mod session;
pub mod signal;
pub mod sync;
mod water;
pub mod whole;
pub mod wiring;

pub use config::RigConfig;
pub use dose::{Dose, DoseError};
pub use driver::{Driver, DriverError, Happening, Inbox, OpenError, Post, Real, Request, Rig, inbox};
pub use hardware::Hardware;
pub use realtime::RealTime;
pub use signal::{Grating, Reading, Side, Signal, Sound};
pub use water::WaterMeter;
pub use wiring::{Misfit, Wire, Wiring};
