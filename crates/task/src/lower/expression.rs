//! Values that may stand for one known later.

use bramble_value::{Draw, Name, Value as Datum, ValueType};
use starlark::values::Value;

use super::literal::literal;
use super::outline::texts;
use super::{Handled, Lowering, distribution, shown, wanted_words};
use crate::call::Wanted;
use crate::definition::{ChoiceTable, ColumnId, CounterId, Expression, ParameterId, PortTable};
use crate::language::{Part, Verb};
use crate::mistake::one_of;
use crate::quantity::Quantity;
use crate::sandbox::Problem;

impl<'v> Lowering<'_, 'v> {
    /// The type of what a place wants.
    pub(crate) fn wanted_type(&self, wanted: Wanted) -> ValueType {
        match wanted {
            Wanted::Column(column) => self.task.columns[column.index()].kind.clone(),
            Wanted::Duration | Wanted::Amount => ValueType::Duration,
            Wanted::Integer => ValueType::Integer,
            Wanted::Number => ValueType::Number,
            Wanted::Level => ValueType::Level,
            Wanted::Frequency => ValueType::Frequency,
            Wanted::Boolean => ValueType::Boolean,
            Wanted::Port(device) => ValueType::Choice(self.task.devices[device.index()].ports.clone().into()),
            Wanted::Side => ValueType::Choice(sides().into()),
        }
    }

    /// A value that is written out.
    pub(crate) fn literal(&mut self, value: Value<'v>, wanted: Wanted) -> Option<Datum> {
        let bare = self.bare();
        let result = match wanted {
            Wanted::Amount => amount(value, bare),
            wanted => literal(&self.wanted_type(wanted), value, bare),
        };
        match result {
            Ok(value) => Some(value),
            Err(problem) => self.wrong_value(self.of_column(problem, wanted), value),
        }
    }

    /// Says which column a problem is of.
    fn of_column(&self, problem: Problem, wanted: Wanted) -> Problem {
        match wanted {
            Wanted::Column(column) => {
                let name = &self.task.columns[column.index()].name;
                Problem { message: format!("column `{name}`: {}", problem.message), ..problem }
            }
            _ => problem,
        }
    }

    /// A value of what is wanted, known now or later.
    pub(crate) fn expression(&mut self, value: Value<'v>, wanted: Wanted) -> Option<Expression> {
        self.deeper(|this| this.expression_of(value, wanted))
    }

    fn expression_of(&mut self, value: Value<'v>, wanted: Wanted) -> Option<Expression> {
        if Self::is_function(value) {
            return self.function(value).map(Expression::Function);
        }
        let Some(part) = Part::from_value(value) else {
            return self.literal(value, wanted).map(Expression::Value);
        };
        if !part.is_called() {
            return self.uncalled(part);
        }
        match part.verb() {
            Verb::Param => {
                let id = ParameterId(part.said.id);
                let (name, kind) = {
                    let parameter = &self.task.parameters[id.index()];
                    (format!("parameter `{}`", parameter.name), parameter.kind.clone())
                };
                self.typed(Expression::Parameter(id), &name, &kind, wanted)
            }
            Verb::Column => {
                let id = ColumnId(part.said.id);
                self.column(Expression::Column(id), id, wanted)
            }
            Verb::Other | Verb::Last => {
                let id = ColumnId(part.of()?.said.id);
                if part.verb() == Verb::Last {
                    return self.column(Expression::Last(id), id, wanted);
                }
                let column = &self.task.columns[id.index()];
                let two = column.kind == ValueType::Boolean || column.kind.choices().len() == 2;
                if !two {
                    let problem = Problem::new(format!(
                        "column `{}` has no `other`: it is a {}",
                        column.name, column.kind
                    ));
                    return self.wrong_in(
                        problem.help("only a choice of two has one; compute it in a function"),
                        ".other",
                    );
                }
                self.column(Expression::Other(id), id, wanted)
            }
            Verb::StateTime => {
                self.typed(Expression::StateTime, "`state_time`", &ValueType::Duration, wanted)
            }
            verb @ (Verb::EventPort | Verb::EventTime | Verb::EventValue) if !self.knows(verb) => {
                let words = format!("event.{}", part.said.word.name);
                let problem = Problem::new(format!("`{words}` is known only where an event is handled"));
                self.wrong_in(problem.help(format!("on = {{poke.rises: record(... = {words})}}")), &words)
            }
            Verb::EventTime => {
                self.typed(Expression::EventTime, "`event.time`", &ValueType::Duration, wanted)
            }
            Verb::EventValue => {
                self.typed(Expression::EventValue, "`event.value`", &ValueType::Number, wanted)
            }
            Verb::Count => {
                let counter = CounterId(part.of()?.said.id);
                self.typed(Expression::Count(counter), "a count", &ValueType::Integer, wanted)
            }
            Verb::Since => {
                let name = part.arg("state").and_then(Value::unpack_str).unwrap_or_default().to_owned();
                match self.outline.find(self.stage, &name) {
                    Ok(stage) => {
                        self.typed(Expression::Since(stage), "`since`", &ValueType::Duration, wanted)
                    }
                    Err(problem) => self.at(part, |this| this.wrong_in(problem, &format!("\"{name}\""))),
                }
            }
            Verb::EventPort => self.event_port(wanted),
            Verb::Uniform | Verb::Normal | Verb::Exponential => self.at(part, |this| {
                let draw = this.draw(part, wanted)?;
                Some(Expression::Draw(Box::new(draw)))
            }),
            Verb::Duration | Verb::Volume | Verb::Frequency | Verb::Level => {
                self.at(part, |this| this.literal(value, wanted)).map(Expression::Value)
            }
            Verb::Event => self
                .wrong(Problem::new("`event` is not a value").help("event.port, event.time or event.value")),
            _ => self.wrong(Problem::new(format!("{} is not {}", shown(value), wanted_words(wanted)))),
        }
    }

    fn column(&mut self, expression: Expression, id: ColumnId, wanted: Wanted) -> Option<Expression> {
        let column = &self.task.columns[id.index()];
        let (name, kind) = (format!("column `{}`", column.name), column.kind.clone());
        self.typed(expression, &name, &kind, wanted)
    }

    /// An expression of a type, where something is wanted.
    fn typed(
        &mut self,
        expression: Expression,
        name: &str,
        kind: &ValueType,
        wanted: Wanted,
    ) -> Option<Expression> {
        let want = self.wanted_type(wanted);
        let fits = match (kind, &want) {
            (ValueType::Choice(from), ValueType::Choice(to)) => {
                return self.mapped(expression, name, from, to, wanted);
            }
            (ValueType::Volume, _) if wanted == Wanted::Amount => true,
            (ValueType::Integer, ValueType::Number) => true,
            (ValueType::Level, ValueType::Number) | (ValueType::Number, ValueType::Level) => true,
            (kind, want) => kind == want,
        };
        if fits {
            return Some(expression);
        }
        let place = match wanted {
            Wanted::Column(id) => {
                format!("column `{}` holds {}", self.task.columns[id.index()].name, a_type(&want))
            }
            wanted => format!("here {} is wanted", wanted_words(wanted)),
        };
        let problem = Problem::new(format!("{name} is {}, but {place}", a_type(kind)));
        let problem = match kind {
            ValueType::Integers => problem.help("draw from it in a function: trial.random.draw(trial.name)"),
            _ => problem,
        };
        let words = name.trim_matches('`').rsplit('`').next().unwrap_or_default().to_owned();
        self.wrong_in(problem, &words)
    }

    /// A choice where another list of names is wanted.
    fn mapped(
        &mut self,
        expression: Expression,
        name: &str,
        from: &[Name],
        to: &[Name],
        wanted: Wanted,
    ) -> Option<Expression> {
        if from == to {
            return Some(expression);
        }
        let table: ChoiceTable = table(from, to);
        let lacking =
            from.iter().zip(table.iter()).filter(|(_, place)| place.is_none()).map(|(name, _)| name.as_str());
        let lacking = one_of(lacking);
        if lacking == "nothing" {
            return Some(Expression::Mapped(Box::new(expression), table));
        }
        let problem = match wanted {
            Wanted::Port(device) => {
                let device = &self.task.devices[device.index()].name;
                Problem::new(format!("{name} may be {lacking}, a port that `{device}` lacks"))
            }
            Wanted::Column(column) => {
                let column = &self.task.columns[column.index()].name;
                Problem::new(format!("{name} may be {lacking}, which column `{column}` can't be"))
            }
            _ => Problem::new(format!("{name} may be {lacking}, which it can't be here")),
        };
        self.wrong(problem.help(format!("there it may be {}", one_of(texts(to)))))
    }

    /// Whether this of the event is known here. What a function returns may be
    /// for an event or not: it meets a missing value if there is none.
    fn knows(&self, verb: Verb) -> bool {
        match self.handled {
            Handled::Event(_) => true,
            Handled::Time => verb == Verb::EventTime,
            Handled::Nothing => self.functions.is_none(),
        }
    }

    /// `event.port`, where a choice is wanted.
    fn event_port(&mut self, wanted: Wanted) -> Option<Expression> {
        let want = self.wanted_type(wanted);
        let ValueType::Choice(to) = &want else {
            return self.typed(
                Expression::EventValue,
                "`event.port`",
                &ValueType::Choice(Vec::new().into()),
                wanted,
            );
        };
        let tables: PortTable = self.task.devices.iter().map(|device| table(&device.ports, to)).collect();
        if let Handled::Event(Some(event)) = &self.handled
            && let Some(problem) = self.port_lacks(event, &tables, to)
        {
            return self.wrong_in(problem, "event.port");
        }
        if tables.iter().all(|table| table.iter().all(Option::is_none)) {
            let problem = Problem::new(format!("no port is named {}", one_of(texts(to))));
            return self.wrong_in(problem, "event.port");
        }
        Some(Expression::EventPort(tables))
    }

    pub(crate) fn draw(&mut self, part: &Part<'v>, wanted: Wanted) -> Option<Draw<Expression>> {
        if matches!(self.wanted_type(wanted), ValueType::Choice(_) | ValueType::Boolean) {
            let problem = Problem::new(format!("a distribution is not {}", wanted_words(wanted)));
            return self
                .wrong(problem.help("in a function: trial.random.choice([...]) or trial.random.chance(p)"));
        }
        let [first, second] = match part.verb() {
            Verb::Uniform => ["low", "high"],
            Verb::Normal => ["mean", "deviation"],
            _ => ["mean", "mean"],
        };
        let first = self.expression(part.arg(first)?, wanted);
        let second = self.expression(part.arg(second)?, wanted);
        let mut bound = |name: &str| part.arg(name).map(|value| self.expression(value, wanted));
        let bounds = [bound("min"), bound("max"), bound("plus")];
        if bounds.contains(&Some(None)) {
            return None;
        }
        let [min, max, plus] = bounds.map(Option::flatten);
        let whole = match part.arg("whole") {
            None => matches!(self.wanted_type(wanted), ValueType::Integer),
            Some(value) => self.literal(value, Wanted::Boolean)? == Datum::Boolean(true),
        };
        let draw = Draw { shape: distribution::shape(part.verb(), first?, second?), min, max, plus, whole };
        match known(&draw).map(|draw| distribution::check(&draw)) {
            Some(Err(problem)) => self.wrong(problem),
            _ => Some(draw),
        }
    }

    /// A number, which may be written with the unit that the device measures in.
    pub(crate) fn measured(&mut self, value: Value<'v>, unit: &str) -> Option<Expression> {
        let Some(text) = value.unpack_str() else {
            return self.expression(value, Wanted::Number);
        };
        let number =
            text.trim().strip_suffix(unit).map(str::trim_end).and_then(|number| number.parse::<f64>().ok());
        match number.filter(|number| number.is_finite() && !unit.is_empty()) {
            Some(number) => Some(Expression::Value(Datum::Number(number))),
            None => {
                let help = if unit.is_empty() {
                    "write a plain number, or give the device a unit: hardware(..., unit = \"mm\")".to_owned()
                } else {
                    format!("it is measured in {unit}: \"2 {unit}\", or a plain number")
                };
                let problem = Problem::new(format!("\"{text}\" is not what this device measures"));
                self.wrong_in(problem.help(help), &format!("\"{text}\""))
            }
        }
    }
}

