//! What a file declares while it is loaded, and what words meet when they are
//! used: a file that is being loaded, or a session that runs.

use std::cell::RefCell;
use std::sync::Arc;

use bramble_value::{Name, Random, Value as Datum, ValueType};
use starlark::any::ProvidesStaticType;
use starlark::eval::Evaluator;
use starlark::values::Value;
use starlark::values::list::{AllocList, ListRef};

use super::bind::shown;
use super::part::Part;
use super::words::Verb;
use crate::definition::{Column, Device, DeviceId, DeviceKind, Message, Parameter, Place, Timer};
use crate::lower::literal::{TypeSpec, literal, type_spec};
use crate::mistake::{Mistake, did_you_mean, one_of};
use crate::quantity::Quantity;
use crate::sandbox::{Places, Problem};

/// A device, as every part that is said of it knows it.
#[derive(Debug)]
pub(crate) struct DeviceInfo {
    pub(crate) id: DeviceId,
    pub(crate) kind: DeviceKind,
    pub(crate) ports: Arc<[Name]>,
}

impl DeviceInfo {
    /// The place of a port, or what is wrong with its name.
    pub(crate) fn check_port(&self, name: &str) -> Result<u16, Problem> {
        if let Some(place) = self.ports.iter().position(|port| port.as_str() == name) {
            return Ok(place as u16);
        }
        let ports = || self.ports.iter().map(Name::as_str);
        Err(if self.ports.is_empty() {
            Problem::new("this device has no ports")
                .help("hardware(..., ports = [...]) makes a group of devices")
        } else {
            let help =
                did_you_mean(name, ports()).unwrap_or_else(|| format!("its ports are {}", one_of(ports())));
            Problem::new(format!("there is no port `{name}`")).help(help)
        })
    }
}

/// What has been declared. Names come when a declaration is assigned to a variable.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) columns: Vec<Column>,
    pub(crate) devices: Vec<Device>,
    pub(crate) messages: Vec<Message>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) counters: Vec<(Name, Place)>,
    pub(crate) tasks: Vec<Place>,
    /// Which declarations have no name yet.
    unnamed: Vec<(Verb, u16)>,
}

/// What words meet when they are used.
#[derive(ProvidesStaticType)]
pub(crate) struct Context {
    mode: Mode,
}

/// The two times at which words are used.
pub(crate) enum Mode {
    /// A file is loaded.
    Loading(Loading),
    /// A function is called during a session.
    Running {
        /// Where its random draws come from.
        random: RefCell<Random>,
    },
}

pub(crate) struct Loading {
    pub(crate) declared: RefCell<Declared>,
    pub(crate) mistakes: RefCell<Vec<Mistake>>,
    pub(crate) places: Places,
}

impl Context {
    pub(crate) fn loading(places: Places) -> Context {
        let (declared, mistakes) = (RefCell::default(), RefCell::default());
        Context { mode: Mode::Loading(Loading { declared, mistakes, places }) }
    }

    pub(crate) fn running(random: Random) -> Context {
        Context { mode: Mode::Running { random: RefCell::new(random) } }
    }

    pub(crate) fn is_loading(&self) -> bool {
        matches!(self.mode, Mode::Loading(_))
    }

    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// What was declared and what was found wrong, once loading is over.
    pub(crate) fn finish(self) -> (Declared, Vec<Mistake>) {
        match self.mode {
            Mode::Loading(loading) => (loading.declared.into_inner(), loading.mistakes.into_inner()),
            Mode::Running { .. } => Default::default(),
        }
    }

    /// Notes a problem of the call that is being evaluated, at `words` in it,
    /// so that loading can go on; false where nothing is being loaded.
    pub(crate) fn note(&self, problem: &Problem, words: &str, eval: &Evaluator<'_, '_, '_>) -> bool {
        let Mode::Loading(loading) = &self.mode else { return false };
        let call = place(loading, eval);
        let mistake = Mistake {
            message: problem.message.clone(),
            place: loading.places.within(&call, words),
            help: problem.help.clone(),
        };
        loading.mistakes.borrow_mut().push(mistake);
        true
    }

