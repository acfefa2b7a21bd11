//! Agents: invited, listed, renamed, revoked.

use axum::Json;
use axum::extract::{Path, State};

use super::{At, Body, Reply, agent_name};
use crate::api::types::{AgentLine, Done, Invite, Invited, Rename};

/// Everybody that was ever enrolled.
#[utoipa::path(get, path = "/agents", tag = "agents", security(("login" = ["view"])),
    responses((status = 200, body = Vec<AgentLine>)))]
pub(super) async fn list(State(desk): At) -> Json<Vec<AgentLine>> {
    Json(desk.enrolled())
}

/// Invite an agent to join.
#[utoipa::path(post, path = "/agents/invite", tag = "agents", security(("login" = ["manage"])),
    request_body = Invite, responses((status = 200, body = Invited)))]
pub(super) async fn invite(State(desk): At, Body(Invite { name, role }): Body<Invite>) -> Reply<Invited> {
    desk.invite(name, role).await.map(Json)
}

/// Give a pilot another name.
#[utoipa::path(post, path = "/agents/{name}/rename", tag = "agents", security(("login" = ["manage"])),
    params(("name" = String, Path)), request_body = Rename, responses((status = 200, body = Done)))]
pub(super) async fn rename(
    State(desk): At,
    Path(name): Path<String>,
    Body(rename): Body<Rename>,
) -> Reply<Done> {
    desk.rename(agent_name(&name)?, rename).await.map(Json)
}

/// End an agent's rights at once.
#[utoipa::path(post, path = "/agents/{name}/revoke", tag = "agents", security(("login" = ["manage"])),
    params(("name" = String, Path)), responses((status = 200, body = Done)))]
pub(super) async fn revoke(State(desk): At, Path(name): Path<String>) -> Reply<Done> {
    desk.revoke(agent_name(&name)?).await.map(Json)
}
