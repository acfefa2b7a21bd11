//! Who is let in by TLS itself, in memory.

use std::sync::Arc;

use bramble_identity::{
    Agent, Authority, Identity, Peer, Revocations, Role, Stranger, joining_client, server_name,
};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, ServerConfig};
use rustls::{ClientConnection, ServerConnection};

struct Swarm {
    authority: Authority,
    desk: Identity,
    revocations: Revocations,
}

fn swarm() -> Swarm {
    let authority = Authority::new().expect("randomness");
    let desk = authority.enrol(&agent(Role::Terminal, "desk")).expect("randomness");
    Swarm { authority, desk, revocations: Revocations::none() }
}

fn agent(role: Role, name: &str) -> Agent {
    Agent::new(role, name.parse().expect("a name"))
}

impl Swarm {
    fn enrol(&self, role: Role, name: &str) -> Identity {
        self.authority.enrol(&agent(role, name)).expect("randomness")
    }

    fn server(&self) -> Arc<ServerConfig> {
        self.desk.server(Role::Pilot, &self.revocations)
    }
}

/// What both sides say of a handshake, and all that the client sent.
struct Shaken {
    client: Result<ClientConnection, Error>,
    server: Result<ServerConnection, Error>,
    sent: Vec<Vec<u8>>,
}

fn shake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> Shaken {
    let mut client = ClientConnection::new(client, server_name()).expect("a configuration");
    let mut server = ServerConnection::new(server).expect("a configuration");
    let (mut client_says, mut server_says) = (Ok(()), Ok(()));
    let mut sent = Vec::new();
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).expect("it is in memory");
        }
        sent.push(bytes.clone());
        let mut rest = &bytes[..];
        while !rest.is_empty() && server_says.is_ok() {
            server.read_tls(&mut rest).expect("it is in memory");
            server_says = server.process_new_packets().map(drop);
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("it is in memory");
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() && client_says.is_ok() {
            client.read_tls(&mut rest).expect("it is in memory");
            client_says = client.process_new_packets().map(drop);
        }
    }
    Shaken { client: client_says.map(|()| client), server: server_says.map(|()| server), sent }
}

/// The two errors of a handshake that one side refused.
fn refused(shaken: Shaken) -> (Error, Error) {
    match (shaken.client, shaken.server) {
        (Err(client), Err(server)) => (client, server),
        (client, server) => panic!("{:?}, {:?}", client.is_ok(), server.is_ok()),
    }
}

fn stranger(error: &Error) -> &Stranger {
    let Error::InvalidCertificate(CertificateError::Other(why)) = error else { panic!("{error}") };
    why.0.downcast_ref().expect("a stranger")
}

