//! What people did while a session ran, as the commands that would do it again.

use bramble_subject::Parameter;
use bramble_value::{Asked, Event, Kind, Names, SourceKind, Time, Value, ValueType};

use super::shown;

/// What people did in a session, in order, an item of a list each. How a session was stopped is not
/// among it.
pub(super) fn deeds(names: &Names, parameters: &[Parameter], begun: Time, events: &[Event]) -> Vec<String> {
    let mut found = Vec::new();
    // The first end of a range, whose other is the next event.
    let mut least = None;
    for event in events {
        let Some((kind, name)) = names.sources.get(usize::from(event.source.0)) else { continue };
        let command = match (event.kind, kind) {
            (Kind::Manual, _) => format!("reward SUBJECT {name} \"{} uL\"", event.value),
            (Kind::Asked, SourceKind::Session) => match Asked::from_f64(event.value) {
                Some(Asked::Pause) => "pause SUBJECT".to_owned(),
                Some(Asked::Resume) => "resume SUBJECT".to_owned(),
                _ => continue,
            },
            (Kind::Asked, SourceKind::Message) => format!("message SUBJECT {name}"),
            (Kind::Asked, SourceKind::Parameter) => {
                let Some(parameter) = parameters.iter().find(|one| one.name == *name) else { continue };
                let value = match parameter.value_type {
                    ValueType::Integers => match least.take() {
                        None => {
                            least = Some(event.value);
                            continue;
                        }
                        Some(least) => Some(Value::Integers(least as i32, event.value as i32)),
                    },
                    ref other => other.value_from_f64(event.value),
                };
                let Some(value) = value else { continue };
                format!("set SUBJECT {name}=\"{}\"", shown(&parameter.value_type, value))
            }
            _ => continue,
        };
        let at = (event.time.ns() - begun.ns()) as f64 * 1e-9;
        let trial = if event.trial > 0 { format!(", in trial {}", event.trial) } else { String::new() };
        found.push(format!("at {at:.1} s{trial}: `bramble-terminal {command}`"));
    }
    found
}

#[cfg(test)]
mod tests {
    use bramble_value::{Source, Volume};

    use super::*;

    #[test]
    fn what_people_did_is_told_as_they_would_do_it_again() {
        let source = |kind, name: &str| (kind, name.to_owned());
        let names = Names {
            sources: vec![
                source(SourceKind::Session, "session"),
                source(SourceKind::Port, "valve.left"),
                source(SourceKind::Parameter, "reward"),
                source(SourceKind::Parameter, "block"),
                source(SourceKind::Message, "help_animal"),
            ],
        };
        let parameter = |name: &str, value_type, value| Parameter {
            name: name.to_owned(),
            value_type,
            value,
            doc: String::new(),
        };
        let volume = Value::Volume(Volume::from_microliters(4.0).unwrap());
        let parameters = [
            parameter("reward", ValueType::Volume, volume),
            parameter("block", ValueType::Integers, Value::Integers(1, 2)),
        ];
        let event = |seconds: i64, trial, kind, source, value| Event {
            time: Time::from_ns((100 + seconds) * 1_000_000_000),
            trial,
            kind,
            source: Source(source),
            value,
        };
        let events = [
            event(1, 1, Kind::Input, 1, 1.0),
            event(2, 1, Kind::Asked, 2, 2.5),
            event(3, 2, Kind::Manual, 1, 8.0),
            event(4, 2, Kind::Asked, 0, f64::from(Asked::Pause as u8)),
            event(5, 0, Kind::Asked, 3, 20.0),
            event(5, 0, Kind::Asked, 3, 40.0),
            event(6, 0, Kind::Asked, 0, f64::from(Asked::Resume as u8)),
            event(7, 3, Kind::Asked, 4, 0.0),
            event(9, 3, Kind::Asked, 0, f64::from(Asked::Stop as u8)),
        ];
        let said = deeds(&names, &parameters, Time::from_ns(100_000_000_000), &events);
        assert_eq!(
            said,
            [
                "at 2.0 s, in trial 1: `bramble-terminal set SUBJECT reward=\"2.5 uL\"`",
                "at 3.0 s, in trial 2: `bramble-terminal reward SUBJECT valve.left \"8 uL\"`",
                "at 4.0 s, in trial 2: `bramble-terminal pause SUBJECT`",
                "at 5.0 s: `bramble-terminal set SUBJECT block=\"[20, 40]\"`",
                "at 6.0 s: `bramble-terminal resume SUBJECT`",
                "at 7.0 s, in trial 3: `bramble-terminal message SUBJECT help_animal`",
            ]
        );
    }
}
