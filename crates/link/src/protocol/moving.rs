//! An agent that is linked by one keeper and then by another, whatever breaks between: what belongs
//! together stays together, and nothing is let go of that nobody has.

use std::collections::VecDeque;

use bramble_journal::{Journal, JournalError};
use bramble_value::{Name, Span, Time};
use bytes::Bytes;
use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::{End, Event, Frame, Me, Position, Reason, Terms};
use crate::addressed::AddressedOutbox;
use crate::outbox::MemoryOutbox;

const LANE: &str = "terminal";

fn waits(journal: &Journal) -> Result<bool, JournalError> {
    journal.pending(LANE).map(|pending| pending > 0)
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A terminal, of which a connection is all that runs.
#[derive(Default)]
struct Lab {
    have: Option<Position>,
    /// Of each message the bunch that it is in, and its number there.
    kept: Vec<(u32, u32)>,
    /// What came and isn't safe.
    held: Vec<(Position, (u32, u32))>,
    /// As often it was linked after messages that it should have had and hasn't.
    missed: usize,
}

struct World {
    _folder: TempDir,
    journal: Journal,
    pilot: End,
    labs: [Lab; 3],
    /// Which lab is linked, and its end.
    linked: Option<(usize, End)>,
    under_way: [VecDeque<Frame>; 2],
    now: Time,
    bunch: u32,
    observed: Vec<(u32, u32)>,
    refused: usize,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        World {
            _folder: folder,
            pilot: World::pilot(&journal),
            journal,
            labs: Default::default(),
            linked: None,
            under_way: Default::default(),
            now: Time::from_ns(1),
            bunch: 0,
            observed: Vec::new(),
            refused: 0,
        }
    }

    fn pilot(journal: &Journal) -> End {
        let at = "tcp://desk:5600".parse().unwrap();
        let outbox = AddressedOutbox::open(journal.clone(), LANE, &name("box1"), at, waits).unwrap();
        End::dialing(Me::new(name("box1"), "pilot", "terminal"), Terms::new(outbox))
    }

    /// What is observed while something waits belongs to that.
    fn observe(&mut self) {
        if !waits(&self.journal).unwrap() {
            self.bunch += 1;
        }
        let message = (self.bunch, self.observed.len() as u32);
        self.observed.push(message);
        let bytes = [message.0.to_be_bytes(), message.1.to_be_bytes()].concat();
        self.journal.append(LANE, &[bytes]).unwrap();
        self.pilot.more();
    }

    fn break_off(&mut self) {
        self.linked = None;
        self.under_way = Default::default();
        self.pilot.disconnected();
    }

    fn dial(&mut self, lab: usize) {
        self.break_off();
        let keeper = Uuid::from_u128(lab as u128);
        let me = Me::new(name("desk"), "terminal", "pilot").keeping_in(keeper);
        self.labs[lab].held.clear();
        let terms = Terms::new(MemoryOutbox::new()).having(self.labs[lab].have);
        let mut end = End::listening(me, terms);
        end.connected(self.now);
        self.linked = Some((lab, end));
        self.pilot.connected(self.now);
    }

    fn restart(&mut self) {
        self.break_off();
        self.pilot = World::pilot(&self.journal);
    }

    /// Lets so many frames through, in each direction.
    fn carry(&mut self, frames: usize) {
        let Some((lab, terminal)) = &mut self.linked else { return };
        for _ in 0..frames {
            self.now += Span::from_ms(1);
            self.under_way[0].extend(self.pilot.poll_frame(self.now));
            self.under_way[1].extend(terminal.poll_frame(self.now));
            if let Some(frame) = self.under_way[0].pop_front() {
                terminal.handle(frame, self.now);
            }
            if let Some(frame) = self.under_way[1].pop_front() {
                self.pilot.handle(frame, self.now);
            }
            self.pilot.advance(self.now);
            terminal.advance(self.now);
            while let Some(event) = terminal.poll_event() {
                let lab = &mut self.labs[*lab];
                match event {
                    Event::Up { from, .. } => match lab.have {
                        Some(have) if have.epoch == from.epoch => {
                            lab.missed += usize::from(have.number < from.number);
                            lab.have = Some(Position { number: have.number.max(from.number), ..have });
                        }
                        _ => lab.have = Some(from),
                    },
                    Event::Message { at, payload } => lab.held.push((at, read(&payload))),
                    _ => {}
                }
            }
            while let Some(event) = self.pilot.poll_event() {
                if let Event::Refused(refusal) = event {
                    assert_eq!(refusal.reason, Reason::Addressee, "{refusal}");
                    self.refused += 1;
                }
            }
        }
    }

    /// Has the linked lab make safe what came.
    fn take(&mut self) {
        let Some((lab, terminal)) = &mut self.linked else { return };
        let lab = &mut self.labs[*lab];
        for (at, message) in lab.held.drain(..) {
            lab.have = Some(at);
            lab.kept.push(message);
            terminal.taken(at);
        }
    }

    fn check(&self) {
        let kept = |message: &(u32, u32)| self.labs.iter().filter(|lab| lab.kept.contains(message)).count();
        let let_go_of = self.journal.released(LANE) as usize;
        for message in &self.observed[..let_go_of] {
            assert_eq!(kept(message), 1, "{message:?} was let go of");
        }
        for bunch in 1..=self.bunch {
            let has = |lab: &&Lab| lab.kept.iter().any(|(of, _)| *of == bunch);
            assert!(self.labs.iter().filter(has).count() <= 1, "bunch {bunch} is in two labs");
        }
        for lab in &self.labs {
            let numbers = lab.kept.iter().map(|(_, number)| number);
            assert!(numbers.is_sorted_by(|one, next| one < next), "out of order, or twice: {:?}", lab.kept);
        }
    }
}

