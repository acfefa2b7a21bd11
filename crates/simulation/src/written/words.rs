//! The words that an animal is written with, beside those of every file.

use std::cell::RefCell;

use bramble_task::sandbox;
use bramble_value::Random;
use serde_json::json;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::float::UnpackFloat;
use starlark::values::list::UnpackList;
use starlark::values::{Heap, Value};

/// What an animal's functions draw from.
#[derive(Debug, ProvidesStaticType)]
pub(super) struct Dice(RefCell<Random>);

impl Dice {
    pub(super) fn new(random: Random) -> Dice {
        Dice(RefCell::new(random))
    }
}

fn dice<'a>(eval: &Evaluator<'_, 'a, '_>) -> anyhow::Result<&'a RefCell<Random>> {
    sandbox::extra::<Dice>(eval)
        .map(|dice| &dice.0)
        .ok_or_else(|| anyhow::anyhow!("there is nothing to draw from here"))
}

#[starlark_module]
pub(super) fn words(builder: &mut GlobalsBuilder) {
    /// Works a digital input: pokes, licks, breaks a beam, presses a lever.
    fn poke<'v>(
        #[starlark(require = pos)] port: &str,
        #[starlark(default = "200 ms")] after: &str,
        #[starlark(default = "200 ms")] hold: &str,
        heap: Heap<'v>,
    ) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(json!({"do": "poke", "port": port, "after": after, "hold": hold})))
    }

    /// Presses an analog input to a value, and then back to 0.
    fn press<'v>(
        #[starlark(require = pos)] port: &str,
        #[starlark(default = UnpackFloat(1.0))] to: UnpackFloat,
        #[starlark(default = "200 ms")] after: &str,
        #[starlark(default = "200 ms")] hold: &str,
        heap: Heap<'v>,
    ) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(json!({"do": "press", "port": port, "to": to.0, "after": after, "hold": hold})))
    }

    /// Turns an encoder by so much.
    fn turn<'v>(
        #[starlark(require = pos)] port: &str,
        by: UnpackFloat,
        #[starlark(default = "200 ms")] after: &str,
        #[starlark(default = "200 ms")] over: &str,
        heap: Heap<'v>,
    ) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(json!({"do": "turn", "port": port, "by": by.0, "after": after, "over": over})))
    }

    /// Asks to be asked again after this time.
    fn wait<'v>(#[starlark(require = pos)] time: &str, heap: Heap<'v>) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(json!({"do": "wait", "time": time})))
    }

    /// What `see.memory` is from now on, in this session and the next ones:
    /// numbers, texts, lists and dicts of such.
    fn remember<'v>(#[starlark(require = pos)] what: Value<'v>, heap: Heap<'v>) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(json!({"do": "remember", "what": what.to_json_value()?})))
    }

    /// Whether something of this probability happens.
    fn chance(
        #[starlark(require = pos)] probability: UnpackFloat,
        eval: &mut Evaluator,
    ) -> anyhow::Result<bool> {
        Ok(dice(eval)?.borrow_mut().chance(probability.0))
    }

    /// A number from 0 to 1, each as likely as any other.
    fn random(eval: &mut Evaluator) -> anyhow::Result<f64> {
        Ok(dice(eval)?.borrow_mut().unit())
    }

    /// A draw from the normal distribution of mean 0 and deviation 1.
    fn normal(eval: &mut Evaluator) -> anyhow::Result<f64> {
        Ok(dice(eval)?.borrow_mut().normal())
    }

    /// One of a list.
    fn choice<'v>(
        #[starlark(require = pos)] from: UnpackList<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<Value<'v>> {
        let place = dice(eval)?.borrow_mut().below(from.items.len() as u64);
        let chosen = from.items.get(place as usize).copied();
        chosen.ok_or_else(|| anyhow::anyhow!("there is nothing to choose from"))
    }
}
