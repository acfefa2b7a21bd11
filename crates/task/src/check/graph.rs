//! The graph of the stages: what nobody reaches, what never ends, what is never written.

use std::collections::HashSet;

use starlark::syntax::ast::{AstExpr, AstStmt, ExprP, StmtP};

use super::facts::{Facts, Gather, lambdas};
use super::program::{Program, text};
use crate::definition::{
    Action, FunctionId, Handlers, Place, Reaction, Repeat, Stage, StageId, StageKind, TaskDefinition,
    Transition, What,
};
use crate::graph::{Lead, Sketch};
use crate::load::Function;
use crate::lower::is_zero;
use crate::lower::outline::Outline;
use crate::mistake::{Mistake, did_you_mean, one_of};

/// What is wrong with the graph, and where its functions lead.
pub(super) fn check(
    program: &Program<'_>,
    task: &TaskDefinition,
    outline: &Outline,
    functions: &[Function],
) -> (Vec<Mistake>, Vec<Sketch>) {
    let mut sketches: Vec<Sketch> =
        functions.iter().map(|function| Sketch { name: function.name.clone(), leads: Vec::new() }).collect();
    let mut mistakes = Vec::new();
    let mut wrong_gotos: Vec<(Mistake, bool)> = Vec::new();
    for (place, stage) in task.stages.iter().enumerate() {
        let id = StageId(place as u16);
        for function in handlers(stage) {
            let Some(known) = functions.get(function.index()) else { continue };
            let facts = facts(program, task, known, &stage.place);
            for (file, span) in &facts.computed {
                let place = program.files[*file].place(*span);
                let mistake =
                    Mistake::new(place, "where this `goto` leads can't be checked: the name is computed");
                mistakes.push(mistake.help("write the name: goto(\"a\") if ... else goto(\"b\")"));
            }
            if matches!(stage.on, Handlers::Function(_)) {
                for (file, span) in &facts.within {
                    let problem = "what a function of `on` returns can't hold another function";
                    let mistake = Mistake::new(program.files[*file].place(*span), problem);
                    mistakes.push(mistake.help("let it compute the actions, or write `on` out"));
                }
            }
            for (name, file, span) in &facts.gotos {
                let place = program.files[*file].place(*span);
                match outline.goto(id, name) {
                    Ok(to) => {
                        sketches[function.index()].leads.push((id, Lead::Goto(to)));
                        wrong_gotos
                            .iter_mut()
                            .filter(|(wrong, _)| wrong.place == place)
                            .for_each(|(_, fine)| *fine = true);
                        let fine = Mistake::new(place, String::new());
                        wrong_gotos.push((fine, true));
                    }
                    Err(problem) => {
                        let fine = wrong_gotos.iter().any(|(other, fine)| *fine && other.place == place);
                        wrong_gotos
                            .push((Mistake { message: problem.message, place, help: problem.help }, fine));
                    }
                }
            }
            let more = [(facts.done, Lead::Done), (facts.next, Lead::Next), (facts.stops, Lead::Stop)];
            sketches[function.index()]
                .leads
                .extend(more.into_iter().filter(|(may, _)| *may).map(|(_, lead)| (id, lead)));
        }
    }
    for sketch in &mut sketches {
        let mut seen: Vec<(StageId, Lead)> = Vec::new();
        sketch.leads.retain(|lead| {
            !seen.contains(lead) && {
                seen.push(*lead);
                true
            }
        });
    }
    mistakes.extend(wrong_gotos.into_iter().filter(|(_, fine)| !fine).map(|(mistake, _)| mistake));
    // Where a `goto` is wrong, what it should have led to is not to blame.
    if mistakes.is_empty() {
        let graph = Graph { task, sketches: &sketches };
        mistakes.extend(graph.unreachable());
        mistakes.extend(graph.endless());
        mistakes.extend(graph.spinning());
    }
    mistakes.extend(prepared(program, task, functions));
    mistakes.extend(unwritten(program, task, functions));
    (mistakes, sketches)
}

