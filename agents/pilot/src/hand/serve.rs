//! The rig's side of a hand's connection: takes what is asked, has it done on the
//! rig's thread, and tells what happens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use bramble_rig::devices::SHORTEST_PERIOD;
use bramble_rig::{Post, Request, inbox};
use bramble_task::definition::{Command, PortId};
use bramble_value::{Span, Value};

use super::names;
use super::protocol::{Ask, Member, Opened, Part, Told};
use super::session::{Job, Tell, Want};

/// As much may wait for a slow reader before the session ends.
const ROOM: usize = 65_536;

/// A reader that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest line that is read.
const LONGEST_LINE: u64 = 1 << 20;

/// Something for a connection to look at.
#[derive(Debug)]
pub(crate) enum Got {
    /// The hand asks.
    Ask(Result<Ask, String>),
    /// The rig is open, with these ports of its task in the order of its parts.
    Open(Opened, Vec<PortId>),
    /// The rig's thread tells.
    Told(Told),
    /// The hand is gone.
    Gone,
}

/// Serves one hand until it is gone and what it had is safe. `start` has a job
/// done; `false` where nobody does jobs any more.
pub(crate) fn serve(stream: UnixStream, start: impl Fn(Job) -> bool) {
    // Without it a reader that stands still would be waited for without end.
    let bounded = stream.set_write_timeout(Some(PATIENCE));
    let (got, waiting) = sync_channel(ROOM);
    let asks = got.clone();
    let reading = stream.try_clone().and_then(|stream| {
        let body = move || read(stream, &asks);
        std::thread::Builder::new().name("hand".to_owned()).spawn(body)
    });
    if let Err(error) = bounded.and(reading.map(drop)) {
        tracing::error!("someone who wants to work the rig by hand can't be served: {error}");
        return;
    }
    Serving { stream: &stream, got, start, has: None, gone: false }.run(&waiting);
    // It only fails where the other side is gone already; the reader ends now.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Reads asks until none can come.
fn read(stream: UnixStream, asks: &SyncSender<Got>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match stream.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                let ask = serde_json::from_slice(&line);
                let ask = ask.map_err(|error| format!("what was asked can't be read: {error}"));
                if asks.send(Got::Ask(ask)).is_err() {
                    return;
                }
            }
        }
    }
    // Where nobody listens, it is over anyway.
    let _ = asks.send(Got::Gone);
}

struct Serving<'a, F> {
    stream: &'a UnixStream,
    got: SyncSender<Got>,
    start: F,
    /// What is being done for the hand.
    has: Option<Has>,
    gone: bool,
}

struct Has {
    post: Post,
    /// The ports of the rig that it has, once it is open.
    parts: Vec<Part>,
    ports: Vec<PortId>,
}

impl<F: Fn(Job) -> bool> Serving<'_, F> {
    fn run(mut self, waiting: &Receiver<Got>) {
        while !(self.gone && self.has.is_none()) {
            // This holds a sender itself: there is always something to come.
            let Ok(got) = waiting.recv() else { return };
            match got {
                Got::Ask(Ok(ask)) => self.asked(ask),
                Got::Ask(Err(why)) => self.refuse(why),
                Got::Open(opened, ports) => {
                    if let Some(has) = &mut self.has {
                        has.parts.clone_from(&opened.parts);
                        has.ports = ports;
                    }
                    self.tell(&Told::Open(opened));
                }
                Got::Told(told) => {
                    if matches!(told, Told::Closed { .. } | Told::Refused { .. } | Told::Measured(_)) {
                        self.has = None;
                    }
                    self.tell(&told);
                }
                Got::Gone => self.let_go("the hand that worked the rig is gone"),
            }
        }
    }

    fn asked(&mut self, ask: Ask) {
        let want = match ask {
            Ask::Work { what } => Want::Work { what },
            Ask::Measure { wakes, every } => Want::Measure { wakes, every },
            Ask::Done if self.has.is_some() => return self.stop("done"),
            ask => return self.order(&ask),
        };
        if self.has.is_some() {
            return self.refuse("the rig is in your hand already".to_owned());
        }
        let (post, inbox) = inbox();
        self.has = Some(Has { post: post.clone(), parts: Vec::new(), ports: Vec::new() });
        if !(self.start)(Job { want, post, inbox, tell: Tell(self.got.clone()) }) {
            self.has = None;
            self.tell(&Told::Refused { why: "this pilot is ending".to_owned(), busy: true });
        }
    }

    fn order(&mut self, ask: &Ask) {
        let done = match &self.has {
            Some(has) => requests(ask, &has.parts, &has.ports)
                .map(|requests| requests.into_iter().for_each(|request| _ = has.post.request(request))),
            None => Err("the rig is not in your hand: ask to work it first".to_owned()),
        };
        if let Err(why) = done {
            self.refuse(why);
        }
    }

    fn stop(&self, why: &str) {
        if let Some(has) = &self.has {
            // A session that has just ended needs to be told nothing.
            has.post.request(Request::Stop { why: why.into() });
        }
    }

    fn let_go(&mut self, why: &str) {
        self.gone = true;
        self.stop(why);
    }

    fn refuse(&mut self, why: String) {
        self.tell(&Told::Refused { why, busy: false });
    }

    fn tell(&mut self, told: &Told) {
        if self.gone {
            return;
        }
        let told = serde_json::to_string(told).map(|line| line + "\n").map_err(std::io::Error::from);
        if told.and_then(|line| self.stream.write_all(line.as_bytes())).is_err() {
            self.let_go("the hand that worked the rig listens no more");
        }
    }
}

