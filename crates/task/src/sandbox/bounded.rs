//! Starlark's own words and operators whose results can be much larger than
//! what they are given, with bounds.
//!
//! The interpreter looks at its limits only once in a thousand steps and never
//! within one, so that what one step may make must be small.

use std::cmp::Ordering;

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::dict::{DictRef, UnpackDictEntries};
use starlark::values::list::{AllocList, ListRef};
use starlark::values::none::NoneOr;
use starlark::values::tuple::{TupleRef, UnpackTuple};
use starlark::values::{Heap, Value};

use super::failure::{PART, Problem};
use crate::quantity::{Operation, Quantity};

/// The longest list, and the longest text in bytes, that one step may make.
const MOST_ITEMS: usize = 10_000;
const LONGEST_TEXT: usize = 64 << 10;
/// How much there may be to a value that is compared or looked up.
const MOST_LOOKED_AT: usize = 200_000;
/// How deep lists may be in lists.
const DEEPEST: usize = 100;
/// How far numbers may be shifted.
const FURTHEST_SHIFT: i32 = 64;

fn check_items(items: usize) -> starlark::Result<()> {
    if items <= MOST_ITEMS {
        return Ok(());
    }
    Err(Problem::new(format!("a list of {items} is too long")).help(format!("at most {MOST_ITEMS}")).into())
}

fn check_text(bytes: usize) -> starlark::Result<()> {
    if bytes <= LONGEST_TEXT {
        return Ok(());
    }
    let help = format!("at most {LONGEST_TEXT} letters");
    Err(Problem::new(format!("a text of {bytes} letters is too long")).help(help).into())
}

/// How much there is to a value, counting what is in it as often as it is
/// met: an error once that is too much.
fn check_size(value: Value<'_>, left: &mut usize, depth: usize) -> starlark::Result<()> {
    if depth > DEEPEST {
        return Err(Problem::new("lists are nested too deep").help("keep lists short and flat").into());
    }
    let mut take = |size: usize| match left.checked_sub(size) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(starlark::Error::from(
            Problem::new("this value is too large to be written or compared")
                .help("keep lists short and flat"),
        )),
    };
    if let Some(text) = value.unpack_str() {
        return take(text.len() + 1);
    }
    take(1)?;
    if let Some(list) = ListRef::from_value(value) {
        list.iter().try_for_each(|item| check_size(item, left, depth + 1))
    } else if let Some(tuple) = TupleRef::from_value(value) {
        tuple.iter().try_for_each(|item| check_size(item, left, depth + 1))
    } else if let Some(dict) = DictRef::from_value(value) {
        dict.iter().try_for_each(|(key, item)| {
            check_size(key, left, depth + 1)?;
            check_size(item, left, depth + 1)
        })
    } else {
        Ok(())
    }
}

fn fits(value: Value<'_>) -> starlark::Result<()> {
    check_size(value, &mut LONGEST_TEXT.clone(), 0)
}

/// Whether it takes only moments to look through a value.
fn small(value: Value<'_>) -> starlark::Result<()> {
    if is_plain(value) { Ok(()) } else { check_size(value, &mut MOST_LOOKED_AT.clone(), 0) }
}

fn items(value: Value<'_>) -> Option<usize> {
    ListRef::from_value(value)
        .map(|list| list.len())
        .or_else(|| TupleRef::from_value(value).map(|tuple| tuple.len()))
        .or_else(|| DictRef::from_value(value).map(|dict| dict.len()))
}

/// Whether a value is flat: comparing it costs what it looks like.
fn is_plain(value: Value<'_>) -> bool {
    items(value).is_none()
}

fn check_sum(left: Value<'_>, right: Value<'_>) -> starlark::Result<()> {
    if let (Some(left), Some(right)) = (left.unpack_str(), right.unpack_str()) {
        return check_text(left.len() + right.len());
    }
    match (items(left), items(right)) {
        (Some(left), Some(right)) => check_items(left + right),
        _ => Ok(()),
    }
}

