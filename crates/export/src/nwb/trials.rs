//! The trial table: `/intervals/trials`.

use hdf5::{Group, Result};

use super::object::{self, CORE, Objects};
use crate::Session;
use crate::table::Taken;
use crate::trials::{OWN, trials};

/// Names that a table of intervals has a meaning for, beside those of its own columns.
/// pynwb reads a column of such a name as something else.
#[rustfmt::skip]
const RESERVED: [&str; 26] = [
    "id", "start_time", "stop_time", "trial", "ending", "tags", "tags_index", "timeseries", "timeseries_index",
    "name", "description", "colnames", "columns", "meanings_tables", "namespace", "neurodata_type", "object_id",
    "data_type", "parent", "children", "fields", "modified", "read_io", "container_source", "all_children",
    "all_objects",
];

pub(super) fn write(objects: &Objects, intervals: &Group, session: &Session) -> Result<()> {
    let table = trials(session);
    // Programs stumble over a table of no rows.
    if table.len() == 0 {
        return Ok(());
    }
    let made = objects.group(intervals, "trials", "TimeIntervals", CORE)?;
    object::set_text(&made, "description", &table.doc)?;
    let mut taken = Taken::of(&RESERVED);
    let mut names = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        // The columns of the task come behind the table's own.
        let declared = place.checked_sub(OWN).and_then(|place| session.start.columns.get(place));
        let name = match (column.name.as_str(), declared) {
            ("start_s", None) => "start_time".to_owned(),
            ("end_s", None) => "stop_time".to_owned(),
            (name, None) => name.to_owned(),
            (_, Some(declared)) => taken.free(&object::free(&made, &declared.name)),
        };
        let added = objects.column(&made, &name, column, declared.is_some())?;
        // What says of a column where it is missing has a name that is taken too.
        added.iter().skip(1).for_each(|name| drop(taken.free(name)));
        names.extend(added);
    }
    objects.finish(&made, &names, table.len())
}
