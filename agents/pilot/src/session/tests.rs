//! Sessions on hardware whose lines are in memory, worked by another thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use bramble_journal::Journal;
use bramble_link::LARGEST_PASSING;
use bramble_message::{PilotInPassing, PilotToTerminal};
use bramble_rig::driver::{Hands, LineId, monotonic};
use bramble_rig::{Request, inbox};
use bramble_task::definition::MessageId;
use bramble_value::{Ending, Kind, Row, Sources, Span};
use tempfile::TempDir;

use super::*;
use crate::memory::{LANE, Sessions};
use crate::requested::requested;
use crate::scribe::Scribe;
use bramble_settings::Simulation;

/// Each poke is a trial, in which a function has its say.
const TASK: &str = r#"
poke = hardware(digital_input)
lamp = hardware(digital_output)
side = column(integer)

task(stages = trials(
    prepare = lambda trial: {"side": trial.number},
    body = state("wait", during = lamp.on(), on = {poke.rises: done}),
))
"#;

struct Box1 {
    /// It goes away with this.
    _folder: TempDir,
    journal: Journal,
    runner: Runner,
    scribe: Scribe,
    hands: Option<Hands>,
    poke: LineId,
    lamp: LineId,
}

fn sources(text: &str) -> Sources {
    Sources { root: "t.star".into(), files: [("t.star".to_owned(), text.to_owned())].into() }
}

fn order(trials: Option<u32>) -> (StartSession, Order) {
    let request = StartSession { trials, ..requested(1, sources(TASK)) };
    let (post, inbox) = inbox();
    (request.clone(), Order { request: Box::new(request), heard: Clocks::now(), post, inbox })
}

impl Box1 {
    fn new() -> Box1 {
        let folder = tempfile::tempdir().unwrap();
        let rig = RigConfig::simulated(&bramble_task::load(&sources(TASK)).unwrap().definition);
        let (hardware, hands) = Hardware::in_memory(&rig);
        let line = |device: &str| {
            let place = rig.lines().iter().position(|line| line.device.as_str() == device).unwrap();
            LineId(u16::try_from(place).unwrap())
        };
        let (poke, lamp) = (line("poke"), line("lamp"));
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        let reserve = crate::reserve::Reserve::in_folder(folder.path());
        let (scribe, pen, _) =
            Scribe::start(journal.clone(), Default::default(), Sessions::default(), reserve, || {}).unwrap();
        let runner = Runner {
            pilot: "box1".parse().unwrap(),
            rig,
            calibrations: folder.path().join("calibrations"),
            origin: Origin { provenance: json!({ "build": {} }), texts: Default::default() },
            simulation: Simulation::default(),
            children: Children::none(std::iter::empty()),
            hardware: Some(hardware),
            data: folder.path().to_owned(),
            pen,
            live: Arc::new(|_| {}),
            animals: HashMap::new(),
            reactions: Reactions::default(),
        };
        Box1 { _folder: folder, journal, runner, scribe, hands: Some(hands), poke, lamp }
    }

    /// Runs this to its end, while the hands work the rig; what was written down.
    fn run(
        self,
        order: Order,
        work: impl FnOnce(&mut Hands, LineId, LineId) + Send + 'static,
    ) -> Vec<PilotToTerminal> {
        self.run_told(order, work, |_| {})
    }

    /// As [`Box1::run`], with who is told what becomes of it.
    fn run_told(
        mut self,
        order: Order,
        work: impl FnOnce(&mut Hands, LineId, LineId) + Send + 'static,
        told: impl Fn(News),
    ) -> Vec<PilotToTerminal> {
        let (jobs, waiting) = channel();
        jobs.send(Job::Session(order)).unwrap();
        drop(jobs);
        let (mut hands, poke, lamp) = (self.hands.take().unwrap(), self.poke, self.lamp);
        let worker = std::thread::spawn(move || {
            work(&mut hands, poke, lamp);
            hands
        });
        self.runner.run(&waiting, told);
        let hands = worker.join().unwrap();
        assert_eq!(hands.level(lamp), 0.0, "outputs are safe afterwards");
        self.scribe.finish(Duration::from_secs(60));
        let lane = self.journal.read(LANE, 0, usize::MAX).unwrap();
        lane.iter().map(|(_, bytes)| bramble_message::decode(bytes).unwrap()).collect()
    }
}

