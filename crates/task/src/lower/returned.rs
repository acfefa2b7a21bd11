//! What a function returned while a session runs.

use starlark::values::{Heap, Value};

use super::literal::literal;
use super::{Lowering, shown};
use crate::call::{Purpose, Returned, Wanted};
use crate::definition::ColumnId;
use crate::language::{Part, Seen, Verb};
use crate::sandbox::Problem;
use starlark::values::dict::DictRef;

impl<'v> Lowering<'_, 'v> {
    /// The result that a call's purpose asks for.
    pub(crate) fn returned(
        &mut self,
        purpose: Purpose,
        value: Value<'v>,
        seen: &Seen,
        heap: Heap<'v>,
    ) -> Option<Returned> {
        match purpose {
            Purpose::Prepare => self.columns(value, seen, heap).map(Returned::Columns),
            Purpose::Test => match seen.known(value, heap).ok().and_then(Value::unpack_bool) {
                Some(flag) => Some(Returned::Test(flag)),
                None => {
                    self.wrong(Problem::new(format!("it must return True or False, not {}", shown(value))))
                }
            },
            Purpose::Carry(column) if value.is_none() => {
                let _ = column;
                Some(Returned::Value(None))
            }
            Purpose::Carry(column) => {
                self.literal(value, Wanted::Column(column)).map(|value| Returned::Value(Some(value)))
            }
            Purpose::Actions => Some(Returned::Actions(self.actions(value, "enter"))),
            Purpose::Response => Some(Returned::Response(self.response(value))),
            Purpose::Handlers => Some(Returned::Handlers(self.listed_handlers(value))),
            Purpose::Value(wanted) => self.value(value, wanted, seen, heap),
        }
    }

    fn value(&mut self, value: Value<'v>, wanted: Wanted, seen: &Seen, heap: Heap<'v>) -> Option<Returned> {
        if value.is_none() {
            return Some(Returned::Value(None));
        }
        let part = Part::whole(value);
        if let Some(part) =
            part.filter(|part| matches!(part.verb(), Verb::Uniform | Verb::Normal | Verb::Exponential))
        {
            return self.draw(part, wanted).map(Returned::Draw);
        }
        let known = match seen.known(value, heap) {
            Ok(known) => known,
            Err(problem) => return self.wrong(problem),
        };
        match (wanted, self.literal(known, wanted)?) {
            (Wanted::Port(_), bramble_value::Value::Choice(place)) => Some(Returned::Port(place)),
            (_, value) => Some(Returned::Value(Some(value))),
        }
    }

    /// The columns that `prepare` returned.
    fn columns(
        &mut self,
        value: Value<'v>,
        seen: &Seen,
        heap: Heap<'v>,
    ) -> Option<Vec<(ColumnId, Option<bramble_value::Value>)>> {
        if value.is_none() {
            return Some(Vec::new());
        }
        let Some(dict) = DictRef::from_value(value) else {
            let problem = Problem::new(format!("`prepare` must return columns, not {}", shown(value)));
            return self.wrong(problem.help("{\"target\": \"left\"}"));
        };
        let mut columns = Vec::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            let column = match (key.unpack_str(), Part::whole(key)) {
                (Some(name), _) => self.column_named(name)?,
                (None, Some(part)) if part.verb() == Verb::Column => ColumnId(part.said.id),
                _ => return self.wrong(Problem::new(format!("{} is not the name of a column", shown(key)))),
            };
            let value = match seen.known(value, heap) {
                Ok(value) if value.is_none() => None,
                Ok(value) => match literal(&self.task.columns[column.index()].kind, value, true) {
                    Ok(value) => Some(value),
                    Err(problem) => {
                        let name = &self.task.columns[column.index()].name;
                        let message = format!("column `{name}`: {}", problem.message);
                        return self.wrong(Problem { message, ..problem });
                    }
                },
                Err(problem) => return self.wrong(problem.help("draw it: trial.random.draw(...)")),
            };
            columns.push((column, value));
        }
        Some(columns)
    }
}
