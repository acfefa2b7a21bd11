//! Whether the page may be where it is wanted.

use std::net::IpAddr;

use bramble_settings::WebFile;

use crate::refusal::{Allowed, Refusal};

/// How the page is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guarded {
    pub(crate) tls: bool,
    pub(crate) login: bool,
}

/// How the page is guarded at this address. Beyond this computer it is there with TLS and a login
/// only.
///
/// # Errors
/// What is lacking.
pub(crate) fn guarded(at: IpAddr, web: &WebFile, has_users: bool) -> Allowed<Guarded> {
    let only_here = at.is_loopback();
    let tls = match (&web.certificate, &web.key) {
        (Some(_), Some(_)) => true,
        (None, None) => false,
        _ => {
            return Err(Refusal::wrong("TLS takes a certificate and its key, and there is only one of them")
                .help("write both into the configuration: [web] certificate and key"));
        }
    };
    let login = web.login.unwrap_or(!only_here);
    if !(only_here || tls && login) {
        let lacks = if tls { "a login" } else { "TLS" };
        return Err(Refusal::wrong(format!(
            "the page would be at {at}, where others reach it, without {lacks}"
        ))
        .help(
            "either leave it at 127.0.0.1, and reach it by ssh -L 5680:127.0.0.1:5680 THIS-COMPUTER; or \
                 write into the configuration [web] certificate and key, and leave login on",
        ));
    }
    if login && !has_users {
        return Err(Refusal::wrong("the page asks for a login, and there is no user yet")
            .help("add one who may manage: bramble-terminal user add NAME --role manage"));
    }
    Ok(Guarded { tls, login })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_computer_the_page_has_tls_and_a_login_or_is_not_there() {
        let file = |tls: bool, login| WebFile {
            certificate: tls.then(|| "lab.pem".into()),
            key: tls.then(|| "lab.key".into()),
            login,
            ..WebFile::default()
        };
        let cases = [
            ("127.0.0.1", false, None, false, Some((false, false))),
            ("::1", false, None, false, Some((false, false))),
            ("127.0.0.1", false, Some(true), true, Some((false, true))),
            ("127.0.0.1", false, Some(true), false, None),
            ("127.0.0.1", true, None, false, Some((true, false))),
            ("0.0.0.0", false, None, true, None),
            ("0.0.0.0", true, Some(false), true, None),
            ("0.0.0.0", true, None, false, None),
            ("10.0.0.7", true, None, true, Some((true, true))),
            ("::", true, Some(true), true, Some((true, true))),
        ];
        for (at, tls, login, users, guards) in cases {
            let found = guarded(at.parse().unwrap(), &file(tls, login), users).ok();
            assert_eq!(found.map(|found| (found.tls, found.login)), guards, "{at} {tls} {login:?} {users}");
        }
        let half = WebFile { key: None, ..file(true, None) };
        assert!(guarded("127.0.0.1".parse().unwrap(), &half, true).is_err());
    }
}
