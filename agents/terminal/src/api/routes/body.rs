//! What was asked, as JSON or in the address, and who asks it.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;
use crate::web::Caller;

/// What was asked; anything else is refused in the form of every refusal. Where the door
/// knows who asks, `who` needn't say it, and says nobody else.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Refusal> {
        let caller = request.extensions().get::<Caller>().cloned();
        let read: Result<Json<serde_json::Value>, JsonRejection> = Json::from_request(request, state).await;
        let Json(mut asked) = read.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large("the body is longer than is taken here"),
            _ => Refusal::wrong(error.body_text()),
        })?;
        if let (Some(caller), Some(fields)) = (caller, asked.as_object_mut()) {
            caller.sign(fields)?;
        }
        serde_path_to_error::deserialize(asked)
            .map(Body)
            .map_err(|error| Refusal::wrong(mistake(&error.path().to_string(), error.inner())))
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
    use super::mistake;
    use crate::api::tasks::NewProtocol;

    fn wrong(asked: serde_json::Value) -> String {
        let error = serde_path_to_error::deserialize::<_, NewProtocol>(asked).unwrap_err();
        mistake(&error.path().to_string(), error.inner())
    }

    #[test]
    fn what_is_wrong_is_said_by_its_field() {
        assert_eq!(
            wrong(serde_json::json!({ "file": "p", "name": "p", "steps": [{ "name": "a b", "task": "t" }] })),
            "steps[0].name: `a b` can't be a name: use letters, digits, - and _, at most 63 of them, the first a \
             letter or _"
        );
        assert_eq!(wrong(serde_json::json!({ "name": "p" })), "missing field `file`");
    }
}
