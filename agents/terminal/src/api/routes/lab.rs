//! The lab as a whole: its pilots now, and as they change.

use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use axum::{Extension, Json};
use bramble_value::Name;

use super::upgrade::upgrade;
use super::{At, Body, Reply};
use crate::api::description;
use crate::api::link::{LinkReport, TestLink};
use crate::api::timing::PilotTiming;
use crate::api::types::{LabInfo, Status};
use crate::live::socket;
use crate::live::wire::{Live, Watch};
use crate::refusal::{Allowed, Refusal};
use crate::users::Role;
use crate::web::Caller;

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

/// How late each pilot's outputs and heartbeats are.
#[utoipa::path(get, path = "/timing", tag = "lab", security(("login" = ["view"])),
    responses((status = 200, body = Vec<PilotTiming>)))]
pub(super) async fn timing(State(desk): At) -> Json<Vec<PilotTiming>> {
    Json(desk.state.lab().timing())
}

/// Measure how fast the links to pilots are: round trips, and bytes a second each way.
#[utoipa::path(post, path = "/link-test", tag = "lab", security(("login" = ["run"])),
    request_body = TestLink, responses((status = 200, body = LinkReport)))]
pub(super) async fn test_link(State(desk): At, Body(test): Body<TestLink>) -> Reply<LinkReport> {
    desk.test_link(test).await.map(Json)
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
    request: Request,
) -> Result<Response, Refusal> {
    let watch = watched(&query.unwrap_or_default())?;
    upgrade(request, move |web_socket| async move {
        socket::show(web_socket, desk, watch, move || caller.may_still(Role::View)).await;
    })
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
