//! Walking through the files, knowing at each name what it stands for.

use starlark::codemap::Span;
use starlark::syntax::ast::{
    ArgumentP, AssignTargetP, AstAssignTarget, AstExpr, AstParameter, AstStmt, BinOp, ClauseP, ExprP,
    ForClauseP, StmtP,
};
use starlark_syntax::syntax::uniplate::Visit;

use super::calls;
use super::program::{Program, Top, bound, defaults, parameters, targets};
use crate::language::Verb;
use crate::mistake::Mistake;
use crate::sandbox::Problem;

/// Where the walk is.
pub(super) struct Walk<'p, 'a> {
    pub(super) program: &'p Program<'a>,
    pub(super) file: usize,
    /// The names that each function or comprehension around here binds.
    locals: Vec<Vec<String>>,
    /// The variables of the loops around here.
    loops: Vec<String>,
    /// How many functions are around here.
    pub(super) depth: usize,
    /// The names that stand for the trial.
    trials: Vec<String>,
    pub(super) mistakes: Vec<Mistake>,
}

/// The names that a function's first argument has when it is the trial.
const TRIAL: &[&str] = &["trial", "session"];

/// The methods of lists and dicts that change them.
const CHANGING: &[&str] =
    &["append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"];

/// What is wrong with the files.
pub(super) fn check(program: &Program<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for file in 0..program.files.len() {
        let mut walk = Walk {
            program,
            file,
            locals: Vec::new(),
            loops: Vec::new(),
            depth: 0,
            trials: Vec::new(),
            mistakes: Vec::new(),
        };
        walk.statement(program.files[file].ast.statement());
        mistakes.append(&mut walk.mistakes);
    }
    mistakes
}

