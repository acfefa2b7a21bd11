//! Messages as bytes: good ones come back as they were, bad ones are refused.

mod examples;

use std::fmt::Debug;

use bramble_message::*;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use examples::{SESSION, command, port, read, start};

#[track_caller]
fn comes_back<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: M) {
    let bytes = encode(&message);
    assert_eq!(decode::<M>(&bytes).expect("it is one"), message);
    for cut in 0..bytes.len() {
        assert!(decode::<M>(&bytes[..cut]).is_err(), "{message:?} cut at {cut}");
    }
}

#[test]
fn every_message_of_a_terminal_to_a_pilot_comes_back_as_it_was() {
    comes_back(examples::terminal_hello());
    examples::terminal_to_pilot().into_iter().for_each(comes_back);
    examples::terminal_in_passing().into_iter().for_each(comes_back);
}

#[test]
fn every_message_of_a_pilot_to_a_terminal_comes_back_as_it_was() {
    comes_back(examples::pilot_hello());
    examples::pilot_in_passing().into_iter().for_each(comes_back);
    examples::pilot_to_terminal().into_iter().for_each(comes_back);
}

#[test]
fn every_message_between_a_pilot_and_a_child_comes_back_as_it_was() {
    comes_back(examples::child_hello());
    comes_back(examples::health());
    examples::pilot_to_child().into_iter().for_each(comes_back);
    examples::child_to_pilot().into_iter().for_each(comes_back);
}

#[test]
fn a_message_is_a_map_with_field_names() {
    let command = Command::Stop { session: SESSION, when: When::AfterTrial, why: "the day is over".into() };
    let bytes = encode(&examples::command(command));
    let text = String::from_utf8_lossy(&bytes);
    for field in ["command", "ask", "by", "alice@desk", "take_over", "stop", "when", "after_trial", "why"] {
        assert!(text.contains(field), "{field} is in the message");
    }
}

/// Tries to read every kind of message, and says which could be.
fn readable(bytes: &[u8]) -> Vec<&'static str> {
    fn name_if<M: DeserializeOwned>(bytes: &[u8]) -> Option<&'static str> {
        decode::<M>(bytes).ok().map(|_| std::any::type_name::<M>())
    }
    let kinds = [
        name_if::<TerminalHello>,
        name_if::<TerminalToPilot>,
        name_if::<TerminalInPassing>,
        name_if::<PilotHello>,
        name_if::<PilotToTerminal>,
        name_if::<PilotInPassing>,
        name_if::<Health>,
        name_if::<ChildHello>,
        name_if::<ChildToPilot>,
        name_if::<PilotToChild>,
    ];
    kinds.iter().filter_map(|name_if| name_if(bytes)).collect()
}

#[test]
fn bytes_that_are_no_message_are_an_error_that_says_what_was_wanted() {
    for bytes in [&b""[..], b"\xc1", b"hello", &[0xdf, 0xff, 0xff, 0xff, 0xff]] {
        assert!(readable(bytes).is_empty());
        let error = decode::<PilotToTerminal>(bytes).unwrap_err().to_string();
        assert!(error.contains("PilotToTerminal"), "{error}");
    }
}

/// A change of a parameter to whatever these bytes are.
fn parameter_of(value: &[u8]) -> Vec<u8> {
    let (session, name) = (SESSION, "reward".into());
    let command = Command::SetParameter { session, name, unix_ns: 1, value: json!(null) };
    let mut bytes = encode(&examples::command(command)).to_vec();
    assert_eq!(bytes.pop(), Some(0xc0), "the value, null, comes last");
    bytes.extend(value);
    bytes
}

#[test]
fn what_is_nested_as_deep_as_json_may_be_is_read_and_deeper_is_refused() {
    let nested = |depth| [vec![0x91; depth], vec![0xc0]].concat();
    assert!(decode::<TerminalToPilot>(&parameter_of(&nested(127))).is_ok());
    for depth in [1_000, 100_000] {
        assert!(decode::<TerminalToPilot>(&parameter_of(&nested(depth))).is_err(), "{depth}");
        // As a field that no message has, and as a map in a map.
        assert!(readable(&[&b"\x81\xa4more"[..], &nested(depth)].concat()).is_empty());
        let maps: Vec<u8> = b"\x81\xa1a".iter().copied().cycle().take(3 * depth).collect();
        assert!(decode::<TerminalToPilot>(&parameter_of(&maps)).is_err(), "{depth}");
    }
}

#[test]
fn what_claims_to_be_long_is_refused_without_memory_for_it() {
    // Each claims four thousand million bytes, elements or entries.
    for head in [0xc6, 0xc9, 0xdb, 0xdd, 0xdf] {
        let claim = [head, 0xff, 0xff, 0xff, 0xff];
        assert!(decode::<TerminalToPilot>(&parameter_of(&claim)).is_err(), "{head:x}");
        // A thousand claims, one in the other: were each given what it claims, or a
        // thousandth of it, this process would not live.
        assert!(decode::<TerminalToPilot>(&parameter_of(&claim.repeat(1000))).is_err(), "{head:x}");
        let records =
            [&b"\x81\xa7records\x82\xa7session\xc4\x10"[..], &[0; 16], b"\xa7records", &claim].concat();
        assert!(decode::<PilotToTerminal>(&records).is_err(), "{head:x}");
    }
}

#[test]
fn a_quantity_that_cant_be_is_refused() {
    let reward = Command::Reward { session: SESSION, port: port("valve", None), volume: read("4 uL") };
    let mut bytes = encode(&command(reward)).to_vec();
    // The volume comes last, and its sign is the first of its eight bytes.
    let sign = bytes.len() - 8;
    bytes[sign] |= 0x80;
    let error = decode::<TerminalToPilot>(&bytes).unwrap_err().to_string();
    assert!(error.contains("`-4` is out of the range of a volume"), "{error}");
}

proptest! {
    #[test]
    fn hostile_bytes_are_never_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        by in any::<u8>(),
    ) {
        readable(&bytes);
        // A good message with one byte of it changed.
        let mut good = encode(&command(Command::Start(Box::new(start())))).to_vec();
        let at = at.index(good.len());
        good[at] = by;
        readable(&good);
    }
}
