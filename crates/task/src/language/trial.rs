//! What a function of the trial sees.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use bramble_value::{Value as Datum, ValueType};
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::list::AllocList;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};

use super::part::Part;
use super::random::RandomValue;
use super::words::Verb;
use crate::call::View;
use crate::definition::{StageId, TaskDefinition};
use crate::lower::outline::Outline;
use crate::mistake::{did_you_mean, one_of};
use crate::quantity::{Measure, Quantity};
use crate::sandbox::{Problem, number};

/// The words that stand after `trial.` besides what the task declares.
pub(crate) const TRIAL_WORDS: &[&str] =
    &["last", "past", "number", "state_time", "since", "event", "random", "time"];
/// The words that stand after `trial.event.`.
pub(crate) const EVENT_WORDS: &[&str] = &["port", "time", "value", "message"];
/// The words that stand after `trial.random.`.
pub(crate) const RANDOM_WORDS: &[&str] =
    &["choice", "chance", "draw", "uniform", "normal", "exponential", "shuffle"];

/// What one call sees.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) task: Arc<TaskDefinition>,
    pub(crate) outline: Arc<Outline>,
    pub(crate) stage: StageId,
    pub(crate) view: View,
    /// The rows of the trials before, oldest first.
    pub(crate) past: Arc<VecDeque<Vec<Option<Datum>>>>,
}

/// `trial`, and what is reached through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Allocative)]
pub(crate) enum TrialView {
    /// `trial`.
    Trial,
    /// `trial.last`.
    Last,
    /// `trial.event`.
    Event,
}

#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct TrialValue {
    face: TrialView,
    #[allocative(skip)]
    seen: Arc<Seen>,
}

starlark_simple_value!(TrialValue);

/// The argument of a function of the trial.
pub(crate) fn trial_value(seen: &Arc<Seen>) -> TrialValue {
    TrialValue { face: TrialView::Trial, seen: Arc::clone(seen) }
}

impl fmt::Display for TrialValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.face.word())
    }
}

impl TrialView {
    fn word(self) -> &'static str {
        match self {
            TrialView::Trial => "trial",
            TrialView::Last => "trial.last",
            TrialView::Event => "trial.event",
        }
    }
}

/// A value of the session as a function sees it.
pub(crate) fn seen_value<'v>(kind: &ValueType, value: Option<Datum>, heap: Heap<'v>) -> Value<'v> {
    let quantity = |measure, amount| heap.alloc(Quantity { measure, amount });
    match value {
        None => Value::new_none(),
        Some(Datum::Boolean(flag)) => Value::new_bool(flag),
        Some(Datum::Integer(number)) => heap.alloc(number),
        Some(Datum::Integers(least, most)) => heap.alloc(AllocList([least, most])),
        Some(Datum::Number(number)) => heap.alloc(number),
        Some(Datum::Duration(span)) => quantity(Measure::Duration, span.seconds()),
        Some(Datum::Volume(volume)) => quantity(Measure::Volume, volume.microliters()),
        Some(Datum::Frequency(frequency)) => quantity(Measure::Frequency, frequency.hertz()),
        Some(Datum::Level(level)) => quantity(Measure::Level, level.share()),
        Some(Datum::Choice(place)) => match kind.choices().get(usize::from(place)) {
            Some(name) => heap.alloc(name.as_str()),
            None => Value::new_none(),
        },
    }
}

impl Seen {
    fn duration<'v>(&self, from: bramble_value::Time, heap: Heap<'v>) -> Value<'v> {
        let amount = self.view.time.since(from).seconds();
        heap.alloc(Quantity { measure: Measure::Duration, amount })
    }

    fn trial<'v>(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        if let Some((id, column)) = self.task.column(name) {
            let value = self.view.columns.get(id.index()).copied().flatten();
            return Some(seen_value(&column.kind, value, heap));
        }
        if let Some((id, parameter)) = self.task.parameter(name) {
            let value = self.view.parameters.get(id.index()).copied();
            return Some(seen_value(&parameter.kind, value, heap));
        }
        if let Some(place) = self.task.counters.iter().position(|counter| counter.name.as_str() == name) {
            return Some(heap.alloc(self.view.counts.get(place).copied().unwrap_or(0)));
        }
        Some(match name {
            "number" => heap.alloc(self.view.trial),
            "state_time" => self.duration(self.view.entered, heap),
            "time" => self.duration(self.view.session_start, heap),
            _ => return None,
        })
    }

    fn last<'v>(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let (id, column) = self.task.column(name)?;
        let value = self.past.back().and_then(|row| row.get(id.index()).copied().flatten());
        Some(seen_value(&column.kind, value, heap))
    }

    fn event<'v>(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let Some(event) = self.view.event else {
            return EVENT_WORDS.contains(&name).then(Value::new_none);
        };
        let none = Value::new_none();
        Some(match name {
            "port" => event.port.map_or(none, |port| {
                let device = &self.task.devices[port.device.index()];
                device.ports.get(usize::from(port.port)).map_or(none, |name| heap.alloc(name.as_str()))
            }),
            "time" => {
                let amount = event.time.since(self.view.session_start).seconds();
                heap.alloc(Quantity { measure: Measure::Duration, amount })
            }
            "value" => heap.alloc(event.value),
            "message" => {
                event.message.map_or(none, |id| heap.alloc(self.task.messages[id.index()].name.as_str()))
            }
            _ => return None,
        })
    }

    fn words(&self, face: TrialView) -> Vec<&str> {
        let columns = self.task.columns.iter().map(|column| column.name.as_str());
        match face {
            TrialView::Trial => columns
                .chain(self.task.parameters.iter().map(|parameter| parameter.name.as_str()))
                .chain(self.task.counters.iter().map(|counter| counter.name.as_str()))
                .chain(TRIAL_WORDS.iter().copied())
                .collect(),
            TrialView::Last => columns.collect(),
            TrialView::Event => EVENT_WORDS.to_vec(),
        }
    }
}

