//! What a child offers, held against what the pilot's rig says of it.

use bramble_message::RigDevice;
use bramble_rig::config::DriverConfig;
use bramble_rig::{Dose, Wire};
use bramble_value::Name;

/// Whether something is connected to what a child offers.
pub(super) fn is_real(device: &RigDevice) -> bool {
    device.driver != DriverConfig::Simulated.to_string()
}

/// Whether a child has what the rig says it has.
pub(super) fn check_offer(child: &Name, offer: &[RigDevice], wire: &Wire) -> Result<(), String> {
    let Some(device) = offer.iter().find(|device| device.name == wire.device) else {
        let has: Vec<&str> = offer.iter().map(|device| device.name.as_str()).collect();
        return Err(format!("the child {child} has no device `{}`; it has {}", wire.device, has.join(", ")));
    };
    let kind = wire.kind.word();
    if device.kind != kind {
        return Err(format!(
            "`{}` of the child {child} is a {}, and this pilot's rig says {kind}",
            wire.device, device.kind
        ));
    }
    let is_there = match &wire.port {
        Some(port) => device.ports.contains(port),
        None => device.ports.is_empty(),
    };
    if !is_there {
        return Err(format!("the child {child} has no port `{wire}`"));
    }
    // Only now is it known whether there is real water behind it.
    match &wire.dose {
        Some(Dose::Flow(_)) if is_real(device) => Err(format!(
            "`flow` is for a simulated valve, and `{}` of the child {child} is real: take `flow` out of this \
             pilot's configuration, and run `{}`",
            wire.device,
            wire.valve().command()
        )),
        Some(Dose::Calibrated(calibration)) if calibration.is_simulated() && is_real(device) => Err(format!(
            "`{wire}` of the child {child} was simulated when it was calibrated, and is real now: run `{}`",
            wire.valve().command()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
}
