//! Mathematics that Starlark lacks, the same to the last bit on every machine.

use starlark::environment::GlobalsBuilder;
use starlark::starlark_module;
use starlark::values::float::UnpackFloat;
use starlark::values::{Heap, UnpackValue, Value};

use super::failure::Problem;
use crate::quantity::Quantity;

/// A number, or a quantity in its base unit.
pub fn number(value: Value<'_>) -> Option<f64> {
    if let Some(quantity) = Quantity::from_value(value) {
        return Some(quantity.amount);
    }
    if let Some(flag) = value.unpack_bool() {
        return Some(f64::from(u8::from(flag)));
    }
    UnpackFloat::unpack_value(value).ok().flatten().map(|number| number.0)
}

fn wanted(word: &str, value: Value<'_>) -> starlark::Result<f64> {
    number(value).ok_or_else(|| {
        let kind = value.get_type();
        Problem::new(format!("`{word}` takes a number, not a {kind}")).into()
    })
}

fn finite(word: &str, of: f64, result: f64) -> starlark::Result<f64> {
    if result.is_finite() {
        Ok(result)
    } else {
        Err(Problem::new(format!("`{word}` of {of} is not a number")).into())
    }
}

fn whole(word: &str, result: f64) -> starlark::Result<i64> {
    if result.abs() < 9e15 {
        Ok(result as i64)
    } else {
        Err(Problem::new(format!("`{word}`: {result} is too large for a whole number")).into())
    }
}

/// `exp log sqrt round floor ceil abs sum`.
#[starlark_module]
pub fn math(builder: &mut GlobalsBuilder) {
    /// e to the power of x.
    fn exp<'v>(#[starlark(require = pos)] x: Value<'v>) -> starlark::Result<f64> {
        let x = wanted("exp", x)?;
        finite("exp", x, libm::exp(x))
    }

    /// The natural logarithm of x, or the logarithm to another base.
    fn log<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = pos)] base: Option<Value<'v>>,
    ) -> starlark::Result<f64> {
        let x = wanted("log", x)?;
        let by = base.map_or(Ok(1.0), |base| wanted("log", base).map(libm::log))?;
        finite("log", x, libm::log(x) / by)
    }

    /// The square root of x.
    fn sqrt<'v>(#[starlark(require = pos)] x: Value<'v>) -> starlark::Result<f64> {
        let x = wanted("sqrt", x)?;
        finite("sqrt", x, libm::sqrt(x))
    }

    /// The whole number nearest to x (halves away from zero), or x rounded to so
    /// many digits after the point.
    fn round<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = pos)] digits: Option<i32>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let x = wanted("round", x)?;
        match digits {
            None => Ok(heap.alloc(whole("round", libm::round(x))?)),
            Some(digits) => {
                let factor = libm::pow(10.0, f64::from(digits.clamp(-15, 15)));
                Ok(heap.alloc(finite("round", x, libm::round(x * factor) / factor)?))
            }
        }
    }

    /// The greatest whole number that is not above x.
    fn floor<'v>(#[starlark(require = pos)] x: Value<'v>) -> starlark::Result<i64> {
        whole("floor", libm::floor(wanted("floor", x)?))
    }

    /// The least whole number that is not below x.
    fn ceil<'v>(#[starlark(require = pos)] x: Value<'v>) -> starlark::Result<i64> {
        whole("ceil", libm::ceil(wanted("ceil", x)?))
    }

    /// x without its sign.
    fn abs<'v>(#[starlark(require = pos)] x: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        if let Some(quantity) = Quantity::from_value(x) {
            return Ok(heap.alloc(quantity.with(quantity.amount.abs())));
        }
        match x.unpack_i32() {
            Some(x) => Ok(heap.alloc(i64::from(x).abs())),
            None => Ok(heap.alloc(wanted("abs", x)?.abs())),
        }
    }

    /// All of them added up; 0 where there are none.
    fn sum<'v>(#[starlark(require = pos)] values: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let mut total = heap.alloc(0);
        for value in values.iterate(heap)? {
            let value = value.unpack_bool().map_or(value, |flag| heap.alloc(i32::from(flag)));
            total = match value.get_type() {
                "int" | "float" => total.add(value, heap)?,
                _ if Quantity::from_value(value).is_some() => value.add(total, heap)?,
                kind => return Err(Problem::new(format!("`sum` takes numbers, not a {kind}")).into()),
            };
        }
        Ok(total)
    }
}
