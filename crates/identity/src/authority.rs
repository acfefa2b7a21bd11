//! The swarm's own key, which makes an agent an agent.

use std::path::Path;

use bramble_value::Name;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
    SubjectPublicKeyInfo, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use uuid::Uuid;

use crate::agent::{self, Agent, Role, Serial};
use crate::error::{IdentityError, Wrong};
use crate::files;
use crate::identity::{Identity, Request};

/// The file in the keys' folder.
const FILE: &str = "authority.pem";

/// The authority of a swarm, which the terminal holds: its key signs the
/// certificate of every agent.
///
/// Whoever has the key can let anybody in, so it never leaves the terminal.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    swarm: Uuid,
}

/// A certificate that was made for an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate, in DER.
    pub certificate: Vec<u8>,
    /// Its number, to revoke it by.
    pub serial: Serial,
}

impl Authority {
    /// The authority in the keys' folder of a terminal, which makes it at its
    /// first start.
    ///
    /// # Errors
    /// When the file can't be read, is damaged or can be read by others, or a new
    /// one can't be written.
    pub fn open(folder: &Path) -> Result<Authority, IdentityError> {
        if let Some(authority) = Authority::load(folder)? {
            return Ok(authority);
        }
        let authority = Authority::new()?;
        let key = authority.issuer.key().serialize_der();
        let text = files::encode(&[(files::KEY, &key), (files::CERTIFICATE, &authority.certificate)]);
        files::write(folder, FILE, &text)?;
        Ok(authority)
    }

    /// The authority in the keys' folder of a terminal, if there is one.
    ///
    /// # Errors
    /// When the file can't be read, is damaged or can be read by others.
    pub fn load(folder: &Path) -> Result<Option<Authority>, IdentityError> {
        let path = folder.join(FILE);
        let Some(text) = files::read(&path)? else { return Ok(None) };
        let read = || {
            let (key, certificates) = files::decode(&text).ok_or(Wrong::Incomplete)?;
            let key = KeyPair::try_from(key).map_err(|_| Wrong::Incomplete)?;
            let [certificate] = <[_; 1]>::try_from(certificates).map_err(|_| Wrong::Incomplete)?;
            let certificate = CertificateDer::from(certificate);
            let parsed = webpki::EndEntityCert::try_from(&certificate).map_err(|_| Wrong::NoAuthority)?;
            if parsed.subject_public_key_info().as_ref() != PublicKeyData::subject_public_key_info(&key) {
                return Err(Wrong::OtherKey);
            }
            let swarm = swarm_of(&certificate)?;
            let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|_| Wrong::NoAuthority)?;
            Ok(Authority { issuer, certificate, swarm })
        };
        read().map(Some).map_err(|why| IdentityError::Damaged { path: path.clone(), why })
    }

    /// The authority of a new swarm, in memory only.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Authority, IdentityError> {
        let swarm = Uuid::new_v4();
        let mut params = parameters(&format!("Bramble swarm {swarm}"), &uri(swarm))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(IdentityError::Make)?;
        let certificate = params.self_signed(&key).map_err(IdentityError::Make)?;
        Ok(Authority { issuer: Issuer::new(params, key), certificate: certificate.into(), swarm })
    }

    /// Which swarm it is.
    pub fn swarm(&self) -> Uuid {
        self.swarm
    }

    /// Its certificate, in DER: what agents know their swarm by.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Makes a certificate for an agent, for the key that signed the request
    /// (PKCS#10 in DER). Nothing else of the request is taken over.
    ///
    /// # Errors
    /// When it is no request, or isn't signed with the key it is for.
    pub fn issue(&self, csr: &[u8], agent: &Agent) -> Result<Issued, IdentityError> {
        let request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr))
            .map_err(|_| Wrong::NoRequest)?;
        self.sign(&request.public_key, agent)
    }

    /// Makes a certificate for an agent, for the key that another certificate of this
    /// authority (in DER) is for: the agent is called otherwise from now on. The other one
    /// stays valid until it is revoked.
    ///
    /// # Errors
    /// When it is no certificate.
    pub fn issue_again(&self, certificate: &[u8], agent: &Agent) -> Result<Issued, IdentityError> {
        let certificate = CertificateDer::from(certificate);
        let parsed = webpki::EndEntityCert::try_from(&certificate).map_err(|_| Wrong::NotSigned)?;
        let key = SubjectPublicKeyInfo::from_der(&parsed.subject_public_key_info());
        self.sign(&key.map_err(|_| Wrong::NotSigned)?, agent)
    }

    fn sign(&self, key: &impl PublicKeyData, agent: &Agent) -> Result<Issued, IdentityError> {
        let serial = Serial::random();
        let mut params = parameters(&format!("{} {}", agent.role, agent.name), &agent.uri(self.swarm))?;
        params.serial_number = Some(SerialNumber::from_slice(&serial.to_bytes()));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // A terminal is dialed, a child dials, and a pilot does both.
        let (server, client) = (ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth);
        params.extended_key_usages = match agent.role {
            Role::Terminal => vec![server],
            Role::Pilot => vec![server, client],
            Role::Child => vec![client],
        };
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(key, &self.issuer).map_err(IdentityError::Make)?;
        Ok(Issued { certificate: certificate.der().to_vec(), serial })
    }

    /// An identity for an agent of this process, with a new key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn enrol(&self, agent: &Agent) -> Result<Identity, IdentityError> {
        let request = Request::new()?;
        let issued = self.issue(&request.csr()?, agent)?;
        request.into_identity(&issued.certificate, self.certificate())
    }

    /// The terminal's own identity, which is in the keys' folder from its first
    /// start on, and made anew when the terminal got another name.
    ///
    /// # Errors
    /// When the file can't be read or written, is damaged or can be read by others.
    pub fn terminal(&self, folder: &Path, name: &Name) -> Result<Identity, IdentityError> {
        let agent = Agent::new(Role::Terminal, name.clone());
        if let Some(identity) = Identity::load(folder)?
            && identity.agent() == &agent
            && identity.authority() == self.certificate()
        {
            return Ok(identity);
        }
        let identity = self.enrol(&agent)?;
        identity.save(folder)?;
        Ok(identity)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("swarm", &self.swarm).finish_non_exhaustive()
    }
}

fn uri(swarm: Uuid) -> String {
    format!("bramble://{swarm}")
}

/// Which swarm the certificate of an authority is of.
pub(crate) fn swarm_of(certificate: &CertificateDer<'_>) -> Result<Uuid, Wrong> {
    agent::only_uri(certificate)
        .and_then(|text| text.strip_prefix("bramble://")?.parse().ok())
        .ok_or(Wrong::NoAuthority)
}

/// What every certificate has: a readable name, the URI that counts, and no end.
fn parameters(common_name: &str, uri: &str) -> Result<CertificateParams, IdentityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.subject_alt_names = vec![SanType::URI(uri.try_into().map_err(IdentityError::Make)?)];
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
    Ok(params)
}