    /// Names what was declared after the variable that holds it.
    pub(crate) fn name(&self, verb: Verb, id: u16, variable: &str) {
        let Mode::Loading(loading) = &self.mode else { return };
        let mut declared = loading.declared.borrow_mut();
        let Some(place) = declared.unnamed.iter().position(|one| *one == (verb, id)) else { return };
        declared.unnamed.swap_remove(place);
        match variable.parse::<Name>() {
            Ok(name) => declared.set_name(verb, id, name),
            Err(error) => {
                let place = declared.place(verb, id).clone();
                loading.mistakes.borrow_mut().push(Mistake::new(place, error.to_string()));
            }
        }
    }
}

fn place(loading: &Loading, eval: &Evaluator<'_, '_, '_>) -> Place {
    eval.call_stack_top_location().map(|span| loading.places.place(&span)).unwrap_or_default()
}

impl Declared {
    fn set_name(&mut self, verb: Verb, id: u16, name: Name) {
        let id = usize::from(id);
        match verb {
            Verb::Param => self.parameters[id].name = name,
            Verb::Hardware => self.devices[id].name = name,
            Verb::Column => self.columns[id].name = name,
            Verb::Timer => self.timers[id].name = name,
            Verb::Counter => self.counters[id].0 = name,
            Verb::Message => self.messages[id].name = name,
            _ => {}
        }
    }

    fn place(&self, verb: Verb, id: u16) -> &Place {
        let id = usize::from(id);
        match verb {
            Verb::Param => &self.parameters[id].place,
            Verb::Hardware => &self.devices[id].place,
            Verb::Column => &self.columns[id].place,
            Verb::Timer => &self.timers[id].place,
            Verb::Counter => &self.counters[id].1,
            _ => &self.messages[id].place,
        }
    }

    /// What is wrong with the names of it all, now that everything has its name.
    pub(crate) fn check_names(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (verb, id) in &self.unnamed {
            let place = self.place(*verb, *id).clone();
            mistakes.push(
                Mistake::new(place, "this declaration has no name")
                    .help("hold it in a variable at the top of the file: name = ..."),
            );
        }
        let mut seen: Vec<(&Name, &Place)> = Vec::new();
        let all = self.parameters.iter().map(|one| (&one.name, &one.place));
        let all = all.chain(self.devices.iter().map(|one| (&one.name, &one.place)));
        let all = all.chain(self.columns.iter().map(|one| (&one.name, &one.place)));
        let all = all.chain(self.timers.iter().map(|one| (&one.name, &one.place)));
        let all = all.chain(self.counters.iter().map(|(name, place)| (name, place)));
        for (name, place) in all.chain(self.messages.iter().map(|one| (&one.name, &one.place))) {
            if name.as_str() == UNNAMED {
                continue;
            }
            if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
                let message = format!("`{name}` is declared already, in line {}", first.line);
                mistakes.push(Mistake::new(place.clone(), message).help("give one of them another name"));
            }
            if super::trial::TRIAL_WORDS.contains(&name.as_str()) {
                let message = format!("`{name}` can't be a name here: `trial.{name}` means something else");
                mistakes.push(Mistake::new(place.clone(), message).help("choose another name"));
            }
            seen.push((name, place));
        }
        for column in &self.columns {
            if TABLE_WORDS.contains(&column.name.as_str()) {
                let message = format!("every trial table has a column `{}` already", column.name);
                mistakes.push(Mistake::new(column.place.clone(), message).help("choose another name"));
            }
        }
        mistakes
    }
}

const UNNAMED: &str = "_";

/// The columns that every trial table has.
const TABLE_WORDS: &[&str] = &["trial", "start", "end", "ending"];

fn unnamed() -> Name {
    UNNAMED.parse().expect("an underscore is a name")
}

