//! Who the animal is: `/general/subject`.

use bramble_subject::Sex;
use hdf5::{Group, Result};
use jiff::civil::Date;

use super::object::{self, CORE, Objects};
use crate::summary::age_days;
use crate::{Here, Session};

pub(super) fn write(objects: &Objects, general: &Group, session: &Session, here: &Here) -> Result<()> {
    let group = objects.group(general, "subject", "Subject", CORE)?;
    let biography = &session.biography;
    let sex = match biography.sex {
        Sex::Female => "F",
        Sex::Male => "M",
        Sex::Other => "O",
        Sex::Unknown => "U",
    };
    object::text(&group, "subject_id", session.subject.as_str())?;
    object::text(&group, "sex", sex)?;
    for (name, value) in
        [("species", &biography.species), ("strain", &biography.strain), ("genotype", &biography.genotype)]
    {
        if !value.is_empty() {
            object::text(&group, name, value)?;
        }
    }
    if let Some(days) = age_days(session, here) {
        let age = object::text(&group, "age", &format!("P{days}D"))?;
        object::set_text(&age, "reference", "birth")?;
    }
    if let Some(born) = biography.birth.and_then(|birth| midnight(birth, here)) {
        object::text(&group, "date_of_birth", &born)?;
    }
    if let Some(weight) = session.weights.before(here) {
        object::text(&group, "weight", &format!("{} kg", weight.grams / 1000.0))?;
    }
    let extra = biography.extra.iter().map(|(name, value)| format!("{name}: {value}"));
    let said = std::iter::once(biography.notes.clone()).filter(|notes| !notes.is_empty()).chain(extra);
    let description = said.collect::<Vec<_>>().join("; ");
    if !description.is_empty() {
        object::text(&group, "description", &description)?;
    }
    Ok(())
}

/// The beginning of a day in the lab.
fn midnight(day: Date, here: &Here) -> Option<String> {
    Some(here.moment(day.to_zoned(here.zone.clone()).ok()?.timestamp()))
}