/// What a function may do. A lambda has no name: it is one that stands within
/// `place`, or one that stands in no stage and so may be any stage's.
fn facts(program: &Program<'_>, task: &TaskDefinition, function: &Function, place: &Place) -> Facts {
    let mut gather = Gather::new(program);
    if function.name != "lambda" {
        for (def, file) in program.defs(&function.name) {
            gather.statement(file, &def.body);
        }
        return gather.facts;
    }
    for (number, file) in program.files.iter().enumerate() {
        for lambda in lambdas(file.ast.statement()) {
            let stands_in = |place: &Place| file.encloses(place, lambda.span);
            if stands_in(place) || !task.stages.iter().any(|stage| stands_in(&stage.place)) {
                gather.expression(number, lambda);
            }
        }
    }
    gather.facts
}

/// The functions that may lead out of a stage.
fn handlers(stage: &Stage) -> Vec<FunctionId> {
    let on: &[_] = match &stage.on {
        Handlers::Listed(handlers) => handlers,
        Handlers::Function(function) => return vec![*function],
    };
    let whats = on.iter().map(|handler| &handler.what).chain(stage.after.iter().map(|(_, what)| what));
    whats
        .filter_map(|what| if let What::Function(function) = what { Some(*function) } else { None })
        .collect()
}

struct Graph<'a> {
    task: &'a TaskDefinition,
    sketches: &'a [Sketch],
}

