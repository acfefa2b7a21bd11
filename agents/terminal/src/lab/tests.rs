use bramble_message::{Activity, RigDevice};
use bramble_value::{Ending, Row, Time};
use jiff::ToSpan;
use proptest::prelude::*;

use super::*;

mod next;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn mouse(text: &str) -> SubjectId {
    text.parse().unwrap()
}

fn now() -> Now {
    Now { time: Time::ZERO, at: at(0) }
}

fn alice() -> Person {
    "alice@desk".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + seconds.seconds()
}

fn hello(activity: Activity) -> PilotHello {
    let software = Software {
        program: "bramble-pilot".into(),
        version: "0.1.0".into(),
        host: "pi".into(),
        system: "linux aarch64".into(),
    };
    PilotHello { software, rig: Vec::new(), activity }
}

fn running(session: u128, subject: &str, trial: u32) -> Activity {
    Activity::Running(Progress {
        session: Uuid::from_u128(session),
        subject: mouse(subject),
        owner: alice(),
        task: "free_water".into(),
        hold: None,
        trial,
        stages: Vec::new(),
        water: 0.0,
        seconds: 0.0,
        valves: Vec::new(),
    })
}

fn status(activity: Activity) -> Status {
    Status {
        time: Time::ZERO,
        activity,
        unacknowledged: 0,
        children: Vec::new(),
        health: None,
        notice: None,
        hand: None,
    }
}

/// A session whose pilot was killed.
fn ended(session: u128) -> Ended {
    Ended {
        session: Uuid::from_u128(session),
        ending: Ending::Error,
        why: "the pilot ended".into(),
        graduated: false,
        paused: false,
        time: Time::ZERO,
        unix_ns: 0,
    }
}

fn row(trial: u32) -> Record {
    let (start, end) = (Time::ZERO, Time::ZERO);
    Record::Row(Row { trial, start, end, ending: Ending::Done, values: Vec::new() })
}

/// A lab with two idle pilots, box1 and box2.
/// As many trials as the subject's file has.
fn past(trials: u32) -> Past {
    let row =
        |trial| Row { trial, start: Time::ZERO, end: Time::ZERO, ending: Ending::Done, values: Vec::new() };
    let about = About {
        task: None,
        step: None,
        parameters: Vec::new(),
        columns: Vec::new(),
        names: Default::default(),
        start: Time::ZERO,
    };
    Past { about, rows: (1..=trials).map(row).collect(), events: Vec::new(), notes: Vec::new() }
}

fn lab() -> Lab {
    let mut lab = Lab::default();
    for pilot in ["box1", "box2"] {
        lab.up(&name(pilot), hello(Activity::Idle), at(0));
    }
    lab
}

fn notices(lab: &Lab) -> Vec<Option<String>> {
    lab.view().0.into_iter().map(|pilot| pilot.notice).collect()
}

fn why(refused: Allowed<()>) -> String {
    refused.unwrap_err().to_string()
}

#[test]
fn what_is_noticed_of_a_pilot_before_it_calls_is_shown_when_it_does() {
    let mut lab = Lab::default();
    lab.notice(&name("box1"), Concern::MadeAnew, Some("its subject's file was set aside".into()));
    lab.notice(&name("box2"), Concern::Waits, Some("it waits".into()));
    lab.notice(&name("box2"), Concern::Waits, None);
    lab.up(&name("box1"), hello(Activity::Idle), at(0));
    lab.up(&name("box2"), hello(Activity::Idle), at(0));
    assert_eq!(notices(&lab), [Some("its subject's file was set aside".to_owned()), None]);
}

#[test]
fn a_pilot_is_simulated_where_all_is_that_it_drives_itself() {
    let is_simulated = |drivers: &[&str]| {
        let device = |driver: &&str| RigDevice {
            name: name("light"),
            kind: "digital_output".into(),
            ports: Vec::new(),
            driver: (*driver).to_owned(),
        };
        let mut lab = Lab::default();
        let rig = drivers.iter().map(device).collect();
        lab.up(&name("box1"), PilotHello { rig, ..hello(Activity::Idle) }, at(0));
        lab.is_simulated(&name("box1"))
    };
    assert!(is_simulated(&["simulated", "child wheel-box1"]));
    for drivers in [&["simulated", "gpiocdev"][..], &["child wheel-box1"], &[]] {
        assert!(!is_simulated(drivers), "{drivers:?}");
    }
}

