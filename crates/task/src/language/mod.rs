//! What a task file can say: the words, what using one makes, and what a
//! function of the trial sees.

mod bind;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod declare;
mod methods;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod part;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod random;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod trial;
mod words;

pub(crate) use bind::{lacks, shown, too_many, unknown};
pub(crate) use declare::{Context, Declared, DeviceInfo};
pub(crate) use part::{FrozenPart, Part, one_kind};
pub(crate) use trial::{EVENT_WORDS, RANDOM_WORDS, Seen, TRIAL_WORDS, trial_value};
pub(crate) use words::{Of, Verb, WORDS, Word, methods_of};

use starlark::environment::Globals;

/// Every word that a task file starts with.
pub(crate) fn globals() -> Globals {
    let mut builder = crate::sandbox::globals();
    for word in WORDS {
        builder.set(word.name, FrozenPart::word(word));
    }
    builder.build()
}
