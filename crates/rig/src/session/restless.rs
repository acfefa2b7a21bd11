//! The loop on hardware whose time doesn't wait, and which may fail.

use bramble_task::call::{Call, Returned};
use bramble_task::{Task, load};
use bramble_value::{Seed, Sources};

use super::*;
use crate::config::RigConfig;
use crate::driver::{Driver, inbox};
use crate::remote::Remotes;
use crate::signal::Signal;

const LIGHT: PortId = PortId { device: bramble_task::definition::DeviceId(0), port: 0 };
const MICROSECOND: Span = Span::from_ns(1000);

/// A clock that has gone on whenever it is looked at.
#[derive(Default)]
struct Restless {
    now: Time,
    levels: Vec<(Time, f64)>,
    /// It doesn't answer any more.
    broken: bool,
}

impl Driver for Restless {
    fn now(&mut self) -> Time {
        self.now += MICROSECOND;
        self.now
    }

    fn wait(&mut self, until: Option<Time>, _: &Inbox) -> Result<Option<Happening>, DriverError> {
        match until {
            Some(until) if !self.broken => {
                self.now = self.now.max(until);
                Ok(None)
            }
            _ => Err(DriverError("the chip is gone".into())),
        }
    }

    fn write(&mut self, _: PortId, signal: &Signal) -> Result<Time, DriverError> {
        if let Signal::Level(level) = signal {
            self.levels.push((self.now, *level));
        }
        Ok(self.now)
    }
}

/// Functions that take for ever.
struct Never;

impl FunctionHost for Never {
    fn call(&mut self, _: Box<Call>) -> Option<Result<Returned, String>> {
        None
    }

    fn row(&mut self, _: &Row) {}
}

fn run(text: &str, driver: &mut Restless) -> Outcome {
    let files = [("t.star".to_owned(), text.to_owned())].into();
    let task: Task =
        load(&Sources { root: "t.star".into(), files }).map_err(|wrong| wrong.to_string()).unwrap();
    let definition = &task.definition;
    let rig = RigConfig::simulated(definition);
    let wiring = Wiring::new(definition, &rig, &Default::default(), Default::default(), "box1").unwrap();
    assert_eq!(wiring.find("light", None), Some(LIGHT));
    let settings = Settings::defaults(definition, Seed(1));
    let session = Session::new(Arc::clone(definition), settings, wiring).unwrap();
    let (_post, inbox) = inbox();
    session.run(Around {
        driver,
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions: &mut Never,
        recorder: &mut Vec::new(),
        judge: &mut (),
    })
}

#[test]
fn a_pulse_ends_on_time_wherever_the_loop_is_when_it_does() {
    for length in 10..110 {
        let text = format!(
            "light = hardware(digital_output)\n\
             task(stages = state(\"lit\", enter = light.pulse(duration(\"{length} us\")), after = {{\"1 s\": done}}))\n"
        );
        let mut driver = Restless::default();
        run(&text, &mut driver);
        let on = driver.levels.iter().position(|(_, level)| *level == 1.0).unwrap();
        let [(begin, _), (end, level)] = driver.levels[on..on + 2] else { unreachable!() };
        assert_eq!(level, 0.0);
        assert!(end.since(begin) < Span::from_ms(1), "{length} us were {}", end.since(begin));
    }
}

#[test]
fn a_session_whose_hardware_fails_waits_for_no_function() {
    let text = "light = hardware(digital_output)\n\
                def left(trial):\n    return [light.off()]\n\
                task(stages = state(\"lit\", enter = light.on(), leave = left, after = {\"1 s\": done}))\n";
    let mut driver = Restless { broken: true, ..Restless::default() };
    let outcome = run(text, &mut driver);
    assert_eq!((outcome.ending, outcome.why.as_ref()), (Ending::Error, "the chip is gone"));
    assert_eq!(driver.levels.last().map(|(_, level)| *level), Some(0.0));
}
