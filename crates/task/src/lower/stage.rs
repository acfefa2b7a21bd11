//! Stages.

use starlark::values::Value;

use super::literal::items;
use super::outline::{Outline, Outlined};
use super::{Lowering, shown};
use crate::call::Wanted;
use crate::definition::{
    Action, Command, CompleteOn, DeviceKind, Expression, Repeat, SkipIf, Stage, StageId, StageKind,
    Transition, Trials, Trigger, UntilRow,
};
use crate::language::{Part, Verb};
use crate::mistake::{did_you_mean, one_of};
use crate::sandbox::Problem;

/// The tree of stages as it was built, in the order of their places.
pub(crate) struct Tree<'v> {
    pub(crate) outline: Outline,
    pub(crate) parts: Vec<&'v Part<'v>>,
}

/// What is nested deeper than any task needs to be.
const DEEPEST: usize = 50;
/// More stages than any task has.
const MOST_STAGES: usize = 10_000;

impl<'v> Lowering<'_, 'v> {
    /// Walks the tree of stages: parents before their children.
    pub(crate) fn tree(&mut self, root: Value<'v>) -> Tree<'v> {
        let mut tree = Tree { outline: Outline::default(), parts: Vec::new() };
        self.visit(root, None, 0, &mut tree);
        tree.outline.name_paths();
        tree
    }

    fn visit(
        &mut self,
        value: Value<'v>,
        parent: Option<StageId>,
        depth: usize,
        tree: &mut Tree<'v>,
    ) -> Option<StageId> {
        let Some(part) =
            Part::whole(value).filter(|part| part.verb().is_stage() || part.verb() == Verb::Record)
        else {
            let problem = Problem::new(format!("{} is not a stage", shown(value)));
            let help = match Part::from_value(value).map(Part::verb) {
                Some(Verb::Goto | Verb::Done | Verb::Next) => {
                    "a transition belongs into on = {...}, after = {...} or then = ..."
                }
                Some(verb) if verb.is_stage() => "call it: state(...)",
                Some(
                    Verb::On
                    | Verb::Off
                    | Verb::Open
                    | Verb::Pulse
                    | Verb::Train
                    | Verb::Series
                    | Verb::Play
                    | Verb::Emit,
                ) => "an action belongs into a stage: state(enter = ..., on = {...})",
                _ => {
                    "stages are state, delay, gate, pulse, play, call, record, sequence, parallel, states and trials"
                }
            };
            return self.wrong(problem.help(help));
        };
        self.at(part, |this| {
            if depth > DEEPEST || tree.parts.len() >= MOST_STAGES {
                return this.wrong(Problem::new("there are too many stages in one another"));
            }
            let id = StageId(tree.parts.len() as u16);
            let name = this.stage_name(part);
            let is_states = part.verb() == Verb::States;
            tree.parts.push(part);
            tree.outline.stages.push(Outlined {
                name,
                path: String::new(),
                parent,
                is_states,
                children: Vec::new(),
            });
            let mut children: Vec<Value<'v>> = part
                .rest()
                .iter()
                .flat_map(|item| items(*item).unwrap_or(std::slice::from_ref(item)))
                .copied()
                .collect();
            children.extend(part.arg("body"));
            if children.is_empty() && matches!(part.verb(), Verb::Sequence | Verb::Parallel | Verb::States) {
                this.wrong::<()>(Problem::new(format!("this `{}` has no stages in it", part.said.word.name)));
            }
            if part.verb() == Verb::Trials && part.arg("body").is_none() {
                this.wrong::<()>(
                    Problem::new("`trials` needs `body`, the stage that is a trial")
                        .help("trials(body = states(...))"),
                );
            }
            for child in children {
                let Some(child) = this.visit(child, Some(id), depth + 1, tree) else { continue };
                let siblings = &tree.outline.stages[id.index()].children;
                let name = tree.outline.stages[child.index()].name.clone();
                let clash = siblings.iter().any(|other| tree.outline.stages[other.index()].name == name);
                let named = tree.parts[child.index()].arg("name").is_some();
                if clash && named {
                    let part = tree.parts[child.index()];
                    let problem =
                        Problem::new(format!("there are two stages named `{name}` beside each other"));
                    this.at(part, |this| {
                        this.wrong_in::<()>(
                            problem.help("give one of them another name"),
                            &format!("\"{name}\""),
                        )
                    });
                } else if clash {
                    let place = siblings.len() + 1;
                    tree.outline.stages[child.index()].name = format!("{name} {place}");
                }
                tree.outline.stages[id.index()].children.push(child);
            }
            Some(id)
        })
    }

    fn stage_name(&mut self, part: &Part<'v>) -> String {
        let Some(value) = part.arg("name") else { return part.said.word.name.to_owned() };
        match value.unpack_str().map(str::trim) {
            Some(name) if !name.is_empty() && !name.contains('/') && name.len() < 100 => name.to_owned(),
            _ => {
                let problem = Problem::new(format!("{} can't be the name of a stage", shown(value)));
                self.wrong_value::<()>(problem.help("a short text in quotes, without /"), value);
                part.said.word.name.to_owned()
            }
        }
    }

    /// One stage of the tree.
    pub(crate) fn stage(&mut self, id: StageId, part: &'v Part<'v>) -> Stage {
        self.stage = id;
        let place = part.said.site.as_ref().map(|site| self.places.place(site)).unwrap_or_default();
        self.at(part, |this| {
            let (name, path, parent) = {
                let outlined = &this.outline.stages[id.index()];
                (outlined.name.clone(), outlined.path.clone(), outlined.parent)
            };
            let kind = this.kind(id, part).unwrap_or(StageKind::State);
            let duration = |this: &mut Self, name: &str| {
                part.arg(name)
                    .filter(|value| !value.is_none())
                    .and_then(|value| this.expression(value, Wanted::Duration))
            };
            Stage {
                name,
                path,
                parent,
                kind,
                repeat: this.repeat(part),
                timeout: duration(this, "timeout"),
                repeat_timeout: duration(this, "repeat_timeout"),
                skip_if: part.arg("skip_if").and_then(|value| this.skip_if(value)),
                disabled: part.arg("disabled").and_then(|value| this.expression(value, Wanted::Boolean)),
                during: part.arg("during").map(|value| this.during(value)).unwrap_or_default(),
                enter: this.reaction(part.arg("enter"), "enter"),
                leave: this.reaction(part.arg("leave"), "leave"),
                on: part.arg("on").map(|value| this.handlers(value)).unwrap_or_default(),
                after: part.arg("after").map(|value| this.times(value)).unwrap_or_default(),
                then: part.arg("then").and_then(|value| this.then(id, value)),
                place,
            }
        })
    }

    fn kind(&mut self, id: StageId, part: &'v Part<'v>) -> Option<StageKind> {
        let children = self.outline.stages[id.index()].children.clone();
        Some(match part.verb() {
            Verb::State => StageKind::State,
            Verb::Delay => StageKind::Delay(self.expression(part.arg("time")?, Wanted::Duration)?),
            Verb::Gate => self.gate(part)?,
            Verb::PulseStage => {
                let kinds = [DeviceKind::DigitalOutput, DeviceKind::LevelOutput, DeviceKind::Solenoid];
                let port = self.port_of(part.arg("device")?, &kinds);
                let on = self.expression(part.arg("time")?, Wanted::Duration);
                StageKind::Pulse(port?, on?)
            }
            Verb::PlayStage => {
                let port = self.port_of(part.arg("device")?, &[DeviceKind::Sound]);
                let sound = self.stimulus(part.arg("sound")?, true)?;
                let place = sound.kind.duration().and_then(|place| sound.arguments.get(place));
                if matches!(place, Some(None)) {
                    let problem = Problem::new("a stage that plays a sound needs to know how long it is");
                    return self.wrong(problem.help("tone(\"5 kHz\", \"100 ms\")"));
                }
                StageKind::Play(port?, sound)
            }
            Verb::Call => {
                let value = part.arg("function")?;
                if !Self::is_function(value) {
                    let problem =
                        Problem::new(format!("`call` takes a function of the trial, not {}", shown(value)));
                    return self.wrong(
                        problem.help("actions without a function go into record(...) or state(enter = ...)"),
                    );
                }
                StageKind::Call(self.function(value)?)
            }
            Verb::Record => StageKind::Record(self.record(part)),
            Verb::Sequence => StageKind::Sequence(children.clone(), self.complete_on(part, &children)?),
            Verb::Parallel => StageKind::Parallel(children.clone(), self.complete_on(part, &children)?),
            Verb::States => StageKind::States(children),
            _ => StageKind::Trials(self.trials(part, *children.first()?)?),
        })
    }

    fn gate(&mut self, part: &Part<'v>) -> Option<StageKind> {
        let value = part.arg("condition")?;
        let trigger = self.trigger(value)?;
        if let Trigger::Level { lasts: Some(_), .. } = &trigger {
            return self.wrong_in(
                Problem::new("a gate's time is given by `hold`").help("gate(poke.high, hold = \"1 s\")"),
                ".lasts",
            );
        }
        let is_level = matches!(trigger, Trigger::Level { .. });
        let hold = part.arg("hold").map(|hold| self.expression(hold, Wanted::Duration));
        let use_initial = match part.arg("use_initial") {
            None => true,
            Some(value) => self.literal(value, Wanted::Boolean)? == bramble_value::Value::Boolean(true),
        };
        if hold.is_some() && !is_level {
            let problem = Problem::new("an event has no length that could be held");
            return self.wrong_in(problem.help("use a condition: .high, .low, .still(x) ..."), "hold");
        }
        let hold = match hold {
            None => None,
            Some(hold) => Some(hold?),
        };
        Some(StageKind::Gate { trigger, hold, use_initial })
    }

    fn trials(&mut self, part: &Part<'v>, body: StageId) -> Option<Trials> {
        let prepare = match part.arg("prepare") {
            None => None,
            Some(value) if Self::is_function(value) => Some(self.function(value)?),
            Some(value) => {
                let problem =
                    Problem::new(format!("`prepare` is a function of the trial, not {}", shown(value)));
                return self.wrong_in(
                    problem.help("it returns columns: lambda trial: {\"target\": \"left\"}"),
                    "prepare",
                );
            }
        };
        let until = match part.arg("until") {
            None => None,
            Some(value) if Self::is_function(value) => Some(UntilRow::Function(self.function(value)?)),
            Some(value) => match Part::whole(value).filter(|part| part.verb() == Verb::Reaches) {
                Some(_) => match self.trigger(value)? {
                    Trigger::Reaches(counter, count) => Some(UntilRow::Reaches(counter, count)),
                    _ => None,
                },
                None => Some(UntilRow::Value(self.expression(value, Wanted::Boolean)?)),
            },
        };
        Some(Trials { prepare, body, until })
    }

    fn repeat(&mut self, part: &Part<'v>) -> Repeat {
        let Some(value) = part.arg("repeat") else {
            return if part.verb() == Verb::Trials { Repeat::Forever } else { Repeat::Once };
        };
        if Part::whole(value).is_some_and(|part| part.verb() == Verb::Forever)
            || value.unpack_str() == Some("forever")
        {
            return Repeat::Forever;
        }
        if value.unpack_i32().is_some_and(|times| times < 0) {
            self.wrong_value::<()>(Problem::new("a stage can't be repeated less than 0 times"), value);
            return Repeat::Once;
        }
        self.expression(value, Wanted::Integer).map_or(Repeat::Once, Repeat::Times)
    }

    fn skip_if(&mut self, value: Value<'v>) -> Option<SkipIf> {
        if Self::is_condition(value) {
            return self.condition(value).map(SkipIf::Condition);
        }
        self.expression(value, Wanted::Boolean).map(SkipIf::Value)
    }

    fn during(&mut self, value: Value<'v>) -> Vec<Action> {
        if Self::is_function(value) {
            let problem = Problem::new("`during` takes actions, not a function");
            self.wrong_in::<()>(
                problem.help("what a function returns can't be undone: use `enter` and `leave`"),
                "during",
            );
            return Vec::new();
        }
        let actions = self.actions(value, "during");
        let (kept, wrong): (Vec<_>, Vec<_>) = actions.into_iter().partition(can_be_undone);
        if !wrong.is_empty() {
            let problem = Problem::new("`during` is undone when the stage ends, and this can't be undone");
            self.wrong_in::<()>(problem.help("put it into `enter` or `leave`"), "during");
        }
        kept
    }

    fn then(&mut self, id: StageId, value: Value<'v>) -> Option<Transition> {
        let parent = self.outline.stages[id.index()].parent;
        if !parent.is_some_and(|parent| self.outline.stages[parent.index()].is_states) {
            let problem = Problem::new("`then` leads nowhere: the stage is not in a `states`");
            return self.wrong_in(problem.help("in a sequence the next stage follows by itself"), "then");
        }
        let response = self.response(value);
        if !response.actions.is_empty() {
            return self.wrong_in(
                Problem::new("`then` is goto(...), done or next").help("put actions into `leave`"),
                "then",
            );
        }
        match response.transition {
            Transition::Stay => None,
            transition => Some(transition),
        }
    }

    fn complete_on(&mut self, part: &Part<'v>, children: &[StageId]) -> Option<CompleteOn> {
        let all = || CompleteOn::All(children.to_vec().into());
        let Some(value) = part.arg("complete_on") else { return Some(all()) };
        match value.unpack_str() {
            Some("all") => return Some(all()),
            Some("any") => return Some(CompleteOn::Any(children.to_vec().into())),
            Some("never") => return Some(CompleteOn::Never),
            _ => {}
        }
        let help = "complete_on is \"all\", \"any\", \"never\", all_of(\"a\", \"b\") or any_of(\"a\")";
        let which = Part::whole(value).filter(|part| matches!(part.verb(), Verb::AllOf | Verb::AnyOf));
        let Some(which) = which else {
            let problem = Problem::new(format!("{} doesn't say when this stage is complete", shown(value)));
            return self.wrong_value(problem.help(help), value);
        };
        let mut named = Vec::new();
        for name in which.rest() {
            let text = name.unpack_str().unwrap_or_default();
            let names = || children.iter().map(|child| self.outline.stages[child.index()].name.as_str());
            match names().position(|known| known == text) {
                Some(place) => named.push(children[place]),
                None => {
                    let problem = Problem::new(format!(
                        "there is no stage {} in this `{}`",
                        shown(*name),
                        part.said.word.name
                    ));
                    let help = did_you_mean(text, names())
                        .unwrap_or_else(|| format!("there are {}", one_of(names())));
                    self.wrong_value::<()>(problem.help(help), *name);
                }
            }
        }
        if named.is_empty() && !which.rest().is_empty() {
            return None;
        }
        if named.is_empty() {
            return self.wrong(Problem::new("`complete_on` of no stages").help(help));
        }
        let named = named.into();
        Some(if which.verb() == Verb::AllOf { CompleteOn::All(named) } else { CompleteOn::Any(named) })
    }
}

/// Whether an action has an end that undoes it.
fn can_be_undone(action: &Action) -> bool {
    match action {
        Action::Device(_, Command::Off | Command::Stop) => false,
        Action::Device(..) | Action::StartTimer(..) => true,
        _ => false,
    }
}

/// Whether a stage's duration is known to be nothing.
pub(crate) fn is_zero(expression: &Expression) -> bool {
    matches!(expression, Expression::Value(value) if value.to_f64() == 0.0)
}
