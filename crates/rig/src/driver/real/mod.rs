//! The driver of real hardware: it sleeps until an input changes, something is
//! posted or a deadline comes near, and stays awake for the rest of the way.

mod alarm;
mod flood;
mod listener;
mod rig;

use bramble_task::definition::{DeviceKind, PortId};
use bramble_value::{Span, Time};

use super::{Driver, DriverError, Edge, Happening, Inbox, LineId, monotonic};
use crate::signal::{Reading, Signal};
use crate::wiring::Wiring;
use alarm::{Alarm, Waker};
use listener::Listener;

pub use rig::Rig;

/// A sign of life, that somebody waits for while a session runs.
pub trait Heartbeat {
    /// The loop is alive. It is called at least every 20 ms, and often much more
    /// often: it must not wait, lock or allocate.
    ///
    /// # Errors
    /// [`DriverError`] where who waits has given up; the session ends.
    fn beat(&self, now: Time) -> Result<(), DriverError>;
}

/// Nobody waits.
impl Heartbeat for () {
    fn beat(&self, _: Time) -> Result<(), DriverError> {
        Ok(())
    }
}

/// The longest that the loop sleeps: it gives signs of life.
const BEAT: Span = Span::from_ms(15);

/// After something happened the loop stays awake for so long: the next often
/// comes soon, and finds it awake.
const LINGER: Span = Span::from_ns(500_000);

/// The same, on a machine whose only core others need too.
const LINGER_ALONE: Span = Span::from_ns(50_000);

/// So many inputs are taken at most before the inbox is looked at.
const IN_A_ROW: u32 = 64;

/// The driver, for one session on an opened rig.
pub struct Real<'a> {
    rig: &'a mut Rig,
    heart: &'a dyn Heartbeat,
    alarm: Alarm,
    listener: Listener,
    /// The line of each output, by device and port; none for what has no lines here.
    outputs: Vec<Vec<Option<LineId>>>,
    /// What is being sorted by time.
    edges: Vec<Edge>,
    /// Whether some bank has to be asked by way of the kernel.
    asks: bool,
    linger: Span,
    awake_until: Time,
    in_a_row: u32,
}

impl<'a> Real<'a> {
    /// Runs a session of this wiring on this rig. Only the inputs of the wiring
    /// are listened to.
    ///
    /// # Errors
    /// [`DriverError`] where the hardware doesn't answer.
    pub fn new(rig: &'a mut Rig, wiring: &Wiring, heart: &'a dyn Heartbeat) -> Result<Real<'a>, DriverError> {
        let now = monotonic();
        let mut listener = Listener::new(rig.lines.len());
        let mut outputs: Vec<Vec<Option<LineId>>> = Vec::new();
        for (port, wire) in wiring.ports() {
            let mut output = None;
            if wire.child().is_none() {
                let lines = rig.of_port(&wire.device, wire.port.as_ref(), !wire.is_output());
                match (wire.kind, lines.as_slice()) {
                    (DeviceKind::Encoder, [a, b]) => {
                        let counts_per_unit = rig.counts.get(&wire.device).copied().unwrap_or(1.0);
                        listener.encoder(port, [*a, *b], counts_per_unit, now);
                    }
                    (DeviceKind::DigitalInput, [line]) => listener.digital(port, *line, now),
                    (_, [line]) if wire.is_output() => output = Some(*line),
                    _ => {}
                }
            }
            outputs.resize_with(outputs.len().max(port.device.index() + 1), Vec::new);
            outputs[port.device.index()].push(output);
        }
        let alarm = Alarm::new()?;
        for (bank, number) in rig.banks.iter().zip(0..) {
            for (fd, which) in bank.wakes().into_iter().zip(0..) {
                alarm.add(fd, Waker::Bank(number, which))?;
            }
        }
        let asks = rig.banks.iter().any(|bank| bank.needs_waking());
        let edges = Vec::with_capacity(1024);
        let alone = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
        let linger = if alone { LINGER_ALONE } else { LINGER };
        Ok(Real { rig, heart, alarm, listener, outputs, edges, asks, linger, awake_until: now, in_a_row: 0 })
    }

    /// Listens to its inputs however often they change: for measuring how fast
    /// the loop is, where no contact can be loose.
    pub fn bearing_storms(mut self) -> Real<'a> {
        self.listener.bear_storms(monotonic());
        self
    }

    /// Does what is due in the banks, and listens again to what stormed.
    fn tend(&mut self, now: Time) -> Result<(), DriverError> {
        for bank in &mut self.rig.banks {
            if bank.deadline().is_some_and(|due| due <= now) {
                self.alarm.was_in_time();
                bank.advance(now)?;
            }
        }
        while let Some(line) = self.listener.due(now) {
            let bank = self.rig.bank(line);
            bank.listen(line, true)?;
            let high = bank.level(line)?;
            self.listener.resume(line, high, now);
        }
        Ok(())
    }

    /// When [`Real::tend`] has something to do.
    fn tends(&self) -> Option<Time> {
        let banks = self.rig.banks.iter().filter_map(|bank| bank.deadline()).min();
        [banks, self.listener.deadline()].into_iter().flatten().min()
    }

    /// Takes the edges that wait; sleeps for them until then, where it is given.
    fn listen(&mut self, sleep: Option<Time>, now: Time, inbox: &Inbox) -> Result<(), DriverError> {
        let sleep = sleep.filter(|_| self.rig.banks.iter_mut().all(|bank| bank.rest()));
        let woken = match sleep {
            Some(until) => Some(self.alarm.sleep(until, now)?),
            None if self.asks => Some(self.alarm.look()?),
            None => None,
        };
        if let Some(woken) = woken {
            for waker in woken.by() {
                match waker {
                    Waker::Bank(bank, which) => {
                        self.rig.banks[bank as usize].woken(which as usize, &mut self.edges)?;
                    }
                    Waker::Inbox => inbox.quiet(),
                    Waker::Timer => {}
                }
            }
        }
        for bank in &mut self.rig.banks {
            bank.look(&mut self.edges);
        }
        self.sort()
    }

    /// Takes the edges that were found, in the order of their times.
    fn sort(&mut self) -> Result<(), DriverError> {
        let Real { rig, listener, edges, .. } = self;
        if edges.is_empty() {
            return Ok(());
        }
        edges.sort_by_key(|edge| edge.at);
        let mut outcome = Ok(());
        listener.take(edges, |line| match rig.bank(line).listen(line, false) {
            Ok(forgotten) => forgotten,
            Err(error) => {
                outcome = Err(error);
                0
            }
        });
        edges.clear();
        outcome
    }

    /// What happened before then.
    fn happened(&mut self, until: Option<Time>, now: Time) -> Option<Happening> {
        let happening = self.listener.next(until)?;
        self.in_a_row += 1;
        self.awake_until = now + self.linger;
        Some(happening)
    }
}

