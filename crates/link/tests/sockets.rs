//! Links over real sockets, as agents use them.

use std::time::Duration;

use crate::common::*;
use bramble_identity::Role;
use bramble_journal::Journal;
use bramble_link::{
    Dialer, Endpoint, Event, Events, Gone, JournalOutbox, LineError, LinkError, Listener, Me, MemoryOutbox,
    Place, Position, Reason, Terms, VERSION, Window, dial, listen,
};
use bramble_value::Name;

fn there_and_back((listener, at_terminal): (Listener, Events), (dialer, at_pilot): (Dialer, Events)) {
    let (peer, detail) = wait_for(&at_terminal, |event| match event {
        Event::Up { peer, detail, .. } => Some((peer, detail)),
        _ => None,
    });
    assert_eq!((peer.as_str(), &detail[..]), ("box1", &b"box1 is in session 3"[..]));
    for number in 1..=100 {
        listener.line(&peer).send(format!("command {number}")).expect("the link is there");
        let (at, command) = wait_message(&at_pilot);
        assert_eq!(command, format!("command {number}"));
        dialer.line().taken(at).expect("the link is there");
        dialer.line().send(format!("done {number}")).expect("the link is there");
        let (at, answer) = wait_message(&at_terminal);
        assert_eq!((at.number, answer), (number, format!("done {number}")));
        listener.line(&peer).taken(at).expect("the link is there");
    }
    // Both are of one computer, whose clock is nothing before itself.
    for _ in 0..8 {
        let clock = wait_for(&at_terminal, |event| match event {
            Event::Clock { clock, .. } => Some(clock),
            _ => None,
        });
        assert!(clock.offset_ns.abs() <= clock.error.ns(), "{clock:?}");
        assert!(clock.drift_ppb.abs() <= clock.drift_error_ppb, "{clock:?}");
    }
    dialer.line().passing("12 trials").expect("the link is there");
    wait_for(&at_terminal, |event| matches!(event, Event::Passing { .. }).then_some(()));
}

#[test]
fn messages_go_there_and_back_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    there_and_back(listen_with_memory(&in_folder(&folder)), dial_with_memory(&in_folder(&folder), "box1"));
}

#[test]
fn messages_go_there_and_back_over_the_network() {
    let swarm = Swarm::new();
    let listening = swarm.listen();
    let endpoint = listening.0.endpoint().clone();
    there_and_back(listening, swarm.dial(&endpoint, "box1"));
}

#[test]
fn a_burst_arrives_whole_where_nothing_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, at_terminal) = listen_with_memory(&in_folder(&folder));
    let (dialer, at_pilot) = dial_with_memory(&in_folder(&folder), "box1");
    wait_for(&at_pilot, |event| matches!(event, Event::Up { .. }).then_some(()));
    // Nothing sends them again.
    for number in 0..900 {
        dialer.line().passing(format!("{number}")).unwrap();
    }
    for number in 0..900 {
        let heard = wait_for(&at_terminal, |event| match event {
            Event::Passing { payload, .. } => Some(payload),
            _ => None,
        });
        assert_eq!(heard, format!("{number}"));
    }
}

#[test]
fn messages_wait_for_an_agent_that_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let (dialer, at_pilot) = dial_with_memory(&in_folder(&folder), "box1");
    dialer.line().send("early").unwrap();
    let (listener, at_terminal) = listen_with_memory(&in_folder(&folder));
    listener.line(&"box1".parse().unwrap()).send("earlier still").unwrap();
    assert_eq!(wait_message(&at_terminal).1, "early");
    assert_eq!(wait_message(&at_pilot).1, "earlier still");
}

#[test]
fn a_terminal_that_comes_back_gets_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let (dialer, _at_pilot) = dial_with_memory(&in_folder(&folder), "box1");
    let line = dialer.line();
    let mut have = None;
    let mut safe = Vec::new();
    for run in 0..4 {
        for number in 0..50 {
            line.send(format!("{}", run * 50 + number)).unwrap();
        }
        let known = have;
        let terms = move |_: &Name| Ok(Terms::new(MemoryOutbox::new()).having(known));
        let (listener, at_terminal) = listen(in_folder(&folder), terminal(), terms).unwrap();
        let (peer, from) = wait_up(&at_terminal);
        assert!(have.is_none_or(|have: Position| have == from), "{from:?}");
        // The last ones of each run are received, but not safe: they come again.
        while safe.len() < (run + 1) * 50 - 7 {
            let (at, payload) = wait_message(&at_terminal);
            safe.push(payload);
            have = Some(at);
        }
        wait_message(&at_terminal);
        listener.line(&peer).taken(have.unwrap()).unwrap();
    }
    let expected: Vec<_> = (0..193).map(|number| number.to_string()).collect();
    assert_eq!(safe, expected);
}

