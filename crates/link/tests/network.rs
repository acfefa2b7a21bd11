//! Links over the network: who may be on them, and what those hear who may not.

use crate::common::*;
use bramble_identity::Role;
use bramble_link::{Event, Gone, LinkError, Me, MemoryOutbox, Place, Terms, dial, listen};
use bramble_value::Name;

fn terms(_: &Name) -> Result<Terms, String> {
    Ok(Terms::new(MemoryOutbox::new()))
}

#[test]
fn an_agent_that_is_not_enrolled_is_told_how_to_be() {
    let refused = dial(anywhere(), pilot("box1"), Terms::new(MemoryOutbox::new()));
    let Err(error @ LinkError::NotEnrolled { .. }) = refused else { panic!("{refused:?}") };
    let text = error.to_string();
    assert!(text.contains("bramble-terminal invite box1") && text.contains("bramble-pilot join"), "{text}");
    let refused = listen(anywhere(), Me::new("box1".parse().unwrap(), "pilot", "child"), terms);
    assert!(matches!(refused, Err(LinkError::NotEnrolled { .. })), "{refused:?}");
}

#[test]
fn an_agent_with_the_keys_of_another_one_does_not_begin() {
    let swarm = Swarm::new();
    let place = Place::from(anywhere()).with_identity(Some(swarm.enrol(Role::Pilot, "box2")));
    let refused = dial(place, pilot("box1"), Terms::new(MemoryOutbox::new()));
    let Err(error @ LinkError::OthersKeys { .. }) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("those of the pilot `box2`"), "{error}");
}

#[test]
fn agents_of_one_user_on_one_computer_need_not_be_enrolled() {
    let folder = tempfile::tempdir().unwrap();
    let swarm = Swarm::new();
    let socket = folder.path().join("swarm.sock");
    let (listener, at_terminal) = listen(swarm.desk().with_socket(&socket), terminal(), terms).unwrap();
    let here = format!("ipc://{}", socket.display()).parse().unwrap();
    let (local, _at_local) = dial_with_memory(&here, "sim1");
    let (remote, _at_remote) = swarm.dial(listener.endpoint(), "box1");
    local.line().send("from here").unwrap();
    remote.line().send("from afar").unwrap();
    let mut said = [wait_message(&at_terminal).1, wait_message(&at_terminal).1];
    said.sort();
    assert_eq!(said, ["from afar", "from here"]);
    listener.close(PATIENCE);
    assert!(!socket.exists(), "it is tidy");
}

#[test]
fn a_computer_is_dialed_by_its_name() {
    let swarm = Swarm::new();
    let (listener, at_terminal) = swarm.listen();
    let by_name = listener.endpoint().to_string().replace("127.0.0.1", "localhost");
    let (_dialer, _at_pilot) = swarm.dial(&by_name.parse().unwrap(), "box1");
    assert_eq!(wait_up(&at_terminal).0.as_str(), "box1");
}

#[test]
fn a_pilot_says_once_that_nobody_listens_and_is_there_when_somebody_does() {
    let swarm = Swarm::new();
    // A port that was free a moment ago.
    let (listener, _events) = swarm.listen();
    let endpoint = listener.endpoint().clone();
    listener.close(PATIENCE);
    let (dialer, at_pilot) = swarm.dial(&endpoint, "box1");
    let why = wait_unreached(&at_pilot);
    assert!(why.contains("nobody listens at 127.0.0.1:") && why.contains("start the terminal"), "{why}");
    dialer.line().send("early").unwrap();
    let place = Place::from(endpoint).with_identity(Some(swarm.enrol(Role::Terminal, "desk")));
    let (_listener, at_terminal) = listen(place, terminal(), terms).unwrap();
    assert_eq!(wait_message(&at_terminal).1, "early");
    wait_for(&at_pilot, |event| match event {
        Event::Unreached { why } => panic!("again: {why}"),
        Event::Up { .. } => Some(()),
        _ => None,
    });
}

#[test]
fn a_computer_that_nobody_knows_is_named() {
    let swarm = Swarm::new();
    let (_dialer, at_pilot) = swarm.dial(&"tcp://no-such-computer.invalid:5600".parse().unwrap(), "box1");
    let why = wait_unreached(&at_pilot);
    assert!(why.contains("`no-such-computer.invalid`"), "{why}");
}

#[test]
fn a_pilot_of_another_swarm_hears_that_it_is() {
    let (ours, theirs) = (Swarm::new(), Swarm::new());
    let (listener, at_terminal) = ours.listen();
    let (_stranger, at_stranger) = theirs.dial(listener.endpoint(), "box1");
    let why = wait_unreached(&at_stranger);
    assert!(why.contains("the terminal at 127.0.0.1:") && why.contains("of another swarm"), "{why}");
    let (_dialer, _at_pilot) = ours.dial(listener.endpoint(), "box1");
    wait_up(&at_terminal);
}

