//! A compound dataset called `table` inside a group of its own, which PyTables,
//! pandas and h5py open with no help.
//!
//! While rows are added they are not compressed. A compressed chunk changes its size with
//! every row and moves; killed in between, HDF5 leaves an index that points at the
//! place it moved from, and rows that were there long before are gone (1 of 20
//! kills amid constant writing; none of 600 where chunks stay where they are).
//! A table that gets no more rows is packed, once, in a copy of another file.

use hdf5::{Dataset, Group};

use super::attribute;
use super::bytes::{self, Part};
use super::layout::{Cursor, Field, Layout, Rows};
use super::within;
use crate::error::{Doing, Fault};

/// How many rows of a table of events are stored together.
pub(crate) const MANY: usize = 1024;
/// How many rows of any smaller table are.
pub(crate) const FEW: usize = 64;
/// How many rows of a packed table are compressed together, at most.
const PACKED: usize = 16_384;
/// How hard it is tried: of an hour's events this takes 10 ms, and the hardest, which takes
/// ten times as long, saves a twentieth more.
pub(crate) const EFFORT: u8 = 4;
/// How many bytes of a text of any length stand in a table itself.
pub(crate) const TEXT_WIDTH: usize = 256;
/// How many bytes any moment on the calendar takes.
pub(crate) const TIME_WIDTH: usize = 40;

/// How a table's rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Compressed: it gets no more.
    Packed,
    /// Each at a place that stays.
    Growing,
}

/// A table on its way to another file.
#[derive(Debug)]
pub(crate) struct Copied {
    name: &'static str,
    layout: Layout,
    bytes: Vec<u8>,
    rows: usize,
    /// How many rows are stored together while it grows.
    room: usize,
    is_diary: bool,
}

impl Copied {
    /// Makes `parent/name/table` with its rows.
    pub(crate) fn put(&self, parent: &Group, keep: Keep) -> Result<(), Fault> {
        let Copied { name, layout, bytes, rows, room, is_diary } = self;
        let element = layout.descriptor();
        let put = || -> hdf5::Result<Dataset> {
            let builder = parent.create_group(name)?.new_dataset_builder();
            let builder = match keep {
                Keep::Packed => builder.chunk((*rows).clamp(1, PACKED)).shuffle().deflate(EFFORT),
                Keep::Growing => builder.chunk(*room),
            };
            let made = builder.empty_as(&element).shape(0..).create("table")?;
            if *rows > 0 {
                made.resize(*rows)?;
                bytes::write(&made, &element, Part::Rows(0..*rows), bytes)?;
            }
            Ok(made)
        };
        let made = put().doing(|| format!("make {}/table in", within(parent, name)))?;
        for field in &layout.fields {
            attribute::set_text(&made, &format!("doc.{}", field.name), &field.doc)?;
        }
        if *is_diary { attribute::set_numbers(&made, ROWS, &[*rows as u64]) } else { Ok(()) }
    }
}

/// A table whose owner knows how many of its rows count.
#[derive(Debug)]
pub(crate) struct Table {
    dataset: Dataset,
    pub(crate) layout: Layout,
}

/// A table that grows by itself: it keeps the number of its rows in an
/// attribute, written only when the rows are there, so that half a row that a
/// crash left behind is never read.
#[derive(Debug)]
pub(crate) struct Diary {
    table: Table,
    rows: usize,
}

impl Table {
    /// Makes `parent/name/table` with no rows.
    pub(crate) fn create(
        parent: &Group,
        name: &str,
        chunk: usize,
        fields: Vec<Field>,
    ) -> Result<Table, Fault> {
        let layout = Layout::new(fields);
        let create = || -> hdf5::Result<Dataset> {
            let dataset = parent
                .create_group(name)?
                .new_dataset_builder()
                .chunk(chunk)
                .empty_as(layout.descriptor())
                .shape(0..)
                .create("table")?;
            Ok(dataset)
        };
        let dataset = create().doing(|| format!("make {}/table in", within(parent, name)))?;
        for field in &layout.fields {
            attribute::set_text(&dataset, &format!("doc.{}", field.name), &field.doc)?;
        }
        Ok(Table { dataset, layout })
    }

    /// Opens `parent/name/table`, which must have these fields.
    pub(crate) fn open(parent: &Group, name: &str, fields: Vec<Field>) -> Result<Table, Fault> {
        let open = || -> hdf5::Result<_> {
            let dataset = parent.group(name)?.dataset("table")?;
            let stored = dataset.dtype()?.to_descriptor()?;
            Ok((dataset, stored))
        };
        let (dataset, stored) = open().doing(|| format!("open {}/table in", within(parent, name)))?;
        let layout = Layout::new(fields)
            .fitted_to(&stored)
            .map_err(|what| Fault::Damaged(format!("{}: {what}", dataset.name())))?;
        Ok(Table { dataset, layout })
    }

    /// Its first `rows` rows, of which `room` are to be stored together while it grows.
    pub(crate) fn copy(&self, name: &'static str, rows: usize, room: usize) -> Result<Copied, Fault> {
        let bytes = self.bytes(0, rows)?;
        Ok(Copied { name, layout: self.layout.clone(), bytes, rows, room, is_diary: false })
    }

    /// How many rows there are, those included that do not count.
    pub(crate) fn len(&self) -> usize {
        self.dataset.size()
    }

