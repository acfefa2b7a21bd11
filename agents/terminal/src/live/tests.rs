use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bramble_message::{Activity, Ended, PilotHello, Progress, Software};
use bramble_subject::Change;
use bramble_value::{
    Asked, Ending, Event, Kind, Name, Names, Record, Row, Source, SourceKind, Span, Time, Value, ValueType,
    Volume,
};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::board::Board;
use super::feed::{Feed, Next};
use super::line::{Line, lines};
use super::log::{About, Log};
use super::part::part;
use super::wire::{Bucket, Changes, EventView, NoteView, RowView, SessionView, Snapshot};
use crate::api::types::{PilotStatus, Status};
use crate::lab::{Lab, Past};
use crate::score::Score;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn name(place: usize) -> Name {
    ["box1", "box2", "box3"][place].parse().unwrap()
}

fn about() -> About {
    let sources =
        [(SourceKind::Session, "session"), (SourceKind::Port, "poke.left"), (SourceKind::Port, "wheel")];
    About {
        task: None,
        step: Some("1 free_water".into()),
        parameters: Vec::new(),
        columns: vec![("correct".into(), ValueType::Boolean)],
        names: Names { sources: sources.map(|(kind, name)| (kind, name.to_owned())).into() },
        start: Time::from_ns(1_000),
    }
}

fn event(ns: i64, kind: Kind) -> Event {
    let source = Source(if kind == Kind::Position { 2 } else { 1 });
    Event { time: Time::from_ns(ns), trial: 1, kind, source, value: ns as f64 }
}

fn row(trial: u32) -> Row {
    let values = vec![Some(Value::Boolean(trial.is_multiple_of(2)))];
    Row { trial, start: Time::ZERO, end: Time::ZERO + Span::from_ms(trial), ending: Ending::Done, values }
}

fn ended(session: Uuid) -> Ended {
    let why = "stopped by anna@desk".into();
    let (ending, graduated, paused) = (Ending::Stopped, false, false);
    Ended { session, ending, why, graduated, paused, time: Time::ZERO, unix_ns: 0 }
}

/// A page: it has only what it was sent.
#[derive(Debug, Default, PartialEq)]
struct Page {
    pilots: BTreeMap<Name, PilotStatus>,
    sessions: BTreeMap<Name, SessionView>,
}

impl Page {
    fn of(snapshot: Snapshot) -> Page {
        let pilots = snapshot.status.pilots.into_iter();
        Page {
            pilots: pilots.map(|pilot| (pilot.name.clone(), pilot)).collect(),
            sessions: snapshot.sessions,
        }
    }

    fn hears(&mut self, changes: Changes) {
        let Changes { pilots, gone, sessions, rows, events, notes, streams, .. } = changes;
        gone.iter().for_each(|name| drop(self.pilots.remove(name)));
        self.pilots.extend(pilots.into_iter().map(|pilot| (pilot.name.clone(), Arc::unwrap_or_clone(pilot))));
        self.sessions.extend(sessions);
        for (name, more) in rows {
            self.session(&name).rows.extend::<Vec<RowView>>(more);
        }
        for (name, more) in events {
            self.session(&name).events.extend::<Vec<EventView>>(more);
        }
        for (name, more) in notes {
            self.session(&name).notes.extend::<Vec<NoteView>>(more);
        }
        for (name, streams) in streams {
            for (port, more) in streams {
                let known = self.session(&name).streams.entry(port).or_default();
                known.retain(|bucket: &Bucket| bucket.t < more[0].t);
                known.extend(more);
            }
        }
    }

    /// What is added to is there.
    fn session(&mut self, name: &Name) -> &mut SessionView {
        self.sessions.get_mut(name).unwrap()
    }

    /// Forgets what the terminal doesn't keep any more either.
    fn forgets(&mut self, kept: &Page) {
        for (name, session) in &mut self.sessions {
            let Some(kept) = kept.sessions.get(name) else { continue };
            let extra = session.events.len().saturating_sub(kept.events.len());
            session.events.drain(..extra);
            for (port, stream) in &mut session.streams {
                let extra = stream.len() - kept.streams[port].len();
                stream.drain(..extra);
            }
        }
    }
}

/// The lab, what pages were shown of it, and one page.
struct World {
    lab: Lab,
    board: Board,
    count: u64,
    feed: Feed,
    page: Page,
    clock: i64,
    trial: u32,
    sessions: u128,
    snapshots: usize,
}

impl World {
    fn new() -> World {
        let feed = Feed::new([name(0), name(1)].into());
        let mut world = World {
            lab: Lab::default(),
            board: Board::default(),
            count: 0,
            feed,
            page: Page::default(),
            clock: 1_000,
            trial: 0,
            sessions: 0,
            snapshots: 0,
        };
        world.page = world.snapshot();
        world
    }

