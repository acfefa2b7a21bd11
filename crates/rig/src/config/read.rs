//! What a written rig means, and what in it can't be.

use std::collections::BTreeSet;

use bramble_config::Fault;
use bramble_task::definition::DeviceKind;
use bramble_value::{Frequency, Name, Span};

use super::board::{self, Position};
use super::pin::WrittenPin;
use super::quantity::Written;
use super::written::{
    WrittenDevice, WrittenDriver, WrittenPattern, WrittenPins, WrittenRig, WrittenSyncInput,
    WrittenSyncOutput,
};
use super::{
    DeviceConfig, DriverConfig, Lines, Pin, RigConfig, SYNC, SYNC_INPUT, SyncInput, SyncOutput, check,
};
use crate::sync::SyncPattern;

/// The chip of a device that names none, in a rig that names none.
const CHIP: &str = "gpiochip0";
/// What the watchdog may be: shorter, and a busy computer would set it off.
const WATCHDOG: [Span; 2] = [Span::from_ms(50), Span::from_s(10)];
/// The longest that a level may have to last: beyond it is behaviour.
const DEBOUNCE: Span = Span::from_s(1);

impl WrittenRig {
    /// The rig that is meant.
    ///
    /// # Errors
    /// Every fault there is, with its key from the rig on.
    pub fn read(self) -> Result<RigConfig, Vec<Fault>> {
        let mut reader = Reader::new(&self);
        for (name, is_there) in [(SYNC, self.sync_output.is_some()), (SYNC_INPUT, self.sync_input.is_some())]
        {
            if is_there && self.devices.keys().any(|device| device.as_str() == name) {
                let why = format!("a device can't be called `{name}`: the rig's own line is");
                reader.fault(&["devices", name], "", why, "give the device another name");
            }
        }
        let watchdog = self.watchdog.map_or(RigConfig::WATCHDOG, |span| span.0);
        let [least, most] = WATCHDOG;
        if !(least..=most).contains(&watchdog) {
            let why = format!("the watchdog can't be {watchdog}: from {least} to {most}");
            reader.fault(&["watchdog"], "", why, "watchdog = \"250 ms\" is a good one");
        }
        let calibration_age = self.calibration_age.map_or(RigConfig::CALIBRATION_AGE, |age| age.0.0);
        if calibration_age == Span::ZERO {
            let why = "every calibration is older than nothing";
            reader.fault(&["calibration_age"], "", why, "calibration_age = \"60 d\" is a good one");
        }
        let devices = self.devices.into_iter().map(|(name, device)| {
            let device = reader.device(&name, device);
            (name, device)
        });
        let devices = devices.collect();
        let rig = RigConfig {
            devices,
            sync: self.sync_output.map(|sync| reader.sync_output(sync)),
            sync_input: self.sync_input.map(|sync| reader.sync_input(sync)),
            watchdog,
            core: self.core,
            calibration_age,
        };
        let mut faults = reader.faults;
        faults.extend(check::faults(&rig));
        if faults.is_empty() { Ok(rig) } else { Err(faults) }
    }
}

struct Reader {
    faults: Vec<Fault>,
    chip: String,
    /// Whether something in it is only on a Raspberry Pi.
    is_pi: bool,
    /// The GPIOs that it uses, if it is one.
    used: BTreeSet<u32>,
}

impl Reader {
    fn new(rig: &WrittenRig) -> Reader {
        let chip = rig.chip.clone().unwrap_or_else(|| CHIP.to_owned());
        let devices = rig.devices.values();
        let pins = devices.clone().flat_map(|device| {
            let pair = device.pins.iter().flat_map(|pins| [&pins.a, &pins.b]);
            device.pin.iter().chain(pair).chain(device.ports.iter().flat_map(|ports| ports.values()))
        });
        let sync = rig.sync_output.iter().flat_map(|sync| &sync.pin);
        let sync_input = rig.sync_input.iter().flat_map(|sync| &sync.pin);
        let used = pins.chain(sync).chain(sync_input).filter_map(|pin| match pin {
            WrittenPin::Number(number) => Some(*number),
            WrittenPin::Header(position) => match board::at(*position)? {
                Position::Gpio(number) => Some(number),
                _ => None,
            },
        });
        let used = used.collect();
        let mut drivers = devices
            .map(|one| (one.driver, &one.chip))
            .chain(rig.sync_output.iter().map(|one| (one.driver, &one.chip)))
            .chain(rig.sync_input.iter().map(|one| (one.driver, &one.chip)));
        let is_pi = drivers.any(|(driver, named)| match driver {
            WrittenDriver::Rppal => true,
            WrittenDriver::Gpiocdev => {
                let chip = named.clone().unwrap_or_else(|| chip.clone());
                board::is_header(&DriverConfig::Gpiocdev { chip })
            }
            WrittenDriver::Simulated | WrittenDriver::Child => false,
        });
        Reader { faults: Vec::new(), chip, is_pi, used }
    }