    /// Forgets the rows from `rows` on.
    pub(crate) fn truncate(&self, rows: usize) -> Result<(), Fault> {
        if self.len() <= rows {
            return Ok(());
        }
        self.dataset.resize(rows).doing(|| format!("cut {} in", self.dataset.name()))
    }

    /// Puts `rows` behind the first `start` rows, over any that are there.
    pub(crate) fn write(&self, start: usize, rows: &Rows<'_>) -> Result<(), Fault> {
        let end = start + rows.count();
        if start == end {
            return Ok(());
        }
        let write = || -> hdf5::Result<()> {
            if self.dataset.size() != end {
                self.dataset.resize(end)?;
            }
            bytes::write(&self.dataset, &self.layout.descriptor(), Part::Rows(start..end), rows.bytes())
        };
        write().doing(|| format!("write to {} in", self.dataset.name()))
    }

    /// What `each` makes of the rows from `start` to before `end`.
    pub(crate) fn read<T>(
        &self,
        start: usize,
        end: usize,
        mut each: impl FnMut(Cursor<'_>) -> T,
    ) -> Result<Vec<T>, Fault> {
        let bytes = self.bytes(start, end)?;
        Ok(self.layout.cursors(&bytes).map(&mut each).collect())
    }

    /// The rows from `start` to before `end`, as they lie in the table.
    fn bytes(&self, start: usize, end: usize) -> Result<Vec<u8>, Fault> {
        if end > self.len() {
            return Err(Fault::Damaged(format!(
                "{} has {} rows where {end} were written",
                self.dataset.name(),
                self.len()
            )));
        }
        bytes::read(&self.dataset, &self.layout.descriptor(), Part::Rows(start..end))
            .doing(|| format!("read {} in", self.dataset.name()))
    }
}

const ROWS: &str = "rows";

impl Diary {
    /// Makes `parent/name/table` with no rows, and room for so many at a time.
    pub(crate) fn create(
        parent: &Group,
        name: &str,
        room: usize,
        fields: Vec<Field>,
    ) -> Result<Diary, Fault> {
        let table = Table::create(parent, name, room, fields)?;
        attribute::set_numbers(&table.dataset, ROWS, &[0])?;
        Ok(Diary { table, rows: 0 })
    }

    /// Opens `parent/name/table`.
    pub(crate) fn open(parent: &Group, name: &str, fields: Vec<Field>) -> Result<Diary, Fault> {
        let table = Table::open(parent, name, fields)?;
        let [rows] = attribute::numbers(&table.dataset, ROWS)?;
        Ok(Diary { table, rows: rows as usize })
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.table.layout
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// All of it, of which `room` rows are to be stored together while it grows.
    pub(crate) fn copy(&self, name: &'static str, room: usize) -> Result<Copied, Fault> {
        let copied = self.table.copy(name, self.rows, room)?;
        Ok(Copied { is_diary: true, ..copied })
    }

    /// Adds rows, durably against a kill of this process.
    pub(crate) fn append(&mut self, rows: &Rows<'_>) -> Result<(), Fault> {
        self.table.write(self.rows, rows)?;
        let flush = || self.table.dataset.file()?.flush();
        flush().doing(|| "write".to_owned())?;
        let end = self.rows + rows.count();
        attribute::set_numbers(&self.table.dataset, ROWS, &[end as u64])?;
        flush().doing(|| "write".to_owned())?;
        self.rows = end;
        Ok(())
    }

    /// Whether a crash left rows behind those that count.
    pub(crate) fn is_longer(&self) -> bool {
        self.table.len() > self.rows
    }

    /// Forgets the rows that a crash left behind those that count.
    pub(crate) fn truncate(&self) -> Result<(), Fault> {
        self.table.truncate(self.rows)
    }

    /// What `each` makes of all rows.
    pub(crate) fn read<T>(&self, each: impl FnMut(Cursor<'_>) -> T) -> Result<Vec<T>, Fault> {
        self.table.read(0, self.rows, each)
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::FieldType;
    use super::*;

    #[test]
    fn a_table_is_read_and_written_by_a_bramble_that_knows_a_field_more_or_less() {
        let folder = tempfile::tempdir().unwrap();
        let file = hdf5::File::create(folder.path().join("file.h5")).unwrap();
        let before = || vec![Field::new("first", FieldType::I64, "")];
        let now = || [before(), vec![Field::later("second", FieldType::I64, "")]].concat();
        let mut old = Diary::create(&file, "old", FEW, before()).unwrap();
        let mut new = Diary::create(&file, "new", FEW, now()).unwrap();
        old.append(old.layout().clone().rows().i64(1)).unwrap();
        new.append(new.layout().clone().rows().i64(1).i64(2)).unwrap();

        let mut old = Diary::open(&file, "old", now()).unwrap();
        old.append(old.layout().clone().rows().i64(3).i64(4)).unwrap();
        assert_eq!(old.read(|mut row| (row.i64(), row.i64())).unwrap(), [(1, 0), (3, 0)]);

        let mut new = Diary::open(&file, "new", before()).unwrap();
        new.append(new.layout().clone().rows().i64(3)).unwrap();
        assert_eq!(new.read(|mut row| row.i64()).unwrap(), [1, 3]);
        let new = Diary::open(&file, "new", now()).unwrap();
        assert_eq!(new.read(|mut row| (row.i64(), row.i64())).unwrap(), [(1, 2), (3, 0)]);
    }
}
