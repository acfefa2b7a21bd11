//! How agents say it: numbered, acknowledged messages that survive any break,
//! heartbeats, and what the other's clock says.
//!
//! One agent listens, others dial. Either side sends messages that arrive once
//! and in order, whatever breaks between; a message leaves the sender's
//! [`Outbox`] when the receiver has said that it is safe ([`Line::taken`]). What
//! is in a message is not the link's business.
//!
//! ```
//! use std::time::Duration;
//! use bramble_link::{Endpoint, Event, JournalOutbox, Me, MemoryOutbox, Terms, dial, listen};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("box1.sqlite");
//! # let socket: Endpoint = format!("ipc://{}/terminal.sock", folder.path().display()).parse()?;
//!
//! // The terminal, for pilots: what waits for a pilot is kept in memory.
//! let me = Me::new("desk".parse()?, "terminal", "pilot");
//! let (listener, terminal) = listen(socket.clone(), me, |_pilot| Ok(Terms::new(MemoryOutbox::new())))?;
//!
//! // A pilot: what it observed is in its journal.
//! let journal = bramble_journal::Journal::open(path)?;
//! let outbox = JournalOutbox::open(journal.clone(), "terminal")?;
//! let me = Me::new("box1".parse()?, "pilot", "terminal");
//! let (dialer, pilot) = dial(socket, me, Terms::new(outbox))?;
//! journal.append("terminal", &["a poke", "a drop of water"])?;
//! dialer.line().more()?; // the journal has more to send
//!
//! loop {
//!     match terminal.recv()? {
//!         Event::Up { peer, .. } => listener.line(&peer).send("start")?,
//!         Event::Message { peer, at, payload } => {
//!             println!("{peer} said {payload:?}"); // ... make it safe, and only then:
//!             listener.line(&peer).taken(at)?;
//!             if at.number == 2 {
//!                 break;
//!             }
//!         }
//!         _ => {} // Down, Passing, Clock, ...
//!     }
//! }
//! # loop { if let Event::Message { payload, .. } = pilot.recv()? { assert_eq!(payload, "start"); break; } }
//! dialer.close(Duration::from_secs(1)); // waits until the terminal has everything
//! listener.close(Duration::from_secs(1));
//! # assert_eq!(journal.pending("terminal")?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The protocol is [`protocol`], without I/O and without a clock; [`dial`] and
//! [`listen`] run it over ZeroMQ, each in a thread of its own. Beyond a Unix socket it goes
//! through the [gate](bramble_gate), for which both need an identity: see [`Place`].

mod addressed;
mod clock;
mod endpoint;
mod outbox;
mod place;
pub mod protocol;
mod shell;

pub use addressed::{Addressed, AddressedOutbox, Addressee};
pub use clock::Clock;
pub use endpoint::{Endpoint, EndpointError, Host};
pub use outbox::{JournalOutbox, MemoryOutbox, Outbox, OutboxError};
pub use place::Place;
pub use protocol::{Gone, LARGEST, LARGEST_PASSING, Me, Position, Reason, Refusal, Terms, VERSION, Window};
pub use shell::{
    Closed, Dialer, Event, Events, HandedOver, Line, LineError, LinkError, Listener, Reply, dial,
    dial_hearing, listen, listen_hearing, now,
};