fn check_product(left: Value<'_>, right: Value<'_>) -> starlark::Result<()> {
    let check = |many: Value<'_>, times: Value<'_>| {
        let size = many.unpack_str().map(|text| (text.len(), true)).or_else(|| Some((items(many)?, false)));
        let Some((size, is_text)) = size else { return Ok(()) };
        let times = match times.unpack_i32() {
            Some(times) => times.max(0) as usize,
            None if times.get_type() == "int" => usize::MAX,
            None => return Ok(()),
        };
        let size = size.saturating_mul(times);
        if is_text { check_text(size) } else { check_items(size) }
    };
    check(left, right)?;
    check(right, left)?;
    // Products of large numbers grow like texts.
    if left.get_type() == "int" && right.get_type() == "int" && (is_large(left) || is_large(right)) {
        return check_number(left).and(check_number(right));
    }
    Ok(())
}

fn is_large(value: Value<'_>) -> bool {
    value.unpack_i32().is_none()
}

fn check_number(value: Value<'_>) -> starlark::Result<()> {
    use starlark::values::UnpackValue;
    use starlark::values::float::UnpackFloat;
    match UnpackFloat::unpack_value(value) {
        Ok(Some(number)) if number.0.abs() > 1e200 => Err(Problem::new("a whole number is too large").into()),
        _ => Ok(()),
    }
}

fn compare<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
    for value in [left, right] {
        if value.get_type() == PART {
            return Err(compared().into());
        }
    }
    small(left)?;
    // A quantity understands texts: "300 ms".
    if left.unpack_str().is_some() && right.unpack_str().is_none() {
        right.equals(left)
    } else {
        left.equals(right)
    }
}

fn order<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<Ordering> {
    if left.get_type() == PART || right.get_type() == PART {
        return Err(compared().into());
    }
    small(left)?;
    Quantity::order(left, right).unwrap_or_else(|| left.compare(right))
}

fn extreme<'v>(
    word: &str,
    values: UnpackTuple<Value<'v>>,
    key: Option<Value<'v>>,
    wanted: Ordering,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let values = match values.items.as_slice() {
        [one] => collect(*one, eval.heap())?,
        _ => values.items,
    };
    // Among quantities a text is one too, and must come out as one.
    let measure =
        values.iter().find_map(|value| Quantity::from_value(*value)).map(|quantity| quantity.measure);
    let as_quantity = |value: Value<'v>| match (measure, value.unpack_str()) {
        (Some(measure), Some(text)) => {
            Ok(eval.heap().alloc(Quantity { measure, amount: measure.parse(text)? }))
        }
        _ => Ok(value),
    };
    let values: Result<Vec<Value<'v>>, Problem> = values.into_iter().map(as_quantity).collect();
    let values = values?;
    let mut best: Option<(Value<'v>, Value<'v>)> = None;
    for value in values {
        let rank = key.map_or(Ok(value), |key| eval.eval_function(key, &[value], &[]))?;
        if best.map_or(Ok(true), |(_, so_far)| order(rank, so_far).map(|order| order == wanted))? {
            best = Some((value, rank));
        }
    }
    best.map(|(value, _)| value).ok_or_else(|| Problem::new(format!("`{word}` of nothing")).into())
}

fn compared() -> Problem {
    Problem::new("a declared value is compared here: that is never true")
        .help("in a function of the trial write `trial.` before the name")
}

fn contains<'v>(item: Value<'v>, all: Value<'v>) -> starlark::Result<bool> {
    if item.get_type() == PART || all.get_type() == PART {
        return Err(compared().into());
    }
    small(item)?;
    small(all)?;
    all.is_in(item)
}

fn count(start: i32, end: i32, step: i32) -> usize {
    let (distance, step) = if step > 0 {
        (i64::from(end) - i64::from(start), i64::from(step))
    } else {
        (i64::from(start) - i64::from(end), -i64::from(step))
    };
    if distance <= 0 { 0 } else { ((distance + step - 1) / step) as usize }
}

/// What `value` gives when it is iterated over, at most as much as one step may make.
fn collect<'v>(value: Value<'v>, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
    if let Some(items) = items(value) {
        check_items(items)?;
    }
    let items: Vec<Value<'v>> = value.iterate(heap)?.take(MOST_ITEMS + 1).collect();
    check_items(items.len())?;
    Ok(items)
}