fn rows(written: &[PilotToTerminal]) -> Vec<&Row> {
    let records = written.iter().flat_map(|message| match message {
        PilotToTerminal::Records { records, .. } => records.as_slice(),
        _ => &[],
    });
    records
        .filter_map(|record| match record {
            Record::Row(row) => Some(row),
            _ => None,
        })
        .collect()
}

/// Waits until the lamp is as it should be: the task waits for a poke, or doesn't.
fn until(hands: &Hands, lamp: LineId, on: bool) {
    let begun = std::time::Instant::now();
    while (hands.level(lamp) > 0.0) != on {
        assert!(begun.elapsed() < Duration::from_secs(60), "the lamp does not change");
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_session_on_hardware_runs_in_real_time_and_is_recorded_whole() {
    let before = monotonic();
    let (request, order) = order(Some(3));
    let box1 = Box1::new();
    let reactions = box1.runner.reactions.clone();
    assert_eq!(reactions.due(), None, "nothing ran yet");
    let over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&over);
    let work = move |hands: &mut Hands, poke, lamp| {
        // A poke before a trial waits for it counts for none.
        while !over.load(Ordering::Relaxed) {
            if hands.level(lamp) > 0.0 {
                hands.set(poke, true);
                hands.set(poke, false);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let written = box1.run_told(order, work, move |news| {
        if let News::Ended(..) = news {
            ends.store(true, Ordering::Relaxed);
        }
    });

    // In each trial the lamp goes on and off.
    let Some(PilotInPassing::Reaction(reaction)) = reactions.due() else { panic!() };
    assert_eq!(reaction.session, request.session);
    assert!(reaction.delays.count >= 6 && reaction.delays.p50 > Span::ZERO, "{reaction:?}");

    let PilotToTerminal::Started(started) = &written[0] else { panic!("{:?}", written[0]) };
    assert_eq!(started.request, request);
    assert!(started.time >= before, "it is the monotonic clock's");
    assert!(started.provenance["real_time"]["shortfalls"].is_array());
    assert!(started.provenance["hardware"]["lines"][0]["owner"].is_string());
    assert!(started.provenance["simulation"].is_null());

    let rows = rows(&written);
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.ending == Ending::Done && row.start >= started.time));

    let Some(PilotToTerminal::Ended(ended)) = written.last() else { panic!("it has no end") };
    assert_eq!((ended.ending, ended.why.as_str()), (Ending::Stopped, "3 trials were asked for"));
    let times: Vec<Time> = written
        .iter()
        .flat_map(|message| match message {
            PilotToTerminal::Records { records, .. } => records.iter().map(crate::scribe::time_of).collect(),
            _ => Vec::new(),
        })
        .collect();
    // What was written at the end is stamped when it was.
    assert!(times.iter().all(|time| (started.time..=monotonic()).contains(time)));
}

/// A child with a real lamp, which grants whatever it is asked.
fn willing_child(endpoint: bramble_link::Endpoint) -> bramble_link::Dialer {
    use bramble_link::{Event, Me, MemoryOutbox, Terms, dial};
    use bramble_message::{ChildHello, ChildToPilot, Offer, PilotToChild, decode, encode};

    let lamp = RigDevice {
        name: "lamp".parse().unwrap(),
        kind: "digital_output".into(),
        ports: Vec::new(),
        driver: "gpiocdev".into(),
    };
    let hello = ChildHello {
        software: bramble_software::software("bramble-child"),
        offer: Offer { devices: vec![lamp] },
        origin: Default::default(),
    };
    let me = Me::new("side".parse().unwrap(), "child", "pilot").with_detail(encode(&hello));
    let (dialer, events) = dial(endpoint, me, Terms::new(MemoryOutbox::new())).unwrap();
    let line = dialer.line();
    std::thread::spawn(move || {
        while let Ok(event) = events.recv() {
            let Event::Message { payload, .. } = event else { continue };
            if let Ok(PilotToChild::Claim { ask, .. }) = decode(&payload) {
                line.send(encode(&ChildToPilot::Done { ask, outcome: Ok(()) })).unwrap();
            }
        }
    });
    dialer
}

#[test]
fn a_failed_check_keeps_a_session_from_starting_whose_real_lines_are_on_a_child() {
    let mut box1 = Box1::new();
    let rig = "[devices.poke]\nkind = \"digital_input\"\ndriver = \"simulated\"\n\
               [devices.lamp]\nkind = \"digital_output\"\ndriver = \"child\"\nchild = \"side\"\n";
    let rig: RigConfig = bramble_config::parse("pilot.toml", rig).unwrap();
    let folder = box1.runner.data.clone();
    let endpoint: bramble_link::Endpoint =
        format!("ipc://{}/children.sock", folder.display()).parse().unwrap();
    let (come, has_come) = channel();
    let side = "side".parse().unwrap();
    box1.runner.children =
        Children::start(Some(endpoint.clone().into()), &box1.runner.pilot, [side].into_iter(), move || {
            let _ = come.send(());
        })
        .unwrap();
    let _child = willing_child(endpoint);
    has_come.recv_timeout(Duration::from_secs(60)).unwrap();
    box1.runner.hardware = None;
    hand::failed_check(&folder, &rig);
    box1.runner.rig = rig;

    let mut refused = |despite_check| {
        let (request, order) = order(Some(1));
        let ready = {
            let calendar = Calendar::of(order.heard, None);
            box1.runner.prepare(StartSession { despite_check, ..request }, calendar, &order.post)
        };
        ready.map(|ready| ready.check).map_err(|why| why.contains("failed its check"))
    };
    assert_eq!(refused(false), Err(true));
    let check = refused(true).unwrap();
    assert_eq!((&check["last"]["passed"], &check["despite"]), (&json!(false), &json!(true)));

    std::fs::write(folder.join("check.json"), "{").unwrap();
    assert_eq!(refused(false), Err(false), "what can't be read has not passed");
    let check = refused(true).unwrap();
    assert!(check["refusal"].as_str().unwrap().contains("check.json"), "{check}");
}

#[test]
fn a_stop_ends_a_session_on_hardware_though_nothing_happens_on_it() {
    let (_, order) = order(None);
    let post = order.post.clone();
    let written = Box1::new().run(order, move |hands, _, lamp| {
        until(hands, lamp, true);
        post.request(Request::Stop { why: "enough".into() });
        until(hands, lamp, false);
    });
    let Some(PilotToTerminal::Ended(ended)) = written.last() else { panic!("it has no end") };
    assert_eq!((ended.ending, ended.why.as_str()), (Ending::Stopped, "enough"));
    let last = written.iter().rev().find_map(|message| match message {
        PilotToTerminal::Records { records, .. } => records.last(),
        _ => None,
    });
    assert!(matches!(last, Some(Record::Event(event)) if event.kind == Kind::SessionEnd), "{last:?}");
}

#[test]
fn what_is_asked_in_the_moment_that_a_session_ends_is_noted_with_what_came_of_it() {
    let (_, order) = order(None);
    let (post, late) = (order.post.clone(), order.post.clone());
    let work = move |hands: &mut Hands, _, lamp| {
        until(hands, lamp, true);
        post.request(Request::Stop { why: "enough".into() });
    };
    // The loop looks no more, and the front has not heard yet that it is over.
    let told = move |news| {
        if let News::Ended(..) = news {
            late.request(Request::Message { message: MessageId(0), value: 0.0 });
            late.request(Request::Stop { why: "again".into() });
        }
    };
    let written = Box1::new().run_told(order, work, told);
    let notes = written.iter().flat_map(|message| match message {
        PilotToTerminal::Records { records, .. } => records.as_slice(),
        _ => &[],
    });
    let late = |record: &&Record| matches!(record, Record::Note { text, .. } if text.contains("too late"));
    assert_eq!(notes.filter(late).count(), 1);
    assert!(matches!(written.last(), Some(PilotToTerminal::Ended(ended)) if ended.why == "enough"));
}

#[test]
fn more_records_than_go_into_one_passing_message_are_shown_in_several() {
    let note = |length: usize| Record::Note { time: Time::ZERO, text: "x".repeat(length) };
    for (records, messages) in [
        (vec![note(10); 3], 1),
        (Vec::new(), 1),
        (vec![note(1000); 500], 8),
        // The half that fits is whole, and so is each that is alone.
        (vec![note(10), note(LARGEST_PASSING), note(20), note(30)], 3),
    ] {
        let shown = std::cell::RefCell::new(Vec::new());
        let kept = show(Uuid::from_u128(1), records.clone(), &|message| shown.borrow_mut().push(message));
        assert_eq!(kept, records);
        let shown = shown.into_inner();
        assert_eq!(shown.len(), messages);
        let seen = shown.iter().flat_map(|message| match bramble_message::decode(message) {
            Ok(PilotInPassing::Live { records, .. }) => {
                assert!(message.len() <= LARGEST_PASSING || records.len() == 1);
                records
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(seen.collect::<Vec<_>>(), records);
    }
}
