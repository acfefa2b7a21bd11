//! What a function may do, read from its text: where it may lead, which columns
//! it may write.

use std::collections::HashSet;

use starlark::codemap::Span;
use starlark::syntax::ast::{ArgumentP, AssignTargetP, AstExpr, AstStmt, ExprP, StmtP};
use starlark_syntax::syntax::uniplate::Visit;

use super::calls::goto_names;
use super::program::{Program, Top, text};

/// What a function, and what it calls, may do.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The states it may go to, each with its file and place.
    pub(super) gotos: Vec<(String, usize, Span)>,
    /// `goto` of something that is computed.
    pub(super) computed: Vec<(usize, Span)>,
    pub(super) done: bool,
    pub(super) next: bool,
    /// Functions that stand in what it returns.
    pub(super) within: Vec<(usize, Span)>,
    /// Whether it may stop the session.
    pub(super) stops: bool,
    /// Columns it may write.
    pub(super) writes: HashSet<String>,
    /// Whether it may write columns by names that it computes.
    pub(super) writes_any: bool,
}

/// Gathers facts through everything that is called.
pub(super) struct Gather<'p, 'a> {
    program: &'p Program<'a>,
    seen: HashSet<(usize, String)>,
    pub(super) facts: Facts,
}

impl<'p, 'a> Gather<'p, 'a> {
    pub(super) fn new(program: &'p Program<'a>) -> Gather<'p, 'a> {
        Gather { program, seen: HashSet::new(), facts: Facts::default() }
    }

    pub(super) fn statement(&mut self, file: usize, statement: &AstStmt) {
        match &statement.node {
            // columns["target"] = ...
            StmtP::Assign(assign) => {
                if let AssignTargetP::Index(parts) = &assign.lhs.node {
                    self.key(&parts.1);
                }
            }
            StmtP::AssignModify(target, ..) => {
                if let AssignTargetP::Index(parts) = &target.node {
                    self.key(&parts.1);
                }
            }
            _ => {}
        }
        statement.node.visit_children(|child| match child {
            Visit::Stmt(child) => self.statement(file, child),
            Visit::Expr(child) => self.expression(file, child),
        });
    }

    fn key(&mut self, key: &AstExpr) {
        match text(key) {
            Some(name) => {
                self.facts.writes.insert(name.to_owned());
            }
            None => self.facts.writes_any = true,
        }
    }

    pub(super) fn expression(&mut self, file: usize, expression: &AstExpr) {
        match &expression.node {
            ExprP::Identifier(name) => {
                let name = &name.node.ident;
                match name.as_str() {
                    "done" => self.facts.done = true,
                    "next" => self.facts.next = true,
                    "stop" => self.facts.stops = true,
                    _ => self.named(file, name),
                }
            }
            ExprP::Dict(entries) => {
                for (key, value) in entries {
                    self.key(key);
                    self.function_within(file, value);
                }
            }
            ExprP::Tuple(items) => items.iter().for_each(|item| self.function_within(file, item)),
            ExprP::DictComprehension(..) => self.facts.writes_any = true,
            ExprP::Call(function, arguments) => {
                if let ExprP::Identifier(name) = &function.node {
                    match name.node.ident.as_str() {
                        "goto" => {
                            let first = arguments.args.first().map(|argument| argument.expr());
                            match first.map(goto_names) {
                                Some(Some(names)) => {
                                    let names =
                                        names.into_iter().map(|(name, span)| (name.to_owned(), file, span));
                                    self.facts.gotos.extend(names);
                                }
                                Some(None) => self.facts.computed.push((file, expression.span)),
                                None => {}
                            }
                        }
                        "record" | "dict" => {
                            for argument in &arguments.args {
                                match &argument.node {
                                    ArgumentP::Named(name, _) => {
                                        self.facts.writes.insert(name.node.clone());
                                    }
                                    ArgumentP::KwArgs(_) => self.facts.writes_any = true,
                                    _ => {}
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        expression.node.visit_expr(|inner| self.expression(file, inner));
    }

    fn function_within(&mut self, file: usize, value: &AstExpr) {
        let is_function = match &value.node {
            ExprP::Lambda(_) => true,
            ExprP::Identifier(name) => matches!(self.program.top(file, &name.node.ident), Some(Top::Def(..))),
            _ => false,
        };
        if is_function {
            self.facts.within.push((file, value.span));
        }
    }

    /// A function that is named here may be called here.
    fn named(&mut self, file: usize, name: &str) {
        match self.program.top(file, name) {
            Some(Top::Def(def, its_file)) if self.seen.insert((*its_file, def.name.node.ident.clone())) => {
                self.statement(*its_file, &def.body);
            }
            Some(Top::Other | Top::Table) if self.seen.insert((file, name.to_owned())) => {
                self.assigned(file, name)
            }
            None if self.seen.insert((file, name.to_owned())) => {
                for (def, its_file) in self.program.inner(name) {
                    self.statement(its_file, &def.body);
                }
            }
            _ => {}
        }
    }

    /// What was assigned to a name at the top of the file: a list of columns, a
    /// table of functions.
    fn assigned(&mut self, file: usize, name: &str) {
        let statement = self.program.files[file].ast.statement();
        let mut found = Vec::new();
        top_assignments(statement, name, &mut found);
        found.into_iter().for_each(|value| self.expression(file, value));
    }
}

fn top_assignments<'s>(statement: &'s AstStmt, name: &str, found: &mut Vec<&'s AstExpr>) {
    match &statement.node {
        StmtP::Statements(all) => all.iter().for_each(|one| top_assignments(one, name, found)),
        StmtP::Assign(assign) if super::program::targets(&assign.lhs).iter().any(|target| target == name) => {
            found.push(&assign.rhs);
        }
        _ => {}
    }
}

/// Every lambda of a file.
pub(super) fn lambdas(statement: &AstStmt) -> Vec<&AstExpr> {
    fn inner<'s>(expression: &'s AstExpr, found: &mut Vec<&'s AstExpr>) {
        if let ExprP::Lambda(_) = &expression.node {
            found.push(expression);
        }
        expression.node.visit_expr(|child| inner(child, found));
    }
    let mut found = Vec::new();
    statement.node.visit_expr(|expression| inner(expression, &mut found));
    found
}