    /// Notes a fault of the key `key` (or of the table itself, where that is
    /// empty) of the table at `path`.
    fn fault(&mut self, path: &[&str], key: &str, why: impl Into<String>, help: impl Into<String>) {
        let mut fault = Fault::new(path, why);
        if !key.is_empty() {
            fault.path.push(key.to_owned());
        }
        let help = help.into();
        self.faults.push(if help.is_empty() { fault } else { fault.help(help) });
    }

    fn driver(
        &mut self,
        path: &[&str],
        written: WrittenDriver,
        child: Option<Name>,
        chip: Option<String>,
    ) -> DriverConfig {
        if chip.is_some() && written != WrittenDriver::Gpiocdev {
            self.fault(path, "chip", "`chip` goes with driver = \"gpiocdev\"", "leave it out");
        }
        if child.is_some() && written != WrittenDriver::Child {
            self.fault(path, "child", "`child` goes with driver = \"child\"", "leave it out");
        }
        match (written, child) {
            (WrittenDriver::Gpiocdev, _) => {
                DriverConfig::Gpiocdev { chip: chip.unwrap_or_else(|| self.chip.clone()) }
            }
            (WrittenDriver::Rppal, _) => DriverConfig::Rppal,
            (WrittenDriver::Child, Some(child)) => DriverConfig::Child(child),
            (WrittenDriver::Child, None) => {
                let why = "driver = \"child\" needs the child's name";
                self.fault(path, "driver", why, "add a line `child = \"wheel-child\"`");
                DriverConfig::Simulated
            }
            (WrittenDriver::Simulated, _) => DriverConfig::Simulated,
        }
    }

    /// `None`, and a fault, where it is no line of its driver.
    fn pin(&mut self, path: &[&str], key: &str, pin: WrittenPin, driver: &DriverConfig) -> Option<Pin> {
        let position = match pin {
            WrittenPin::Number(number) => return Some(Pin::new(number)),
            WrittenPin::Header(position) => position,
        };
        let has_header = match driver {
            DriverConfig::Simulated | DriverConfig::Child(_) => true,
            _ => board::is_header(driver) || (self.is_pi && board::may_be_header(driver)),
        };
        if !has_header {
            let why = format!("header positions are those of a Raspberry Pi, and this is {driver}");
            let help =
                format!("write the line's number on its chip, or the Pi's chip: chip = {}", board::chips());
            self.fault(path, key, why, help);
            return None;
        }
        let (what, near) = match board::at(position) {
            Some(Position::Gpio(number)) => return Some(Pin::new(number)),
            Some(Position::Power(volts)) => (format!("header {position} is {volts}"), true),
            Some(Position::Ground) => (format!("header {position} is ground"), true),
            None => (format!("there is no header {position}: it has positions 1 to 40"), false),
        };
        let help = near.then(|| board::free_near(position, &self.used)).flatten();
        self.fault(path, key, what, help.unwrap_or_default());
        None
    }

    fn device(&mut self, name: &Name, written: WrittenDevice) -> DeviceConfig {
        let path = &["devices", name.as_str()];
        let kind = written.kind;
        self.keys_of_its_kind(path, &written);
        if written.driver == WrittenDriver::Child {
            self.keys_of_a_child(path, &written);
        }
        let driver = self.driver(path, written.driver, written.child, written.chip);
        let lines = self.lines(path, kind, &driver, (written.pin, written.pins, written.ports));
        let spans = [("debounce", written.debounce), ("longest_on", written.longest_on)];
        for (key, _) in spans.iter().filter(|(_, span)| *span == Some(Written(Span::ZERO))) {
            self.fault(path, key, format!("`{key}` is no time at all"), "leave it out, or give it a time");
        }
        let device = DeviceConfig {
            kind,
            driver,
            lines,
            active: written.active.unwrap_or_default(),
            pull: written.pull.unwrap_or_default(),
            debounce: written.debounce.map(|span| span.0),
            safe: written.safe.map(|safe| safe.0).unwrap_or_default(),
            longest_on: written.longest_on.map(|span| span.0),
            frequency: written.frequency.map(|frequency| frequency.0),
            counts_per_unit: written.counts_per_unit,
            unit: written.unit.unwrap_or_default(),
            flow: written.flow.map(|flow| flow.0),
        };
        self.debounce(path, device.debounce);
        self.outputs(path, &device);
        if device.driver.is_real() {
            self.real(path, &device);
        }
        device
    }

