//! The parts of a rig by the names that people type: `light.left`.

use bramble_task::definition::DeviceKind;
use bramble_task::did_you_mean;
use bramble_value::Level;
use thiserror::Error;

use super::protocol::Part;

/// A name that is not the one of what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum NameError {
    /// Nothing is called so.
    #[error(
        "the rig has no `{name}`{}: it has {all}",
        suggestion.as_ref().map(|one| format!(" ({one})")).unwrap_or_default()
    )]
    Unknown {
        /// What was typed.
        name: String,
        /// What may have been meant.
        suggestion: Option<String>,
        /// All that could be.
        all: String,
    },
    /// It is a group, and one of its ports is meant.
    #[error("`{name}` has ports: say which of {ports}")]
    Group {
        /// The group.
        name: String,
        /// Its ports, by their whole names.
        ports: String,
    },
    /// It is an input.
    #[error(
        "`{name}` is an input ({kind}): nothing can be set there; `bramble-pilot monitor {name}` shows it"
    )]
    Input {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// It is an output.
    #[error(
        "`{name}` is an output ({kind}): there is nothing to be read; `bramble-pilot set {name} on` switches it"
    )]
    Output {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// It is an output, but not one that is on or off.
    #[error("`{name}` is a {kind}, which is not switched by hand: a task uses it")]
    NotSwitched {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// It is on or off, and nothing between.
    #[error("`{name}` is a {kind}: it is on or off, and nothing between")]
    OnOrOff {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// It is no valve.
    #[error("`{name}` is a {kind}, and no valve{}", valves(all))]
    NoValve {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
        /// Every valve there is.
        all: String,
    },
}

fn valves(all: &str) -> String {
    if all.is_empty() { ": the rig has none".to_owned() } else { format!(": choose one of {all}") }
}

impl Part {
    /// Whether it is read, rather than written.
    pub(crate) fn is_input(&self) -> bool {
        matches!(self.kind, DeviceKind::DigitalInput | DeviceKind::AnalogInput | DeviceKind::Encoder)
    }

    /// Whether it is on or off, or on at a level.
    pub(crate) fn is_switched(&self) -> bool {
        matches!(self.kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid)
    }

    /// The device that it is a port of.
    fn device(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(device, _)| device)
    }
}

/// The place among `parts` of the one that is called so.
pub(crate) fn find(parts: &[Part], name: &str) -> Result<usize, NameError> {
    if let Some(place) = parts.iter().position(|part| part.name == name) {
        return Ok(place);
    }
    let ports = group(parts, name);
    if !ports.is_empty() {
        return Err(NameError::Group { name: name.to_owned(), ports: listed(ports) });
    }
    Err(unknown(parts, name))
}

/// The places of what is called so: one part, or all ports of a group.
pub(crate) fn find_all(parts: &[Part], name: &str) -> Result<Vec<usize>, NameError> {
    let named = |part: &Part| part.name == name || part.device() == name;
    let found: Vec<usize> = (0..parts.len()).filter(|place| named(&parts[*place])).collect();
    if found.is_empty() { Err(unknown(parts, name)) } else { Ok(found) }
}

/// The place of an output that is switched.
pub(crate) fn output(parts: &[Part], name: &str) -> Result<usize, NameError> {
    let place = find(parts, name)?;
    let part = &parts[place];
    let (name, kind) = (part.name.clone(), part.kind.word());
    if part.is_input() {
        Err(NameError::Input { name, kind })
    } else if !part.is_switched() {
        Err(NameError::NotSwitched { name, kind })
    } else {
        Ok(place)
    }
}

/// The place of an output that can have this level.
pub(crate) fn output_at(parts: &[Part], name: &str, level: Level) -> Result<usize, NameError> {
    let place = output(parts, name)?;
    let part = &parts[place];
    if part.kind != DeviceKind::LevelOutput && ![0.0, 1.0].contains(&level.share()) {
        return Err(NameError::OnOrOff { name: part.name.clone(), kind: part.kind.word() });
    }
    Ok(place)
}

/// The place of a valve.
pub(crate) fn valve(parts: &[Part], name: &str) -> Result<usize, NameError> {
    let place = find(parts, name)?;
    let part = &parts[place];
    if part.kind == DeviceKind::Solenoid {
        return Ok(place);
    }
    let all = listed(parts.iter().filter(|part| part.kind == DeviceKind::Solenoid));
    Err(NameError::NoValve { name: part.name.clone(), kind: part.kind.word(), all })
}

fn group<'a>(parts: &'a [Part], device: &str) -> Vec<&'a Part> {
    parts.iter().filter(|part| part.name != part.device() && part.device() == device).collect()
}

fn unknown(parts: &[Part], name: &str) -> NameError {
    let devices = parts.iter().map(Part::device);
    let known = parts.iter().map(|part| part.name.as_str()).chain(devices);
    NameError::Unknown {
        name: name.to_owned(),
        suggestion: did_you_mean(name, known),
        all: if parts.is_empty() { "nothing".to_owned() } else { listed(parts) },
    }
}

fn listed<'a>(parts: impl IntoIterator<Item = &'a Part>) -> String {
    parts.into_iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn part(name: &str, kind: DeviceKind) -> Part {
        let (unit, safe) = (String::new(), Level::default());
        Part {
            name: name.to_owned(),
            kind,
            unit,
            safe,
            longest_on: None,
            simulated: true,
            reads: None,
            doses: false,
        }
    }

    fn rig() -> Vec<Part> {
        vec![
            part("dimmer", DeviceKind::LevelOutput),
            part("light.left", DeviceKind::DigitalOutput),
            part("light.right", DeviceKind::DigitalOutput),
            part("poke.left", DeviceKind::DigitalInput),
            part("speaker", DeviceKind::Sound),
            part("valve.left", DeviceKind::Solenoid),
        ]
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_one_that_was_meant() {
        let error = find(&rig(), "ligth.left").unwrap_err().to_string();
        assert!(error.contains("did you mean `light.left`?"), "{error}");
        let error = find(&[], "light").unwrap_err().to_string();
        assert!(error.contains("it has nothing"), "{error}");
    }

    #[test]
    fn a_group_is_told_apart_from_its_ports() {
        let error = find(&rig(), "light").unwrap_err().to_string();
        assert_eq!(error, "`light` has ports: say which of light.left, light.right");
        assert_eq!(find_all(&rig(), "light"), Ok(vec![1, 2]));
        assert_eq!(find_all(&rig(), "poke.left"), Ok(vec![3]));
    }

    #[test]
    fn what_a_part_can_not_do_is_said_with_what_it_is() {
        let half = Level::from_share(0.5).unwrap();
        for (refused, says) in [
            (
                output(&rig(), "poke.left"),
                "`poke.left` is an input (digital_input): nothing can be set there",
            ),
            (output(&rig(), "speaker"), "`speaker` is a sound, which is not switched by hand"),
            (output_at(&rig(), "light.left", half), "it is on or off, and nothing between"),
            (valve(&rig(), "light.left"), "no valve: choose one of valve.left"),
        ] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(output_at(&rig(), "dimmer", half), Ok(0));
        assert_eq!(valve(&rig(), "valve.left"), Ok(5));
    }
}
