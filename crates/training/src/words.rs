//! The words that a protocol is written with. Each makes a struct of what it
//! was given; mistakes are noted, so that all of them are found at once.

use std::cell::RefCell;

use bramble_task::sandbox::{Problem, extra};
use bramble_value::{Level, Span};
use starlark::any::ProvidesStaticType;
use starlark::codemap::FileSpan;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::dict::DictRef;
use starlark::values::float::UnpackFloat;
use starlark::values::list::ListRef;
use starlark::values::structs::{AllocStruct, StructRef};
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, UnpackValue, Value};

/// What a protocol's file leaves beside its values.
#[derive(Debug, Default, ProvidesStaticType)]
pub(crate) struct Notes {
    /// Where words were used; `at` of their structs says which.
    pub(crate) calls: RefCell<Vec<FileSpan>>,
    /// What is wrong: in which call, at which of its words, and what.
    pub(crate) problems: RefCell<Vec<(usize, String, Problem)>>,
}

/// How deep `all_of` and `any_of` may stand in each other: whatever walks rules recurses.
const DEEPEST: i32 = 20;

/// One use of a word.
struct Call<'a> {
    notes: &'a Notes,
    at: usize,
}

impl<'a> Call<'a> {
    fn new(eval: &Evaluator<'_, 'a, '_>) -> starlark::Result<Call<'a>> {
        let notes: &Notes = extra(eval).ok_or_else(|| {
            Problem::new(
                "this makes a part of a protocol: it can't be used inside the function of `graduate`",
            )
        })?;
        let span = eval.call_stack_top_location();
        let mut calls = notes.calls.borrow_mut();
        calls.extend(span);
        Ok(Call { notes, at: calls.len().saturating_sub(1) })
    }

    fn note(&self, words: &str, problem: Problem) {
        self.notes.problems.borrow_mut().push((self.at, words.to_owned(), problem));
    }

    /// A whole number from 1.
    fn count(&self, name: &str, value: Value<'_>) -> i32 {
        let count = value.unpack_i32().filter(|count| *count >= 1);
        count.unwrap_or_else(|| {
            let shown = shown(value);
            self.note(name, Problem::new(format!("`{name}` is a whole number from 1, not {shown}")));
            1
        })
    }

    fn positive(&self, name: &str, value: Value<'_>) -> f64 {
        let number = UnpackFloat::unpack_value(value).ok().flatten().map(|number| number.0);
        number.filter(|number| number.is_finite() && *number > 0.0).unwrap_or_else(|| {
            let shown = shown(value);
            self.note(name, Problem::new(format!("`{name}` is a number above 0, not {shown}")));
            1.0
        })
    }

    fn share(&self, name: &str, value: Value<'_>) -> f64 {
        let number = match value.unpack_str() {
            Some(text) => text.parse::<Level>().ok().map(Level::share),
            None => UnpackFloat::unpack_value(value).ok().flatten().map(|number| number.0),
        };
        number.filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or_else(|| {
            let problem = Problem::new(format!("`{name}` is a share of the trials, not {}", shown(value)));
            self.note(name, problem.help("write a number above 0, at most 1, or a text like \"75 %\""));
            1.0
        })
    }

    fn seconds(&self, name: &str, value: Value<'_>) -> f64 {
        let span = match value.unpack_str() {
            Some(text) => text.parse::<Span>().map_err(|error| error.to_string()),
            None => Err(format!("`{name}` is a duration, not {}", shown(value))),
        };
        match span {
            Ok(span) if span > Span::ZERO => span.seconds(),
            Ok(_) => {
                self.note(
                    name,
                    Problem::new(format!("`{name}` is longer than nothing")).help("write \"10 min\""),
                );
                1.0
            }
            Err(message) => {
                self.note(name, Problem::new(message).help("write a text with a unit: \"10 min\""));
                1.0
            }
        }
    }

    fn text(&self, name: &str, value: Value<'_>) -> String {
        match value.unpack_str() {
            Some(text) if !text.trim().is_empty() => text.to_owned(),
            _ => {
                self.note(name, Problem::new(format!("`{name}` is a text, not {}", shown(value))));
                String::new()
            }
        }
    }

    /// What the word was used for, as a struct.
    fn made<'v, const N: usize>(
        &self,
        word: &str,
        fields: [(&str, Value<'v>); N],
        heap: Heap<'v>,
    ) -> Value<'v> {
        let own = [("word", heap.alloc(word)), ("at", heap.alloc(self.at as i32))];
        heap.alloc(AllocStruct(fields.into_iter().chain(own).collect::<Vec<_>>()))
    }
}

/// A field of what one of the words made.
pub(crate) fn field<'v>(made: Value<'v>, name: &str) -> Option<Value<'v>> {
    StructRef::from_value(made)?.iter().find(|(field, _)| field.as_str() == name).map(|(_, value)| value)
}

/// A value in a sentence.
pub(crate) fn shown(value: Value<'_>) -> String {
    match value.get_type() {
        "string" => format!("\"{}\"", value.unpack_str().unwrap_or_default()),
        "int" | "float" | "bool" | "NoneType" => value.to_str(),
        "function" => "a function".to_owned(),
        kind => format!("a {kind}"),
    }
}

