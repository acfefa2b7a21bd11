//! What stands before every request of a door.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use bramble_value::Person;

use super::admit::Names;
use super::{Caller, page};
use crate::api::PREFIX;
use crate::api::routes;
use crate::desk::Desk;

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
}

impl Door {
    /// The door of a page that is reached by these names, at `https:` or not.
    pub(crate) fn new(names: Vec<String>, tls: bool, person: Person) -> Door {
        Door { names: Names { others: names, tls }, person }
    }

    /// Everything that is answered at the page's address.
    pub(crate) fn router(self, desk: Arc<Desk>) -> Router {
        api().with_state(desk).layer(from_fn_with_state(Arc::new(self), guard))
    }
}

/// Everything that is answered at the Unix socket.
pub(crate) fn on_socket(desk: Arc<Desk>) -> Router {
    api().with_state(desk).layer(Extension(Caller::Socket))
}

fn api() -> Router<Arc<Desk>> {
    let router: Router<Arc<Desk>> = routes::all().into();
    router
        .fallback(routes::nowhere)
        .method_not_allowed_fallback(routes::nowhere)
        .layer(DefaultBodyLimit::max(LONGEST))
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
    async fn admit(&self, mut request: Request, next: Next) -> Result<Response, crate::refusal::Refusal> {
        let path = request.uri().path().to_owned();
        self.names.admit(request.method(), &path, request.headers())?;
        if !path.starts_with(PREFIX) {
            return Ok(page::file(request.method(), &path, request.headers()));
        }
        request.extensions_mut().insert(Caller::Here(self.person.clone()));
        let mut answer = next.run(request).await;
        answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        Ok(answer)
    }
}
