//! Random trees, inputs and functions, for properties that hold of all.

use bramble_engine::Input;
use bramble_task::TaskDefinition;
use bramble_task::call::{Call, Purpose, Returned, Wanted};
use bramble_task::definition::*;
use bramble_value::{Random, Seed, Span, Value};
use proptest::prelude::*;

use crate::rig::*;
use crate::tree::*;

/// A stage whose siblings and names are not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    kind: Kind,
    children: Vec<Plan>,
    repeat: u8,
    timeout: Option<u32>,
    turn_timeout: Option<u32>,
    skips: u8,
    reactions: [u8; 3],
    on: Vec<(u8, u8)>,
    after: Vec<(u32, u8)>,
    then: u8,
    complete: u8,
}

#[derive(Debug, Clone)]
enum Kind {
    State,
    Delay(u32),
    Gate(u8, Option<u32>, bool),
    Pulse(u32),
    Play(u32),
    Call,
    Record,
    Sequence,
    Parallel,
    States,
}

fn leaf_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::State),
        3 => short().prop_map(Kind::Delay),
        2 => (any::<u8>(), proptest::option::of(short()), any::<bool>()).prop_map(|(a, b, c)| Kind::Gate(a, b, c)),
        1 => short().prop_map(Kind::Pulse),
        1 => short().prop_map(Kind::Play),
        1 => Just(Kind::Call),
        1 => Just(Kind::Record),
    ]
}

fn short() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 4 => 1u32..60]
}

fn some(strategy: impl Strategy<Value = u32>) -> impl Strategy<Value = Option<u32>> {
    proptest::option::weighted(0.2, strategy)
}

fn plan(kind: impl Strategy<Value = (Kind, Vec<Plan>)>) -> impl Strategy<Value = Plan> {
    let handlers = proptest::collection::vec((any::<u8>(), any::<u8>()), 0..3);
    let times = proptest::collection::vec((short(), any::<u8>()), 0..2);
    let rest =
        (any::<u8>(), some(short()), some(short()), any::<u8>(), any::<[u8; 3]>(), any::<u8>(), any::<u8>());
    (kind, rest, handlers, times).prop_map(|((kind, children), rest, on, after)| {
        let (repeat, timeout, turn_timeout, skips, reactions, then, complete) = rest;
        Plan { kind, children, repeat, timeout, turn_timeout, skips, reactions, on, after, then, complete }
    })
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let leaf = plan(leaf_kind().prop_map(|kind| (kind, Vec::new()))).boxed();
    leaf.prop_recursive(3, 14, 4, |inner| {
        let kind = prop_oneof![Just(Kind::Sequence), Just(Kind::Parallel), Just(Kind::States)];
        plan((kind, proptest::collection::vec(inner, 1..4))).boxed()
    })
}

/// The task of a plan, as a tree of its own or as the body of trials.
pub(crate) fn task(plan: &Plan, as_trials: bool) -> std::sync::Arc<TaskDefinition> {
    let body = node(plan, "s", &[]);
    if as_trials {
        let prepares = plan.skips.is_multiple_of(2);
        let root = trials("root", body).forever().with(|stage| {
            if let StageKind::Trials(trials) = &mut stage.kind {
                trials.prepare = prepares.then_some(FunctionId(0));
                trials.until = Some(UntilRow::Function(FunctionId(0)));
            }
        });
        root.task()
    } else {
        body.task()
    }
}

fn trigger(choice: u8) -> Trigger {
    let measured = |device, threshold| level(Condition::Measured(one(device, 0), threshold));
    match choice % 12 {
        0 => rises(0),
        1 => Trigger::Edge(any_port(POKE), Edge::Changes),
        2 => high(0),
        3 => level(digital(1, false)),
        4 => lasts(digital(0, true), u32::from(choice) % 40),
        5 => measured(LOAD, Threshold::Above(number(0.5))),
        6 => measured(WHEEL, Threshold::Beyond(number(-2.0))),
        7 => measured(WHEEL, Threshold::SpeedBelow(number(30.0))),
        8 => Trigger::TimerEnds(TIMER),
        9 => Trigger::Reaches(POKES, integer(i64::from(choice % 5))),
        10 => Trigger::Message(GO),
        _ => {
            let still = Condition::Measured(one(WHEEL, 0), Threshold::Still(number(1.0)));
            lasts(still, u32::from(choice) % 40)
        }
    }
}

