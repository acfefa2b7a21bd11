//! What strangers, and agents that went bad, send to the port of a terminal: they are
//! refused, the terminal lives, and a well-behaved pilot goes on meanwhile.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::common::*;
use bramble_identity::{ALPN, Identity, Revocations, Role, joining_client, server_name};
use bramble_link::protocol::{Frame, Introduction};
use bramble_link::{Dialer, Endpoint, Event, Events, Listener};
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// A terminal, and a pilot that is linked to it all the time.
struct Lab {
    swarm: Swarm,
    listener: Listener,
    at_terminal: Events,
    box1: Dialer,
    /// Nobody else is heard; it is kept so that there is somebody to tell.
    _at_box1: Events,
    said: u64,
}

impl Lab {
    fn new() -> Lab {
        let swarm = Swarm::new();
        let (listener, at_terminal) = swarm.listen();
        let (box1, at_box1) = swarm.dial(listener.endpoint(), "box1");
        assert_eq!(wait_up(&at_terminal).0.as_str(), "box1");
        let mut lab = Lab { swarm, listener, at_terminal, box1, _at_box1: at_box1, said: 0 };
        lab.goes_on();
        lab
    }

    /// What the well-behaved pilot says arrives, on the link that it has had all the time.
    fn goes_on(&mut self) {
        self.said += 1;
        let says = format!("event {}", self.said);
        self.box1.line().send(says.clone()).expect("the link is there");
        let (at, heard) = wait_for(&self.at_terminal, |event| match event {
            Event::Message { peer, at, payload } => {
                assert_eq!(peer.as_str(), "box1");
                Some((at, String::from_utf8_lossy(&payload).into_owned()))
            }
            Event::Clock { .. } => None,
            other => panic!("{other:?}"),
        });
        assert_eq!(heard, says);
        self.listener.line(&"box1".parse().expect("a name")).taken(at).expect("the link is there");
    }

    fn connect(&self) -> TcpStream {
        connect(self.listener.endpoint())
    }

    /// A connection of an enrolled pilot that doesn't go through its gate.
    fn connect_as(&self, identity: &Identity) -> StreamOwned<ClientConnection, TcpStream> {
        tls(identity.client(Role::Terminal, &Revocations::none()), self.connect())
    }
}

fn connect(endpoint: &Endpoint) -> TcpStream {
    let Endpoint::Tcp { host, port } = endpoint else { panic!("{endpoint}") };
    let stream = TcpStream::connect((host.as_str(), *port)).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

fn tls(config: Arc<ClientConfig>, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    StreamOwned::new(ClientConnection::new(config, server_name()).expect("a configuration"), stream)
}

/// Reads until the other side has closed the connection; what was read.
fn wait_closed(mut stream: impl Read) -> Vec<u8> {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut some) {
            Ok(0) => return all,
            Ok(count) => all.extend(&some[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it is still open"),
            Err(_) => return all,
        }
    }
}

/// ZMTP's first 64 bytes, and the READY of a DEALER with that identity.
fn introduction(identity: &str) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
    bytes[12..16].copy_from_slice(b"NULL");
    let mut ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00".to_vec();
    ready.push(u8::try_from(identity.len()).expect("a short identity"));
    ready.extend(identity.as_bytes());
    bytes.extend([4, u8::try_from(ready.len()).expect("a short command")]);
    bytes.extend(ready);
    bytes
}

fn huge_frame(flags: u8) -> Vec<u8> {
    [vec![flags], (1u64 << 62).to_be_bytes().to_vec(), vec![0; 4096]].concat()
}

/// The memory of this process that is in use, in bytes.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux says it");
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    resident.expect("the second number is what is resident") * 4096
}

/// What a hundred connections with nothing in them may cost, and what is far below any
/// frame that was only claimed.
const SOME_MEMORY: usize = 64 << 20;

