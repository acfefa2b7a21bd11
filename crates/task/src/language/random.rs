//! `trial.random`: draws that a function makes, the same again for the same call.

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use bramble_value::Draw;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::list::AllocList;
use starlark::values::{
    NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};

use super::bind::shown;
use super::declare::{Context, Mode};
use super::part::Part;
use super::trial::Seen;
use super::words::Verb;
use crate::lower::distribution;
use crate::lower::literal::items;
use crate::quantity::{Measure, Quantity};
use crate::sandbox::{Problem, extra, number};

/// `trial.random`.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct RandomValue {
    #[allocative(skip)]
    pub(crate) seen: Arc<Seen>,
}

starlark_simple_value!(RandomValue);

impl fmt::Display for RandomValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("trial.random")
    }
}

#[starlark_value(type = "trial.random")]
impl<'v> StarlarkValue<'v> for RandomValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(RANDOM_METHODS.methods())
    }
}

starlark::methods_static!(RANDOM_METHODS = random_methods);

/// The call that is being evaluated, with its source of random numbers.
fn with_random<'v, R>(
    eval: &Evaluator<'v, '_, '_>,
    draw: impl FnOnce(&mut bramble_value::Random) -> R,
) -> starlark::Result<R> {
    match extra::<Context>(eval).map(Context::mode) {
        Some(Mode::Running { random, .. }) => Ok(draw(&mut random.borrow_mut())),
        _ => Err(Problem::new("nothing can be drawn while a task is loaded").into()),
    }
}

/// Draws once from what is bounded here by numbers and quantities.
fn draw_of<'v>(
    verb: Verb,
    shape: [Value<'v>; 2],
    bounds: [Option<Value<'v>>; 3],
    whole: bool,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let mut measure = None;
    let mut amount = |value: Value<'v>| -> Result<f64, Problem> {
        let quantity = Quantity::from_value(value).copied().or_else(|| Measure::find(value.unpack_str()?));
        match quantity {
            Some(quantity) if measure.is_some_and(|measure| measure != quantity.measure) => {
                Err(Problem::new("quantities of two kinds can't be drawn between"))
            }
            Some(quantity) => {
                measure = Some(quantity.measure);
                Ok(quantity.amount)
            }
            None => number(value)
                .ok_or_else(|| Problem::new(format!("{} is not a number or a quantity", shown(value)))),
        }
    };
    let (first, second) = (amount(shape[0])?, amount(shape[1])?);
    let mut bound = |value: Option<Value<'v>>| value.map(&mut amount).transpose();
    let [min, max, plus] = bounds;
    let (min, max, plus) = (bound(min)?, bound(max)?, bound(plus)?);
    let shape = distribution::shape(verb, first, second);
    let draw = Draw { shape, min, max, plus, whole };
    distribution::check(&draw)?;
    let drawn = with_random(eval, |random| draw.sample(random))?;
    Ok(match measure {
        Some(measure) => eval.heap().alloc(Quantity { measure, amount: drawn }),
        None if whole => eval.heap().alloc(drawn as i64),
        None => eval.heap().alloc(drawn),
    })
}

#[starlark_module]
fn random_methods(builder: &mut MethodsBuilder) {
    /// One of a list, each as likely.
    fn choice<'v>(
        #[starlark(this)] _this: &RandomValue,
        #[starlark(require = pos)] of: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let Some(items) = items(of) else {
            return Err(Problem::new(format!("`choice` takes a list, not {}", shown(of))).into());
        };
        let place = with_random(eval, |random| random.below(items.len() as u64))?;
        items.get(place as usize).copied().ok_or_else(|| Problem::new("a choice from an empty list").into())
    }

    /// A list in a random order.
    fn shuffle<'v>(
        #[starlark(this)] _this: &RandomValue,
        #[starlark(require = pos)] of: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let Some(items) = items(of) else {
            return Err(Problem::new(format!("`shuffle` takes a list, not {}", shown(of))).into());
        };
        let mut items = items.to_vec();
        with_random(eval, |random| {
            for last in (1..items.len()).rev() {
                items.swap(last, random.below(last as u64 + 1) as usize);
            }
        })?;
        Ok(eval.heap().alloc(AllocList(items)))
    }

    /// True with this probability.
    fn chance<'v>(
        #[starlark(this)] _this: &RandomValue,
        #[starlark(require = pos)] probability: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        match number(probability) {
            Some(probability) if (0.0..=1.0).contains(&probability) => {
                with_random(eval, |random| random.chance(probability))
            }
            _ => Err(Problem::new(format!("{} is not a probability", shown(probability)))
                .help("from 0 to 1")
                .into()),
        }
    }

    /// A draw from a distribution, or from a range of whole numbers.
    fn draw<'v>(
        #[starlark(this)] this: &RandomValue,
        #[starlark(require = pos)] from: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        if let Some([least, most]) = items(from) {
            return draw_of(Verb::Uniform, [*least, *most], [None; 3], true, eval);
        }
        let known = |value: Value<'v>| this.seen.known(value, heap);
        if let Some(part) = Part::whole(from) {
            if part.verb() == Verb::Param {
                let range = known(from)?;
                if let Some([least, most]) = items(range) {
                    return draw_of(Verb::Uniform, [*least, *most], [None; 3], true, eval);
                }
            }
            let argument = |name: &str| part.arg(name).map(known).transpose();
            let first = match part.verb() {
                Verb::Uniform => argument("low")?,
                Verb::Normal | Verb::Exponential => argument("mean")?,
                _ => None,
            };
            if let Some(first) = first {
                let second = argument(if part.verb() == Verb::Uniform { "high" } else { "deviation" })?;
                let bounds = [argument("min")?, argument("max")?, argument("plus")?];
                let whole = part.arg("whole").is_some_and(Value::to_bool);
                return draw_of(part.verb(), [first, second.unwrap_or(first)], bounds, whole, eval);
            }
        }
        let help = "write uniform(a, b), normal(...), exponential(...) or a parameter that is integers(a, b)";
        Err(Problem::new(format!("{} is nothing to draw from", shown(from))).help(help).into())
    }

    /// A draw, as likely anywhere from `low` to `high`.
    fn uniform<'v>(
        #[starlark(this)] _this: &RandomValue,
        #[starlark(require = pos)] low: Value<'v>,
        #[starlark(require = pos)] high: Value<'v>,
        #[starlark(require = named, default = false)] whole: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        draw_of(Verb::Uniform, [low, high], [None; 3], whole, eval)
    }

    /// A draw from a normal distribution, again until it is within its bounds.
    fn normal<'v>(
        #[starlark(this)] _this: &RandomValue,
        #[starlark(require = pos)] mean: Value<'v>,
        #[starlark(require = pos)] deviation: Value<'v>,
        #[starlark(require = named)] min: Option<Value<'v>>,
        #[starlark(require = named)] max: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        draw_of(Verb::Normal, [mean, deviation], [min, max, None], false, eval)
    }

    /// A draw from an exponential distribution within its bounds.
    fn exponential<'v>(
        #[starlark(this)] _this: &RandomValue,
        #[starlark(require = pos)] mean: Value<'v>,
        #[starlark(require = named)] min: Option<Value<'v>>,
        #[starlark(require = named)] max: Option<Value<'v>>,
        #[starlark(require = named)] plus: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        draw_of(Verb::Exponential, [mean, mean], [min, max, plus], false, eval)
    }
}
