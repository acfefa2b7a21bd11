//! Devices of this rig that live in another process, a *child*.

use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use bramble_task::definition::DeviceKind;
use bramble_value::{Name, Time};
use thiserror::Error;

use crate::config::{Lines, RigConfig};
use crate::driver::{Happening, Post};
use crate::signal::Reading;
use crate::wiring::Wire;

/// The children of a session, by name.
pub type Remotes = BTreeMap<Name, Box<dyn Remote>>;

/// One child, as the loop sees it. Its inputs come by themselves in real time
/// (the link posts them to the session's inbox, stamped on the pilot's clock).
/// In a simulated session nothing comes by itself: time stands still while the
/// child is asked, so that a session doesn't depend on how fast it answers.
pub trait Remote: Send {
    /// A simulated animal does this to an input of the child; the input that
    /// came of it, as the child stamped it.
    ///
    /// # Errors
    /// [`RemoteError`] where the child is gone or has no such input. The session ends.
    fn touch(&mut self, wire: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError>;

    /// Writes an output of the child. In a simulated session it returns when the
    /// child has written it, in real time when it is on its way.
    ///
    /// # Errors
    /// [`RemoteError`] where the child is gone or has no such output. The session ends.
    fn write(&mut self, wire: &Wire, level: f64, at: Time) -> Result<(), RemoteError>;
}

/// A child that doesn't do what it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RemoteError(pub String);

/// A child that a session in real time doesn't wait for: what is written is on
/// its way, in order, and a write that fails is posted as the loss of the child.
#[derive(Debug)]
pub struct Unwaited {
    writes: Option<Sender<(Wire, f64, Time)>>,
    thread: Option<JoinHandle<()>>,
}

impl Unwaited {
    /// Has this child written to by a thread of its own.
    ///
    /// # Errors
    /// Where there can't be another thread.
    pub fn start(child: Name, mut remote: Box<dyn Remote>, post: Post) -> std::io::Result<Unwaited> {
        let (writes, waiting) = channel::<(Wire, f64, Time)>();
        let body = move || {
            for (wire, level, at) in waiting {
                if let Err(error) = remote.write(&wire, level, at) {
                    // A session that is over has lost nothing.
                    post.send(Happening::Lost { child, why: error.to_string() });
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("child".to_owned()).spawn(body)?;
        Ok(Unwaited { writes: Some(writes), thread: Some(thread) })
    }
}

impl Remote for Unwaited {
    fn touch(&mut self, wire: &Wire, _: Reading, _: Time) -> Result<(Reading, Time), RemoteError> {
        Err(RemoteError(format!("nobody simulates what touches `{wire}` in real time")))
    }

    fn write(&mut self, wire: &Wire, level: f64, at: Time) -> Result<(), RemoteError> {
        let gone = || RemoteError("it did not do what it was told before".to_owned());
        self.writes.as_ref().and_then(|writes| writes.send((wire.clone(), level, at)).ok()).ok_or_else(gone)
    }
}

impl Drop for Unwaited {
    fn drop(&mut self) {
        self.writes = None;
        if let Some(thread) = self.thread.take() {
            // The last that was written, safe levels, are on their way then.
            let _ = thread.join();
        }
    }
}

/// What a child does with its devices: a simulated rig in which everything is
/// as it was last left.
#[derive(Debug, Clone)]
pub struct Offered {
    rig: RigConfig,
    readings: BTreeMap<(Name, Option<Name>), Reading>,
    levels: BTreeMap<(Name, Option<Name>), f64>,
}

impl Offered {
    /// These devices, all as they are when nobody touches them.
    pub fn new(rig: RigConfig) -> Offered {
        Offered { rig, readings: BTreeMap::new(), levels: BTreeMap::new() }
    }

    /// Something is done to an input: the input that comes of it.
    ///
    /// # Errors
    /// [`RemoteError`] where there is no such input, or it reads something else.
    pub fn touch(
        &mut self,
        device: &Name,
        port: Option<&Name>,
        reading: Reading,
        at: Time,
    ) -> Result<(Reading, Time), RemoteError> {
        let kind = self.kind(device, port)?;
        let fits = match reading {
            Reading::Digital(_) => kind == DeviceKind::DigitalInput,
            Reading::Analog(value) => kind == DeviceKind::AnalogInput && value.is_finite(),
            Reading::Position(value) => kind == DeviceKind::Encoder && value.is_finite(),
        };
        if !fits {
            return Err(RemoteError(format!("its `{device}` is a {}, which can't read that", kind.word())));
        }
        self.readings.insert((device.clone(), port.cloned()), reading);
        Ok((reading, at))
    }

    /// Writes an output.
    ///
    /// # Errors
    /// [`RemoteError`] where there is no such output, or no such level.
    pub fn write(&mut self, device: &Name, port: Option<&Name>, level: f64) -> Result<(), RemoteError> {
        let kind = self.kind(device, port)?;
        if !matches!(kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid) {
            return Err(RemoteError(format!("its `{device}` is a {}, which can't be written", kind.word())));
        }
        if !(0.0..=1.0).contains(&level) {
            return Err(RemoteError(format!("{level} is no level for `{device}`: from 0 to 1, please")));
        }
        self.levels.insert((device.clone(), port.cloned()), level);
        Ok(())
    }

    /// The level of an output.
    pub fn level(&self, device: &Name, port: Option<&Name>) -> f64 {
        let safe = self.rig.devices.get(device).map_or(0.0, |device| device.safe.share());
        self.levels.get(&(device.clone(), port.cloned())).copied().unwrap_or(safe)
    }

    /// Brings every output to its safe state: when a session is over, and when
    /// the pilot is gone.
    pub fn make_safe(&mut self) {
        self.levels.clear();
    }

    fn kind(&self, device: &Name, port: Option<&Name>) -> Result<DeviceKind, RemoteError> {
        let found = self.rig.devices.get(device);
        let found = found.ok_or_else(|| RemoteError(format!("it has no device `{device}`")))?;
        let is_there = match (&found.lines, port) {
            (Lines::Single(_) | Lines::Quadrature { .. }, None) => true,
            (Lines::Ports(ports), Some(port)) => ports.contains_key(port),
            _ => false,
        };
        match (is_there, port) {
            (true, _) => Ok(found.kind),
            (false, Some(port)) => Err(RemoteError(format!("its `{device}` has no port `{port}`"))),
            (false, None) => Err(RemoteError(format!("its `{device}` has ports: one must be named"))),
        }
    }
}

/// A child in the same process.
impl Remote for Offered {
    fn touch(&mut self, wire: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError> {
        Offered::touch(self, &wire.device, wire.port.as_ref(), reading, at)
    }

    fn write(&mut self, wire: &Wire, level: f64, _: Time) -> Result<(), RemoteError> {
        Offered::write(self, &wire.device, wire.port.as_ref(), level)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use bramble_value::{Sources, Span};

    use super::*;
    use crate::driver::inbox;
    use crate::wiring::Wiring;

    /// Tells what is written to it, each when it is let; when nobody lets it any
    /// more, it fails.
    struct Slow {
        let_on: Receiver<()>,
        written: Sender<f64>,
    }

    impl Remote for Slow {
        fn touch(&mut self, _: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError> {
            Ok((reading, at))
        }
        fn write(&mut self, _: &Wire, level: f64, _: Time) -> Result<(), RemoteError> {
            self.let_on.recv().map_err(|_| RemoteError("it did not answer".into()))?;
            self.written.send(level).map_err(|_| RemoteError("nobody looks".into()))
        }
    }

    fn lamp() -> Wire {
        let text = "lamp = hardware(digital_output)\ntask(stages = state(\"lit\", enter = lamp.on(), after = {\"1 s\": done}))\n";
        let sources =
            Sources { root: "t.star".into(), files: [("t.star".to_owned(), text.to_owned())].into() };
        let task = bramble_task::load(&sources).unwrap();
        let wiring = Wiring::simulated(&task.definition).unwrap();
        wiring.wire(wiring.find("lamp", None).unwrap()).clone()
    }

    #[test]
    fn a_child_is_written_to_in_order_and_not_waited_for() {
        let (post, _inbox) = inbox();
        let (let_on, wait) = channel();
        let (written, looked) = channel();
        let slow = Box::new(Slow { let_on: wait, written });
        let mut child = Unwaited::start("side".parse().unwrap(), slow, post).unwrap();
        let lamp = lamp();
        for level in [1.0, 0.0, 0.5] {
            child.write(&lamp, level, Time::ZERO).unwrap();
        }
        assert!(looked.try_recv().is_err(), "nothing was let on yet");
        (0..3).for_each(|_| let_on.send(()).unwrap());
        drop(child);
        assert_eq!(looked.iter().collect::<Vec<f64>>(), [1.0, 0.0, 0.5]);
    }

    #[test]
    fn a_write_that_fails_is_the_loss_of_the_child() {
        let (post, inbox) = inbox();
        let (written, _looked) = channel();
        let slow = Box::new(Slow { let_on: channel().1, written });
        let mut child = Unwaited::start("side".parse().unwrap(), slow, post).unwrap();
        child.write(&lamp(), 1.0, Time::ZERO + Span::from_ms(3)).unwrap();
        let Ok(Some(Happening::Lost { child: lost, why })) = inbox.wait(None) else { panic!() };
        assert_eq!((lost.as_str(), why.as_str()), ("side", "it did not answer"));
    }
}
