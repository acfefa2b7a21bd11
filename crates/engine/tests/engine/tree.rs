//! Stage trees written as trees, for tests.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::definition::*;

use crate::rig::{declare, ms};

/// A stage with what is in it. Where it leads is named.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    stage: Stage,
    children: Vec<Node>,
    on: Vec<(Trigger, Then)>,
    after: Vec<(Expression, Then)>,
    then: Option<To>,
    complete: Complete,
}

#[derive(Debug, Clone)]
pub(crate) enum Complete {
    All(Vec<String>),
    Any(Vec<String>),
    Never,
}

#[derive(Debug, Clone)]
pub(crate) enum To {
    Stay,
    Goto(String),
    Done,
    Next,
}

#[derive(Debug, Clone)]
pub(crate) enum Then {
    Do(Vec<Action>, To),
    Function(FunctionId),
}

pub(crate) fn goto(name: &str) -> Then {
    Then::Do(Vec::new(), To::Goto(name.to_owned()))
}

pub(crate) const DONE: Then = Then::Do(Vec::new(), To::Done);
pub(crate) const NEXT: Then = Then::Do(Vec::new(), To::Next);

pub(crate) fn act(actions: impl Into<Vec<Action>>) -> Then {
    Then::Do(actions.into(), To::Stay)
}

fn node(name: &str, kind: StageKind, children: Vec<Node>) -> Node {
    let stage = Stage {
        name: name.to_owned(),
        path: name.to_owned(),
        parent: None,
        kind,
        repeat: Repeat::Once,
        timeout: None,
        repeat_timeout: None,
        skip_if: None,
        disabled: None,
        during: Vec::new(),
        enter: Reaction::default(),
        leave: Reaction::default(),
        on: Handlers::default(),
        after: Vec::new(),
        then: None,
        place: Place::default(),
    };
    let complete = Complete::All(children.iter().map(|child| child.stage.name.clone()).collect());
    Node { stage, children, on: Vec::new(), after: Vec::new(), then: None, complete }
}

pub(crate) fn leaf(name: &str, kind: StageKind) -> Node {
    node(name, kind, Vec::new())
}

pub(crate) fn state(name: &str) -> Node {
    leaf(name, StageKind::State)
}

pub(crate) fn delay(name: &str, for_ms: u32) -> Node {
    leaf(name, StageKind::Delay(ms(for_ms)))
}

pub(crate) fn gate(name: &str, trigger: Trigger, hold: Option<u32>, use_initial: bool) -> Node {
    leaf(name, StageKind::Gate { trigger, hold: hold.map(ms), use_initial })
}

pub(crate) fn sequence(name: &str, children: impl Into<Vec<Node>>) -> Node {
    node(name, StageKind::Sequence(Vec::new(), CompleteOn::Never), children.into())
}

pub(crate) fn parallel(name: &str, children: impl Into<Vec<Node>>) -> Node {
    node(name, StageKind::Parallel(Vec::new(), CompleteOn::Never), children.into())
}

pub(crate) fn states(name: &str, children: impl Into<Vec<Node>>) -> Node {
    node(name, StageKind::States(Vec::new()), children.into())
}

pub(crate) fn trials(name: &str, body: Node) -> Node {
    let trials = Trials { prepare: None, body: TaskDefinition::ROOT, until: None };
    node(name, StageKind::Trials(trials), vec![body])
}

impl Node {
    pub(crate) fn on(mut self, trigger: Trigger, then: Then) -> Node {
        self.on.push((trigger, then));
        self
    }

    pub(crate) fn after(mut self, time_ms: u32, then: Then) -> Node {
        self.after.push((ms(time_ms), then));
        self
    }

    pub(crate) fn during(mut self, actions: impl Into<Vec<Action>>) -> Node {
        self.stage.during = actions.into();
        self
    }

    pub(crate) fn enter(mut self, actions: impl Into<Vec<Action>>) -> Node {
        self.stage.enter = Reaction::Actions(actions.into());
        self
    }

    pub(crate) fn leave(mut self, actions: impl Into<Vec<Action>>) -> Node {
        self.stage.leave = Reaction::Actions(actions.into());
        self
    }

    pub(crate) fn times(mut self, times: i64) -> Node {
        self.stage.repeat = Repeat::Times(crate::rig::integer(times));
        self
    }

    pub(crate) fn forever(mut self) -> Node {
        self.stage.repeat = Repeat::Forever;
        self
    }

    pub(crate) fn then(mut self, to: To) -> Node {
        self.then = Some(to);
        self
    }

    pub(crate) fn completes(mut self, complete: Complete) -> Node {
        self.complete = complete;
        self
    }

    pub(crate) fn any_of(self, names: &[&str]) -> Node {
        self.completes(Complete::Any(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    /// For all that has no word of its own here.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Stage)) -> Node {
        change(&mut self.stage);
        self
    }

    /// The task that this is the root of. Every name must be another.
    pub(crate) fn task(self) -> Arc<TaskDefinition> {
        let mut names = Vec::new();
        self.list(&mut names);
        let mut stages = Vec::new();
        self.lower(None, &names, &mut stages);
        declare(stages)
    }

    fn list(&self, names: &mut Vec<String>) {
        names.push(self.stage.name.clone());
        for child in &self.children {
            child.list(names);
        }
    }

    fn lower(self, parent: Option<StageId>, names: &[String], stages: &mut Vec<Stage>) {
        let find = |name: &str| {
            let place = names.iter().position(|other| other == name);
            StageId(place.unwrap_or_else(|| panic!("there is no stage {name}")) as u16)
        };
        let lead = |to: &To| match to {
            To::Stay => Transition::Stay,
            To::Goto(name) => Transition::Goto(find(name)),
            To::Done => Transition::Done,
            To::Next => Transition::Next,
        };
        let what = |then: &Then| match then {
            Then::Do(actions, to) => {
                What::Response(Response { actions: actions.clone(), transition: lead(to) })
            }
            Then::Function(function) => What::Function(*function),
        };
        let id = StageId(stages.len() as u16);
        let mut stage = self.stage;
        stage.parent = parent;
        if let Handlers::Listed(handlers) = &mut stage.on {
            handlers.extend(
                self.on.iter().map(|(trigger, then)| Handler { trigger: trigger.clone(), what: what(then) }),
            );
        }
        stage.after.extend(self.after.iter().map(|(time, then)| (time.clone(), what(then))));
        stage.then = self.then.as_ref().map(lead);
        let places: Vec<StageId> = self.children.iter().map(|child| find(&child.stage.name)).collect();
        let of = |names: &[String]| names.iter().map(|name| find(name)).collect();
        let complete_on = match &self.complete {
            Complete::All(names) => CompleteOn::All(of(names)),
            Complete::Any(names) => CompleteOn::Any(of(names)),
            Complete::Never => CompleteOn::Never,
        };
        match &mut stage.kind {
            StageKind::Sequence(children, complete) | StageKind::Parallel(children, complete) => {
                (*children, *complete) = (places, complete_on);
            }
            StageKind::States(children) => *children = places,
            StageKind::Trials(trials) => trials.body = places[0],
            _ => {}
        }
        stages.push(stage);
        for child in self.children {
            child.lower(Some(id), names, stages);
        }
    }
}