/// What becomes of a word that was used with arguments.
pub(crate) fn used<'v>(
    mut part: Part<'v>,
    context: &Context,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let verb = part.verb();
    match context.mode() {
        Mode::Loading(loading) => {
            if verb.declares() {
                let place = place(loading, eval);
                part.said.id = declare(&mut part, loading, place)?;
            }
            let keep = verb == Verb::Task || (verb == Verb::Column || verb == Verb::Counter);
            let value = eval.heap().alloc(part);
            if keep {
                remember(value, eval);
            }
            Ok(value)
        }
        Mode::Running { .. } if verb.declares() || verb.is_stage() => {
            let problem = Problem::new(format!(
                "`{verb_name}` can't be used inside a function of the trial",
                verb_name = part.said.word.name
            ));
            Err(problem.help("the stages and what is declared can't change while a session runs: write it at the top of the file").into())
        }
        Mode::Running { .. } => match quantity(&part)? {
            Some(quantity) => Ok(eval.heap().alloc(quantity)),
            None => Ok(eval.heap().alloc(part)),
        },
    }
}

/// The quantity that `duration("1 s")` is.
fn quantity(part: &Part<'_>) -> Result<Option<Quantity>, Problem> {
    let Some(measure) = crate::lower::literal::measure(part.verb()) else { return Ok(None) };
    let Some(value) = part.arg("default") else { return Ok(None) };
    let amount = match (value.unpack_str(), crate::sandbox::number(value)) {
        (Some(text), _) => measure.parse(text)?,
        (None, Some(number)) => number,
        (None, None) => return Err(Problem::new(format!("{} is not a {}", shown(value), measure.word()))),
    };
    Ok(Some(Quantity { measure, amount }))
}

/// Keeps a part that is looked at again once loading is over.
fn remember<'v>(value: Value<'v>, eval: &Evaluator<'v, '_, '_>) {
    let module = eval.module();
    let kept = module.extra_value().and_then(ListRef::from_value);
    let all: Vec<Value<'v>> = kept.iter().flat_map(|list| list.iter()).chain([value]).collect();
    module.set_extra_value(eval.heap().alloc(AllocList(all)));
}