#[test]
fn how_the_last_session_on_a_pilot_ended_is_known_from_the_files_until_another_one_runs() {
    let ended = |second, trials| EndedSession {
        session: Uuid::from_u128(9),
        subject: mouse("M001"),
        task: "free_water".into(),
        step: None,
        trials,
        correct: None,
        ended: at(second),
        ending: bramble_value::Ending::Done,
        graduated: false,
        why: "enough".into(),
    };
    let mut lab = lab();
    for (second, trials) in [(20, 2), (30, 3), (10, 1)] {
        lab.ended_before(&name("box1"), &ended(second, trials));
    }
    let last = |lab: &Lab| lab.view().0[0].last.as_ref().map(|last| last.trials);
    assert_eq!(last(&lab), Some(3), "the last of them");
    assert_eq!(lab.view().0[1].last, None);
    lab.up(&name("box1"), hello(running(1, "M001", 4)), at(40));
    lab.up(&name("box1"), hello(Activity::Idle), at(50));
    assert_eq!(last(&lab), None, "of the one that ran since it isn't told yet how it ended");
}

#[test]
fn notices_hide_each_other_neither_when_they_come_nor_when_they_go() {
    let mut lab = lab();
    lab.notice(&name("box1"), Concern::Waits, Some("it waits".into()));
    lab.notice(&name("box1"), Concern::MadeAnew, Some("made anew".into()));
    lab.notice(&name("box1"), Concern::Journal, Some("the disk is full".into()));
    assert_eq!(notices(&lab)[0].as_deref(), Some("the disk is full; it waits; made anew"));
    lab.notice(&name("box1"), Concern::Journal, None);
    assert_eq!(notices(&lab)[0].as_deref(), Some("it waits; made anew"));
    lab.notices_are_read(&name("box1"));
    assert_eq!(notices(&lab)[0].as_deref(), Some("it waits"), "which is so still");
}

#[test]
fn a_start_on_a_pilot_that_never_called_says_who_is_here() {
    let said = why(lab().reserve(&mouse("M001"), &alice(), &name("box9"), false));
    assert_eq!(said, "no pilot box9 is here (here: box1, box2)");
}

#[test]
fn a_start_on_a_pilot_that_is_away_says_since_when() {
    let mut lab = lab();
    lab.down(&name("box1"), "it ended the link", at(60));
    let said = why(lab.reserve(&mouse("M001"), &alice(), &name("box1"), false));
    assert_eq!(said, "box1 is away since 1970-01-01 00:01:00 UTC; a session that it runs goes on");
}

#[test]
fn a_start_on_a_busy_pilot_says_who_has_it() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(1, "M002", 3)), now());
    let said = why(lab.reserve(&mouse("M001"), &alice(), &name("box1"), false));
    assert_eq!(said, "box1 is busy: it runs alice@desk's session of M002 (free_water)");
}

#[test]
fn of_two_starts_at_once_on_one_pilot_the_second_is_refused() {
    let mut lab = lab();
    lab.reserve(&mouse("M001"), &alice(), &name("box1"), false).unwrap();
    let said = why(lab.reserve(&mouse("M002"), &alice(), &name("box1"), false));
    assert_eq!(said, "box1 is busy: alice@desk is starting a session of M001");
    lab.unreserve(&name("box1"));
    lab.reserve(&mouse("M002"), &alice(), &name("box1"), false).unwrap();
}

#[test]
fn a_subject_is_in_one_box_at_a_time() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(1, "M001", 3)), now());
    let said = why(lab.reserve(&mouse("M001"), &alice(), &name("box2"), false));
    assert_eq!(said, "M001 is in a session of free_water already, on box1");
}

#[test]
fn a_session_on_a_pilot_that_will_not_come_back_can_be_abandoned_and_no_other() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(1, "M001", 3)), now());
    assert!(lab.reserve(&mouse("M001"), &alice(), &name("box2"), true).is_err(), "box1 is here");
    lab.down(&name("box1"), "nothing was heard of it", at(60));
    let refusal = lab.reserve(&mouse("M001"), &alice(), &name("box2"), false).unwrap_err();
    assert!(refusal.help.unwrap().contains("start with --abandon"));
    lab.reserve(&mouse("M001"), &alice(), &name("box2"), true).unwrap();
}

#[test]
fn a_pilot_that_was_in_a_session_is_expected_until_it_comes() {
    let mut lab = Lab::default();
    let was = Running {
        pilot: name("box1"),
        session: Uuid::from_u128(7),
        subject: mouse("M001"),
        task: "free_water".into(),
    };
    lab.expect(&was, alice(), at(0));
    lab.recovered(&name("box1"), was.session, Score::default(), past(12));
    let box1 = lab.view().0.remove(0);
    assert!(!box1.here && box1.why.unwrap().contains("since this terminal started"));
    assert_eq!(box1.session.unwrap().trials, 12);
    lab.up(&name("box1"), hello(Activity::Idle), at(1));
    lab.expect(&was, alice(), at(2));
    assert!(lab.view().0[0].session.is_none(), "what it says itself counts");
}

