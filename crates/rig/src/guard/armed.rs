//! A guard that watches a session.

use std::cell::Cell;
use std::os::fd::AsFd;

use bramble_value::{Span, Time};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::wire;
use super::words::{FEED, Order, Reply};
use super::{Guard, Unguarded};
use crate::driver::{DriverError, Heartbeat};

/// Feeding more often than this would tell the guard nothing more.
const SPARING: Span = Span::from_ms(10);

/// A guard in a session, from [`Guard::arm`] until this is dropped: the loop's
/// signs of life go to it.
#[derive(Debug)]
pub struct Armed<'a> {
    guard: &'a mut Guard,
    fed: Cell<Time>,
}

impl<'a> Armed<'a> {
    pub(super) fn new(guard: &'a mut Guard) -> Armed<'a> {
        // What was said of an earlier session.
        while let Ok(Some(_)) = wire::receive::<Reply>(guard.socket.as_fd()) {}
        // A guard that is gone is noticed by the first sign of life.
        let _ = wire::send(guard.socket.as_fd(), &Order::Arm, &[]);
        Armed { guard, fed: Cell::default() }
    }

    /// Shows that the pilot lives; often is as good as seldom. It never waits
    /// and takes no memory, and so is for the real-time thread.
    ///
    /// # Errors
    /// [`Unguarded`] where the session can't go on.
    pub fn feed(&self, now: Time) -> Result<(), Unguarded> {
        if now.since(self.fed.get()) < SPARING {
            return Ok(());
        }
        self.fed.set(now);
        let mut said = [0; 64];
        match rustix::net::recv(&self.guard.socket, &mut said[..], RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN) => {}
            Ok((bytes, _)) if bytes > 0 => return Err(Unguarded::Tripped(self.guard.watchdog)),
            _ => return Err(Unguarded::Gone),
        }
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match rustix::net::send(&self.guard.socket, FEED, flags) {
            Ok(_) => Ok(()),
            Err(Errno::AGAIN) => Err(Unguarded::Deaf),
            Err(_) => Err(Unguarded::Gone),
        }
    }
}

impl Heartbeat for Armed<'_> {
    fn beat(&self, now: Time) -> Result<(), DriverError> {
        self.feed(now).map_err(|error| DriverError(error.to_string()))
    }
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        let _ = wire::send(self.guard.socket.as_fd(), &Order::Disarm, &[]);
    }
}
