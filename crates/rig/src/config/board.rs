//! A Raspberry Pi's 40-pin header, the same on every board since the B+.
//!
//! From the Raspberry Pi documentation, "GPIO and the 40-pin header"
//! (<https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#gpio>).

use std::collections::BTreeSet;

use super::DriverConfig;

/// What is at a position of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// A supply: its voltage.
    Power(&'static str),
    /// Ground.
    Ground,
    /// The GPIO of this number.
    Gpio(u32),
}

use Position::{Gpio, Ground, Power};

const V3: Position = Power("3.3 V");
const V5: Position = Power("5 V");

/// The header from position 1 on: two positions a row.
const HEADER: [[Position; 2]; 20] = [
    [V3, V5],
    [Gpio(2), V5],
    [Gpio(3), Ground],
    [Gpio(4), Gpio(14)],
    [Ground, Gpio(15)],
    [Gpio(17), Gpio(18)],
    [Gpio(27), Ground],
    [Gpio(22), Gpio(23)],
    [V3, Gpio(24)],
    [Gpio(10), Ground],
    [Gpio(9), Gpio(25)],
    [Gpio(11), Gpio(8)],
    [Ground, Gpio(7)],
    [Gpio(0), Gpio(1)],
    [Gpio(5), Ground],
    [Gpio(6), Gpio(12)],
    [Gpio(13), Ground],
    [Gpio(19), Gpio(16)],
    [Gpio(26), Gpio(20)],
    [Ground, Gpio(21)],
];

/// The last GPIO of the header.
pub const LAST: u32 = 27;

/// Those with which the Pi reads what board is stacked on it (ID EEPROM).
pub const RESERVED: [u32; 2] = [0, 1];

/// Those with a resistor to 3.3 V on the board, which no setting takes away.
pub const PULLED_UP: [u32; 2] = [2, 3];

/// Those that say what the board does when it starts: a serial console, where
/// the Pi has one.
pub const CONSOLE: [u32; 2] = [14, 15];

/// The labels of the chips that have the header, by board.
const CHIPS: [(&str, &str); 3] =
    [("pinctrl-bcm2835", "Pi 1 to 3 and Zero"), ("pinctrl-bcm2711", "Pi 4"), ("pinctrl-rp1", "Pi 5")];

/// The names that the header's chip has on a Pi: the second on a Pi 5 with an
/// earlier kernel.
const NAMES: [&str; 2] = ["gpiochip0", "gpiochip4"];

/// What is at a position of the header, counted from 1.
pub fn at(position: u8) -> Option<Position> {
    let place = usize::from(position).checked_sub(1)?;
    Some(HEADER.get(place / 2)?[place % 2])
}

/// The GPIOs that are on the header, have nothing else to do and aren't in
/// `used`, those nearest to `position` first, and last those that the board
/// itself pulls up or talks on.
fn free(position: u8, used: &BTreeSet<u32>) -> Vec<(u8, u32)> {
    let mut free: Vec<(u8, u32)> = (1..=40)
        .filter_map(|position| match at(position)? {
            Gpio(number) => Some((position, number)),
            _ => None,
        })
        .filter(|(_, gpio)| !RESERVED.contains(gpio) && !used.contains(gpio))
        .collect();
    let is_second_choice = |gpio: &u32| PULLED_UP.contains(gpio) || CONSOLE.contains(gpio);
    free.sort_by_key(|(other, gpio)| (is_second_choice(gpio), other.abs_diff(position)));
    free
}

/// The GPIOs next to a position that are free, in a sentence.
pub(super) fn free_near(position: u8, used: &BTreeSet<u32>) -> Option<String> {
    let near: Vec<String> = free(position, used)
        .into_iter()
        .take(2)
        .map(|(position, gpio)| format!("header {position} (GPIO{gpio})"))
        .collect();
    (!near.is_empty()).then(|| format!("near it and free: {}", near.join(", ")))
}

/// The position of a GPIO.
pub fn position(gpio: u32) -> Option<u8> {
    (1..=40).find(|position| at(*position) == Some(Gpio(gpio)))
}