    fn look(&mut self) {
        self.count += 1;
        let now = Instant::now();
        self.board.look((self.count, now), now, || self.lab.view().0);
    }

    fn status(&self) -> Status {
        let health = bramble_message::Health {
            time: Time::ZERO,
            unix_ns: 0,
            disk: None,
            temperature: None,
            power: None,
        };
        let (pilots, refused) = self.lab.view();
        Status { data: "/lab".into(), listen: String::new(), health, pilots, refused, notice: None }
    }

    fn snapshot(&mut self) -> Page {
        self.look();
        let status = self.status();
        Page::of(self.feed.snapshot(&self.board, &self.lab, status, AT))
    }

    /// The page reads.
    fn reads(&mut self) {
        self.look();
        match self.feed.next(&self.board, &self.lab, AT) {
            Next::Nothing => {}
            Next::Changes(changes) => self.page.hears(*changes),
            Next::Behind => {
                self.snapshots += 1;
                self.page = self.snapshot();
            }
        }
    }

    /// What a page that opens now would have.
    fn opened_now(&mut self) -> Page {
        self.look();
        let status = self.status();
        Page::of(Feed::new([name(0), name(1)].into()).snapshot(&self.board, &self.lab, status, AT))
    }

    fn happens(&mut self, happens: &Happens) {
        match happens {
            Happens::Comes(place) => {
                let software = Software {
                    program: String::new(),
                    version: self.clock.to_string(),
                    host: String::new(),
                    system: String::new(),
                };
                let hello = PilotHello { software, rig: Vec::new(), activity: Activity::Idle };
                self.lab.up(&name(*place), hello, AT);
            }
            Happens::Goes(place) => self.lab.down(&name(*place), "its cable was pulled", AT),
            Happens::IsRenamed(place) => self.lab.forget(&name(*place)),
            Happens::Starts(place) => {
                self.sessions += 1;
                self.trial = 0;
                let session = Uuid::from_u128(self.sessions);
                let subject = "M001".parse().unwrap();
                let progress = Progress::beginning(session, subject, "a@b".parse().unwrap(), "t".into());
                let hello = Activity::Running(progress);
                let status = bramble_message::Status {
                    time: Time::ZERO,
                    activity: hello,
                    unacknowledged: 0,
                    children: Vec::new(),
                    health: None,
                    notice: None,
                    hand: None,
                };
                let now = crate::lab::Now { time: Time::ZERO, at: AT };
                self.lab.status(&name(*place), status, now);
                let past = Past { about: about(), rows: Vec::new(), events: Vec::new(), notes: Vec::new() };
                self.lab.recovered(&name(*place), session, Score::default(), past);
            }
            Happens::Ends(place) => {
                if let Some((session, _)) = self.lab.log(&name(*place)) {
                    self.lab.ended(&name(*place), &ended(session));
                }
            }
            Happens::Records(place, many, seen_first) => {
                let Some((session, _)) = self.lab.log(&name(*place)) else { return };
                let mut records = Vec::new();
                for number in 0..*many {
                    self.clock += 3_000_000;
                    let kind = if number % 3 == 0 { Kind::Position } else { Kind::Input };
                    records.push(Record::Event(event(self.clock, kind)));
                }
                self.trial += 1;
                records.push(Record::Row(row(self.trial)));
                records
                    .push(Record::Note { time: Time::from_ns(self.clock), text: "the tube is loose".into() });
                if *seen_first {
                    self.lab.live(&name(*place), session, records.clone());
                    self.reads();
                }
                self.lab.records(&name(*place), session, &records);
            }
            Happens::PageReads => self.reads(),
        }
    }
}

#[derive(Debug, Clone)]
enum Happens {
    Comes(usize),
    Goes(usize),
    IsRenamed(usize),
    Starts(usize),
    Ends(usize),
    Records(usize, u32, bool),
    PageReads,
}

