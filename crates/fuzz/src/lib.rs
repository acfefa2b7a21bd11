//! Everything that reads what others send, as targets for `scripts/fuzz`.
//!
//! A target is fed any bytes. It must not panic, hang or take memory for what the
//! bytes only claim, and what it reads must be written and read as the same. The
//! bytes that the fuzzer starts from are valid ones, made by the code itself. What
//! ever made a target panic is kept in `found/`, in a folder of the target's name,
//! and is run with the other tests.

#[path = "../../message/tests/examples/mod.rs"]
mod examples;
#[path = "../../../agents/pilot/src/hand/protocol.rs"]
mod hand;
mod joining;
mod link;
mod local;
#[path = "../../rig/src/guard/words.rs"]
mod words;
mod zmtp;

use bramble_message::{
    ChildHello, ChildToPilot, Health, PilotHello, PilotInPassing, PilotToChild, PilotToTerminal,
    TerminalHello, TerminalInPassing, TerminalToPilot, decode, encode,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something that reads bytes.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, for the command line.
    pub name: &'static str,
    /// Has it read the bytes.
    pub run: fn(&[u8]),
    /// What it reads without a complaint.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "frame", run: link::frame, seeds: link::frames },
    Target { name: "link", run: link::talk, seeds: link::talks },
    Target { name: "guard", run: zmtp::guard, seeds: zmtp::seeds },
    Target { name: "hand_ask", run: local::json::<hand::Ask>, seeds: local::asks },
    Target { name: "hand_told", run: local::json::<hand::Told>, seeds: local::told },
    Target { name: "guard_order", run: local::json::<words::Order>, seeds: local::orders },
    Target { name: "guard_reply", run: local::json::<words::Reply>, seeds: local::replies },
    Target { name: "hosting", run: joining::hosting, seeds: joining::to_host },
    Target { name: "joining", run: joining::joining, seeds: joining::to_joiner },
    Target {
        name: "terminal_hello",
        run: message::<TerminalHello>,
        seeds: || written([examples::terminal_hello()]),
    },
    Target {
        name: "terminal_to_pilot",
        run: message::<TerminalToPilot>,
        seeds: || written(examples::terminal_to_pilot()),
    },
    Target {
        name: "terminal_in_passing",
        run: message::<TerminalInPassing>,
        seeds: || written(examples::terminal_in_passing()),
    },
    Target { name: "pilot_hello", run: message::<PilotHello>, seeds: || written([examples::pilot_hello()]) },
    Target {
        name: "pilot_to_terminal",
        run: message::<PilotToTerminal>,
        seeds: || written(examples::pilot_to_terminal()),
    },
    Target {
        name: "pilot_in_passing",
        run: message::<PilotInPassing>,
        seeds: || written(examples::pilot_in_passing()),
    },
    Target { name: "health", run: message::<Health>, seeds: || written([examples::health()]) },
    Target { name: "child_hello", run: message::<ChildHello>, seeds: || written([examples::child_hello()]) },
    Target {
        name: "child_to_pilot",
        run: message::<ChildToPilot>,
        seeds: || written(examples::child_to_pilot()),
    },
    Target {
        name: "pilot_to_child",
        run: message::<PilotToChild>,
        seeds: || written(examples::pilot_to_child()),
    },
];

/// A lock that opens to nobody who doesn't learn from each number of its
/// combination that was right: it shows that the fuzzer is led by what it reaches.
pub const LOCK: Target = Target { name: "lock", run: lock, seeds: || vec![b"a guess".to_vec()] };

fn lock(bytes: &[u8]) {
    let is = |place: usize, number: u8| bytes.get(place) == Some(&number);
    if is(0, b'b') && is(1, b'o') && is(2, b'x') && is(3, b'e') && is(4, b's') {
        panic!("the lock is open");
    }
}

fn written<M: Serialize>(messages: impl IntoIterator<Item = M>) -> Vec<Vec<u8>> {
    messages.into_iter().map(|message| encode(&message).to_vec()).collect()
}

/// A message that can be read is the same after it was written and read again.
fn message<M: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(message) = decode::<M>(bytes) {
        let written = encode(&message);
        let again = decode::<M>(&written).expect("what was written can be read");
        assert_eq!(encode(&again), written);
    }
}
