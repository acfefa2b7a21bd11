//! A table of any session, before it is written in any form.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

/// A table: columns of the same number of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// Its name, which is also its file's: `trials`.
    pub(crate) name: &'static str,
    /// What a row is.
    pub(crate) doc: String,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// The unit of its values; empty where they have none.
    pub(crate) unit: String,
    /// What it is; never empty.
    pub(crate) doc: String,
    /// Its values, from the first row on.
    pub(crate) values: Values,
}

/// The values of a column; `None` is missing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    /// True or false.
    Booleans(Vec<Option<bool>>),
    /// Whole numbers.
    Integers(Vec<Option<i64>>),
    /// Finite numbers.
    Numbers(Vec<Option<f64>>),
    /// Names of which there are few.
    Names(Names),
    /// Texts of any kind.
    Texts(Vec<Option<String>>),
    /// Moments on the calendar.
    Moments(Vec<Option<Timestamp>>),
}

/// Names, each of them held once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Names {
    /// The names.
    pub(crate) names: Arc<[String]>,
    /// For each row the place of its name. Each is less than the number of names.
    pub(crate) places: Vec<Option<u32>>,
    /// Whether no other name is possible.
    pub(crate) only: bool,
}

impl Names {
    /// The names of all rows.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.places.iter().map(|place| place.map(|place| self.names[place as usize].as_str()))
    }
}

impl Table {
    /// How many rows it has.
    pub(crate) fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
}

impl Column {
    pub(crate) fn new(name: &str, unit: &str, doc: &str, values: Values) -> Column {
        let doc = if doc.trim().is_empty() { format!("the column {name}") } else { doc.to_owned() };
        Column { name: name.to_owned(), unit: unit.to_owned(), doc, values }
    }

    /// What it is, with its unit.
    pub(crate) fn described(&self) -> String {
        match self.unit.as_str() {
            "" => self.doc.clone(),
            unit => format!("{} [{unit}]", self.doc),
        }
    }
}

impl Values {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Booleans(values) => values.len(),
            Values::Integers(values) => values.len(),
            Values::Numbers(values) => values.len(),
            Values::Names(names) => names.places.len(),
            Values::Texts(values) => values.len(),
            Values::Moments(values) => values.len(),
        }
    }
}

/// Collects names that come again and again.
#[derive(Debug, Default)]
pub(crate) struct NamesBuilder {
    names: Vec<String>,
    known: std::collections::HashMap<String, u32>,
    places: Vec<Option<u32>>,
}

impl NamesBuilder {
    pub(crate) fn push(&mut self, name: Option<&str>) {
        let place = name.map(|name| match self.known.get(name) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(name.to_owned());
                self.known.insert(name.to_owned(), place);
                place
            }
        });
        self.places.push(place);
    }

    pub(crate) fn values(self) -> Values {
        Values::Names(Names { names: self.names.into(), places: self.places, only: false })
    }
}

/// Gives each name away once. A name that is taken gets a `_` behind it. Upper
/// and lower case are the same here, since they are to DuckDB and to Spark.
#[derive(Debug, Default)]
pub(crate) struct Taken(BTreeSet<String>);

impl Taken {
    pub(crate) fn of(names: &[&str]) -> Taken {
        Taken(names.iter().map(|name| name.to_lowercase()).collect())
    }

    pub(crate) fn free(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while !self.0.insert(name.to_lowercase()) {
            name.push('_');
        }
        name
    }
}
