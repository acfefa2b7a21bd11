//! One device or sync line of a rig, as its answers.

use std::collections::BTreeMap;

use toml_edit::{InlineTable, Item, Value};

use super::edit::Form;
use super::{Draft, Path};

/// What a device may be, as its file says it, and in a person's words.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("digital_input", "beam, poke, lever, lick"),
    ("digital_output", "light, motor, TTL"),
    ("solenoid", "valve"),
    ("level_output", "light that can be dimmed"),
    ("encoder", "running wheel"),
    ("sound", "speaker"),
    ("analog_input", "a voltage"),
    ("display", "screen"),
    ("camera", "camera"),
];

/// What of a rig has pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// A device that tasks ask for.
    Device,
    /// The line that tells other recordings the time.
    SyncOutput,
    /// The line on which another recording tells its time.
    SyncInput,
}

/// The answers that make a device or a sync line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    /// What it is.
    pub(crate) is: Pinned,
    /// Its name; of a sync line it can't be chosen.
    pub(crate) name: String,
    /// Each line: its port, or `a` and `b` of an encoder, and its pin as it is typed.
    pub(crate) lines: Vec<(Option<String>, String)>,
    /// Everything else, by its key.
    pub(crate) says: BTreeMap<String, String>,
}

impl Pinned {
    /// What a sync line is called in the file.
    fn key(self) -> Option<&'static str> {
        match self {
            Pinned::Device => None,
            Pinned::SyncOutput => Some("sync_output"),
            Pinned::SyncInput => Some("sync_input"),
        }
    }
}

/// Whether a kind is an output.
fn is_output(kind: &str) -> bool {
    ["digital_output", "solenoid", "level_output"].contains(&kind)
}

impl Device {
    /// A device of this kind and driver, otherwise as most are.
    pub(crate) fn new(is: Pinned, driver: &str, pin: &str) -> Device {
        let says: &[(&str, &str)] = match is {
            Pinned::Device => &[("kind", "digital_input"), ("pull", "up")],
            Pinned::SyncOutput => &[("pattern", "barcode")],
            Pinned::SyncInput => &[("pull", "down")],
        };
        let mut says: BTreeMap<String, String> =
            says.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        says.insert("driver".to_owned(), driver.to_owned());
        Device {
            is,
            name: is.key().unwrap_or_default().to_owned(),
            lines: vec![(None, pin.to_owned())],
            says,
        }
    }

    /// What is said of a key; empty where nothing is.
    pub(crate) fn says(&self, key: &str) -> &str {
        self.says.get(key).map_or("", String::as_str)
    }

    /// What it is, in the file's word; of a sync line nothing.
    pub(crate) fn kind(&self) -> &str {
        self.says("kind")
    }

    /// Whether it is connected to lines of this computer, or to simulated ones.
    pub(crate) fn has_lines(&self) -> bool {
        let kind = self.kind();
        let bodiless = ["sound", "display", "camera", "analog_input"].contains(&kind);
        !bodiless && self.says("driver") != "child"
    }

    /// The keys that may be said of it as it is now, in the order in which they are asked.
    pub(crate) fn keys(&self) -> Vec<&'static str> {
        let mut keys = match self.is {
            Pinned::Device => vec!["kind", "driver"],
            _ => vec!["driver"],
        };
        let (kind, driver) = (self.kind(), self.says("driver"));
        let on_child = driver == "child";
        let simulated = driver == "simulated";
        let input = ["digital_input", "encoder"].contains(&kind) || self.is == Pinned::SyncInput;
        let (output, encoder) = (is_output(kind), kind == "encoder");
        let mut add = |key, applies: bool| {
            if applies {
                keys.push(key);
            }
        };
        add("child", on_child);
        add("chip", driver == "gpiocdev" && !self.says("chip").is_empty());
        add("longest_on", output);
        add("active", !on_child && (input || output || self.is == Pinned::SyncOutput));
        add("pull", !on_child && input);
        add("debounce", !on_child && input);
        add("safe", output);
        add("frequency", !on_child && kind == "level_output");
        add("unit", encoder || kind == "analog_input");
        add("counts_per_unit", !on_child && encoder);
        add("flow", simulated && kind == "solenoid");
        add("pattern", self.is == Pinned::SyncOutput);
        let (barcode, random) = match (self.is, self.says("pattern")) {
            (Pinned::SyncOutput, "random") => (false, true),
            (Pinned::SyncOutput, _) => (true, false),
            _ => (false, false),
        };
        for key in ["every", "bit", "bits"] {
            add(key, barcode);
        }
        for key in ["shortest", "longest", "width"] {
            add(key, random);
        }
        keys
    }

    /// Says something of a key. What has no meaning then is left out when it is written.
    pub(crate) fn say(&mut self, key: &str, value: &str) {
        self.says.insert(key.to_owned(), value.to_owned());
        if key == "kind" {
            let is_pair = self.lines.iter().any(|(port, _)| port.as_deref() == Some("a"));
            match value {
                "encoder" if !is_pair => {
                    let first = self.lines.first().map(|(_, pin)| pin.clone()).unwrap_or_default();
                    self.lines = vec![(Some("a".to_owned()), first), (Some("b".to_owned()), String::new())];
                }
                "encoder" => {}
                _ if is_pair => self.lines = vec![(None, self.lines[0].1.clone())],
                _ => {}
            }
            if value == "solenoid" && self.says("longest_on").is_empty() {
                self.says.insert("longest_on".to_owned(), "2 s".to_owned());
            }
            if ["sound", "display", "camera", "analog_input"].contains(&value) {
                self.says.insert("driver".to_owned(), "simulated".to_owned());
            }
        }
    }

    /// Adds a port. The pin of a single device becomes that of its first port.
    pub(crate) fn add_port(&mut self, port: &str, pin: &str) {
        match self.lines.as_mut_slice() {
            [(single @ None, _)] => *single = Some(port.to_owned()),
            _ => self.lines.push((Some(port.to_owned()), pin.to_owned())),
        }
    }

    /// Takes a port away; of the last one its pin stays.
    pub(crate) fn remove_port(&mut self, at: usize) {
        match self.lines.len() {
            0 | 1 => self.lines.iter_mut().for_each(|(port, _)| *port = None),
            _ if at < self.lines.len() => _ = self.lines.remove(at),
            _ => {}
        }
    }
}

