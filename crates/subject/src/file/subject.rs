//! What a file says of its subject beside the sessions: biography, history,
//! weights and sources.

use std::collections::BTreeMap;

use hdf5::{File, Group};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::SubjectFile;
use crate::error::{Doing, Fault, SubjectError};
use crate::hdf::layout::{Field, FieldType};
use crate::hdf::table::{Diary, FEW, TEXT_WIDTH, TIME_WIDTH};
use crate::hdf::text;
use crate::{Biography, By, Change, Weight};

impl SubjectFile {
    /// What is known of the subject now.
    pub fn biography(&self) -> Result<Biography, SubjectError> {
        Ok(self.biographies()?.pop().map(|(_, biography)| biography).unwrap_or_default())
    }

    /// What was known of the subject, and who wrote it, oldest version first.
    pub fn biographies(&self) -> Result<Vec<(By, Biography)>, SubjectError> {
        self.main.here(|| read_biographies(&self.main.file))
    }

    /// Writes a new version of the biography, and what changed into the history.
    pub fn edit_biography(&mut self, biography: &Biography, by: &By) -> Result<(), SubjectError> {
        self.check_writable()?;
        let versions = self.biographies()?;
        let before = versions.last().map(|(_, biography)| biography.fields()).unwrap_or_default();
        let after = biography.fields();
        let value = |fields: &[(String, String)], name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let gone = before.iter().filter(|(name, _)| !after.iter().any(|(field, _)| field == name));
        let names: Vec<String> = after.iter().chain(gone).map(|(name, _)| name.clone()).collect();
        let version = versions.len() as u32 + 1;
        self.rewrite(|file| write_biography(file, version, biography, by))?;
        for name in names {
            let (from, to) = (value(&before, &name), value(&after, &name));
            if from != to {
                let what = format!("biography.{name}");
                self.log(&Change { when: by.when, who: by.who.clone(), what, from, to })?;
            }
        }
        Ok(())
    }

    /// Adds a change to the history.
    pub fn log(&mut self, change: &Change) -> Result<(), SubjectError> {
        self.check_writable()?;
        let texts = [&change.who, &change.what, &change.from, &change.to];
        if texts.into_iter().any(|text| is_long(text)) {
            return self.rewrite(|file| write_change(file, change));
        }
        self.lengthen(|file| write_change(file, change))
    }

    /// Every change, oldest first.
    pub fn history(&self) -> Result<Vec<Change>, SubjectError> {
        self.main.here(|| {
            let diary = Diary::open(&self.main.file, "history", history_fields())?;
            let rows = diary.read(|mut row| [(); 5].map(|()| row.text()))?;
            let changes = rows.into_iter().map(|[when, who, what, from, to]| {
                Ok(Change {
                    when: timestamp(&when)?,
                    who: long(&self.main.file, who)?,
                    what: long(&self.main.file, what)?,
                    from: long(&self.main.file, from)?,
                    to: long(&self.main.file, to)?,
                })
            });
            changes.collect()
        })
    }

    /// Adds a weighing.
    pub fn weigh(&mut self, weight: &Weight) -> Result<(), SubjectError> {
        self.check_writable()?;
        if is_long(&weight.who) {
            return self.rewrite(|file| write_weight(file, weight));
        }
        self.lengthen(|file| write_weight(file, weight))
    }

    /// Every weighing, oldest first.
    pub fn weights(&self) -> Result<Vec<Weight>, SubjectError> {
        self.main.here(|| {
            let diary = Diary::open(&self.main.file, "weights", weight_fields())?;
            let rows = diary.read(|mut row| (row.text(), row.f64(), row.text(), row.text()))?;
            let weights = rows.into_iter().map(|(when, grams, occasion, who)| {
                Ok(Weight {
                    when: timestamp(&when)?,
                    grams,
                    occasion: occasion.parse().map_err(Fault::Damaged)?,
                    who: long(&self.main.file, who)?,
                })
            });
            weights.collect()
        })
    }

    /// Keeps a text in `/sources`, once, and returns its SHA-256 in hexadecimal.
    pub fn keep_source(&mut self, text: &str) -> Result<String, SubjectError> {
        self.check_writable()?;
        let hash = hash(text);
        if self.source(&hash).is_err() {
            self.rewrite(|file| write_source(file, text))?;
        }
        Ok(hash)
    }

    /// The text of this SHA-256.
    pub fn source(&self, hash: &str) -> Result<String, SubjectError> {
        let known = self.main.file.group("sources").is_ok_and(|sources| sources.link_exists(hash));
        if !known {
            return Err(SubjectError::NoSource { path: self.path().to_owned(), hash: hash.to_owned() });
        }
        self.main.here(|| source(&self.main.file, hash))
    }
}

/// Keeps a text, once, and returns its hash.
pub(super) fn write_source(file: &File, source: &str) -> Result<String, Fault> {
    let (hash, sources) = (hash(source), sources(file)?);
    if !sources.link_exists(&hash) {
        text::write(&sources, &hash, source)?;
    }
    Ok(hash)
}

