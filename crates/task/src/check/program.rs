//! The files of a task as one program: what each name at the top of a file is.

use std::collections::HashMap;
use std::sync::Arc;

use starlark::syntax::ast::{
    AssignTargetP, AstAssignTarget, AstExpr, AstLiteral, AstParameter, AstStmt, DefP, ExprP, ParameterP,
    StmtP,
};

use crate::definition::DeviceKind;
use crate::language::{Verb, WORDS};
use crate::sandbox::{Parsed, resolve};

/// What a name at the top of a file is.
#[derive(Debug, Clone)]
pub(super) enum Top<'a> {
    /// Something declared by this word, with a device's kind.
    Declared(Verb, Option<DeviceKind>),
    /// A function.
    Def(&'a DefP<starlark::syntax::ast::AstNoPayload>, usize),
    /// A dict or a list that is written out.
    Table,
    /// Anything else.
    Other,
}

pub(super) struct Program<'a> {
    pub(super) files: Vec<&'a Parsed>,
    /// By file and name.
    tops: HashMap<(usize, String), Top<'a>>,
    /// The functions that stand within other functions, each with its file.
    inner: Vec<(&'a DefP<starlark::syntax::ast::AstNoPayload>, usize)>,
    /// The names of columns, and those that `trial.` knows: columns, parameters, counters.
    pub(super) columns: Vec<String>,
    pub(super) known: Vec<String>,
}

impl<'a> Program<'a> {
    pub(super) fn new(parsed: &'a [Arc<Parsed>]) -> Program<'a> {
        let files: Vec<&Parsed> = parsed.iter().map(|file| &**file).collect();
        let mut program = Program {
            files,
            tops: HashMap::new(),
            inner: Vec::new(),
            columns: Vec::new(),
            known: Vec::new(),
        };
        for file in 0..program.files.len() {
            let statement = program.files[file].ast.statement();
            program.read(file, statement);
        }
        program
    }

    fn read(&mut self, file: usize, statement: &'a AstStmt) {
        match &statement.node {
            StmtP::Statements(all) => all.iter().for_each(|one| self.read(file, one)),
            StmtP::Def(def) => {
                self.tops.insert((file, def.name.node.ident.clone()), Top::Def(def, file));
                self.read_inner(file, &def.body);
            }
            StmtP::Assign(assign) => {
                let top = declared(&assign.rhs);
                if let (Some(Top::Declared(verb, _)), AssignTargetP::Identifier(name)) =
                    (&top, &assign.lhs.node)
                {
                    let name = explicit_name(&assign.rhs).unwrap_or_else(|| name.node.ident.clone());
                    if *verb == Verb::Column {
                        self.columns.push(name.clone());
                    }
                    if matches!(verb, Verb::Column | Verb::Param | Verb::Counter) {
                        self.known.push(name);
                    }
                }
                for name in targets(&assign.lhs) {
                    self.tops.insert((file, name), top.clone().unwrap_or(Top::Other));
                }
            }
            StmtP::Load(load) => {
                let path = resolve(&self.files[file].path, &load.module.node);
                let from = self.files.iter().position(|file| file.path == path);
                for argument in &load.args {
                    let theirs = from.and_then(|from| self.tops.get(&(from, argument.their.node.clone())));
                    let top = theirs.cloned().unwrap_or(Top::Other);
                    self.tops.insert((file, argument.local.node.ident.clone()), top);
                }
            }
            _ => self.read_inner(file, statement),
        }
    }

    fn read_inner(&mut self, file: usize, statement: &'a AstStmt) {
        if let StmtP::Def(def) = &statement.node {
            self.inner.push((def, file));
        }
        statement.node.visit_stmt(|inner| self.read_inner(file, inner));
    }

    /// The functions of this name that stand within others.
    pub(super) fn inner(
        &self,
        name: &str,
    ) -> impl Iterator<Item = (&'a DefP<starlark::syntax::ast::AstNoPayload>, usize)> {
        self.inner.iter().copied().filter(move |(def, _)| def.name.node.ident == name)
    }

    /// What a name at the top of a file is.
    pub(super) fn top(&self, file: usize, name: &str) -> Option<&Top<'a>> {
        self.tops.get(&(file, name.to_owned()))
    }

