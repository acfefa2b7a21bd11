use std::sync::mpsc::channel;

use bramble_identity::Role;
use bramble_link::{
    Endpoint, JournalOutbox, Me, MemoryOutbox, Outbox, OutboxError, Terms, Window, dial_hearing, listen,
};
use bramble_message::{Ask, Bytes, Command, PilotToTerminal, TerminalToPilot, When};
use uuid::Uuid;

use super::*;
use crate::desk::Desk;
use crate::scribe::Scribe;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_thread_that_panics_is_noticed_and_one_that_ends_is_not() {
    for failed in [Failed::Session, Failed::Link] {
        for panics in [true, false] {
            let (inputs, to_pilot) = channel();
            let thread = std::thread::spawn(move || {
                let _alarm = Alarm { inputs, failed };
                assert!(!panics, "as a mistake in it would");
            });
            assert_eq!(thread.join().is_err(), panics);
            let heard = to_pilot.iter().filter(|input| matches!(input, Input::Failed(one) if *one == failed));
            assert_eq!(heard.count(), usize::from(panics));
        }
    }
}

/// What waits for the pilot, and says what it lets go of.
struct Told {
    outbox: MemoryOutbox,
    released: Sender<u64>,
}

impl Outbox for Told {
    fn epoch(&self) -> Uuid {
        self.outbox.epoch()
    }

    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        self.outbox.push(payload)
    }

    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        self.outbox.read(after, most)
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        let _ = self.released.send(up_to);
        self.outbox.release(up_to)
    }

    fn last(&self) -> Result<u64, OutboxError> {
        self.outbox.last()
    }

    fn released(&self) -> Result<u64, OutboxError> {
        self.outbox.released()
    }
}

/// A terminal and a pilot on one link.
struct Linked {
    terminal: bramble_link::Listener,
    events: bramble_link::Events,
    /// What the terminal has let go of.
    released: Receiver<u64>,
    pilot: Pilot,
    inputs: Sender<Input>,
    to_pilot: Receiver<Input>,
    scribe: Scribe,
    /// It goes away with this.
    _folder: tempfile::TempDir,
}

impl Linked {
    /// A pilot that hears with this what the front does not, and whose own thread does
    /// nothing until [`Pilot::run`].
    fn new(first: impl Fn(&Event) + Send + 'static) -> Linked {
        let folder = tempfile::tempdir().unwrap();
        let place: Endpoint = format!("ipc://{}/swarm.sock", folder.path().display()).parse().unwrap();
        let (let_go, released) = channel();
        let me = Me::new("desk".parse().unwrap(), "terminal", "pilot");
        let terms =
            move |_: &_| Ok(Terms::new(Told { outbox: MemoryOutbox::new(), released: let_go.clone() }));
        let (terminal, events) = listen(place.clone(), me, terms).unwrap();

        let name: bramble_value::Name = "box1".parse().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        let reserve = Reserve::in_folder(folder.path());
        let (inputs, to_pilot) = channel();
        let front = Front::new(Desk::new(name.clone(), std::iter::empty()));
        let (taking, alarm) = (front.clone(), Alarm { inputs: inputs.clone(), failed: Failed::Link });
        let hear = move |event| {
            first(&event);
            taking.hear(event, bramble_link::now(), &alarm.inputs)
        };
        let outbox = JournalOutbox::open(journal.clone(), LANE).unwrap();
        let hello = hello(Vec::new(), Activity::Idle);
        let me = Me::new(name.clone(), "pilot", "terminal").with_detail(encode(&hello));
        let dialer = dial_hearing(place, me, Terms::new(outbox), hear).unwrap();
        let line = dialer.line();
        let (scribe, pen, doing) = Scribe::start(
            journal.clone(),
            Default::default(),
            Default::default(),
            reserve.clone(),
            move || _ = line.more(),
        )
        .unwrap();
        let pilot = Pilot {
            front,
            rig: Vec::new(),
            dialer,
            journal,
            children: Children::none(std::iter::empty()),
            pen,
            doing,
            jobs: channel().0,
            at_work: 0,
            told: None,
            room: Room::default(),
            limit: u64::MAX,
            reserve,
            probe: Probe::new("/", folder.path()),
            dates: Dates::new(&Default::default(), folder.path().to_owned()),
            reactions: Reactions::default(),
            member: Member::load(&folder.path().join("keys"), Role::Pilot, &name).unwrap(),
            keys: folder.path().join("keys"),
            then: Then::End,
        };
        Linked { terminal, events, released, pilot, inputs, to_pilot, scribe, _folder: folder }
    }

    /// Waits for something that the terminal hears.
    fn until<T>(events: &bramble_link::Events, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            let event = events.recv_timeout(PATIENCE).unwrap().expect("it comes in time");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }
}

#[test]
fn a_command_is_answered_on_the_links_thread_and_acknowledged_in_its_order_by_the_pilots() {
    let Linked { terminal, events, released, pilot, inputs, to_pilot, scribe, _folder } = Linked::new(|_| {});
    let by = "alice@desk".parse().unwrap();
    let command = Command::Stop { session: Uuid::nil(), when: When::Now, why: String::new() };
    let stop = TerminalToPilot::Command { ask: Ask(7), by, take_over: false, not_after: None, command };
    let line = terminal.line(&"box1".parse().unwrap());
    line.send(encode(&stop)).unwrap();
    line.send(encode(&TerminalToPilot::Revoked { certificates: Vec::new() })).unwrap();

    // The pilot's thread doesn't run yet.
    let is_answer = |answer: &Answer| answer.ask == Ask(7) && answer.outcome.is_err();
    Linked::until(&events, |event| match event {
        Event::Passing { payload, .. } => match decode(&payload) {
            Ok(PilotInPassing::Answer(answer)) => is_answer(&answer).then_some(()),
            _ => None,
        },
        Event::Message { payload, .. } => panic!("it is written down: {payload:?}"),
        _ => None,
    });
    assert!(released.try_recv().is_err(), "nobody has acknowledged it");

    let running = std::thread::spawn(move || pilot.run(&to_pilot));
    let mut up_to = 0;
    while up_to < 2 {
        let next = released.recv_timeout(PATIENCE).unwrap();
        assert!(next > up_to);
        up_to = next;
    }
    Linked::until(&events, |event| match event {
        Event::Message { payload, .. } => match decode(&payload) {
            Ok(PilotToTerminal::Answer(answer)) => is_answer(&answer).then_some(()),
            _ => None,
        },
        _ => None,
    });
    inputs.send(Input::Leave).unwrap();
    let (dialer, outcome) = running.join().unwrap();
    assert_eq!(outcome.unwrap(), Then::End);
    scribe.finish(PATIENCE);
    drop((dialer, terminal));
}

#[test]
fn a_link_whose_thread_panics_ends_the_pilot_with_a_failure() {
    let is_up = |event: &Event| assert!(!matches!(event, Event::Up { .. }), "as a mistake of the link would");
    let Linked { terminal: _terminal, pilot, to_pilot, scribe, _folder, .. } = Linked::new(is_up);
    let (dialer, outcome) = pilot.run(&to_pilot);
    assert_eq!(outcome.unwrap_err(), Failed::Link);
    scribe.finish(PATIENCE);
    dialer.close(PATIENCE);
}
