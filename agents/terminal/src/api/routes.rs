//! The paths of the API, and what each does at the desk.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bramble_subject::Change;
use bramble_value::{Name, SubjectId};
use serde::de::DeserializeOwned;

use super::types::{
    AgentLine, Assign, Cares, Done, Edit, GiveWater, Invite, Invited, MoveSession, NewSubject, NoteDown,
    Pause, Rename, Reward, SendMessage, SetParameter, Start, Status, Stop, SubjectInfo, SubjectLine, Weigh,
    WeightLine,
};
use crate::desk::Desk;
use crate::refusal::{Allowed, Reason, Refusal};

type At = State<Arc<Desk>>;
type Reply<T> = Result<Json<T>, Refusal>;

/// Every path there is.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/subjects", get(subjects).post(add_subject))
        .route("/subjects/{id}", get(subject))
        .route("/subjects/{id}/history", get(history))
        .route("/subjects/{id}/protocol", post(assign))
        .route("/subjects/{id}/biography", post(edit))
        .route("/subjects/{id}/weights", get(weights).post(weigh))
        .route("/subjects/{id}/water", post(give_water))
        .route("/subjects/{id}/care", post(set_cares))
        .route("/subjects/{id}/notes", post(note_down))
        .route("/subjects/{id}/pause", post(pause))
        .route("/subjects/{id}/resume", post(resume))
        .route("/subjects/{id}/parameter", post(set))
        .route("/subjects/{id}/message", post(message))
        .route("/subjects/{id}/reward", post(reward))
        .route("/subjects/{id}/sessions/{number}/move", post(move_session))
        .route("/sessions", post(start))
        .route("/stop", post(stop))
        .route("/agents", get(agents))
        .route("/agents/invite", post(invite))
        .route("/agents/{name}/rename", post(rename))
        .route("/agents/{name}/revoke", post(revoke))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .with_state(desk)
}

async fn status(State(desk): At) -> Json<Status> {
    Json(desk.status())
}

async fn subjects(State(desk): At) -> Reply<Vec<SubjectLine>> {
    desk.subjects().await.map(Json)
}

async fn add_subject(State(desk): At, Body(new): Body<NewSubject>) -> Reply<Done> {
    desk.add_subject(new).await.map(Json)
}

async fn subject(State(desk): At, Path(id): Path<String>) -> Reply<SubjectInfo> {
    desk.subject(subject_id(&id)?).await.map(Json)
}

async fn history(State(desk): At, Path(id): Path<String>) -> Reply<Vec<Change>> {
    desk.history(subject_id(&id)?).await.map(Json)
}

async fn assign(State(desk): At, Path(id): Path<String>, Body(to): Body<Assign>) -> Reply<Done> {
    desk.assign(subject_id(&id)?, to).await.map(Json)
}

async fn edit(State(desk): At, Path(id): Path<String>, Body(edit): Body<Edit>) -> Reply<Done> {
    desk.edit(subject_id(&id)?, edit).await.map(Json)
}

async fn weights(State(desk): At, Path(id): Path<String>) -> Reply<Vec<WeightLine>> {
    desk.weights(subject_id(&id)?).await.map(Json)
}

async fn weigh(State(desk): At, Path(id): Path<String>, Body(weigh): Body<Weigh>) -> Reply<Done> {
    desk.weigh(subject_id(&id)?, weigh).await.map(Json)
}

async fn give_water(State(desk): At, Path(id): Path<String>, Body(give): Body<GiveWater>) -> Reply<Done> {
    desk.give_water(subject_id(&id)?, give).await.map(Json)
}

async fn set_cares(State(desk): At, Path(id): Path<String>, Body(cares): Body<Cares>) -> Reply<Done> {
    desk.set_cares(subject_id(&id)?, cares).await.map(Json)
}

async fn note_down(State(desk): At, Path(id): Path<String>, Body(note): Body<NoteDown>) -> Reply<Done> {
    desk.note_down(subject_id(&id)?, note).await.map(Json)
}

async fn pause(State(desk): At, Path(id): Path<String>, Body(pause): Body<Pause>) -> Reply<Done> {
    desk.pause(&subject_id(&id)?, pause).await.map(Json)
}

async fn resume(State(desk): At, Path(id): Path<String>, Body(pause): Body<Pause>) -> Reply<Done> {
    desk.resume(&subject_id(&id)?, pause).await.map(Json)
}

async fn set(State(desk): At, Path(id): Path<String>, Body(set): Body<SetParameter>) -> Reply<Done> {
    desk.set(&subject_id(&id)?, set).await.map(Json)
}

async fn message(State(desk): At, Path(id): Path<String>, Body(send): Body<SendMessage>) -> Reply<Done> {
    desk.message(&subject_id(&id)?, send).await.map(Json)
}

async fn reward(State(desk): At, Path(id): Path<String>, Body(reward): Body<Reward>) -> Reply<Done> {
    desk.reward(&subject_id(&id)?, reward).await.map(Json)
}

async fn move_session(
    State(desk): At,
    Path((id, number)): Path<(String, u32)>,
    Body(order): Body<MoveSession>,
) -> Reply<Done> {
    desk.move_session(subject_id(&id)?, number, order).await.map(Json)
}

async fn start(State(desk): At, Body(start): Body<Start>) -> Reply<Done> {
    // A start that its client no longer waits for goes on to its end all the same.
    let started = tokio::spawn(async move { desk.start(start).await }).await;
    started
        .unwrap_or_else(|error| Err(Refusal::failed(format!("the terminal made a mistake: {error}"))))
        .map(Json)
}

async fn stop(State(desk): At, Body(stop): Body<Stop>) -> Reply<Done> {
    desk.stop(stop).await.map(Json)
}

async fn agents(State(desk): At) -> Json<Vec<AgentLine>> {
    Json(desk.enrolled())
}

async fn invite(State(desk): At, Body(Invite { name, role }): Body<Invite>) -> Reply<Invited> {
    desk.invite(name, role).await.map(Json)
}

async fn rename(State(desk): At, Path(name): Path<String>, Body(rename): Body<Rename>) -> Reply<Done> {
    desk.rename(agent_name(&name)?, rename).await.map(Json)
}

async fn revoke(State(desk): At, Path(name): Path<String>) -> Reply<Done> {
    desk.revoke(agent_name(&name)?).await.map(Json)
}

async fn nowhere(request: Request) -> Refusal {
    Refusal::missing(format!("there is nothing at {} {}", request.method(), request.uri().path()))
}

fn subject_id(text: &str) -> Allowed<SubjectId> {
    text.parse().map_err(|error| Refusal::wrong(format!("{error}")))
}

fn agent_name(text: &str) -> Allowed<Name> {
    text.parse().map_err(|error| Refusal::wrong(format!("{error}")))
}

/// What was asked, as JSON; anything else is refused in the form of every refusal.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Refusal> {
        let read: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        read.map(|Json(body)| Body(body)).map_err(|error| Refusal::wrong(error.body_text()))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.reason {
            Reason::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
            Reason::Missing => StatusCode::NOT_FOUND,
            Reason::Conflict => StatusCode::CONFLICT,
            Reason::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}
