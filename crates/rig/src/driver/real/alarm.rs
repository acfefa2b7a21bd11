//! Sleeping until something happens, or until shortly before a moment: the
//! rest of the way the loop stays awake, since a sleeper wakes late.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use bramble_value::{Span, Time};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::driver::clock::{monotonic, timespec};
use crate::driver::{DriverError, Inbox};

/// So many things that woke the loop are looked at at once.
const AT_ONCE: usize = 64;

/// What can wake the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waker {
    /// This one of this bank's.
    Bank(u32, u32),
    /// The inbox.
    Inbox,
    /// The alarm itself.
    Timer,
}

/// Everything that can wake the loop.
#[derive(Debug)]
pub(super) struct Alarm {
    epoll: Epoll,
    timer: TimerFd,
    /// What the timer is set to, while it has not gone off.
    set: Option<Time>,
    /// The inbox that is among the wakers.
    inbox: Option<RawFd>,
    margin: Margin,
    events: [EpollEvent; AT_ONCE],
}

impl Alarm {
    pub(super) fn new() -> Result<Alarm, DriverError> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(failed)?;
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).map_err(failed)?;
        let alarm = Alarm {
            epoll,
            timer,
            set: None,
            inbox: None,
            margin: Margin::default(),
            events: [EpollEvent::empty(); AT_ONCE],
        };
        alarm.add(alarm.timer.as_fd(), Waker::Timer)?;
        Ok(alarm)
    }

    /// Adds something that becomes readable.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, waker: Waker) -> Result<(), DriverError> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, waker.to_data());
        self.epoll.add(fd, event).map_err(failed)
    }

    /// Sees to it that what is posted wakes the loop.
    pub(super) fn hear(&mut self, inbox: &Inbox) -> Result<(), DriverError> {
        let fd = inbox.wakes();
        let raw = fd.map(|fd| fd.as_raw_fd());
        if raw != self.inbox {
            if let Some(fd) = fd {
                self.add(fd, Waker::Inbox)?;
            }
            self.inbox = raw;
        }
        Ok(())
    }

    /// A deadline was reached. Where all are so near that the loop never sleeps,
    /// nothing else would tell that a late waking is long ago.
    pub(super) fn was_in_time(&mut self) {
        self.margin.observe(Span::ZERO);
    }

    /// Whether it is worthwhile to sleep until then.
    pub(super) fn may_sleep(&self, until: Time, now: Time) -> bool {
        until.since(now) > self.margin.span()
    }

    /// Sleeps until something happens, or until shortly before then; returns
    /// what woke it.
    pub(super) fn sleep(&mut self, until: Time, now: Time) -> Result<Woken<'_>, DriverError> {
        let wake = until - self.margin.span();
        // A timer that goes off before is cheaper than one that is set anew.
        if self.set.is_none_or(|set| set > wake || set <= now) {
            self.timer
                .set(Expiration::OneShot(timespec(wake)), TimerSetTimeFlags::TFD_TIMER_ABSTIME)
                .map_err(failed)?;
            self.set = Some(wake);
        }
        let count = self.wait(EpollTimeout::NONE)?;
        let timer = Waker::Timer.to_data();
        if let Some(set) = self.set
            && self.events[..count].iter().any(|event| event.data() == timer)
        {
            self.margin.observe(monotonic().since(set));
            // It is quiet again: a failure means that it was.
            let _ = self.timer.wait();
            self.set = None;
        }
        Ok(Woken { events: &self.events[..count] })
    }

    /// What would wake a sleeper, without sleeping.
    pub(super) fn look(&mut self) -> Result<Woken<'_>, DriverError> {
        let count = self.wait(EpollTimeout::ZERO)?;
        Ok(Woken { events: &self.events[..count] })
    }

    fn wait(&mut self, timeout: EpollTimeout) -> Result<usize, DriverError> {
        match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => Ok(count),
            Err(Errno::EINTR) => Ok(0),
            Err(error) => Err(failed(error)),
        }
    }
}

/// What woke the loop.
pub(super) struct Woken<'a> {
    events: &'a [EpollEvent],
}

impl Woken<'_> {
    pub(super) fn by(&self) -> impl Iterator<Item = Waker> {
        self.events.iter().map(|event| Waker::from_data(event.data()))
    }
}

impl Waker {
    fn to_data(self) -> u64 {
        match self {
            Waker::Timer => u64::MAX,
            Waker::Inbox => u64::MAX - 1,
            Waker::Bank(bank, which) => u64::from(bank) << 32 | u64::from(which),
        }
    }

    fn from_data(data: u64) -> Waker {
        match data {
            u64::MAX => Waker::Timer,
            data if data == u64::MAX - 1 => Waker::Inbox,
            data => Waker::Bank((data >> 32) as u32, data as u32),
        }
    }
}

fn failed(error: Errno) -> DriverError {
    DriverError(format!("the loop can't wait for its inputs: {}", error.desc()))
}

/// How much too early the loop wakes itself, so that it is there in time:
/// somewhat more than it was late lately.
#[derive(Debug, Clone, Copy)]
struct Margin {
    /// The latest it was, which fades.
    late: f64,
}

impl Default for Margin {
    fn default() -> Margin {
        Margin { late: 60_000.0 }
    }
}

impl Margin {
    /// It woke so late.
    fn observe(&mut self, late: Span) {
        self.late = (self.late * 0.999).max(late.ns() as f64);
    }

    /// Twice the latest lately, from 150 us to 500 us: who is later than that
    /// isn't helped by staying awake.
    fn span(self) -> Span {
        Span::from_ns((self.late * 2.0).clamp(150_000.0, 500_000.0) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_more_than_the_latest_and_fades() {
        let mut margin = Margin::default();
        margin.observe("100 us".parse().unwrap());
        assert_eq!(margin.span(), "200 us".parse().unwrap());
        for _ in 0..1000 {
            margin.observe("4 us".parse().unwrap());
        }
        assert_eq!(margin.span(), "150 us".parse().unwrap());
        margin.observe(Span::from_s(1));
        assert_eq!(margin.span(), "500 us".parse().unwrap());
    }

    #[test]
    fn every_waker_is_known_by_its_number() {
        for waker in
            [Waker::Timer, Waker::Inbox, Waker::Bank(0, 0), Waker::Bank(3, 63), Waker::Bank(1 << 20, 7)]
        {
            assert_eq!(Waker::from_data(waker.to_data()), waker);
        }
    }

    #[test]
    fn what_is_posted_wakes_a_sleeper() {
        let (post, inbox) = crate::driver::inbox();
        let mut alarm = Alarm::new().unwrap();
        alarm.hear(&inbox).unwrap();
        post.request(crate::Request::Stop { why: "enough".into() });
        let now = monotonic();
        let woken: Vec<Waker> = alarm.sleep(now + Span::from_s(60), now).unwrap().by().collect();
        assert_eq!(woken, [Waker::Inbox]);
    }
}
