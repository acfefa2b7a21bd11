//! Each kind of alert, on virtual time.

use std::collections::{BTreeMap, BTreeSet};

use bramble_alerts::{Book, Failing, Kind, News, What};
use bramble_message::{Calibrated, Disk, Health, Hold, PortName, Software};
use bramble_settings::AlertsFile;
use bramble_value::{Name, Span, SubjectId, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use uuid::Uuid;

use super::animals::Animal;
use super::findings::Lab;
use super::rules;
use super::stalls::Stalls;
use crate::agents::Enrolled;
use crate::api::types::{PilotStatus, SessionStatus};

const GB: u64 = 1_000_000_000;

/// A lab with one pilot, which is looked at every second.
struct World {
    now: Timestamp,
    started: Timestamp,
    limits: AlertsFile,
    pilots: Vec<PilotStatus>,
    health: Health,
    stalls: Stalls,
    animals: BTreeMap<SubjectId, Animal>,
    subjects: Option<BTreeSet<SubjectId>>,
    calibrations: BTreeMap<Name, Vec<Calibrated>>,
    without_trials: BTreeSet<Name>,
    enrolled: Vec<Enrolled>,
    failing: Option<Failing>,
    book: Book,
}

fn health(free: u64, size: u64) -> Health {
    let disk = Some(Disk { free, size });
    Health { time: Time::ZERO, unix_ns: 0, disk, temperature: None, power: None }
}

fn subject(id: &str) -> SubjectId {
    id.parse().unwrap()
}

impl World {
    fn new() -> World {
        let now: Timestamp = "2026-11-27T09:00:00Z".parse().unwrap();
        let unknown = String::new;
        let software =
            Software { program: unknown(), version: unknown(), host: unknown(), system: unknown() };
        let pilot = PilotStatus {
            name: "box1".parse().unwrap(),
            here: true,
            since: now,
            why: None,
            software,
            rig: Vec::new(),
            children: Vec::new(),
            unacknowledged: 0,
            catching_up: false,
            quality: None,
            health: Some(health(30 * GB, 64 * GB)),
            starting: None,
            session: None,
            last: None,
            hand: None,
            notice: None,
        };
        World {
            now,
            started: now,
            limits: AlertsFile::default(),
            pilots: vec![pilot],
            health: health(500 * GB, 1000 * GB),
            stalls: Stalls::default(),
            animals: BTreeMap::new(),
            subjects: None,
            calibrations: BTreeMap::new(),
            without_trials: BTreeSet::new(),
            enrolled: Vec::new(),
            failing: None,
            book: Book::default(),
        }
    }

    fn session(&mut self) -> &mut SessionStatus {
        self.pilots[0].session.get_or_insert(SessionStatus {
            session: Uuid::from_u128(7),
            subject: subject("M001"),
            owner: "anna@desk".parse().unwrap(),
            task: "two_choice".into(),
            hold: None,
            stopping: false,
            trials: 0,
            correct: None,
            water: 0.0,
            seconds: 0.0,
            stages: Vec::new(),
            step: None,
            recent: Vec::new(),
            valves: Vec::new(),
            changed: Default::default(),
        })
    }

    /// The terminal is started again: of sessions and animals it knows nothing yet.
    fn restart(&mut self) {
        self.book = serde_json::from_str(&serde_json::to_string(&self.book).unwrap()).unwrap();
        self.started = self.now;
        (self.stalls, self.animals) = (Stalls::default(), BTreeMap::new());
        self.calibrations = BTreeMap::new();
    }

    /// What is news in this time.
    fn in_minutes(&mut self, minutes: i64) -> Vec<(What, Kind, String)> {
        let mut all = Vec::new();
        for _ in 0..minutes * 60 {
            all.extend(self.look());
            self.now += 1.seconds();
        }
        all.into_iter().map(|News { what, alert }| (what, alert.kind, alert.text)).collect()
    }

    fn look(&mut self) -> Vec<News> {
        self.stalls.look(self.now, &self.pilots);
        let lab = Lab {
            now: self.now,
            zone: &TimeZone::UTC,
            started: self.started,
            name: &"desk".parse().unwrap(),
            health: &self.health,
            pilots: &self.pilots,
            enrolled: &self.enrolled,
            without_trials: &self.without_trials,
            calibrations: &self.calibrations,
            stalls: &self.stalls,
            animals: &self.animals,
            subjects: self.subjects.as_ref(),
            failing: self.failing.as_ref().map(|failing| (failing, self.now)),
        };
        let found = lab.findings(&self.limits);
        self.book.look(self.now, found, |topic| lab.is_unknown(topic), &rules(&self.limits))
    }

    /// That there was this news, and no other.
    fn tells(&mut self, minutes: i64, news: &[(What, Kind, &str)]) {
        let told = self.in_minutes(minutes);
        let told: Vec<_> = told.iter().map(|(what, kind, text)| (*what, *kind, text.as_str())).collect();
        assert_eq!(told, news);
    }
}

fn later(time: Timestamp, minutes: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

#[test]
fn a_lab_in_which_all_is_well_tells_nothing_all_day() {
    let mut world = World::new();
    for trial in 0..60 {
        world.session().trials = trial;
        world.tells(5, &[]);
    }
}

#[test]
fn a_pilot_that_is_away_is_an_alert_after_half_a_minute_and_ends_when_it_is_back() {
    let mut world = World::new();
    world.tells(1, &[]);
    world.session();
    let (since, why) = (world.now, Some("nothing was heard of it".to_owned()));
    (world.pilots[0].here, world.pilots[0].since, world.pilots[0].why) = (false, since, why);
    let text = "box1 is away since 09:01, in a session of two_choice of M001, which goes on: nothing was heard of it";
    world.tells(10, &[(What::Begins, Kind::PilotAway, text)]);
    let (who, id) = ("anna@desk".parse().unwrap(), world.book.on()[0].id);
    world.book.see(id, who, world.now).unwrap();
    world.restart();
    world.tells(600, &[]);
    (world.pilots[0].here, world.pilots[0].since) = (true, world.now);
    world.tells(1, &[(What::Ends, Kind::PilotAway, text)]);
}

fn enrolled(name: &str, last_here: Option<Timestamp>, revoked: Option<Timestamp>) -> Enrolled {
    serde_json::from_value(serde_json::json!({
        "name": name,
        "role": "pilot",
        "certificate": { "serial": "5f2ab10c000000000000000000000001", "pem": "" },
        "enrolled": "2026-01-01T00:00:00Z",
        "last_here": last_here,
        "revoked": revoked,
    }))
    .unwrap()
}

#[test]
fn a_pilot_that_was_here_before_the_terminal_started_is_away_and_one_that_never_was_or_is_revoked_is_not() {
    let mut world = World::new();
    let before = later(world.now, -60);
    world.enrolled = vec![
        enrolled("box1", Some(before), Some(world.now)),
        enrolled("box2", Some(before), None),
        enrolled("box3", None, None),
        enrolled("box4", Some(before), Some(world.now)),
    ];
    world.pilots[0].here = false;
    let text = "box2 is away since 08:00 or longer";
    world.tells(5, &[(What::Begins, Kind::PilotAway, text)]);
    // Enrolled again, it is one of the lab's.
    world.enrolled.push(enrolled("box1", None, None));
    assert_eq!(world.in_minutes(5).len(), 1);
}

#[test]
fn a_session_stalls_that_has_no_trial_for_long_and_is_not_paused() {
    let mut world = World::new();
    world.session().trials = 0;
    world.tells(9, &[]);
    world.session().trials = 1;
    world.tells(10, &[]);
    let text = "M001 has done no trial of two_choice on box1 since 09:09";
    world.tells(5, &[(What::Begins, Kind::SessionStalled, text)]);
    // Seen before the restart, it is no news after.
    world.restart();
    world.session().seconds = 1500.0;
    world.tells(30, &[]);
    world.session().trials = 2;
    let told = world.in_minutes(1);
    assert_eq!((told.len(), told[0].0), (1, What::Ends));
    world.session().hold = Some(Hold::Coming);
    world.tells(60, &[]);
    world.session().hold = None;
    world.tells(9, &[]);
    assert_eq!(world.in_minutes(2).len(), 1);
}

#[test]
fn a_task_without_trials_does_not_stall() {
    let mut world = World::new();
    world.session();
    world.without_trials.insert("box1".parse().unwrap());
    world.tells(60, &[]);
}

/// An animal whose session on box1 ended then.
fn ended(at: Timestamp) -> Animal {
    let began = at.checked_sub(SignedDuration::from_hours(1)).unwrap();
    Animal { low: None, last: Some(("box1".into(), began)), stays_since: Some(at), ..Animal::default() }
}

#[test]
fn an_animal_is_left_in_its_box_until_something_was_written_of_it() {
    let mut world = World::new();
    world.animals.insert(subject("M001"), ended(world.now));
    world.tells(30, &[]);
    let text = "M001 may still be in box1: its session ended at 09:00, and nothing was written of it since";
    world.tells(10, &[(What::Begins, Kind::AnimalLeft, text)]);
    world.restart();
    // Its file isn't read yet.
    world.tells(2, &[]);
    let handled = Animal { stays_since: None, ..ended(world.started) };
    world.animals.insert(subject("M001"), handled);
    world.tells(1, &[(What::Ends, Kind::AnimalLeft, text)]);
}

#[test]
fn another_animals_session_in_the_box_says_that_the_one_before_is_out() {
    let mut world = World::new();
    world.animals.insert(subject("M001"), ended(world.now));
    let began = later(world.now, 5);
    let other =
        Animal { low: None, last: Some(("box1".into(), began)), stays_since: None, ..Animal::default() };
    world.animals.insert(subject("M002"), other);
    world.tells(60, &[]);
}

#[test]
fn a_lab_that_writes_nothing_down_is_told_for_no_longer_than_a_day() {
    let mut world = World::new();
    world.limits.remind = Some("0 h".parse().unwrap());
    world.animals.insert(subject("M001"), ended(world.now));
    let told: Vec<_> = world.in_minutes(25 * 60).into_iter().map(|(what, ..)| what).collect();
    assert_eq!(told, [What::Begins, What::Ends]);
}

#[test]
fn an_animal_that_weighs_too_little_is_an_alert_until_it_weighs_enough() {
    let mut world = World::new();
    let low =
        ("weighed 20 g on 2026-11-27, 80.0 % of its baseline, and its limit is 85 %".to_owned(), world.now);
    world.animals.insert(subject("M001"), Animal { low: Some(low), ..Animal::default() });
    let text = "M001 weighed 20 g on 2026-11-27, 80.0 % of its baseline, and its limit is 85 %";
    world.tells(1, &[(What::Begins, Kind::WeightLow, text)]);
    world.animals.insert(subject("M001"), Animal::default());
    world.tells(1, &[(What::Ends, Kind::WeightLow, text)]);
}

#[test]
fn a_disk_is_short_by_what_the_lab_wants_and_no_longer_once_there_is_clearly_more() {
    let mut world = World::new();
    let free = |world: &mut World, free| world.pilots[0].health = Some(health(free, 64 * GB));
    free(&mut world, 5 * GB - 1);
    let text = "box1 has 5 GB of 64 GB of disk left: make room";
    world.tells(2, &[(What::Begins, Kind::DiskShort, text)]);
    free(&mut world, 5 * GB + 1);
    world.tells(5, &[]);
    free(&mut world, 6 * GB);
    world.tells(2, &[(What::Ends, Kind::DiskShort, text)]);
    // Of a small one a tenth is enough.
    world.pilots[0].health = Some(health(2 * GB, 16 * GB));
    world.tells(5, &[]);
    world.health = health(GB, 1000 * GB);
    let text = "desk has 1 GB of 1000 GB of disk left: make room";
    world.tells(5, &[(What::Begins, Kind::DiskShort, text)]);
}

#[test]
fn what_a_pilot_or_a_subject_had_that_is_gone_for_good_is_over() {
    let mut world = World::new();
    world.pilots[0].health = Some(health(GB, 64 * GB));
    let low = ("weighed 20 g".to_owned(), world.now);
    world.animals.insert(subject("M001"), Animal { low: Some(low), ..Animal::default() });
    world.subjects = Some([subject("M001")].into());
    let (disk, weight) = ("box1 has 1 GB of 64 GB of disk left: make room", "M001 weighed 20 g");
    world.tells(2, &[(What::Begins, Kind::WeightLow, weight), (What::Begins, Kind::DiskShort, disk)]);
    // For now nothing is known of either.
    world.pilots.clear();
    world.animals.clear();
    world.tells(2, &[]);
    world.subjects = Some(BTreeSet::new());
    world.tells(6, &[(What::Ends, Kind::WeightLow, weight), (What::Ends, Kind::DiskShort, disk)]);
}

#[test]
fn a_calibration_is_old_a_week_before_no_session_goes_by_it() {
    let mut world = World::new();
    let valve = PortName { device: "valve".parse().unwrap(), port: Some("left".parse().unwrap()) };
    let days = |days: i64| days * 24 * 3600;
    let made = world.now.as_second() - days(53) + 60;
    let age = Span::from_s(60 * 24 * 3600);
    let calibrated = Calibrated { valve, made_unix_s: made, age };
    world.calibrations.insert("box1".parse().unwrap(), vec![calibrated.clone()]);
    world.tells(1, &[]);
    let text = "box1's valve.left was calibrated on 2026-10-05, and from 2026-12-04 on no session that gives water \
                by it starts: calibrate it";
    world.tells(1, &[(What::Begins, Kind::CalibrationOld, text)]);
    world.restart();
    world.tells(20, &[]);
    let new = Calibrated { made_unix_s: world.now.as_second(), ..calibrated };
    world.calibrations.insert("box1".parse().unwrap(), vec![new]);
    world.tells(1, &[(What::Ends, Kind::CalibrationOld, text)]);
}

#[test]
fn a_webhook_that_does_not_work_is_an_alert_itself() {
    let mut world = World::new();
    world.failing = Some(Failing { since: Time::ZERO, why: "chat answered 500".into(), lost: 0 });
    let told = world.in_minutes(1);
    assert_eq!(told.len(), 1);
    assert!(told[0].2.contains("chat answered 500"), "{told:?}");
    world.failing = None;
    assert_eq!(world.in_minutes(1).len(), 1);
}

#[test]
fn a_kind_that_is_off_is_never_told() {
    let mut world = World::new();
    world.limits.off = Kind::ALL.to_vec();
    world.pilots[0].here = false;
    world.pilots[0].health = Some(health(0, GB));
    world.animals.insert(subject("M001"), ended(world.now));
    world.tells(120, &[]);
}
