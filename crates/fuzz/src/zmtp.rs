//! The gate's guard, which reads ZMTP as it passes.

use bramble_gate::{Guard, Sender};

fn senders() -> [Sender; 2] {
    [Sender::Dealer("box1".parse().expect("it is a name")), Sender::Router]
}

/// What passes in one piece passes in any pieces, and what doesn't, doesn't.
pub(crate) fn guard(bytes: &[u8]) {
    let Some((pieces, bytes)) = bytes.split_first() else { return };
    for sender in senders() {
        let mut whole = Guard::new(sender.clone());
        let passed = whole.push(bytes);
        let mut in_pieces = Guard::new(sender);
        let size = usize::from(*pieces).max(1);
        let pieces_passed = bytes.chunks(size).try_for_each(|piece| in_pieces.push(piece));
        assert_eq!(pieces_passed, passed);
        assert_eq!(in_pieces.is_ready(), whole.is_ready());
        if passed.is_err() {
            assert_eq!(whole.push(b"more"), passed, "what was refused once is refused for ever");
        }
    }
}

/// What ZeroMQ says first, then a message of a short and of a long frame.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let kinds: [(&[u8], &[u8]); 2] = [(b"DEALER", b"box1/0a1b2c3d"), (b"ROUTER", b"")];
    let seed = |(kind, identity): (&[u8], &[u8])| {
        let mut greeting = [0; 64];
        (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
        greeting[12..16].copy_from_slice(b"NULL");
        let mut ready = b"\x05READY".to_vec();
        for (name, value) in [(&b"Socket-Type"[..], kind), (b"Identity", identity)] {
            ready.push(name.len() as u8);
            ready.extend(name);
            ready.extend((value.len() as u32).to_be_bytes());
            ready.extend(value);
        }
        let mut bytes = [&[7][..], &greeting, &[4, ready.len() as u8], &ready].concat();
        bytes.extend(b"\x00\x05hello");
        bytes.extend(b"\x02\0\0\0\0\0\0\x01\0");
        bytes.extend([0; 256]);
        bytes
    };
    kinds.into_iter().map(seed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_starts_from_passes() {
        for (seed, sender) in seeds().iter().zip(senders()) {
            let mut guard = Guard::new(sender);
            assert_eq!(guard.push(&seed[1..]), Ok(()));
            assert!(guard.is_ready());
        }
    }
}
