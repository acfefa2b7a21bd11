//! What follows a graduation, and what is called off.

use super::*;

/// A lab in which M001 graduated on box1 in session 7, at 100 s.
fn graduated() -> Lab {
    let mut lab = lab();
    lab.status(&name("box1"), status(running(7, "M001", 12)), now());
    lab.ended(&name("box1"), &Ended { graduated: true, unix_ns: 100_000_000_000, ..ended(7) });
    lab
}

fn follows(lab: &mut Lab, session: u128, seconds: i64) -> Follows {
    lab.follow((&mouse("M001"), &alice()), &name("box1"), Uuid::from_u128(session), at(seconds)).unwrap()
}

fn call_off(lab: &mut Lab, who: &str, take_over: bool) -> Option<(SubjectId, Name)> {
    let who: Person = who.parse().unwrap();
    lab.call_off(Some(&mouse("M001")), None, (&who, take_over), at(101))
}

#[test]
fn a_step_follows_a_session_that_ended_a_moment_ago_and_no_other() {
    assert_eq!(follows(&mut graduated(), 7, 101), Follows::Yes);
    assert_eq!(follows(&mut graduated(), 6, 101), Follows::Late, "nothing is known of that one");
    for clock in [121, 79, 3_700] {
        assert_eq!(follows(&mut graduated(), 7, clock), Follows::Late, "{clock}");
    }
    let mut lab = graduated();
    assert_eq!(follows(&mut lab, 7, 101), Follows::Yes);
    let said = why(lab.reserve(&mouse("M002"), &alice(), &name("box1"), false));
    assert_eq!(said, "box1 is busy: alice@desk is starting a session of M001");
}

#[test]
fn no_step_follows_where_another_session_was_in_its_box_since() {
    let mut lab = graduated();
    lab.status(&name("box1"), status(running(8, "M002", 1)), now());
    lab.ended(&name("box1"), &ended(8));
    assert_eq!(follows(&mut lab, 7, 101), Follows::Late);
}

#[test]
fn no_step_follows_what_a_person_starts_with_its_subject_or_in_its_box() {
    for (subject, pilot) in [("M001", "box1"), ("M001", "box2"), ("M002", "box1")] {
        let mut lab = graduated();
        lab.overtake(&mouse(subject), &name(pilot));
        assert_eq!(follows(&mut lab, 7, 101), Follows::Overtaken, "{subject} in {pilot}");
    }
    let mut lab = graduated();
    lab.overtake(&mouse("M002"), &name("box2"));
    assert_eq!(follows(&mut lab, 7, 101), Follows::Yes);
}

#[test]
fn a_step_that_is_to_follow_is_called_off_by_whose_it_is() {
    let mut lab = graduated();
    assert_eq!(call_off(&mut lab, "bob@desk", false), None, "it is alice's");
    assert_eq!(call_off(&mut lab, "alice@desk", false), Some((mouse("M001"), name("box1"))));
    assert_eq!(follows(&mut lab, 7, 101), Follows::Overtaken);
    assert_eq!(call_off(&mut lab, "alice@desk", false), None);
    assert!(call_off(&mut graduated(), "bob@desk", true).is_some());
}

#[test]
fn a_session_that_is_being_started_is_called_off_until_its_pilot_is_asked() {
    let mut lab = lab();
    lab.reserve(&mouse("M001"), &alice(), &name("box1"), false).unwrap();
    assert!(lab.is_starting(Some(&mouse("M001")), None) && lab.is_still_wanted(&name("box1")).is_ok());
    let said = lab.session_of(&mouse("M001")).unwrap_err().to_string();
    assert_eq!(said, "M001's session on box1 is only just being started");
    assert!(call_off(&mut lab, "alice@desk", false).is_some());
    let said = why(lab.is_still_wanted(&name("box1")));
    assert_eq!(said, "alice@desk stopped it before it began");
    lab.unreserve(&name("box1"));
    lab.reserve(&mouse("M001"), &alice(), &name("box1"), false).unwrap();
    assert!(lab.is_still_wanted(&name("box1")).is_ok(), "that is another start");
}

#[test]
fn a_session_that_was_abandoned_is_in_nobodys_way_until_its_pilot_says_that_it_runs() {
    let mut lab = lab();
    let (box1, box2, mouse) = (name("box1"), name("box2"), mouse("M001"));
    lab.status(&box1, status(running(1, "M001", 3)), now());
    lab.down(&box1, "nothing was heard of it", at(60));
    lab.reserve(&mouse, &alice(), &box2, true).unwrap();
    lab.abandon(&mouse, &box2);
    lab.status(&box2, status(running(2, "M001", 1)), now());
    lab.unreserve(&box2);
    assert_eq!(lab.session_of(&mouse).unwrap().pilot, box2, "the one that is here");
    lab.ended(&box2, &ended(2));
    lab.reserve(&mouse, &alice(), &box2, false).unwrap();
    lab.unreserve(&box2);
    lab.up(&box1, hello(running(1, "M001", 9)), at(90));
    assert!(lab.reserve(&mouse, &alice(), &box2, false).is_err());
    assert_eq!(lab.session_of(&mouse).unwrap().pilot, box1);
}

#[test]
fn of_a_subjects_sessions_that_all_run_the_latest_is_meant() {
    let mut lab = lab();
    for (pilot, session, seconds) in [("box1", 1, 900.0), ("box2", 2, 30.0)] {
        let Activity::Running(progress) = running(session, "M001", 3) else { continue };
        lab.status(&name(pilot), status(Activity::Running(Progress { seconds, ..progress })), now());
    }
    assert_eq!(lab.session_of(&mouse("M001")).unwrap().pilot, name("box2"));
}

#[test]
fn how_a_session_ended_is_waited_for_where_its_pilot_is_here_to_tell() {
    let mut lab = lab();
    let (box1, mouse) = (name("box1"), mouse("M001"));
    lab.status(&box1, status(running(7, "M001", 12)), now());
    assert!(!lab.awaits_end_of(&mouse));
    lab.status(&box1, status(Activity::Idle), now());
    assert!(lab.awaits_end_of(&mouse));
    lab.down(&box1, "nothing was heard of it", at(60));
    assert!(!lab.awaits_end_of(&mouse));
    lab.up(&box1, hello(Activity::Idle), at(61));
    assert!(lab.awaits_end_of(&mouse));
    lab.ended(&box1, &ended(7));
    assert!(!lab.awaits_end_of(&mouse));
}