#[test]
fn agents_of_one_swarm_know_who_the_other_is() {
    let swarm = swarm();
    let box1 = swarm.enrol(Role::Pilot, "box1");
    let shaken = shake(box1.client(Role::Terminal, &Revocations::none()), swarm.server());
    let (client, server) = (shaken.client.unwrap(), shaken.server.unwrap());
    let seen = swarm.desk.peer(server.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen, Peer { agent: agent(Role::Pilot, "box1"), serial: box1.serial() });
    let seen = box1.peer(client.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen.agent, agent(Role::Terminal, "desk"));
    assert_eq!(server.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    assert_eq!(server.alpn_protocol(), Some(bramble_identity::ALPN));
}

#[test]
fn a_pilot_of_another_swarm_is_refused_by_whoever_looks_first() {
    let (ours, theirs) = (swarm(), swarm());
    let box1 = theirs.enrol(Role::Pilot, "box1");
    let (client, server) = refused(shake(box1.client(Role::Terminal, &Revocations::none()), ours.server()));
    assert_eq!(client, Error::InvalidCertificate(CertificateError::UnknownIssuer));
    assert_eq!(server, Error::AlertReceived(AlertDescription::UnknownCA));
    // One that doesn't look is told.
    let mut careless = ClientConfig::clone(&joining_client());
    careless.alpn_protocols = vec![bramble_identity::ALPN.to_vec()];
    careless.client_auth_cert_resolver =
        box1.client(Role::Terminal, &Revocations::none()).client_auth_cert_resolver.clone();
    let (client, server) = refused(shake(Arc::new(careless), ours.server()));
    assert_eq!(client, Error::AlertReceived(AlertDescription::UnknownCA));
    assert_eq!(server, Error::InvalidCertificate(CertificateError::UnknownIssuer));
}

#[test]
fn an_agent_without_a_certificate_is_refused() {
    let swarm = swarm();
    let mut bare = ClientConfig::clone(&joining_client());
    bare.alpn_protocols = vec![bramble_identity::ALPN.to_vec()];
    let (client, server) = refused(shake(Arc::new(bare), swarm.server()));
    assert_eq!(client, Error::AlertReceived(AlertDescription::CertificateRequired));
    assert_eq!(server, Error::NoCertificatesPresented);
}

#[test]
fn an_agent_of_another_role_is_refused() {
    let swarm = swarm();
    let wheels = swarm.enrol(Role::Child, "wheels");
    let (client, server) =
        refused(shake(wheels.client(Role::Terminal, &Revocations::none()), swarm.server()));
    assert_eq!(client, Error::AlertReceived(AlertDescription::CertificateUnknown));
    let expected = Stranger::Role { found: agent(Role::Child, "wheels"), expected: Role::Pilot };
    assert_eq!(stranger(&server), &expected);
    // Nor does an agent take a pilot for a terminal.
    let (box1, box2) = (swarm.enrol(Role::Pilot, "box1"), swarm.enrol(Role::Pilot, "box2"));
    let server = box2.server(Role::Pilot, &Revocations::none());
    let (client, _) = refused(shake(box1.client(Role::Terminal, &Revocations::none()), server));
    assert!(matches!(stranger(&client), Stranger::Role { .. }));
}

#[test]
fn a_revoked_agent_is_refused_and_told_so() {
    let swarm = swarm();
    let (box1, box2) = (swarm.enrol(Role::Pilot, "box1"), swarm.enrol(Role::Pilot, "box2"));
    let server = swarm.server();
    swarm.revocations.revoke([box1.serial()]).unwrap();
    let (client, _) = refused(shake(box1.client(Role::Terminal, &Revocations::none()), Arc::clone(&server)));
    assert_eq!(client, Error::AlertReceived(AlertDescription::CertificateRevoked));
    assert!(shake(box2.client(Role::Terminal, &Revocations::none()), server).server.is_ok());
}

#[test]
fn an_agents_certificate_can_not_issue_others() {
    let swarm = swarm();
    let folder = tempfile::tempdir().unwrap();
    let box1 = swarm.enrol(Role::Pilot, "box1");
    box1.save(folder.path()).unwrap();
    let pem = std::fs::read_to_string(folder.path().join("identity.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem(&pem).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_der(&box1.certificate().into(), key).unwrap();
    let mut params = rcgen::CertificateParams::default();
    let uri = format!("bramble://{}/pilot/box2", swarm.authority.swarm());
    params.subject_alt_names = vec![rcgen::SanType::URI(uri.try_into().unwrap())];
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x41; 16]));
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let forged = params.signed_by(&rcgen::KeyPair::generate().unwrap(), &issuer).unwrap();
    let shown = [forged.der().clone(), box1.certificate().to_vec().into()];
    assert_eq!(swarm.desk.peer(&shown), Err(Stranger::OtherSwarm));
}

#[test]
fn a_recorded_handshake_played_again_is_refused_and_nothing_is_resumed() {
    let swarm = swarm();
    let box1 = swarm.enrol(Role::Pilot, "box1");
    let (client, server) = (box1.client(Role::Terminal, &Revocations::none()), swarm.server());
    let first = shake(Arc::clone(&client), Arc::clone(&server));
    assert!(first.server.is_ok());
    let mut replayed = ServerConnection::new(Arc::clone(&server)).unwrap();
    let mut says = Ok(());
    for bytes in &first.sent {
        let mut rest = &bytes[..];
        while !rest.is_empty() && says.is_ok() {
            replayed.read_tls(&mut rest).unwrap();
            says = replayed.process_new_packets().map(drop);
            replayed.write_tls(&mut Vec::new()).unwrap();
        }
    }
    assert_eq!(says, Err(Error::DecryptError));
    assert!(replayed.is_handshaking());
    let again = shake(client, server).server.unwrap();
    assert_eq!(again.handshake_kind(), Some(rustls::HandshakeKind::Full));
}

#[test]
fn who_wants_to_be_enrolled_needs_no_certificate_where_that_is_offered() {
    let swarm = swarm();
    let shaken = shake(joining_client(), swarm.desk.server_for_joining());
    let (client, server) = (shaken.client.unwrap(), shaken.server.unwrap());
    assert_eq!(server.peer_certificates(), None);
    assert_eq!(client.peer_certificates().unwrap()[0].as_ref(), swarm.desk.certificate());
    assert!(shake(joining_client(), swarm.server()).client.is_err(), "but not where it isn't");
}
