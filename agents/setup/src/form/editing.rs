//! A device or sync line of the rig, while it is being changed.

use bramble_rig::config::board::{self, Position};

use super::Key;
use super::pages::said;
use super::row::{Field, Row};
use crate::answers::Answers;
use crate::draft::{Device, KINDS, Pinned, Problem};

/// A device that is being changed.
#[derive(Debug, Clone)]
pub(crate) struct Editing {
    device: Device,
    /// What it was called when it was opened; `None` for a new one.
    old: Option<String>,
    pub(super) stand: usize,
    /// The position of the header that is pointed at, while a pin is picked.
    picking: Option<u8>,
}

const DRIVERS: [&str; 4] = ["gpiocdev", "rppal", "simulated", "child"];

impl Editing {
    /// Of one that is there.
    pub(super) fn of(answers: &Answers, is: Pinned, name: &str) -> Option<Editing> {
        let device = answers.draft().device(is, name)?;
        Some(Editing { device, old: Some(name.to_owned()), stand: 0, picking: None })
    }

    /// Of a new one, on a free pin.
    pub(super) fn new(answers: &Answers, is: Pinned) -> Editing {
        let rig = answers.draft().rig();
        let simulated = rig.as_ref().is_some_and(|rig| !rig.is_real() && !rig.devices.is_empty());
        let driver = if simulated { "simulated" } else { "gpiocdev" };
        let used = rig.map(|rig| rig.on_header()).unwrap_or_default();
        let is_free = |position: &u8| match board::at(*position) {
            Some(Position::Gpio(gpio)) => {
                let has_other_use = [board::RESERVED, board::PULLED_UP, board::CONSOLE];
                !used.contains_key(position) && !has_other_use.iter().flatten().any(|other| *other == gpio)
            }
            _ => false,
        };
        let pin = (1..=40).find(is_free).map(|position| format!("header {position}"));
        // Another board's chip has no header.
        let chip = answers.draft().get(&["rig", "chip"]);
        let on_header = driver == "gpiocdev" && chip.is_some_and(|chip| board::is_header_chip(&chip));
        let pin = pin.filter(|_| on_header).unwrap_or_default();
        Editing { device: Device::new(is, driver, &pin), old: None, stand: 0, picking: None }
    }

    /// What it is called.
    pub(super) fn title(&self) -> String {
        match (self.device.is, &self.old) {
            (Pinned::Device, Some(old)) => old.clone(),
            (Pinned::Device, None) => "a new device".to_owned(),
            (Pinned::SyncOutput, _) => "sync out".to_owned(),
            (Pinned::SyncInput, _) => "sync in".to_owned(),
        }
    }

