//! Secrets on disk: whole or not at all, and for their owner only.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use pem::{EncodeConfig, LineEnding, Pem};
use uuid::Uuid;

use crate::error::IdentityError;

/// The longest file that is read, in bytes; keys have some hundreds.
const LONGEST: u64 = 1 << 20;

fn at(path: &Path) -> impl Fn(std::io::Error) -> IdentityError {
    move |source| IdentityError::File { path: path.to_owned(), source }
}

/// Writes a file of a folder, which is made where it isn't there.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<(), IdentityError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
    let path = folder.join(name);
    let new = folder.join(format!(".{name}-{}", Uuid::new_v4().simple()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)?;
        File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        // It is not there any more, or can't be removed either.
        let _ = std::fs::remove_file(&new);
    }
    written.map_err(at(&path))
}

/// What is in a file, if there is one; a secret has to be one.
pub(crate) fn read(path: &Path) -> Result<Option<String>, IdentityError> {
    let about = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        about => about.map_err(at(path))?,
    };
    if about.mode() & 0o077 != 0 {
        return Err(IdentityError::OpenToOthers { path: path.to_owned() });
    }
    if about.len() > LONGEST {
        return Err(at(path)(std::io::Error::other("it is far too long")));
    }
    std::fs::read_to_string(path).map(Some).map_err(at(path))
}

/// Parts of a PEM file.
pub(crate) fn encode(parts: &[(&str, &[u8])]) -> String {
    let parts: Vec<Pem> = parts.iter().map(|(tag, der)| Pem::new(*tag, *der)).collect();
    pem::encode_many_config(&parts, EncodeConfig::new().set_line_ending(LineEnding::LF))
}

/// The tag of a private key in PKCS#8 (RFC 5958).
pub(crate) const KEY: &str = "PRIVATE KEY";
/// The tag of a certificate.
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";

/// The private key and the certificates of a PEM file, in their order.
pub(crate) fn decode(text: &str) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut key = None;
    let mut certificates = Vec::new();
    for part in pem::parse_many(text).ok()? {
        match part.tag() {
            KEY if key.is_none() => key = Some(part.into_contents()),
            CERTIFICATE => certificates.push(part.into_contents()),
            _ => return None,
        }
    }
    Some((key?, certificates))
}
