//! The child's devices in real time: a session of all of them, on the thread that
//! owns their lines, for as long as the pilot's session lasts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bramble_engine::Settings;
use bramble_message::{ChildToPilot, PortName, Reading};
use bramble_rig::calibration::Calibrations;
use bramble_rig::remote::Remotes;
use bramble_rig::session::{Around, Relay, Session};
use bramble_rig::{Hardware, Inbox, Post, Request, RigConfig, Wire, Wiring, inbox, whole};
use bramble_task::definition::{Command, PortId, SourceMap};
use bramble_value::{Ending, Event, Kind, Level, Name, Record, Seed, Source, Value};

/// How long a session may take to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tells the pilot something.
pub(crate) type Tell = Arc<dyn Fn(ChildToPilot) + Send + Sync>;

/// The way to the thread that owns the lines.
pub(crate) struct Workshop {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    running: Option<Running>,
}

/// A session to run.
struct Order {
    inbox: Inbox,
    /// Answered when outputs can be written, or never will be.
    begun: SyncSender<Result<Outputs, String>>,
    /// Closed when it is over.
    over: SyncSender<()>,
}

/// The outputs that the pilot may write.
type Outputs = BTreeMap<PortName, PortId>;

struct Running {
    post: Post,
    outputs: Outputs,
    over: Receiver<()>,
}

impl Workshop {
    /// Starts the thread, which has the hardware of `rig` until this is dropped.
    ///
    /// # Errors
    /// Where there can't be another thread.
    pub(crate) fn start(
        name: Name,
        rig: RigConfig,
        hardware: Hardware,
        tell: Tell,
    ) -> std::io::Result<Workshop> {
        let (orders, waiting) = channel();
        let keeper = move || {
            let _alarm = Alarm(Arc::clone(&tell));
            let mut owner = Owner { hardware, name, rig, tell };
            if let Err(why) = owner.hardware.ready() {
                tracing::error!("{why}; this is tried again whenever a session starts");
            }
            while let Ok(order) = waiting.recv() {
                owner.run(order);
            }
            owner.hardware.close();
        };
        let thread = std::thread::Builder::new().name("hardware".to_owned()).spawn(keeper)?;
        Ok(Workshop { orders: Some(orders), thread: Some(thread), running: None })
    }

    /// Begins a session: from now on inputs are told, and outputs can be written.
    ///
    /// # Errors
    /// A sentence, where the hardware can't be used.
    pub(crate) fn begin(&mut self) -> Result<(), String> {
        self.end();
        let (post, inbox) = inbox();
        let ((begun, outputs), (ends, over)) = (sync_channel(1), sync_channel(1));
        let sent = self.orders.as_ref().is_some_and(|orders| {
            let order = Order { inbox, begun, over: ends };
            orders.send(order).is_ok()
        });
        let failed = || "the thread that owns its lines failed: restart the child".to_owned();
        if !sent {
            return Err(failed());
        }
        let outputs = match outputs.recv_timeout(PATIENCE) {
            Ok(outputs) => outputs?,
            Err(RecvTimeoutError::Disconnected) => return Err(failed()),
            Err(RecvTimeoutError::Timeout) => {
                // Once it has begun it is to end.
                post.request(Request::Stop { why: "it took too long to begin".into() });
                return Err(format!("its hardware was not ready within {} s", PATIENCE.as_secs()));
            }
        };
        self.running = Some(Running { post, outputs, over });
        Ok(())
    }

    /// Has an output written: it is on its way.
    ///
    /// # Errors
    /// A sentence, where there is no such output, no such level, or no session.
    pub(crate) fn write(&self, port: &PortName, level: f64) -> Result<(), String> {
        let running = self.running.as_ref().ok_or("it runs no session")?;
        let id = *running.outputs.get(port).ok_or_else(|| format!("it has no output `{port}`"))?;
        let share = Level::from_share(level);
        let share = share.ok_or_else(|| format!("{level} is no level for `{port}`: from 0 to 1, please"))?;
        let command = match share.share() {
            0.0 => Command::Off,
            1.0 => Command::On(None),
            _ => Command::On(Some(Value::Level(share))),
        };
        let sent = running.post.request(Request::Command { port: id, command });
        sent.then_some(()).ok_or_else(|| "its session has failed".to_owned())
    }

    /// Ends the session, if there is one; outputs are safe then.
    pub(crate) fn end(&mut self) {
        let Some(Running { post, over, .. }) = self.running.take() else { return };
        post.request(Request::Stop { why: "the pilot's session is over".into() });
        // It is closed, or the thread hangs and the guard has made outputs safe.
        let _ = over.recv_timeout(PATIENCE);
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        self.end();
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Were it to panic, it would have said so.
            let _ = thread.join();
        }
    }
}

/// Tells the pilot when the thread that holds this panics; its outputs are safe then.
struct Alarm(Tell);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "the thread that owns its lines failed: restart the child".to_owned();
            (self.0)(ChildToPilot::Failed { why });
        }
    }
}

/// What the thread holds.
struct Owner {
    name: Name,
    rig: RigConfig,
    hardware: Hardware,
    tell: Tell,
}

impl Owner {
    fn run(&mut self, order: Order) {
        let begun = order.begun.clone();
        if let Err(why) = self.session(order) {
            // One that had begun fails in another way.
            if begun.try_send(Err(why.clone())).is_err() {
                (self.tell)(ChildToPilot::Failed { why });
            }
        }
    }

