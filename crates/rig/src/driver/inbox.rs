//! What other threads make happen to a session: a post, and the inbox that a
//! sleeping loop is woken by.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Instant;

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{Happening, Request};

/// A way for other threads to make something happen to a session.
#[derive(Debug, Clone)]
pub struct Post {
    sender: Sender<Happening>,
    bell: Bell,
}

/// What other threads have posted to a session.
#[derive(Debug)]
pub struct Inbox {
    receiver: Receiver<Happening>,
    bell: Bell,
}

/// Wakes who waits on a file descriptor. Where the process may open no more
/// files there is none, and what was posted is found when the loop looks next.
pub(crate) type Bell = Option<Arc<EventFd>>;

pub(crate) fn bell() -> Bell {
    EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).ok().map(Arc::new)
}

/// A post and its inbox.
pub fn inbox() -> (Post, Inbox) {
    let (sender, receiver) = channel();
    let bell = bell();
    (Post { sender, bell: bell.clone() }, Inbox { receiver, bell })
}

impl Post {
    /// Posts this; `false` where the session is over.
    pub fn send(&self, happening: Happening) -> bool {
        let sent = self.sender.send(happening).is_ok();
        if let Some(bell) = &self.bell {
            // It only fails where it rings already.
            let _ = bell.write(1);
        }
        sent
    }

    /// Asks this of the session; `false` where it is over.
    pub fn request(&self, request: Request) -> bool {
        self.send(Happening::Request(request))
    }
}

/// An inbox that nobody can post to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl Inbox {
    /// What is there already.
    ///
    /// # Errors
    /// [`Closed`] where it is empty for ever.
    pub fn look(&self) -> Result<Option<Happening>, Closed> {
        match self.receiver.try_recv() {
            Ok(happening) => Ok(Some(happening)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Closed),
        }
    }

    /// Waits for something until then, or without end.
    ///
    /// # Errors
    /// [`Closed`] where it is empty for ever.
    pub fn wait(&self, until: Option<Instant>) -> Result<Option<Happening>, Closed> {
        let Some(until) = until else {
            return self.receiver.recv().map(Some).map_err(|_| Closed);
        };
        match self.receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(happening) => Ok(Some(happening)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }

    /// What becomes readable when something is posted.
    pub(crate) fn wakes(&self) -> Option<BorrowedFd<'_>> {
        self.bell.as_ref().map(|bell| bell.as_fd())
    }

    /// Is not readable any more, until something else is posted. To be followed
    /// by a look.
    pub(crate) fn quiet(&self) {
        if let Some(bell) = &self.bell {
            // It only fails where it doesn't ring.
            let _ = bell.read();
        }
    }
}
