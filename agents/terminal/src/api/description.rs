//! The API's description (OpenAPI 3.1), made from the routes themselves, and what it says of who
//! may ask for what.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::http::Method;
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};

use super::routes;
use crate::hands::wire::{HandAsks, HandTells};
use crate::live::wire::{Live, Watch};
use crate::refusal::Refusal;
use crate::users::Role;
use crate::web::COOKIE;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Bramble terminal",
        description = "What `bramble-terminal serve` answers, at `<data>/terminal.sock` and at the page's address."
    ),
    components(schemas(Live, Watch, HandTells, HandAsks, Refusal))
)]
struct Base;

/// Every path, with what it takes and answers.
pub(crate) fn openapi() -> &'static OpenApi {
    static DESCRIPTION: OnceLock<OpenApi> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        let mut all = Base::openapi();
        all.merge(routes::all().into_openapi());
        let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            COOKIE,
            "Where the terminal asks for a login: the cookie of `POST /api/v1/login`. The words beside it \
             are the least role that may do this: view, run or manage.",
        )));
        all.components.get_or_insert_default().add_security_scheme("login", scheme);
        for item in all.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            operations.into_iter().flatten().for_each(may_refuse);
        }
        all
    })
}

/// Every refusal has the same form.
fn may_refuse(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Refusal"))).build();
    let refusal = ResponseBuilder::new()
        .description("Why it was not done, and what to do about it.")
        .content("application/json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), refusal.into());
}

/// Who may ask for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// Anybody.
    Nothing,
    /// Who has logged in, with at least this role.
    Login(Role),
}

/// Who may ask for this path, as it stands in the description. What isn't there, nobody may.
pub(crate) fn needs(method: &Method, path: &str) -> Option<Needs> {
    static ALL: OnceLock<HashMap<(Method, String), Needs>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut all = HashMap::new();
        for (path, item) in &openapi().paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in operations {
                let needs = operation.as_ref().and_then(said);
                all.extend(needs.map(|needs| ((method, path.clone()), needs)));
            }
        }
        all
    });
    let method = if method == Method::HEAD { Method::GET } else { method.clone() };
    all.get(&(method, path.to_owned())).copied()
}

/// What an operation says of itself, or nothing where it says what can't be understood.
fn said(operation: &Operation) -> Option<Needs> {
    let security = serde_json::to_value(operation.security.as_ref()?).ok()?;
    let [scheme] = security.as_array()?.as_slice() else { return None };
    match scheme.get("login") {
        None => Some(Needs::Nothing),
        Some(roles) => roles.get(0)?.as_str()?.parse().ok().map(Needs::Login),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_says_who_may_ask_for_it() {
        for (path, item) in &openapi().paths.paths {
            let operations = [(Method::GET, &item.get), (Method::POST, &item.post)];
            for (method, _) in operations.into_iter().filter(|(_, operation)| operation.is_some()) {
                assert!(needs(&method, path).is_some(), "{method} {path}");
            }
        }
    }

    #[test]
    fn what_changes_something_is_not_for_who_may_only_look() {
        for (path, item) in &openapi().paths.paths {
            if let Some(operation) = &item.post {
                let open = path.ends_with("/login") || path.ends_with("/logout");
                assert!(open || said(operation) > Some(Needs::Login(Role::View)), "{path}");
            }
        }
    }

    #[test]
    fn the_description_is_written_down_as_it_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let now = format!("{}\n", openapi().to_pretty_json().unwrap());
        if std::env::var_os("BRAMBLE_RENEW").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let known = std::fs::read_to_string(path).unwrap_or_default();
        assert!(known == now, "{path} is not what the routes are: scripts/web --renew writes it anew");
    }

    #[test]
    fn the_book_has_every_path_and_no_other() {
        let mut table = String::new();
        for (path, item) in &openapi().paths.paths {
            for (method, operation) in [("GET", &item.get), ("POST", &item.post)] {
                let Some(operation) = operation else { continue };
                let role = match said(operation).unwrap() {
                    Needs::Nothing => "",
                    Needs::Login(role) => role.word(),
                };
                let summary = operation.summary.as_deref().unwrap().trim_end_matches('.');
                table += &format!("| {method} | `{path}` | {role} | {summary} |\n");
            }
        }
        let book = include_str!("../../../../docs/src/reference/api.md");
        let (_, rows) = book.split_once("|---|---|---|---|\n").unwrap();
        assert_eq!(rows, table, "write this table into docs/src/reference/api.md:\n{table}");
    }
}
