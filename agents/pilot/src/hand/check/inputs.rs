//! The inputs of a check, as pure code: which is to be triggered next, and what
//! came of each.

use bramble_task::definition::DeviceKind;
use bramble_value::{Kind, Span};

use super::super::protocol::Part;
use super::super::say::shown;
use super::record::{Item, Outcome};

/// An encoder went one way when it has taken so many steps without turning back.
const STEPS: u32 = 3;

/// The inputs, one of which is waited for.
#[derive(Debug)]
pub(super) struct Inputs {
    probes: Vec<Probe>,
    at: usize,
    timeout: Span,
}

#[derive(Debug)]
struct Probe {
    part: Part,
    /// What it reads when nobody touches it.
    rest: f64,
    reads: f64,
    /// What an encoder has done: steps without turning back, and ways gone.
    steps: u32,
    forward: bool,
    went: [bool; 2],
    missed: f64,
    /// What was triggered while this was waited for.
    instead: Option<String>,
    outcome: Option<(Outcome, String)>,
}

impl Inputs {
    /// These inputs, each of which is waited for at most so long.
    pub(super) fn new<'a>(parts: impl IntoIterator<Item = &'a Part>, timeout: Span) -> Inputs {
        let probe = |part: &Part| Probe {
            part: part.clone(),
            rest: part.reads.unwrap_or(0.0),
            reads: part.reads.unwrap_or(0.0),
            steps: 0,
            forward: true,
            went: [false; 2],
            missed: 0.0,
            instead: None,
            outcome: None,
        };
        Inputs { probes: parts.into_iter().map(probe).collect(), at: 0, timeout }
    }

    /// What a person is to do now; none where all is done.
    pub(super) fn prompt(&self) -> Option<String> {
        let probe = self.probes.get(self.at)?;
        let Part { name, kind, .. } = &probe.part;
        let reads = shown(&probe.part, probe.reads);
        let what = match kind {
            DeviceKind::Encoder => format!("{name} is at {reads}: turn it both ways"),
            DeviceKind::AnalogInput => format!("{name} reads {reads}: change it"),
            _ => format!("{name} is {reads}: trigger it"),
        };
        Some(format!("{} of {}: {what} (within {})", self.at + 1, self.probes.len(), self.timeout))
    }

    /// The name of the one that is waited for.
    pub(super) fn waits_for(&self) -> Option<&str> {
        self.probes.get(self.at).map(|probe| probe.part.name.as_str())
    }

    /// Which one is waited for; another number means another one.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Something happened to an input; what a person should hear of it.
    pub(super) fn event(&mut self, device: &str, kind: Kind, value: f64) -> Option<String> {
        let place = self.probes.iter().position(|probe| probe.part.name == device)?;
        let probe = &mut self.probes[place];
        match kind {
            Kind::Lost => {
                probe.missed += value;
                None
            }
            Kind::Input | Kind::Analog | Kind::Position => {
                let triggered = probe.reads(value);
                if place == self.at {
                    triggered.then(|| self.passed())
                } else {
                    (triggered && probe.part.kind == DeviceKind::DigitalInput).then(|| self.wrong(place))?
                }
            }
            _ => None,
        }
    }

    /// The one that is waited for is left out.
    pub(super) fn skip(&mut self) {
        self.close(Outcome::Skipped, "left out by hand".to_owned());
    }

    /// The one that is waited for did not come in time; what a person should hear.
    pub(super) fn over(&mut self) -> String {
        let Some(probe) = self.probes.get(self.at) else { return String::new() };
        let name = &probe.part.name;
        let mut says = match (probe.part.kind, probe.went) {
            (DeviceKind::Encoder, [true, false]) => "it only went forward, never back".to_owned(),
            (DeviceKind::Encoder, [false, true]) => "it only went back, never forward".to_owned(),
            _ => format!("it was not triggered in {}", self.timeout),
        };
        if let Some(instead) = &probe.instead {
            says = format!("{says}; {instead} was instead: their cables may be swapped");
        }
        let line = format!("{name}: {says}");
        self.close(Outcome::Failed, says);
        line
    }

    /// What came of each; nobody looked at what is still to come.
    pub(super) fn items(self) -> Vec<Item> {
        let item = |probe: Probe| {
            let (mut outcome, mut says) =
                probe.outcome.unwrap_or_else(|| (Outcome::Skipped, "left out".to_owned()));
            if probe.missed > 0.0 && outcome == Outcome::Passed {
                outcome = Outcome::Warning;
                says = format!("{says}; {} of its changes were missed", probe.missed);
            }
            Item::new(probe.part.name, outcome, says)
        };
        self.probes.into_iter().map(item).collect()
    }

    fn passed(&mut self) -> String {
        let probe = &self.probes[self.at];
        let (part, reads) = (&probe.part, shown(&probe.part, probe.reads));
        let says = match part.kind {
            DeviceKind::Encoder => "it went both ways".to_owned(),
            _ => format!("{}, then {reads}", shown(part, probe.rest)),
        };
        let line = format!("{}: {says}", part.name);
        self.close(Outcome::Passed, says);
        line
    }

    /// Another one was triggered than is waited for.
    fn wrong(&mut self, place: usize) -> Option<String> {
        let name = self.probes[place].part.name.clone();
        let waits = self.probes.get_mut(self.at)?;
        let line = format!(
            "{name} was triggered, and {} is waited for: if that is what you touched, their cables are swapped",
            waits.part.name
        );
        waits.instead = Some(name);
        Some(line)
    }

    fn close(&mut self, outcome: Outcome, says: String) {
        if let Some(probe) = self.probes.get_mut(self.at) {
            probe.outcome = Some((outcome, says));
            self.at += 1;
        }
    }
}

