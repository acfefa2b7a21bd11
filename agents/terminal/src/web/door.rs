//! What stands before every request of a door.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use bramble_value::Person;

use super::admit::Names;
use super::caller::User;
use super::{COOKIE, Caller, page};
use crate::api::asked;
use crate::api::description::{self, Needs};
use crate::api::routes;
use crate::desk::Desk;
use crate::refusal::{Allowed, Refusal};
use crate::users::{Access, Login, Token};

/// The longest body that is taken, in bytes: a task's file is far shorter.
const LONGEST: usize = 1 << 20;

/// What every answer says to a browser.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The page's door.
pub(crate) struct Door {
    names: Names,
    /// Who somebody on this computer is where they don't say.
    person: Person,
    access: Arc<Access>,
}

impl Door {
    /// The door of a page that is reached by these names, at `https:` or not.
    pub(crate) fn new(names: Vec<String>, tls: bool, person: Person, access: Access) -> Door {
        Door { names: Names { others: names, tls }, person, access: Arc::new(access) }
    }

    /// Everything that is answered at the page's address.
    pub(crate) fn router(self, desk: Arc<Desk>) -> Router {
        api().with_state(desk).layer(from_fn_with_state(Arc::new(self), guard))
    }
}

/// Everything that is answered at the Unix socket.
pub(crate) fn on_socket(desk: Arc<Desk>) -> Router {
    let access = Arc::new(Access::none(&desk.settings.data));
    api().with_state(desk).layer(Extension(Caller::Socket)).layer(Extension(access)).layer(from_fn(at_socket))
}

fn api() -> Router<Arc<Desk>> {
    let router: Router<Arc<Desk>> = routes::all().into();
    router
        .fallback(routes::nowhere)
        .method_not_allowed_fallback(routes::nowhere)
        .layer(DefaultBodyLimit::max(LONGEST))
}

/// Refuses what was asked too long ago, and a body by the length that it says it has; one that
/// doesn't say is held to it when it is read.
async fn at_socket(request: Request, next: Next) -> Response {
    let checked = asked::check(request.headers(), bramble_link::now());
    match checked.and_then(|()| check_length(&request)) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check_length(request: &Request) -> Allowed<()> {
    let length: Option<u64> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(length) if length > LONGEST as u64 => {
            Err(Refusal::too_large(format!("the body has {length} bytes, and at most {LONGEST} are taken")))
        }
        _ => Ok(()),
    }
}

async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut answer = match door.admit(request, next).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

impl Door {
    async fn admit(&self, mut request: Request, next: Next) -> Allowed<Response> {
        let path = request.uri().path().to_owned();
        self.names.admit(request.method(), &path, request.headers())?;
        if !path.starts_with("/api/") {
            return Ok(page::file(request.method(), &path, request.headers()));
        }
        check_length(&request)?;
        let caller = self.caller(&request)?;
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(Arc::clone(&self.access));
        let mut answer = next.run(request).await;
        answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    /// Who asks, where they may ask for this.
    fn caller(&self, request: &Request) -> Allowed<Caller> {
        if !self.access.required {
            return Ok(Caller::Here(self.person.clone()));
        }
        let token = token(request.headers());
        let user = token.and_then(|token| {
            let login = self.access.uses(&token)?;
            Some(User { login, token, access: Arc::clone(&self.access) })
        });
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let needs = path.map(|path| description::needs(request.method(), path));
        match (needs, user) {
            // What no description has, nobody may ask for.
            (Some(None), _) => Err(Refusal::missing(format!("there is nothing at {}", request.uri().path()))),
            (Some(Some(Needs::Nothing)), None) => Ok(Caller::Nobody),
            (Some(Some(Needs::Login(role))), Some(user)) if user.login.role < role => {
                let Login { user, role: has, .. } = &user.login;
                Err(Refusal::forbidden(format!("{user} may {has}, and this takes one who may {role}")).help(
                    format!("who runs the terminal can give more: bramble-terminal user role {user} {role}"),
                ))
            }
            (_, Some(user)) => Ok(Caller::User(Arc::new(user))),
            (_, None) => Err(Refusal::login("nobody has logged in").help("log in: POST /api/v1/login")),
        }
    }
}

/// The login in a request's cookies.
fn token(headers: &HeaderMap) -> Option<Token> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| Token::of(token))
}