/// The words.
#[starlark_module]
pub(crate) fn words(builder: &mut GlobalsBuilder) {
    /// Moves on after this many trials.
    fn trials<'v>(
        #[starlark(require = pos)] count: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let (call, heap) = (Call::new(eval)?, eval.heap());
        let count = call.count("trials", count);
        Ok(call.made("trials", [("count", heap.alloc(count))], heap))
    }

    /// Moves on when a share of the last trials has a value in a column: `of`,
    /// or True. There must be as many trials as the window is long, or `least`.
    fn accuracy<'v>(
        #[starlark(require = pos)] column: Value<'v>,
        #[starlark(require = named)] of: Option<Value<'v>>,
        #[starlark(require = named)] at_least: Value<'v>,
        #[starlark(require = named)] window: Value<'v>,
        #[starlark(require = named)] least: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let (call, heap) = (Call::new(eval)?, eval.heap());
        let (column, at_least) = (call.text("column", column), call.share("at_least", at_least));
        let window = call.count("window", window);
        let least = least.map_or(window, |least| call.count("least", least));
        if least > window {
            let message = format!("`least` is {least}, and only {window} trials are looked at");
            call.note("window", Problem::new(message).help("make the window longer, or `least` smaller"));
        }
        let of = of.unwrap_or(Value::new_bool(true));
        let fields = [
            ("column", heap.alloc(column)),
            ("of", of),
            ("at_least", heap.alloc(at_least)),
            ("window", heap.alloc(window)),
            ("least", heap.alloc(least)),
        ];
        Ok(call.made("accuracy", fields, heap))
    }

    /// Moves on when at least so many trials were done `per` time, over the
    /// last `window` of a session.
    fn rate<'v>(
        #[starlark(require = named)] at_least: Value<'v>,
        #[starlark(require = named)] per: Option<Value<'v>>,
        #[starlark(require = named)] window: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let (call, heap) = (Call::new(eval)?, eval.heap());
        let (at_least, window) = (call.positive("at_least", at_least), call.seconds("window", window));
        let per = per.map_or(60.0, |per| call.seconds("per", per));
        let fields = [("at_least", at_least), ("per", per), ("window", window)];
        Ok(call.made("rate", fields.map(|(name, number)| (name, heap.alloc(number))), heap))
    }

    /// Moves on when all of these would.
    fn all_of<'v>(
        #[starlark(args)] rules: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        some_of("all_of", rules, eval)
    }

    /// Moves on when any of these would.
    fn any_of<'v>(
        #[starlark(args)] rules: UnpackTuple<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        some_of("any_of", rules, eval)
    }

    /// A step: a task, the parameters that differ from its own, and when the
    /// subject moves on (never, where that isn't said).
    fn step<'v>(
        #[starlark(require = pos)] name: Value<'v>,
        #[starlark(require = named)] task: Value<'v>,
        #[starlark(require = named)] params: Option<Value<'v>>,
        #[starlark(require = named)] graduate: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let (call, heap) = (Call::new(eval)?, eval.heap());
        let (name, task) = (call.text("name", name), call.text("task", task));
        let mut params = params.unwrap_or(Value::new_none());
        if !params.is_none() && DictRef::from_value(params).is_none() {
            let problem = Problem::new(format!("`params` is a dict, not {}", shown(params)));
            call.note("params", problem.help("write {\"reward\": \"3 uL\"}"));
            params = Value::new_none();
        }
        let fields = [
            ("name", heap.alloc(name)),
            ("task", heap.alloc(task)),
            ("params", params),
            ("graduate", graduate.unwrap_or(Value::new_none())),
        ];
        Ok(call.made("step", fields, heap))
    }

    /// The protocol: once in a file.
    fn protocol<'v>(
        #[starlark(require = named)] name: Value<'v>,
        #[starlark(require = named)] steps: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let (call, heap) = (Call::new(eval)?, eval.heap());
        let name = call.text("name", name);
        if ListRef::from_value(steps).is_none_or(|steps| steps.is_empty()) {
            let problem = Problem::new("`steps` is a list of one step or more");
            call.note("steps", problem.help("write steps = [step(...), ...]"));
        }
        let made = call.made("protocol", [("name", heap.alloc(name)), ("steps", steps)], heap);
        if eval.module().set_extra_value_no_overwrite(made).is_err() {
            call.note(
                "protocol",
                Problem::new("there are two protocols in this file").help("keep one of them"),
            );
        }
        Ok(made)
    }
}

fn some_of<'v>(
    word: &str,
    rules: UnpackTuple<Value<'v>>,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let (call, heap) = (Call::new(eval)?, eval.heap());
    if rules.items.is_empty() {
        let problem = Problem::new(format!("`{word}` needs rules to choose from"));
        call.note(word, problem.help(format!("write {word}(trials(100), ...)")));
    }
    let depth = rules.items.iter().filter_map(|rule| field(*rule, "depth")?.unpack_i32()).max();
    let depth = depth.unwrap_or(0) + 1;
    if depth > DEEPEST {
        let problem = Problem::new(format!("these rules are nested too deep (at most {DEEPEST})"));
        return Err(problem.help("say it with one function of the trials").into());
    }
    let fields = [("rules", heap.alloc(rules.items)), ("depth", heap.alloc(depth))];
    Ok(call.made(word, fields, heap))
}
