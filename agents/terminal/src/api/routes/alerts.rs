//! Alerts: shown, seen, silenced, tried.

use axum::Json;
use axum::extract::{Path, State};
use bramble_alerts::Alert;

use super::{At, Body, Reply, subject_id};
use crate::api::alerts::{AlertsView, SaidBy, Silence};
use crate::api::types::Done;
use crate::refusal::{Allowed, Refusal};

/// The alerts that are on, and those that were.
#[utoipa::path(get, path = "/alerts", tag = "alerts", security(("login" = ["view"])),
    responses((status = 200, body = AlertsView)))]
pub(super) async fn list(State(desk): At) -> Json<AlertsView> {
    Json(desk.alerts.view())
}

/// Say that you have seen an alert: nobody is reminded of it.
#[utoipa::path(post, path = "/alerts/{number}/seen", tag = "alerts", security(("login" = ["run"])),
    params(("number" = String, Path)), request_body = SaidBy, responses((status = 200, body = Alert)))]
pub(super) async fn see(
    State(desk): At,
    Path(id): Path<String>,
    Body(SaidBy { who }): Body<SaidBy>,
) -> Reply<Alert> {
    desk.alerts.see(number(&id)?, who).map(Json)
}

/// Have nobody be told of an alert for a time.
#[utoipa::path(post, path = "/alerts/{number}/silence", tag = "alerts", security(("login" = ["run"])),
    params(("number" = String, Path)), request_body = Silence, responses((status = 200, body = Alert)))]
pub(super) async fn silence(
    State(desk): At,
    Path(id): Path<String>,
    Body(Silence { time, who, .. }): Body<Silence>,
) -> Reply<Alert> {
    desk.alerts.silence(number(&id)?, time, &who).map(Json)
}

/// Tell others something that is no alert, and say what they answered.
#[utoipa::path(post, path = "/alerts/test", tag = "alerts", security(("login" = ["manage"])),
    request_body = SaidBy, responses((status = 200, body = Done)))]
pub(super) async fn test(State(desk): At, Body(SaidBy { who }): Body<SaidBy>) -> Reply<Done> {
    desk.alerts.test(&who).await.map(|done| Json(Done { done }))
}

/// Say that a subject was taken out of the box that it had its session in.
#[utoipa::path(post, path = "/subjects/{id}/out", tag = "subjects", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = SaidBy, responses((status = 200, body = Done)))]
pub(super) async fn take_out(
    State(desk): At,
    Path(id): Path<String>,
    Body(SaidBy { who }): Body<SaidBy>,
) -> Reply<Done> {
    desk.take_out(subject_id(&id)?, who).await.map(Json)
}

fn number(text: &str) -> Allowed<u64> {
    text.parse().map_err(|_| Refusal::wrong(format!("`{text}` is no alert's number")))
}