/// A type in a sentence.
fn a_type(kind: &ValueType) -> String {
    match kind {
        ValueType::Integers => "a range of whole numbers".to_owned(),
        ValueType::Integer => "an integer".to_owned(),
        ValueType::Choice(names) if names.is_empty() => "the name of a port".to_owned(),
        ValueType::Choice(names) => format!("a choice of {}", one_of(texts(names))),
        kind => format!("a {kind}"),
    }
}

/// The draw with numbers, where all of it is known.
fn known(draw: &Draw<Expression>) -> Option<Draw<f64>> {
    use bramble_value::Shape;
    let number = |expression: &Expression| match expression {
        Expression::Value(value) => Some(value.to_f64()),
        _ => None,
    };
    let bound = |expression: &Option<Expression>| match expression {
        None => Some(None),
        Some(expression) => number(expression).map(Some),
    };
    let shape = match &draw.shape {
        Shape::Uniform { low, high } => Shape::Uniform { low: number(low)?, high: number(high)? },
        Shape::Normal { mean, deviation } => {
            Shape::Normal { mean: number(mean)?, deviation: number(deviation)? }
        }
        Shape::Exponential { mean } => Shape::Exponential { mean: number(mean)? },
    };
    let (min, max, plus) = (bound(&draw.min)?, bound(&draw.max)?, bound(&draw.plus)?);
    Some(Draw { shape, min, max, plus, whole: draw.whole })
}

/// A length of time or a volume.
fn amount(value: Value<'_>, bare: bool) -> Result<Datum, Problem> {
    let volume = literal(&ValueType::Volume, value, bare);
    if volume.is_ok() && Quantity::from_value(value).is_some()
        || value.unpack_str().is_some() && volume.is_ok()
    {
        return volume;
    }
    let duration = literal(&ValueType::Duration, value, false);
    match (duration, volume) {
        (Ok(duration), _) => Ok(duration),
        (Err(_), Ok(volume)) if Part::from_value(value).is_some() => Ok(volume),
        _ => {
            let problem = Problem::new(format!("{} is neither a volume nor a duration", shown(value)));
            Err(problem.help("as in \"4 uL\" or \"50 ms\""))
        }
    }
}

/// From each of one list of names to its place in another.
pub(crate) fn table(from: &[Name], to: &[Name]) -> ChoiceTable {
    from.iter().map(|name| to.iter().position(|other| other == name).map(|place| place as u16)).collect()
}

/// The names of the two sides.
pub(crate) fn sides() -> Vec<Name> {
    ["left", "right"].into_iter().filter_map(|side| side.parse().ok()).collect()
}
