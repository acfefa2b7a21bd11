//! What the guard lets pass, and what it doesn't, however the bytes come.

use bramble_gate::{Guard, LARGEST, LARGEST_COMMAND, Sender, Unwelcome};
use proptest::prelude::*;

fn dealer() -> Sender {
    Sender::Dealer("box1".parse().expect("a name"))
}

fn greeting() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
    bytes[12..16].copy_from_slice(b"NULL");
    bytes
}

fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags];
    if flags & 2 == 0 {
        bytes.push(u8::try_from(body.len()).expect("a short body"));
    } else {
        bytes.extend((body.len() as u64).to_be_bytes());
    }
    bytes.extend(body);
    bytes
}

fn ready(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in properties {
        body.push(u8::try_from(name.len()).expect("a short name"));
        body.extend(name.as_bytes());
        body.extend(u32::try_from(value.len()).expect("a short value").to_be_bytes());
        body.extend(*value);
    }
    if body.len() > 255 { frame(6, &body) } else { frame(4, &body) }
}

fn introduction() -> Vec<u8> {
    [greeting(), ready(&[("Socket-Type", b"DEALER"), ("Identity", b"box1/0123abcd")])].concat()
}

fn whole(from: Sender, bytes: &[u8]) -> Result<(), Unwelcome> {
    Guard::new(from).push(bytes)
}

fn after_introduction(bytes: &[u8]) -> Result<(), Unwelcome> {
    whole(dealer(), &[&introduction(), bytes].concat())
}

#[test]
fn what_an_agent_says_passes() {
    let mut guard = Guard::new(dealer());
    guard.push(&introduction()[..introduction().len() - 1]).unwrap();
    assert!(!guard.is_ready());
    guard.push(&introduction()[introduction().len() - 1..]).unwrap();
    assert!(guard.is_ready());
    for body in [vec![], vec![1], vec![2; 255], vec![3; 100_000]] {
        guard.push(&frame(2, &body)).unwrap();
    }
    guard.push(&frame(0, b"\x81\xa3bye\x80")).unwrap();
    let identity_alone = ready(&[("Identity", b"box1"), ("Socket-Type", b"DEALER"), ("Lab", b"3")]);
    assert_eq!(whole(dealer(), &[greeting(), identity_alone].concat()), Ok(()));
    let router = [greeting(), ready(&[("Socket-Type", b"ROUTER"), ("Identity", b"")]), frame(0, b"hello")];
    assert_eq!(whole(Sender::Router, &router.concat()), Ok(()));
}

#[test]
fn zmtp_of_another_version_or_mechanism_and_what_is_no_zmtp_do_not_pass() {
    for (at, byte) in [(0, b'G'), (9, 0), (10, 1), (12, b'P'), (16, b'X'), (31, 1)] {
        let mut bytes = greeting();
        bytes[at] = byte;
        assert_eq!(whole(dealer(), &bytes), Err(Unwelcome::Greeting), "byte {at}");
    }
}

#[test]
fn a_frame_that_claims_too_much_does_not_pass_before_or_after_the_introduction() {
    let huge = 1u64 << 62;
    let claim = |flags, size: u64| [vec![flags], size.to_be_bytes().to_vec()].concat();
    assert_eq!(after_introduction(&claim(2, huge)), Err(Unwelcome::TooLarge(huge)));
    assert_eq!(after_introduction(&claim(2, LARGEST + 1)), Err(Unwelcome::TooLarge(LARGEST + 1)));
    assert_eq!(after_introduction(&claim(2, LARGEST)), Ok(()));
    let before = [greeting(), claim(2, huge)].concat();
    assert_eq!(whole(dealer(), &before), Err(Unwelcome::NotReady));
    let command = [greeting(), claim(6, huge)].concat();
    assert_eq!(whole(dealer(), &command), Err(Unwelcome::LargeCommand(huge)));
    let command = [greeting(), claim(6, LARGEST_COMMAND + 1)].concat();
    assert_eq!(whole(dealer(), &command), Err(Unwelcome::LargeCommand(LARGEST_COMMAND + 1)));
}

#[test]
fn nobody_speaks_in_anothers_name() {
    for said in [&b"box2/0123abcd"[..], b"", b"box", b"box11", b"box1x/1", b"BOX1/1", b"/box1", &[0xff; 4]] {
        let bytes = [greeting(), ready(&[("Socket-Type", b"DEALER"), ("Identity", said)])].concat();
        let refused = whole(dealer(), &bytes).unwrap_err();
        assert!(matches!(refused, Unwelcome::Identity { .. }), "{said:?}: {refused}");
    }
    let nameless = [greeting(), ready(&[("Socket-Type", b"DEALER")])].concat();
    assert!(matches!(whole(dealer(), &nameless), Err(Unwelcome::Identity { .. })));
    let long = [&b"box1/"[..], &[b'x'; 251]].concat();
    let long = [greeting(), ready(&[("Socket-Type", b"DEALER"), ("Identity", &long)])].concat();
    assert!(matches!(whole(dealer(), &long), Err(Unwelcome::Identity { .. })));
    // ZeroMQ takes the last one, and takes no notice of one that is written otherwise.
    let is = ("Socket-Type", &b"DEALER"[..]);
    for properties in [
        &[is, ("Identity", b"box1"), ("Identity", b"box2")][..],
        &[is, ("identity", b"box1")],
        &[is, ("Identity", b"box1"), ("IDENTITY", b"box2")],
        &[is, is, ("Identity", b"box1")],
    ] {
        assert_eq!(whole(dealer(), &[greeting(), ready(properties)].concat()), Err(Unwelcome::NotReady));
    }
}

