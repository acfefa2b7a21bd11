//! The lab as a whole: its pilots now, and as they change.

use axum::body::Body as Raw;
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use axum::{Extension, Json};
use bramble_value::Name;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::{At, Body, Reply};
use crate::api::description;
use crate::api::link::{LinkReport, TestLink};
use crate::api::timing::PilotTiming;
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
    mut request: Request,
) -> Result<Response, Refusal> {
    let watch = watched(&query.unwrap_or_default())?;
    let no_upgrade = |why: &dyn std::fmt::Display| Refusal::wrong(format!("this is a WebSocket: {why}"));
    let answer = create_response_with_body(&request, Raw::empty).map_err(|error| no_upgrade(&error))?;
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let upgrade = upgrade.ok_or_else(|| no_upgrade(&"the connection can't become one"))?;
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    tokio::spawn(async move {
        // A page that went meanwhile is told nothing.
        let Ok(upgraded) = upgrade.await else { return };
        let stream = TokioIo::new(upgraded);
        let web_socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        socket::show(web_socket, desk, watch, move || caller.is_still_allowed()).await;
    });
    Ok(answer)
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
