//! Training: protocols, their steps, and when a subject graduates from one to
//! the next.
//!
//! A protocol is a Starlark file, evaluated within the bounds of a task's:
//!
//! ```python
//! """From water to a choice of two."""
//!
//! protocol(
//!     name = "visual 2AFC",
//!     steps = [
//!         step("free_water", task = "../free_water.star", graduate = trials(60)),
//!         step("cued_choice", task = "../cued_choice.star", params = {"reward": "3 uL"},
//!             graduate = accuracy("outcome", of = "correct", at_least = 0.75, window = 40)),
//!         step("fast", task = "../cued_choice.star",
//!             graduate = all_of(rate(at_least = 4, per = "1 min", window = "10 min"),
//!                               lambda trials: trials[-1].latency < "300 ms")),
//!         step("two_choice", task = "../two_choice.star"),
//!     ],
//! )
//! ```
//!
//! Nothing here does I/O but [`read`], and nothing knows a clock: whether a
//! subject graduates is a pure function of its trials.

mod examiner;
mod graduation;
mod load;
mod protocol;
mod recent;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod words;

pub use examiner::{Examiner, GRADUATED};
pub use graduation::{Function, Graduation, GraduationError, LOOK_BACK, Wanted};
pub use load::read;
pub use protocol::{NoStep, Protocol, Step};