#[test]
fn a_socket_of_another_type_does_not_pass() {
    for said in [&b"ROUTER"[..], b"REQ", b"", b"dealer"] {
        let bytes = [greeting(), ready(&[("Socket-Type", said), ("Identity", b"box1")])].concat();
        assert_eq!(whole(dealer(), &bytes), Err(Unwelcome::SocketType("DEALER")));
    }
    let bytes = [greeting(), ready(&[("Socket-Type", b"DEALER")])].concat();
    assert_eq!(whole(Sender::Router, &bytes), Err(Unwelcome::SocketType("ROUTER")));
}

#[test]
fn a_ready_that_can_not_be_read_does_not_pass() {
    let good = ready(&[("Socket-Type", b"DEALER"), ("Identity", b"box1")]);
    for cut in 2..good.len() - 1 {
        let bytes = [greeting(), frame(4, &good[2..cut])].concat();
        assert!(whole(dealer(), &bytes).is_err(), "{cut}");
    }
    let error = [greeting(), frame(4, b"\x05ERROR\x00")].concat();
    assert_eq!(whole(dealer(), &error), Err(Unwelcome::NotReady));
}

#[test]
fn after_the_introduction_there_are_only_messages_of_one_frame() {
    assert_eq!(after_introduction(&frame(4, b"\x04PING\x00\x0a")), Err(Unwelcome::Command));
    assert_eq!(after_introduction(&frame(6, b"\x04PONG")), Err(Unwelcome::Command));
    assert_eq!(after_introduction(&introduction()[64..]), Err(Unwelcome::Command));
    assert_eq!(after_introduction(&frame(1, b"more")), Err(Unwelcome::Flags(1)));
    assert_eq!(after_introduction(&frame(8, b"")), Err(Unwelcome::Flags(8)));
    assert_eq!(whole(dealer(), &[greeting(), frame(0, b"early")].concat()), Err(Unwelcome::NotReady));
}

/// What an agent says, with a mistake somewhere in most cases.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let frames = prop::collection::vec(
        prop_oneof![
            8 => prop::collection::vec(any::<u8>(), 0..300).prop_map(|body| frame(2, &body)),
            8 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|body| frame(0, &body)),
            1 => any::<(u8, u64)>().prop_map(|(flags, size)| [vec![flags], size.to_be_bytes().to_vec()].concat()),
        ],
        0..20,
    );
    let mistakes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let agent = (frames, mistakes).prop_map(|(frames, mistakes)| {
        let mut bytes = [introduction(), frames.concat()].concat();
        for (at, byte) in mistakes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop_oneof![4 => agent, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gets_the_same_verdict(bytes in streams(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let expected = whole(dealer(), &bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut guard = Guard::new(dealer());
        let mut verdict = Ok(());
        for pair in cuts.windows(2) {
            verdict = guard.push(&bytes[pair[0]..pair[1]]);
            if verdict.is_err() {
                break;
            }
        }
        prop_assert_eq!(&verdict, &expected);
        let mut guard = Guard::new(dealer());
        let one_by_one = bytes.iter().try_for_each(|byte| guard.push(&[*byte]));
        prop_assert_eq!(&one_by_one, &expected);
        // Who was refused stays so.
        if expected.is_err() {
            prop_assert_eq!(guard.push(&frame(0, b"sorry")), expected);
        }
    }

    #[test]
    fn what_agents_say_passes_with_any_bodies(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..20)) {
        let frames: Vec<u8> = bodies.iter().flat_map(|body| frame(2, body)).collect();
        prop_assert_eq!(after_introduction(&frames), Ok(()));
    }

    #[test]
    fn what_passes_is_what_can_be_read_as_messages_of_one_frame(bytes in streams()) {
        // A second reader, of the whole.
        fn is_readable(bytes: &[u8]) -> bool {
            let Some((flags, rest)) = bytes.split_first() else { return true };
            let size = match flags {
                0 => rest.split_first().map(|(size, rest)| (u64::from(*size), rest)),
                2 => rest.split_first_chunk().map(|(size, rest)| (u64::from_be_bytes(*size), rest)),
                _ => return false,
            };
            // What is cut passes as far as it goes.
            let Some((size, rest)) = size else { return true };
            size <= LARGEST && rest.get(size as usize..).is_none_or(is_readable)
        }
        if let Some(frames) = bytes.strip_prefix(&introduction()[..]) {
            prop_assert_eq!(whole(dealer(), &bytes).is_ok(), is_readable(frames));
        }
    }
}