fn action(choice: u8) -> Action {
    match choice % 9 {
        0 => Action::Emit(GO),
        1 => Action::StartTimer(TIMER, ms(u32::from(choice))),
        2 => Action::StopTimer(TIMER),
        3 => Action::ResetCounter(POKES),
        4 => Action::Zero(one(WHEEL, 0)),
        5 => Action::Device(one(VALVE, 0), Command::Open(Expression::Function(FunctionId(0)))),
        6 => Action::Record(LATENCY, Some(Expression::Function(FunctionId(0)))),
        7 if choice > 240 => Action::StopSession("an action".into()),
        _ => record(f64::from(choice)),
    }
}

fn then(choice: u8, siblings: &[String]) -> Then {
    let to = match choice % 8 {
        0 => return Then::Function(FunctionId(0)),
        1 => To::Done,
        2 => To::Next,
        3 | 4 if !siblings.is_empty() => To::Goto(siblings[usize::from(choice / 8) % siblings.len()].clone()),
        _ => To::Stay,
    };
    Then::Do(vec![action(choice)], to)
}

/// `siblings` are those of the nearest `states`.
fn node(plan: &Plan, name: &str, siblings: &[String]) -> Node {
    let names: Vec<String> = (0..plan.children.len()).map(|place| format!("{name}{place}")).collect();
    let inner = if matches!(plan.kind, Kind::States) { &names[..] } else { siblings };
    let children: Vec<Node> =
        plan.children.iter().zip(&names).map(|(child, name)| node(child, name, inner)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut node = match &plan.kind {
        Kind::State => state(name),
        Kind::Delay(length) => delay(name, *length),
        Kind::Gate(choice, hold, initial) => gate(name, trigger(*choice), *hold, *initial),
        Kind::Pulse(length) => leaf(name, StageKind::Pulse(one(VALVE, 1), ms(*length))),
        Kind::Play(length) => {
            let sound = Stimulus { kind: StimulusKind::Noise, arguments: vec![Some(ms(*length)), None] };
            leaf(name, StageKind::Play(one(SPEAKER, 0), sound))
        }
        Kind::Call => leaf(name, StageKind::Call(FunctionId(0))),
        Kind::Record => leaf(name, StageKind::Record(vec![(NUMBER, Some(number(1.0)))])),
        Kind::Sequence => sequence(name, children),
        Kind::Parallel => parallel(name, children),
        Kind::States => states(name, children),
    };
    node = match plan.complete % 4 {
        _ if names.is_empty() => node,
        0 => node.any_of(&names),
        1 => node.any_of(&names[..1]),
        2 => node.completes(Complete::Never),
        _ => node,
    };
    node = match plan.repeat % 6 {
        0 => node.forever(),
        1 => node.times(i64::from(plan.repeat / 6 % 4)),
        _ => node,
    };
    for (choice, what) in &plan.on {
        node = node.on(trigger(*choice), then(*what, siblings));
    }
    for (time, what) in &plan.after {
        node = node.after(*time, then(*what, siblings));
    }
    if plan.then.is_multiple_of(5) && !siblings.is_empty() {
        node = node.then(To::Goto(siblings[usize::from(plan.then) % siblings.len()].clone()));
    }
    let [during, enter, leave] = plan.reactions;
    if during.is_multiple_of(2) {
        node = node.during([light_on(u16::from(during / 2 % 2))]);
    }
    let reaction = |choice: u8| match choice % 4 {
        0 => Reaction::Function(FunctionId(0)),
        1 => Reaction::Actions(vec![action(choice / 4)]),
        _ => Reaction::default(),
    };
    node.with(|stage| {
        stage.enter = reaction(enter);
        stage.leave = reaction(leave);
        stage.timeout = plan.timeout.map(ms);
        stage.repeat_timeout = plan.turn_timeout.map(ms);
        match plan.skips % 16 {
            0 => stage.skip_if = Some(SkipIf::Value(Expression::Function(FunctionId(0)))),
            1 => stage.skip_if = Some(SkipIf::Condition(digital(0, true))),
            2 => stage.disabled = Some(Expression::Function(FunctionId(0))),
            3 => stage.on = Handlers::Function(FunctionId(0)),
            _ => {}
        }
    })
}

/// What happens from outside: how long after the last, and what.
pub(crate) fn inputs() -> impl Strategy<Value = Vec<(i64, Input)>> {
    let port_of = |device: DeviceId, place: u16| port(device, place);
    let input = prop_oneof![
        5 => (0u16..2, any::<bool>()).prop_map(move |(place, high)| Input::Digital { port: port_of(POKE, place), high }),
        2 => (-1.0..1.0f64).prop_map(move |value| Input::Analog { port: port_of(LOAD, 0), value }),
        2 => (-5.0..5.0f64).prop_map(move |value| Input::Position { port: port_of(WHEEL, 0), value }),
        1 => Just(Input::Ends { port: port(VALVE, 0) }),
        2 => (0u16..2).prop_map(|message| Input::Message { message: MessageId(message), value: 1.0 }),
        1 => Just(Input::StopAfterTrial { why: "gently".into() }),
        1 => Just(Input::Pause),
        1 => Just(Input::Resume),
    ];
    // Now and then one comes late.
    let gap = prop_oneof![6 => 0i64..30, 1 => -20i64..0];
    proptest::collection::vec((gap, input), 0..25)
}

/// Functions that return what fits, from the number of their call alone.
pub(crate) fn answer(task: &TaskDefinition, seed: u64, call: &Call) -> Result<Returned, String> {
    let mut random = Random::new(Seed(seed), "answers", call.number);
    if random.chance(0.02) {
        return Err("it failed".to_owned());
    }
    let mut byte = || random.below(256) as u8;
    let plain = |choice: u8| match action(choice) {
        // What a function returns holds no functions.
        Action::Record(..) | Action::Device(..) => record(1.0),
        action => action,
    };
    // The children of the nearest `states` around the stage.
    let mut siblings = &[][..];
    let mut around = task.stages[call.stage.index()].parent;
    while let Some(stage) = around {
        if let StageKind::States(children) = &task.stages[stage.index()].kind {
            siblings = children;
            break;
        }
        around = task.stages[stage.index()].parent;
    }
    Ok(match call.purpose {
        Purpose::Prepare => Returned::Columns(vec![(NUMBER, Some(Value::Number(f64::from(byte()))))]),
        Purpose::Test => Returned::Test(byte() % 4 == 0),
        Purpose::Carry(_) => Returned::Value(None),
        Purpose::Actions => Returned::Actions(vec![plain(byte())]),
        Purpose::Response => {
            let transition = match byte() % 4 {
                0 => Transition::Done,
                1 => Transition::Next,
                2 if !siblings.is_empty() => Transition::Goto(siblings[usize::from(byte()) % siblings.len()]),
                _ => Transition::Stay,
            };
            Returned::Response(Response { actions: vec![plain(byte())], transition })
        }
        Purpose::Handlers => {
            let response = Response { actions: vec![plain(byte())], transition: Transition::Done };
            Returned::Handlers(vec![Handler { trigger: trigger(byte()), what: What::Response(response) }])
        }
        Purpose::Value(Wanted::Boolean) => Returned::Value(Some(Value::Boolean(byte() % 4 == 0))),
        Purpose::Value(Wanted::Column(_)) if byte() % 4 == 0 => Returned::Value(None),
        Purpose::Value(_) => Returned::Value(Some(Value::Duration(Span::from_ms(u32::from(byte()))))),
    })
}