    fn keys_of_its_kind(&mut self, path: &[&str], written: &WrittenDevice) {
        let kind = written.kind;
        let output = is_output(kind);
        let input = matches!(kind, DeviceKind::DigitalInput | DeviceKind::Encoder);
        let encoder = kind == DeviceKind::Encoder;
        let measures = encoder || kind == DeviceKind::AnalogInput;
        for (is_there, allowed, key, who) in [
            (written.longest_on.is_some(), output, "longest_on", "an output"),
            (written.safe.is_some(), output, "safe", "an output"),
            (written.active.is_some(), output || input, "active", "a digital input, an encoder or an output"),
            (written.pull.is_some(), input, "pull", "a digital input or an encoder"),
            (written.debounce.is_some(), input, "debounce", "a digital input or an encoder"),
            (written.frequency.is_some(), kind == DeviceKind::LevelOutput, "frequency", "a level output"),
            (written.flow.is_some(), kind == DeviceKind::Solenoid, "flow", "a solenoid"),
            (written.counts_per_unit.is_some(), encoder, "counts_per_unit", "an encoder"),
            (written.pins.is_some(), encoder, "pins", "an encoder"),
            (written.unit.is_some(), measures, "unit", "an encoder or an analog input"),
        ] {
            if is_there && !allowed {
                let why = format!("`{key}` is for {who}, and this is a {}", kind.word());
                self.fault(path, key, why, "leave it out");
            }
        }
    }

    /// A child sets its lines up by itself: what is said of them here would never
    /// come to it.
    fn keys_of_a_child(&mut self, path: &[&str], written: &WrittenDevice) {
        for (key, is_there) in [
            ("pins", written.pins.is_some()),
            ("active", written.active.is_some()),
            ("pull", written.pull.is_some()),
            ("debounce", written.debounce.is_some()),
            ("frequency", written.frequency.is_some()),
            ("counts_per_unit", written.counts_per_unit.is_some()),
        ] {
            if is_there {
                let why = format!("`{key}` is the child's to say, since the child sets the lines up");
                self.fault(path, key, why, "write it into the child's configuration instead");
            }
        }
    }

    fn lines(
        &mut self,
        path: &[&str],
        kind: DeviceKind,
        driver: &DriverConfig,
        written: (Option<WrittenPin>, Option<WrittenPins>, Option<Ports>),
    ) -> Lines {
        match written {
            (Some(_), None, None) if kind == DeviceKind::Encoder => {
                let help = "write pins = { a = 17, b = 18 } instead";
                self.fault(path, "pin", "an encoder has two pins", help);
                Lines::Single(None)
            }
            (pin, None, None) => Lines::Single(pin.and_then(|pin| self.pin(path, "pin", pin, driver))),
            (None, Some(WrittenPins { a, b }), None) => {
                let path = &[path, &["pins"]].concat();
                match (self.pin(path, "a", a, driver), self.pin(path, "b", b, driver)) {
                    (Some(a), Some(b)) => Lines::Quadrature { a, b },
                    _ => Lines::Single(None),
                }
            }
            (None, None, Some(ports)) if ports.is_empty() => {
                let help = "name a port, or leave it out for a single device";
                self.fault(path, "ports", "`ports` is empty", help);
                Lines::Single(None)
            }
            (None, None, Some(ports)) => {
                let path = &[path, &["ports"]].concat();
                let ports = ports.into_iter().filter_map(|(port, pin)| {
                    let pin = self.pin(path, port.as_str(), pin, driver)?;
                    Some((port, pin))
                });
                Lines::Ports(ports.collect())
            }
            (pin, ..) => {
                let key = if pin.is_some() { "pin" } else { "pins" };
                let why = "a device has `pin` (one), `ports` (a group) or `pins` (an encoder)";
                self.fault(path, key, why, "give only one of them");
                Lines::Single(None)
            }
        }
    }

