//! All banks of a rig, opened: what is there between two sessions too.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::BorrowedFd;

use bramble_value::Name;

use crate::config::{DriverConfig, RigConfig};
use crate::driver::gpiocdev::Gpiocdev;
use crate::driver::rppal::Rppal;
use crate::driver::{Bank, DriverError, Edge, Hands, LineId, LineSpec, Memory, OpenError, Purpose};
use crate::guard::Guarded;

/// The lines of a rig, opened and held. Outputs are at their safe levels until
/// something else is written, and again when this is dropped.
pub struct Rig {
    pub(super) banks: Vec<Box<dyn Bank>>,
    /// The lines, by their numbers, and the bank that each is in.
    pub(super) lines: Vec<(LineSpec, usize)>,
    /// The counts in a unit of each encoder that says it.
    pub(super) counts: BTreeMap<Name, f64>,
    /// The banks that don't answer; [`Lost`] is in their places.
    lost: BTreeSet<usize>,
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
            banks.push(open(driver, lines, specs.len())?);
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
        Rig { banks, lines, counts: counts.collect(), lost: BTreeSet::new() }
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

    /// Brings every output to its safe level and reads every input. The banks
    /// that don't answer are let go of, until [`Rig::reopen`]; the others stay
    /// held. Why, of the first that is let go of now.
    pub fn let_go_of_lost(&mut self) -> Option<DriverError> {
        let Rig { banks, lines, lost, .. } = self;
        let mut gone = Vec::new();
        for ((spec, bank), place) in lines.iter().zip(0..) {
            let outcome = match &spec.purpose {
                Purpose::Output { safe, .. } => banks[*bank].write(LineId(place), safe.share()),
                Purpose::Input { .. } => banks[*bank].level(LineId(place)).map(drop),
            };
            if let Err(why) = outcome
                && lost.insert(*bank)
            {
                gone.push((*bank, why));
            }
        }
        // Only now, so that what still answers of such a bank is safe.
        for (bank, why) in &gone {
            banks[*bank] = Box::new(Lost(why.clone()));
        }
        gone.into_iter().next().map(|(_, why)| why)
    }

    /// Opens the banks again that were let go of.
    ///
    /// # Errors
    /// [`OpenError`] of the first line that can't be had yet; the others stay held.
    pub fn reopen(&mut self) -> Result<(), OpenError> {
        let Rig { banks, lines, lost, .. } = self;
        while let Some(bank) = lost.first().copied() {
            let mine = lines.iter().zip(0..).filter(|((_, its), _)| *its == bank);
            let mine: Vec<_> = mine.map(|((spec, _), place)| (LineId(place), spec)).collect();
            if let Some((_, first)) = mine.first() {
                banks[bank] = open(&first.driver, &mine, lines.len())?;
            }
            lost.remove(&bank);
        }
        Ok(())
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

/// Opens the lines of one bank, of a rig that has `all` lines.
fn open(
    driver: &DriverConfig,
    lines: &[(LineId, &LineSpec)],
    all: usize,
) -> Result<Box<dyn Bank>, OpenError> {
    Ok(match driver {
        DriverConfig::Gpiocdev { chip } => Box::new(Gpiocdev::open(chip, lines)?),
        DriverConfig::Rppal => Box::new(Rppal::open(lines)?),
        DriverConfig::Simulated | DriverConfig::Child(_) => Box::new(Memory::new(all).0),
    })
}

/// A bank that didn't answer, and why.
struct Lost(DriverError);

impl Bank for Lost {
    fn wakes(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    fn woken(&mut self, _: usize, _: &mut Vec<Edge>) -> Result<(), DriverError> {
        Err(self.0.clone())
    }

    fn level(&mut self, _: LineId) -> Result<bool, DriverError> {
        Err(self.0.clone())
    }

    fn write(&mut self, _: LineId, _: f64) -> Result<(), DriverError> {
        Err(self.0.clone())
    }

    fn listen(&mut self, _: LineId, _: bool) -> Result<u32, DriverError> {
        Err(self.0.clone())
    }
}

fn numbered(specs: &[LineSpec]) -> impl Iterator<Item = (LineId, &LineSpec)> {
    specs.iter().zip(0..).map(|(spec, place)| (LineId(place), spec))
}

fn is_input(spec: &LineSpec) -> bool {
    matches!(spec.purpose, Purpose::Input { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_task::definition::Sources;
    use bramble_task::load;

    const TASK: &str = r#"
left  = hardware(digital_output)
right = hardware(digital_output)

task(stages = states(state("one", after = {"1 s": goto("two")}), state("two", after = {"1 s": goto("one")})))
"#;
    const LEFT: LineId = LineId(0);
    const RIGHT: LineId = LineId(1);

    /// What is unplugged.
    fn gone() -> Lost {
        Lost(DriverError("the chip is gone".into()))
    }

    /// A rig of two outputs, and the hands of the left one. The right one is on
    /// a chip that doesn't answer, and would be opened again by this driver.
    fn rig(driver: DriverConfig) -> (Rig, Hands) {
        let root = "task.star".to_owned();
        let task = load(&Sources { files: BTreeMap::from([(root.clone(), TASK.to_owned())]), root }).unwrap();
        let config = RigConfig::simulated(&task.definition);
        let mut specs = config.lines();
        specs[RIGHT.index()].driver = driver;
        let (memory, hands) = Memory::new(specs.len());
        let banks: Vec<Box<dyn Bank>> = vec![Box::new(memory), Box::new(gone())];
        (Rig::of(&config, banks, specs.into_iter().zip([0, 1]).collect()), hands)
    }

    #[test]
    fn what_is_there_stays_held_while_a_chip_is_gone() {
        let (mut rig, hands) = rig(DriverConfig::Gpiocdev { chip: "gpiochip4711".into() });
        assert_eq!(rig.let_go_of_lost(), Some(gone().0));
        for _ in 0..2 {
            assert!(matches!(rig.reopen(), Err(OpenError::NoChip { .. } | OpenError::NoPermission { .. })));
            assert_eq!(rig.let_go_of_lost(), None, "nothing more is gone");
            rig.bank(LEFT).write(LEFT, 1.0).unwrap();
            assert_eq!(hands.level(LEFT), 1.0, "it was never closed");
            rig.bank(RIGHT).write(RIGHT, 1.0).unwrap_err();
        }
        assert!(rig.guarded().is_ok(), "the rest can be guarded");
    }

    #[test]
    fn a_chip_that_is_back_is_opened_again() {
        let (mut rig, hands) = rig(DriverConfig::Simulated);
        rig.bank(LEFT).write(LEFT, 1.0).unwrap();
        rig.let_go_of_lost().unwrap();
        assert_eq!(hands.level(LEFT), 0.0, "it is safe");
        rig.reopen().unwrap();
        rig.bank(RIGHT).write(RIGHT, 1.0).unwrap();
        assert_eq!(rig.let_go_of_lost(), None);
    }
}
