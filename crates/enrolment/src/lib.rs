//! How an agent becomes one of a swarm: by a short code that a person carries from
//! the terminal to it.
//!
//! The code is too short to keep a secret by itself, so it never goes over the
//! network, and neither does anything that it could be guessed from. Both sides
//! put it into SPAKE2, as the crate `spake2` does (the exchange of RFC 9382 on Ed25519, with
//! the transcript and the constants of the drafts before it), which gives both the same key where both had the same code, and lets whoever sits between
//! try one code for each exchange. Then each proves to the other that it has that key
//! *and* sees the same TLS connection, by the connection's exporter (RFC 9266), so that
//! nobody can carry proofs from one connection to another. Only then the joining
//! agent says what it is and asks for a certificate, and the terminal's answer is
//! worth something. Its private key never leaves it.
//!
//! ```text
//! joining agent                                    terminal
//!    Hello  { version, which invitation, X }  --->
//!                                            <---  Answer { Y }
//!    Proof  { HMAC(key, "joins" connection) } --->     wrong: a try less
//!                                            <---  Proof  { HMAC(key, "invites" connection) }
//!    Ask    { role, CSR }                     --->     the invitation is used
//!                                            <---  Welcome { certificate, authority, name, lab }
//! ```
//!
//! Every message is MessagePack (a map with one entry, the message's name) after its
//! length in two bytes. The terminal may answer with `Refused` instead at any time.
//!
//! [`Joining`] and [`Hosting`] are the two sides without I/O and without a clock;
//! [`Join`] and [`host`] run them over TLS.

mod code;
mod hosting;
mod invitations;
mod joining;
mod member;
mod proof;
mod refusal;
mod shell;
mod wire;

pub use code::{Code, CodeError};
pub use hosting::{Declined, Heard, Hosting, Wanted};
pub use invitations::{Full, Invitations, MOST_OPEN, TRIES, VALID};
pub use joining::{JoinError, Joining, Step, Welcome};
pub use member::{Member, MemberError};
pub use proof::Binding;
pub use refusal::Refusal;
pub use shell::{
    Failed, Join, Joined, Prospect, Terminal, TerminalError, USUAL_PORT, Unfinished, host, random,
};

#[cfg(test)]
mod tests;
