//! Plots.

use bramble_value::ValueType;
use starlark::values::Value;

use super::literal::{items, literal};
use super::{Lowering, shown};
use crate::definition::{ColumnId, Plot, PlotKind};
use crate::language::{Part, Verb};
use crate::sandbox::Problem;

impl<'v> Lowering<'_, 'v> {
    /// The plots of `task(plot = ...)`.
    pub(crate) fn plots(&mut self, value: Value<'v>) -> Vec<Plot> {
        match items(value) {
            Some(items) => items.iter().filter_map(|item| self.plot(*item)).collect(),
            None => self.plot(value).into_iter().collect(),
        }
    }

    fn plot(&mut self, value: Value<'v>) -> Option<Plot> {
        let kind = Part::whole(value).and_then(|part| {
            let kind = match part.verb() {
                Verb::Points => PlotKind::Points,
                Verb::Line => PlotKind::Line,
                Verb::RollingMean => PlotKind::RollingMean,
                Verb::Spans => PlotKind::Spans,
                Verb::Psychometric => PlotKind::Psychometric,
                _ => return None,
            };
            Some((part, kind))
        });
        let Some((part, kind)) = kind else {
            let problem = Problem::new(format!("{} is not a plot", shown(value)));
            return self.wrong(problem.help("plots are points, line, rolling_mean, spans and psychometric"));
        };
        self.at(part, |this| {
            let named = ["column", "stimulus", "response"].into_iter().filter_map(|name| part.arg(name));
            let columns: Vec<Value<'v>> = part.rest().iter().copied().chain(named).collect();
            if columns.is_empty() {
                return this.wrong(Problem::new(format!("`{}` of no column", part.said.word.name)));
            }
            let columns: Vec<Option<ColumnId>> =
                columns.into_iter().map(|column| this.plotted(column)).collect();
            let columns: Vec<ColumnId> = columns.into_iter().collect::<Option<_>>()?;
            let shared = *columns.last()?;
            let of = match part.arg("of") {
                None => None,
                Some(of) => match literal(&this.task.columns[shared.index()].kind, of, false) {
                    Ok(of) => Some(of),
                    Err(problem) => return this.wrong_value(problem, of),
                },
            };
            let column = &this.task.columns[shared.index()];
            let needs_of = matches!(kind, PlotKind::RollingMean | PlotKind::Spans)
                && of.is_none()
                && matches!(column.kind, ValueType::Choice(_));
            if needs_of {
                let first = column.kind.choices().first().map_or("", |name| name.as_str());
                let problem = Problem::new(format!(
                    "the mean of `{}`, a choice, is of which of its values?",
                    column.name
                ));
                return this.wrong(problem.help(format!("of = \"{first}\"")));
            }
            let window = match part.arg("window") {
                None => (kind == PlotKind::RollingMean).then_some(20),
                Some(window) => match window.unpack_i32().filter(|window| *window > 0) {
                    Some(window) => Some(window as u32),
                    None => {
                        return this
                            .wrong_value(Problem::new("`window` is a number of trials, 1 or more"), window);
                    }
                },
            };
            Some(Plot { kind, columns, of, window })
        })
    }

    fn plotted(&mut self, value: Value<'v>) -> Option<ColumnId> {
        match Part::whole(value).filter(|part| part.verb() == Verb::Column) {
            Some(part) => Some(ColumnId(part.said.id)),
            None => {
                let problem = Problem::new(format!("{} is not a column", shown(value)));
                self.wrong_value(problem.help("a plot is of columns: points(target)"), value)
            }
        }
    }
}