fn happens() -> impl Strategy<Value = Happens> {
    let place = 0..3usize;
    let many = prop_oneof![8 => 0..20u32, 1 => 3_000..9_000u32];
    prop_oneof![
        2 => place.clone().prop_map(Happens::Comes),
        1 => place.clone().prop_map(Happens::Goes),
        1 => place.clone().prop_map(Happens::IsRenamed),
        2 => place.clone().prop_map(Happens::Starts),
        1 => place.clone().prop_map(Happens::Ends),
        6 => (place, many, any::<bool>()).prop_map(|(place, many, seen)| Happens::Records(place, many, seen)),
        4 => Just(Happens::PageReads),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn a_page_that_was_told_what_changed_has_what_a_page_has_that_opens_now(
        all in prop::collection::vec(happens(), 0..40)
    ) {
        let mut world = World::new();
        for one in &all {
            world.happens(one);
        }
        world.reads();
        let mut fresh = world.opened_now();
        world.page.forgets(&fresh);
        // A session of a pilot that is gone is nobody's news.
        fresh.sessions.retain(|name, _| world.page.sessions.contains_key(name));
        world.page.sessions.retain(|name, _| fresh.sessions.contains_key(name));
        prop_assert_eq!(&world.page, &fresh);
    }
}

#[test]
fn one_look_at_the_lab_serves_all_pages_that_waited_for_it() {
    let (mut board, start) = (Board::default(), Instant::now());
    let at = |ms| start + Duration::from_millis(ms);
    let mut looks = |count, now, since| {
        let mut looked = false;
        board.look((count, at(now)), at(since), || {
            looked = true;
            Vec::new()
        });
        looked
    };
    assert!(looks(1, 50, 10), "something changed, and a page heard of it at 10 ms");
    assert!(!looks(1, 51, 51), "nothing changed since");
    assert!(!looks(2, 51, 30), "this page waited for what was before the look");
    assert!(looks(2, 52, 51), "and this one for what may have come after it");
}

#[test]
fn a_page_that_slept_over_a_hundred_renamings_is_given_everything() {
    let mut world = World::new();
    for _ in 0..150 {
        world.happens(&Happens::Comes(2));
        world.look();
        world.happens(&Happens::IsRenamed(2));
        world.look();
    }
    world.happens(&Happens::Comes(0));
    world.reads();
    assert_eq!(world.snapshots, 1);
    let fresh = world.opened_now();
    assert_eq!(world.page, fresh);
}

#[test]
fn an_event_is_shown_once_whether_it_was_seen_in_passing_or_not() {
    let mut log = Log::of(about());
    let all: Vec<Record> = (0..6).map(|ns| Record::Event(event(2_000 + ns, Kind::Input))).collect();
    log.passing(&all[0..2]);
    // The third was lost in passing.
    log.passing(&all[3..5]);
    log.safe(&all[0..3]);
    log.safe(&all[3..6]);
    // What comes in passing after it came for good is no news.
    log.passing(&all[5..6]);
    let mut shown: Vec<i64> = log.view(Uuid::nil()).events.iter().map(|event| event.t).collect();
    shown.sort_unstable();
    assert_eq!(shown, [1_000, 1_001, 1_002, 1_003, 1_004, 1_005]);
}

#[test]
fn what_was_recorded_before_this_terminal_heard_of_a_session_comes_before_what_it_heard() {
    let mut log = Log::default();
    log.safe(&[Record::Event(event(5_000, Kind::Input)), Record::Row(row(3))]);
    let (rows, events) = ([row(1), row(2), row(3)], [event(3_000, Kind::Input), event(5_000, Kind::Input)]);
    log.restore(about(), &rows, &events, &[]);
    log.safe(&[Record::Event(event(6_000, Kind::Input)), Record::Row(row(4))]);
    let view = log.view(Uuid::nil());
    assert_eq!(view.rows.iter().map(|row| row.trial).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(view.events.iter().map(|event| event.t).collect::<Vec<_>>(), [2_000, 4_000, 5_000]);
    assert_eq!(view.rows[1].values["correct"], true);
}

#[test]
fn a_part_of_a_session_is_measured_as_finely_as_a_screen_can_show_and_to_its_end() {
    let hour = 3_600_000_000_000_i64;
    let events: Vec<Event> =
        (0..=36_000).map(|tenth| event(1_000 + tenth * (hour / 36_000), Kind::Position)).collect();
    let part = part(&[], &events, None);
    let log = Log::recorded(about(), &[], (&part, &events), &[]);
    let buckets = &log.view(Uuid::nil()).streams["wheel"];
    assert!((2_900..=3_000).contains(&buckets.len()), "{}", buckets.len());
    assert_eq!(buckets[0].t, 0);
    assert_eq!(buckets.last().map(|bucket| bucket.last), events.last().map(|event| event.value));
}

#[test]
fn a_part_with_more_events_than_a_page_is_given_says_so_where_they_end() {
    let view = |count: i64| {
        let events: Vec<Event> = (0..count).map(|at| event(1_000 + at, Kind::Input)).collect();
        let part = part(&[], &events, None);
        Log::recorded(about(), &[], (&part, &events), &[]).view(Uuid::nil())
    };
    assert!(view(20_000).notes.is_empty());
    let view = view(20_007);
    assert_eq!((view.events.len(), view.events[0].t), (20_000, 7));
    assert!(view.notes[0].text.starts_with("7 events of these trials aren't shown"), "{:?}", view.notes);
    assert_eq!((view.notes.len(), view.notes[0].t), (1, 7));
}

#[test]
fn what_people_did_in_a_session_that_was_simulated_is_in_its_own_time() {
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let change = Change {
        when: at(5),
        who: "anna@desk".into(),
        what: "note".into(),
        from: String::new(),
        to: "calm".into(),
    };
    let time = |own| {
        let shown = lines(
            (at(0), Time::from_ns(1_000)),
            Some((at(10), Span::from_s(own))),
            Vec::new(),
            std::slice::from_ref(&change),
        );
        shown[0].time.since(Time::from_ns(1_000)).seconds()
    };
    assert_eq!(time(1_000), 500.0, "half of it was over");
    // What a pilot that was away said late of its end doesn't count.
    assert_eq!(time(8), 5.0);
}

#[test]
fn a_live_parameter_is_known_as_it_was_set_last_also_to_a_terminal_that_heard_of_it_later() {
    let mut about = about();
    about.parameters =
        vec![("reward".into(), ValueType::Volume, Value::Volume(Volume::from_microliters(4.0).unwrap()))];
    about.names.sources.push((SourceKind::Parameter, "reward".into()));
    let set = |ns, value| Event { source: Source(3), value, ..event(ns, Kind::Parameter) };
    let mut log = Log::of(about.clone());
    assert!(log.changed().is_empty());
    log.safe(&[Record::Event(set(2_000, 6.0))]);
    log.passing(&[Record::Event(set(3_000, 2.0))]);
    let is = |log: &Log| log.changed().into_iter().collect::<Vec<_>>();
    assert_eq!(is(&log), [("reward".to_owned(), "2 uL".to_owned())]);
    let mut log = Log::default();
    log.restore(about, &[], &[set(2_000, 6.0)], &[]);
    assert_eq!(is(&log), [("reward".to_owned(), "6 uL".to_owned())]);
}

#[test]
fn a_session_that_was_asked_to_end_after_its_trial_is_known_to_stop() {
    let asked = |ns, asked: Asked, source| {
        let value = f64::from(asked as u8);
        Record::Event(Event { source: Source(source), value, ..event(ns, Kind::Asked) })
    };
    let mut log = Log::of(about());
    log.safe(&[asked(2_000, Asked::Pause, 0), asked(3_000, Asked::StopAfterTrial, 1)]);
    assert!(!log.stops(), "what a message carries is no wish that it ends");
    log.passing(&[asked(4_000, Asked::StopAfterTrial, 0)]);
    assert!(log.stops());
}

#[test]
fn a_log_says_what_happened_in_the_order_of_its_time_and_each_thing_once() {
    let note = |ns, text: &str| Record::Note { time: Time::from_ns(ns), text: text.into() };
    let reward = Event { value: 4.0, ..event(3_000, Kind::Manual) };
    let mut log = Log::of(about());
    log.safe(&[Record::Event(reward), note(5_000, "paused")]);
    let anna = Line { time: Time::from_ns(4_000), text: "calm".into(), who: Some("anna@desk".into()) };
    let paused = Line::note(Time::from_ns(5_000), "paused".into());
    log.restore(about(), &[], &[reward], &[anna, paused]);
    log.safe(&[Record::Event(event(6_000, Kind::Input))]);
    log.said(None, "its disk is nearly full".into());
    let notes = log.view(Uuid::nil()).notes;
    let said: Vec<_> = notes.iter().map(|note| (note.t, note.text.as_str(), note.who.as_deref())).collect();
    let expected = [
        (2_000, "4 uL of water by hand from poke.left", None),
        (3_000, "calm", Some("anna@desk")),
        (4_000, "paused", None),
        (5_000, "its disk is nearly full", None),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_stream_keeps_the_least_and_the_most_of_each_moment() {
    let mut log = Log::of(about());
    let at = |ms: i64, value: f64| {
        let time = Time::from_ns(1_000 + ms * 1_000_000);
        Record::Event(Event { time, value, ..event(0, Kind::Position) })
    };
    log.safe(&[at(0, 1.0), at(5, -4.0), at(19, 2.0), at(20, 7.0)]);
    let buckets = &log.view(Uuid::nil()).streams["wheel"];
    let first = Bucket { t: 0, min: -4.0, max: 2.0, last: 2.0 };
    assert_eq!(buckets, &[first, Bucket { t: 20_000_000, min: 7.0, max: 7.0, last: 7.0 }]);
}
