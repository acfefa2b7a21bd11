//! Sessions: started, stopped, and what is said to one that runs.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::{Extension, Json};

use super::{At, Body, Reply, subject_id};
use crate::api::asked::Waits;
use crate::api::types::{Done, MoveSession, Pause, Reward, SendMessage, SetParameter, Start, Stop};
use crate::refusal::Refusal;
use crate::web::Caller;

/// Hold a subject's session between two trials.
#[utoipa::path(post, path = "/subjects/{id}/pause", tag = "sessions", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = Pause, responses((status = 200, body = Done)))]
pub(super) async fn pause(State(desk): At, Path(id): Path<String>, Body(pause): Body<Pause>) -> Reply<Done> {
    desk.pause(&subject_id(&id)?, pause).await.map(Json)
}

/// Go on with a subject's session that was paused.
#[utoipa::path(post, path = "/subjects/{id}/resume", tag = "sessions", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = Pause, responses((status = 200, body = Done)))]
pub(super) async fn resume(State(desk): At, Path(id): Path<String>, Body(pause): Body<Pause>) -> Reply<Done> {
    desk.resume(&subject_id(&id)?, pause).await.map(Json)
}

/// Change a live parameter of a subject's session.
#[utoipa::path(post, path = "/subjects/{id}/parameter", tag = "sessions", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = SetParameter, responses((status = 200, body = Done)))]
pub(super) async fn set(
    State(desk): At,
    Path(id): Path<String>,
    Body(set): Body<SetParameter>,
) -> Reply<Done> {
    desk.set(&subject_id(&id)?, set).await.map(Json)
}

/// Give a subject's task a message.
#[utoipa::path(post, path = "/subjects/{id}/message", tag = "sessions", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = SendMessage, responses((status = 200, body = Done)))]
pub(super) async fn message(
    State(desk): At,
    Path(id): Path<String>,
    Body(send): Body<SendMessage>,
) -> Reply<Done> {
    desk.message(&subject_id(&id)?, send).await.map(Json)
}

/// Give water by hand, through a valve of a subject's session.
#[utoipa::path(post, path = "/subjects/{id}/reward", tag = "sessions", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = Reward, responses((status = 200, body = Done)))]
pub(super) async fn reward(
    State(desk): At,
    Path(id): Path<String>,
    Body(reward): Body<Reward>,
) -> Reply<Done> {
    desk.reward(&subject_id(&id)?, reward).await.map(Json)
}

/// Start a session.
#[utoipa::path(post, path = "/sessions", tag = "sessions", security(("login" = ["run"])),
    request_body = Start, responses((status = 200, body = Done)))]
pub(super) async fn start(
    State(desk): At,
    Extension(caller): Extension<Caller>,
    Body(mut start): Body<Start>,
) -> Reply<Done> {
    start.task = start.task.map(|task| desk.file_for(&caller, task)).transpose()?;
    // A start that its client no longer waits for goes on to its end all the same, once its pilot was asked.
    let waits = Waits::default();
    let asker = waits.asker();
    let started = tokio::spawn(async move { desk.start(start, asker).await }).await;
    drop(waits);
    started
        .unwrap_or_else(|error| Err(Refusal::failed(format!("the terminal made a mistake: {error}"))))
        .map(Json)
}

/// Stop a session: a subject's, or whatever a pilot runs.
#[utoipa::path(post, path = "/stop", tag = "sessions", security(("login" = ["run"])),
    request_body = Stop, responses((status = 200, body = Done)))]
pub(super) async fn stop(State(desk): At, Body(stop): Body<Stop>) -> Reply<Done> {
    desk.stop(stop).await.map(Json)
}

/// Move a session that was recorded under the wrong subject to the right one.
#[utoipa::path(post, path = "/subjects/{id}/sessions/{number}/move", tag = "sessions",
    security(("login" = ["manage"])), params(("id" = String, Path), ("number" = u32, Path)),
    request_body = MoveSession, responses((status = 200, body = Done)))]
pub(super) async fn move_session(
    State(desk): At,
    Path((id, number)): Path<(String, u32)>,
    Body(order): Body<MoveSession>,
) -> Reply<Done> {
    desk.move_session(subject_id(&id)?, number, order).await.map(Json)
}

/// How good a session was: each check with its number and its limit.
#[utoipa::path(get, path = "/subjects/{id}/sessions/{number}/report", tag = "sessions",
    security(("login" = ["view"])), params(("id" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = serde_json::Value)))]
pub(super) async fn report(
    State(desk): At,
    Path((id, number)): Path<(String, u32)>,
) -> Reply<bramble_report::Report> {
    desk.report(subject_id(&id)?, number).await.map(Json)
}

/// The same as a page, with plots.
#[utoipa::path(get, path = "/subjects/{id}/sessions/{number}/report.html", tag = "sessions",
    security(("login" = ["view"])), params(("id" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn report_page(
    State(desk): At,
    Path((id, number)): Path<(String, u32)>,
) -> Result<impl IntoResponse, Refusal> {
    let report = desk.report(subject_id(&id)?, number).await?;
    // The report has its looks in it, and nothing that runs.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, report.html(&jiff::tz::TimeZone::system())))
}
