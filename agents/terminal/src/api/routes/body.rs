//! What was asked, as JSON or in the address, and who asks it.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::refusal::Refusal;
use crate::web::Caller;

/// What was asked; anything else is refused in the form of every refusal. Where the door
/// knows who asks, `who` needn't say it, and says nobody else.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Serialize> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Refusal> {
        let caller = request.extensions().get::<Caller>().cloned();
        let read: Result<Json<Value>, JsonRejection> = Json::from_request(request, state).await;
        let Json(mut asked) = read.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large("the body is longer than is taken here"),
            _ => Refusal::wrong(error.body_text()),
        })?;
        if let (Some(caller), Some(fields)) = (caller, asked.as_object_mut()) {
            caller.sign(fields)?;
        }
        understood(asked).map(Body)
    }
}

/// What is asked for, of which every word is understood: who mistypes a field wants something else than
/// what happens without it.
fn understood<T: DeserializeOwned + Serialize>(asked: Value) -> Result<T, Refusal> {
    let understood: T = serde_path_to_error::deserialize(&asked)
        .map_err(|error| Refusal::wrong(mistake(&error.path().to_string(), error.inner())))?;
    let known = serde_json::to_value(&understood).map_err(|error| Refusal::failed(error.to_string()))?;
    match unknown(&asked, &known) {
        Some(refusal) => Err(refusal),
        None => Ok(understood),
    }
}

/// The first field that was asked for and isn't there in what was understood.
fn unknown(asked: &Value, known: &Value) -> Option<Refusal> {
    match (asked, known) {
        (Value::Object(asked), Value::Object(known)) => {
            asked.iter().find_map(|(name, asked)| match known.get(name) {
                Some(known) => unknown(asked, known),
                // What isn't said isn't written, and `null` says no more; who asks is known everywhere.
                None if asked.is_null() || name == "who" => None,
                None => {
                    let refusal = Refusal::wrong(format!("there is no field `{name}` here"));
                    Some(refusal.help("the API's description has those there are: GET /api/v1/openapi.json"))
                }
            })
        }
        (Value::Array(asked), Value::Array(known)) => {
            asked.iter().zip(known).find_map(|(asked, known)| unknown(asked, known))
        }
        _ => None,
    }
}

/// What an address says behind its question mark; anything else is refused in the form of every refusal.
pub(super) struct Sought<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Sought<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Sought<T>, Refusal> {
        let read = Query::from_request_parts(parts, state).await;
        read.map(|Query(sought)| Sought(sought)).map_err(|error| Refusal::wrong(error.body_text()))
    }
}

/// What is wrong, and in which field where it is in one.
fn mistake(field: &str, why: &serde_json::Error) -> String {
    if field == "." { why.to_string() } else { format!("{field}: {why}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::tasks::NewProtocol;
    use crate::api::types::{Cares, Pause, Start, Weigh};

    fn wrong<T: DeserializeOwned + Serialize>(asked: Value) -> String {
        understood::<T>(asked).err().map(|refusal| refusal.message).unwrap_or_default()
    }

    #[test]
    fn a_field_that_is_not_there_is_not_taken_for_one_that_was_left_out() {
        let start =
            json!({ "subject": "M001", "pilot": "box1", "task": "a.star", "trails": 3, "who": "ana@desk" });
        assert_eq!(wrong::<Start>(start), "there is no field `trails` here");
        assert_eq!(
            wrong::<Weigh>(json!({ "mass": 22, "insted": true, "who": "ana@desk" })),
            "there is no field `insted` here"
        );
        assert_eq!(
            wrong::<Pause>(json!({ "take_ovr": true, "who": "ana@desk" })),
            "there is no field `take_ovr` here"
        );
        let steps = json!([{ "name": "a", "task": "t", "parameter": {} }]);
        assert_eq!(
            wrong::<NewProtocol>(json!({ "file": "p", "name": "p", "steps": steps })),
            "there is no field `parameter` here"
        );
    }

    #[test]
    fn what_is_there_is_understood_whichever_it_is() {
        for asked in [
            json!({ "subject": "M001", "pilot": "box1", "parameters": { "reward": "4 uL" }, "trials": null, "who": "ana@desk" }),
            json!({ "subject": "M001", "pilot": "box1", "confirm": ["second-today"], "seed": 3, "who": "ana@desk" }),
        ] {
            assert_eq!(wrong::<Start>(asked), "");
        }
        assert_eq!(wrong::<Cares>(json!({ "baseline": null, "target": 1000, "who": "ana@desk" })), "");
        assert_eq!(wrong::<Pause>(json!({ "take_over": true, "who": "ana@desk" })), "");
    }

    #[test]
    fn what_is_wrong_is_said_by_its_field() {
        assert_eq!(
            wrong::<NewProtocol>(
                json!({ "file": "p", "name": "p", "steps": [{ "name": "a b", "task": "t" }] })
            ),
            "steps[0].name: `a b` can't be a name: use letters, digits, - and _, at most 63 of them, the first a \
             letter or _"
        );
        assert_eq!(wrong::<NewProtocol>(json!({ "name": "p" })), "missing field `steps`");
    }
}