#[test]
fn a_journal_goes_on_where_it_was_when_the_pilot_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("box1.sqlite");
    let endpoint = in_folder(&folder);
    // Observed while nobody listens, by a pilot that then ends.
    Journal::open(&path).unwrap().append("terminal", &["0", "1", "2"]).unwrap();
    let (listener, at_terminal) = listen_with_memory(&endpoint);
    let mut safe = Vec::new();
    for run in 1..4u64 {
        let journal = Journal::open(&path).unwrap();
        let outbox = JournalOutbox::open(journal.clone(), "terminal").unwrap();
        let (dialer, _at_pilot) = dial(endpoint.clone(), pilot("box1"), Terms::new(outbox)).unwrap();
        journal.append("terminal", &[(run * 3).to_string(), (run * 3 + 1).to_string()]).unwrap();
        dialer.line().more().unwrap();
        dialer.line().send((run * 3 + 2).to_string()).unwrap();
        while (safe.len() as u64) < (run + 1) * 3 {
            let (at, payload) = wait_message(&at_terminal);
            safe.push(payload);
            assert_eq!(at.number, safe.len() as u64);
            listener.line(&"box1".parse().unwrap()).taken(at).unwrap();
        }
        dialer.close(PATIENCE);
        assert_eq!(journal.pending("terminal").unwrap(), 0);
    }
    let expected: Vec<_> = (0..12).map(|number| number.to_string()).collect();
    assert_eq!(safe, expected);
}

#[test]
fn two_versions_say_so_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, at_terminal) = listen_with_memory(&in_folder(&folder));
    let newer = Me { version: VERSION + 1, ..pilot("box1") };
    let (_dialer, at_pilot) = dial(in_folder(&folder), newer, Terms::new(MemoryOutbox::new())).unwrap();
    for events in [&at_terminal, &at_pilot] {
        let refusal = wait_refused(events);
        assert_eq!(refusal.reason, Reason::Version);
        let text = refusal.to_string();
        assert!(text.contains(&format!("`desk` speaks version {VERSION} ")), "{text}");
    }
}

#[test]
fn a_second_agent_of_the_same_name_is_refused_and_the_first_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, at_terminal) = listen_with_memory(&in_folder(&folder));
    let (first, at_first) = dial_with_memory(&in_folder(&folder), "box1");
    let (name, _) = wait_up(&at_terminal);
    let (_second, at_second) = dial_with_memory(&in_folder(&folder), "box1");
    let refusal = wait_refused(&at_second);
    assert_eq!(refusal.reason, Reason::NameTaken);
    assert!(refusal.text.contains("`box1`"), "{refusal}");
    listener.line(&name).send("for the first").unwrap();
    assert_eq!(wait_message(&at_first).1, "for the first");
    // When the first one goes, the second one's turn has come.
    drop(first);
    wait_up(&at_second);
}

#[test]
fn an_agent_that_nobody_knows_is_told_why_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let terms = |name: &Name| Err(format!("no rig is named `{name}` here"));
    let (_listener, _at_terminal) = listen(in_folder(&folder), terminal(), terms).unwrap();
    let (_dialer, at_pilot) = dial_with_memory(&in_folder(&folder), "box9");
    let refusal = wait_refused(&at_pilot);
    assert_eq!((refusal.reason, refusal.text.as_str()), (Reason::Unknown, "no rig is named `box9` here"));
}

#[test]
fn each_side_knows_at_once_when_the_other_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, at_terminal) = listen_with_memory(&in_folder(&folder));
    let (dialer, _at_pilot) = dial_with_memory(&in_folder(&folder), "box1");
    wait_up(&at_terminal);
    drop(dialer);
    let why = |event| match event {
        Event::Down { why, .. } => Some(why),
        _ => None,
    };
    assert_eq!(wait_for(&at_terminal, why), Gone::Left);
    let (_dialer, at_pilot) = dial_with_memory(&in_folder(&folder), "box1");
    wait_up(&at_terminal);
    listener.close(Duration::ZERO);
    assert_eq!(wait_for(&at_pilot, why), Gone::Left);
}

#[test]
fn a_second_listener_is_refused_and_a_socket_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let swarm = Swarm::new();
    for place in [in_folder(&folder).into(), swarm.desk()] {
        let terms = |_: &Name| Ok(Terms::new(MemoryOutbox::new()));
        let (listener, _events) = listen(place.clone(), terminal(), terms).unwrap();
        let there =
            Place::from(listener.endpoint().clone()).with_identity(Some(swarm.enrol(Role::Terminal, "desk")));
        let again = listen(there, terminal(), terms);
        let Err(error @ LinkError::AlreadyRunning(_)) = again else { panic!("{again:?}") };
        assert!(error.to_string().contains("already running"), "{error}");
    }
    // What a process that was killed leaves.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("terminal.sock")).unwrap());
    let (listener, _events) = listen_with_memory(&in_folder(&folder));
    listener.close(PATIENCE);
    assert!(!folder.path().join("terminal.sock").exists(), "it is tidy");
}