fn garbage(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn garbage_is_refused_and_logged_at_a_bounded_rate() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).init();
    let mut lab = Lab::new();
    let before = memory();
    for number in 0..1000 {
        let mut stream = lab.connect();
        // Where it was refused before all was sent, the rest can't be.
        let _ = stream.write_all(&garbage(number, (number % 700) as usize + 50));
        let _ = stream.shutdown(Shutdown::Write);
        wait_closed(stream);
        if number % 100 == 0 {
            lab.goes_on();
        }
    }
    lab.goes_on();
    assert!(memory() < before + SOME_MEMORY);
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let refusals = lines.lines().filter(|line| line.contains("refused somebody at 127.0.0.1")).count();
    assert!((1..=8).contains(&refusals), "{lines}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics with it").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_frame_of_many_exabytes_is_refused_whoever_claims_it() {
    let mut lab = Lab::new();
    let before = memory();
    // Without TLS nothing gets to ZeroMQ at all.
    let mut stream = lab.connect();
    let _ = stream.write_all(&[introduction("box2/1"), huge_frame(2)].concat());
    wait_closed(stream);
    lab.goes_on();
    // An enrolled pilot gets as far as the guard.
    let box2 = lab.swarm.enrol(Role::Pilot, "box2");
    let hostile = [
        [introduction("box2/1"), huge_frame(2)].concat(),
        [introduction("box2/1"), huge_frame(6)].concat(),
        [introduction("box2/1")[..64].to_vec(), huge_frame(6)].concat(),
        [introduction("box2/1")[..64].to_vec(), huge_frame(2)].concat(),
        [introduction("box2/1"), b"\x04\x07\x04PING\x00\x01".to_vec()].concat(),
        [introduction("box2/1"), b"\x01\x01a\x00\x01b".to_vec()].concat(),
        garbage(7, 5000),
    ];
    for bytes in hostile {
        let mut stream = lab.connect_as(&box2);
        let _ = stream.write_all(&bytes);
        wait_closed(stream);
        lab.goes_on();
    }
    assert!(memory() < before + SOME_MEMORY);
}

#[test]
fn five_hundred_silent_connections_keep_nobody_out() {
    let mut lab = Lab::new();
    let before = memory();
    let mut hello = Vec::new();
    let identity = lab.swarm.enrol(Role::Pilot, "box2");
    let mut client =
        ClientConnection::new(identity.client(Role::Terminal, &Revocations::none()), server_name()).unwrap();
    client.write_tls(&mut hello).unwrap();
    let silent: Vec<TcpStream> = (0..500)
        .map(|number| {
            let mut stream = lab.connect();
            // Some say nothing at all, some a part of what begins a handshake, some all of it.
            let part = [0, hello.len() / 2, hello.len()][number % 3];
            let _ = stream.write_all(&hello[..part]);
            stream
        })
        .collect();
    lab.goes_on();
    let (box2, _at_box2) = dial_as(lab.listener.endpoint(), identity);
    assert_eq!(wait_up(&lab.at_terminal).0.as_str(), "box2");
    drop(box2);
    wait_for(&lab.at_terminal, |event| matches!(event, Event::Down { .. }).then_some(()));
    lab.goes_on();
    assert!(memory() < before + SOME_MEMORY);
    drop(silent);
    lab.goes_on();
}

