//! Logging in and out, where the terminal asks for that.

use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::header::SET_COOKIE;
use axum::response::AppendHeaders;
use axum::{Extension, Json};

use super::Body;
use crate::api::types::{Done, LogIn, LoginInfo};
use crate::refusal::Refusal;
use crate::users::Access;
use crate::web::{Caller, From};

type WithCookie<T> = (AppendHeaders<[(axum::http::HeaderName, String); 1]>, Json<T>);

/// Whether a login is asked for, and who has logged in.
#[utoipa::path(get, path = "/login", tag = "login", security(()),
    responses((status = 200, body = LoginInfo)))]
pub(super) async fn login(
    Extension(access): Extension<Arc<Access>>,
    Extension(caller): Extension<Caller>,
) -> Json<LoginInfo> {
    let known = !matches!(caller, Caller::Nobody);
    Json(LoginInfo {
        required: access.required,
        who: caller.person().cloned(),
        role: known.then(|| caller.role()),
    })
}

/// Log in; the answer's cookie is the login.
#[utoipa::path(post, path = "/login", tag = "login", security(()),
    request_body = LogIn, responses((status = 200, body = LoginInfo)))]
pub(super) async fn log_in(
    Extension(access): Extension<Arc<Access>>,
    ConnectInfo(From(from)): ConnectInfo<From>,
    Body(LogIn { user, password }): Body<LogIn>,
) -> Result<WithCookie<LoginInfo>, Refusal> {
    let Some(from) = from.filter(|_| access.required) else {
        return Err(Refusal::conflict("no login is asked for here"));
    };
    let (token, login) = access.log_in(from.ip(), user, password).await?;
    let info = LoginInfo { required: true, who: Some(login.person), role: Some(login.role) };
    Ok((AppendHeaders([(SET_COOKIE, access.cookie(Some(&token)))]), Json(info)))
}

/// Log out.
#[utoipa::path(post, path = "/logout", tag = "login", security(()),
    responses((status = 200, body = Done)))]
pub(super) async fn log_out(
    Extension(access): Extension<Arc<Access>>,
    Extension(caller): Extension<Caller>,
) -> WithCookie<Done> {
    caller.log_out();
    (AppendHeaders([(SET_COOKIE, access.cookie(None))]), Json(Done { done: "logged out".to_owned() }))
}