impl Probe {
    /// It reads this now; whether that makes it triggered.
    fn reads(&mut self, value: f64) -> bool {
        let before = std::mem::replace(&mut self.reads, value);
        if self.part.kind != DeviceKind::Encoder {
            return before == self.rest && value != self.rest;
        }
        if value == before {
            return false;
        }
        let forward = value > before;
        self.steps =
            if std::mem::replace(&mut self.forward, forward) == forward { self.steps + 1 } else { 1 };
        if self.steps >= STEPS {
            self.went[usize::from(!forward)] = true;
        }
        self.went == [true, true]
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::names::tests::part;
    use super::*;

    /// A poke that is low when nobody touches it, and one that is high.
    fn pokes() -> Inputs {
        let poke = |name, reads| Part { reads: Some(reads), ..part(name, DeviceKind::DigitalInput) };
        Inputs::new(&[poke("poke.left", 0.0), poke("poke.right", 1.0)], Span::from_s(30))
    }

    fn outcomes(inputs: Inputs) -> Vec<Outcome> {
        inputs.items().iter().map(|item| item.outcome).collect()
    }

    #[test]
    fn each_input_is_waited_for_in_its_turn() {
        let mut inputs = pokes();
        assert_eq!(inputs.prompt().unwrap(), "1 of 2: poke.left is low: trigger it (within 30 s)");
        assert_eq!(inputs.event("poke.left", Kind::Input, 1.0).unwrap(), "poke.left: low, then high");
        assert_eq!(inputs.prompt().unwrap(), "2 of 2: poke.right is high: trigger it (within 30 s)");
        assert_eq!(inputs.event("poke.left", Kind::Input, 0.0), None, "letting go is no trigger");
        assert_eq!(inputs.event("poke.right", Kind::Input, 0.0).unwrap(), "poke.right: high, then low");
        assert_eq!(inputs.prompt(), None);
        assert_eq!(outcomes(inputs), [Outcome::Passed, Outcome::Passed]);
    }

    #[test]
    fn swapped_cables_are_found() {
        let mut inputs = pokes();
        let said = inputs.event("poke.right", Kind::Input, 0.0).unwrap();
        assert!(said.contains("poke.right was triggered, and poke.left is waited for"), "{said}");
        let said = inputs.over();
        assert!(
            said.contains("not triggered in 30 s; poke.right was instead: their cables may be swapped"),
            "{said}"
        );
        inputs.skip();
        assert_eq!(outcomes(inputs), [Outcome::Failed, Outcome::Skipped]);
    }

    #[test]
    fn an_encoder_passes_when_it_went_both_ways_and_not_when_it_trembles() {
        let wheel = [part("wheel", DeviceKind::Encoder)];
        let mut inputs = Inputs::new(&wheel, Span::from_s(1));
        for value in [1.0, 0.0, 1.0, 0.0, 1.0, 2.0, 3.0, 4.0] {
            assert_eq!(inputs.event("wheel", Kind::Position, value), None);
        }
        for value in [3.0, 2.0] {
            assert_eq!(inputs.event("wheel", Kind::Position, value), None);
        }
        assert_eq!(inputs.event("wheel", Kind::Position, 1.0).unwrap(), "wheel: it went both ways");

        let mut inputs = Inputs::new(&wheel, Span::from_s(1));
        for value in [-1.0, -2.0, -3.0] {
            inputs.event("wheel", Kind::Position, value);
        }
        assert_eq!(inputs.over(), "wheel: it only went back, never forward");
    }

    #[test]
    fn changes_that_were_missed_are_a_warning() {
        let mut inputs = pokes();
        inputs.event("poke.left", Kind::Lost, 3.0);
        inputs.event("poke.left", Kind::Input, 1.0);
        let items = inputs.items();
        assert_eq!(items[0].outcome, Outcome::Warning);
        assert!(items[0].says.contains("3 of its changes were missed"), "{items:?}");
    }
}
