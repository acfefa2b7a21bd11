//! What using a word makes: a part of a task.
//!
//! Everything that a file builds is of this one type: devices, columns, events,
//! actions, stages. It holds the word and what it was given, and no meaning;
//! that comes when the task is [lowered](crate::lower).

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use allocative::Allocative;
use starlark::codemap::FileSpan;
use starlark::collections::StarlarkHasher;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_complex_value;
use starlark::values::list::AllocList;
use starlark::values::{
    Coerce, Freeze, FreezeResult, Freezer, FrozenValue, Heap, NoSerialize, ProvidesStaticType,
    StarlarkPagablePanic, StarlarkValue, Trace, Value, ValueLike, starlark_value,
};

use super::declare::{Context, DeviceInfo};
use super::words::{Of, PORT, Verb, Word, methods_of};
use crate::definition::DeviceKind;
use crate::sandbox::{Problem, extra};

/// A word that was used.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative, Coerce, Trace)]
#[repr(C)]
pub(crate) struct PartGen<V> {
    #[allocative(skip)]
    #[trace(unsafe_ignore)]
    pub(crate) said: Said,
    /// What it is said of, then the arguments that were given, in the word's
    /// order, then those it takes any number of, then those with names of their own.
    values: Vec<V>,
}

starlark_complex_value!(pub(crate) Part);

/// What a part says, apart from its values.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) word: &'static Word,
    /// Whether the word was called; one that wasn't is itself.
    called: bool,
    of: bool,
    /// A bit for each of the word's arguments that was given.
    given: u32,
    rest: usize,
    names: Vec<Box<str>>,
    /// Its place among what was declared.
    pub(crate) id: u16,
    pub(crate) device: Option<Arc<DeviceInfo>>,
    pub(crate) site: Option<FileSpan>,
}

/// The arguments that a word was called with.
#[derive(Default)]
pub(crate) struct Given<'v> {
    pub(crate) arguments: Vec<Option<Value<'v>>>,
    pub(crate) rest: Vec<Value<'v>>,
    pub(crate) named: Vec<(Box<str>, Value<'v>)>,
}

impl Said {
    fn new(word: &'static Word) -> Said {
        Said {
            word,
            called: false,
            of: false,
            given: 0,
            rest: 0,
            names: Vec::new(),
            id: 0,
            device: None,
            site: None,
        }
    }
}

impl FrozenPart {
    /// A word of the language, not yet called.
    pub(crate) fn word(word: &'static Word) -> FrozenPart {
        PartGen { said: Said { called: !word.called, ..Said::new(word) }, values: Vec::new() }
    }
}

impl<'v> Part<'v> {
    /// The word called with arguments.
    pub(crate) fn made(word: &'static Word, of: Option<Value<'v>>, given: Given<'v>) -> Part<'v> {
        let mut said = Said::new(word);
        said.called = true;
        said.of = of.is_some();
        said.rest = given.rest.len();
        let mut values: Vec<Value<'v>> = of.into_iter().collect();
        for (place, value) in given.arguments.into_iter().enumerate() {
            if let Some(value) = value {
                said.given |= 1 << place;
                values.push(value);
            }
        }
        values.extend(given.rest);
        for (name, value) in given.named {
            said.names.push(name);
            values.push(value);
        }
        Part { said, values }
    }

    pub(crate) fn verb(&self) -> Verb {
        self.said.word.verb
    }

    /// The part, where the value is a word that was called or needs no call.
    pub(crate) fn whole(value: Value<'v>) -> Option<&'v Part<'v>> {
        Part::from_value(value).filter(|part| part.said.called)
    }

    /// Whether the word was called, or needs no call.
    pub(crate) fn is_called(&self) -> bool {
        self.said.called
    }

    /// What it is said of.
    pub(crate) fn receiver(&self) -> Option<Value<'v>> {
        if self.said.of { self.values.first().copied() } else { None }
    }

    /// The part that it is said of.
    pub(crate) fn of(&self) -> Option<&'v Part<'v>> {
        Part::from_value(self.receiver()?)
    }

    /// The argument of this name.
    pub(crate) fn arg(&self, name: &str) -> Option<Value<'v>> {
        let place = self.said.word.params.iter().position(|param| param.name == name)?;
        if self.said.given & (1 << place) == 0 {
            return None;
        }
        let before = (self.said.given & ((1 << place) - 1)).count_ones() as usize;
        self.values.get(usize::from(self.said.of) + before).copied()
    }

    /// The part in a sentence.
    pub(crate) fn shown(&self) -> String {
        match self.verb() {
            Verb::Hardware | Verb::Port if self.said.called => "a device".to_owned(),
            Verb::Param if self.said.called => "a parameter".to_owned(),
            Verb::Column if self.said.called => "a column".to_owned(),
            Verb::Timer if self.said.called => "a timer".to_owned(),
            Verb::Counter if self.said.called => "a counter".to_owned(),
            Verb::Message if self.said.called => "a message".to_owned(),
            _ => {
                let dot = if self.said.of { "." } else { "" };
                let called = if self.said.called && self.said.word.called { "(...)" } else { "" };
                format!("`{dot}{}{called}`", self.said.word.name)
            }
        }
    }

    fn rest_start(&self) -> usize {
        usize::from(self.said.of) + self.said.given.count_ones() as usize
    }

    /// The arguments that it takes any number of.
    pub(crate) fn rest(&self) -> &[Value<'v>] {
        let start = self.rest_start();
        &self.values[start..start + self.said.rest]
    }

    /// The arguments with names of their own.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, Value<'v>)> {
        let start = self.rest_start() + self.said.rest;
        self.said.names.iter().map(|name| &**name).zip(self.values[start..].iter().copied())
    }
}

