//! The exchange over real connections of the loopback interface.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use bramble_enrolment::{
    Code, Failed, Invitations, Join, JoinError, Joined, Prospect, Refusal, Unfinished, Welcome, host,
};
use bramble_identity::{Agent, Authority, Identity, Role, joining_client, server_name};
use bramble_value::Time;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn box1() -> Agent {
    Agent::new(Role::Pilot, "box1".parse().unwrap())
}

/// A terminal that enrols one agent, or not, and says which.
struct Terminal {
    port: u16,
    code: Code,
    authority: Arc<Authority>,
    ended: JoinHandle<Result<Agent, Unfinished>>,
}

fn desk(authority: &Authority) -> Identity {
    authority.enrol(&Agent::new(Role::Terminal, "desk".parse().unwrap())).unwrap()
}

async fn terminal() -> Terminal {
    let authority = Arc::new(Authority::new().unwrap());
    let acceptor = TlsAcceptor::from(desk(&authority).server_for_joining());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut invitations = Invitations::default();
    let code = invitations.invite(box1(), [3; 8], Time::ZERO).unwrap();
    let issuing = Arc::clone(&authority);
    let ended = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(tcp).await.unwrap();
        let enrol = async |wanted: bramble_enrolment::Wanted| {
            let issued = issuing.issue(&wanted.csr, &wanted.agent).map_err(|error| error.to_string())?;
            let authority = issuing.certificate().to_vec();
            let terminal = "desk".parse().unwrap();
            Ok(Welcome { certificate: issued.certificate, authority, terminal, lab: None })
        };
        host(stream, &Mutex::new(invitations), || Time::ZERO, enrol).await
    });
    Terminal { port, code, authority, ended }
}

/// Joins, with the keys in a folder.
async fn join_in(keys: &Path, port: u16, code: &Code, replace: bool) -> Result<Joined, Failed> {
    let terminal = Some(format!("127.0.0.1:{port}").parse().unwrap());
    Join { terminal, code: code.clone(), role: Role::Pilot, keys: keys.to_owned(), replace }.run().await
}

async fn join(port: u16, code: &Code) -> Result<Joined, Failed> {
    let folder = tempfile::tempdir().unwrap();
    join_in(folder.path(), port, code, false).await
}

#[tokio::test]
async fn an_agent_joins_over_tls_and_keeps_its_identity() {
    let terminal = terminal().await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("data/keys");
    let joined = join_in(&keys, terminal.port, &terminal.code, false).await.unwrap();
    assert_eq!((joined.terminal.as_str(), joined.before), ("desk", None));
    let identity = Identity::load(&keys).unwrap().unwrap();
    assert_eq!((identity.agent(), identity.serial()), (&box1(), joined.identity.serial()));
    let files: Vec<_> = std::fs::read_dir(&keys).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["identity.pem"], "and nothing is left behind");
    assert_eq!(identity.swarm(), terminal.authority.swarm());
    assert_eq!(terminal.ended.await.unwrap().unwrap(), box1());
}

#[tokio::test]
async fn who_is_hindered_stays_who_it_was_and_the_terminal_knows_that_it_has_no_certificate() {
    let terminal = terminal().await;
    let folder = tempfile::tempdir().unwrap();
    let before = Authority::new().unwrap().enrol(&box1()).unwrap();
    before.save(folder.path()).unwrap();
    let join = Join {
        terminal: Some(format!("127.0.0.1:{}", terminal.port).parse().unwrap()),
        code: terminal.code.clone(),
        role: Role::Pilot,
        keys: folder.path().to_owned(),
        replace: true,
    };
    let swarm = terminal.authority.swarm();
    let hinders = |prospect: &Prospect<'_>| {
        assert_eq!((prospect.identity.agent(), prospect.lab), (&box1(), swarm));
        assert_eq!(prospect.before.map(Identity::serial), Some(before.serial()));
        Err("something waits".to_owned())
    };
    let failed = join.run_unless(hinders).await.unwrap_err().to_string();
    assert!(failed.contains("something waits; then ask for a new code"), "{failed}");
    let kept = Identity::load(folder.path()).unwrap().unwrap();
    assert_eq!(kept.serial(), before.serial());
    let unfinished = terminal.ended.await.unwrap().unwrap_err();
    assert!(matches!(unfinished, Unfinished::NotKept(_)), "{unfinished}");
}

#[tokio::test]
async fn a_wrong_code_is_told_to_both() {
    let terminal = terminal().await;
    let wrong = format!("3{}", &terminal.code.to_string()[1..].replace('3', "4")).parse().unwrap();
    let failed = join(terminal.port, &wrong).await.unwrap_err();
    assert!(
        matches!(failed, Failed::Exchange(JoinError::Refused(Refusal::WrongCode { left: 2 }))),
        "{failed}"
    );
    let why = terminal.ended.await.unwrap().unwrap_err().to_string();
    assert!(why.contains("pilot `box1`") && why.contains("code is wrong"), "{why}");
}

#[tokio::test]
async fn who_ends_tls_in_the_middle_and_passes_everything_on_enrols_nobody() {
    let terminal = terminal().await;
    let acceptor = TlsAcceptor::from(desk(&Authority::new().unwrap()).server_for_joining());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (code, real) = (terminal.code.clone(), terminal.port);
    let between = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut agent = acceptor.accept(tcp).await.unwrap();
        let tcp = TcpStream::connect(("127.0.0.1", real)).await.unwrap();
        let mut terminal = TlsConnector::from(joining_client()).connect(server_name(), tcp).await.unwrap();
        // Until one of them has enough of it.
        let _ = copy_bidirectional(&mut agent, &mut terminal).await;
    });
    let failed = join(port, &code).await.unwrap_err();
    assert!(failed.to_string().contains("somebody sits between the two"), "{failed}");
    assert!(matches!(terminal.ended.await.unwrap(), Err(Unfinished::Declined(_))));
    between.await.unwrap();
}

