//! What an expression is worth now.
//!
//! An evaluation changes nothing but the count of draws. Where it needs a
//! function it asks for the call and pauses; once the answer is there the whole
//! step is evaluated again, and finds the answers it has had so far.

use bramble_task::TaskDefinition;
use bramble_task::call::{Call, Purpose, Returned, View, Wanted};
use bramble_task::definition::{ColumnId, Expression, FunctionId, StageId};
use bramble_value::{Draw, Random, Shape, Span, Time, Value, ValueType};

use super::Session;
use crate::exchange::Output;
use crate::mistake::{Mistake, Pause};

impl Session {
    /// What a function returns.
    pub(crate) fn call(
        &mut self,
        stage: StageId,
        function: FunctionId,
        purpose: Purpose,
    ) -> Result<Returned, Pause> {
        if let Some(returned) = self.answers.get(self.used) {
            self.used += 1;
            return Ok(returned.clone());
        }
        let number = self.calls;
        self.calls += 1;
        self.asked = Some(number);
        let view = View {
            seed: self.seed,
            time: self.moment(),
            session_start: self.started,
            trial: self.table.number,
            parameters: self.parameters.clone(),
            columns: self.table.values.clone(),
            entered: self.stages[stage.index()].entered,
            since: self.stages.iter().map(|stage| stage.since).collect(),
            event: self.event,
            counts: self.counts.clone(),
        };
        self.outputs.push_back(Output::Call(Box::new(Call { number, function, purpose, stage, view })));
        Err(Pause::Call)
    }

    /// The time of the event that is being handled, or of what is being done.
    fn moment(&self) -> Time {
        self.event.map_or(self.now, |event| event.time)
    }