#[starlark_module]
pub(super) fn bounded(builder: &mut GlobalsBuilder) {
    fn _add<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        check_sum(left, right)?;
        Quantity::compute(Operation::Add, left, right, heap).unwrap_or_else(|| left.add(right, heap))
    }

    fn _subtract<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Quantity::compute(Operation::Subtract, left, right, heap).unwrap_or_else(|| left.sub(right, heap))
    }

    fn _multiply<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        check_product(left, right)?;
        Quantity::compute(Operation::Multiply, left, right, heap).unwrap_or_else(|| left.mul(right, heap))
    }

    fn _divide<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Quantity::compute(Operation::Divide, left, right, heap).unwrap_or_else(|| left.div(right, heap))
    }

    fn _floor_divide<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Quantity::compute(Operation::FloorDivide, left, right, heap)
            .unwrap_or_else(|| left.floor_div(right, heap))
    }

    fn _less<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
        order(left, right).map(Ordering::is_lt)
    }

    fn _greater<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
        order(left, right).map(Ordering::is_gt)
    }

    fn _at_most<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
        order(left, right).map(Ordering::is_le)
    }

    fn _at_least<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
        order(left, right).map(Ordering::is_ge)
    }

    fn _percent<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        if let Some(result) = Quantity::compute(Operation::Remainder, left, right, heap) {
            return result;
        }
        if let Some(text) = left.unpack_str() {
            fits(right)?;
            check_text(text.len())?;
        }
        let result = left.percent(right, heap)?;
        check_text(result.unpack_str().map_or(0, str::len))?;
        Ok(result)
    }

    fn _shift<'v>(left: Value<'v>, right: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        check_shift(right)?;
        check_number(left)?;
        left.left_shift(right, heap)
    }

    fn _grow<'v>(target: Value<'v>, more: Value<'v>) -> starlark::Result<Value<'v>> {
        check_sum(target, more)?;
        Ok(more)
    }

    fn _grow_times<'v>(target: Value<'v>, times: Value<'v>) -> starlark::Result<Value<'v>> {
        check_product(target, times)?;
        Ok(times)
    }

    fn _grow_shift<'v>(target: Value<'v>, by: Value<'v>) -> starlark::Result<Value<'v>> {
        check_number(target)?;
        check_shift(by)?;
        Ok(by)
    }

    fn _equal<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
        compare(left, right)
    }

    fn _unequal<'v>(left: Value<'v>, right: Value<'v>) -> starlark::Result<bool> {
        compare(left, right).map(|same| !same)
    }

    fn _in<'v>(item: Value<'v>, all: Value<'v>) -> starlark::Result<bool> {
        contains(item, all)
    }

    fn _not_in<'v>(item: Value<'v>, all: Value<'v>) -> starlark::Result<bool> {
        contains(item, all).map(|found| !found)
    }

    fn _small<'v>(value: Value<'v>) -> starlark::Result<Value<'v>> {
        small(value)?;
        Ok(value)
    }

    fn _fits<'v>(values: Value<'v>) -> starlark::Result<bool> {
        fits(values)?;
        Ok(true)
    }

    fn _method<'v>(
        #[starlark(require = pos)] receiver: Value<'v>,
        #[starlark(require = pos)] name: &str,
        #[starlark(args)] arguments: UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] named: UnpackDictEntries<&'v str, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        check_method(receiver, name, &arguments.items)?;
        let method = receiver.get_attr_error(name, eval.heap())?;
        let result = eval.eval_function(method, &arguments.items, &named.entries)?;
        check_text(result.unpack_str().map_or(0, str::len))?;
        Ok(result)
    }

    /// Whole numbers from `start` (0) up to but not including `end`, by `step` (1).
    fn range<'v>(
        #[starlark(require = pos)] a: i32,
        #[starlark(require = pos)] b: Option<i32>,
        #[starlark(require = pos, default = 1)] step: i32,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let (start, end) = b.map_or((0, a), |b| (a, b));
        if step == 0 {
            return Err(Problem::new("the step of a range can't be 0").into());
        }
        let many = count(start, end, step);
        check_items(many)?;
        Ok(heap.alloc(AllocList((0..many).map(|place| start.wrapping_add(step.wrapping_mul(place as i32))))))
    }

    /// A text that shows the value.
    fn str<'v>(#[starlark(require = pos)] value: Value<'v>) -> starlark::Result<String> {
        fits(value)?;
        Ok(value.to_str())
    }

    /// A text that shows the value as it would be written in a file.
    fn repr<'v>(#[starlark(require = pos)] value: Value<'v>) -> starlark::Result<String> {
        fits(value)?;
        Ok(value.to_repr())
    }

    /// A new list of what is in another.
    fn list<'v>(
        #[starlark(require = pos)] values: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let items = values.map_or(Ok(Vec::new()), |values| collect(values, heap))?;
        Ok(heap.alloc(AllocList(items)))
    }

    /// A new list, from the last to the first.
    fn reversed<'v>(
        #[starlark(require = pos)] values: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let mut items = collect(values, heap)?;
        items.reverse();
        Ok(heap.alloc(AllocList(items)))
    }

    /// The greatest of them, or of what is in a list; by what `key` says of each.
    fn max<'v>(
        #[starlark(args)] values: UnpackTuple<Value<'v>>,
        #[starlark(require = named)] key: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        extreme("max", values, key, Ordering::Greater, eval)
    }

    /// The least of them, or of what is in a list; by what `key` says of each.
    fn min<'v>(
        #[starlark(args)] values: UnpackTuple<Value<'v>>,
        #[starlark(require = named)] key: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        extreme("min", values, key, Ordering::Less, eval)
    }

    /// The attribute of a value by its name, or `default`.
    fn getattr<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] default: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        // Text and list methods are bounded where they are called by name.
        if value.unpack_str().is_some() || items(value).is_some() {
            return Err(Problem::new("`getattr` is for the trial")
                .help(format!("write .{name}(...)"))
                .into());
        }
        match (value.get_attr(name, heap)?, default) {
            (Some(attribute), _) | (None, Some(attribute)) => Ok(attribute),
            (None, None) => value.get_attr_error(name, heap),
        }
    }

    /// Nothing: a task has nowhere to print to.
    fn print<'v>(#[starlark(args)] values: UnpackTuple<Value<'v>>) -> starlark::Result<NoneOr<bool>> {
        let _ = values;
        Ok(NoneOr::None)
    }
}