    /// Every function of any file that has this name.
    pub(super) fn defs(&self, name: &str) -> Vec<(&'a DefP<starlark::syntax::ast::AstNoPayload>, usize)> {
        let named = self.tops.iter().filter(|((_, known), _)| known == name);
        let mut defs: Vec<_> = named
            .filter_map(|(_, top)| if let Top::Def(def, file) = top { Some((*def, *file)) } else { None })
            .chain(self.inner(name))
            .collect();
        defs.dedup_by_key(|(def, _)| std::ptr::from_ref(*def));
        defs
    }
}

/// What stands on the right of `=`, if that is known.
fn declared<'a>(value: &AstExpr) -> Option<Top<'a>> {
    if let ExprP::Dict(_) | ExprP::List(_) | ExprP::DictComprehension(..) | ExprP::ListComprehension(..) =
        &value.node
    {
        return Some(Top::Table);
    }
    let ExprP::Call(function, arguments) = &value.node else { return None };
    let ExprP::Identifier(name) = &function.node else { return None };
    let word = WORDS.iter().find(|word| word.name == name.node.ident && word.verb.declares())?;
    let kind = arguments.args.first().and_then(|first| match &first.expr().node {
        ExprP::Identifier(kind) => {
            WORDS.iter().find(|word| word.name == kind.node.ident).and_then(|word| word.verb.device_kind())
        }
        _ => None,
    });
    Some(Top::Declared(word.verb, kind))
}

fn explicit_name(value: &AstExpr) -> Option<String> {
    use starlark::syntax::ast::ArgumentP;
    let ExprP::Call(_, arguments) = &value.node else { return None };
    arguments.args.iter().find_map(|argument| match &argument.node {
        ArgumentP::Named(name, value) if name.node == "name" => text(value).map(str::to_owned),
        _ => None,
    })
}

/// The names that an assignment binds.
pub(super) fn targets(target: &AstAssignTarget) -> Vec<String> {
    match &target.node {
        AssignTargetP::Identifier(name) => vec![name.node.ident.clone()],
        AssignTargetP::Tuple(all) => all.iter().flat_map(targets).collect(),
        AssignTargetP::Index(_) | AssignTargetP::Dot(..) => Vec::new(),
    }
}

/// The names of a function's arguments.
pub(super) fn parameters(params: &[AstParameter]) -> Vec<String> {
    params.iter().filter_map(|param| Some(param.node.ident()?.node.ident.clone())).collect()
}

/// The default values of a function's arguments.
pub(super) fn defaults(params: &[AstParameter]) -> impl Iterator<Item = &AstExpr> {
    params.iter().filter_map(|param| match &param.node {
        ParameterP::Normal(_, _, default) => default.as_deref(),
        _ => None,
    })
}

/// The text that is written out.
pub(super) fn text(value: &AstExpr) -> Option<&str> {
    match &value.node {
        ExprP::Literal(AstLiteral::String(text)) => Some(&text.node),
        _ => None,
    }
}

/// The names that the statements of a function bind, apart from functions in it.
/// What is only changed (`n += 1`) has to be bound elsewhere.
pub(super) fn bound(statement: &AstStmt, names: &mut Vec<String>) {
    match &statement.node {
        StmtP::Assign(assign) => names.extend(targets(&assign.lhs)),
        StmtP::Def(def) => names.push(def.name.node.ident.clone()),
        StmtP::For(each) => {
            names.extend(targets(&each.var));
            bound(&each.body, names);
        }
        _ => statement.node.visit_stmt(|inner| bound(inner, names)),
    }
}