    /// The lines of its pins that are there.
    pub(super) fn rows(&self) -> Vec<Row> {
        let device = &self.device;
        let mut rows = Vec::new();
        if device.is == Pinned::Device {
            rows.push(Row::text(
                Field::DeviceName,
                "name",
                &device.name,
                "the name that tasks ask for: poke",
            ));
        }
        let keys = device.keys();
        let (first, rest): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| ["kind", "driver", "child"].contains(key));
        rows.extend(first.into_iter().map(|key| self.row(key)));
        if device.has_lines() {
            for (at, (port, pin)) in device.lines.iter().enumerate() {
                let label = port.clone().unwrap_or_else(|| "pin".to_owned());
                let hint = "header 11, GPIO17 or 17; F2 or ctrl-G picks it; empty takes a port away";
                rows.push(Row::text(Field::Pin(at), &label, pin, hint));
            }
            if device.is == Pinned::Device && device.kind() != "encoder" {
                let hint = "a name adds a port: left; the first takes the pin that is there";
                rows.push(Row::text(Field::AddPort, "+ port", "", hint));
            }
        }
        rows.extend(rest.into_iter().map(|key| self.row(key)));
        rows.push(Row::action(Field::Done, "done", "", "Enter has it in the rig so"));
        if self.old.is_some() {
            rows.push(Row::action(Field::Remove, "take it out", "", "Enter takes it out of the rig"));
        }
        rows
    }

    fn row(&self, key: &'static str) -> Row {
        let now = self.device.says(key);
        match key {
            "kind" => {
                let words: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
                let hint = KINDS.iter().find(|(kind, _)| *kind == now).map_or("", |(_, what)| what);
                Row::choice(Field::Say(key), key, &words, now, hint)
            }
            "driver" => {
                let hint = match now {
                    "gpiocdev" => "a pin of any Linux board, by its kernel",
                    "rppal" => "a pin of a Raspberry Pi, for outputs only; can have PWM",
                    "child" => "another computer or process has it",
                    _ => "nothing real: a line in memory",
                };
                Row::choice(Field::Say(key), key, &DRIVERS, now, hint)
            }
            "active" => Row::choice(
                Field::Say(key),
                key,
                &["", "high", "low"],
                now,
                "which level is on; empty is high",
            ),
            "pull" => {
                let all = ["", "up", "down", "off", "as_is"];
                Row::choice(
                    Field::Say(key),
                    key,
                    &all,
                    now,
                    "what holds it while nothing drives it; empty is as_is",
                )
            }
            "safe" => Row::choice(
                Field::Say(key),
                key,
                &["", "0 %", "100 %"],
                now,
                "when nothing runs; empty is off",
            ),
            "pattern" => Row::choice(
                Field::Say(key),
                key,
                &["barcode", "random"],
                now,
                "barcodes of the time, or random pulses",
            ),
            _ => Row::text(Field::Say(key), label(key), now, hint(key)),
        }
    }

    /// Gives an answer, unless it would make the rig worse.
    pub(super) fn answer(
        &mut self,
        answers: &Answers,
        field: &Field,
        value: &str,
    ) -> Result<(), Vec<Problem>> {
        let mut changed = self.device.clone();
        let value = value.trim();
        match field {
            Field::DeviceName => {
                if self.old.as_deref() != Some(value)
                    && answers.draft().devices().iter().any(|name| name == value)
                {
                    return Err(said(&format!(
                        "there is a device `{value}` already: give this one another name"
                    )));
                }
                value.parse::<bramble_value::Name>().map_err(|error| said(&error))?;
                value.clone_into(&mut changed.name);
            }
            Field::Pin(at) => match changed.lines.get_mut(*at) {
                Some((Some(port), _)) if value.is_empty() && !["a", "b"].contains(&port.as_str()) => {
                    changed.remove_port(*at);
                }
                Some((_, pin)) => value.clone_into(pin),
                None => {}
            },
            Field::AddPort if value.is_empty() => return Ok(()),
            Field::AddPort => {
                value.parse::<bramble_value::Name>().map_err(|error| said(&error))?;
                if changed.lines.iter().any(|(port, _)| port.as_deref() == Some(value)) {
                    return Err(said(&format!(
                        "there is a port `{value}` already: give this one another name"
                    )));
                }
                changed.add_port(value, "");
            }
            Field::Say(key) => changed.say(key, value),
            _ => {}
        }
        // A part that is still missing is told at the end, a wrong one now.
        let before = Editing { device: self.device.clone(), ..self.clone() }.would_be_wrong(answers);
        let after = Editing { device: changed.clone(), ..self.clone() }.would_be_wrong(answers);
        let new: Vec<Problem> = after
            .into_iter()
            .filter(|one| !is_missing(one) && !before.iter().any(|other| other.message == one.message))
            .collect();
        // A change of what it is moves what fits it: that may all be put right after it.
        if !new.is_empty() && !matches!(field, Field::Say("kind" | "driver" | "pattern")) {
            return Err(new);
        }
        self.device = changed;
        Ok(())
    }

    fn would_be_wrong(&self, answers: &Answers) -> Vec<Problem> {
        let mut changed = answers.draft().clone();
        let mut device = self.device.clone();
        if device.name.is_empty() {
            // Until it has a name it is checked under one that nobody types.
            "new-device".clone_into(&mut device.name);
        }
        changed.put_device(self.old.as_deref(), &device);
        changed.worse_than(answers.draft())
    }

    /// Has it in the rig.
    pub(super) fn done(&self, answers: &mut Answers) -> Result<(), Vec<Problem>> {
        if self.device.name.is_empty() {
            return Err(said(&"it has no name yet: write the one that tasks ask for, as in poke"));
        }
        answers.change(|draft| draft.put_device(self.old.as_deref(), &self.device))
    }

    /// Takes it out of the rig.
    pub(super) fn remove(&self, answers: &mut Answers) -> Result<(), Vec<Problem>> {
        let Some(old) = &self.old else { return Ok(()) };
        answers.change(|draft| draft.remove_device(self.device.is, old))
    }

    /// The positions that its lines have now.
    pub(super) fn positions(&self) -> Vec<u8> {
        if !self.device.has_lines() || self.device.says("driver") == "simulated" {
            return Vec::new();
        }
        self.device.lines.iter().filter_map(|(_, pin)| position(pin)).collect()
    }

    pub(super) fn is_picking(&self) -> bool {
        self.picking.is_some()
    }

    /// The position that is pointed at.
    pub(super) fn picked(&self) -> Option<u8> {
        self.picking
    }

    pub(super) fn pick_from(&mut self, now: &str) {
        self.picking = Some(position(now).unwrap_or(1));
    }

    /// Points elsewhere; the pin, when one is picked.
    pub(super) fn pick(&mut self, key: Key) -> Option<String> {
        let at = self.picking?;
        let moved = match key {
            Key::Up => at.checked_sub(2),
            Key::Down => Some(at + 2),
            Key::Left => (at % 2 == 0).then(|| at - 1),
            Key::Right => (at % 2 == 1).then_some(at + 1),
            Key::Enter => {
                self.picking = None;
                return Some(format!("header {at}"));
            }
            _ => {
                self.picking = None;
                return None;
            }
        };
        self.picking = moved.filter(|moved| (1..=40).contains(moved)).or(Some(at));
        None
    }
}

