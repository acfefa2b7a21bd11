//! Subjects, and what happens to them between their sessions.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use bramble_subject::Change;

use super::{At, Body, Reply, subject_id};
use crate::api::tasks::{AssignAll, EachDone};
use crate::api::types::{
    Assign, Cares, Done, Edit, GiveWater, NewSubject, NoteDown, SubjectInfo, SubjectLine, WaterLine, Weigh,
    WeightLine,
};
use crate::web::Caller;

/// Every subject, in a line each.
#[utoipa::path(get, path = "/subjects", tag = "subjects", security(("login" = ["view"])),
    responses((status = 200, body = Vec<SubjectLine>)))]
pub(super) async fn list(State(desk): At) -> Reply<Vec<SubjectLine>> {
    desk.subjects().await.map(Json)
}

/// Add a subject.
#[utoipa::path(post, path = "/subjects", tag = "subjects", security(("login" = ["manage"])),
    request_body = NewSubject, responses((status = 200, body = Done)))]
pub(super) async fn add(State(desk): At, Body(new): Body<NewSubject>) -> Reply<Done> {
    desk.add_subject(new).await.map(Json)
}

/// One subject.
#[utoipa::path(get, path = "/subjects/{id}", tag = "subjects", security(("login" = ["view"])),
    params(("id" = String, Path)), responses((status = 200, body = SubjectInfo)))]
pub(super) async fn show(State(desk): At, Path(id): Path<String>) -> Reply<SubjectInfo> {
    desk.subject(subject_id(&id)?).await.map(Json)
}

/// Every change to a subject, oldest first.
#[utoipa::path(get, path = "/subjects/{id}/history", tag = "subjects", security(("login" = ["view"])),
    params(("id" = String, Path)), responses((status = 200, body = Vec<Change>)))]
pub(super) async fn history(State(desk): At, Path(id): Path<String>) -> Reply<Vec<Change>> {
    desk.history(subject_id(&id)?).await.map(Json)
}

/// Put a subject on a protocol.
#[utoipa::path(post, path = "/subjects/{id}/protocol", tag = "subjects", security(("login" = ["manage"])),
    params(("id" = String, Path)), request_body = Assign, responses((status = 200, body = Done)))]
pub(super) async fn assign(
    State(desk): At,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(mut to): Body<Assign>,
) -> Reply<Done> {
    to.protocol = desk.file_for(&caller, to.protocol)?;
    desk.assign(subject_id(&id)?, to).await.map(Json)
}

/// Change who a subject is; what isn't there stays as it is.
#[utoipa::path(post, path = "/subjects/{id}/biography", tag = "subjects", security(("login" = ["manage"])),
    params(("id" = String, Path)), request_body = Edit, responses((status = 200, body = Done)))]
pub(super) async fn edit(State(desk): At, Path(id): Path<String>, Body(edit): Body<Edit>) -> Reply<Done> {
    desk.edit(subject_id(&id)?, edit).await.map(Json)
}

/// Every weighing that counts, oldest first.
#[utoipa::path(get, path = "/subjects/{id}/weights", tag = "subjects", security(("login" = ["view"])),
    params(("id" = String, Path)), responses((status = 200, body = Vec<WeightLine>)))]
pub(super) async fn weights(State(desk): At, Path(id): Path<String>) -> Reply<Vec<WeightLine>> {
    desk.weights(subject_id(&id)?).await.map(Json)
}

/// Write down what a subject weighs.
#[utoipa::path(post, path = "/subjects/{id}/weights", tag = "subjects", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = Weigh, responses((status = 200, body = Done)))]
pub(super) async fn weigh(State(desk): At, Path(id): Path<String>, Body(weigh): Body<Weigh>) -> Reply<Done> {
    desk.weigh(subject_id(&id)?, weigh).await.map(Json)
}

/// The water that a subject had on each day on which it had any or was in a session.
#[utoipa::path(get, path = "/subjects/{id}/water", tag = "subjects", security(("login" = ["view"])),
    params(("id" = String, Path)), responses((status = 200, body = Vec<WaterLine>)))]
pub(super) async fn waters(State(desk): At, Path(id): Path<String>) -> Reply<Vec<WaterLine>> {
    desk.waters(subject_id(&id)?).await.map(Json)
}

/// Write down water that a person gave outside of a session.
#[utoipa::path(post, path = "/subjects/{id}/water", tag = "subjects", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = GiveWater, responses((status = 200, body = Done)))]
pub(super) async fn give_water(
    State(desk): At,
    Path(id): Path<String>,
    Body(give): Body<GiveWater>,
) -> Reply<Done> {
    desk.give_water(subject_id(&id)?, give).await.map(Json)
}

/// Set what a subject's weight and water are held against; what isn't there stays as it is.
#[utoipa::path(post, path = "/subjects/{id}/care", tag = "subjects", security(("login" = ["manage"])),
    params(("id" = String, Path)), request_body = Cares, responses((status = 200, body = Done)))]
pub(super) async fn set_cares(
    State(desk): At,
    Path(id): Path<String>,
    Body(cares): Body<Cares>,
) -> Reply<Done> {
    desk.set_cares(subject_id(&id)?, cares).await.map(Json)
}

/// Write down a note.
#[utoipa::path(post, path = "/subjects/{id}/notes", tag = "subjects", security(("login" = ["run"])),
    params(("id" = String, Path)), request_body = NoteDown, responses((status = 200, body = Done)))]
pub(super) async fn note_down(
    State(desk): At,
    Path(id): Path<String>,
    Body(note): Body<NoteDown>,
) -> Reply<Done> {
    desk.note_down(subject_id(&id)?, note).await.map(Json)
}

/// Put several subjects on a protocol, each as far as that can be done.
#[utoipa::path(post, path = "/subjects/assign", tag = "subjects", security(("login" = ["manage"])),
    request_body = AssignAll, responses((status = 200, body = Vec<EachDone>)))]
pub(super) async fn assign_all(
    State(desk): At,
    Extension(caller): Extension<Caller>,
    Body(mut all): Body<AssignAll>,
) -> Reply<Vec<EachDone>> {
    all.protocol = desk.file_for(&caller, all.protocol)?;
    desk.assign_all(all).await.map(Json)
}
