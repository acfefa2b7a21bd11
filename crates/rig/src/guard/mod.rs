//! The guard: a process beside the pilot that makes outputs safe when the pilot
//! can't, because it was killed or hangs.

mod guarded;

pub use guarded::Guarded;
