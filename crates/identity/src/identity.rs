//! What an agent proves itself with.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use uuid::Uuid;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::agent::{self, Agent, Peer, Role, Serial, Stranger};
use crate::authority::swarm_of;
use crate::error::{IdentityError, Wrong};
use crate::{files, tls};

/// The file in the keys' folder.
const FILE: &str = "identity.pem";

/// An agent's private key and certificate, and its swarm's certificate. Clones
/// are cheap.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    key: PrivatePkcs8KeyDer<'static>,
    certified: Arc<CertifiedKey>,
    authority: CertificateDer<'static>,
    swarm: Uuid,
    me: Peer,
}

impl Identity {
    fn new(key: Vec<u8>, certificate: Vec<u8>, authority: Vec<u8>) -> Result<Identity, Wrong> {
        let (certificate, authority) = (CertificateDer::from(certificate), CertificateDer::from(authority));
        let swarm = swarm_of(&authority)?;
        let me = signed(&certificate, &authority, swarm)?;
        let key = PrivatePkcs8KeyDer::from(key);
        let secret = PrivateKeyDer::from(key.clone_key());
        let certified = CertifiedKey::from_der(vec![certificate], secret, &tls::provider())
            .map_err(|_| Wrong::OtherKey)?;
        Ok(Identity(Arc::new(Inner { key, certified: Arc::new(certified), authority, swarm, me })))
    }

    /// The identity in the keys' folder of an agent, if it has one.
    ///
    /// # Errors
    /// When the file can't be read, is damaged or can be read by others.
    pub fn load(folder: &Path) -> Result<Option<Identity>, IdentityError> {
        let path = folder.join(FILE);
        let Some(text) = files::read(&path)? else { return Ok(None) };
        let read = || {
            let (key, certificates) = files::decode(&text).ok_or(Wrong::Incomplete)?;
            let [certificate, authority] = <[_; 2]>::try_from(certificates).map_err(|_| Wrong::Incomplete)?;
            Identity::new(key, certificate, authority)
        };
        read().map(Some).map_err(|why| IdentityError::Damaged { path: path.clone(), why })
    }

    /// Writes it into a keys' folder, which is made where it isn't there, in place
    /// of the one that was: as a whole or not at all, and readable by its owner only.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn save(&self, folder: &Path) -> Result<(), IdentityError> {
        let text = files::encode(&[
            (files::KEY, self.0.key.secret_pkcs8_der()),
            (files::CERTIFICATE, self.certificate()),
            (files::CERTIFICATE, self.authority()),
        ]);
        files::write(folder, FILE, &text)
    }

    /// The identity with the same key and another certificate (in DER), which the swarm's
    /// authority made when the agent was renamed.
    ///
    /// # Errors
    /// [`Wrong`] when it is for another key, another role, or of another swarm.
    pub fn renamed(&self, certificate: &[u8]) -> Result<Identity, IdentityError> {
        let key = self.0.key.secret_pkcs8_der().to_vec();
        let renamed = Identity::new(key, certificate.to_vec(), self.authority().to_vec())?;
        let (found, expected) = (renamed.agent(), self.agent().role);
        if found.role != expected {
            return Err(Wrong::from(Stranger::Role { found: found.clone(), expected }).into());
        }
        Ok(renamed)
    }

    /// Whose it is.
    pub fn agent(&self) -> &Agent {
        &self.0.me.agent
    }

    /// The number of its certificate.
    pub fn serial(&self) -> Serial {
        self.0.me.serial
    }

    /// Which swarm it is of.
    pub fn swarm(&self) -> Uuid {
        self.0.swarm
    }

    /// Its certificate, in DER.
    pub fn certificate(&self) -> &[u8] {
        // `new` put it there.
        self.0.certified.cert.first().expect("it was made with a certificate")
    }

    /// The certificate of its swarm, in DER.
    pub fn authority(&self) -> &[u8] {
        &self.0.authority
    }

    /// Who showed these certificates, the first of which is its own.
    ///
    /// # Errors
    /// When the swarm's authority didn't sign it.
    pub fn peer(&self, certificates: &[CertificateDer<'_>]) -> Result<Peer, Stranger> {
        let certificate = certificates.first().ok_or(Stranger::Nobody)?;
        signed(certificate, &self.0.authority, self.0.swarm).map_err(|why| match why {
            Wrong::Stranger(stranger) => stranger,
            _ => Stranger::OtherSwarm,
        })
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.certified)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let me = &self.0.me;
        write!(f, "Identity({} of swarm {}, certificate {})", me.agent, self.0.swarm, me.serial)
    }
}

/// Who a certificate is of, if the swarm's authority signed it.
fn signed(
    certificate: &CertificateDer<'_>,
    authority: &CertificateDer<'_>,
    swarm: Uuid,
) -> Result<Peer, Wrong> {
    let anchor = anchor_from_trusted_cert(authority).map_err(|_| Wrong::NoAuthority)?;
    let parsed = EndEntityCert::try_from(certificate).map_err(|_| Wrong::NotSigned)?;
    let (said, peer) = agent::read(certificate)?;
    let usage = match peer.agent.role {
        Role::Terminal => KeyUsage::server_auth(),
        Role::Pilot | Role::Child => KeyUsage::client_auth(),
    };
    let algorithms = tls::provider().signature_verification_algorithms.all;
    // Certificates don't expire: any time in the four centuries of their validity will do.
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_000_000_000));
    parsed
        .verify_for_usage(algorithms, &[anchor], &[], time, usage, None, None)
        .map_err(|_| Wrong::NotSigned)?;
    if said != swarm {
        return Err(Stranger::OtherSwarm.into());
    }
    Ok(peer)
}

/// What an agent asks to join with: a new key, which stays where it is.
pub struct Request(KeyPair);

impl Request {
    /// A request with a new key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Request, IdentityError> {
        KeyPair::generate().map(Request).map_err(IdentityError::Make)
    }

    /// The request as the terminal's authority takes it: PKCS#10 in DER, signed
    /// with the new key. It says nothing but the public key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn csr(&self) -> Result<Vec<u8>, IdentityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let request = params.serialize_request(&self.0).map_err(IdentityError::Make)?;
        Ok(request.der().to_vec())
    }

    /// The identity that the new key, the certificate that was issued for it and
    /// the swarm's certificate make (both in DER).
    ///
    /// # Errors
    /// [`Wrong`] when they don't fit together.
    pub fn into_identity(self, certificate: &[u8], authority: &[u8]) -> Result<Identity, IdentityError> {
        Ok(Identity::new(self.0.serialize_der(), certificate.to_vec(), authority.to_vec())?)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request")
    }
}
