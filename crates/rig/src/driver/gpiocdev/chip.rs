//! Finding a chip, and telling what is wrong with a line of it.

use std::path::{Path, PathBuf};

use gpiocdev::request::Builder;
use gpiocdev::{Error, Request, chip::Chip};
use nix::errno::Errno;

use super::{LineSpec, OpenError, Whereabouts, errno, said};

/// A chip that may be used.
pub(super) struct Opened {
    chip: Chip,
    /// As a rig would call it: `gpiochip0`.
    name: String,
    lines: u32,
}

impl Opened {
    /// The chip of this name (`gpiochip0`), path (`/dev/gpiochip0`) or label
    /// (`pinctrl-bcm2711`). `owner` is whose line is on it.
    pub(super) fn find(wanted: &str, owner: &str) -> Result<Opened, OpenError> {
        let path =
            if wanted.starts_with('/') { PathBuf::from(wanted) } else { Path::new("/dev").join(wanted) };
        match Chip::from_path(&path) {
            Ok(chip) => return Opened::new(chip, wanted, owner),
            Err(error) if is_forbidden(&error) => {
                return Err(OpenError::NoPermission { owner: owner.to_owned(), path });
            }
            Err(_) => {}
        }
        let mut there = Vec::new();
        let mut forbidden = None;
        for path in gpiocdev::chip::chips().unwrap_or_default() {
            match Chip::from_path(&path) {
                Ok(chip) => {
                    let Ok(info) = chip.info() else { continue };
                    if info.label == wanted {
                        return Opened::new(chip, wanted, owner);
                    }
                    there.push(format!("{} ({}, {} lines)", chip.name(), info.label, info.num_lines));
                }
                Err(error) if is_forbidden(&error) => forbidden = Some(path),
                Err(_) => {}
            }
        }
        let owner = owner.to_owned();
        Err(match forbidden {
            // It may be the one: its label can't be read.
            Some(path) => OpenError::NoPermission { owner, path },
            None => OpenError::NoChip { owner, chip: wanted.to_owned(), there },
        })
    }

    fn new(chip: Chip, wanted: &str, owner: &str) -> Result<Opened, OpenError> {
        match chip.info() {
            Ok(info) => Ok(Opened { name: chip.name(), chip, lines: info.num_lines }),
            Err(_) => {
                let (owner, chip) = (owner.to_owned(), wanted.to_owned());
                Err(OpenError::NoChip { owner, chip, there: Vec::new() })
            }
        }
    }

    /// Where a line of this chip is, if the chip has it.
    pub(super) fn place(&self, spec: &LineSpec) -> Result<Whereabouts, OpenError> {
        let (owner, chip) = (spec.owner.clone(), self.name.clone());
        match spec.pin.map(|pin| pin.number()) {
            None => Err(OpenError::NoPin { owner, chip }),
            Some(pin) if pin >= self.lines => Err(OpenError::NoLine { owner, pin, chip, lines: self.lines }),
            Some(pin) => Ok(Whereabouts { owner, pin, chip }),
        }
    }

    /// Asks the kernel for a line, or for lines of one owner together, under its name.
    pub(super) fn request(
        &self,
        places: &[&Whereabouts],
        set_up: impl FnOnce(&mut Builder) -> &mut Builder,
    ) -> Result<Request, OpenError> {
        let pins: Vec<u32> = places.iter().map(|place| place.pin).collect();
        let owner = places.first().map_or("", |place| &place.owner);
        let mut builder = Request::builder();
        builder.on_chip(self.chip.path()).with_consumer(consumer(owner)).with_lines(&pins);
        set_up(&mut builder).request().map_err(|error| self.refused(places, &error))
    }

    /// Why the kernel refused these lines.
    fn refused(&self, places: &[&Whereabouts], error: &Error) -> OpenError {
        let user = |place: &Whereabouts| {
            self.chip.line_info(place.pin).ok().filter(|info| info.used).map(|info| info.consumer)
        };
        let used = places.iter().find(|place| user(place).is_some());
        let Some(place) = used.or(places.first()) else {
            let (owner, chip) = (String::new(), self.name.clone());
            return OpenError::NoPin { owner, chip };
        };
        let Whereabouts { owner, pin, chip } = (*place).clone();
        match errno(error) {
            Some(Errno::EBUSY) => {
                let by = user(place).filter(|by| !by.is_empty());
                let by = by.map_or("something that doesn't say its name".to_owned(), |by| format!("`{by}`"));
                OpenError::Taken { owner, pin, chip, by }
            }
            Some(Errno::EACCES | Errno::EPERM) => {
                OpenError::NoPermission { owner, path: self.chip.path().to_owned() }
            }
            _ => OpenError::Refused { owner, pin, chip, why: said(error) },
        }
    }
}

fn is_forbidden(error: &Error) -> bool {
    matches!(errno(error), Some(Errno::EACCES | Errno::EPERM))
}

/// What the kernel shows as the user of a line; it keeps 31 bytes of it.
fn consumer(owner: &str) -> String {
    let mut name = format!("bramble {owner}");
    while name.len() > 31 {
        name.pop();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_that_no_machine_has_is_not_found() {
        for wanted in ["gpiochip4711", "/dev/gpiochip4711", "pinctrl-of-nowhere"] {
            match Opened::find(wanted, "poke") {
                Err(OpenError::NoChip { chip, owner, .. }) => {
                    assert_eq!((chip.as_str(), &*owner), (wanted, "poke"))
                }
                Err(OpenError::NoPermission { .. }) => {}
                other => panic!("{:?}", other.map(|chip| chip.name)),
            }
        }
    }

    #[test]
    fn a_consumer_fits_the_kernel_s_name() {
        assert_eq!(consumer("poke.left"), "bramble poke.left");
        assert_eq!(consumer(&"ä".repeat(40)).len(), 30);
    }
}
