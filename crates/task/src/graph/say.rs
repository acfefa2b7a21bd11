//! A task's parts in words, as one would write them in its file.

use bramble_value::{Draw, Name, Shape, Value};

use super::{Lead, Sketch};
use crate::definition::{
    Action, Command, Condition, DisplayCommand, Edge, Expression, FunctionId, Handlers, PortChoice, PortRef,
    Reaction, Repeat, SkipIf, Stage, StageId, StageKind, Stimulus, StimulusKind, TaskDefinition, Threshold,
    Transition, Trigger, What,
};

/// A task to be put into words.
pub(crate) struct Say<'a> {
    pub(crate) task: &'a TaskDefinition,
    pub(crate) sketches: &'a [Sketch],
}

/// A way out of a stage: what causes it, and where it leads.
pub(crate) struct Way {
    pub(crate) words: String,
    pub(crate) leads: Vec<Lead>,
}

impl Say<'_> {
    pub(crate) fn function(&self, id: FunctionId) -> String {
        let name = self.sketch(id).map_or("function", |sketch| sketch.name.as_str());
        if name == "lambda" { "a function".to_owned() } else { format!("{name}(trial)") }
    }

    fn names(&self, expression: &Expression) -> &[Name] {
        match expression {
            Expression::Column(id) | Expression::Other(id) | Expression::Last(id) => {
                self.task.columns[id.index()].kind.choices()
            }
            Expression::Parameter(id) => self.task.parameters[id.index()].kind.choices(),
            _ => &[],
        }
    }

    pub(crate) fn expression(&self, expression: &Expression, choices: &[Name]) -> String {
        let column = |id: &crate::definition::ColumnId| self.task.columns[id.index()].name.to_string();
        match expression {
            Expression::Value(value) => value_words(*value, choices),
            Expression::Column(id) => column(id),
            Expression::Other(id) => format!("{}.other", column(id)),
            Expression::Last(id) => format!("{}.last", column(id)),
            Expression::Parameter(id) => self.task.parameters[id.index()].name.to_string(),
            Expression::Count(id) => format!("{}.count", self.task.counters[id.index()].name),
            Expression::StateTime => "state_time".to_owned(),
            Expression::Since(id) => format!("since {}", self.task.stages[id.index()].name),
            Expression::EventPort(_) => "event.port".to_owned(),
            Expression::EventTime => "event.time".to_owned(),
            Expression::EventValue => "event.value".to_owned(),
            Expression::Mapped(inner, _) => self.expression(inner, self.names(inner)),
            Expression::Draw(draw) => self.draw(draw),
            Expression::Function(id) => self.function(*id),
        }
    }

    fn plain(&self, expression: &Expression) -> String {
        self.expression(expression, &[])
    }

    fn draw(&self, draw: &Draw<Expression>) -> String {
        match &draw.shape {
            Shape::Uniform { low, high } => format!("uniform({}, {})", self.plain(low), self.plain(high)),
            Shape::Normal { mean, deviation } => {
                format!("normal({}, {})", self.plain(mean), self.plain(deviation))
            }
            Shape::Exponential { mean } => format!("exponential({})", self.plain(mean)),
        }
    }

    pub(crate) fn port(&self, port: &PortRef) -> String {
        let device = &self.task.devices[port.device.index()];
        match &port.port {
            PortChoice::Fixed(place) => match device.ports.get(usize::from(*place)) {
                Some(name) => format!("{}.{name}", device.name),
                None => device.name.to_string(),
            },
            PortChoice::Any => device.name.to_string(),
            PortChoice::Chosen(chosen) => {
                format!("{}[{}]", device.name, self.expression(chosen, &device.ports))
            }
        }
    }

    pub(crate) fn condition(&self, condition: &Condition) -> String {
        match condition {
            Condition::Digital(port, true) => format!("{} high", self.port(port)),
            Condition::Digital(port, false) => format!("{} low", self.port(port)),
            Condition::TimerRuns(id) => format!("{} running", self.task.timers[id.index()].name),
            Condition::Measured(port, threshold) => {
                let unit = &self.task.devices[port.device.index()].unit;
                let said = |word: &str, value: &Expression| format!("{word} {} {unit}", self.plain(value));
                let threshold = match threshold {
                    Threshold::Above(value) => said("above", value),
                    Threshold::Below(value) => said("below", value),
                    Threshold::Between(low, high) => {
                        format!("between {} and {} {unit}", self.plain(low), self.plain(high))
                    }
                    Threshold::Beyond(value) => said("beyond", value),
                    Threshold::Still(value) => said("still within", value),
                    Threshold::SpeedAbove(value) => said("faster than", value),
                    Threshold::SpeedBelow(value) => said("slower than", value),
                };
                format!("{} {}", self.port(port), threshold.trim_end())
            }
        }
    }

    pub(crate) fn trigger(&self, trigger: &Trigger) -> String {
        match trigger {
            Trigger::Edge(port, Edge::Rises) => format!("{} rises", self.port(port)),
            Trigger::Edge(port, Edge::Falls) => format!("{} falls", self.port(port)),
            Trigger::Edge(port, Edge::Changes) => format!("{} changes", self.port(port)),
            Trigger::Level { condition, lasts: None } => self.condition(condition),
            Trigger::Level { condition, lasts: Some(time) } => {
                format!("{} for {}", self.condition(condition), self.plain(time))
            }
            Trigger::Ends(port) => format!("{} ends", self.port(port)),
            Trigger::TimerEnds(id) => format!("{} ends", self.task.timers[id.index()].name),
            Trigger::Reaches(id, count) => {
                format!("{} reaches {}", self.task.counters[id.index()].name, self.plain(count))
            }
            Trigger::Message(id) => format!("message {}", self.task.messages[id.index()].name),
        }
    }

    fn stimulus(&self, stimulus: &Stimulus<Expression>) -> String {
        let word = match stimulus.kind {
            StimulusKind::Tone => "tone",
            StimulusKind::Noise => "noise",
            StimulusKind::Grating => "grating",
        };
        let given: Vec<String> = stimulus.arguments.iter().flatten().map(|value| self.plain(value)).collect();
        format!("{word} {}", given.join(" ")).trim_end().to_owned()
    }

    pub(crate) fn action(&self, action: &Action) -> String {
        match action {
            Action::Device(port, command) => format!("{} {}", self.port(port), self.command(command)),
            Action::Record(id, value) => {
                let column = &self.task.columns[id.index()];
                let value = value.as_ref().map(|value| self.expression(value, column.kind.choices()));
                format!("{} = {}", column.name, value.unwrap_or_else(|| "missing".to_owned()))
            }
            Action::Emit(id) => format!("emit {}", self.task.messages[id.index()].name),
            Action::StartTimer(id, time) => {
                format!("start {} for {}", self.task.timers[id.index()].name, self.plain(time))
            }
            Action::StopTimer(id) => format!("stop {}", self.task.timers[id.index()].name),
            Action::ResetCounter(id) => format!("reset {}", self.task.counters[id.index()].name),
            Action::Zero(port) => format!("{} zero", self.port(port)),
            Action::StopSession(_) => "stop the session".to_owned(),
        }
    }

    fn command(&self, command: &Command<Expression>) -> String {
        match command {
            Command::On(None) => "on".to_owned(),
            Command::On(Some(level)) => format!("on at {}", self.plain(level)),
            Command::Off => "off".to_owned(),
            Command::Open(amount) => format!("open {}", self.plain(amount)),
            Command::Pulse { on, .. } => format!("pulse {}", self.plain(on)),
            Command::Train { on, every, .. } => {
                format!("train {} every {}", self.plain(on), self.plain(every))
            }
            Command::Series { segments, .. } => format!("series of {}", segments.len()),
            Command::Play { sound, .. } => format!("play {}", self.stimulus(sound)),
            Command::Stop => "stop".to_owned(),
            Command::Film => "film".to_owned(),
            Command::Display(DisplayCommand::Show(picture)) => format!("show {}", self.stimulus(picture)),
            Command::Display(DisplayCommand::Follow(port, _)) => {
                format!("follow {}", self.task.port_name(*port))
            }
            Command::Display(DisplayCommand::Center) => "center".to_owned(),
            Command::Display(DisplayCommand::Freeze) => "freeze".to_owned(),
            Command::Display(DisplayCommand::Clear) => "clear".to_owned(),
        }
    }

    fn actions(&self, actions: &[Action]) -> String {
        actions.iter().map(|action| self.action(action)).collect::<Vec<_>>().join(", ")
    }

    fn reaction(&self, reaction: &Reaction) -> String {
        match reaction {
            Reaction::Actions(actions) => self.actions(actions),
            Reaction::Function(id) => self.function(*id),
        }
    }

    /// A stage's heading: its kind, and what that says.
    pub(crate) fn heading(&self, stage: &Stage) -> String {
        let said = match &stage.kind {
            StageKind::Delay(time) => self.plain(time),
            StageKind::Gate { trigger, hold, .. } => match hold {
                Some(hold) => format!("until {} for {}", self.trigger(trigger), self.plain(hold)),
                None => format!("until {}", self.trigger(trigger)),
            },
            StageKind::Pulse(port, time) => format!("{} for {}", self.port(port), self.plain(time)),
            StageKind::Play(port, sound) => format!("{}: {}", self.port(port), self.stimulus(sound)),
            StageKind::Call(id) => self.function(*id),
            StageKind::Record(columns) => {
                let all = columns.iter().map(|(id, value)| Action::Record(*id, value.clone()));
                self.actions(&all.collect::<Vec<_>>())
            }
            _ => String::new(),
        };
        let word = stage.kind.word();
        if said.is_empty() { word.to_owned() } else { format!("{word} {said}") }
    }

    /// What a stage does besides leading elsewhere.
    pub(crate) fn notes(&self, stage: &Stage) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |word: &str, said: String| {
            if !said.is_empty() {
                notes.push(format!("{word} {said}"));
            }
        };
        match &stage.repeat {
            Repeat::Once => {}
            Repeat::Times(times) => note("repeat", format!("{} times", self.plain(times))),
            Repeat::Forever => note("repeat", "forever".to_owned()),
        }
        let time = |time: &Option<Expression>| time.as_ref().map(|time| self.plain(time)).unwrap_or_default();
        note("timeout", time(&stage.timeout));
        note("timeout of a turn", time(&stage.repeat_timeout));
        match &stage.skip_if {
            Some(SkipIf::Value(value)) => note("skip if", self.plain(value)),
            Some(SkipIf::Condition(condition)) => note("skip if", self.condition(condition)),
            None => {}
        }
        note("disabled", time(&stage.disabled));
        if let StageKind::Trials(trials) = &stage.kind {
            note("prepare", trials.prepare.map(|id| self.function(id)).unwrap_or_default());
        }
        note("during", self.actions(&stage.during));
        note("enter", self.reaction(&stage.enter));
        note("leave", self.reaction(&stage.leave));
        notes
    }

    /// What leads out of a stage, or is done while it goes on.
    pub(crate) fn ways(&self, id: StageId, stage: &Stage) -> Vec<Way> {
        let mut ways = Vec::new();
        match &stage.on {
            Handlers::Listed(handlers) => {
                ways.extend(
                    handlers
                        .iter()
                        .map(|handler| self.way(id, self.trigger(&handler.trigger), &handler.what)),
                );
            }
            Handlers::Function(function) => {
                let leads = self.leads(id, *function);
                ways.push(Way { words: format!("events of {}", self.function(*function)), leads });
            }
        }
        ways.extend(
            stage.after.iter().map(|(time, what)| self.way(id, format!("after {}", self.plain(time)), what)),
        );
        if let Some(then) = stage.then {
            ways.push(Way { words: "then".to_owned(), leads: lead(then).into_iter().collect() });
        }
        ways
    }

    fn leads(&self, id: StageId, function: FunctionId) -> Vec<Lead> {
        let leads = self.sketch(function).map(|sketch| sketch.leads.as_slice()).unwrap_or_default();
        leads.iter().filter(|(stage, _)| *stage == id).map(|(_, lead)| *lead).collect()
    }

    fn way(&self, id: StageId, cause: String, what: &What) -> Way {
        match what {
            What::Response(response) => {
                let actions = self.actions(&response.actions);
                let words = if actions.is_empty() { cause } else { format!("{cause}: {actions}") };
                Way { words, leads: lead(response.transition).into_iter().collect() }
            }
            What::Function(function) => Way {
                words: format!("{cause}: {}", self.function(*function)),
                leads: self.leads(id, *function),
            },
        }
    }
}

fn lead(transition: Transition) -> Option<Lead> {
    match transition {
        Transition::Stay => None,
        Transition::Goto(stage) => Some(Lead::Goto(stage)),
        Transition::Done => Some(Lead::Done),
        Transition::Next => Some(Lead::Next),
    }
}

fn value_words(value: Value, choices: &[Name]) -> String {
    match value {
        Value::Choice(place) => {
            choices.get(usize::from(place)).map_or_else(|| place.to_string(), Name::to_string)
        }
        Value::Boolean(flag) => flag.to_string(),
        value => bramble_value::ValueType::Number.show(value),
    }
}
