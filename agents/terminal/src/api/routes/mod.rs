//! The paths of the API, and what each does at the desk.

mod agents;
mod alerts;
mod body;
mod lab;
mod login;
mod pilots;
mod recorded;
mod sessions;
mod subjects;
mod tasks;
mod upgrade;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bramble_value::{Name, SubjectId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::PREFIX;
use crate::desk::Desk;
use crate::refusal::{Allowed, Reason, Refusal};
use body::{Body, Sought};

type At = State<Arc<Desk>>;
type Reply<T> = Result<Json<T>, Refusal>;

/// Every path there is, each with its description.
pub(crate) fn all() -> OpenApiRouter<Arc<Desk>> {
    let all = OpenApiRouter::new()
        .routes(routes!(lab::status))
        .routes(routes!(lab::lab))
        .routes(routes!(lab::timing))
        .routes(routes!(lab::test_link))
        .routes(routes!(lab::live))
        .routes(routes!(lab::description))
        .routes(routes!(login::login, login::log_in))
        .routes(routes!(login::log_out))
        .routes(routes!(subjects::list, subjects::add))
        .routes(routes!(subjects::show))
        .routes(routes!(subjects::history))
        .routes(routes!(subjects::assign))
        .routes(routes!(subjects::edit))
        .routes(routes!(subjects::weights, subjects::weigh))
        .routes(routes!(subjects::waters, subjects::give_water))
        .routes(routes!(subjects::set_cares))
        .routes(routes!(subjects::note_down))
        .routes(routes!(subjects::assign_all))
        .routes(routes!(recorded::show))
        .routes(routes!(recorded::export))
        .routes(routes!(recorded::export_all))
        .routes(routes!(sessions::report))
        .routes(routes!(sessions::report_page))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::show, tasks::check))
        .routes(routes!(tasks::simulate))
        .routes(routes!(tasks::protocols, tasks::save))
        .routes(routes!(sessions::pause))
        .routes(routes!(sessions::resume))
        .routes(routes!(sessions::set))
        .routes(routes!(sessions::message))
        .routes(routes!(sessions::reward))
        .routes(routes!(sessions::move_session))
        .routes(routes!(sessions::start))
        .routes(routes!(sessions::stop))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::see))
        .routes(routes!(alerts::silence))
        .routes(routes!(alerts::test))
        .routes(routes!(alerts::take_out))
        .routes(routes!(pilots::hand))
        .routes(routes!(agents::list))
        .routes(routes!(agents::invite))
        .routes(routes!(agents::rename))
        .routes(routes!(agents::revoke));
    OpenApiRouter::new().nest(PREFIX, all)
}

/// What is said where there is nothing.
pub(crate) async fn nowhere(request: Request) -> Refusal {
    Refusal::missing(format!("there is nothing at {} {}", request.method(), request.uri().path()))
}

fn subject_id(text: &str) -> Allowed<SubjectId> {
    text.parse().map_err(|error| Refusal::wrong(format!("{error}")))
}

fn agent_name(text: &str) -> Allowed<Name> {
    text.parse().map_err(|error| Refusal::wrong(format!("{error}")))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.reason {
            Reason::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
            Reason::Missing => StatusCode::NOT_FOUND,
            Reason::Conflict => StatusCode::CONFLICT,
            Reason::Login => StatusCode::UNAUTHORIZED,
            Reason::Forbidden => StatusCode::FORBIDDEN,
            Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Reason::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}
