//! Reads ZMTP (RFC 23) as it passes, and lets nothing pass that ZeroMQ wouldn't
//! survive or that is said in another agent's name.

use bramble_value::Name;
use thiserror::Error;

/// The longest frame that passes, in bytes: the link's longest message, 16 MiB,
/// and what it is wrapped in.
pub const LARGEST: u64 = (16 << 20) + (64 << 10);

/// The longest command that passes, in bytes. READY with a name needs about 120.
pub const LARGEST_COMMAND: u64 = 512;

/// The longest identity of a ZeroMQ socket, in bytes.
const LONGEST_IDENTITY: usize = 255;
const GREETING: usize = 64;
const MECHANISM: [u8; 20] = *b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Whose bytes are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A dialing agent: its socket is a DEALER, and its identity is the agent's
    /// name, alone or followed by `/` and anything.
    Dealer(Name),
    /// A listening agent: its socket is a ROUTER.
    Router,
}

/// Why bytes don't pass.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unwelcome {
    /// The first 64 bytes are no greeting of ZMTP 3 with the mechanism NULL.
    #[error("it doesn't speak ZMTP 3 with the mechanism NULL")]
    Greeting,
    /// Bits of a frame's flags that mean nothing, or that there are more frames.
    #[error("it sent a frame with flags {0:#04x}, and a message is one frame")]
    Flags(u8),
    /// A frame longer than [`LARGEST`].
    #[error("it sent a frame of {0} bytes, and {LARGEST} are the most")]
    TooLarge(u64),
    /// A command longer than [`LARGEST_COMMAND`].
    #[error("it sent a command of {0} bytes, and {LARGEST_COMMAND} are the most")]
    LargeCommand(u64),
    /// Something else where READY has to be, or a READY that can't be read.
    #[error("it didn't say READY as ZMTP 3 has it")]
    NotReady,
    /// A socket of another type.
    #[error("its ZeroMQ socket is not a {0}")]
    SocketType(&'static str),
    /// An identity that doesn't begin with the name of its certificate.
    #[error("its ZeroMQ identity `{said}` doesn't begin with `{name}`, the name in its certificate")]
    Identity {
        /// The identity, as far as it can be shown.
        said: String,
        /// The name it has to begin with.
        name: Name,
    },
    /// A command after READY: ZMTP 3.0 has none, and the ZeroMQ here would end the
    /// connection. PING belongs to ZMTP 3.1; links have heartbeats of their own.
    #[error("it sent a command after READY: turn ZeroMQ's own heartbeats (ZMQ_HEARTBEAT_IVL) off")]
    Command,
}

/// What is read next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Greeting,
    Flags,
    Size(u8),
    Command(usize),
    /// The rest of a frame that passes as it is.
    Body(u64),
    Refused(Unwelcome),
}

/// Reads the bytes that one agent sends, in any pieces.
#[derive(Debug)]
pub struct Guard {
    from: Sender,
    state: State,
    /// What is here of what is read next, unless that is a body.
    held: Vec<u8>,
    ready: bool,
}

/// Bits of a frame's flags. The first, that more frames come, never passes.
const LONG: u8 = 2;
const COMMAND: u8 = 4;

impl Guard {
    /// A guard at the beginning of a connection.
    pub fn new(from: Sender) -> Guard {
        Guard { from, state: State::Greeting, held: Vec::with_capacity(GREETING), ready: false }
    }

