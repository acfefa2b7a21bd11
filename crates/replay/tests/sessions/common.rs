//! Recording sessions.

use std::path::Path;
use std::sync::Arc;

use bramble_engine::Settings;
use bramble_replay::{Recording, Replayed};
use bramble_rig::driver::{Pace, Post, Simulated, World, inbox};
use bramble_rig::remote::{Offered, Remote, Remotes};
use bramble_rig::session::{Around, Session, Verdict};
use bramble_rig::{Reading, Request, RigConfig, Signal, Wiring};
use bramble_task::Task;
use bramble_task::definition::PortId;
use bramble_training::Examiner;
use bramble_value::{Event, Record, Row, Seed, Sources, Span, Time, Value, ValueType};

/// A session that was recorded, as often as it is asked for.
#[derive(Clone)]
pub(crate) struct Recorded {
    pub(crate) sources: Sources,
    pub(crate) parameters: Vec<Value>,
    pub(crate) seed: u64,
    pub(crate) kept: Vec<Option<Value>>,
    pub(crate) wiring: Wiring,
    pub(crate) limit: Option<u32>,
    pub(crate) real: bool,
    pub(crate) records: Vec<Record>,
}

impl Recorded {
    pub(crate) fn events(&self) -> Vec<Event> {
        let event = |record: &Record| match record {
            Record::Event(event) => Some(*event),
            _ => None,
        };
        self.records.iter().filter_map(event).collect()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let row = |record: &Record| match record {
            Record::Row(row) => Some(row.clone()),
            _ => None,
        };
        self.records.iter().filter_map(row).collect()
    }

    /// Runs it again.
    pub(crate) fn replay(&self) -> Replayed {
        let task = bramble_task::load(&self.sources).unwrap();
        let recording = Recording {
            settings: self.settings(),
            wiring: self.wiring.clone(),
            examiner: Examiner::new(columns(&task), self.limit, None),
            real: self.real,
            events: self.events(),
            rows: self.rows(),
            names: self.wiring.names(&task.definition),
            end: None,
            task,
        };
        bramble_replay::replay(recording).unwrap()
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings { parameters: self.parameters.clone(), seed: Seed(self.seed), kept: self.kept.clone() }
    }

    pub(crate) fn assert_identical(&self) {
        let replayed = self.replay();
        assert_eq!(replayed.difference, None, "{}", replayed.difference.as_ref().unwrap());
        assert_eq!(replayed.identical, replayed.of);
    }
}

pub(crate) fn columns(task: &Task) -> Vec<(String, ValueType)> {
    task.definition.columns.iter().map(|one| (one.name.to_string(), one.kind.clone())).collect()
}

pub(crate) fn shipped(name: &str) -> Sources {
    let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks");
    bramble_task::read(&tasks.join(format!("{name}.star"))).unwrap()
}

pub(crate) fn written(text: &str) -> Sources {
    Sources { root: "t.star".into(), files: [("t.star".to_owned(), text.to_owned())].into() }
}

/// An animal, and people who ask things of the session meanwhile.
pub(crate) struct Meddled<A> {
    pub(crate) animal: A,
    pub(crate) requests: Vec<(Time, Request)>,
    pub(crate) post: Post,
}

impl<A: World> Meddled<A> {
    fn next_request(&self) -> Option<Time> {
        self.requests.first().map(|(at, _)| *at)
    }
}

impl<A: World> World for Meddled<A> {
    fn begin(&mut self, rig: &Wiring, now: Time) {
        self.animal.begin(rig, now);
    }

    fn see(&mut self, port: PortId, signal: &Signal, now: Time) {
        self.animal.see(port, signal, now);
    }

    fn next(&self) -> Option<Time> {
        [self.animal.next(), self.next_request()].into_iter().flatten().min()
    }

    fn act(&mut self, now: Time) -> Option<(PortId, Reading)> {
        if self.next_request().is_some_and(|at| at <= now) {
            let (_, request) = self.requests.remove(0);
            self.post.request(request);
            return None;
        }
        self.animal.act(now)
    }
}

/// A session of `sources` in simulated time.
pub(crate) struct Plan<A> {
    pub(crate) sources: Sources,
    pub(crate) seed: u64,
    pub(crate) limit: u32,
    pub(crate) animal: A,
    pub(crate) requests: Vec<(Time, Request)>,
    /// Devices that are on a child.
    pub(crate) child: Option<RigConfig>,
}

impl<A: World> Plan<A> {
    pub(crate) fn new(sources: Sources, seed: u64, limit: u32, animal: A) -> Plan<A> {
        Plan { sources, seed, limit, animal, requests: Vec::new(), child: None }
    }

    pub(crate) fn run(self) -> Recorded {
        let task = bramble_task::load(&self.sources).unwrap();
        let definition = &task.definition;
        let settings = Settings::defaults(definition, Seed(self.seed));
        let wiring = match &self.child {
            None => Wiring::simulated(definition).unwrap(),
            Some(rig) => {
                Wiring::new(definition, rig, &Default::default(), Default::default(), "box1").unwrap()
            }
        };
        let mut remotes = Remotes::new();
        for child in wiring.ports().filter_map(|(_, wire)| wire.child()) {
            let offered = Offered::new(RigConfig::simulated(definition));
            remotes.insert(child.clone(), Box::new(offered) as Box<dyn Remote>);
        }
        let (post, inbox) = inbox();
        let Plan { animal, requests, .. } = self;
        let mut driver = Simulated::new(&wiring, Meddled { animal, requests, post }, Pace::Free);
        let mut records: Vec<Record> = Vec::new();
        let mut examiner = Examiner::new(columns(&task), Some(self.limit), None);
        let mut judge = |row: &Row| match examiner.row(row) {
            Some(why) => Verdict::EndAfterTrial(why.into()),
            None => Verdict::Continue,
        };
        Session::new(Arc::clone(definition), settings.clone(), wiring.clone())
            .unwrap()
            .at_most(Span::from_s(3600))
            .run(Around {
                driver: &mut driver,
                remotes: &mut remotes,
                inbox: &inbox,
                functions: &mut task.functions(),
                recorder: &mut records,
                judge: &mut judge,
            });
        Recorded {
            sources: self.sources,
            parameters: settings.parameters,
            seed: self.seed,
            kept: Vec::new(),
            wiring,
            limit: Some(self.limit),
            real: false,
            records,
        }
    }
}
