//! What this program is, as others are told and as the subject file says.

use bramble_message::Software;

/// This program, on this machine.
pub(crate) fn here() -> Software {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    Software {
        program: "bramble-terminal".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: host.unwrap_or_default(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

/// Who is at the keyboard, for the subject's history.
pub(crate) fn person() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    match user {
        Some(user) => user.name,
        None => format!("user {}", nix::unistd::getuid()),
    }
}
