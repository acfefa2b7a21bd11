//! What a row is made of, and rows as bytes.

use hdf5::types::{CompoundField, CompoundType, FloatSize, IntSize, TypeDescriptor};

/// The type of one field of a table. Only those that PyTables, pandas and h5py
/// all open: no variable length, no nesting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    I64,
    U32,
    U16,
    U8,
    F64,
    Boolean,
    /// UTF-8, at most this many bytes, filled up with zeros.
    Text(usize),
}

/// One field of a table.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: FieldType,
    /// What it is and its unit, for people.
    pub(crate) doc: String,
    /// Tables of before there was such a field don't have it, and read as 0.
    pub(crate) later: bool,
}

/// The fields of a table, one after the other without gaps.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) fields: Vec<Field>,
}

/// Rows as they lie in a table.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    layout: &'a Layout,
    bytes: Vec<u8>,
    /// The field that is written next.
    next: usize,
}

/// Takes the fields of one row, in their order.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    fields: std::slice::Iter<'a, Field>,
    bytes: &'a [u8],
}

impl FieldType {
    pub(crate) fn size(self) -> usize {
        self.descriptor().size()
    }

    fn descriptor(self) -> TypeDescriptor {
        match self {
            FieldType::I64 => TypeDescriptor::Integer(IntSize::U8),
            FieldType::U32 => TypeDescriptor::Unsigned(IntSize::U4),
            FieldType::U16 => TypeDescriptor::Unsigned(IntSize::U2),
            FieldType::U8 => TypeDescriptor::Unsigned(IntSize::U1),
            FieldType::F64 => TypeDescriptor::Float(FloatSize::U8),
            FieldType::Boolean => TypeDescriptor::Boolean,
            FieldType::Text(width) => TypeDescriptor::FixedUnicode(width),
        }
    }
}

impl Field {
    pub(crate) fn new(name: &str, kind: FieldType, doc: &str) -> Field {
        Field { name: name.to_owned(), kind, doc: doc.to_owned(), later: false }
    }

    /// A number that tables didn't have at first: HDF5 goes by the names, and
    /// leaves out what only one side has.
    pub(crate) fn later(name: &str, kind: FieldType, doc: &str) -> Field {
        Field { later: true, ..Field::new(name, kind, doc) }
    }
}

impl Layout {
    pub(crate) fn new(fields: Vec<Field>) -> Layout {
        Layout { fields }
    }

    pub(crate) fn row_size(&self) -> usize {
        self.fields.iter().map(|field| field.kind.size()).sum()
    }

    pub(crate) fn descriptor(&self) -> TypeDescriptor {
        let mut offset = 0;
        let fields = self
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let placed = CompoundField::new(&field.name, field.kind.descriptor(), offset, index);
                offset += field.kind.size();
                placed
            })
            .collect();
        TypeDescriptor::Compound(CompoundType { fields, size: offset })
    }

    /// This layout with the text widths of a table that was written before, or
    /// what differs beyond those.
    pub(crate) fn fitted_to(mut self, stored: &TypeDescriptor) -> Result<Layout, String> {
        let TypeDescriptor::Compound(stored) = stored else { return Err("it is not a table".to_owned()) };
        for field in &mut self.fields {
            let Some(found) = stored.fields.iter().find(|found| found.name == field.name) else {
                if field.later {
                    continue;
                }
                return Err(format!("it has no field `{}`", field.name));
            };
            match (&mut field.kind, &found.ty) {
                (FieldType::Text(width), TypeDescriptor::FixedUnicode(size)) => *width = *size,
                (kind, ty) if kind.descriptor() == *ty => {}
                (_, ty) => return Err(format!("its field `{}` is a {ty}", field.name)),
            }
        }
        Ok(self)
    }

    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows { layout: self, bytes: Vec::new(), next: 0 }
    }

    /// The rows of `bytes`.
    pub(crate) fn cursors<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Cursor<'a>> {
        bytes.chunks_exact(self.row_size()).map(|row| Cursor { fields: self.fields.iter(), bytes: row })
    }
}

impl Rows<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn count(&self) -> usize {
        self.bytes.len() / self.layout.row_size()
    }

    pub(crate) fn i64(&mut self, value: i64) -> &mut Self {
        self.put(FieldType::I64, &value.to_ne_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.put(FieldType::U32, &value.to_ne_bytes())
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.put(FieldType::U16, &value.to_ne_bytes())
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.put(FieldType::U8, &[value])
    }

    pub(crate) fn f64(&mut self, value: f64) -> &mut Self {
        self.put(FieldType::F64, &value.to_ne_bytes())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.put(FieldType::Boolean, &[u8::from(value)])
    }

    /// A text that fits its field; what is beyond the field's width is left out.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let FieldType::Text(width) = self.layout.fields[self.next].kind else {
            return self.put(FieldType::Text(text.len()), text.as_bytes());
        };
        let mut field = vec![0; width];
        let end = text.floor_char_boundary(width);
        field[..end].copy_from_slice(&text.as_bytes()[..end]);
        self.put(FieldType::Text(width), &field)
    }

    fn put(&mut self, kind: FieldType, bytes: &[u8]) -> &mut Self {
        let field = &self.layout.fields[self.next];
        assert_eq!(field.kind, kind, "rows are filled in the layout's own order: `{}`", field.name);
        self.bytes.extend_from_slice(bytes);
        self.next = (self.next + 1) % self.layout.fields.len();
        self
    }
}

macro_rules! take_number {
    ($($name:ident),*) => {
        $(pub(crate) fn $name(&mut self) -> $name {
            let mut bytes = [0; size_of::<$name>()];
            bytes.copy_from_slice(self.take(size_of::<$name>()));
            $name::from_ne_bytes(bytes)
        })*
    };
}

impl<'a> Cursor<'a> {
    take_number!(i64, u32, u16, u8, f64);

    pub(crate) fn boolean(&mut self) -> bool {
        self.u8() != 0
    }

    pub(crate) fn text(&mut self) -> String {
        let bytes = self.take(usize::MAX);
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    /// The bytes of the next field; `size` only says what the caller expects.
    fn take(&mut self, size: usize) -> &'a [u8] {
        let field = self.fields.next().expect("a row is read field by field, as it was laid out");
        let (taken, rest) = self.bytes.split_at(field.kind.size());
        assert!(size == usize::MAX || size == taken.len(), "`{}` is read as it was laid out", field.name);
        self.bytes = rest;
        taken
    }
}
