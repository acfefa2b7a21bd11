//! A person pauses a session, and goes on with it.

use std::sync::Arc;

use bramble_task::load;
use bramble_value::{Seed, Sources};

use super::*;
use crate::config::RigConfig;
use crate::driver::{Pace, Post, Simulated, inbox};
use crate::remote::Remotes;

/// A trial lasts a second; after three the task is over.
const TASK: &str = "valve = hardware(solenoid)\nlamp = hardware(digital_output)\n\
    task(stages = trials(repeat = 3, body = state(\"wait\", during = lamp.on(), after = {\"1 s\": done})))\n";
const VALVE: PortId = PortId { device: bramble_task::definition::DeviceId(0), port: 0 };

/// A person who looks at what is recorded: pauses in the second trial, gives water in
/// the pause, and goes on once it was given.
struct Person {
    post: Post,
    valve: Source,
    records: Vec<Record>,
}

impl Recorder for Person {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        if let Record::Event(event) = &record {
            let held = self.count(Kind::Held) > 0;
            match event.kind {
                Kind::StageStart if event.trial == 2 => {
                    self.post.request(Request::Pause { why: "paused by alice@desk".into() });
                }
                Kind::Held => {
                    let volume = "2 uL".parse().unwrap();
                    self.post.request(Request::Water { port: VALVE, volume });
                }
                Kind::Output if held && event.source == self.valve && event.value == 0.0 => {
                    self.post.request(Request::Resume { why: "resumed by alice@desk".into() });
                }
                _ => {}
            }
        }
        self.records.push(record);
        Ok(())
    }
}

impl Person {
    fn of(&self, kind: Kind) -> impl Iterator<Item = &Event> {
        let event = move |record: &'_ Record| matches!(record, Record::Event(event) if event.kind == kind);
        self.records.iter().filter(move |record| event(record)).map(|record| match record {
            Record::Event(event) => event,
            _ => unreachable!("it was looked at"),
        })
    }

    fn count(&self, kind: Kind) -> usize {
        self.of(kind).count()
    }
}

fn run(pace: Pace, first: Option<Request>) -> (Outcome, Person) {
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), TASK.into())].into() };
    let task = load(&sources).map_err(|error| error.to_string()).unwrap();
    let definition = Arc::clone(&task.definition);
    let rig = RigConfig::simulated(&definition);
    let wiring = Wiring::new(&definition, &rig, &Default::default(), Default::default(), "box1").unwrap();
    let mut driver = Simulated::new(&wiring, (), pace);
    let session = Session::new(Arc::clone(&definition), Settings::defaults(&definition, Seed(1)), wiring);
    let (post, inbox) = inbox();
    first.map(|first| post.request(first));
    let valve = SourceMap::new(&definition).port(VALVE);
    let mut person = Person { post, valve, records: Vec::new() };
    let outcome = session.unwrap().run(Around {
        driver: &mut driver,
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions: &mut task.functions(),
        recorder: &mut person,
        judge: &mut (),
    });
    (outcome, person)
}

#[test]
fn water_is_given_in_a_pause_and_the_session_goes_on_afterwards() {
    for pace in [Pace::Free, Pace::Times(100.0)] {
        let (outcome, person) = run(pace, None);
        assert_eq!((outcome.ending, outcome.trials, outcome.paused), (Ending::Done, 3, false));
        let all = [Kind::Pause, Kind::Held, Kind::Manual, Kind::Resume];
        assert!(all.into_iter().all(|kind| person.count(kind) == 1), "{:?}", person.records);
        let one = |kind| person.of(kind).next().unwrap().time;
        assert_eq!(one(Kind::Held), Time::ZERO + Span::from_s(2));
        let water: Vec<_> = person.of(Kind::Output).filter(|event| event.source == person.valve).collect();
        assert!(water.iter().all(|event| event.trial == 0), "no trial runs: {water:?}");
        assert!(one(Kind::Resume) >= one(Kind::Held) + Span::from_ms(50), "the valve took its time");
        let notes = person.records.iter().filter_map(|record| match record {
            Record::Note { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert!(notes.eq(["paused by alice@desk", "resumed by alice@desk"]));
    }
}

#[test]
fn a_session_that_starts_paused_holds_its_first_trial_until_it_is_resumed() {
    let (outcome, person) = run(Pace::Free, Some(Request::Pause { why: "as the step before".into() }));
    assert_eq!((outcome.ending, outcome.trials), (Ending::Done, 3));
    let first = person.of(Kind::TurnStart).next().unwrap().time;
    assert_eq!(person.of(Kind::Resume).next().unwrap().time, first);
}

#[test]
fn a_session_that_ends_in_a_pause_says_so() {
    let (outcome, _) = run(Pace::Free, Some(Request::Pause { why: "as the step before".into() }));
    assert!(!outcome.paused, "it was resumed");
    let task = "task(stages = sequence(delay(\"1 s\"), trials(body = delay(\"1 s\")), timeout = \"2 s\"))";
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), task.into())].into() };
    let task = load(&sources).map_err(|error| error.to_string()).unwrap();
    let definition = Arc::clone(&task.definition);
    let wiring = Wiring::simulated(&definition).unwrap();
    let session =
        Session::new(Arc::clone(&definition), Settings::defaults(&definition, Seed(1)), wiring.clone());
    let (post, inbox) = inbox();
    post.request(Request::Pause { why: "for good".into() });
    let outcome = session.unwrap().run(Around {
        driver: &mut Simulated::new(&wiring, (), Pace::Times(1000.0)),
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions: &mut task.functions(),
        recorder: &mut Vec::new(),
        judge: &mut (),
    });
    assert_eq!((outcome.ending, outcome.trials, outcome.paused), (Ending::Timeout, 0, true));
}