pub(super) fn source(file: &File, hash: &str) -> Result<String, Fault> {
    let text = text::read(&sources(file)?, hash)?;
    if self::hash(&text) != hash {
        return Err(Fault::Damaged(format!("/sources/{hash} holds another text")));
    }
    Ok(text)
}

fn sources(file: &File) -> Result<Group, Fault> {
    file.group("sources").doing(|| "open /sources in".to_owned())
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

const LONG: &str = "sha256:";

/// Whether a text can't stand in a field: it is too long, looks like a
/// reference, or ends in what the field is padded with.
fn is_long(text: &str) -> bool {
    text.len() > TEXT_WIDTH || text.starts_with(LONG) || text.ends_with('\0')
}

/// What stands in a field for `text`, which is kept among the sources where it
/// can't stand there itself.
pub(super) fn short(file: &File, text: &str) -> Result<String, Fault> {
    if is_long(text) { Ok(format!("{LONG}{}", write_source(file, text)?)) } else { Ok(text.to_owned()) }
}

/// The text that [`short`] made `field` of.
pub(super) fn long(file: &File, field: String) -> Result<String, Fault> {
    match field.strip_prefix(LONG) {
        Some(hash) => source(file, hash),
        None => Ok(field),
    }
}

pub(super) fn create_diaries(file: &File) -> Result<(), Fault> {
    Diary::create(file, "biography", FEW, biography_fields())?;
    Diary::create(file, "history", FEW, history_fields())?;
    Diary::create(file, "weights", FEW, weight_fields())?;
    Ok(())
}

/// The tables that grow beside the sessions.
pub(super) fn diaries(file: &File) -> Result<[Diary; 3], Fault> {
    Ok([
        Diary::open(file, "biography", biography_fields())?,
        Diary::open(file, "history", history_fields())?,
        Diary::open(file, "weights", weight_fields())?,
    ])
}

pub(super) fn write_change(file: &File, change: &Change) -> Result<(), Fault> {
    let mut diary = Diary::open(file, "history", history_fields())?;
    let layout = diary.layout().clone();
    let mut rows = layout.rows();
    rows.text(&change.when.to_string()).text(&short(file, &change.who)?).text(&short(file, &change.what)?);
    rows.text(&short(file, &change.from)?).text(&short(file, &change.to)?);
    diary.append(&rows)
}

fn write_weight(file: &File, weight: &Weight) -> Result<(), Fault> {
    let mut diary = Diary::open(file, "weights", weight_fields())?;
    let layout = diary.layout().clone();
    let mut rows = layout.rows();
    rows.text(&weight.when.to_string()).f64(weight.grams).text(&weight.occasion.to_string());
    rows.text(&short(file, &weight.who)?);
    diary.append(&rows)
}

pub(super) fn write_biography(
    file: &File,
    version: u32,
    biography: &Biography,
    by: &By,
) -> Result<(), Fault> {
    let who = short(file, &by.who)?;
    let mut diary = Diary::open(file, "biography", biography_fields())?;
    let layout = diary.layout().clone();
    let mut rows = layout.rows();
    for (name, value) in biography.fields() {
        rows.u32(version).text(&by.when.to_string()).text(&who);
        rows.text(&short(file, &name)?).text(&short(file, &value)?);
    }
    diary.append(&rows)
}

fn read_biographies(file: &File) -> Result<Vec<(By, Biography)>, Fault> {
    let diary = Diary::open(file, "biography", biography_fields())?;
    let rows = diary.read(|mut row| (row.u32(), [(); 4].map(|()| row.text())))?;
    let mut writers = BTreeMap::new();
    let mut fields: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    for (version, [when, who, name, value]) in rows {
        writers.insert(version, By { who: long(file, who)?, when: timestamp(&when)? });
        fields.entry(version).or_default().push((long(file, name)?, long(file, value)?));
    }
    Ok(writers.into_values().zip(fields.into_values().map(Biography::from_fields)).collect())
}

pub(super) fn timestamp(text: &str) -> Result<Timestamp, Fault> {
    text.parse().map_err(|_| Fault::Damaged(format!("`{text}` is no time")))
}

fn biography_fields() -> Vec<Field> {
    vec![
        Field::new("version", FieldType::U32, "each edit is a version; the highest is the current one"),
        when(),
        words("who", "who wrote it"),
        words("field", "what is described"),
        words("value", "what is known of it; empty: nothing"),
    ]
}

fn history_fields() -> Vec<Field> {
    vec![
        when(),
        words("who", "the person, or the program where it acted by itself"),
        words("what", "what changed"),
        words("from", "what it was"),
        words("to", "what it is now"),
    ]
}

fn weight_fields() -> Vec<Field> {
    vec![
        when(),
        Field::new("grams", FieldType::F64, "weight [g]; NaN: the weighing of this time was taken back"),
        words("occasion", "before or after a session, or other"),
        words("who", "who weighed"),
    ]
}

fn when() -> Field {
    Field::new("when", FieldType::Text(TIME_WIDTH), "ISO 8601, UTC")
}

pub(super) fn words(name: &str, doc: &str) -> Field {
    Field::new(name, FieldType::Text(TEXT_WIDTH), &format!("{doc} (`{LONG}...`: a long text, in /sources)"))
}
