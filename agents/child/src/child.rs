//! What a child does of what its pilot asks, as pure code.

use bramble_identity::Revocations;
use bramble_message::{Ask, ChildToPilot, Offer, PilotToChild, PortName, Reading, RigDevice};
use bramble_rig::remote::Offered;
use bramble_rig::{self as rig, RigConfig};
use bramble_value::Name;
use uuid::Uuid;

use crate::workshop::Workshop;

/// A child's devices, and the session that uses them.
pub(crate) struct Child {
    rig: RigConfig,
    /// The devices in simulated time.
    devices: Offered,
    /// The devices in real time.
    workshop: Workshop,
    claim: Option<Claim>,
    /// The pilots that it dials no more are among these.
    revocations: Revocations,
}

#[derive(Debug)]
struct Claim {
    session: Uuid,
    devices: Vec<Name>,
    simulated: bool,
}

impl Child {
    /// A child with these devices, all in their safe states.
    pub(crate) fn new(rig: RigConfig, workshop: Workshop, revocations: Revocations) -> Child {
        Child { devices: Offered::new(rig.clone()), rig, workshop, claim: None, revocations }
    }

    /// Does what the pilot asks, and says what to tell it, in that order.
    pub(crate) fn handle(&mut self, message: PilotToChild) -> Vec<ChildToPilot> {
        match message {
            PilotToChild::Claim { ask, session, devices, simulated } => {
                done(ask, self.claim(session, devices, simulated))
            }
            PilotToChild::Release { ask } => {
                self.release();
                done(ask, Ok(()))
            }
            PilotToChild::Write { ask, time: _, port, level } => {
                done(ask, self.claimed(&port).and_then(|()| self.write(&port, level)))
            }
            PilotToChild::Revoked { certificates } => {
                if let Err(error) = self.revocations.revoke(certificates) {
                    tracing::error!("which pilots were revoked is forgotten when this child ends: {error}");
                }
                Vec::new()
            }
            PilotToChild::Touch { ask, time, port, reading } => {
                let touched = self.claimed(&port).and_then(|()| {
                    let touched =
                        self.devices.touch(&port.device, port.port.as_ref(), from_message(reading), time);
                    touched.map_err(|error| error.to_string())
                });
                match touched {
                    Ok((reading, time)) => {
                        let input = ChildToPilot::Input { time, port, reading: to_message(reading) };
                        [input].into_iter().chain(done(ask, Ok(()))).collect()
                    }
                    Err(why) => done(ask, Err(why)),
                }
            }
        }
    }

    /// The session is over, or the pilot is gone.
    pub(crate) fn release(&mut self) {
        self.claim = None;
        self.devices.make_safe();
        self.workshop.end();
    }

    fn claim(&mut self, session: Uuid, devices: Vec<Name>, simulated: bool) -> Result<(), String> {
        if let Some(claim) = &self.claim
            && claim.session != session
        {
            return Err(format!("its devices are in use by session {}", claim.session));
        }
        if let Some(absent) = devices.iter().find(|device| !self.rig.devices.contains_key(device)) {
            let has: Vec<&str> = self.rig.devices.keys().map(Name::as_str).collect();
            return Err(format!("it has no device `{absent}`; it has {}", has.join(", ")));
        }
        if simulated && self.rig.is_real() {
            return Err("its devices are real, and the time of this session is not".to_owned());
        }
        self.devices.make_safe();
        if !simulated {
            self.workshop.begin()?;
        }
        self.claim = Some(Claim { session, devices, simulated });
        Ok(())
    }

    /// Whether a session may use this port.
    fn claimed(&self, port: &PortName) -> Result<(), String> {
        match &self.claim {
            Some(claim) if claim.devices.contains(&port.device) => Ok(()),
            _ => Err(format!("its `{}` was not claimed by a session", port.device)),
        }
    }

    fn write(&mut self, port: &PortName, level: f64) -> Result<(), String> {
        if self.claim.as_ref().is_some_and(|claim| !claim.simulated) {
            return self.workshop.write(port, level);
        }
        let written = self.devices.write(&port.device, port.port.as_ref(), level);
        written.map_err(|error| error.to_string())
    }
}

/// What a child with this rig offers.
pub(crate) fn offer(rig: &RigConfig) -> Offer {
    let devices = rig.devices.iter().map(|(name, device)| RigDevice {
        name: name.clone(),
        kind: device.kind.word().to_owned(),
        ports: device.ports(),
        driver: device.driver.to_string(),
    });
    Offer { devices: devices.collect() }
}

