//! A file that was read, and its text with every growth that has no bound of
//! its own replaced by one that has.

use std::collections::HashMap;
use std::ops::Range;

use starlark::codemap::{CodeMap, Span, Spanned};
use starlark::syntax::ast::{
    ArgumentP, AssignOp, AstExpr, AstNoPayload, AstStmt, CallArgsP, ClauseP, ExprP, StmtP,
};
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use starlark_syntax::syntax::uniplate::Visit;

use super::Places;
use super::brackets::Brackets;
use super::edits::Edits;
use super::failure::Failure;
use crate::definition::Place;
use crate::mistake::Mistake;

const DIALECT: Dialect = Dialect {
    enable_def: true,
    enable_lambda: true,
    enable_load: true,
    enable_keyword_only_arguments: true,
    enable_positional_only_arguments: false,
    enable_types: DialectTypes::Disable,
    enable_load_reexport: false,
    enable_top_level_stmt: true,
    enable_f_strings: true,
    _non_exhaustive: (),
};

/// The longest file that is read, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// How deep brackets and blocks may nest: the parser and its walks recurse.
const DEEPEST: usize = 100;
/// How many `elif` a file may have: each nests in the one before.
const MOST_BRANCHES: usize = 300;

/// Methods whose results may be much longer than what they are given.
const GROWING: &[&str] = &["join", "replace", "format", "extend", "update", "union"];

/// Methods and functions that look through all of what they are given.
const LOOKING: &[&str] = &["get", "setdefault", "pop", "index", "count", "remove", "add"];
const LOOKING_THROUGH: &[&str] = &["sorted", "dict", "tuple", "set", "hash"];

/// The operators that are ours: bounded, and aware of quantities.
const NATIVES: &[(&str, &str)] = &[
    ("+", "_add"),
    ("-", "_subtract"),
    ("*", "_multiply"),
    ("/", "_divide"),
    ("//", "_floor_divide"),
    ("%", "_percent"),
    ("<<", "_shift"),
    ("==", "_equal"),
    ("!=", "_unequal"),
    ("<", "_less"),
    (">", "_greater"),
    ("<=", "_at_most"),
    (">=", "_at_least"),
    ("in", "_in"),
    ("not in", "_not_in"),
];

/// A file as it was written, parsed.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) path: String,
    pub(crate) ast: AstModule,
    code: CodeMap,
    edits: Edits,
    edited: String,
}

/// Parses a file.
pub(crate) fn parse(path: &str, text: &str) -> Result<Parsed, Mistake> {
    let start = Place { file: path.to_owned(), line: 1, column: 1, length: 1 };
    if text.len() > LONGEST_FILE {
        return Err(Mistake::new(start, "the file is too long: at most 1 MB"));
    }
    let code = CodeMap::new(path.to_owned(), text.to_owned());
    let brackets = Brackets::new(text, DEEPEST);
    if let Some(offset) = brackets.too_deep.or_else(|| too_far_in(text)) {
        return Err(Mistake::new(place(&code, offset, offset + 1), "this is nested too deep"));
    }
    let ast = AstModule::parse(path, text.to_owned(), &DIALECT).map_err(|error| {
        let span = error.span().map(|span| span.span);
        let mut mistake = Failure::new(&error, &Places::default()).mistake(path);
        if let Some(span) = span {
            mistake.place = place(&code, span.begin().get() as usize, span.end().get() as usize);
        }
        mistake
    })?;
    let mut bounding = Bounding { text, brackets, edits: Edits::default(), kept: None };
    bounding.statement(ast.statement());
    if let Some(method) = bounding.kept {
        let Range { start, end } = range(method.span);
        let mistake = Mistake::new(
            place(&code, start, end),
            format!("`.{}` must be called where it stands", method.node),
        );
        return Err(mistake.help(format!(".{}(...)", method.node)));
    }
    let mut edits = bounding.edits;
    let edited = edits.apply(text);
    Ok(Parsed { path: path.to_owned(), ast, code, edits, edited })
}

impl Parsed {
    /// The file's text.
    pub(crate) fn text(&self) -> &str {
        self.code.source()
    }