#[test]
fn an_agent_that_was_refused_is_named_with_the_reason_when_it_is_wanted() {
    let mut lab = lab();
    lab.refused("`box3` speaks version 9 of the link and `terminal` version 1".into(), at(0));
    let said = why(lab.reserve(&mouse("M001"), &alice(), &name("box3"), false));
    assert!(said.starts_with("box3 can't be talked to: `box3` speaks version 9"), "{said}");
}

#[test]
fn an_agent_that_was_refused_and_tries_no_more_is_forgotten() {
    let mut lab = lab();
    let refused = |lab: &Lab| lab.view().1;
    lab.refused("another agent named `box3` is linked".into(), at(0));
    lab.refused("another agent named `box3` is linked".into(), at(5));
    assert!(!lab.has_given_up(at(20)) && refused(&lab).len() == 1);
    assert!(lab.has_given_up(at(21)));
    lab.misunderstood(&name("box4"), "`box4` says hello as no pilot".into(), at(6));
    lab.forget_refused(at(21));
    assert_eq!(refused(&lab), ["`box4` says hello as no pilot"], "it is still linked");
    lab.down(&name("box4"), "it ended the link", at(22));
    assert!(refused(&lab).is_empty());
}

#[test]
fn a_pilot_that_was_revoked_is_away_because_of_that() {
    let mut lab = lab();
    lab.revoked(&name("box1"));
    assert_eq!(lab.view().0[0].why, None, "for a moment it is here");
    lab.down(&name("box1"), "the connection broke", at(1));
    assert_eq!(lab.view().0[0].why.as_deref(), Some("it was revoked"));
    lab.up(&name("box1"), hello(Activity::Idle), at(2));
    lab.down(&name("box1"), "the connection broke", at(3));
    assert_eq!(lab.view().0[0].why.as_deref(), Some("the connection broke"), "it had joined again");
}

#[test]
fn a_session_that_is_found_running_is_taken_over() {
    let mut lab = Lab::default();
    let found = lab.up(&name("box1"), hello(running(7, "M001", 12)), at(0)).unwrap();
    assert_eq!((found.session, found.subject.as_str()), (Uuid::from_u128(7), "M001"));
    assert_eq!(lab.view().0[0].session.as_ref().unwrap().trials, 11);
    assert!(lab.status(&name("box1"), status(running(7, "M001", 13)), now()).is_none(), "found only once");
}

#[test]
fn a_session_that_was_taken_over_is_the_others() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(7, "M001", 12)), now());
    let bob: Person = "bob@desk".parse().unwrap();
    lab.taken_over(&name("box1"), Uuid::from_u128(8), alice());
    lab.taken_over(&name("box1"), Uuid::from_u128(7), bob.clone());
    assert_eq!(lab.view().0[0].session.as_ref().unwrap().owner, bob);
}

#[test]
fn what_is_told_late_of_a_session_that_ended_does_not_bring_it_back() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(7, "M001", 12)), now());
    lab.ended(&name("box1"), &ended(7));
    lab.status(&name("box1"), status(running(7, "M001", 12)), now());
    assert!(lab.session_on(&name("box1")).is_err());
    lab.reserve(&mouse("M001"), &alice(), &name("box1"), false).unwrap();
}

#[test]
fn how_a_session_ended_is_told_until_another_does_however_late_it_is_heard() {
    let mut lab = lab();
    let last = |lab: &Lab| lab.view().0[0].last.clone();
    lab.status(&name("box1"), status(running(7, "M001", 12)), now());
    assert_eq!(last(&lab), None);
    // The pilot was killed, and is back: only then it tells of the end.
    lab.up(&name("box1"), hello(Activity::Idle), at(5));
    assert_eq!(last(&lab), None);
    lab.records(&name("box1"), Uuid::from_u128(7), &[row(12)]);
    lab.ended(&name("box1"), &ended(7));
    let told = last(&lab).unwrap();
    assert_eq!((told.subject, told.trials), (mouse("M001"), 12));
    assert_eq!((told.ending, told.why.as_str()), (Ending::Error, "the pilot ended"));
    // The next session starts, and that one is the last still.
    lab.status(&name("box1"), status(running(8, "M001", 1)), now());
    assert_eq!(last(&lab).map(|last| last.session), Some(Uuid::from_u128(7)));
    lab.ended(&name("box1"), &ended(8));
    assert_eq!(last(&lab).map(|last| last.session), Some(Uuid::from_u128(8)));
}