fn done(ask: Ask, outcome: Result<(), String>) -> Vec<ChildToPilot> {
    vec![ChildToPilot::Done { ask, outcome }]
}

fn from_message(reading: Reading) -> rig::Reading {
    match reading {
        Reading::Digital(high) => rig::Reading::Digital(high),
        Reading::Analog(value) => rig::Reading::Analog(value),
        Reading::Position(value) => rig::Reading::Position(value),
    }
}

fn to_message(reading: rig::Reading) -> Reading {
    match reading {
        rig::Reading::Digital(high) => Reading::Digital(high),
        rig::Reading::Analog(value) => Reading::Analog(value),
        rig::Reading::Position(value) => Reading::Position(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use bramble_value::Time;

    fn child() -> Child {
        #[derive(serde::Deserialize)]
        struct File {
            rig: RigConfig,
        }
        let text = "[rig.devices.wheel]\nkind = \"encoder\"\ndriver = \"simulated\"\n\
                    [rig.devices.lamp]\nkind = \"digital_output\"\ndriver = \"simulated\"\n";
        let rig = bramble_config::parse::<File>("child.toml", text).unwrap().rig;
        let (hardware, _) = bramble_rig::Hardware::in_memory(&rig);
        let workshop = Workshop::start(name("wheels"), rig.clone(), hardware, Arc::new(|_| ())).unwrap();
        Child::new(rig, workshop, Revocations::none())
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn port(device: &str) -> PortName {
        PortName { device: name(device), port: None }
    }

    fn claim(ask: u64, session: u128, devices: &[&str]) -> PilotToChild {
        let devices = devices.iter().map(|device| name(device)).collect();
        PilotToChild::Claim { ask: Ask(ask), session: Uuid::from_u128(session), devices, simulated: true }
    }

    fn write(ask: u64, device: &str, level: f64) -> PilotToChild {
        PilotToChild::Write { ask: Ask(ask), time: Time::ZERO, port: port(device), level }
    }

    fn refusal(told: Vec<ChildToPilot>) -> String {
        match told.as_slice() {
            [ChildToPilot::Done { outcome: Err(why), .. }] => why.clone(),
            other => panic!("it is a refusal: {other:?}"),
        }
    }

    #[test]
    fn what_an_animal_does_to_an_input_comes_back_before_the_answer() {
        let mut child = child();
        child.handle(claim(1, 1, &["wheel"]));
        let (time, reading) = (Time::from_ns(5), Reading::Position(90.0));
        let told = child.handle(PilotToChild::Touch { ask: Ask(2), time, port: port("wheel"), reading });
        let input = ChildToPilot::Input { time, port: port("wheel"), reading };
        assert_eq!(told, [input, ChildToPilot::Done { ask: Ask(2), outcome: Ok(()) }]);
    }

    #[test]
    fn outputs_are_safe_when_the_session_is_over() {
        let mut child = child();
        child.handle(claim(1, 1, &["lamp"]));
        assert_eq!(child.handle(write(2, "lamp", 1.0)), done(Ask(2), Ok(())));
        assert_eq!(child.devices.level(&name("lamp"), None), 1.0);
        assert_eq!(child.handle(PilotToChild::Release { ask: Ask(3) }), done(Ask(3), Ok(())));
        assert_eq!(child.devices.level(&name("lamp"), None), 0.0);
        assert!(refusal(child.handle(write(4, "lamp", 1.0))).contains("not claimed"));
    }

    #[test]
    fn what_it_can_not_do_it_refuses_by_name() {
        let mut child = child();
        assert!(
            refusal(child.handle(claim(1, 1, &["camera"])))
                .contains("no device `camera`; it has lamp, wheel")
        );
        child.handle(claim(2, 1, &["lamp", "wheel"]));
        assert!(refusal(child.handle(claim(3, 2, &["lamp"]))).contains("in use by session"));
        assert!(refusal(child.handle(write(4, "wheel", 1.0))).contains("encoder"));
        assert!(refusal(child.handle(write(5, "lamp", 7.0))).contains("no level"));
        assert_eq!(
            child.handle(claim(6, 1, &["lamp"])),
            done(Ask(6), Ok(())),
            "a claim that is repeated holds"
        );
    }
}