fn read(payload: &Bytes) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
    (number(0), number(4))
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Observe,
    Dial(usize),
    Carry(usize),
    Take,
    BreakOff,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Observe),
        2 => (0..3usize).prop_map(Step::Dial),
        6 => (1..20usize).prop_map(Step::Carry),
        4 => Just(Step::Take),
        1 => Just(Step::BreakOff),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_waits_for_one_lab_comes_to_that_one_whole_and_to_no_other(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Observe => world.observe(),
                Step::Dial(lab) => world.dial(lab),
                Step::Carry(frames) => world.carry(frames),
                Step::Take => world.take(),
                Step::BreakOff => world.break_off(),
                Step::Restart => world.restart(),
            }
            world.check();
        }
        // With every lab there in turn, everything is delivered in the end.
        for lab in [0, 1, 2] {
            world.dial(lab);
            world.carry(100);
            world.take();
            world.carry(10);
        }
        world.check();
        prop_assert!(!waits(&world.journal).unwrap());
    }
}

/// A world in which the first lab had one message, and something was observed since.
fn moved(waits: bool) -> World {
    let mut world = World::new();
    world.observe();
    world.dial(0);
    world.carry(20);
    world.take();
    world.carry(20);
    world.restart();
    if waits {
        world.observe();
    }
    world
}

#[test]
fn a_lab_is_told_whose_the_messages_are_that_it_doesnt_get_and_is_not_linked() {
    let mut world = moved(true);
    world.dial(1);
    let (_, terminal) = world.linked.as_mut().unwrap();
    let hello = world.pilot.poll_frame(world.now).unwrap();
    terminal.handle(hello, world.now);
    let Some(Event::Refused(refusal)) = terminal.poll_event() else { panic!("it was linked") };
    assert!(
        refusal.text.starts_with("what `box1` observed belongs into the files of `desk` at"),
        "{refusal}"
    );
    assert!(refusal.text.contains("another lab's `desk` gets none of it"), "{refusal}");
    world.carry(20);
    assert_eq!((world.refused, world.labs[1].held.len()), (1, 0));
}

#[test]
fn a_terminal_that_doesnt_say_whose_files_it_writes_gets_nothing_that_waits_for_another() {
    let mut world = moved(true);
    world.dial(1);
    let me = Me::new(name("desk"), "terminal", "pilot");
    let mut terminal = End::listening(me, Terms::new(MemoryOutbox::new()));
    terminal.connected(world.now);
    let Some(Frame::Hello(mut hello)) = world.pilot.poll_frame(world.now) else { panic!() };
    // Nor does it heed what such a hello says.
    hello.addressee = None;
    terminal.handle(Frame::Hello(hello), world.now);
    world.pilot.handle(terminal.poll_frame(world.now).unwrap(), world.now);
    let Some(Event::Refused(refusal)) = world.pilot.poll_event() else { panic!("it was linked") };
    assert!(refusal.text.contains("it doesn't say, as an older Bramble doesn't"), "{refusal}");
}

#[test]
fn who_was_with_another_lab_and_comes_back_misses_nothing() {
    let mut world = moved(false);
    for lab in [1, 0, 1, 1, 0] {
        world.dial(lab);
        world.carry(20);
        world.observe();
        world.carry(20);
        world.take();
        world.carry(20);
    }
    world.check();
    assert_eq!((world.refused, world.labs.each_ref().map(|lab| lab.missed)), (0, [0; 3]));
    assert_eq!(world.labs.each_ref().map(|lab| lab.kept.len()), [3, 3, 0]);
}