/// How the value of a device's key is written.
fn form(key: &str) -> Form {
    match key {
        "counts_per_unit" | "bits" => Form::Number,
        _ => Form::Text,
    }
}

impl Draft {
    /// The names of the devices, in the order of the file.
    pub(crate) fn devices(&self) -> Vec<String> {
        self.names(&["rig", "devices"])
    }

    /// Whether the rig has this sync line.
    pub(crate) fn has(&self, line: Pinned) -> bool {
        line.key().is_some_and(|key| self.item(&["rig", key]).is_some())
    }

    /// The answers that make a device or sync line that is there.
    pub(crate) fn device(&self, is: Pinned, name: &str) -> Option<Device> {
        let path = place(is, name);
        let table = self.item(&path)?.as_table_like()?;
        let mut device = Device { is, name: name.to_owned(), lines: Vec::new(), says: BTreeMap::new() };
        for (key, item) in table.iter() {
            match (key, item.as_table_like()) {
                ("pins" | "ports", Some(lines)) => {
                    let line = |(port, item): (&str, &Item)| {
                        (Some(port.to_owned()), item.as_value().map(super::shown).unwrap_or_default())
                    };
                    device.lines = lines.iter().map(line).collect();
                }
                ("pin", None) => {
                    device.lines = vec![(None, self.get(&[path.as_slice(), &["pin"]].concat())?)]
                }
                _ => {
                    let value = item.as_value().map(super::shown).unwrap_or_default();
                    _ = device.says.insert(key.to_owned(), value);
                }
            }
        }
        if device.lines.is_empty() {
            device.lines.push((None, String::new()));
        }
        Some(device)
    }

    /// Writes a device or sync line, in place of the one that was called `old`.
    pub(crate) fn put_device(&mut self, old: Option<&str>, device: &Device) {
        if let Some(old) = old.filter(|old| *old != device.name) {
            self.rename(&place(device.is, old), &device.name);
        }
        let path = place(device.is, &device.name);
        let at = |key| [path.as_slice(), &[key]].concat();
        let keys = device.keys();
        let unmeant: Vec<String> =
            device.says.keys().filter(|key| !keys.contains(&key.as_str())).cloned().collect();
        for key in &keys {
            self.set(&at(key), form(key), device.says(key));
        }
        for key in unmeant {
            self.remove(&[path.as_slice(), &[&key]].concat());
        }
        self.put_lines(&path, device);
    }

    fn put_lines(&mut self, path: Path, device: &Device) {
        let lines: Vec<_> =
            device.lines.iter().filter(|(_, pin)| device.has_lines() && !pin.is_empty()).collect();
        let key = match lines.first() {
            None => None,
            Some((None, _)) => Some("pin"),
            Some(_) if device.kind() == "encoder" => Some("pins"),
            Some(_) => Some("ports"),
        };
        for other in ["pin", "pins", "ports"] {
            if Some(other) != key {
                self.remove(&[path, &[other]].concat());
            }
        }
        let Some(key) = key else { return };
        let at = [path, &[key]].concat();
        if let (Some((None, pin)), "pin") = (lines.first(), key) {
            return self.set(&at, Form::Number, pin);
        }
        if self.item(&at).is_none_or(|item| item.as_table_like().is_none()) {
            self.put(&at, Value::InlineTable(InlineTable::new()));
        }
        for gone in
            self.names(&at).iter().filter(|name| !lines.iter().any(|(port, _)| port.as_ref() == Some(name)))
        {
            self.remove(&[at.as_slice(), &[gone]].concat());
        }
        for (port, pin) in &lines {
            let port = port.as_deref().unwrap_or_default();
            self.set(&[at.as_slice(), &[port]].concat(), Form::Number, pin);
        }
    }

    /// Takes a device or sync line out of the rig.
    pub(crate) fn remove_device(&mut self, is: Pinned, name: &str) {
        self.remove(&place(is, name));
    }
}

/// The key of a device or sync line, from the root of the file.
pub(crate) fn place(is: Pinned, name: &str) -> Vec<&str> {
    match is.key() {
        Some(key) => vec!["rig", key],
        None => vec!["rig", "devices", name],
    }
}
