//! A pilot by itself: its rig in a person's hand.

use axum::Extension;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use bramble_value::Person;
use serde::Deserialize;
use serde_json::Map;
use utoipa::IntoParams;

use super::upgrade::upgrade;
use super::{At, agent_name};
use crate::hands::socket;
use crate::hands::wire::HandTells;
use crate::refusal::{Allowed, Refusal};
use crate::users::Role;
use crate::web::Caller;

/// Whose hand it is.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct Whose {
    /// Whose hand it is; as `who` of what is posted.
    #[param(value_type = Option<String>)]
    who: Option<String>,
}

/// A WebSocket: a pilot's rig in a person's hand, to watch, switch, calibrate and check it.
///
/// Messages are JSON. Each that comes is a `HandTells`: a `beat` has to be answered at once with
/// `{"beat": 7}`, and what is asked goes with the newest of them: `{"beat": 7, "ask": {"work": {"what":
/// "look"}}}`. Where beats aren't answered for 3 s, or the connection ends, the rig is made safe and let
/// go, and nothing is done that was asked longer ago.
#[utoipa::path(get, path = "/pilots/{name}/hand", tag = "pilots", security(("login" = ["run"])),
    params(("name" = String, Path), Whose),
    responses((status = 101, description = "messages that are each a `HandTells`", body = HandTells)))]
pub(super) async fn hand(
    State(desk): At,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Query(Whose { who }): Query<Whose>,
    request: Request,
) -> Result<Response, Refusal> {
    let pilot = agent_name(&name)?;
    let by = signed(&caller, who)?;
    desk.state.lab().check_here(&pilot)?;
    upgrade(request, move |web_socket| async move {
        socket::hold(web_socket, desk, pilot, by, move || caller.may_still(Role::Run)).await;
    })
}

/// Who it is, as with what is posted.
fn signed(caller: &Caller, who: Option<String>) -> Allowed<Person> {
    let mut fields = Map::new();
    fields.extend(who.map(|who| ("who".to_owned(), who.into())));
    caller.sign(&mut fields)?;
    let who = fields.get("who").and_then(|who| who.as_str());
    let who =
        who.ok_or_else(|| Refusal::wrong("it isn't said whose hand it is").help("add ?who=NAME@HOST"))?;
    who.parse().map_err(|error| Refusal::wrong(format!("{error}")))
}
