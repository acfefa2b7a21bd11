use bramble_rig::calibration::{Calibration, Point};
use bramble_rig::config::Flow;
use bramble_task::definition::DeviceKind;
use bramble_value::{Level, Span};

use super::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn a_real_valve_of_a_child_does_not_go_by_what_was_simulated() {
    let wire = |dose| Wire {
        device: name("valve"),
        port: None,
        kind: DeviceKind::Solenoid,
        driver: DriverConfig::Child(name("side")),
        longest_on: None,
        safe: Level::default(),
        dose,
        no_dose: None,
    };
    let offer = |driver: DriverConfig| RigDevice {
        name: name("valve"),
        kind: "solenoid".to_owned(),
        ports: Vec::new(),
        driver: driver.to_string(),
    };
    let checked = |driver, dose| check_offer(&name("side"), &[offer(driver)], &wire(dose));
    let flow = || Some(Dose::Flow(Flow::TYPICAL));
    let real = || DriverConfig::Gpiocdev { chip: "gpiochip0".to_owned() };
    assert_eq!(checked(DriverConfig::Simulated, flow()), Ok(()));
    assert_eq!(checked(real(), None), Ok(()));
    let point = |ms, grams| Point { open: Span::from_ms(ms), pulses: 100, grams };
    let valve = wire(None).valve();
    let weighed = vec![point(20, 0.1), point(100, 0.5)];
    let weighed = Calibration::new(valve, Default::default(), 1.0, weighed).unwrap();
    let dose = |calibration| Some(Dose::Calibrated(Arc::new(calibration)));
    assert_eq!(checked(real(), dose(weighed.clone())), Ok(()));
    assert_eq!(checked(DriverConfig::Simulated, dose(weighed.clone().of_simulated())), Ok(()));
    let why = checked(real(), dose(weighed.of_simulated())).unwrap_err();
    assert!(why.contains("was simulated when it was calibrated"), "{why}");
    let why = checked(real(), flow()).unwrap_err();
    assert!(why.contains("is real") && why.contains("run `bramble-pilot calibrate valve`"), "{why}");
}