    /// What the file loads, and where it says so.
    pub(crate) fn loads(&self) -> Vec<(String, Place)> {
        self.ast.loads().iter().map(|load| (load.module_id.to_owned(), self.place(load.span.span))).collect()
    }

    /// The file with its growth bounded, to be evaluated.
    pub(crate) fn bounded(&self) -> starlark::Result<AstModule> {
        let mut ast = AstModule::parse(&self.path, self.edited.clone(), &DIALECT)?;
        let natives: HashMap<String, String> =
            NATIVES.iter().map(|(operator, native)| ((*operator).to_owned(), (*native).to_owned())).collect();
        ast.replace_binary_operators(&natives);
        Ok(ast)
    }

    /// Where a span of the file's own text is.
    pub(crate) fn place(&self, span: Span) -> Place {
        place(&self.code, span.begin().get() as usize, span.end().get() as usize)
    }

    /// Where a span of the text that was evaluated is in the file's own.
    pub(crate) fn evaluated_place(&self, span: Span) -> Place {
        let begin = self.edits.origin(span.begin().get() as usize);
        let end = self.edits.origin(span.end().get() as usize);
        place(&self.code, begin, end)
    }

    /// Whether a place in this file has a span of it inside.
    pub(crate) fn encloses(&self, outer: &Place, span: Span) -> bool {
        let inner = self.place(span);
        let Some((start, end)) = self.bytes(outer) else { return false };
        outer.file == inner.file && start <= span.begin().get() as usize && span.end().get() as usize <= end
    }

    /// The bytes of a place.
    fn bytes(&self, place: &Place) -> Option<(usize, usize)> {
        let line = self.code.line_span_opt((place.line as usize).checked_sub(1)?)?;
        let text = self.text();
        let from = line.begin().get() as usize;
        let skip: usize = text[from..].chars().take(place.column as usize - 1).map(char::len_utf8).sum();
        let start = from + skip;
        let length: usize = text[start..].chars().take(place.length as usize).map(char::len_utf8).sum();
        Some((start, start + length))
    }

    /// Where `words` first stand within the place.
    pub(crate) fn within(&self, outer: &Place, words: &str) -> Option<Place> {
        let (start, end) = self.bytes(outer)?;
        let text = &self.text()[start..end];
        let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
        let is_word = |at: &usize| {
            let before = text[..*at].chars().next_back().is_some_and(is_letter);
            let after = text[at + words.len()..].chars().next().is_some_and(is_letter);
            !(before && words.starts_with(is_letter) || after && words.ends_with(is_letter))
        };
        let found = start + text.match_indices(words).map(|(at, _)| at).find(is_word)?;
        Some(place(&self.code, found, found + words.len()))
    }
}

fn place(code: &CodeMap, begin: usize, end: usize) -> Place {
    let text = code.source();
    let begin = floor(text, begin.min(text.len()));
    let end = floor(text, end.clamp(begin, text.len()));
    let before = &text[..begin];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        file: code.filename().to_owned(),
        line: before.matches('\n').count() as u32 + 1,
        column: text[line_start..begin].chars().count() as u32 + 1,
        length: text[begin..end].chars().count().max(1) as u32,
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Where a line is indented, or one of too many `elif`, deeper than the parser's recursion should have to follow.
fn too_far_in(text: &str) -> Option<usize> {
    let (mut offset, mut branches) = (0, 0);
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        branches += usize::from(line.trim_start().starts_with("elif"));
        if indent > 8 * DEEPEST || branches > MOST_BRANCHES {
            return Some(offset);
        }
        offset += line.len();
    }
    None
}

/// The edits that bound what a file may make.
struct Bounding<'a> {
    text: &'a str,
    brackets: Brackets,
    edits: Edits,
    /// A method that is named without being called, which can't be bounded.
    kept: Option<Spanned<String>>,
}

