//! The swarm's keys, which the terminal holds.

use bramble_identity::{Authority, Identity, IdentityError, Revocations};
use bramble_link::Place;

use crate::config::Settings;
use crate::refusal::{Allowed, Refusal};

/// What the terminal lets agents in with.
pub(crate) struct Keys {
    /// The terminal's own.
    identity: Identity,
    /// Whom it no longer lets in.
    revocations: Revocations,
}

impl Keys {
    /// The keys in the data folder; at the first start they are made.
    pub(crate) fn open(settings: &Settings) -> Allowed<Keys> {
        let folder = settings.keys();
        let open = || -> Result<Keys, IdentityError> {
            let authority = Authority::open(&folder)?;
            let identity = authority.terminal(&folder, &settings.name)?;
            Ok(Keys { identity, revocations: Revocations::load(&folder)? })
        };
        open().map_err(|error| Refusal::failed(format!("the swarm's keys can't be used: {error}")))
    }

    /// Where pilots are listened for: at the endpoint, and for those of this user on
    /// this computer at a socket in the data folder.
    pub(crate) fn place(&self, settings: &Settings) -> Place {
        Place::from(settings.listen.clone())
            .with_identity(Some(self.identity.clone()))
            .with_revocations(self.revocations.clone())
            .with_socket(settings.swarm_socket())
    }
}