    /// Runs a session to its end.
    fn session(&mut self, order: Order) -> Result<(), String> {
        let Order { inbox, begun, over: _over } = order;
        let task = whole::task(&self.rig).map_err(|mistakes| mistakes.to_string())?;
        let now = jiff::Timestamp::now();
        // How long a valve is open is the pilot's to say: it has the calibrations.
        let wiring =
            Wiring::new(&task.definition, &self.rig, &Calibrations::default(), now, self.name.as_str())
                .map_err(|misfit| misfit.to_string())?;
        let settings = Settings { parameters: Vec::new(), seed: Seed(0), kept: Vec::new() };
        let session = Session::new(Arc::clone(&task.definition), settings, wiring.clone())
            .map_err(|error| error.to_string())?;
        let mut functions = task.functions();
        let sources = SourceMap::new(&task.definition);
        let (mut names, mut outputs) = (BTreeMap::new(), Outputs::new());
        // A sync line is the child's own.
        for (port, wire) in wiring.ports().filter(|(port, _)| !wiring.is_standing(*port)) {
            names.insert(sources.port(port), port_name(wire));
            if wire.is_output() {
                outputs.insert(port_name(wire), port);
            }
        }
        let (tell, port_of) = (Arc::clone(&self.tell), names.clone());
        let pass = move |records: Vec<Record>| {
            records.into_iter().filter_map(|record| told(record, &port_of)).for_each(|message| tell(message));
        };
        let (relay, mut ring, bell) =
            Relay::start(pass).map_err(|error| format!("there can't be another thread: {error}"))?;
        let ran = self.hardware.run(&wiring, Some(&bell), |driver, _| {
            // The one who waits for it has waited long enough, if it is gone.
            let _ = begun.try_send(Ok(outputs));
            session.run(Around {
                driver,
                remotes: &mut Remotes::new(),
                inbox: &inbox,
                functions: &mut functions,
                recorder: &mut ring,
                judge: &mut (),
            })
        });
        drop(ring);
        relay.finish();
        match ran? {
            outcome if outcome.ending == Ending::Error => Err(outcome.why.to_string()),
            _ => Ok(()),
        }
    }
}

/// What the pilot is told of a record.
fn told(record: Record, ports: &BTreeMap<Source, PortName>) -> Option<ChildToPilot> {
    match record {
        Record::Event(Event { time, kind, source, value, .. }) => {
            let port = ports.get(&source)?.clone();
            let reading = match kind {
                Kind::Input => Reading::Digital(value != 0.0),
                Kind::Analog => Reading::Analog(value),
                Kind::Position => Reading::Position(value),
                // More than four thousand million edges are not lost at once.
                Kind::Lost => return Some(ChildToPilot::Missed { time, port, count: value as u32 }),
                _ => return None,
            };
            Some(ChildToPilot::Input { time, port, reading })
        }
        Record::Note { time, text } => Some(ChildToPilot::Note { time, text }),
        Record::Row(_) => None,
    }
}

fn port_name(wire: &Wire) -> PortName {
    PortName { device: wire.device.clone(), port: wire.port.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_rig::driver::{Hands, LineId};

    struct Bench {
        workshop: Workshop,
        hands: Hands,
        told: Receiver<ChildToPilot>,
    }

    const LAMP: LineId = LineId(0);
    const POKE: LineId = LineId(1);

    fn bench() -> Bench {
        let text = "[devices.poke]\nkind = \"digital_input\"\ndriver = \"simulated\"\n\
                    [devices.lamp]\nkind = \"digital_output\"\ndriver = \"simulated\"\nlongest_on = \"100 ms\"\n";
        let rig: RigConfig = bramble_config::parse("child.toml", text).unwrap();
        let (hardware, hands) = Hardware::in_memory(&rig);
        let (telling, told) = channel();
        let tell = Arc::new(move |message| _ = telling.send(message));
        let workshop = Workshop::start("wheels".parse().unwrap(), rig, hardware, tell).unwrap();
        Bench { workshop, hands, told }
    }

    fn port(device: &str) -> PortName {
        PortName { device: device.parse().unwrap(), port: None }
    }

    fn until(mut so: impl FnMut() -> bool) {
        while !so() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn inputs_are_told_as_they_come_and_outputs_written_until_the_session_is_over() {
        let mut bench = bench();
        bench.workshop.begin().unwrap();
        bench.hands.set(POKE, true);
        let poked = |told: &ChildToPilot| matches!(told, ChildToPilot::Input { port, reading: Reading::Digital(true), .. } if port.device.as_str() == "poke");
        until(|| poked(&bench.told.recv().unwrap()));
        bench.workshop.write(&port("lamp"), 1.0).unwrap();
        until(|| bench.hands.level(LAMP) == 1.0);
        bench.workshop.end();
        assert_eq!(bench.hands.level(LAMP), 0.0);
        assert!(bench.workshop.write(&port("lamp"), 1.0).is_err());
    }

    #[test]
    fn an_output_is_cut_at_its_longest_and_the_pilot_reads_why() {
        let mut bench = bench();
        bench.workshop.begin().unwrap();
        bench.workshop.write(&port("lamp"), 1.0).unwrap();
        let said = |told: &ChildToPilot| matches!(told, ChildToPilot::Note { text, .. } if text.contains("the longest its rig allows"));
        until(|| said(&bench.told.recv().unwrap()));
        assert_eq!(bench.hands.level(LAMP), 0.0);
    }

    #[test]
    fn what_can_not_be_written_is_refused_by_name() {
        let mut bench = bench();
        bench.workshop.begin().unwrap();
        assert!(bench.workshop.write(&port("poke"), 1.0).unwrap_err().contains("no output `poke`"));
        assert!(bench.workshop.write(&port("lamp"), 7.0).unwrap_err().contains("7 is no level"));
    }
}
