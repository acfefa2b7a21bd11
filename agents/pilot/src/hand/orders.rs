//! What is asked of a rig that is in the hand, as requests to the session that has it.

use bramble_rig::devices::{Devices, SHORTEST_PERIOD};
use bramble_rig::{Request, Wiring};
use bramble_task::definition::{Command, PortId};
use bramble_value::{Span, Time, Value};

use super::names;
use super::protocol::{Ask, Member, Part};

/// The rig that a hand has, once it is open.
#[derive(Default)]
pub(super) struct Rig {
    pub(super) parts: Vec<Part>,
    pub(super) ports: Vec<PortId>,
    pub(super) wiring: Option<Box<Wiring>>,
}

/// What is requested of the session for what is asked.
///
/// # Errors
/// A sentence, where it can't be done; then none of it is.
pub(super) fn requests(ask: &Ask, rig: &Rig) -> Result<Vec<Request>, String> {
    let Rig { parts, ports, wiring } = rig;
    let request = |place: usize, command| Request::Command { port: ports[place], command };
    match ask {
        Ask::Set { device, level } => {
            let place = names::output_at(parts, device, *level).map_err(|error| error.to_string())?;
            Ok(match level.share() {
                // A pulse or a train outlives a light's being switched off: here it is ended too.
                0.0 => vec![request(place, Command::Stop), request(place, Command::Off)],
                _ => vec![request(place, Command::On(Some(Value::Level(*level))))],
            })
        }
        Ask::Train { members, every, count } => {
            let of = |member: &Member| {
                let place = names::output(parts, &member.device).map_err(|error| error.to_string())?;
                fits(member, *every, *count)?;
                Ok(request(place, train(member, *every, *count)))
            };
            members.iter().map(of).collect()
        }
        Ask::Give { device, volume } => {
            let port = ports[names::valve(parts, device).map_err(|error| error.to_string())?];
            let Some(wiring) = wiring else { return Err("the rig is not open yet".to_owned()) };
            // The session is not asked for what it would refuse.
            let tried = Devices::new(wiring).give(port, *volume, Time::ZERO);
            tried.map_err(|error| format!("no water was given: {error}"))?;
            Ok(vec![Request::Water { port, volume: *volume }])
        }
        _ => Err("that is not for the rig".to_owned()),
    }
}

/// Whether one output can do its part of a train.
fn fits(member: &Member, every: Span, count: Option<u32>) -> Result<(), String> {
    let Member { device, on, .. } = member;
    if on.ns() == 0 {
        return Err(format!("`{device}` would be on for no time at all: say how long, as in 20ms"));
    }
    if count == Some(1) {
        return Ok(());
    }
    if every < SHORTEST_PERIOD {
        return Err(format!("a turn every {every} is faster than any output: at least {SHORTEST_PERIOD}"));
    }
    if *on >= every {
        return Err(format!("`{device}` is on for {on} in a turn of {every}: it would never go off"));
    }
    Ok(())
}

fn train(member: &Member, every: Span, count: Option<u32>) -> Command<Value> {
    let span = Value::Duration;
    let after = (member.offset.ns() > 0).then_some(span(member.offset));
    match count {
        Some(1) => Command::Pulse { on: span(member.on), after, level: None },
        count => Command::Train {
            on: span(member.on),
            every: span(every),
            count: count.map(|count| Value::Integer(count.into())),
            after,
            level: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::part;
    use super::*;
    use bramble_task::definition::{DeviceId, DeviceKind};

    fn ask(members: &[(&str, u32, u32)], every: u32, count: Option<u32>) -> Result<Vec<Request>, String> {
        let parts = [part("light", DeviceKind::DigitalOutput), part("poke", DeviceKind::DigitalInput)];
        let ports: Vec<PortId> = (0..2).map(|device| PortId { device: DeviceId(device), port: 0 }).collect();
        let members = members.iter().map(|(device, on, offset)| Member {
            device: (*device).to_owned(),
            on: Span::from_ms(*on),
            offset: Span::from_ms(*offset),
        });
        let rig = Rig { parts: parts.into(), ports, wiring: None };
        requests(&Ask::Train { members: members.collect(), every: Span::from_ms(every), count }, &rig)
    }

    #[test]
    fn a_train_that_can_not_be_is_refused_as_a_whole() {
        for (refused, says) in [
            (ask(&[("light", 5, 0), ("poke", 5, 0)], 10, None), "`poke` is an input"),
            (ask(&[("light", 10, 0)], 10, None), "it would never go off"),
            (ask(&[("light", 0, 0)], 10, Some(1)), "no time at all"),
            (ask(&[("light", 1, 0)], 0, Some(2)), "faster than any output"),
        ] {
            let why = refused.unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn what_is_switched_off_ends_what_runs_too() {
        let rig = Rig {
            parts: vec![part("valve", DeviceKind::Solenoid)],
            ports: vec![PortId { device: DeviceId(0), port: 0 }],
            wiring: None,
        };
        let off =
            requests(&Ask::Set { device: "valve".to_owned(), level: Default::default() }, &rig).unwrap();
        let commands = off.iter().map(|request| match request {
            Request::Command { command, .. } => command,
            other => panic!("{other:?}"),
        });
        assert_eq!(commands.collect::<Vec<_>>(), [&Command::Stop, &Command::Off]);
    }

    #[test]
    fn a_train_of_one_turn_is_a_pulse() {
        let requests = ask(&[("light", 50, 20)], 0, Some(1)).unwrap();
        let [Request::Command { command: Command::Pulse { on, after, .. }, .. }] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        assert_eq!(*on, Value::Duration(Span::from_ms(50)));
        assert_eq!(*after, Some(Value::Duration(Span::from_ms(20))));
    }
}
