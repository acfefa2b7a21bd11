//! A file that was read, and its text with every growth that has no bound of
//! its own replaced by one that has.

use std::collections::HashMap;

use starlark::codemap::{CodeMap, Span};
use starlark::syntax::ast::{ArgumentP, AssignOp, AstExpr, AstStmt, ExprP, StmtP};
use starlark::syntax::{AstModule, Dialect, DialectTypes};

use super::Places;
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

/// Methods whose results may be much longer than what they are given.
const GROWING: &[&str] = &["join", "replace", "format", "extend", "update", "union"];

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
    if let Some(offset) = too_deep(text) {
        return Err(Mistake::new(place(&code, offset, offset + 1), "brackets are nested too deep"));
    }
    let ast = AstModule::parse(path, text.to_owned(), &DIALECT).map_err(|error| {
        let span = error.span().map(|span| span.span);
        let mut mistake = Failure::new(&error, &Places::default()).mistake(path);
        if let Some(span) = span {
            mistake.place = place(&code, span.begin().get() as usize, span.end().get() as usize);
        }
        mistake
    })?;
    let mut edits = Edits::default();
    bound_statement(ast.statement(), text, &mut edits);
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

    /// Where `words` first stand within the place.
    pub(crate) fn within(&self, outer: &Place, words: &str) -> Option<Place> {
        let line = self.code.line_span_opt((outer.line as usize).checked_sub(1)?)?;
        let text = self.text();
        let from = line.begin().get() as usize;
        let skip: usize = text[from..].chars().take(outer.column as usize - 1).map(char::len_utf8).sum();
        let start = from + skip;
        let length: usize = text[start..].chars().take(outer.length as usize).map(char::len_utf8).sum();
        let found = start + text[start..start + length].find(words)?;
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

/// Where brackets, indentation or chains of operators nest deeper than the
/// parser's own recursion should have to follow.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut signs = 0usize;
    for (offset, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Without brackets, `not not not`, `- - -` and `a.b.c` recurse as well.
        signs = match letter {
            '\n' => 0,
            '-' | '+' | '~' | '.' | 't' | ':' | 'f' | 'e' => signs + 1,
            _ => signs,
        };
        if depth > DEEPEST || signs > 20 * DEEPEST {
            return Some(offset);
        }
    }
    let indents = text.lines().map(|line| line.len() - line.trim_start_matches([' ', '\t']).len());
    let mut offset = 0;
    for (line, indent) in text.split_inclusive('\n').zip(indents) {
        if indent > 8 * DEEPEST {
            return Some(offset);
        }
        offset += line.len();
    }
    None
}

fn bound_statement(statement: &AstStmt, text: &str, edits: &mut Edits) {
    if let StmtP::AssignModify(
        target,
        operation @ (AssignOp::Add | AssignOp::Multiply | AssignOp::LeftShift),
        value,
    ) = &statement.node
    {
        let grow = match operation {
            AssignOp::Add => "_grow",
            AssignOp::Multiply => "_grow_times",
            _ => "_grow_shift",
        };
        let target = &text[target.span.begin().get() as usize..target.span.end().get() as usize];
        edits.insert(value.span.begin().get() as usize, format!("{grow}({target}, "));
        bound_children(statement, text, edits);
        edits.insert(value.span.end().get() as usize, ")");
        return;
    }
    bound_children(statement, text, edits);
}

fn bound_children(statement: &AstStmt, text: &str, edits: &mut Edits) {
    statement.node.visit_children(|child| match child {
        starlark_syntax::syntax::uniplate::Visit::Stmt(child) => bound_statement(child, text, edits),
        starlark_syntax::syntax::uniplate::Visit::Expr(child) => bound_expression(child, text, edits),
    });
}

fn bound_expression(expression: &AstExpr, text: &str, edits: &mut Edits) {
    match &expression.node {
        ExprP::Call(function, arguments) => {
            if let ExprP::Dot(_, method) = &function.node {
                let name_begin = method.span.begin().get() as usize;
                let name_end = method.span.end().get() as usize;
                let dot = text[..name_begin].rfind('.');
                let open = text[name_end..].find('(').map(|open| name_end + open);
                if let (true, Some(dot), Some(open)) = (GROWING.contains(&method.node.as_str()), dot, open) {
                    edits.insert(function.span.begin().get() as usize, "_method(");
                    bound_expression(function, text, edits);
                    edits.replace(dot, open + 1, format!(", \"{}\", ", method.node));
                    for argument in &arguments.args {
                        let (ArgumentP::Positional(value)
                        | ArgumentP::Named(_, value)
                        | ArgumentP::Args(value)
                        | ArgumentP::KwArgs(value)) = &argument.node;
                        bound_expression(value, text, edits);
                    }
                    return;
                }
            }
            expression.node.visit_expr(|child| bound_expression(child, text, edits));
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
            edits.insert(
                expression.span.begin().get() as usize,
                format!("(_fits([{}]) and ", names.join(", ")),
            );
            edits.insert(expression.span.end().get() as usize, ")");
        }
        _ => expression.node.visit_expr(|child| bound_expression(child, text, edits)),
    }
}
