//! The GPIO chips of this machine, looked at without taking a line of them.

use std::path::Path;

use bramble_config::Fault;
use gpiocdev::chip::{Chip, chips};

use crate::config::{RigConfig, header_chips};

/// The pins of a rig that the chips of this machine lack, each at its key from the
/// rig on. A chip that isn't there, or that this user may not read, lacks none:
/// opening it says what is wrong.
pub fn lacking(rig: &RigConfig) -> Vec<Fault> {
    rig.pins_beyond(|wanted| {
        let chip = find(wanted)?;
        let info = chip.info().ok()?;
        Some((format!("{} ({})", chip.name(), info.label), info.num_lines))
    })
}

/// Who has this GPIO of a Raspberry Pi's header, as far as its kernel knows.
pub(super) fn user_of(gpio: u32) -> Option<String> {
    let chip = header_chips().find_map(find)?;
    let info = chip.line_info(gpio).ok().filter(|info| info.used)?;
    Some(match info.consumer.as_str() {
        "" => "something that doesn't say its name".to_owned(),
        by => format!("`{by}`"),
    })
}

/// The chip of this name, path or label.
fn find(wanted: &str) -> Option<Chip> {
    let named = Chip::from_path(Path::new("/dev").join(wanted)).ok();
    let labelled = || {
        let mut all = chips().unwrap_or_default().into_iter().filter_map(|path| Chip::from_path(path).ok());
        all.find(|chip| chip.info().is_ok_and(|info| info.label == wanted))
    };
    named.or_else(labelled)
}
