//! A session in one row, and in JSON.

use bramble_subject::Sex;
use bramble_value::Value;
use serde_json::{Value as Json, json};

use crate::table::{Column, Table, Values};
use crate::{Here, Session};

/// The session in one row, for finding sessions in a cohort.
pub(crate) fn summary(session: &Session, here: &Here) -> Table {
    let start = &session.start;
    let (step, end) = (start.protocol.as_ref(), session.end.as_ref());
    let biography = &session.biography;
    let text = |value: String| Values::Texts(vec![Some(value).filter(|value| !value.is_empty())]);
    let number = |value: Option<f64>| Values::Numbers(vec![value.filter(|value| value.is_finite())]);
    let count = |value: usize| Values::Integers(vec![i64::try_from(value).ok()]);
    let parameters: serde_json::Map<String, Json> = start
        .parameters
        .iter()
        .map(|one| (one.name.clone(), json!(one.value_type.show(one.value))))
        .collect();
    let columns = [
        ("uuid", "", "the session's own name, the same wherever it is met", text(start.uuid.to_string())),
        ("task", "", "the task's name", text(start.task.clone())),
        (
            "protocol",
            "",
            "the protocol it was part of",
            text(step.map(|at| at.protocol.clone()).unwrap_or_default()),
        ),
        ("step", "", "the step of the protocol", text(step.map(|at| at.step.clone()).unwrap_or_default())),
        ("pilot", "", "the pilot it ran on", text(start.pilot.clone())),
        (
            "simulated",
            "",
            "whether its rig was simulated, so that no animal was in it",
            Values::Booleans(vec![Some(start.is_simulated())]),
        ),
        ("started", "", "when it started", Values::Moments(vec![Some(start.started)])),
        (
            "ended",
            "",
            "when it ended; missing where that was never heard of",
            Values::Moments(vec![end.map(|end| end.ended)]),
        ),
        ("ending", "", "how it ended", text(end.map(|end| end.ending.name().to_owned()).unwrap_or_default())),
        ("why", "", "why it ended, in words", text(end.map(|end| end.why.clone()).unwrap_or_default())),
        ("trials", "", "how many trials it had", count(session.trials.rows.len())),
        ("events", "", "how many events it had", count(session.events.len())),
        (
            "correct",
            "",
            "the share of its trials that were correct, from 0 to 1",
            number(end.and_then(|end| end.correct)),
        ),
        ("water_ul", "uL", "how much water was given", number(end.and_then(|end| end.water))),
        (
            "weight_g",
            "g",
            "what the animal weighed before it, on that day",
            number(session.weights.before(here).map(|weight| weight.grams)),
        ),
        ("age_d", "d", "how old the animal was", Values::Integers(vec![age_days(session, here)])),
        (
            "sex",
            "",
            "the animal's sex",
            text(if biography.sex == Sex::Unknown { String::new() } else { biography.sex.to_string() }),
        ),
        ("species", "", "the animal's species", text(biography.species.clone())),
        ("strain", "", "the animal's strain", text(biography.strain.clone())),
        ("genotype", "", "the animal's genotype", text(biography.genotype.clone())),
        (
            "start_time_ns",
            "ns",
            "when it started, on the pilot's clock",
            Values::Integers(vec![Some(start.start_time.ns())]),
        ),
        ("seed", "", "what all its randomness comes from", text(start.seed.0.to_string())),
        (
            "parameters",
            "",
            "its parameters at the start, as JSON",
            text(Json::Object(parameters).to_string()),
        ),
    ];
    let columns = columns.into_iter().map(|(name, unit, doc, values)| Column::new(name, unit, doc, values));
    Table { name: "session", doc: "one row: the session".to_owned(), columns: columns.collect() }
}

/// What the session was, for a JSON document; `null` is what isn't known.
pub(crate) fn about(session: &Session, here: &Here) -> Json {
    let table = summary(session, here);
    let mut about = serde_json::Map::new();
    about.insert("subject".to_owned(), json!(session.subject));
    about.insert("subject_uuid".to_owned(), json!(session.subject_uuid));
    about.insert("session".to_owned(), json!(session.number.get()));
    for column in table.columns {
        let value = match column.values {
            Values::Integers(values) => json!(values[0]),
            Values::Numbers(values) => json!(values[0]),
            Values::Texts(values) => json!(values[0]),
            Values::Moments(values) => json!(values[0]),
            Values::Booleans(values) => json!(values[0]),
            Values::Names(_) => continue,
        };
        about.insert(column.name, value);
    }
    let parameters = session.start.parameters.iter().map(|one| {
        json!({
            "name": one.name,
            "value": one.value_type.show(one.value),
            "number": number(one.value),
            "unit": one.value_type.unit(),
            "description": one.doc,
        })
    });
    about.insert("parameters".to_owned(), parameters.collect());
    about.insert("versions".to_owned(), json!(session.start.versions));
    Json::Object(about)
}

/// A value as one number; `None` for a range, which is two.
pub(crate) fn number(value: Value) -> Option<f64> {
    (!matches!(value, Value::Integers(..))).then(|| value.to_f64())
}

/// How many days old the animal was when the session started, by the calendar of the lab, on which
/// it was born; `None` where that isn't known, or is after the session.
pub(crate) fn age_days(session: &Session, here: &Here) -> Option<i64> {
    let birth = session.biography.birth?;
    let days = birth.until(here.day(session.start.started)).ok()?.get_days();
    Some(i64::from(days)).filter(|days| *days >= 0)
}