    /// Whether the sender has introduced itself.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Reads what comes next. What is refused may not be passed on; all before it
    /// is harmless on its own.
    ///
    /// # Errors
    /// Why not, and the same ever after.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Unwelcome> {
        loop {
            let needed = match &mut self.state {
                State::Refused(why) => return Err(why.clone()),
                State::Body(left) => {
                    // What is in memory can be counted in 64 bits.
                    let taken = (*left).min(bytes.len() as u64);
                    *left -= taken;
                    // No more than there is.
                    bytes = &bytes[taken as usize..];
                    if *left > 0 {
                        return Ok(());
                    }
                    self.state = State::Flags;
                    continue;
                }
                State::Greeting => GREETING,
                State::Flags => 1,
                State::Size(flags) if *flags & LONG != 0 => 8,
                State::Size(_) => 1,
                State::Command(size) => *size,
            };
            let (now, later) = bytes.split_at(bytes.len().min(needed - self.held.len()));
            self.held.extend_from_slice(now);
            bytes = later;
            if self.held.len() < needed {
                return Ok(());
            }
            self.state = self.read().unwrap_or_else(State::Refused);
            self.held.clear();
        }
    }

    /// What comes after what is held now.
    fn read(&mut self) -> Result<State, Unwelcome> {
        let held = &self.held[..];
        match self.state {
            State::Greeting => greeting(held).map(|()| State::Flags),
            State::Flags => {
                // The state needs one byte.
                let flags = held[0];
                let is_command = flags & COMMAND != 0;
                if flags & !(LONG | COMMAND) != 0 {
                    Err(Unwelcome::Flags(flags))
                } else if is_command && self.ready {
                    Err(Unwelcome::Command)
                } else if !is_command && !self.ready {
                    Err(Unwelcome::NotReady)
                } else {
                    Ok(State::Size(flags))
                }
            }
            State::Size(flags) => {
                // One byte or eight, most significant first.
                let size = held.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
                match flags & COMMAND != 0 {
                    true if size > LARGEST_COMMAND => Err(Unwelcome::LargeCommand(size)),
                    // It fits into 10 bits.
                    true => Ok(State::Command(size as usize)),
                    false if size > LARGEST => Err(Unwelcome::TooLarge(size)),
                    false => Ok(State::Body(size)),
                }
            }
            State::Command(_) => {
                ready(held, &self.from)?;
                self.ready = true;
                Ok(State::Flags)
            }
            State::Body(_) | State::Refused(_) => Ok(self.state.clone()),
        }
    }
}

fn greeting(bytes: &[u8]) -> Result<(), Unwelcome> {
    let signature = bytes[0] == 0xff && bytes[9] == 0x7f;
    let (version, mechanism) = (bytes[10], &bytes[12..32]);
    (signature && version == 3 && mechanism == MECHANISM).then_some(()).ok_or(Unwelcome::Greeting)
}

/// Takes so many bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Unwelcome> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(Unwelcome::NotReady)?;
    *bytes = rest;
    Ok(taken)
}

/// Reads a READY command. ZeroMQ takes the last of properties that are there
/// twice, and takes no notice of one whose name is written otherwise, so neither passes.
fn ready(mut bytes: &[u8], from: &Sender) -> Result<(), Unwelcome> {
    let bytes = &mut bytes;
    if take(bytes, 6)? != b"\x05READY" {
        return Err(Unwelcome::NotReady);
    }
    let (mut socket_type, mut identity) = (None, None);
    while let Some((length, rest)) = bytes.split_first() {
        *bytes = rest;
        let name = take(bytes, usize::from(*length))?;
        if name.is_empty() || !name.is_ascii() {
            return Err(Unwelcome::NotReady);
        }
        let size = take(bytes, 4)?.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
        let value = take(bytes, size)?;
        for (known, found) in [("Socket-Type", &mut socket_type), ("Identity", &mut identity)] {
            if name.eq_ignore_ascii_case(known.as_bytes())
                && (name != known.as_bytes() || found.replace(value).is_some())
            {
                return Err(Unwelcome::NotReady);
            }
        }
    }
    let identity = identity.unwrap_or_default();
    let expected = match from {
        Sender::Dealer(name) => {
            let rest = identity.strip_prefix(name.as_str().as_bytes());
            let is_its_own = rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
            if !is_its_own || identity.len() > LONGEST_IDENTITY {
                let said = String::from_utf8_lossy(&identity[..identity.len().min(64)]);
                let said = said.escape_debug().to_string();
                return Err(Unwelcome::Identity { said, name: name.clone() });
            }
            "DEALER"
        }
        Sender::Router if identity.len() > LONGEST_IDENTITY => return Err(Unwelcome::NotReady),
        Sender::Router => "ROUTER",
    };
    match socket_type {
        Some(said) if said == expected.as_bytes() => Ok(()),
        _ => Err(Unwelcome::SocketType(expected)),
    }
}