fn declare<'v>(part: &mut Part<'v>, loading: &Loading, place: Place) -> Result<u16, Problem> {
    let declared = &mut *loading.declared.borrow_mut();
    let within = |words: &str| loading.places.within(&place, words);
    let note = |problem: Problem, at: Place| {
        loading.mistakes.borrow_mut().push(Mistake {
            message: problem.message,
            place: at,
            help: problem.help,
        });
    };
    let doc = text(part, "doc")?.unwrap_or_default();
    let verb = part.verb();
    let count = match verb {
        Verb::Param => {
            let TypeSpec { kind, default, min, max } = type_spec(argument(part, "type")?)?;
            let bound = |name: &str, from_type: Option<Datum>| match part.arg(name) {
                None => Ok(from_type),
                Some(value) => literal(&kind, value, false).map(Some),
            };
            let (min, max) = (bound("min", min)?, bound("max", max)?);
            let default = default.unwrap_or_else(|| {
                let problem = Problem::new("this parameter has no default value");
                note(
                    problem.help(format!("write it in parentheses: {}(...)", type_word(&kind))),
                    place.clone(),
                );
                zero(&kind)
            });
            if let Some(problem) = crate::parameters::out_of_range(&kind, default, min, max) {
                note(problem, place.clone());
            }
            let live = flag(part, "live")?;
            declared.parameters.push(Parameter {
                name: unnamed(),
                kind,
                default,
                min,
                max,
                doc,
                live,
                place: place.clone(),
            });
            declared.parameters.len()
        }
        Verb::Column => {
            let given = argument(part, "type")?;
            let TypeSpec { kind, .. } = type_spec(given)?;
            let said = Part::from_value(given);
            if said.is_some_and(|said| ["default", "min", "max"].iter().any(|one| said.arg(one).is_some())) {
                let problem = Problem::new("the type of a column has no default value and no range");
                note(problem.help("carry = ... says what the first trial starts with"), place.clone());
            }
            if kind == ValueType::Integers {
                return Err(Problem::new("a column can't hold a range").help("use integer"));
            }
            declared.columns.push(Column { name: unnamed(), kind, doc, carry: None, place: place.clone() });
            declared.columns.len()
        }
        Verb::Hardware => {
            let value = argument(part, "kind")?;
            let kind = Part::from_value(value).and_then(|kind| kind.verb().device_kind());
            let Some(kind) = kind else {
                let help = "kinds are digital_input, analog_input, digital_output, level_output, solenoid, encoder, display, sound and camera";
                return Err(Problem::new(format!("{} is not a kind of device", shown(value))).help(help));
            };
            let ports = ports(part)?;
            for port in &ports {
                let words = super::words::methods_of(super::words::Of::Device(super::part::one_kind(kind)));
                if port.as_str() == "ports" || words.into_iter().any(|word| word.name == port.as_str()) {
                    let problem = Problem::new(format!(
                        "a port can't be named `{port}`: that is a word said of the device"
                    ));
                    note(problem.help("choose another name"), within(&format!("\"{port}\"")));
                }
            }
            let unit = text(part, "unit")?.unwrap_or_default();
            if !unit.is_empty() && !matches!(kind, DeviceKind::Encoder | DeviceKind::AnalogInput) {
                let word = kind.word();
                note(Problem::new(format!("a {word} has no unit")), within("unit"));
            }
            let id = DeviceId(declared.devices.len() as u16);
            part.said.device = Some(Arc::new(DeviceInfo { id, kind, ports: ports.clone().into() }));
            declared.devices.push(Device { name: unnamed(), kind, ports, unit, doc, place: place.clone() });
            declared.devices.len()
        }
        Verb::Timer => {
            declared.timers.push(Timer { name: unnamed(), place: place.clone() });
            declared.timers.len()
        }
        Verb::Counter => {
            declared.counters.push((unnamed(), place.clone()));
            declared.counters.len()
        }
        Verb::Message => {
            let button = flag(part, "button")?;
            declared.messages.push(Message { name: unnamed(), button, place: place.clone() });
            declared.messages.len()
        }
        _ => {
            if let Some(first) = declared.tasks.first() {
                let problem = Problem::new(format!("there is a task already, in line {}", first.line));
                return Err(problem.help("a file has one task(...)"));
            }
            declared.tasks.push(place);
            return Ok(0);
        }
    };
    let id = u16::try_from(count - 1).map_err(|_| Problem::new("too much is declared"))?;
    match text(part, "name")? {
        Some(name) => {
            let name = name.parse::<Name>().map_err(|error| Problem::new(error.to_string()))?;
            declared.set_name(verb, id, name);
        }
        None => declared.unnamed.push((verb, id)),
    }
    Ok(id)
}

fn argument<'v>(part: &Part<'v>, name: &str) -> Result<Value<'v>, Problem> {
    part.arg(name).ok_or_else(|| Problem::new(format!("`{}` needs `{name}`", part.said.word.name)))
}

fn text(part: &Part<'_>, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = part.arg(name) else { return Ok(None) };
    match value.unpack_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Problem::new(format!("`{name}` is a text in quotes, not {}", shown(value)))),
    }
}

fn flag(part: &Part<'_>, name: &str) -> Result<bool, Problem> {
    let Some(value) = part.arg(name) else { return Ok(false) };
    value
        .unpack_bool()
        .ok_or_else(|| Problem::new(format!("`{name}` is True or False, not {}", shown(value))))
}

fn ports(part: &Part<'_>) -> Result<Vec<Name>, Problem> {
    match part.arg("ports") {
        None => Ok(Vec::new()),
        Some(value) => crate::lower::literal::names(value, "ports"),
    }
}

fn type_word(kind: &ValueType) -> String {
    kind.to_string().split(' ').next().unwrap_or_default().to_owned()
}

/// A value of the type, to go on with where there is none.
fn zero(kind: &ValueType) -> Datum {
    match kind {
        ValueType::Integers => Datum::Integers(0, 0),
        kind => kind.value_from_f64(0.0).unwrap_or(Datum::Number(0.0)),
    }
}
