//! The exchange over real connections of the loopback interface.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::sync::{Arc, Mutex};

use bramble_enrolment::{Code, Failed, Invitations, JoinError, Refusal, Unfinished, Welcome, host, join};
use bramble_identity::{Agent, Authority, Identity, Role, joining_client, server_name};
use bramble_value::Time;
use tokio::io::copy_bidirectional;
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
            Ok(Welcome { certificate: issued.certificate, authority, terminal: "desk".parse().unwrap() })
        };
        host(stream, &Mutex::new(invitations), || Time::ZERO, enrol).await
    });
    Terminal { port, code, authority, ended }
}

#[tokio::test]
async fn an_agent_joins_over_tls() {
    let terminal = terminal().await;
    let (identity, name) = join("127.0.0.1", terminal.port, &terminal.code, Role::Pilot).await.unwrap();
    assert_eq!((identity.agent(), name.as_str()), (&box1(), "desk"));
    assert_eq!(identity.swarm(), terminal.authority.swarm());
    assert_eq!(terminal.ended.await.unwrap().unwrap(), box1());
}

#[tokio::test]
async fn a_wrong_code_is_told_to_both() {
    let terminal = terminal().await;
    let wrong = format!("3{}", &terminal.code.to_string()[1..].replace('3', "4")).parse().unwrap();
    let failed = join("localhost", terminal.port, &wrong, Role::Pilot).await.unwrap_err();
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
    let failed = join("127.0.0.1", port, &code, Role::Pilot).await.unwrap_err();
    assert!(failed.to_string().contains("somebody sits between the two"), "{failed}");
    assert!(matches!(terminal.ended.await.unwrap(), Err(Unfinished::Declined(_))));
    between.await.unwrap();
}

#[tokio::test]
async fn what_is_no_terminal_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let code: Code = "k7qf-2mxp".parse().unwrap();
    // Something that hangs up on whoever comes.
    let other = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    let failed = join("127.0.0.1", port, &code, Role::Pilot).await.unwrap_err();
    assert!(matches!(failed, Failed::NoTerminal { .. }), "{failed}");
    other.await.unwrap();
    // And then nothing at all.
    let failed = join("127.0.0.1", port, &code, Role::Pilot).await.unwrap_err();
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
    let failed = join("127.0.0.1", port, &"k7qf-2mxp".parse().unwrap(), Role::Pilot).await.unwrap_err();
    assert!(matches!(failed, Failed::NotInvited { .. }), "{failed}");
    gate.await.unwrap();
}
