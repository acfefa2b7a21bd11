//! All banks of a rig, opened: what is there between two sessions too.

use std::collections::BTreeMap;

use bramble_value::Name;

use crate::config::{DriverConfig, RigConfig};
use crate::driver::gpiocdev::Gpiocdev;
use crate::driver::rppal::Rppal;
use crate::driver::{Bank, DriverError, Hands, LineId, LineSpec, Memory, OpenError, Purpose};
use crate::guard::Guarded;

/// The lines of a rig, opened and held. Outputs are at their safe levels until
/// something else is written, and again when this is dropped.
pub struct Rig {
    pub(super) banks: Vec<Box<dyn Bank>>,
    /// The lines, by their numbers, and the bank that each is in.
    pub(super) lines: Vec<(LineSpec, usize)>,
    /// The counts in a unit of each encoder that says it.
    pub(super) counts: BTreeMap<Name, f64>,
}

impl Rig {
    /// Opens every line of a rig. What is simulated in it is in memory, and
    /// nobody works it; what a child drives is not opened.
    ///
    /// # Errors
    /// [`OpenError`] of the first line that can't be had: whose it is, and why.
    pub fn open(config: &RigConfig) -> Result<Rig, OpenError> {
        let specs = config.lines();
        let mut groups: Vec<(&DriverConfig, Vec<(LineId, &LineSpec)>)> = Vec::new();
        for (id, spec) in numbered(&specs) {
            match groups.iter_mut().find(|(driver, _)| *driver == &spec.driver) {
                Some((_, lines)) => lines.push((id, spec)),
                None => groups.push((&spec.driver, vec![(id, spec)])),
            }
        }
        let mut banks: Vec<Box<dyn Bank>> = Vec::new();
        let mut place = vec![0; specs.len()];
        for (driver, lines) in &groups {
            for (id, _) in lines {
                place[id.index()] = banks.len();
            }
            banks.push(match driver {
                DriverConfig::Gpiocdev { chip } => Box::new(Gpiocdev::open(chip, lines)?),
                DriverConfig::Rppal => Box::new(Rppal::open(lines)?),
                DriverConfig::Simulated | DriverConfig::Child(_) => Box::new(Memory::new(specs.len()).0),
            });
        }
        Ok(Rig::of(config, banks, specs.into_iter().zip(place).collect()))
    }

    /// A rig whose lines are all in memory, and the hands that work them: for
    /// trying and measuring what runs on it.
    pub fn in_memory(config: &RigConfig) -> (Rig, Hands) {
        let specs = config.lines();
        let (memory, hands) = Memory::new(specs.len());
        let lines = specs.into_iter().map(|spec| (spec, 0)).collect();
        (Rig::of(config, vec![Box::new(memory)], lines), hands)
    }

    fn of(config: &RigConfig, banks: Vec<Box<dyn Bank>>, lines: Vec<(LineSpec, usize)>) -> Rig {
        let counts = config.devices.iter();
        let counts = counts.filter_map(|(name, device)| Some((name.clone(), device.counts_per_unit?)));
        Rig { banks, lines, counts: counts.collect() }
    }

    /// The lines, in the order of their numbers.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &LineSpec> {
        self.lines.iter().map(|(spec, _)| spec)
    }

    /// What somebody else needs to make the outputs safe.
    ///
    /// # Errors
    /// [`DriverError`] where it can't be handed over, as in all that follows.
    pub fn guarded(&self) -> Result<Vec<Guarded>, DriverError> {
        self.banks.iter().try_fold(Vec::new(), |mut all, bank| {
            all.extend(bank.guarded()?);
            Ok(all)
        })
    }

    /// Brings every output to its safe level, those after one that fails too.
    ///
    /// # Errors
    /// The first failure.
    pub fn make_safe(&mut self) -> Result<(), DriverError> {
        let Rig { banks, lines, .. } = self;
        let mut outcome = Ok(());
        for ((spec, bank), place) in lines.iter().zip(0..) {
            if let Purpose::Output { safe, .. } = &spec.purpose {
                outcome = outcome.and(banks[*bank].write(LineId(place), safe.share()));
            }
        }
        outcome
    }

    /// What every input reads.
    ///
    /// # Errors
    /// [`DriverError`] where an input doesn't answer.
    pub fn levels(&mut self) -> Result<Vec<(LineId, bool)>, DriverError> {
        let Rig { banks, lines, .. } = self;
        let inputs = lines.iter().zip(0..).filter(|((spec, _), _)| is_input(spec));
        inputs.map(|((_, bank), place)| Ok((LineId(place), banks[*bank].level(LineId(place))?))).collect()
    }

    pub(super) fn bank(&mut self, line: LineId) -> &mut dyn Bank {
        &mut *self.banks[self.lines[line.index()].1]
    }

    /// The lines of this device and port that are for this.
    pub(super) fn of_port(&self, device: &Name, port: Option<&Name>, input: bool) -> Vec<LineId> {
        let mine =
            |spec: &LineSpec| spec.device == *device && spec.port.as_ref() == port && is_input(spec) == input;
        self.lines
            .iter()
            .zip(0..)
            .filter(|((spec, _), _)| mine(spec))
            .map(|(_, place)| LineId(place))
            .collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // Nobody is left to be told that this failed; the guard does it again.
        let _ = self.make_safe();
    }
}

fn numbered(specs: &[LineSpec]) -> impl Iterator<Item = (LineId, &LineSpec)> {
    specs.iter().zip(0..).map(|(spec, place)| (LineId(place), spec))
}

fn is_input(spec: &LineSpec) -> bool {
    matches!(spec.purpose, Purpose::Input { .. })
}