impl<'v, V: ValueLike<'v>> PartGen<V> {
    /// What it is, for what can be said of it.
    fn class(&self) -> Of {
        if !self.said.called {
            return Of::Nothing;
        }
        match self.said.word.verb {
            Verb::Hardware | Verb::Port => match self.said.device.as_deref().map(|device| device.kind) {
                Some(kind) => Of::Device(one_kind(kind)),
                None => Of::Nothing,
            },
            Verb::High | Verb::Low | Verb::Running => Of::Level,
            Verb::Above | Verb::Below | Verb::Between | Verb::Beyond | Verb::Still => Of::Level,
            Verb::SpeedAbove | Verb::SpeedBelow => Of::Level,
            Verb::Speed => Of::Speed,
            Verb::Column => Of::Column,
            Verb::Timer => Of::Timer,
            Verb::Counter => Of::Counter,
            Verb::Event => Of::Event,
            _ => Of::Nothing,
        }
    }
}

/// The kind as a list of one.
pub(crate) fn one_kind(kind: DeviceKind) -> &'static [DeviceKind] {
    let all = DeviceKind::ALL;
    all.iter().position(|one| *one == kind).map_or(&[], |place| &all[place..=place])
}

impl<V> fmt::Display for PartGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.said.word.name)
    }
}

impl<'v> Freeze for Part<'v> {
    type Frozen = FrozenPart;
    fn freeze(self, freezer: &Freezer) -> FreezeResult<FrozenPart> {
        let values: FreezeResult<Vec<FrozenValue>> =
            self.values.into_iter().map(|value| value.freeze(freezer)).collect();
        Ok(PartGen { said: self.said, values: values? })
    }
}

#[starlark_value(type = crate::sandbox::PART)]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for PartGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        self.said.word.verb.hash(hasher);
        self.said.id.hash(hasher);
        self.said.given.hash(hasher);
        match self.values.first() {
            Some(first) if self.said.of => first.to_value().write_hash(hasher),
            _ => Ok(()),
        }
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        let Some(other) = Part::from_value(other) else { return Ok(false) };
        let (one, two) = (&self.said, &other.said);
        let same = one.word.verb == two.word.verb
            && one.called == two.called
            && one.id == two.id
            && one.given == two.given
            && one.rest == two.rest
            && one.names == two.names
            && one.device.as_ref().map(|device| device.id) == two.device.as_ref().map(|device| device.id);
        if !same || self.values.len() != other.values.len() {
            return Ok(false);
        }
        for (one, two) in self.values.iter().zip(&other.values) {
            if !one.to_value().equals(*two)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let class = self.class();
        if let (Of::Device(_), "ports", Some(device)) = (class, attribute, &self.said.device) {
            return Some(heap.alloc(AllocList(device.ports.iter().map(|port| port.as_str()))));
        }
        let word = methods_of(class).find(|word| word.name == attribute)?;
        let me = heap.alloc(Part {
            said: self.said.clone(),
            values: self.values.iter().map(|value| value.to_value()).collect(),
        });
        let mut part = Part::made(word, Some(me), Given::default());
        part.said.called = !word.called;
        Some(heap.alloc(part))
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        methods_of(self.class()).any(|word| word.name == attribute)
            || (attribute == "ports" && matches!(self.class(), Of::Device(_)))
    }

    fn dir_attr(&self) -> Vec<String> {
        let ports = matches!(self.class(), Of::Device(_)).then_some("ports");
        methods_of(self.class()).map(|word| word.name).chain(ports).map(str::to_owned).collect()
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let Some(device) = self.said.device.as_ref().filter(|_| self.said.word.verb == Verb::Hardware) else {
            let name = self.said.word.name;
            return Err(Problem::new(format!("`{name}` has no ports to choose from")).into());
        };
        if let Some(name) = index.unpack_str() {
            device.check_port(name)?;
        }
        let given = Given { arguments: vec![Some(index)], ..Given::default() };
        let mut part = Part::made(&PORT, None, given);
        part.said.device = Some(Arc::clone(device));
        Ok(heap.alloc(part))
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let word = self.said.word;
        if self.said.called {
            let problem =
                Problem::new(format!("`{}` is not called", word.name)).help("leave out the parentheses");
            return Err(problem.into());
        }
        let Some(context) = extra::<Context>(eval) else {
            return Err(Problem::new(format!("`{}` belongs to a task", word.name)).into());
        };
        let given = super::bind::bind(word, args, context, eval)?;
        let of = if self.said.of { self.values.first().map(|value| value.to_value()) } else { None };
        let mut part = Part::made(word, of, given);
        if context.is_loading() {
            part.said.site = eval.call_stack_top_location();
        }
        super::declare::used(part, context, eval)
    }

    fn export_as(&self, variable_name: &str, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<()> {
        if let (true, Some(context)) =
            (self.said.called && self.said.word.verb.declares(), extra::<Context>(eval))
        {
            context.name(self.said.word.verb, self.said.id, variable_name);
        }
        Ok(())
    }
}