impl Bounding<'_> {
    fn statement(&mut self, statement: &AstStmt) {
        let grow = match &statement.node {
            StmtP::AssignModify(_, AssignOp::Add, _) => "_grow",
            StmtP::AssignModify(_, AssignOp::Multiply, _) => "_grow_times",
            StmtP::AssignModify(_, AssignOp::LeftShift, _) => "_grow_shift",
            _ => return self.children(statement),
        };
        if let StmtP::AssignModify(target, _, value) = &statement.node {
            let target = &self.text[range(target.span)];
            let Range { start, end } = range(value.span);
            self.edits.insert(start, format!("{grow}({target}, "));
            self.children(statement);
            self.edits.insert(end, ")");
        }
    }

    fn children(&mut self, statement: &AstStmt) {
        statement.node.visit_children(|child| match child {
            Visit::Stmt(child) => self.statement(child),
            Visit::Expr(child) => self.expression(child),
        });
    }

    fn expression(&mut self, expression: &AstExpr) {
        match &expression.node {
            ExprP::Call(function, arguments) => {
                if let ExprP::Dot(receiver, method) = &function.node
                    && GROWING.contains(&method.node.as_str())
                {
                    let after = &self.text[range(method.span).end..];
                    if after.trim_start().starts_with('(') {
                        return self.method(receiver, method, arguments);
                    }
                }
                let looks = match &function.node {
                    ExprP::Dot(_, method) => LOOKING.contains(&method.node.as_str()),
                    ExprP::Identifier(name) => LOOKING_THROUGH.contains(&name.node.ident.as_str()),
                    _ => false,
                };
                if looks {
                    self.expression(function);
                    for argument in &arguments.args {
                        match &argument.node {
                            ArgumentP::Positional(value) => self.small(value),
                            _ => self.expression(argument.expr()),
                        }
                    }
                    return;
                }
            }
            ExprP::Dot(_, method) if GROWING.contains(&method.node.as_str()) => {
                self.kept.get_or_insert_with(|| method.clone());
            }
            ExprP::Index(parts) => {
                self.expression(&parts.0);
                return self.small(&parts.1);
            }
            ExprP::Dict(entries) => {
                for (key, value) in entries {
                    self.small(key);
                    self.expression(value);
                }
                return;
            }
            ExprP::DictComprehension(entry, first, clauses) => {
                self.small(&entry.0);
                self.expression(&entry.1);
                self.expression(&first.over);
                for clause in clauses {
                    match clause {
                        ClauseP::For(each) => self.expression(&each.over),
                        ClauseP::If(condition) => self.expression(condition),
                    }
                }
                return;
            }
            ExprP::FString(format) => {
                let names: Vec<&str> = format
                    .expressions
                    .iter()
                    .filter_map(|name| match &name.node {
                        ExprP::Identifier(name) => Some(name.node.ident.as_str()),
                        _ => None,
                    })
                    .collect();
                let Range { start, end } = range(expression.span);
                self.edits.insert(start, format!("(_fits([{}]) and ", names.join(", ")));
                self.edits.insert(end, ")");
                return;
            }
            _ => {}
        }
        expression.node.visit_expr(|child| self.expression(child));
    }

    /// A value that is looked through, to be found or told apart: it must be small.
    fn small(&mut self, value: &AstExpr) {
        if matches!(value.node, ExprP::Literal(_) | ExprP::Lambda(_)) {
            return self.expression(value);
        }
        let Range { start, end } = range(value.span);
        let (start, end) = self.brackets.around(start, end);
        self.edits.insert(start, "_small(");
        self.expression(value);
        self.edits.insert(end, ")");
    }

    /// `a.join(b)` becomes `_method(a, "join", b)`.
    fn method(&mut self, receiver: &AstExpr, method: &Spanned<String>, arguments: &CallArgsP<AstNoPayload>) {
        let (of, name) = (range(receiver.span), range(method.span));
        let dot = self.text[..name.start].rfind('.').unwrap_or(name.start);
        let open = self.text[name.end..].find('(').map_or(name.end, |open| name.end + open);
        // The receiver's span may leave out the parentheses around it.
        let start = self.brackets.start(of.start, of.end, dot);
        self.edits.insert(start, "_method(");
        self.expression(receiver);
        self.edits.replace(dot, open + 1, format!(", \"{}\", ", method.node));
        arguments.args.iter().for_each(|argument| self.expression(argument.expr()));
    }
}

/// The bytes of a span.
fn range(span: Span) -> Range<usize> {
    span.begin().get() as usize..span.end().get() as usize
}