#[test]
fn a_file_in_the_place_of_a_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("terminal.sock"), "notes").unwrap();
    let refused = listen(in_folder(&folder), terminal(), |_| Ok(Terms::new(MemoryOutbox::new())));
    assert!(matches!(refused, Err(LinkError::NotASocket(_))), "{refused:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("terminal.sock")).unwrap(), "notes");
    let nowhere: Endpoint = format!("ipc://{}/nowhere/x.sock", folder.path().display()).parse().unwrap();
    let refused = listen(nowhere, terminal(), |_| Ok(Terms::new(MemoryOutbox::new())));
    assert!(matches!(refused, Err(LinkError::CantListen { .. })), "{refused:?}");
}

#[test]
fn what_a_stranger_sends_is_ignored() {
    use zeromq::{DealerSocket, Socket, SocketSend, ZmqMessage};
    let folder = tempfile::tempdir().unwrap();
    let endpoint = in_folder(&folder);
    let (_listener, at_terminal) = listen_with_memory(&endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stranger = runtime.block_on(async {
        let mut stranger = DealerSocket::new();
        stranger.connect(&endpoint.to_string()).await.unwrap();
        for number in 0..1000u32 {
            let garbage: Vec<u8> =
                (0..number % 50).map(|at| (number.wrapping_mul(2_654_435_761) >> (at % 24)) as u8).collect();
            let mut message = ZmqMessage::from(garbage.clone());
            if number % 3 == 0 {
                message.push_back(garbage.into());
            }
            stranger.send(message).await.unwrap();
        }
        stranger
    });
    let (dialer, _at_pilot) = dial_with_memory(&endpoint, "box1");
    dialer.line().send("still here").unwrap();
    // Lets the stranger's writer run beside the pilot.
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
    assert_eq!(wait_message(&at_terminal).1, "still here");
    drop(stranger);
}

#[test]
fn an_agent_that_was_killed_is_known_to_be_gone_by_its_broken_connection() {
    use bramble_link::protocol::{Frame, Introduction};
    use zeromq::{DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend};
    let folder = tempfile::tempdir().unwrap();
    let endpoint = in_folder(&folder);
    let (_listener, at_terminal) = listen_with_memory(&endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // An agent in another language, and one that says no goodbye.
    let me = pilot("box1");
    let hello = Frame::Hello(Introduction {
        version: VERSION,
        name: me.name,
        role: me.role,
        instance: me.instance,
        epoch: me.instance,
        released: 0,
        last: 0,
        have: None,
        window: Window::DEFAULT,
        keeper: None,
        addressee: None,
        detail: me.detail,
    });
    runtime.block_on(async {
        let mut options = SocketOptions::default();
        options.peer_identity("box1".parse().unwrap());
        let mut socket = DealerSocket::with_options(options);
        socket.connect(&endpoint.to_string()).await.unwrap();
        socket.send(hello.encode().into()).await.unwrap();
        let answer = socket.recv().await.unwrap();
        assert!(matches!(Frame::decode(answer.get(0).unwrap()), Ok(Frame::Welcome(_))));
    });
    wait_up(&at_terminal);
    drop(runtime);
    let why = wait_for(&at_terminal, |event| match event {
        Event::Down { why, .. } => Some(why),
        _ => None,
    });
    assert_eq!(why, Gone::Broken);
}

#[test]
fn a_message_that_cant_be_queued_is_an_error_where_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let terms = |name: &Name| Err(format!("no rig is named `{name}` here"));
    let (listener, _events) = listen(in_folder(&folder), terminal(), terms).unwrap();
    let refused = listener.line(&"box9".parse().unwrap()).send("start");
    assert_eq!(refused, Err(LineError::NotQueued("no rig is named `box9` here".to_owned())));

    let (dialer, _events) = dial_with_memory(&in_folder(&folder), "box1");
    for _ in 0..MemoryOutbox::ROOM {
        dialer.line().send("poke").unwrap();
    }
    let refused = dialer.line().send("poke").unwrap_err().to_string();
    assert!(refused.contains("65536 messages with 262144 bytes wait"), "{refused}");
    let line = dialer.line();
    dialer.close(Duration::ZERO);
    assert_eq!(line.send("poke"), Err(LineError::Closed));
}

#[test]
fn events_can_be_waited_for_in_asynchronous_code() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, at_terminal) = listen_with_memory(&in_folder(&folder));
    let (_dialer, at_pilot) = dial_with_memory(&in_folder(&folder), "box1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (terminal, pilot) = tokio::join!(at_terminal.next(), at_pilot.next());
        assert!(matches!(terminal, Ok(Event::Up { .. })) && matches!(pilot, Ok(Event::Up { .. })));
    });
}
