//! The TLS that identities make: 1.3 only, both sides proven, nothing resumed.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, OtherError, ServerConfig,
    SignatureScheme, version::TLS13,
};

use crate::agent::{Role, Stranger};
use crate::identity::Identity;
use crate::revocations::Revocations;

/// What two enrolled agents speak, as they name it in the handshake (ALPN, RFC 7301).
pub const ALPN: &[u8] = b"bramble/1";
/// What an agent speaks that wants to be enrolled.
pub const ALPN_JOIN: &[u8] = b"bramble-join/1";

/// The name that TLS wants of a server and that nobody sends or compares: who the
/// server is says its certificate.
pub fn server_name() -> ServerName<'static> {
    ServerName::try_from("bramble").expect("`bramble` is a name of the DNS")
}

/// Fast on processors that do AES, and on those that don't: a Raspberry Pi 4
/// is four times faster with ChaCha20.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    use ring::cipher_suite::{
        TLS13_AES_128_GCM_SHA256 as AES_128, TLS13_AES_256_GCM_SHA384 as AES_256,
        TLS13_CHACHA20_POLY1305_SHA256 as CHACHA20,
    };
    #[cfg(target_arch = "x86_64")]
    let aes = std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    let aes = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let aes = false;
    let cipher_suites = if aes { vec![AES_128, AES_256, CHACHA20] } else { vec![CHACHA20, AES_128, AES_256] };
    Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() })
}

/// Why no builder of a configuration can fail.
const TLS13_IS_THERE: &str = "the provider has TLS 1.3";

impl Identity {
    /// For listening to enrolled agents of one role that aren't revoked.
    pub fn server(&self, accepts: Role, revocations: &Revocations) -> Arc<ServerConfig> {
        let check = Check { identity: self.clone(), role: accepts, revocations: revocations.clone() };
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect(TLS13_IS_THERE)
            .with_client_cert_verifier(Arc::new(check));
        Arc::new(self.finish(config, ALPN))
    }

    /// For listening to an agent that wants to be enrolled and has no certificate
    /// yet. What it may do has to be settled by what is said then.
    pub fn server_for_joining(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect(TLS13_IS_THERE)
            .with_no_client_auth();
        Arc::new(self.finish(config, ALPN_JOIN))
    }

    fn finish(
        &self,
        builder: rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>,
        alpn: &[u8],
    ) -> ServerConfig {
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(self.certified())));
        config.alpn_protocols = vec![alpn.to_vec()];
        // Nothing of a connection is of use in another one.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config
    }

    /// For dialing an enrolled agent of one role that isn't revoked.
    pub fn client(&self, expects: Role, revocations: &Revocations) -> Arc<ClientConfig> {
        let check = Check { identity: self.clone(), role: expects, revocations: revocations.clone() };
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect(TLS13_IS_THERE)
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(self.certified())));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.enable_sni = false;
        config.resumption = Resumption::disabled();
        Arc::new(config)
    }
}

/// For dialing a terminal to be enrolled. *Any* server is taken: who it is has to
/// be settled by what is said then, bound to the server's certificate or to the
/// connection's keying material (RFC 9266).
pub fn joining_client() -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .expect(TLS13_IS_THERE)
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_JOIN.to_vec()];
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// Lets agents of one role of this swarm pass.
#[derive(Debug)]
struct Check {
    identity: Identity,
    role: Role,
    revocations: Revocations,
}

impl Check {
    fn let_pass(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let refuse = |why| Err(rustls::Error::InvalidCertificate(why));
        let peer = match self.identity.peer(std::slice::from_ref(certificate)) {
            Ok(peer) => peer,
            // The other side is told each of these by an alert of its own.
            Err(Stranger::OtherSwarm) => return refuse(CertificateError::UnknownIssuer),
            Err(other) => return refuse(CertificateError::Other(OtherError(Arc::new(other)))),
        };
        if self.revocations.contains(peer.serial) {
            return refuse(CertificateError::Revoked);
        }
        if peer.agent.role != self.role {
            let stranger = Stranger::Role { found: peer.agent, expected: self.role };
            return refuse(CertificateError::Other(OtherError(Arc::new(stranger))));
        }
        Ok(())
    }
}

fn schemes() -> Vec<SignatureScheme> {
    provider().signature_verification_algorithms.supported_schemes()
}

fn tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
}

fn tls12() -> Result<HandshakeSignatureValid, rustls::Error> {
    Err(rustls::Error::General("only TLS 1.3 is spoken here".to_owned()))
}

impl ClientCertVerifier for Check {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.let_pass(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.let_pass(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

/// Lets every server pass that has the key of the certificate it shows.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}
