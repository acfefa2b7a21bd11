//! Changing a file's values, so that what a person wrote around them stays.

use toml_edit::{Array, Item, Key, Table, TableLike, Value};

use super::{Draft, Path};

/// A value as it is typed, and how it has to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In quotes.
    Text,
    /// A number where it is one, and else in quotes.
    Number,
    /// Several, with `;` between them.
    List,
}

impl Draft {
    /// Writes a value; an empty one takes the key away.
    pub(crate) fn set(&mut self, path: Path, form: Form, typed: &str) {
        let typed = typed.trim();
        if typed.is_empty() {
            return self.remove(path);
        }
        self.put(path, written(form, typed));
    }

    /// Writes a value as TOML has it, for `--set`; what isn't TOML is a text.
    pub(crate) fn set_raw(&mut self, path: Path, typed: &str) {
        self.put(path, typed.parse().unwrap_or_else(|_| Value::from(typed)));
    }

    pub(super) fn put(&mut self, path: Path, mut value: Value) {
        let Some((last, tables)) = path.split_last() else { return };
        let Some(table) = self.table(tables) else { return };
        match table.get_mut(last) {
            Some(Item::Value(old)) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            Some(item) => *item = Item::Value(value),
            None => _ = table.insert(last, Item::Value(value)),
        }
    }

    /// Takes a key away. A comment above it stays, above what follows.
    pub(crate) fn remove(&mut self, path: Path) {
        let Some((last, tables)) = path.split_last() else { return };
        if self.item(path).is_none() {
            return;
        }
        let Some(table) = self.table(tables) else { return };
        let names: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
        let next = names.iter().skip_while(|name| name != last).nth(1).cloned();
        let comment = table
            .key(last)
            .filter(|_| table.get(last).is_some_and(Item::is_value))
            .and_then(|key| key.leaf_decor().prefix()?.as_str().map(str::to_owned))
            .filter(|prefix| prefix.contains('#'));
        table.remove(last);
        if let (Some(comment), Some(mut key)) =
            (comment, next.as_deref().and_then(|next| table.key_mut(next)))
        {
            let decor = key.leaf_decor_mut();
            let own = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned();
            decor.set_prefix(comment + &own);
        }
    }

    /// The table at a path; made where it isn't there. `None` where something else is.
    fn table(&mut self, path: &[&str]) -> Option<&mut dyn TableLike> {
        let mut table: &mut dyn TableLike = self.document.as_table_mut();
        for (depth, key) in path.iter().enumerate() {
            if table.get(key).is_none_or(Item::is_none) {
                let mut new = Table::new();
                // A table that only has tables needs no line of its own.
                new.set_implicit(depth + 1 < path.len());
                new.decor_mut().set_prefix("\n");
                table.insert(key, Item::Table(new));
            }
            table = table.get_mut(key)?.as_table_like_mut()?;
        }
        Some(table)
    }

    /// Has the table at a path by another name, in its place, with its comments.
    pub(super) fn rename(&mut self, path: Path, to: &str) {
        let Some((from, tables)) = path.split_last() else { return };
        let Some(table) = self.table(tables) else { return };
        if table.get(to).is_some() {
            return;
        }
        let names: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
        // Taken out and put back in order, so that the others stay where they are.
        let taken: Vec<(String, Item)> =
            names.into_iter().filter_map(|name| table.remove(&name).map(|item| (name, item))).collect();
        for (name, item) in taken {
            let name = if name == *from { to } else { name.as_str() };
            table.insert(name, item);
        }
    }

    /// Takes the table `name` from another draft, in place of this one's.
    pub(super) fn take(&mut self, name: &str, from: &Draft) {
        match from.document.get(name) {
            Some(item) => _ = self.document.insert_formatted(&Key::new(name), item.clone()),
            None => _ = self.document.remove(name),
        }
    }
}

fn written(form: Form, typed: &str) -> Value {
    match form {
        Form::Text => Value::from(typed),
        Form::Number => match (typed.parse::<i64>(), typed.parse::<f64>()) {
            (Ok(whole), _) => Value::from(whole),
            (_, Ok(number)) if number.is_finite() => Value::from(number),
            _ => Value::from(typed),
        },
        Form::List => {
            let parts = typed.split(';').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.collect::<Array>())
        }
    }
}