/// What is requested of the session for what is asked.
fn requests(ask: &Ask, parts: &[Part], ports: &[PortId]) -> Result<Vec<Request>, String> {
    let request = |place: usize, command| Request::Command { port: ports[place], command };
    match ask {
        Ask::Set { device, level } => {
            let place = names::output_at(parts, device, *level).map_err(|error| error.to_string())?;
            let command = match level.share() {
                0.0 => Command::Off,
                _ => Command::On(Some(Value::Level(*level))),
            };
            Ok(vec![request(place, command)])
        }
        Ask::Train { members, every, count } => {
            let of = |member: &Member| {
                let place = names::output(parts, &member.device).map_err(|error| error.to_string())?;
                fits(member, *every, *count)?;
                Ok(request(place, train(member, *every, *count)))
            };
            members.iter().map(of).collect()
        }
        Ask::Work { .. } | Ask::Measure { .. } | Ask::Done => Ok(Vec::new()),
    }
}

/// Whether one output can do its part of a train.
fn fits(member: &Member, every: Span, count: Option<u32>) -> Result<(), String> {
    let Member { device, on, .. } = member;
    if on.ns() == 0 {
        return Err(format!("`{device}` would be on for no time at all: say how long, as in 20ms"));
    }
    if count == Some(1) {
        return Ok(());
    }
    if every < SHORTEST_PERIOD {
        return Err(format!("a turn every {every} is faster than any output: at least {SHORTEST_PERIOD}"));
    }
    if *on >= every {
        return Err(format!("`{device}` is on for {on} in a turn of {every}: it would never go off"));
    }
    Ok(())
}

fn train(member: &Member, every: Span, count: Option<u32>) -> Command<Value> {
    let span = Value::Duration;
    let after = (member.offset.ns() > 0).then_some(span(member.offset));
    match count {
        Some(1) => Command::Pulse { on: span(member.on), after, level: None },
        count => Command::Train {
            on: span(member.on),
            every: span(every),
            count: count.map(|count| Value::Integer(count.into())),
            after,
            level: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::part;
    use super::*;
    use bramble_task::definition::{DeviceId, DeviceKind};

    fn ask(members: &[(&str, u32, u32)], every: u32, count: Option<u32>) -> Result<Vec<Request>, String> {
        let parts = [part("light", DeviceKind::DigitalOutput), part("poke", DeviceKind::DigitalInput)];
        let ports: Vec<PortId> = (0..2).map(|device| PortId { device: DeviceId(device), port: 0 }).collect();
        let members = members.iter().map(|(device, on, offset)| Member {
            device: (*device).to_owned(),
            on: Span::from_ms(*on),
            offset: Span::from_ms(*offset),
        });
        requests(
            &Ask::Train { members: members.collect(), every: Span::from_ms(every), count },
            &parts,
            &ports,
        )
    }

    #[test]
    fn a_train_that_can_not_be_is_refused_as_a_whole() {
        for (refused, says) in [
            (ask(&[("light", 5, 0), ("poke", 5, 0)], 10, None), "`poke` is an input"),
            (ask(&[("light", 10, 0)], 10, None), "it would never go off"),
            (ask(&[("light", 0, 0)], 10, Some(1)), "no time at all"),
            (ask(&[("light", 1, 0)], 0, Some(2)), "faster than any output"),
        ] {
            let why = refused.unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn a_train_of_one_turn_is_a_pulse() {
        let requests = ask(&[("light", 50, 20)], 0, Some(1)).unwrap();
        let [Request::Command { command: Command::Pulse { on, after, .. }, .. }] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        assert_eq!(*on, Value::Duration(Span::from_ms(50)));
        assert_eq!(*after, Some(Value::Duration(Span::from_ms(20))));
    }
}