    /// What an expression is worth; `None` is missing.
    fn value(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        expression: &Expression,
        wanted: Wanted,
    ) -> Result<Option<Value>, Pause> {
        Ok(match expression {
            Expression::Value(value) => Some(*value),
            Expression::Column(column) => self.table.values[column.index()],
            Expression::Last(column) => self.table.last[column.index()],
            Expression::Other(column) => match self.table.values[column.index()] {
                Some(Value::Choice(place)) => Some(Value::Choice(1 - place.min(1))),
                Some(Value::Boolean(flag)) => Some(Value::Boolean(!flag)),
                _ => None,
            },
            Expression::Parameter(parameter) => Some(self.parameters[parameter.index()]),
            Expression::StateTime => {
                Some(Value::Duration(self.moment().since(self.stages[id.index()].entered)))
            }
            Expression::Since(stage) => {
                let since = self.stages[stage.index()].since;
                since.map(|since| Value::Duration(self.moment().since(since)))
            }
            Expression::Count(counter) => {
                let count = self.counts[counter.index()];
                Some(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
            }
            Expression::EventPort(table) => self.event.and_then(|event| event.port).and_then(|port| {
                let place = table.get(port.device.index())?.get(usize::from(port.port)).copied().flatten()?;
                Some(Value::Choice(place))
            }),
            Expression::EventTime => self.event.map(|event| Value::Duration(event.time.since(self.started))),
            Expression::EventValue => self.event.map(|event| Value::Number(event.value)),
            Expression::Mapped(inner, table) => match self.value(task, id, inner, wanted)? {
                Some(Value::Choice(place)) => {
                    table.get(usize::from(place)).copied().flatten().map(Value::Choice)
                }
                _ => None,
            },
            Expression::Draw(draw) => Some(self.draw(task, id, draw, wanted)?),
            Expression::Function(function) => match self.call(id, *function, Purpose::Value(wanted))? {
                Returned::Value(value) => value,
                Returned::Draw(draw) => Some(self.draw(task, id, &draw, wanted)?),
                Returned::Port(port) => Some(Value::Choice(port)),
                Returned::Test(flag) => Some(Value::Boolean(flag)),
                _ => return Err(Mistake::Answer.into()),
            },
        })
    }

    /// Draws. What is drawn has the type of the distribution's own numbers where
    /// they have one, else of the place where it is wanted.
    fn draw(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        draw: &Draw<Expression>,
        wanted: Wanted,
    ) -> Result<Value, Pause> {
        let mut typed = None;
        let mut number = |expression: &Expression| -> Result<f64, Pause> {
            let value = self.needed(task, id, expression, wanted)?;
            if !matches!(value, Value::Number(_) | Value::Integer(_)) {
                typed = Some(value);
            }
            Ok(value.to_f64())
        };
        let shape = match &draw.shape {
            Shape::Uniform { low, high } => Shape::Uniform { low: number(low)?, high: number(high)? },
            Shape::Normal { mean, deviation } => {
                Shape::Normal { mean: number(mean)?, deviation: number(deviation)? }
            }
            Shape::Exponential { mean } => Shape::Exponential { mean: number(mean)? },
        };
        let mut bound = |expression: &Option<Expression>| expression.as_ref().map(&mut number).transpose();
        let (min, max, plus) = (bound(&draw.min)?, bound(&draw.max)?, bound(&draw.plus)?);
        let draw = Draw { shape, min, max, plus, whole: draw.whole };
        let drawn = draw.sample(&mut Random::new(self.seed, "draw", self.draws));
        self.draws += 1;
        let kind = match (typed, wanted) {
            (Some(Value::Volume(_)), _) => ValueType::Volume,
            (_, Wanted::Duration | Wanted::Amount) => ValueType::Duration,
            (_, Wanted::Level) => ValueType::Level,
            (_, Wanted::Frequency) => ValueType::Frequency,
            (_, Wanted::Integer) => ValueType::Integer,
            (_, Wanted::Column(column)) => task.columns[column.index()].kind.clone(),
            _ => ValueType::Number,
        };
        // A length, an amount or a share that would be below zero is zero.
        let least = match kind {
            ValueType::Duration | ValueType::Volume | ValueType::Level | ValueType::Frequency => 0.0,
            _ => f64::NEG_INFINITY,
        };
        let most = if kind == ValueType::Level { 1.0 } else { f64::INFINITY };
        let drawn = drawn.clamp(least, most);
        let unfit = || Mistake::Unfit { what: "what was drawn", found: drawn.to_string() };
        Ok(kind.value_from_f64(drawn).ok_or_else(unfit)?)
    }

    /// What an expression is worth, which may not be missing.
    pub(crate) fn needed(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        expression: &Expression,
        wanted: Wanted,
    ) -> Result<Value, Pause> {
        match self.value(task, id, expression, wanted)? {
            Some(value) => Ok(value),
            None => Err(Mistake::Missing { what: name_of(task, expression) }.into()),
        }
    }

    pub(crate) fn duration(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        expression: &Expression,
    ) -> Result<Span, Pause> {
        if let Expression::Value(Value::Duration(span)) = expression {
            return Ok(*span);
        }
        match self.needed(task, id, expression, Wanted::Duration)? {
            Value::Duration(span) => Ok(span),
            other => Err(unfit("a length of time", other)),
        }
    }

    pub(crate) fn integer(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        expression: &Expression,
    ) -> Result<i64, Pause> {
        match self.needed(task, id, expression, Wanted::Integer)? {
            Value::Integer(number) => Ok(number),
            Value::Number(number) if number.fract() == 0.0 => Ok(number as i64),
            other => Err(unfit("a whole number", other)),
        }
    }

    pub(crate) fn number(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        expression: &Expression,
    ) -> Result<f64, Pause> {
        Ok(self.needed(task, id, expression, Wanted::Number)?.to_f64())
    }

    pub(crate) fn boolean(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        expression: &Expression,
    ) -> Result<bool, Pause> {
        match self.needed(task, id, expression, Wanted::Boolean)? {
            Value::Boolean(flag) => Ok(flag),
            other => Err(unfit("true or false", other)),
        }
    }

    /// What a column is to hold.
    pub(crate) fn column_value(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        column: ColumnId,
        expression: Option<&Expression>,
    ) -> Result<Option<Value>, Pause> {
        let value = match expression {
            Some(expression) => self.value(task, id, expression, Wanted::Column(column))?,
            None => None,
        };
        self.fit_column(task, column, value)
    }

    /// A value as the column holds it: a plain number is taken in the column's unit.
    pub(crate) fn fit_column(
        &self,
        task: &TaskDefinition,
        column: ColumnId,
        value: Option<Value>,
    ) -> Result<Option<Value>, Pause> {
        let Some(value) = value else {
            return Ok(None);
        };
        let declared = &task.columns[column.index()];
        let plain = matches!(value, Value::Number(_) | Value::Integer(_));
        let fits = match &declared.kind {
            kind if kind.accepts(value) => Some(value),
            ValueType::Boolean | ValueType::Choice(_) => None,
            kind if plain => kind.value_from_f64(value.to_f64()),
            _ => None,
        };
        let unfit = || Mistake::Column {
            column: declared.name.to_string(),
            kind: declared.kind.to_string(),
            found: declared.kind.show(value),
        };
        Ok(Some(fits.ok_or_else(unfit)?))
    }
}

fn unfit(what: &'static str, found: Value) -> Pause {
    Mistake::Unfit { what, found: found.to_f64().to_string() }.into()
}

/// What a person calls an expression.
fn name_of(task: &TaskDefinition, expression: &Expression) -> String {
    match expression {
        Expression::Column(column) | Expression::Other(column) => {
            format!("column `{}`", task.columns[column.index()].name)
        }
        Expression::Last(column) => format!("last trial's column `{}`", task.columns[column.index()].name),
        Expression::Since(stage) => format!("the time since `{}`", task.stages[stage.index()].path),
        Expression::Mapped(inner, _) => name_of(task, inner),
        Expression::EventPort(_) => "the event's port".to_owned(),
        Expression::EventTime | Expression::EventValue => "the event".to_owned(),
        _ => "a value".to_owned(),
    }
}