impl Graph<'_> {
    fn stage(&self, id: StageId) -> &Stage {
        &self.task.stages[id.index()]
    }

    /// Where a stage's own handlers may lead.
    fn leads(&self, id: StageId) -> Vec<Lead> {
        let stage = self.stage(id);
        let on: &[_] = if let Handlers::Listed(handlers) = &stage.on { handlers } else { &[] };
        let whats = on.iter().map(|handler| &handler.what).chain(stage.after.iter().map(|(_, what)| what));
        let mut leads: Vec<Lead> = whats
            .filter_map(|what| match what {
                What::Response(response) if stops(&response.actions) => Some(Lead::Stop),
                What::Response(response) => lead(response.transition),
                What::Function(_) => None,
            })
            .collect();
        for function in handlers(stage) {
            let sketched =
                self.sketches.get(function.index()).map(|sketch| sketch.leads.as_slice()).unwrap_or_default();
            leads.extend(sketched.iter().filter(|(stage, _)| *stage == id).map(|(_, lead)| *lead));
        }
        leads
    }

    /// Whether a stage may come to its end without a transition of its own.
    fn ends(&self, id: StageId) -> bool {
        let stage = self.stage(id);
        let by_kind = match &stage.kind {
            StageKind::State => false,
            StageKind::States(_)
            | StageKind::Sequence(..)
            | StageKind::Parallel(..)
            | StageKind::Trials(_) => true,
            _ => true,
        };
        by_kind || stage.timeout.is_some() || stage.repeat_timeout.is_some() || self.skippable(id)
    }

    fn skippable(&self, id: StageId) -> bool {
        let stage = self.stage(id);
        stage.skip_if.is_some() || stage.disabled.is_some() || matches!(stage.repeat, Repeat::Times(_))
    }

    /// The `goto`s of a stage and of what is in it that reach its siblings.
    fn exits(&self, id: StageId, siblings: &[StageId], found: &mut Vec<StageId>) {
        for lead in self.leads(id) {
            if let Lead::Goto(to) = lead {
                found.extend(siblings.contains(&to).then_some(to));
            }
        }
        if !matches!(self.stage(id).kind, StageKind::States(_)) {
            self.stage(id).kind.children().iter().for_each(|child| self.exits(*child, siblings, found));
        }
    }

    fn unreachable(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for stage in &self.task.stages {
            let StageKind::States(children) = &stage.kind else { continue };
            let mut reached: HashSet<StageId> = HashSet::new();
            let mut open: Vec<StageId> = children.first().into_iter().copied().collect();
            while let Some(child) = open.pop() {
                if !reached.insert(child) {
                    continue;
                }
                self.exits(child, children, &mut open);
                let next =
                    children.iter().position(|one| *one == child).and_then(|place| children.get(place + 1));
                let falls = self.leads(child).contains(&Lead::Next);
                match self.stage(child).then {
                    Some(Transition::Goto(to)) => open.push(to),
                    Some(Transition::Done) => {}
                    _ if falls || self.ends(child) => open.extend(next),
                    _ => {}
                }
                if self.skippable(child) {
                    open.extend(next);
                }
            }
            for child in children.iter().filter(|child| !reached.contains(child)) {
                let name = &self.stage(*child).name;
                let mistake =
                    Mistake::new(self.stage(*child).place.clone(), format!("nothing leads to `{name}`"));
                mistakes.push(mistake.help(format!("goto(\"{name}\") in another state, or take it out")));
            }
        }
        mistakes
    }

    /// States that nothing can end.
    fn endless(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (place, stage) in self.task.stages.iter().enumerate() {
            let id = StageId(place as u16);
            if !matches!(stage.kind, StageKind::State) || self.can_end(id) {
                continue;
            }
            let mut above = stage.parent;
            let mut saved = false;
            while let Some(parent) = above {
                let around = self.stage(parent);
                let partial = match &around.kind {
                    StageKind::Parallel(children, crate::definition::CompleteOn::All(which)) => {
                        which.len() < children.len()
                    }
                    StageKind::Parallel(..) => true,
                    _ => false,
                };
                saved |= partial || self.can_end(parent);
                above = around.parent;
            }
            if !saved {
                let mistake =
                    Mistake::new(stage.place.clone(), format!("nothing ever ends `{}`", stage.name));
                mistakes.push(
                    mistake
                        .help("give it on = {event: ...} or after = {time: ...} that lead on, or a timeout"),
                );
            }
        }
        mistakes
    }

    fn can_end(&self, id: StageId) -> bool {
        let stage = self.stage(id);
        let stopped = matches!(&stage.enter, Reaction::Actions(actions) if stops(actions));
        !self.leads(id).is_empty() || stage.timeout.is_some() || stage.repeat_timeout.is_some() || stopped
    }

    /// States that lead to each other in no time.
    fn spinning(&self) -> Vec<Mistake> {
        let at_once = |id: StageId| -> Option<StageId> {
            let stage = self.stage(id);
            if !matches!(&stage.on, Handlers::Listed(handlers) if handlers.is_empty()) || self.skippable(id) {
                return None;
            }
            let next = || {
                let siblings = self.stage(stage.parent?).kind.children();
                let place = siblings.iter().position(|sibling| *sibling == id)?;
                siblings.get(place + 1).copied()
            };
            match (&stage.kind, stage.then) {
                (StageKind::Delay(time), Some(Transition::Goto(to))) if is_zero(time) => return Some(to),
                (StageKind::Delay(time), None) if is_zero(time) => return next(),
                _ => {}
            }
            stage.after.iter().find(|(time, _)| is_zero(time)).and_then(|(_, what)| match what {
                What::Response(response) => match response.transition {
                    Transition::Goto(to) => Some(to),
                    _ => None,
                },
                What::Function(_) => None,
            })
        };
        let mut mistakes = Vec::new();
        let mut done: HashSet<StageId> = HashSet::new();
        for place in 0..self.task.stages.len() {
            let mut way = vec![StageId(place as u16)];
            while let Some(to) = at_once(way[way.len() - 1]).filter(|to| !done.contains(to)) {
                if let Some(start) = way.iter().position(|seen| *seen == to) {
                    let names = way[start..].iter().map(|id| self.stage(*id).name.as_str());
                    let circle =
                        names.clone().chain([self.stage(to).name.as_str()]).collect::<Vec<_>>().join(" -> ");
                    let message =
                        format!("these states lead to each other without end, in no time: {circle}");
                    let mistake = Mistake::new(self.stage(to).place.clone(), message);
                    mistakes.push(
                        mistake.help(format!("let {} last a while or wait for an event", one_of(names))),
                    );
                    break;
                }
                way.push(to);
            }
            done.extend(way);
        }
        mistakes
    }
}

