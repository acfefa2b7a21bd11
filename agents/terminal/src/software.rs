//! What this program is, as others are told and as the subject file says.

use bramble_message::Software;
use bramble_value::Person;

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

/// Who is at the keyboard: the user, at this computer.
pub(crate) fn person() -> Person {
    let id = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(id).ok().flatten();
    let user = user.map_or_else(|| id.to_string(), |user| user.name);
    // A computer that has no name, or an odd one, is known by its address to itself.
    let at = |host: &str| format!("{user}@{host}").parse::<Person>();
    at(&here().host).or_else(|_| at("localhost")).unwrap_or_else(|_| {
        format!("{id}@localhost").parse().expect("a number and a name without spaces say who it is")
    })
}