#[test]
fn trials_are_counted_as_they_end() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(7, "M001", 1)), now());
    lab.records(&name("box1"), Uuid::from_u128(7), &[row(1), row(2)]);
    lab.records(&name("box1"), Uuid::from_u128(8), &[row(99)]);
    assert_eq!(lab.view().0[0].session.as_ref().unwrap().trials, 2);
}

#[test]
fn a_trial_is_shown_before_it_is_safe_and_counts_once_whatever_is_lost_in_passing() {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(7, "M001", 1)), now());
    let row = |trial| {
        let (start, end, ending, values) = (Time::ZERO, Time::ZERO, Ending::Done, Vec::new());
        Record::Row(Row { trial, start, end, ending, values })
    };
    let shown = |lab: &Lab| lab.view().0[0].session.as_ref().unwrap().trials;
    let session = Uuid::from_u128(7);
    // The second trial is lost in passing.
    lab.live(&name("box1"), session, vec![row(1)]);
    lab.live(&name("box1"), session, vec![row(3)]);
    lab.live(&name("box1"), Uuid::from_u128(8), vec![row(99)]);
    assert_eq!(shown(&lab), 3);
    lab.records(&name("box1"), session, &[row(1), row(2)]);
    assert_eq!((shown(&lab), lab.run(&name("box1"), session).unwrap().live.len()), (3, 1));
    lab.records(&name("box1"), session, &[row(3)]);
    assert_eq!((shown(&lab), lab.run(&name("box1"), session).unwrap().live.len()), (3, 0));
}

/// Something that may happen in a lab of two pilots and two subjects.
#[derive(Debug, Clone)]
enum Happens {
    Up(usize, Option<u128>),
    Down(usize),
    Status(usize, Option<u128>),
    Ended(usize, u128),
    Reserve(usize, usize),
    Unreserve(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    let session = prop::option::of(0u128..4);
    prop_oneof![
        (0..2usize, session.clone()).prop_map(|(pilot, session)| Happens::Up(pilot, session)),
        (0..2usize).prop_map(Happens::Down),
        (0..2usize, session).prop_map(|(pilot, session)| Happens::Status(pilot, session)),
        (0..2usize, 0u128..4).prop_map(|(pilot, session)| Happens::Ended(pilot, session)),
        (0..2usize, 0..2usize).prop_map(|(pilot, subject)| Happens::Reserve(pilot, subject)),
        (0..2usize).prop_map(Happens::Unreserve),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_no_start_is_allowed_on_a_pilot_or_for_a_subject_that_is_taken(
        all in prop::collection::vec(happens(), 0..60)
    ) {
        let pilots = [name("box1"), name("box2")];
        let subjects = ["M001", "M002"];
        // Sessions 0 and 2 are of M001, 1 and 3 of M002.
        let doing = |session: Option<u128>| match session {
            Some(session) => running(session, subjects[session as usize % 2], 1),
            None => Activity::Idle,
        };
        let mut lab = Lab::default();
        for one in all {
            match one {
                Happens::Up(pilot, session) => drop(lab.up(&pilots[pilot], hello(doing(session)), at(0))),
                Happens::Down(pilot) => lab.down(&pilots[pilot], "gone", at(0)),
                Happens::Status(pilot, session) => drop(lab.status(&pilots[pilot], status(doing(session)), now())),
                Happens::Ended(pilot, session) => lab.ended(&pilots[pilot], &ended(session)),
                Happens::Unreserve(pilot) => lab.unreserve(&pilots[pilot]),
                Happens::Reserve(pilot, subject) => {
                    let before = lab.view().0;
                    let subject = mouse(subjects[subject]);
                    let taken = before.iter().any(|status| {
                        let here = status.name == pilots[pilot];
                        let in_session = status.session.as_ref().map(|session| &session.subject);
                        let busy = here && (!status.here || in_session.is_some() || status.starting.is_some());
                        busy || in_session == Some(&subject) || status.starting.as_ref().is_some_and(|one| one.subject == subject)
                    });
                    let known = before.iter().any(|status| status.name == pilots[pilot]);
                    let allowed = lab.reserve(&subject, &alice(), &pilots[pilot], false).is_ok();
                    prop_assert_eq!(allowed, known && !taken);
                }
            }
        }
    }
}
