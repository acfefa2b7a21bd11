//! The whole task, from what was declared and the tree that was built.

use starlark::values::Value;
use starlark::values::list::ListRef;

use super::Lowering;
use super::outline::Outline;
use crate::call::Wanted;
use crate::definition::{
    Carry, Counter, First, FunctionId, MessageId, Place, PortChoice, StageId, StageKind, TaskDefinition,
    Trigger,
};
use crate::language::{Declared, Part, Verb};
use crate::mistake::Mistake;
use crate::sandbox::{Places, Problem};

/// A task that was lowered.
pub(crate) struct Lowered<'v> {
    pub(crate) definition: TaskDefinition,
    pub(crate) outline: Outline,
    pub(crate) functions: Vec<Value<'v>>,
    pub(crate) mistakes: Vec<Mistake>,
    /// The stages that each function is used in, and where.
    pub(crate) uses: Vec<(FunctionId, Vec<(StageId, Place)>)>,
}

/// Lowers what was declared and remembered while the file was loaded.
pub(crate) fn task<'v>(
    declared: Declared,
    remembered: Vec<Value<'v>>,
    name: &str,
    doc: &str,
    places: &Places,
    root: &Place,
) -> Lowered<'v> {
    let mut definition = TaskDefinition {
        name: name.to_owned(),
        doc: doc.to_owned(),
        parameters: declared.parameters,
        devices: declared.devices,
        columns: declared.columns,
        messages: declared.messages,
        timers: declared.timers,
        counters: Vec::new(),
        stages: Vec::new(),
        plots: Vec::new(),
    };
    for (name, place) in declared.counters {
        // What it counts is lowered below, once everything that it may name is there.
        definition.counters.push(Counter { name, of: Trigger::Message(MessageId(0)), place });
    }
    let parts: Vec<&'v Part<'v>> = remembered
        .iter()
        .flat_map(|value| ListRef::from_value(*value).map(|list| list.content()).unwrap_or_default())
        .filter_map(|value| Part::whole(*value))
        .collect();
    let said = |verb: Verb| parts.iter().copied().filter(move |part| part.verb() == verb);

    // The tree first: its names are what everything else refers to.
    let empty = Outline::default();
    let mut first = Lowering::loading(&definition, &empty, places);
    first.site = root.clone();
    let task = said(Verb::Task).next();
    let tree = task.and_then(|task| {
        first.in_declaration(task, |this| match task.arg("stages") {
            Some(stages) => Some(this.tree(stages)),
            None => {
                this.wrong(Problem::new("`task` needs `stages`").help("task(stages = trials(body = ...))"))
            }
        })
    });
    if task.is_none() {
        let problem = Problem::new("the file declares no task");
        first.wrong::<()>(problem.help("it ends with task(stages = ...)"));
    }
    let mut mistakes = std::mem::take(&mut first.mistakes);
    let (outline, stage_parts) = tree.map(|tree| (tree.outline, tree.parts)).unwrap_or_default();

    let known = definition.clone();
    let mut lowering = Lowering::loading(&known, &outline, places);
    lowering.site = root.clone();
    for part in said(Verb::Counter) {
        if let (Some(of), Some(counter)) =
            (lowering.counted(part), definition.counters.get_mut(usize::from(part.said.id)))
        {
            counter.of = of;
        }
    }
    for part in said(Verb::Column) {
        let carry = lowering.carry(part);
        definition.columns[usize::from(part.said.id)].carry = carry;
    }
    for (place, part) in stage_parts.iter().enumerate() {
        let stage = lowering.stage(StageId(place as u16), part);
        definition.stages.push(stage);
    }
    lowering.stage = TaskDefinition::ROOT;
    if let Some(task) = task {
        lowering.in_declaration(task, |this| {
            if let Some(value) = task.arg("name") {
                match value.unpack_str() {
                    Some(name) => definition.name = name.to_owned(),
                    None => drop(this.wrong::<()>(Problem::new("`name` is a text in quotes"))),
                }
            }
            definition.plots = task.arg("plot").map(|plots| this.plots(plots)).unwrap_or_default();
        });
    }
    let trials = definition.stages.iter().filter(|stage| matches!(stage.kind, StageKind::Trials(_)));
    let second = trials.skip(1).map(|stage| {
        Mistake::new(stage.place.clone(), "a task has only one `trials`")
            .help("use sequence(..., repeat = n) for what repeats within a trial")
    });
    mistakes.append(&mut lowering.mistakes);
    mistakes.extend(second);
    let functions = lowering.functions.take().unwrap_or_default();
    let uses = lowering.uses.into_iter().collect();
    Lowered { definition, outline, functions, mistakes, uses }
}

impl<'v> Lowering<'_, 'v> {
    fn counted(&mut self, part: &Part<'v>) -> Option<Trigger> {
        let trigger = self.in_declaration(part, |this| this.trigger(part.arg("event")?))?;
        let chosen = match &trigger {
            Trigger::Edge(port, _) | Trigger::Ends(port) => matches!(port.port, PortChoice::Chosen(_)),
            Trigger::Level { lasts, .. } => lasts.is_some(),
            Trigger::Reaches(..) => true,
            Trigger::TimerEnds(_) | Trigger::Message(_) => false,
        };
        if chosen {
            let problem = Problem::new("a counter counts one kind of event, whatever the stage");
            return self.in_declaration(part, |this| {
                this.wrong(problem.help("counter(poke[\"left\"].rises) or counter(poke.rises)"))
            });
        }
        if let Trigger::Level { .. } = &trigger {
            let problem = Problem::new("a counter counts events, not conditions");
            return self
                .in_declaration(part, |this| this.wrong(problem.help("did you mean `.rises` or `.falls`?")));
        }
        Some(trigger)
    }

    fn carry(&mut self, part: &Part<'v>) -> Option<Carry> {
        let keep = part.arg("keep").and_then(Value::unpack_bool).unwrap_or(false);
        let column = crate::definition::ColumnId(part.said.id);
        let first = match part.arg("carry") {
            None if !keep => return None,
            None => First::Missing,
            Some(value) if Self::is_function(value) => {
                First::Function(self.in_declaration(part, |this| this.function(value))?)
            }
            Some(value) if value.is_none() => First::Missing,
            Some(value) => {
                First::Value(self.in_declaration(part, |this| this.literal(value, Wanted::Column(column)))?)
            }
        };
        Some(Carry { first, keep })
    }
}
