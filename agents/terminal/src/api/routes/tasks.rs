//! Tasks and protocols: listed, checked, and tried before any animal does.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{At, Body, Reply, Sought};
use crate::api::tasks::{
    CheckTask, CheckedTask, NewProtocol, ProtocolLine, SimulateTask, SimulatedTask, TaskLine,
};

/// The tasks of the tasks folder.
#[utoipa::path(get, path = "/tasks", tag = "tasks", security(("login" = ["view"])),
    responses((status = 200, body = Vec<TaskLine>)))]
pub(super) async fn list(State(desk): At) -> Reply<Vec<TaskLine>> {
    desk.tasks().await.map(Json)
}

/// The protocols of the tasks folder, with their steps.
#[utoipa::path(get, path = "/protocols", tag = "tasks", security(("login" = ["view"])),
    responses((status = 200, body = Vec<ProtocolLine>)))]
pub(super) async fn protocols(State(desk): At) -> Reply<Vec<ProtocolLine>> {
    desk.protocols().await.map(Json)
}

/// Which task.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// A file of the tasks folder.
    #[param(value_type = String)]
    path: PathBuf,
}

/// A task as its file is: what it declares, or its mistakes at their lines, and its text.
#[utoipa::path(get, path = "/tasks/check", tag = "tasks", security(("login" = ["view"])),
    params(Which), responses((status = 200, body = CheckedTask)))]
pub(super) async fn show(State(desk): At, Sought(Which { path }): Sought<Which>) -> Reply<CheckedTask> {
    desk.check_task(CheckTask { path, text: None }).await.map(Json)
}

/// Check a task: what it declares, or its mistakes at their lines.
#[utoipa::path(post, path = "/tasks/check", tag = "tasks", security(("login" = ["run"])),
    request_body = CheckTask, responses((status = 200, body = CheckedTask)))]
pub(super) async fn check(State(desk): At, Body(check): Body<CheckTask>) -> Reply<CheckedTask> {
    desk.check_task(check).await.map(Json)
}

/// Run a task with a simulated animal, in no time.
#[utoipa::path(post, path = "/tasks/simulate", tag = "tasks", security(("login" = ["run"])),
    request_body = SimulateTask, responses((status = 200, body = SimulatedTask)))]
pub(super) async fn simulate(State(desk): At, Body(run): Body<SimulateTask>) -> Reply<SimulatedTask> {
    desk.simulate_task(run).await.map(Json)
}

/// Save a protocol that was filled in in a form, once it is found to be in order.
#[utoipa::path(post, path = "/protocols", tag = "tasks", security(("login" = ["manage"])),
    request_body = NewProtocol, responses((status = 200, body = ProtocolLine)))]
pub(super) async fn save(State(desk): At, Body(new): Body<NewProtocol>) -> Reply<ProtocolLine> {
    desk.save_protocol(new).await.map(Json)
}