    fn debounce(&mut self, path: &[&str], debounce: Option<Span>) {
        if let Some(long) = debounce.filter(|debounce| *debounce > DEBOUNCE) {
            let why = format!("a level that must last {long} is no bouncing contact: at most {DEBOUNCE}");
            self.fault(
                path,
                "debounce",
                why,
                "debounce = \"5 ms\" is enough for most; let the task wait longer",
            );
        }
    }

    fn outputs(&mut self, path: &[&str], device: &DeviceConfig) {
        let safe = device.safe.share();
        if safe > 0.0 && device.longest_on.is_some() {
            let why = "an output that is on when safe can't have a `longest_on`";
            self.fault(path, "longest_on", why, "leave one of them out");
        }
        let is_partial = safe > 0.0 && safe < 1.0;
        if is_partial && (device.kind != DeviceKind::LevelOutput || device.driver.is_real()) {
            let why = "nothing dims an output while nothing runs: it is off or on";
            self.fault(path, "safe", why, "write safe = \"0 %\" or safe = \"100 %\"");
        }
        if let Some(frequency) = device.frequency {
            let most = most_switching(device);
            if frequency.hertz() < 1.0 || frequency.hertz() > most.hertz() {
                let why = format!("it can't switch at {frequency}: from 1 Hz to {most}");
                self.fault(path, "frequency", why, "leave it out for 200 Hz");
            }
        }
        if let Some(counts) = device.counts_per_unit.filter(|counts| !counts.is_normal()) {
            let why = format!("an encoder can't have {counts} counts in a unit");
            let help = "turn it by hand and count: four for each period of its lines";
            self.fault(path, "counts_per_unit", why, help);
        }
    }

    /// What only matters where something is connected.
    fn real(&mut self, path: &[&str], device: &DeviceConfig) {
        let word = device.kind.word();
        let driver = if device.driver == DriverConfig::Rppal { "rppal" } else { "gpiocdev" };
        match device.kind {
            DeviceKind::AnalogInput => {
                let why = format!("{driver} has no analog inputs");
                let help = "use driver = \"simulated\", or a child that has them";
                return self.fault(path, "driver", why, help);
            }
            DeviceKind::Display | DeviceKind::Sound | DeviceKind::Camera => {
                let why = format!("{driver} drives pins, and a {word} has none");
                return self.fault(path, "driver", why, "use driver = \"simulated\"");
            }
            DeviceKind::DigitalInput | DeviceKind::Encoder if device.driver == DriverConfig::Rppal => {
                let why = format!("rppal drives outputs, and a {word} is an input");
                let help = "use driver = \"gpiocdev\" with the same pin: its edges have the kernel's times";
                self.fault(path, "driver", why, help);
            }
            _ => {}
        }
        let is_encoder = device.kind == DeviceKind::Encoder;
        match &device.lines {
            // What was written and can't be has its own fault.
            Lines::Single(None) if self.faults.iter().any(|fault| is_about_pins(fault, path)) => {}
            Lines::Single(None) if is_encoder => {
                self.fault(path, "", "its pins are missing", "add a line `pins = { a = 17, b = 18 }`");
            }
            Lines::Single(None) => self.fault(path, "", "its pin is missing", "add a line `pin = 17`"),
            Lines::Ports(_) if is_encoder => {
                let why = "an encoder has two pins, and no ports";
                self.fault(path, "ports", why, "describe each as a device of its own, with `pins`");
            }
            _ => {}
        }
        if is_encoder && !device.unit.is_empty() && device.counts_per_unit.is_none() {
            let why = format!("it is not said how many counts make one {}", device.unit);
            self.fault(
                path,
                "unit",
                why,
                "add a line `counts_per_unit = 2.844` (1024 counts a turn, in deg)",
            );
        }
        if device.kind == DeviceKind::Solenoid {
            let name = path.last().copied().unwrap_or_default();
            if device.flow.is_some() {
                let port = device.ports().first().map(|port| format!(" {port}")).unwrap_or_default();
                let help = format!("leave it out, and run `bramble-pilot calibrate {name}{port}`");
                self.fault(path, "flow", "`flow` is for a simulated valve: a real one is calibrated", help);
            }
            if device.longest_on.is_none() {
                let why = "a real valve needs a `longest_on`: one that stays open floods the box";
                self.fault(path, "", why, "add a line `longest_on = \"2 s\"`");
            }
        }
    }