#[starlark_value(type = "trial")]
impl<'v> StarlarkValue<'v> for TrialValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let face = |face| Some(heap.alloc(TrialValue { face, seen: Arc::clone(&self.seen) }));
        match (self.face, attribute) {
            (TrialView::Trial, "last") => face(TrialView::Last),
            (TrialView::Trial, "event") => face(TrialView::Event),
            (TrialView::Trial, "random") => Some(heap.alloc(RandomValue { seen: Arc::clone(&self.seen) })),
            (TrialView::Trial, name) => self.seen.trial(name, heap),
            (TrialView::Last, name) => self.seen.last(name, heap),
            (TrialView::Event, name) => self.seen.event(name, heap),
        }
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        self.seen.words(self.face).contains(&attribute)
    }

    fn dir_attr(&self) -> Vec<String> {
        self.seen.words(self.face).into_iter().map(str::to_owned).collect()
    }

    fn get_methods() -> Option<&'static Methods> {
        Some(TRIAL_METHODS.methods())
    }
}

starlark::methods_static!(TRIAL_METHODS = trial_methods);

fn only(this: &TrialValue, face: TrialView, name: &str) -> starlark::Result<()> {
    if this.face == face {
        return Ok(());
    }
    let message = format!("there is no `{name}` of {}", this.face.word());
    Err(Problem::new(message).help(format!("did you mean `{}.{name}`?", face.word())).into())
}

#[starlark_module]
fn trial_methods(builder: &mut MethodsBuilder) {
    /// How long since a stage was last entered in this trial; None if it was not.
    fn since<'v>(
        #[starlark(this)] this: &TrialValue,
        #[starlark(require = pos)] state: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        only(this, TrialView::Trial, "since")?;
        let stage = this.seen.outline.find(this.seen.stage, state)?;
        let entered = this.seen.view.since.get(stage.index()).copied().flatten();
        Ok(entered.map_or(Value::new_none(), |entered| this.seen.duration(entered, heap)))
    }

    /// The column in the last `n` trials, oldest first; None where it is missing.
    /// Fewer where there were fewer.
    fn past<'v>(
        #[starlark(this)] this: &TrialValue,
        #[starlark(require = pos)] column: Value<'v>,
        #[starlark(require = pos)] n: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        only(this, TrialView::Trial, "past")?;
        let columns = &this.seen.task.columns;
        let place = match (Part::whole(column), column.unpack_str()) {
            (Some(part), _) if part.verb() == Verb::Column => Some(usize::from(part.said.id)),
            (_, Some(name)) => columns.iter().position(|column| column.name.as_str() == name),
            _ => None,
        };
        let Some(place) = place else {
            let names = || columns.iter().map(|column| column.name.as_str());
            let suggested = column.unpack_str().and_then(|name| did_you_mean(name, names()));
            let help = suggested.unwrap_or_else(|| format!("columns are {}", one_of(names())));
            return Err(Problem::new(format!("{} is not a column", super::bind::shown(column)))
                .help(help)
                .into());
        };
        let n = number(n)
            .filter(|n| *n >= 0.0)
            .ok_or_else(|| Problem::new("`past` takes a number of trials"))? as usize;
        let rows = &this.seen.past;
        let rows = rows.iter().skip(rows.len().saturating_sub(n));
        let values =
            rows.map(|row| seen_value(&columns[place].kind, row.get(place).copied().flatten(), heap));
        Ok(heap.alloc(AllocList(values)))
    }
}

impl Seen {
    /// A declared value as it is now; any other value as it is.
    pub(crate) fn known<'v>(&self, value: Value<'v>, heap: Heap<'v>) -> Result<Value<'v>, Problem> {
        let Some(part) = Part::whole(value) else { return Ok(value) };
        let id = usize::from(part.said.id);
        match part.verb() {
            Verb::Param => {
                let parameter = self.task.parameters.get(id);
                let value = self.view.parameters.get(id).copied();
                parameter.map(|parameter| seen_value(&parameter.kind, value, heap))
            }
            Verb::Column => {
                let column = self.task.columns.get(id);
                let value = self.view.columns.get(id).copied().flatten();
                column.map(|column| seen_value(&column.kind, value, heap))
            }
            _ => None,
        }
        .ok_or_else(|| Problem::new(format!("`{}` can't be drawn from here", part.said.word.name)))
    }
}