/// What goes on between an agent and a terminal when it is cut: the connection of the agent ends
/// before the terminal's message of that number.
async fn cut_before(message: usize, terminal: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (agent, _) = listener.accept().await.unwrap();
        let terminal = TcpStream::connect(("127.0.0.1", terminal)).await.unwrap();
        let ((mut from_agent, mut to_agent), (mut from_terminal, mut to_terminal)) =
            (agent.into_split(), terminal.into_split());
        let forth = tokio::spawn(async move { tokio::io::copy(&mut from_agent, &mut to_terminal).await });
        let mut seen = 0;
        loop {
            let mut header = [0; 5];
            from_terminal.read_exact(&mut header).await.unwrap();
            let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
            from_terminal.read_exact(&mut record).await.unwrap();
            // The handshake, in TLS 1.3, is one record of each kind that isn't encrypted, and one
            // that is: every other record is a message.
            seen += usize::from(header[0] == 23);
            if seen > message {
                break;
            }
            to_agent.write_all(&[&header[..], &record].concat()).await.unwrap();
        }
        forth.abort();
    });
    port
}

#[tokio::test]
async fn a_connection_that_is_cut_at_the_last_message_leaves_both_as_they_were() {
    for (message, asks_anew) in [(1, false), (3, true)] {
        let terminal = terminal().await;
        let folder = tempfile::tempdir().unwrap();
        let first = terminal.authority.enrol(&box1()).unwrap();
        first.save(folder.path()).unwrap();
        let port = cut_before(message, terminal.port).await;
        let failed = join_in(folder.path(), port, &terminal.code, false).await.unwrap_err();
        let Failed::Broken { is_used, .. } = failed else { panic!("{failed}") };
        assert_eq!(is_used, asks_anew, "cut before message {message}");
        assert_eq!(failed.to_string().contains("ask for a new code"), asks_anew, "{failed}");
        assert_eq!(Identity::load(folder.path()).unwrap().unwrap().serial(), first.serial());
        let why = terminal.ended.await.unwrap().unwrap_err();
        assert_eq!(matches!(why, Unfinished::NotKept(_)), asks_anew, "{why}");
        assert!(!why.to_string().contains("https://"), "{why}");
    }
}

#[tokio::test]
async fn what_is_no_terminal_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let code: Code = "k7qf-2mxp".parse().unwrap();
    // Something that hangs up on whoever comes.
    let other = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    let failed = join(port, &code).await.unwrap_err();
    assert!(matches!(failed, Failed::NoTerminal { .. }), "{failed}");
    other.await.unwrap();
    // And then nothing at all.
    let failed = join(port, &code).await.unwrap_err();
    assert!(matches!(failed, Failed::NoAnswer { .. }), "{failed}");
}

#[tokio::test]
async fn a_terminal_that_expects_nobody_is_said_to() {
    let authority = Authority::new().unwrap();
    let config = desk(&authority).server(Role::Pilot, &bramble_identity::Revocations::none());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gate = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        assert!(TlsAcceptor::from(config).accept(tcp).await.is_err());
    });
    let failed = join(port, &"k7qf-2mxp".parse().unwrap()).await.unwrap_err();
    assert!(matches!(failed, Failed::NotInvited { .. }), "{failed}");
    gate.await.unwrap();
}

#[tokio::test]
async fn an_agent_of_another_swarm_leaves_it_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Authority::new().unwrap().enrol(&box1()).unwrap();
    elsewhere.save(folder.path()).unwrap();
    let terminal = terminal().await;
    let failed = join_in(folder.path(), terminal.port, &terminal.code, false).await.unwrap_err();
    assert!(failed.to_string().contains("--replace"), "{failed}");
    assert!(matches!(terminal.ended.await.unwrap(), Err(Unfinished::Broken(_))), "the code was not tried");
    assert_eq!(Identity::load(folder.path()).unwrap().unwrap().serial(), elsewhere.serial());

    let terminal = self::terminal().await;
    let joined = join_in(folder.path(), terminal.port, &terminal.code, true).await.unwrap();
    assert_eq!(joined.before, Some(box1()));
    assert_eq!(Identity::load(folder.path()).unwrap().unwrap().swarm(), terminal.authority.swarm());
}

#[tokio::test]
async fn an_agent_joins_its_own_swarm_again_without_being_told_twice() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = terminal().await;
    let first = terminal.authority.enrol(&box1()).unwrap();
    first.save(folder.path()).unwrap();
    let joined = join_in(folder.path(), terminal.port, &terminal.code, false).await.unwrap();
    assert_eq!(joined.before, Some(box1()));
    assert_ne!(joined.identity.serial(), first.serial());
}

#[tokio::test]
async fn a_folder_that_can_not_be_written_is_told_before_the_code_is_used() {
    let terminal = terminal().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let failed = join_in(&file.path().join("keys"), terminal.port, &terminal.code, false).await.unwrap_err();
    assert!(!matches!(failed, Failed::Exchange(_)), "{failed}");
    terminal.ended.abort();
}