/// Whether actions stop the session.
fn stops(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::StopSession(_)))
}

fn lead(transition: Transition) -> Option<Lead> {
    match transition {
        Transition::Stay => None,
        Transition::Goto(to) => Some(Lead::Goto(to)),
        Transition::Done => Some(Lead::Done),
        Transition::Next => Some(Lead::Next),
    }
}

/// What `prepare` returns that is no column.
fn prepared(program: &Program<'_>, task: &TaskDefinition, functions: &[Function]) -> Vec<Mistake> {
    let prepare = task.trials().and_then(|(_, trials)| trials.prepare);
    let Some(function) = prepare.and_then(|id| functions.get(id.index())) else { return Vec::new() };
    let mut mistakes = Vec::new();
    for (def, file) in program.defs(&function.name) {
        let mut returns = Vec::new();
        returned(&def.body, &mut returns);
        let place = |span| program.files[file].place(span);
        for value in returns {
            match &value.node {
                ExprP::Dict(entries) => {
                    for (key, _) in entries {
                        let Some(name) = text(key).filter(|name| task.column(name).is_none()) else {
                            continue;
                        };
                        let names = task.columns.iter().map(|column| column.name.as_str());
                        let help = did_you_mean(name, names)
                            .unwrap_or_else(|| format!("declare it: {name} = column(...)"));
                        let message = format!("there is no column `{name}`");
                        mistakes.push(Mistake::new(place(key.span), message).help(help));
                    }
                }
                ExprP::Call(called, _) if matches!(&called.node, ExprP::Identifier(name) if name.node.ident == "record") =>
                {
                    let message = "`prepare` returns columns, not actions";
                    mistakes.push(Mistake::new(place(value.span), message).help("{\"target\": \"left\"}"));
                }
                _ => {}
            }
        }
    }
    mistakes
}

/// What a function returns, apart from the functions in it.
fn returned<'s>(statement: &'s AstStmt, found: &mut Vec<&'s AstExpr>) {
    match &statement.node {
        StmtP::Return(Some(value)) => found.push(value),
        StmtP::Def(_) => {}
        _ => statement.node.visit_stmt(|inner| returned(inner, found)),
    }
}

/// Columns that no path writes.
fn unwritten(program: &Program<'_>, task: &TaskDefinition, functions: &[Function]) -> Vec<Mistake> {
    let mut written: HashSet<String> = HashSet::new();
    let mut note = |actions: &[Action]| {
        for action in actions {
            if let Action::Record(column, _) = action {
                written.insert(task.columns[column.index()].name.to_string());
            }
        }
    };
    for stage in &task.stages {
        note(&stage.during);
        for reaction in [&stage.enter, &stage.leave] {
            if let Reaction::Actions(actions) = reaction {
                note(actions);
            }
        }
        let on: &[_] = if let Handlers::Listed(handlers) = &stage.on { handlers } else { &[] };
        for what in on.iter().map(|handler| &handler.what).chain(stage.after.iter().map(|(_, what)| what)) {
            if let What::Response(response) = what {
                note(&response.actions);
            }
        }
        if let StageKind::Record(columns) = &stage.kind {
            note(&columns.iter().map(|(id, value)| Action::Record(*id, value.clone())).collect::<Vec<_>>());
        }
    }
    for function in functions {
        let facts = facts(program, task, function, &function.place);
        if facts.writes_any {
            return Vec::new();
        }
        written.extend(facts.writes);
    }
    let missing = task
        .columns
        .iter()
        .filter(|column| column.carry.is_none() && !written.contains(column.name.as_str()));
    missing
        .map(|column| {
            let name = &column.name;
            let mistake = Mistake::new(column.place.clone(), format!("nothing ever writes column `{name}`"));
            mistake.help(format!("record({name} = ...), or return it from `prepare`"))
        })
        .collect()
}
