//! Sessions that were recorded: to look at, and for other programs.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use bramble_export::Form;
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{At, Reply, Sought, subject_id};
use crate::api::types::RecordedSession;
use crate::desk::{Download, Part};
use crate::refusal::{Allowed, Refusal};

/// Which trials' events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    /// The first trial that is wanted with its events; where it isn't said, the last 30 are.
    from: Option<u32>,
}

/// A session as its file has it: its task, trials, events and log.
#[utoipa::path(get, path = "/subjects/{id}/sessions/{number}", tag = "sessions", security(("login" = ["view"])),
    params(("id" = String, Path), ("number" = u32, Path), From),
    responses((status = 200, body = RecordedSession)))]
pub(super) async fn show(
    State(desk): At,
    Path((id, number)): Path<(String, u32)>,
    Sought(From { from }): Sought<From>,
) -> Reply<RecordedSession> {
    desk.recorded(subject_id(&id)?, number, from).await.map(Json)
}

/// A session for other programs: `nwb` as it is; `csv`, `parquet` and `aind` in a zip.
#[utoipa::path(get, path = "/subjects/{id}/sessions/{number}/export/{form}", tag = "sessions",
    security(("login" = ["view"])),
    params(("id" = String, Path), ("number" = u32, Path), ("form" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(super) async fn export(
    State(desk): At,
    Path((id, number, form)): Path<(String, u32, String)>,
) -> Result<impl IntoResponse, Refusal> {
    desk.export(subject_id(&id)?, Some(number), known(&form)?).await.map(sent)
}

/// Every session of a subject for other programs, in a zip: `nwb`, `csv`, `parquet` or `aind`.
#[utoipa::path(get, path = "/subjects/{id}/export/{form}", tag = "subjects", security(("login" = ["view"])),
    params(("id" = String, Path), ("form" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(super) async fn export_all(
    State(desk): At,
    Path((id, form)): Path<(String, String)>,
) -> Result<impl IntoResponse, Refusal> {
    desk.export(subject_id(&id)?, None, known(&form)?).await.map(sent)
}

fn known(form: &str) -> Allowed<Form> {
    form.parse().map_err(|error| Refusal::wrong(format!("{error}")))
}

fn sent(Download { name, parts }: Download) -> impl IntoResponse {
    let body = stream::unfold(Some(parts), |parts| async move {
        let mut parts = parts?;
        match parts.recv().await {
            Some(Part::Bytes(bytes)) => Some((Ok(bytes), Some(parts))),
            Some(Part::End) => None,
            // The connection is broken off, so that nobody takes what came for all.
            None => Some((Err(io::Error::other("the download broke off")), None)),
        }
    });
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, Body::from_stream(body))
}