/// The label of the chip that has the header of a board that calls itself `model`, as in
/// `Raspberry Pi 4 Model B Rev 1.4`; `None` where it is no Raspberry Pi.
pub fn chip_of(model: &str) -> Option<&'static str> {
    let board = model.strip_prefix("Raspberry Pi ")?;
    let newest = ["5 ", "500", "Compute Module 5"];
    let newer = ["4 ", "400", "Compute Module 4"];
    let is = |of: &[&str]| of.iter().any(|start| format!("{board} ").starts_with(start));
    Some(match () {
        () if is(&newest) => "pinctrl-rp1",
        () if is(&newer) => "pinctrl-bcm2711",
        () => "pinctrl-bcm2835",
    })
}

/// Whether a driver's pins can only be those of a Pi's header.
pub fn is_header(driver: &DriverConfig) -> bool {
    match driver {
        DriverConfig::Rppal => true,
        DriverConfig::Gpiocdev { chip } => is_header_chip(chip),
        _ => false,
    }
}

/// Whether this is the label of a chip that has the header.
pub fn is_header_chip(chip: &str) -> bool {
    header_chips().any(|label| label == chip)
}

/// Whether a driver's pins are those of the header if the machine is a Pi.
pub(super) fn may_be_header(driver: &DriverConfig) -> bool {
    match driver {
        DriverConfig::Gpiocdev { chip } => {
            is_header(driver) || NAMES.contains(&chip.trim_start_matches("/dev/"))
        }
        _ => is_header(driver),
    }
}

/// The labels of the chips that have the header.
pub(crate) fn header_chips() -> impl Iterator<Item = &'static str> {
    CHIPS.iter().map(|(label, _)| *label)
}

/// The labels to write for the header's chip, in a sentence.
pub(super) fn chips() -> String {
    let chips: Vec<String> = CHIPS.iter().map(|(label, board)| format!("\"{label}\" ({board})")).collect();
    chips.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gpio_of_the_header_is_there_once() {
        let all: Vec<Position> = HEADER.iter().flatten().copied().collect();
        for gpio in 0..=LAST {
            assert_eq!(all.iter().filter(|one| **one == Gpio(gpio)).count(), 1, "GPIO{gpio}");
            assert_eq!(position(gpio).and_then(at), Some(Gpio(gpio)));
        }
        assert_eq!(all.iter().filter(|one| **one == Ground).count(), 8);
        assert_eq!(all.iter().filter(|one| **one == V5).count(), 2);
        assert_eq!(all.iter().filter(|one| **one == V3).count(), 2);
        assert_eq!((at(0), at(41)), (None, None));
    }

    #[test]
    fn well_known_positions_are_where_they_are() {
        assert_eq!(at(1), Some(V3));
        assert_eq!(at(4), Some(V5));
        assert_eq!(at(6), Some(Ground));
        assert_eq!(at(11), Some(Gpio(17)));
        assert_eq!(at(27), Some(Gpio(0)));
        assert_eq!(at(40), Some(Gpio(21)));
    }

    #[test]
    fn a_board_is_known_by_how_it_calls_itself() {
        for (model, chip) in [
            ("Raspberry Pi 5 Model B Rev 1.0", Some("pinctrl-rp1")),
            ("Raspberry Pi 500 Rev 1.0", Some("pinctrl-rp1")),
            ("Raspberry Pi 4 Model B Rev 1.4", Some("pinctrl-bcm2711")),
            ("Raspberry Pi Compute Module 4 Rev 1.0", Some("pinctrl-bcm2711")),
            ("Raspberry Pi 3 Model B Plus Rev 1.3", Some("pinctrl-bcm2835")),
            ("Raspberry Pi Zero 2 W Rev 1.0", Some("pinctrl-bcm2835")),
            ("Rockchip RK3588", None),
        ] {
            assert_eq!(chip_of(model), chip, "{model}");
            assert!(chip.is_none_or(|chip| header_chips().any(|one| one == chip)));
        }
    }

    #[test]
    fn what_is_near_and_free_is_told() {
        let near = free_near(6, &BTreeSet::from([3, 4])).unwrap();
        assert_eq!(near, "near it and free: header 11 (GPIO17), header 12 (GPIO18)");
        assert_eq!(free_near(6, &(0..=LAST).collect()), None);
    }

    #[test]
    fn pins_that_the_board_works_itself_are_told_only_where_no_other_is_free() {
        let others = (4..=LAST).filter(|gpio| !CONSOLE.contains(gpio)).collect();
        let near = free_near(3, &others).unwrap();
        assert_eq!(near, "near it and free: header 3 (GPIO2), header 5 (GPIO3)");
    }
}