#[test]
fn a_key_of_another_swarm_opens_nothing_even_where_its_owner_does_not_look() {
    let mut lab = Lab::new();
    let stranger = Swarm::new().enrol(Role::Pilot, "box1");
    // It takes the terminal for what it likes.
    let mut config = ClientConfig::clone(&joining_client());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.client_auth_cert_resolver =
        stranger.client(Role::Terminal, &Revocations::none()).client_auth_cert_resolver.clone();
    let mut stream = tls(Arc::new(config.clone()), lab.connect());
    let _ = stream.write_all(&introduction("box1/1"));
    let error = stream.read(&mut [0; 64]).unwrap_err();
    assert!(error.to_string().contains("UnknownCA"), "{error}");
    // Nor does a certificate of ours without its key.
    let known = lab.swarm.enrol(Role::Pilot, "box2");
    let shown = rustls::pki_types::CertificateDer::from(known.certificate().to_vec());
    let key = stranger_key(&stranger);
    config.client_auth_cert_resolver =
        Arc::new(rustls::sign::SingleCertAndKey::from(rustls::sign::CertifiedKey::new(vec![shown], key)));
    let mut stream = tls(Arc::new(config), lab.connect());
    let _ = stream.write_all(&introduction("box2/1"));
    let error = stream.read(&mut [0; 64]).unwrap_err();
    assert!(error.to_string().contains("DecryptError"), "{error}");
    lab.goes_on();
}

/// The private key of an identity, as only its owner can have it.
fn stranger_key(identity: &Identity) -> Arc<dyn rustls::sign::SigningKey> {
    let folder = tempfile::tempdir().expect("a folder");
    identity.save(folder.path()).expect("it can be written");
    let file = folder.path().join("identity.pem");
    let key = rustls::pki_types::pem::PemObject::from_pem_file(file).expect("it begins with the key");
    rustls::crypto::ring::sign::any_supported_type(&key).expect("a key of P-256")
}

#[test]
fn an_enrolled_pilot_can_not_take_the_place_of_another() {
    let swarm = Swarm::new();
    let (listener, at_terminal) = swarm.listen();
    let box2 = swarm.enrol(Role::Pilot, "box2");
    let pose = |identity: &str, name: &str| {
        let mut stream = tls(box2.client(Role::Terminal, &Revocations::none()), connect(listener.endpoint()));
        // Where it was refused before all was sent, the rest can't be.
        let _ = stream.write_all(&[introduction(identity), frame(&hello(name))].concat());
        stream
    };
    // There is no box1 whose place would be taken already: whoever got in would be it.
    for identity in ["box1/1", "box1", "terminal", "", "box2\u{0}/1", "box20/1"] {
        wait_closed(pose(identity, identity.split('/').next().unwrap_or_default()));
    }
    // In its own name at ZeroMQ and another one in its hello, the link refuses it.
    let _stream = pose("box2/1", "box1");
    let event = at_terminal.recv_timeout(PATIENCE).unwrap().expect("it is refused");
    let Event::Refused(refusal) = event else { panic!("one of them was let in: {event:?}") };
    assert!(refusal.text.contains("another name in its ZeroMQ identity"), "{refusal}");
    // In its own name, it is let in with the same.
    let _stream = pose("box2/2", "box2");
    assert_eq!(wait_up(&at_terminal).0.as_str(), "box2");
    let (_box1, _at_box1) = swarm.dial(listener.endpoint(), "box1");
    assert_eq!(wait_up(&at_terminal).0.as_str(), "box1");
}

#[test]
fn an_agent_that_reads_nothing_costs_its_window_and_one_that_also_asks_is_cut_off() {
    let mut lab = Lab::new();
    let box2 = lab.swarm.enrol(Role::Pilot, "box2");
    let mut stream = lab.connect_as(&box2);
    stream.write_all(&[introduction("box2/1"), frame(&hello("box2"))].concat()).unwrap();
    assert_eq!(wait_up(&lab.at_terminal).0.as_str(), "box2");
    let before = memory();
    // What waits for it is one block of memory here, and of each a copy once it is sent.
    let (block, line) = (bytes::Bytes::from(vec![7; 32 << 10]), lab.listener.line(&"box2".parse().unwrap()));
    for _ in 0..2000 {
        line.send(block.clone()).unwrap();
    }
    lab.goes_on();
    assert!(memory() < before + SOME_MEMORY / 2, "{} bytes more", memory() - before);

    // Each of these has an answer that nobody reads.
    let ping = Frame::Ping { sent: bramble_link::now(), last: 0, taken: 0 };
    let pings = frame(&ping).repeat(100);
    let is_let_go = || match lab.at_terminal.try_recv().unwrap() {
        Some(Event::Down { peer, .. }) => Some(peer),
        _ => None,
    };
    let gone = (0..20_000).find_map(|_| stream.write_all(&pings).ok().and_then(|()| is_let_go()));
    assert_eq!(gone.expect("it is let go of").as_str(), "box2");
    assert!(memory() < before + SOME_MEMORY, "{} bytes more", memory() - before);
    lab.goes_on();
}

