//! An agent's configuration while it is being made: a text with its comments, of which
//! single values are changed, and what is wrong with it.

mod check;
mod device;
mod edit;
mod template;

use bramble_identity::Role;
use bramble_rig::RigConfig;
use toml_edit::{DocumentMut, Item, TableLike, Value};

pub(crate) use check::Problem;
pub(crate) use device::{Device, KINDS, Pinned};
pub(crate) use edit::Form;
pub(crate) use template::Template;

/// A configuration of one role.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    role: Role,
    document: DocumentMut,
}

/// A key, from the root of the file on.
pub(crate) type Path<'a> = &'a [&'a str];

impl Draft {
    /// The draft of a text.
    ///
    /// # Errors
    /// What is wrong, and where, if the text isn't TOML.
    pub(crate) fn read(role: Role, text: &str) -> Result<Draft, Problem> {
        match text.parse() {
            Ok(document) => Ok(Draft { role, document }),
            Err(_) => Err(check::problems(role, text).into_iter().next().unwrap_or_default()),
        }
    }

    /// What the file is of.
    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// The text, as it would be written.
    pub(crate) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Everything that is wrong with it.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        check::problems(self.role, &self.text())
    }

    /// The rig, where it has one in which nothing is wrong.
    pub(crate) fn rig(&self) -> Option<RigConfig> {
        check::rig(self.role, &self.text())
    }

    fn item(&self, path: Path) -> Option<&Item> {
        let (last, tables) = path.split_last()?;
        let table = tables.iter().try_fold(self.document.as_table() as &dyn TableLike, |table, key| {
            table.get(key).and_then(Item::as_table_like)
        })?;
        table.get(last).filter(|item| !item.is_none())
    }

    /// What is written at a key, as a person would write it; `None` where nothing is.
    pub(crate) fn get(&self, path: Path) -> Option<String> {
        Some(shown(self.item(path)?.as_value()?))
    }

    /// The names in a table, in the order of the file.
    pub(crate) fn names(&self, path: Path) -> Vec<String> {
        let table = self.item(path).and_then(Item::as_table_like);
        table.map(|table| table.iter().map(|(key, _)| key.to_owned()).collect()).unwrap_or_default()
    }

    /// Does something to a copy, and becomes it where that makes nothing worse.
    ///
    /// # Errors
    /// What would be wrong then, and the draft stays as it was.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Draft)) -> Result<(), Vec<Problem>> {
        let mut changed = self.clone();
        change(&mut changed);
        let new = changed.worse_than(self);
        if new.is_empty() {
            *self = changed;
            return Ok(());
        }
        Err(new)
    }

    /// What is wrong here and wasn't in the draft before. A file in which something was
    /// wrong may show the next mistake when one is corrected.
    pub(crate) fn worse_than(&self, before: &Draft) -> Vec<Problem> {
        let (now, then) = (self.problems(), before.problems());
        let is_no_more = now.len() <= then.len();
        let mut new: Vec<Problem> = now;
        new.retain(|one| !then.iter().any(|other| other.message == one.message));
        if is_no_more && !new.iter().any(|one| self.has_changed(before, one)) {
            new.clear();
        }
        new
    }

    /// Whether what a problem is about reads otherwise than before.
    fn has_changed(&self, before: &Draft, problem: &Problem) -> bool {
        let line = |draft: &Draft| {
            let text = draft.text();
            let end =
                text[problem.start.min(text.len())..].find('\n').map_or(text.len(), |at| problem.start + at);
            let start = text[..problem.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
            text.get(start..end).unwrap_or_default().to_owned()
        };
        !before.text().lines().any(|old| old == line(self))
    }
}

/// A value as a person types it: a text without its quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.value().clone(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join("; "),
        other => other.clone().decorated("", "").to_string(),
    }
}

#[cfg(test)]
mod tests;
