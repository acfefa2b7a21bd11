//! What a task does: actions, transitions and handlers.

use starlark::values::Value;
use starlark::values::dict::DictRef;

use super::literal::items;
use super::{Handled, Lowering, shown};
use crate::call::Wanted;
use crate::definition::{
    Action, ColumnId, Command, CounterId, DeviceKind, DisplayCommand, Expression, Handler, Handlers,
    MessageId, PortChoice, PortId, Reaction, Response, Segment, Stimulus, StimulusKind, TimerId, Transition,
    Trigger, What,
};
use crate::language::{Part, Verb};
use crate::mistake::did_you_mean;
use crate::sandbox::Problem;

/// How many levels a series may have.
const MOST_SEGMENTS: usize = 1000;

/// An action, or where to go.
enum Step {
    Do(Action),
    Go(Transition),
}

impl<'v> Lowering<'_, 'v> {
    /// Actions: one, or a list of them; nothing where `place` is a place that can't lead away.
    pub(crate) fn actions(&mut self, value: Value<'v>, place: &str) -> Vec<Action> {
        let mut actions = Vec::new();
        for step in self.steps(value) {
            match step {
                Step::Do(action) => actions.push(action),
                Step::Go(_) => {
                    let problem = Problem::new(format!("`{place}` can't lead away from the stage"));
                    self.wrong::<()>(
                        problem.help("use on = {event: goto(...)} or after = {\"0 s\": goto(...)}"),
                    );
                }
            }
        }
        actions
    }

    /// Actions and then a transition.
    pub(crate) fn response(&mut self, value: Value<'v>) -> Response {
        let mut response = Response::default();
        for step in self.steps(value) {
            match (step, response.transition) {
                (Step::Do(action), Transition::Stay) => response.actions.push(action),
                (Step::Go(transition), Transition::Stay) => response.transition = transition,
                (Step::Do(_), _) => {
                    let problem = Problem::new("nothing is done after a transition");
                    self.wrong::<()>(problem.help("put goto(...), done or next last"));
                }
                (Step::Go(_), _) => {
                    let problem = Problem::new("two transitions: only one can happen");
                    self.wrong::<()>(problem.help("a function of the trial can choose between them"));
                }
            }
        }
        response
    }

    fn steps(&mut self, value: Value<'v>) -> Vec<Step> {
        if value.is_none() {
            return Vec::new();
        }
        match items(value) {
            Some(items) => {
                let steps =
                    self.deeper(|this| Some(items.iter().flat_map(|item| this.steps(*item)).collect()));
                steps.unwrap_or_default()
            }
            None => match Part::whole(value).filter(|part| part.verb() == Verb::Record) {
                Some(part) => self.at(part, |this| {
                    this.record(part)
                        .into_iter()
                        .map(|(column, value)| Step::Do(Action::Record(column, value)))
                        .collect()
                }),
                None => self.step(value).into_iter().collect(),
            },
        }
    }

    fn step(&mut self, value: Value<'v>) -> Option<Step> {
        if Self::is_function(value) {
            let problem = Problem::new("a function can't stand among actions");
            return self.wrong(problem.help("put it there alone, and let it return the list"));
        }
        let Some(part) = Part::from_value(value) else {
            let problem = Problem::new(format!("{} is not an action", shown(value)));
            let help = match value.unpack_str() {
                Some(name) => format!("did you mean goto(\"{name}\")?"),
                None => "actions are light.on(), valve.open(\"4 uL\"), record(...), goto(\"state\") ..."
                    .to_owned(),
            };
            return self.wrong_value(problem.help(help), value);
        };
        if !part.is_called() {
            return self.uncalled(part);
        }
        self.at(part, |this| match part.verb() {
            Verb::Done => Some(Step::Go(Transition::Done)),
            Verb::Next => Some(Step::Go(Transition::Next)),
            Verb::Goto => this.goto(part).map(Step::Go),
            _ => this.action(part).map(Step::Do),
        })
    }

    fn goto(&mut self, part: &Part<'v>) -> Option<Transition> {
        let value = part.arg("state")?;
        let Some(name) = value.unpack_str() else {
            let problem = Problem::new(format!("`goto` takes the name of a state, not {}", shown(value)));
            return self.wrong(problem.help("goto(\"reward\")"));
        };
        match self.outline.goto(self.stage, name) {
            Ok(stage) => Some(Transition::Goto(stage)),
            Err(problem) => self.wrong_in(problem, &format!("\"{name}\"")),
        }
    }

    fn text(&mut self, part: &Part<'v>, name: &str) -> Option<String> {
        let value = part.arg(name)?;
        match value.unpack_str() {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(Problem::new(format!("`{name}` is a text in quotes, not {}", shown(value)))),
        }
    }

    fn optional(&mut self, part: &Part<'v>, name: &str, wanted: Wanted) -> Option<Option<Expression>> {
        match part.arg(name) {
            None => Some(None),
            Some(value) if value.is_none() => Some(None),
            Some(value) => self.expression(value, wanted).map(Some),
        }
    }

    fn action(&mut self, part: &Part<'v>) -> Option<Action> {
        match part.verb() {
            Verb::Emit => self.emit(part).map(Action::Emit),
            Verb::StopSession => self.text(part, "why").map(|why| Action::StopSession(why.into())),
            Verb::StartTimer => {
                let time = self.expression(part.arg("time")?, Wanted::Duration)?;
                Some(Action::StartTimer(TimerId(part.of()?.said.id), time))
            }
            Verb::StopTimer => Some(Action::StopTimer(TimerId(part.of()?.said.id))),
            Verb::Reset => Some(Action::ResetCounter(CounterId(part.of()?.said.id))),
            Verb::Zero => self.port(part.receiver()?, false).map(|(port, _)| Action::Zero(port)),
            verb if verb.is_stage() => {
                let problem = Problem::new(format!("`{}` is a stage, not an action", part.said.word.name));
                self.wrong(
                    problem
                        .help("stages stand in states(...), sequence(...), parallel(...) or as body = ..."),
                )
            }
            _ => {
                let command = self.command(part)?;
                let (port, _) = self.port(part.receiver()?, false)?;
                Some(Action::Device(port, command))
            }
        }
    }

    fn command(&mut self, part: &Part<'v>) -> Option<Command<Expression>> {
        Some(match part.verb() {
            Verb::On => Command::On(self.optional(part, "level", Wanted::Level)?),
            Verb::Off => Command::Off,
            Verb::Open => Command::Open(self.expression(part.arg("amount")?, Wanted::Amount)?),
            Verb::Pulse => {
                let on = self.expression(part.arg("on")?, Wanted::Duration);
                let after = self.optional(part, "after", Wanted::Duration);
                let level = self.optional(part, "level", Wanted::Level);
                Command::Pulse { on: on?, after: after?, level: level? }
            }
            Verb::Train => {
                let on = self.expression(part.arg("on")?, Wanted::Duration);
                let Some(every) = part.arg("every") else {
                    let problem = Problem::new("`train` needs `every`");
                    return self.wrong(
                        problem.help("from one start to the next: train(\"5 ms\", every = \"33 ms\")"),
                    );
                };
                let every = self.expression(every, Wanted::Duration);
                let count = self.optional(part, "count", Wanted::Integer);
                let after = self.optional(part, "after", Wanted::Duration);
                let level = self.optional(part, "level", Wanted::Level);
                Command::Train { on: on?, every: every?, count: count?, after: after?, level: level? }
            }
            Verb::Series => {
                let segments = self.segments(part);
                let count = self.optional(part, "count", Wanted::Integer);
                let after = self.optional(part, "after", Wanted::Duration);
                Command::Series { segments: segments?, count: count?, after: after? }
            }
            Verb::Play => {
                let sound = self.stimulus(part.arg("sound")?, true);
                let after = self.optional(part, "after", Wanted::Duration);
                Command::Play { sound: sound?, after: after? }
            }
            Verb::Stop => Command::Stop,
            Verb::Film => Command::Film,
            Verb::Show => Command::Display(DisplayCommand::Show(self.stimulus(part.arg("picture")?, false)?)),
            Verb::Follow => Command::Display(self.follow(part)?),
            Verb::Center => Command::Display(DisplayCommand::Center),
            Verb::Freeze => Command::Display(DisplayCommand::Freeze),
            Verb::Clear => Command::Display(DisplayCommand::Clear),
            _ => {
                let problem = Problem::new(format!("`{}` is not an action", part.said.word.name));
                let help = match part.verb() {
                    Verb::Hardware | Verb::Port => "say what it should do: .on(), .open(\"4 uL\") ...",
                    Verb::Tone | Verb::Noise => "play it: speaker.play(tone(...))",
                    Verb::Grating => "show it: screen.show(grating(...))",
                    _ => "actions are light.on(), valve.open(\"4 uL\"), record(...), goto(\"state\") ...",
                };
                return self.wrong(problem.help(help));
            }
        })
    }

    /// What one turn of a series is.
    fn segments(&mut self, part: &Part<'v>) -> Option<Vec<Segment<Expression>>> {
        const EXAMPLE: &str = "series([(1, \"20 ms\"), (0, \"80 ms\")], count = 5)";
        let written = part.arg("segments")?;
        let pair = |item: &Value<'v>| match items(*item) {
            Some([level, length]) => Some((*level, *length)),
            _ => None,
        };
        let pairs = items(written).and_then(|items| items.iter().map(pair).collect::<Option<Vec<_>>>());
        let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty()) else {
            let problem = Problem::new("`series` takes a list of levels, each with its duration");
            return self.wrong(problem.help(EXAMPLE));
        };
        if pairs.len() > MOST_SEGMENTS {
            let problem = Problem::new(format!("a series has at most {MOST_SEGMENTS} levels"));
            return self.wrong(problem.help("say what repeats once, with count = ..."));
        }
        let kind = part.of().and_then(|of| of.said.device.as_ref()).map(|device| device.kind);
        let segments: Vec<Option<Segment<Expression>>> = pairs
            .into_iter()
            .map(|(level, length)| {
                let (written, length) = (level, self.expression(length, Wanted::Duration));
                let level = self.expression(level, Wanted::Level)?;
                let between =
                    matches!(&level, Expression::Value(level) if !matches!(level.to_f64(), 0.0 | 1.0));
                if let Some(kind) = kind.filter(|kind| between && *kind != DeviceKind::LevelOutput) {
                    let problem = Problem::new(format!("a {} is on (1) or off (0)", kind.word()));
                    return self.wrong_value(problem.help("only a level_output has levels between"), written);
                }
                Some(Segment { level, length: length? })
            })
            .collect();
        segments.into_iter().collect()
    }

    fn follow(&mut self, part: &Part<'v>) -> Option<DisplayCommand<Expression>> {
        let port = self.port_of(part.arg("encoder")?, &[DeviceKind::Encoder])?;
        let PortChoice::Fixed(place) = port.port else {
            return self.wrong(Problem::new("a display follows one wheel").help("name its port"));
        };
        let gain = match part.arg("gain") {
            Some(gain) => self.expression(gain, Wanted::Number)?,
            None => Expression::Value(bramble_value::Value::Number(1.0)),
        };
        Some(DisplayCommand::Follow(PortId { device: port.device, port: place }, gain))
    }

    /// A sound, or a picture.
    pub(crate) fn stimulus(&mut self, value: Value<'v>, sound: bool) -> Option<Stimulus<Expression>> {
        let kind = Part::whole(value).and_then(|part| match part.verb() {
            Verb::Tone if sound => Some((part, StimulusKind::Tone)),
            Verb::Noise if sound => Some((part, StimulusKind::Noise)),
            Verb::Grating if !sound => Some((part, StimulusKind::Grating)),
            _ => None,
        });
        let Some((part, kind)) = kind else {
            let (what, help) = if sound {
                ("a sound", "tone(\"5 kHz\", \"100 ms\") or noise(\"500 ms\")")
            } else {
                ("a picture", "grating(side, contrast)")
            };
            return self.wrong(Problem::new(format!("{} is not {what}", shown(value))).help(help));
        };
        self.at(part, |this| {
            let wanted = |name: &str| match name {
                "frequency" => Wanted::Frequency,
                "duration" => Wanted::Duration,
                "level" => Wanted::Level,
                "side" => Wanted::Side,
                _ => Wanted::Number,
            };
            let arguments: Vec<Option<Option<Expression>>> =
                kind.arguments().iter().map(|name| this.optional(part, name, wanted(name))).collect();
            let arguments: Option<Vec<Option<Expression>>> = arguments.into_iter().collect();
            Some(Stimulus { kind, arguments: arguments? })
        })
    }

    fn emit(&mut self, part: &Part<'v>) -> Option<MessageId> {
        let value = part.arg("message")?;
        if let Some(message) = Part::whole(value).filter(|message| message.verb() == Verb::Message) {
            return Some(MessageId(message.said.id));
        }
        let names = || self.task.messages.iter().map(|message| message.name.as_str());
        let name = value.unpack_str().unwrap_or_default();
        if let Some(place) = names().position(|known| known == name) {
            return Some(MessageId(place as u16));
        }
        let help = did_you_mean(name, names()).unwrap_or_else(|| format!("declare it: message(\"{name}\")"));
        self.wrong_value(Problem::new(format!("there is no message {}", shown(value))).help(help), value)
    }

    /// The columns that `record(...)` writes.
    pub(crate) fn record(&mut self, part: &Part<'v>) -> Vec<(ColumnId, Option<Expression>)> {
        let mut columns = Vec::new();
        let named: Vec<(String, Value<'v>)> =
            part.named().map(|(name, value)| (name.to_owned(), value)).collect();
        if named.is_empty() {
            let problem = Problem::new("`record` of nothing");
            self.wrong::<()>(problem.help("record(latency = state_time)"));
        }
        for (name, value) in named {
            let Some(column) = self.column_named(&name) else { continue };
            if value.is_none() {
                columns.push((column, None));
            } else if let Some(value) = self.expression(value, Wanted::Column(column)) {
                columns.push((column, Some(value)));
            }
        }
        columns
    }

    /// The column of this name.
    pub(crate) fn column_named(&mut self, name: &str) -> Option<ColumnId> {
        if let Some((column, _)) = self.task.column(name) {
            return Some(column);
        }
        let names = self.task.columns.iter().map(|column| column.name.as_str());
        let help = did_you_mean(name, names).unwrap_or_else(|| format!("declare it: {name} = column(...)"));
        self.wrong_in(Problem::new(format!("there is no column `{name}`")).help(help), name)
    }

    /// What `enter` and `leave` do.
    pub(crate) fn reaction(&mut self, value: Option<Value<'v>>, place: &str) -> Reaction {
        match value {
            None => Reaction::default(),
            Some(value) if Self::is_function(value) => {
                self.function(value).map(Reaction::Function).unwrap_or_default()
            }
            Some(value) => Reaction::Actions(self.actions(value, place)),
        }
    }

    /// What an event or a time does.
    pub(crate) fn what(&mut self, value: Value<'v>) -> Option<What> {
        if Self::is_function(value) {
            return self.function(value).map(What::Function);
        }
        Some(What::Response(self.response(value)))
    }

    /// The pairs of a dict, or of a list of pairs.
    pub(crate) fn pairs(&mut self, value: Value<'v>, place: &str) -> Vec<(Value<'v>, Value<'v>)> {
        if let Some(dict) = DictRef::from_value(value) {
            return dict.iter().collect();
        }
        let pairs = items(value).and_then(|items| {
            let pair = |item: &Value<'v>| match self::items(*item) {
                Some([key, what]) => Some((*key, *what)),
                _ => None,
            };
            items.iter().map(pair).collect::<Option<Vec<_>>>()
        });
        pairs.unwrap_or_else(|| {
            let problem = Problem::new(format!("`{place}` takes {{...: ...}}, not {}", shown(value)));
            let help =
                if place == "on" { "on = {poke.rises: goto(\"reward\")}" } else { "after = {\"1 s\": done}" };
            self.wrong::<()>(problem.help(help));
            Vec::new()
        })
    }

    /// What events do.
    pub(crate) fn handlers(&mut self, value: Value<'v>) -> Handlers {
        if Self::is_function(value) {
            return self.function(value).map(Handlers::Function).unwrap_or_default();
        }
        Handlers::Listed(self.listed_handlers(value))
    }

    /// Handlers that are written out.
    pub(crate) fn listed_handlers(&mut self, value: Value<'v>) -> Vec<Handler> {
        let mut handlers: Vec<Handler> = Vec::new();
        for (key, what) in self.pairs(value, "on") {
            let trigger = self.trigger(key);
            let outer = std::mem::replace(&mut self.handled, Handled::Event(trigger.clone()));
            let what = self.what(what);
            self.handled = outer;
            let (Some(trigger), Some(what)) = (trigger, what) else { continue };
            if handlers.iter().any(|handler| handler.trigger == trigger) {
                let problem =
                    Problem::new("the same event stands twice in `on`: only the first would be handled");
                self.wrong::<()>(problem.help("put what it does into one list"));
            }
            if let Trigger::Level { condition: _, lasts: Some(Expression::Function(_)) } = &trigger {
                self.wrong::<()>(
                    Problem::new("how long a condition lasts can't be a function")
                        .help("record it in a column first"),
                );
            }
            handlers.push(Handler { trigger, what });
        }
        handlers
    }

    /// What happens a time after the stage's start.
    pub(crate) fn times(&mut self, value: Value<'v>) -> Vec<(Expression, What)> {
        let mut times: Vec<(Expression, What)> = Vec::new();
        for (key, what) in self.pairs(value, "after") {
            let is_event = Part::whole(key).is_some_and(|part| {
                matches!(
                    part.verb(),
                    Verb::Rises
                        | Verb::Falls
                        | Verb::Changes
                        | Verb::Ends
                        | Verb::Lasts
                        | Verb::High
                        | Verb::Low
                )
            });
            if is_event {
                self.wrong::<()>(
                    Problem::new("`after` takes times, not events").help("events belong into `on`"),
                );
                continue;
            }
            let time = self.expression(key, Wanted::Duration);
            let outer = std::mem::replace(&mut self.handled, Handled::Time);
            let what = self.what(what);
            self.handled = outer;
            let (Some(time), Some(what)) = (time, what) else { continue };
            if times.iter().any(|(other, _)| *other == time) {
                let problem = Problem::new("the same time stands twice in `after`");
                self.wrong_value::<()>(problem.help("put what happens then into one list"), key);
            }
            times.push((time, what));
        }
        times
    }
}
