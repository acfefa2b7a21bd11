//! Links whose users hear on the link's own thread.

use std::sync::mpsc::{Receiver, Sender, channel};

use crate::common::*;
use bramble_link::{
    Event, MemoryOutbox, Outbox, OutboxError, Reply, Terms, Window, dial_hearing, listen_hearing,
};
use bytes::Bytes;
use uuid::Uuid;

/// What was heard, and on which thread.
type Heard = (Event, Option<String>);

/// Tells a test what is heard, and answers it with this.
fn ear(
    told: Sender<Heard>,
    answer: impl Fn(&Event) -> Option<Reply> + Send + 'static,
) -> impl FnMut(Event) -> Option<Reply> + Send + 'static {
    move |event| {
        let reply = answer(&event);
        // The test may be over.
        let _ = told.send((event, std::thread::current().name().map(str::to_owned)));
        reply
    }
}

/// The next event that `pick` has something to say about, which came on a thread of this name.
fn heard<T>(told: &Receiver<Heard>, thread: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        let (event, name) = told.recv_timeout(PATIENCE).expect("it is heard");
        assert_eq!(name.as_deref(), Some(thread), "{event:?}");
        if let Some(found) = pick(event) {
            return found;
        }
    }
}

#[test]
fn what_is_heard_on_the_links_thread_is_answered_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let (told, at_terminal) = channel();
    let answers = ear(told, |event| match event {
        Event::Message { payload, .. } if payload == "may I?" => Some(Reply::Message("go".into())),
        _ => None,
    });
    let terms = |_: &_| Ok(Terms::new(MemoryOutbox::new()));
    let listener = listen_hearing(in_folder(&folder), terminal(), terms, answers).unwrap();
    let (told, at_pilot) = channel();
    let answers = ear(told, |event| match event {
        Event::Up { .. } => Some(Reply::Message("may I?".into())),
        Event::Message { .. } => Some(Reply::Passing("gone".into())),
        _ => None,
    });
    let dialer = dial_hearing(in_folder(&folder), pilot("box1"), Terms::new(MemoryOutbox::new()), answers);
    let dialer = dialer.unwrap();

    let (peer, asked) = heard(&at_terminal, "link-desk", |event| match event {
        Event::Message { peer, at, .. } => Some((peer, at)),
        _ => None,
    });
    let (told, word) = heard(&at_pilot, "link-box1", |event| match event {
        Event::Message { at, payload, .. } => Some((at, payload)),
        _ => None,
    });
    assert_eq!((asked.number, told.number, word), (1, 1, Bytes::from("go")));
    let last = heard(&at_terminal, "link-desk", |event| match event {
        Event::Passing { payload, .. } => Some(payload),
        _ => None,
    });
    assert_eq!(last, "gone");
    // It is acknowledged from elsewhere, as of a link whose events wait.
    listener.line(&peer).taken(asked).unwrap();
    dialer.line().taken(told).unwrap();
    dialer.close(PATIENCE);
    listener.close(PATIENCE);
    assert!(
        at_pilot.iter().any(|(event, _)| matches!(event, Event::Down { .. })),
        "what happens last is heard too"
    );
}

/// An outbox that has no room for anything.
struct Full(MemoryOutbox);

impl Outbox for Full {
    fn epoch(&self) -> Uuid {
        self.0.epoch()
    }

    fn push(&mut self, _: Bytes) -> Result<u64, OutboxError> {
        Err(OutboxError::Full { messages: 7, bytes: 70 })
    }

    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        self.0.read(after, most)
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        self.0.release(up_to)
    }

    fn last(&self) -> Result<u64, OutboxError> {
        self.0.last()
    }

    fn released(&self) -> Result<u64, OutboxError> {
        self.0.released()
    }
}

fn full() -> Terms {
    Terms::new(Full(MemoryOutbox::new()))
}

fn is_failure(event: Event) -> Option<String> {
    match event {
        Event::Failed { why, .. } => Some(why),
        _ => None,
    }
}

#[test]
fn an_answer_that_can_not_be_queued_is_heard_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _events) = listen_with_memory(&in_folder(&folder));
    let (told, at_pilot) = channel();
    // It answers that it failed, too.
    let answers = ear(told, |event| match event {
        Event::Clock { .. } => None,
        _ => Some(Reply::Message("an answer".into())),
    });
    let dialer = dial_hearing(in_folder(&folder), pilot("box1"), full(), answers).unwrap();
    let why = heard(&at_pilot, "link-box1", is_failure);
    assert!(why.contains("7 messages with 70 bytes wait"), "{why}");
    listener.line(&"box1".parse().unwrap()).send("go on").unwrap();
    let mut failures = 0;
    heard(&at_pilot, "link-box1", |event| {
        failures += u32::from(matches!(event, Event::Failed { .. }));
        matches!(event, Event::Message { .. }).then_some(())
    });
    assert_eq!(failures, 0, "it was answered for ever");
    drop(dialer);
}

#[test]
fn a_message_that_nobody_waits_for_and_that_was_not_queued_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (dialer, at_pilot) = bramble_link::dial(in_folder(&folder), pilot("box1"), full()).unwrap();
    // It isn't known who the other one is before the link has come up.
    let (_listener, _at_terminal) = listen_with_memory(&in_folder(&folder));
    wait_up(&at_pilot);
    drop(dialer.line().hand_over("start").unwrap());
    let why = wait_for(&at_pilot, is_failure);
    assert!(why.contains("the newest was not queued"), "{why}");

    let terms = |name: &_| Err(format!("no rig is named `{name}` here"));
    let elsewhere = tempfile::tempdir().unwrap();
    let (listener, at_terminal) = bramble_link::listen(in_folder(&elsewhere), terminal(), terms).unwrap();
    drop(listener.line(&"box9".parse().unwrap()).hand_over("start").unwrap());
    let why = wait_for(&at_terminal, is_failure);
    assert_eq!(why, "no rig is named `box9` here");
}
