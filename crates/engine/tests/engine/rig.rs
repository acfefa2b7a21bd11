//! What every test's task declares, and words for its events and actions.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::definition::*;
use bramble_value::{Name, Span, Value, ValueType};

pub(crate) const POKE: DeviceId = DeviceId(0);
pub(crate) const LOAD: DeviceId = DeviceId(1);
pub(crate) const WHEEL: DeviceId = DeviceId(2);
pub(crate) const LIGHT: DeviceId = DeviceId(3);
pub(crate) const VALVE: DeviceId = DeviceId(4);
pub(crate) const SPEAKER: DeviceId = DeviceId(5);
pub(crate) const SCREEN: DeviceId = DeviceId(6);

pub(crate) const NUMBER: ColumnId = ColumnId(0);
pub(crate) const LATENCY: ColumnId = ColumnId(1);
pub(crate) const SIDE: ColumnId = ColumnId(2);
pub(crate) const CARRIED: ColumnId = ColumnId(3);

pub(crate) const GO: MessageId = MessageId(0);
pub(crate) const OTHER: MessageId = MessageId(1);
pub(crate) const TIMER: TimerId = TimerId(0);
/// Counts every poke.
pub(crate) const POKES: CounterId = CounterId(0);
/// A live duration of 1 s.
pub(crate) const PAUSE: ParameterId = ParameterId(0);

/// A task of these stages on the rig that all tests have.
pub(crate) fn declare(stages: Vec<Stage>) -> Arc<TaskDefinition> {
    let place = Place::default();
    let name = |text: &str| text.parse::<Name>().unwrap();
    let sides = || vec![name("left"), name("right")];
    let device = |text: &str, kind, ports: Vec<Name>| Device {
        name: name(text),
        kind,
        ports,
        unit: String::new(),
        doc: String::new(),
        place: place.clone(),
    };
    let column = |text: &str, kind, carry| Column {
        name: name(text),
        kind,
        doc: String::new(),
        carry,
        place: place.clone(),
    };
    let carry = Some(Carry { first: First::Value(Value::Integer(7)), keep: true });
    Arc::new(TaskDefinition {
        name: "test".to_owned(),
        doc: String::new(),
        parameters: vec![Parameter {
            name: name("pause"),
            kind: ValueType::Duration,
            default: Value::Duration(Span::from_s(1)),
            min: None,
            max: Some(Value::Duration(Span::from_s(10))),
            doc: String::new(),
            live: true,
            place: place.clone(),
        }],
        devices: vec![
            device("poke", DeviceKind::DigitalInput, sides()),
            device("load", DeviceKind::AnalogInput, vec![]),
            device("wheel", DeviceKind::Encoder, vec![]),
            device("light", DeviceKind::DigitalOutput, sides()),
            device("valve", DeviceKind::Solenoid, sides()),
            device("speaker", DeviceKind::Sound, vec![]),
            device("screen", DeviceKind::Display, vec![]),
        ],
        columns: vec![
            column("number", ValueType::Number, None),
            column("latency", ValueType::Duration, None),
            column("side", ValueType::Choice(sides().into()), None),
            column("carried", ValueType::Integer, carry),
        ],
        messages: ["go", "other"]
            .map(|text| Message { name: name(text), button: true, place: place.clone() })
            .to_vec(),
        timers: vec![Timer { name: name("timer"), place: place.clone() }],
        counters: vec![Counter {
            name: name("pokes"),
            of: Trigger::Edge(any_port(POKE), Edge::Rises),
            place: place.clone(),
        }],
        stages,
        plots: Vec::new(),
    })
}

pub(crate) fn port(device: DeviceId, port: u16) -> PortId {
    PortId { device, port }
}

pub(crate) fn any_port(device: DeviceId) -> PortRef {
    PortRef { device, port: PortChoice::Any }
}

pub(crate) fn one(device: DeviceId, place: u16) -> PortRef {
    PortRef::fixed(port(device, place))
}

pub(crate) fn ms(ms: u32) -> Expression {
    Expression::Value(Value::Duration(Span::from_ms(ms)))
}

pub(crate) fn number(number: f64) -> Expression {
    Expression::Value(Value::Number(number))
}

pub(crate) fn integer(number: i64) -> Expression {
    Expression::Value(Value::Integer(number))
}

pub(crate) fn rises(port: u16) -> Trigger {
    Trigger::Edge(one(POKE, port), Edge::Rises)
}

pub(crate) fn digital(port: u16, high: bool) -> Condition {
    Condition::Digital(one(POKE, port), high)
}

pub(crate) fn high(port: u16) -> Trigger {
    Trigger::Level { condition: digital(port, true), lasts: None }
}

pub(crate) fn lasts(condition: Condition, for_ms: u32) -> Trigger {
    Trigger::Level { condition, lasts: Some(ms(for_ms)) }
}

pub(crate) fn level(condition: Condition) -> Trigger {
    Trigger::Level { condition, lasts: None }
}

pub(crate) fn light_on(port: u16) -> Action {
    Action::Device(one(LIGHT, port), Command::On(None))
}

pub(crate) fn record(value: f64) -> Action {
    Action::Record(NUMBER, Some(number(value)))
}
