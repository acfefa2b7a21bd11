//! The volumes that a task gives, as far as its stages say them.

use bramble_task::TaskDefinition;
use bramble_task::definition::{
    Action, Command, Expression, Handlers, ParameterId, PortChoice, PortId, PortRef, Reaction, Stage, What,
};
use bramble_value::{Value, ValueType, Volume};

/// How much is given at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    /// This much.
    Known(Volume),
    /// What the parameter says.
    Parameter(ParameterId),
    /// What is only known when it is given.
    Later,
}

/// Every port that is opened for a volume in the stage tree, and for how much.
/// What functions return is only known when they run.
pub(super) fn given(task: &TaskDefinition) -> Vec<(PortId, Amount)> {
    let mut given = Vec::new();
    for action in task.stages.iter().flat_map(written_actions) {
        if let Action::Device(to, Command::Open(amount)) = action
            && let Some(amount) = volume(task, amount)
        {
            given.extend(ports(task, to).map(|port| (port, amount)));
        }
    }
    given
}

fn volume(task: &TaskDefinition, amount: &Expression) -> Option<Amount> {
    match amount {
        Expression::Value(Value::Volume(volume)) => Some(Amount::Known(*volume)),
        Expression::Parameter(one) => {
            (task.parameters[one.index()].kind == ValueType::Volume).then_some(Amount::Parameter(*one))
        }
        Expression::Column(one) | Expression::Other(one) | Expression::Last(one) => {
            (task.columns[one.index()].kind == ValueType::Volume).then_some(Amount::Later)
        }
        _ => None,
    }
}

/// The port that is meant, or all that may be.
fn ports(task: &TaskDefinition, to: &PortRef) -> impl Iterator<Item = PortId> {
    let device = to.device;
    let ports = match &to.port {
        PortChoice::Fixed(port) => *port..*port + 1,
        PortChoice::Any | PortChoice::Chosen(_) => 0..task.devices[device.index()].port_count(),
    };
    ports.map(move |port| PortId { device, port })
}

fn written_actions(stage: &Stage) -> impl Iterator<Item = &Action> {
    fn of_reaction(reaction: &Reaction) -> &[Action] {
        match reaction {
            Reaction::Actions(actions) => actions,
            Reaction::Function(_) => &[],
        }
    }
    fn of_what(what: &What) -> &[Action] {
        match what {
            What::Response(response) => &response.actions,
            What::Function(_) => &[],
        }
    }
    let handlers = match &stage.on {
        Handlers::Listed(handlers) => handlers.as_slice(),
        Handlers::Function(_) => &[],
    };
    let responses = handlers.iter().map(|one| &one.what).chain(stage.after.iter().map(|(_, what)| what));
    stage
        .during
        .iter()
        .chain(of_reaction(&stage.enter))
        .chain(of_reaction(&stage.leave))
        .chain(responses.flat_map(of_what))
}