/// Whether a problem is only that something isn't said yet.
fn is_missing(problem: &Problem) -> bool {
    ["missing", "needs a `longest_on`", "it is not said how many"]
        .iter()
        .any(|part| problem.message.contains(part))
}

/// The position on the header of a pin as it is typed.
fn position(pin: &str) -> Option<u8> {
    let pin = pin.trim();
    match pin.strip_prefix("header") {
        Some(position) => position.trim().parse().ok().filter(|position| board::at(*position).is_some()),
        None => board::position(pin.strip_prefix("GPIO").unwrap_or(pin).parse().ok()?),
    }
}

fn label(key: &'static str) -> &'static str {
    match key {
        "longest_on" => "longest on",
        "counts_per_unit" => "counts/unit",
        other => other,
    }
}

fn hint(key: &str) -> &'static str {
    match key {
        "child" => "its name, as in wheel-box1",
        "chip" => "another chip than the rig's; empty is the rig's",
        "longest_on" => {
            "the longest that it may be on, whatever a task says, as in 2 s; a valve must have one"
        }
        "debounce" => "how long a level must last to count, as in 1 ms; a light beam needs none",
        "frequency" => "how often it switches when dimmed; empty is 200 Hz",
        "unit" => "what it measures in, as in deg",
        "counts_per_unit" => "four for each period, in one of its unit: 11.3778 for 1024 lines and deg",
        "flow" => "how fast a simulated valve gives liquid, as in 40 uL/s",
        "every" => "from one barcode to the next, as in 5 s",
        "bit" => "how long a bit is, as in 30 ms",
        "bits" => "how many bits, as in 32",
        "shortest" => "at least so long between pulses, as in 500 ms",
        "longest" => "at most so long between pulses, as in 5 s",
        "width" => "how long a pulse is, as in 50 ms",
        _ => "",
    }
}
