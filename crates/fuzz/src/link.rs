//! The link's frames, and what an end does when it is told them.

use bramble_link::protocol::{End, Event, Frame, Introduction, Refusal};
use bramble_link::{Me, MemoryOutbox, Position, Reason, Terms, VERSION, Window};
use bramble_value::{Span, Time};
use bytes::Bytes;
use uuid::Uuid;

/// What both ends of the tests are: two runs of two agents.
const INSTANCE: Uuid = Uuid::from_u128(1);

pub(crate) fn frame(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(&Bytes::copy_from_slice(bytes)) {
        let written = frame.encode();
        assert_eq!(Frame::decode(&written).expect("what was written can be read"), frame);
    }
}

fn me(dials: bool) -> Me {
    let (name, role, talks_to) =
        if dials { ("box1", "pilot", "terminal") } else { ("desk", "terminal", "pilot") };
    Me::new(name.parse().expect("it is a name"), role, talks_to)
}

fn introduction(dials: bool) -> Introduction {
    let me = me(dials);
    Introduction {
        version: VERSION,
        name: me.name,
        role: me.role,
        instance: INSTANCE,
        epoch: INSTANCE,
        released: 0,
        last: 3,
        have: Some(Position { epoch: INSTANCE, number: 7 }),
        window: Window::DEFAULT,
        keeper: Some(Uuid::from_u128(7)),
        addressee: None,
        detail: Bytes::from_static(b"session 3"),
    }
}

fn said(dials: bool) -> Vec<Frame> {
    let hello = introduction(dials);
    let (sent, received) = (Time::from_ns(5), Time::from_ns(1_000));
    vec![
        if dials { Frame::Hello(hello) } else { Frame::Welcome(hello) },
        Frame::Ping { sent, last: 3, taken: 0 },
        Frame::Pong { ping: sent, received, sent: received },
        Frame::Data { number: 1, payload: Bytes::from_static(b"a poke") },
        Frame::Data { number: 3, payload: Bytes::from(vec![7; 2000]) },
        Frame::Acknowledge { up_to: 1 },
        Frame::Missing { after: 1 },
        Frame::Passing { payload: Bytes::new() },
        Frame::Bye {},
        Frame::Refuse(Refusal::new(Reason::NameTaken, "no")),
    ]
}

pub(crate) fn frames() -> Vec<Vec<u8>> {
    [true, false].iter().flat_map(|dials| said(*dials)).map(|frame| frame.encode().to_vec()).collect()
}

/// An end that listens, or dials, is told frames: each after how much later it
/// comes, in a byte, and its length, in two.
pub(crate) fn talk(bytes: &[u8]) {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    let dials = first & 1 == 1;
    let terms = Terms { window: Window { messages: 4, bytes: 3000 }, ..Terms::new(MemoryOutbox::new()) };
    let mut end = if dials { End::dialing(me(true), terms) } else { End::listening(me(false), terms) };
    let mut now = Time::ZERO;
    end.connected(now);
    let _ = end.send(Bytes::from_static(b"start"));
    let mut held = 0;
    while let Some((&[later, low, high], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(after.len());
        let (frame, after) = after.split_at(length);
        rest = after;
        now += Span::from_ms(u32::from(later) * 20);
        match Frame::decode(&Bytes::copy_from_slice(frame)) {
            Ok(frame) => end.handle(frame, now),
            Err(_) => end.handle_other_version(u32::from(later)),
        }
        end.advance(now);
        let said = std::iter::from_fn(|| end.poll_frame(now)).take(1000).count();
        assert!(said < 1000, "it has no end of things to say");
        while let Some(event) = end.poll_event() {
            if let Event::Message { at, .. } = event {
                held += 1;
                assert!(held <= 4, "more came than the window allows");
                if later & 1 == 1 {
                    end.taken(at);
                    held = 0;
                }
            }
        }
    }
}

pub(crate) fn talks() -> Vec<Vec<u8>> {
    let talk = |dials: bool, later: u8| {
        let mut talk = vec![u8::from(dials)];
        for frame in said(!dials) {
            let frame = frame.encode();
            // None of them is longer than a few thousand bytes.
            talk.extend([later, frame.len() as u8, (frame.len() >> 8) as u8]);
            talk.extend(&frame);
        }
        talk
    };
    vec![talk(true, 0), talk(false, 0), talk(true, 1), talk(false, 30)]
}