impl<'a> Walk<'_, 'a> {
    pub(super) fn wrong(&mut self, span: Span, problem: Problem) {
        let place = self.program.files[self.file].place(span);
        self.mistakes.push(Mistake { message: problem.message, place, help: problem.help });
    }

    pub(super) fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|names| names.iter().any(|known| known == name))
    }

    /// What a name stands for, if it is not a local one.
    pub(super) fn top(&self, name: &str) -> Option<&Top<'a>> {
        if self.is_local(name) { None } else { self.program.top(self.file, name) }
    }

    pub(super) fn is_trial(&self, name: &str) -> bool {
        self.trials.iter().any(|trial| trial == name)
    }

    fn statement(&mut self, statement: &AstStmt) {
        match &statement.node {
            StmtP::Def(def) => {
                let mut names = Vec::new();
                bound(&def.body, &mut names);
                self.function(
                    &def.params,
                    names,
                    |walk| walk.statement(&def.body),
                    |walk, names| {
                        walk.captured_in_statement(&def.body, names);
                    },
                );
            }
            StmtP::For(each) => {
                self.expression(&each.over);
                let names = targets(&each.var);
                let before = self.loops.len();
                self.loops.extend(names);
                self.statement(&each.body);
                self.loops.truncate(before);
            }
            StmtP::AssignModify(target, ..) => {
                if self.depth > 0 {
                    self.changed(target);
                }
                self.children(statement);
            }
            StmtP::Assign(assign) => {
                if !self.trials.is_empty()
                    && let AssignTargetP::Index(parts) = &assign.lhs.node
                {
                    self.kept(&parts.0);
                }
                self.children(statement);
            }
            StmtP::If(condition, _) => {
                self.tested(condition);
                self.children(statement);
            }
            StmtP::IfElse(condition, _) => {
                self.tested(condition);
                self.children(statement);
            }
            _ => self.children(statement),
        }
    }

    fn children(&mut self, statement: &AstStmt) {
        statement.node.visit_children(|child| match child {
            Visit::Stmt(child) => self.statement(child),
            Visit::Expr(child) => self.expression(child),
        });
    }

    /// A name of the file's that a function changes (`n += 1`).
    fn changed(&mut self, target: &AstAssignTarget) {
        match &target.node {
            AssignTargetP::Identifier(name) if self.top(&name.node.ident).is_some() => {
                self.outlasts(&name.node.ident, target.span);
            }
            AssignTargetP::Index(parts) if !self.trials.is_empty() => self.kept(&parts.0),
            _ => {}
        }
    }

    /// A list or dict of the file's that a function of the trial changes.
    fn kept(&mut self, changed: &AstExpr) {
        if let ExprP::Identifier(name) = &changed.node
            && let Some(Top::Table) = self.top(&name.node.ident)
        {
            self.outlasts(&name.node.ident, changed.span);
        }
    }

    fn outlasts(&mut self, name: &str, span: Span) {
        let problem =
            Problem::new(format!("a function can't change `{name}`: nothing of a call outlasts it"));
        self.wrong(
            span,
            problem.help(
                "keep it in a column that carries, column(..., carry = first), or look at trial.past(...)",
            ),
        );
    }

    fn function(
        &mut self,
        params: &[AstParameter],
        bound: Vec<String>,
        body: impl FnOnce(&mut Self),
        captured: impl FnOnce(&mut Self, &[String]),
    ) {
        defaults(params).for_each(|default| self.expression(default));
        let own = parameters(params);
        let names: Vec<String> = own.iter().cloned().chain(bound).collect();
        if !self.loops.is_empty() {
            captured(self, &names);
        }
        let trial = own.first().filter(|first| TRIAL.contains(&first.as_str())).cloned();
        let (loops, trials) = (std::mem::take(&mut self.loops), self.trials.clone());
        // A name that the function binds anew is no longer what it was outside.
        self.trials.retain(|name| !names.contains(name));
        self.trials.extend(trial);
        self.locals.push(names);
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.locals.pop();
        (self.loops, self.trials) = (loops, trials);
    }

    fn captured_in_statement(&mut self, statement: &AstStmt, own: &[String]) {
        let mut expressions = Vec::new();
        statement.node.visit_expr(|expression| expressions.push(expression));
        expressions.into_iter().for_each(|expression| self.captured(expression, own));
    }

    /// A function made in a loop that looks at the loop's variable sees its last value.
    fn captured(&mut self, expression: &AstExpr, own: &[String]) {
        if let ExprP::Identifier(name) = &expression.node {
            let name = &name.node.ident;
            if self.loops.contains(name) && !own.contains(name) {
                let problem = Problem::new(format!(
                    "`{name}` will have its last value whenever this function is called"
                ));
                let help = format!("keep the value it has now: lambda trial, {name} = {name}: ...");
                self.wrong(expression.span, problem.help(help));
            }
        }
        match &expression.node {
            ExprP::Lambda(lambda) => {
                let own: Vec<String> = own.iter().cloned().chain(parameters(&lambda.params)).collect();
                defaults(&lambda.params).for_each(|default| self.captured(default, &own));
                self.captured(&lambda.body, &own);
            }
            ExprP::ListComprehension(_, first, clauses) | ExprP::DictComprehension(_, first, clauses) => {
                let own: Vec<String> = own.iter().cloned().chain(comprehended(first, clauses)).collect();
                expression.node.visit_expr(|inner| self.captured(inner, &own));
            }
            _ => expression.node.visit_expr(|inner| self.captured(inner, own)),
        }
    }

    pub(super) fn expression(&mut self, expression: &AstExpr) {
        match &expression.node {
            ExprP::Lambda(lambda) => {
                let body = &lambda.body;
                self.function(
                    &lambda.params,
                    Vec::new(),
                    |walk| walk.expression(body),
                    |walk, names| {
                        walk.captured(body, names);
                    },
                );
                return;
            }
            ExprP::ListComprehension(_, first, clauses) | ExprP::DictComprehension(_, first, clauses) => {
                self.comprehension(expression, first, clauses);
                return;
            }
            ExprP::Not(inner) => self.tested(inner),
            ExprP::If(parts) => self.tested(&parts.0),
            ExprP::Op(left, BinOp::And | BinOp::Or, right) => {
                self.tested(left);
                self.tested(right);
            }
            ExprP::Op(left, operator, right) => {
                self.computed(left, *operator);
                self.computed(right, *operator);
            }
            ExprP::Minus(inner) | ExprP::Plus(inner) => self.computed(inner, BinOp::Subtract),
            ExprP::Dot(of, attribute) => calls::attribute(self, of, &attribute.node, attribute.span),
            ExprP::Index(parts) => {
                let is_table = match &parts.0.node {
                    ExprP::Identifier(name) => matches!(self.top(&name.node.ident), Some(Top::Table)),
                    ExprP::Dict(_) | ExprP::List(_) => true,
                    _ => false,
                };
                if is_table {
                    self.computed(&parts.1, BinOp::Add);
                }
            }
            ExprP::Call(function, arguments) => {
                let skipped = calls::plain_values(self, function);
                if let Some(skipped) = skipped {
                    for argument in arguments.args.iter().skip(skipped) {
                        self.computed(argument.expr(), BinOp::Add);
                    }
                }
                if let ExprP::Dot(of, method) = &function.node
                    && !self.trials.is_empty()
                    && CHANGING.contains(&method.node.as_str())
                {
                    self.kept(of);
                }
                if self.depth > 0 {
                    calls::call(self, expression.span, function, &arguments.args);
                }
                // A function that is given to be called at once sees what is now.
                let loops = arguments
                    .args
                    .iter()
                    .any(|argument| is_key(&argument.node))
                    .then(|| std::mem::take(&mut self.loops));
                expression.node.visit_expr(|inner| self.expression(inner));
                if let Some(loops) = loops {
                    self.loops = loops;
                }
                return;
            }
            _ => {}
        }
        expression.node.visit_expr(|inner| self.expression(inner));
    }

    fn comprehension(
        &mut self,
        expression: &AstExpr,
        first: &ForClauseP<starlark::syntax::ast::AstNoPayload>,
        clauses: &[ClauseP<starlark::syntax::ast::AstNoPayload>],
    ) {
        let names = comprehended(first, clauses);
        for clause in clauses {
            if let ClauseP::If(condition) = clause {
                self.locals.push(names.clone());
                self.tested(condition);
                self.locals.pop();
            }
        }
        self.locals.push(names.clone());
        let before = self.loops.len();
        self.loops.extend(names);
        expression.node.visit_expr(|inner| self.expression(inner));
        self.loops.truncate(before);
        self.locals.pop();
    }

    /// The name of something declared whose value is not known here.
    fn later(&self, expression: &AstExpr) -> Option<(String, String)> {
        if let Some(name) = calls::condition(self, expression) {
            return Some((
                name,
                "wait for it: an event or condition stands in `on`, each by itself".to_owned(),
            ));
        }
        match &expression.node {
            ExprP::Identifier(name) => {
                let name = &name.node.ident;
                match self.top(name) {
                    Some(Top::Declared(Verb::Param | Verb::Column, _)) => {
                        Some((name.clone(), format!("write trial.{name} in a function of the trial")))
                    }
                    Some(_) => None,
                    None if name == "state_time" && !self.is_local(name) => {
                        Some((name.clone(), "write trial.state_time in a function of the trial".to_owned()))
                    }
                    None => None,
                }
            }
            ExprP::Dot(of, attribute) => {
                let ExprP::Identifier(of) = &of.node else { return None };
                let (of, attribute) = (&of.node.ident, &attribute.node);
                match self.top(of) {
                    Some(Top::Declared(Verb::Column, _)) if attribute == "last" => Some((
                        format!("{of}.last"),
                        format!("write trial.last.{of} in a function of the trial"),
                    )),
                    Some(Top::Declared(Verb::Column, _)) if attribute == "other" => Some((
                        format!("{of}.other"),
                        "compute it from the column in a function of the trial".to_owned(),
                    )),
                    Some(Top::Declared(Verb::Counter, _)) if attribute == "count" => {
                        Some((format!("{of}.count"), format!("write trial.{of} in a function of the trial")))
                    }
                    None if of == "event" && !self.is_local(of) => Some((
                        format!("event.{attribute}"),
                        format!("write trial.event.{attribute} in a function of the trial"),
                    )),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn tested(&mut self, expression: &AstExpr) {
        if let Some((name, help)) = self.later(expression) {
            let problem = Problem::new(format!(
                "`{name}` stands for a value that comes later: as a condition it is always true"
            ));
            self.wrong(expression.span, problem.help(help));
        }
    }

    fn computed(&mut self, expression: &AstExpr, operator: BinOp) {
        let Some((name, help)) = self.later(expression) else { return };
        let message = match operator {
            BinOp::Equal | BinOp::NotEqual | BinOp::In | BinOp::NotIn => {
                format!(
                    "`{name}` stands for a value that comes later: this comparison would always say the same"
                )
            }
            _ => format!("`{name}` stands for a value that comes later: it can't be computed with here"),
        };
        self.wrong(expression.span, Problem::new(message).help(help));
    }
}

/// `key = ...`: a function that is called at once.
fn is_key(argument: &ArgumentP<starlark::syntax::ast::AstNoPayload>) -> bool {
    matches!(argument, ArgumentP::Named(name, _) if name.node == "key")
}

fn comprehended(
    first: &ForClauseP<starlark::syntax::ast::AstNoPayload>,
    clauses: &[ClauseP<starlark::syntax::ast::AstNoPayload>],
) -> Vec<String> {
    let more = clauses.iter().filter_map(|clause| match clause {
        ClauseP::For(each) => Some(&each.var),
        ClauseP::If(_) => None,
    });
    std::iter::once(&first.var).chain(more).flat_map(targets).collect()
}