/// What a pilot says first.
fn hello(name: &str) -> Frame {
    Frame::Hello(Introduction {
        version: bramble_link::VERSION,
        // A stranger's name may be none: the guard never gets as far.
        name: name.parse().unwrap_or_else(|_| "box1".parse().expect("a name")),
        role: "pilot".to_owned(),
        instance: uuid::Uuid::new_v4(),
        epoch: uuid::Uuid::new_v4(),
        released: 0,
        last: 0,
        have: None,
        window: bramble_link::Window::DEFAULT,
        keeper: None,
        addressee: None,
        detail: bytes::Bytes::new(),
    })
}

/// A frame of the link in one of ZMTP's.
fn frame(frame: &Frame) -> Vec<u8> {
    let frame = frame.encode();
    [vec![2], (frame.len() as u64).to_be_bytes().to_vec(), frame.to_vec()].concat()
}

#[test]
fn an_enrolled_pilot_gets_a_few_connections_and_no_more() {
    let mut lab = Lab::new();
    let box2 = lab.swarm.enrol(Role::Pilot, "box2");
    let mut open: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = lab.connect_as(&box2);
            stream.write_all(&introduction("box2/1")).expect("it is let in");
            // The other side's greeting shows that it is.
            stream.read_exact(&mut [0; 64]).expect("it is let in");
            stream
        })
        .collect();
    let newest = open.split_off(12 - bramble_gate::MOST_OF_AN_AGENT);
    for stream in open {
        wait_closed(stream);
    }
    drop(newest);
    lab.goes_on();
}

#[test]
fn a_recorded_handshake_played_again_opens_nothing() {
    let mut lab = Lab::new();
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let between = TcpListener::bind("127.0.0.1:0").unwrap();
    let through = format!("tcp://{}", between.local_addr().unwrap()).parse().unwrap();
    let (far, tape) = (lab.connect(), Arc::clone(&recorded));
    std::thread::spawn(move || {
        let (near, _) = between.accept().unwrap();
        let (mut from_far, mut to_near) = (far.try_clone().unwrap(), near.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from_far, &mut to_near));
        let (mut near, mut far, mut some) = (near, far, [0; 4096]);
        while let Ok(count @ 1..) = near.read(&mut some) {
            tape.lock().unwrap().extend(&some[..count]);
            if far.write_all(&some[..count]).is_err() {
                return;
            }
        }
        let _ = far.shutdown(Shutdown::Both);
    });
    let (box2, _at_box2) = lab.swarm.dial(&through, "box2");
    box2.line().send("secret").unwrap();
    wait_for(&lab.at_terminal, |event| match event {
        Event::Message { payload, .. } => (payload == "secret").then_some(()),
        _ => None,
    });
    drop(box2);
    wait_for(&lab.at_terminal, |event| matches!(event, Event::Down { .. }).then_some(()));
    let recorded = recorded.lock().unwrap().clone();
    assert!(!recorded.windows(6).any(|bytes| bytes == b"secret"), "nothing goes in the clear");
    for end in [recorded.len(), recorded.len() / 2] {
        let mut stream = lab.connect();
        let _ = stream.write_all(&recorded[..end]);
        let _ = stream.shutdown(Shutdown::Write);
        wait_closed(stream);
        // Were it let in, box2 would be heard of.
        lab.goes_on();
    }
}
