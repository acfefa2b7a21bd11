//! Why a rig can't be opened, so that a person knows what to do.

use std::path::PathBuf;

use thiserror::Error;

/// Why a rig can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// There is no such chip.
    #[error("there is no GPIO chip `{chip}` for `{owner}`: {}", chips(there))]
    NoChip {
        /// Whose line is on it.
        owner: String,
        /// What the rig calls it.
        chip: String,
        /// The chips there are: `gpiochip0 (pinctrl-bcm2711, 58 lines)`.
        there: Vec<String>,
    },
    /// This user may not use it.
    #[error(
        "`{owner}` needs {}, which this user may not open: add the user to the group `gpio` (sudo usermod -aG \
         gpio $USER, then log in again), or run as root",
        path.display()
    )]
    NoPermission {
        /// Whose line is on it.
        owner: String,
        /// The file.
        path: PathBuf,
    },
    /// The chip has no such line.
    #[error("`{owner}` is on pin {pin}, and {chip} has only pins 0 to {}", lines.saturating_sub(1))]
    NoLine {
        /// Whose line it is.
        owner: String,
        /// Its number.
        pin: u32,
        /// The chip.
        chip: String,
        /// How many lines the chip has.
        lines: u32,
    },
    /// Another program or a driver of the kernel has the line.
    #[error("pin {pin} of {chip}, for `{owner}`, is taken by {by}: {}", release(by))]
    Taken {
        /// Whose line it is.
        owner: String,
        /// Its number.
        pin: u32,
        /// The chip.
        chip: String,
        /// Who has it, as it calls itself.
        by: String,
    },
    /// The line's device says no pin.
    #[error("`{owner}` has no pin: say which line of {chip} it is on, pin = 17")]
    NoPin {
        /// Whose line it is.
        owner: String,
        /// The chip.
        chip: String,
    },
    /// The machine isn't a Raspberry Pi.
    #[error(
        "`{owner}` is on driver \"rppal\", which is for Raspberry Pis, and this machine is none that it knows \
         ({model}): use driver = \"gpiocdev\""
    )]
    NotAPi {
        /// Whose line it is.
        owner: String,
        /// What the machine is, as it says itself.
        model: String,
    },
    /// An input on a driver that only has outputs.
    #[error(
        "`{owner}` is an input, and driver \"rppal\" is for outputs: use driver = \"gpiocdev\", which has the \
         kernel's time stamps, with the same pin"
    )]
    NotAnInput {
        /// Whose line it is.
        owner: String,
    },
    /// The chip or the kernel won't have the line as it was asked for.
    #[error("pin {pin} of {chip}, for `{owner}`, can't be set up: {why}")]
    Refused {
        /// Whose line it is.
        owner: String,
        /// Its number.
        pin: u32,
        /// The chip.
        chip: String,
        /// Why, as the kernel says it.
        why: String,
    },
}

fn chips(there: &[String]) -> String {
    match there {
        [] => "this machine has none (is the driver of its GPIO loaded, and /dev visible?)".to_owned(),
        there => format!("there are {}", there.join(", ")),
    }
}

fn release(by: &str) -> &'static str {
    if by.starts_with("`bramble ") {
        "another pilot, or its guard, still holds it: end that first"
    } else {
        "end what uses it, or choose another pin"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_that_is_not_there_is_told_with_those_that_are() {
        let error = |there| OpenError::NoChip { owner: "poke.left".into(), chip: "gpiochip7".into(), there };
        let there = vec!["gpiochip0 (pinctrl-bcm2711, 58 lines)".to_owned()];
        assert_eq!(
            error(there).to_string(),
            "there is no GPIO chip `gpiochip7` for `poke.left`: there are gpiochip0 (pinctrl-bcm2711, 58 lines)"
        );
        assert!(error(Vec::new()).to_string().contains("this machine has none"));
    }

    #[test]
    fn who_holds_a_pin_is_named() {
        let taken = |by: &str| {
            let (owner, chip) = ("valve.left".into(), "gpiochip0".into());
            OpenError::Taken { owner, pin: 17, chip, by: by.into() }.to_string()
        };
        assert_eq!(
            taken("`gpiomon`"),
            "pin 17 of gpiochip0, for `valve.left`, is taken by `gpiomon`: end what uses it, or choose another pin"
        );
        assert!(taken("`bramble valve.left`").contains("another pilot"));
    }
}