fn check_shift(by: Value<'_>) -> starlark::Result<()> {
    match by.unpack_i32() {
        Some(by) if by <= FURTHEST_SHIFT => Ok(()),
        _ => Err(Problem::new("a number is shifted too far").into()),
    }
}

fn check_method(receiver: Value<'_>, name: &str, arguments: &[Value<'_>]) -> starlark::Result<()> {
    match (receiver.unpack_str(), name, arguments) {
        (Some(between), "join", [parts]) => {
            let mut left = LONGEST_TEXT;
            check_size(*parts, &mut left, 0)?;
            check_text(
                (LONGEST_TEXT - left)
                    .saturating_add(between.len().saturating_mul(items(*parts).unwrap_or(0))),
            )
        }
        (Some(text), "replace", [old, new, ..]) => {
            let old = old.unpack_str().map_or(1, str::len);
            let places = text.len().checked_div(old).unwrap_or(text.len() + 1);
            check_text(text.len() + places.saturating_mul(new.unpack_str().map_or(0, str::len)))
        }
        (Some(text), "format", arguments) => {
            check_text(text.len())?;
            arguments.iter().try_for_each(|argument| fits(*argument))?;
            let longest = arguments.iter().filter_map(|argument| argument.unpack_str()).map(str::len).max();
            let places = text.matches('{').count();
            check_text(text.len() + places.saturating_mul(longest.unwrap_or(0)))
        }
        (None, _, [more, ..]) => check_items(items(receiver).unwrap_or(0) + items(*more).unwrap_or(0)),
        _ => Ok(()),
    }
}