    fn sync_output(&mut self, written: WrittenSyncOutput) -> SyncOutput {
        const PATH: &[&str] = &["sync_output"];
        let or = |span: Option<Written<Span>>, usual: Span| span.map_or(usual, |span| span.0);
        let random = [
            ("shortest", written.shortest.is_some()),
            ("longest", written.longest.is_some()),
            ("width", written.width.is_some()),
        ];
        let barcode = [
            ("every", written.every.is_some()),
            ("bit", written.bit.is_some()),
            ("bits", written.bits.is_some()),
        ];
        let (pattern, others, word) = match written.pattern {
            WrittenPattern::Random => {
                let gap = (or(written.shortest, Span::from_ms(500)), or(written.longest, Span::from_s(5)));
                let width = or(written.width, Span::from_ms(50));
                (SyncPattern::Random { gap, width }, barcode, "barcode")
            }
            WrittenPattern::Barcode => {
                let (every, bit) = (or(written.every, Span::from_s(5)), or(written.bit, Span::from_ms(30)));
                (SyncPattern::Barcode { every, bit, bits: written.bits.unwrap_or(32) }, random, "random")
            }
        };
        for (key, _) in others.iter().filter(|(_, is_there)| *is_there) {
            let why = format!("`{key}` goes with pattern = \"{word}\"");
            self.fault(PATH, key, why, "leave it out");
        }
        if let Err(why) = pattern.check() {
            self.fault(PATH, "pattern", why, "");
        }
        let (driver, pin) = self.sync_line(PATH, written.driver, written.chip, written.pin);
        SyncOutput { driver, pin, active: written.active.unwrap_or_default(), pattern }
    }

    fn sync_input(&mut self, written: WrittenSyncInput) -> SyncInput {
        const PATH: &[&str] = &["sync_input"];
        let (driver, pin) = self.sync_line(PATH, written.driver, written.chip, written.pin);
        if driver == DriverConfig::Rppal {
            let why = "rppal drives outputs, and this is an input";
            self.fault(PATH, "driver", why, "use driver = \"gpiocdev\" with the same pin");
        }
        let debounce = written.debounce.map(|span| span.0);
        self.debounce(PATH, debounce);
        SyncInput {
            driver,
            pin,
            active: written.active.unwrap_or_default(),
            pull: written.pull.unwrap_or_default(),
            debounce,
        }
    }

    fn sync_line(
        &mut self,
        path: &[&str],
        driver: WrittenDriver,
        chip: Option<String>,
        pin: Option<WrittenPin>,
    ) -> (DriverConfig, Option<Pin>) {
        if driver == WrittenDriver::Child {
            let why = "a sync line is the pilot's own";
            self.fault(path, "driver", why, "use \"gpiocdev\", \"rppal\" or \"simulated\"");
            return (DriverConfig::Simulated, None);
        }
        let driver = self.driver(path, driver, None, chip);
        if driver.is_real() && pin.is_none() {
            self.fault(path, "", "its pin is missing", "add a line `pin = 17`");
        }
        let pin = pin.and_then(|pin| self.pin(path, "pin", pin, &driver));
        (driver, pin)
    }
}

type Ports = std::collections::BTreeMap<Name, WrittenPin>;

fn is_output(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid)
}

fn is_about_pins(fault: &Fault, device: &[&str]) -> bool {
    let (path, key) = fault.path.split_at(device.len().min(fault.path.len()));
    path == device && key.first().is_some_and(|key| ["pin", "pins", "ports"].contains(&key.as_str()))
}

/// How fast an output may switch: the loop has other things to do, the Pi's own
/// PWM has not.
fn most_switching(device: &DeviceConfig) -> Frequency {
    const OWN: [Pin; 4] = [Pin::new(12), Pin::new(13), Pin::new(18), Pin::new(19)];
    let own = match &device.lines {
        Lines::Single(pin) => pin.is_some_and(|pin| OWN.contains(&pin)),
        Lines::Ports(ports) => ports.values().all(|pin| OWN.contains(pin)),
        Lines::Quadrature { .. } => false,
    };
    let hertz = if own && device.driver == DriverConfig::Rppal { 100_000.0 } else { 1_000.0 };
    Frequency::from_hertz(hertz).unwrap_or_default()
}
