//! What can't be between a rig's pins: two that want the same, and those that
//! the board has for itself.

use std::collections::{BTreeMap, BTreeSet};

use bramble_config::Fault;
use bramble_task::definition::DeviceKind;
use bramble_value::Name;

use super::{Active, DeviceConfig, DriverConfig, Lines, Pin, Pull, RigConfig, board};

/// A pin, and whose it is.
struct Claim<'a> {
    /// Its key, from the rig on.
    path: Vec<String>,
    /// `poke.left`, `wheel a`, `sync_output`.
    owner: String,
    driver: &'a DriverConfig,
    pin: Pin,
    pull: Option<Pull>,
    /// Whether it is an output that must not be on for long, and high is on.
    is_high_brief: bool,
}

/// What drives pins of the same numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Chip<'a> {
    /// A Raspberry Pi's header, whichever driver it is reached by.
    Header,
    Named(&'a str),
    Simulated,
    Child(&'a Name),
}

/// Every fault of the pins of this rig.
pub(super) fn faults(rig: &RigConfig) -> Vec<Fault> {
    let claims = claims(rig);
    let is_pi = claims.iter().any(|claim| board::is_header(claim.driver));
    let used: BTreeSet<u32> = claims.iter().map(|claim| claim.pin.number()).collect();
    let mut owners: BTreeMap<(Chip, Pin), &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for claim in &claims {
        let chip = chip(claim.driver, is_pi);
        if chip == Chip::Header {
            faults.extend(header(claim, &used));
        }
        let is_header = chip == Chip::Header;
        match owners.get(&(chip, claim.pin)) {
            Some(first) => faults.push(shared(claim, first, is_header, &used)),
            None => _ = owners.insert((self::chip(claim.driver, is_pi), claim.pin), &claim.owner),
        }
    }
    faults
}

impl RigConfig {
    /// The pins that their chips lack: each chip, as the rig calls it, has a name
    /// and so many lines, where it is known.
    pub(crate) fn pins_beyond(&self, chip: impl Fn(&str) -> Option<(String, u32)>) -> Vec<Fault> {
        let beyond = |claim: Claim| {
            let DriverConfig::Gpiocdev { chip: wanted } = claim.driver else { return None };
            let (name, lines) = chip(wanted)?;
            let (pin, owner) = (claim.pin, &claim.owner);
            (pin.number() >= lines).then(|| Fault {
                path: claim.path,
                message: format!("there is no pin {pin} for {owner}: {name} has {lines} lines, from 0 on"),
                help: Some(
                    "`gpioinfo` lists the lines of every chip; say another `pin`, or another `chip`"
                        .to_owned(),
                ),
            })
        };
        claims(self).into_iter().filter_map(beyond).collect()
    }
}

impl RigConfig {
    /// What is at each used position of a Raspberry Pi's header: `poke.left`, `wheel a`,
    /// `sync_output`. Nothing where the rig is no Pi's.
    pub fn on_header(&self) -> BTreeMap<u8, String> {
        let claims = claims(self);
        let is_pi = claims.iter().any(|claim| board::is_header(claim.driver));
        let on_header = claims.into_iter().filter(|claim| chip(claim.driver, is_pi) == Chip::Header);
        on_header.filter_map(|claim| Some((board::position(claim.pin.number())?, claim.owner))).collect()
    }
}

fn chip(driver: &DriverConfig, is_pi: bool) -> Chip<'_> {
    match driver {
        _ if board::is_header(driver) || (is_pi && board::may_be_header(driver)) => Chip::Header,
        DriverConfig::Gpiocdev { chip } => Chip::Named(chip.trim_start_matches("/dev/")),
        DriverConfig::Child(child) => Chip::Child(child),
        DriverConfig::Simulated | DriverConfig::Rppal => Chip::Simulated,
    }
}

fn shared(claim: &Claim<'_>, first: &str, is_header: bool, used: &BTreeSet<u32>) -> Fault {
    let (pin, owner) = (claim.pin, &claim.owner);
    let help = is_header.then(|| board::free_near(board::position(pin.number())?, used)).flatten();
    Fault {
        path: claim.path.clone(),
        message: format!("pin {pin} is given to both {first} and {owner}"),
        help: Some(help.unwrap_or_else(|| "give each its own".to_owned())),
    }
}

/// What a Raspberry Pi has against this pin.
fn header(claim: &Claim<'_>, used: &BTreeSet<u32>) -> Option<Fault> {
    let gpio = claim.pin.number();
    let near = || board::free_near(board::position(gpio).unwrap_or(11), used);
    let (message, help) = if gpio > board::LAST {
        let of = if gpio <= 53 { "is used by the Pi itself" } else { "is not there" };
        (format!("GPIO{gpio} {of}: the header has 0 to {}", board::LAST), near())
    } else if board::RESERVED.contains(&gpio) {
        (format!("GPIO{gpio} is reserved: the Pi asks with it what board is stacked on it"), near())
    } else if board::PULLED_UP.contains(&gpio) && matches!(claim.pull, Some(Pull::Down | Pull::Off)) {
        let message = format!("GPIO{gpio} has a resistor to 3.3 V on the board, which no `pull` takes away");
        (message, Some("write pull = \"up\", or take another pin".to_owned()))
    } else if board::PULLED_UP.contains(&gpio) && claim.is_high_brief {
        let message = format!(
            "GPIO{gpio} has a resistor to 3.3 V on the board: from power-up until the pilot starts, this output \
             would be on for longer than its `longest_on`"
        );
        (message, near())
    } else {
        return None;
    };
    Some(Fault { path: claim.path.clone(), message, help })
}

fn claims(rig: &RigConfig) -> Vec<Claim<'_>> {
    let mut claims: Vec<Claim> =
        rig.devices.iter().flat_map(|(name, device)| of_device(name, device)).collect();
    let sync = rig.sync.iter().map(|sync| ("sync_output", &sync.driver, sync.pin, None));
    let sync_input =
        rig.sync_input.iter().map(|sync| ("sync_input", &sync.driver, sync.pin, Some(sync.pull)));
    for (table, driver, pin, pull) in sync.chain(sync_input) {
        let path = vec![table.to_owned(), "pin".to_owned()];
        claims.extend(pin.map(|pin| Claim {
            path,
            owner: table.to_owned(),
            driver,
            pin,
            pull,
            is_high_brief: false,
        }));
    }
    claims
}

fn of_device<'a>(name: &Name, device: &'a DeviceConfig) -> Vec<Claim<'a>> {
    let is_input = matches!(device.kind, DeviceKind::DigitalInput | DeviceKind::Encoder);
    let claim = |keys: &[&str], owner: String, pin: Pin| Claim {
        path: [&["devices", name.as_str()], keys].concat().iter().map(|key| (*key).to_owned()).collect(),
        owner,
        driver: &device.driver,
        pin,
        pull: is_input.then_some(device.pull),
        is_high_brief: device.longest_on.is_some() && device.active == Active::High,
    };
    match &device.lines {
        Lines::Single(pin) => pin.iter().map(|pin| claim(&["pin"], name.to_string(), *pin)).collect(),
        Lines::Ports(ports) => {
            let port =
                |(port, pin): (&Name, &Pin)| claim(&["ports", port.as_str()], format!("{name}.{port}"), *pin);
            ports.iter().map(port).collect()
        }
        Lines::Quadrature { a, b } => vec![
            claim(&["pins", "a"], format!("{name} a"), *a),
            claim(&["pins", "b"], format!("{name} b"), *b),
        ],
    }
}