#[test]
fn a_revoked_pilot_is_cut_off_at_once_and_hears_why() {
    let swarm = Swarm::new();
    let (listener, at_terminal) = swarm.listen();
    let (box1, box2) = (swarm.enrol(Role::Pilot, "box1"), swarm.enrol(Role::Pilot, "box2"));
    let serial = box1.serial();
    let (_one, at_one) = dial_as(listener.endpoint(), box1);
    let (two, _at_two) = dial_as(listener.endpoint(), box2);
    wait_up(&at_terminal);
    wait_up(&at_terminal);
    swarm.revocations.revoke([serial]).unwrap();
    let gone = wait_for(&at_terminal, |event| match event {
        Event::Down { peer, why } => Some((peer.to_string(), why)),
        _ => None,
    });
    assert_eq!(gone, ("box1".to_owned(), Gone::Broken));
    let why = wait_unreached(&at_one);
    assert!(why.contains("this pilot `box1` was revoked"), "{why}");
    two.line().send("still here").unwrap();
    assert_eq!(wait_message(&at_terminal).1, "still here");
}

#[test]
fn a_pilot_that_was_revoked_before_it_came_hears_why() {
    let swarm = Swarm::new();
    let (listener, _at_terminal) = swarm.listen();
    let box1 = swarm.enrol(Role::Pilot, "box1");
    swarm.revocations.revoke([box1.serial()]).unwrap();
    let (_dialer, at_pilot) = dial_as(listener.endpoint(), box1);
    let why = wait_unreached(&at_pilot);
    assert!(why.contains("was revoked"), "{why}");
}

#[test]
fn a_child_is_not_let_in_at_a_terminal_nor_a_pilot_where_a_terminal_is_dialed() {
    let swarm = Swarm::new();
    let (listener, _at_terminal) = swarm.listen();
    // It says that it looks for a terminal.
    let place = Place::from(listener.endpoint().clone());
    let place = place.with_identity(Some(swarm.enrol(Role::Child, "wheels")));
    let me = Me::new("wheels".parse().unwrap(), "child", "terminal");
    let (_child, at_child) = dial(place, me, Terms::new(MemoryOutbox::new())).unwrap();
    let why = wait_unreached(&at_child);
    assert!(why.contains("isn't for a child"), "{why}");

    let place = Place::from(anywhere()).with_identity(Some(swarm.enrol(Role::Pilot, "box2")));
    let me = Me::new("box2".parse().unwrap(), "pilot", "pilot");
    let (posing, _events) = listen(place, me, terms).unwrap();
    let (_dialer, at_pilot) = swarm.dial(posing.endpoint(), "box1");
    let why = wait_unreached(&at_pilot);
    assert!(why.contains("the pilot `box2` listens at") && why.contains("and no terminal"), "{why}");
}

#[test]
fn a_child_dials_a_pilot_that_it_knows_to_be_revoked_no_more() {
    let swarm = Swarm::new();
    let box7 = swarm.enrol(Role::Pilot, "box7");
    let revocations = bramble_identity::Revocations::none();
    revocations.revoke([box7.serial()]).unwrap();
    let place = Place::from(anywhere()).with_identity(Some(box7));
    let (listener, _at_pilot) =
        listen(place, Me::new("box7".parse().unwrap(), "pilot", "child"), terms).unwrap();
    let place = Place::from(listener.endpoint().clone()).with_revocations(revocations);
    let place = place.with_identity(Some(swarm.enrol(Role::Child, "wheels")));
    let me = Me::new("wheels".parse().unwrap(), "child", "pilot");
    let (_child, at_child) = dial(place, me, Terms::new(MemoryOutbox::new())).unwrap();
    let why = wait_unreached(&at_child);
    assert!(why.contains("the pilot at 127.0.0.1:") && why.contains("was revoked"), "{why}");
}

#[test]
fn an_address_of_another_computer_is_no_file_that_can_not_be_made() {
    let swarm = Swarm::new();
    // TEST-NET-3 of RFC 5737, which is nobody's.
    let place = Place::from("tcp://203.0.113.7:5600".parse::<bramble_link::Endpoint>().unwrap());
    let place = place.with_identity(Some(swarm.enrol(Role::Terminal, "desk")));
    let Err(error) = listen(place, terminal(), terms) else { panic!("it is no address of this computer") };
    let text = error.to_string();
    assert!(text.contains("an address of this computer") && !text.contains("folder"), "{text}");
}

#[test]
fn a_child_finds_its_pilot_over_the_network() {
    let swarm = Swarm::new();
    let place = Place::from(anywhere()).with_identity(Some(swarm.enrol(Role::Pilot, "box1")));
    let (listener, at_pilot) =
        listen(place, Me::new("box1".parse().unwrap(), "pilot", "child"), terms).unwrap();
    let place = Place::from(listener.endpoint().clone());
    let place = place.with_identity(Some(swarm.enrol(Role::Child, "wheels")));
    let me = Me::new("wheels".parse().unwrap(), "child", "pilot");
    let (_child, _at_child) = dial(place, me, Terms::new(MemoryOutbox::new())).unwrap();
    assert_eq!(wait_up(&at_pilot).0.as_str(), "wheels");
}
