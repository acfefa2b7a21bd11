//! The lab as a whole: its pilots now, and as they change.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::{Extension, Json};
use bramble_value::Name;

use super::At;
use crate::api::description;
use crate::api::types::{LabInfo, Status};
use crate::live::socket;
use crate::live::wire::{Live, Watch};
use crate::refusal::{Allowed, Refusal};
use crate::web::Caller;

/// The longest message that a page may send.
const LONGEST: usize = 64 << 10;

/// Everything that is known of the pilots.
#[utoipa::path(get, path = "/status", tag = "lab", security(("login" = ["view"])),
    responses((status = 200, body = Status)))]
pub(super) async fn status(State(desk): At) -> Json<Status> {
    Json(desk.status())
}

/// Whose lab this is, its time zone, and who asks.
#[utoipa::path(get, path = "/lab", tag = "lab", security(("login" = ["view"])),
    responses((status = 200, body = LabInfo)))]
pub(super) async fn lab(State(desk): At, Extension(caller): Extension<Caller>) -> Json<LabInfo> {
    Json(desk.lab_info(&caller))
}

/// A WebSocket: a snapshot first, then what changes, in text messages of JSON.
///
/// A page that doesn't read is sent no backlog: it misses what is between, and gets what is newest,
/// or a new snapshot. It may say at any time which pilots' sessions it watches: `{"watch": ["box1"]}`.
#[utoipa::path(get, path = "/live", tag = "lab", security(("login" = ["view"])),
    params(("watch" = Option<String>, Query, description = "a pilot whose session is watched; may be repeated")),
    responses((status = 101, description = "messages that are each a `Live`", body = Live)))]
pub(super) async fn live(
    State(desk): At,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let upgrade = upgrade.map_err(|error| Refusal::wrong(format!("this is a WebSocket: {error}")))?;
    let watch = watched(&query.unwrap_or_default())?;
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    Ok(upgrade.on_upgrade(move |web_socket| async move {
        socket::show(web_socket, desk, watch, move || caller.is_still_allowed()).await;
    }))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "lab", security(("login" = ["view"])),
    responses((status = 200, body = serde_json::Value)))]
pub(super) async fn description() -> Json<&'static utoipa::openapi::OpenApi> {
    Json(description::openapi())
}

/// The pilots in `watch=box1&watch=box2`; no letter of a name has to be written otherwise there.
fn watched(query: &str) -> Allowed<Watch> {
    let names = query.split('&').filter_map(|pair| pair.strip_prefix("watch=")).map(str::parse::<Name>);
    let watch = names.collect::<Result<_, _>>().map_err(|error| Refusal::wrong(error.to_string()))?;
    Ok(Watch { watch })
}