impl Driver for Real<'_> {
    fn now(&mut self) -> Time {
        monotonic()
    }

    fn wait(&mut self, until: Option<Time>, inbox: &Inbox) -> Result<Option<Happening>, DriverError> {
        self.alarm.hear(inbox)?;
        let mut now = monotonic();
        loop {
            self.heart.beat(now)?;
            self.tend(now)?;
            if self.listener.is_quiet() {
                self.listen(None, now, inbox)?;
            }
            // The inbox has its turn even if inputs never cease.
            if self.in_a_row < IN_A_ROW
                && let Some(happening) = self.happened(until, now)
            {
                return Ok(Some(happening));
            }
            self.in_a_row = 0;
            // One that nobody can post to is an empty one here: inputs go on.
            if let Ok(Some(happening)) = inbox.look() {
                return Ok(Some(happening));
            }
            if let Some(happening) = self.happened(until, now) {
                return Ok(Some(happening));
            }
            if until.is_some_and(|until| until <= now) {
                self.alarm.was_in_time();
                return Ok(None);
            }
            let next = [until, self.tends()].into_iter().flatten().fold(now + BEAT, Time::min);
            if self.listener.is_quiet() && self.awake_until <= now && self.alarm.may_sleep(next, now) {
                self.listen(Some(next), now, inbox)?;
                if let Some(happening) = self.happened(until, now) {
                    return Ok(Some(happening));
                }
            } else {
                std::hint::spin_loop();
            }
            now = monotonic();
        }
    }

    fn write(&mut self, port: PortId, signal: &Signal) -> Result<Time, DriverError> {
        let line = self.outputs.get(port.device.index()).and_then(|ports| ports.get(usize::from(port.port)));
        if let (Some(Some(line)), Signal::Level(level)) = (line, signal) {
            self.rig.bank(*line).write(*line, *level)?;
        }
        Ok(monotonic())
    }

    fn initial(&mut self) -> Result<Vec<(PortId, Reading)>, DriverError> {
        // Only now: what changed while the session was got ready is in the levels.
        for line in self.listener.listened() {
            self.rig.bank(line).listen(line, true)?;
        }
        let levels = self.listener.listened().map(|line| Ok((line, self.rig.bank(line).level(line)?)));
        let levels: Vec<(LineId, bool)> = levels.collect::<Result<_, DriverError>>()?;
        Ok(self.listener.begin(levels))
    }
}

impl Drop for Real<'_> {
    fn drop(&mut self) {
        for line in self.listener.listened() {
            // A bank that doesn't answer any more says so to the next session.
            let _ = self.rig.bank(line).listen(line, false);
        }
    }
}

#[cfg(test)]
mod tests;
