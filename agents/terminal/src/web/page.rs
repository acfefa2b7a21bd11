//! The page's files, which are in the program.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::refusal::Refusal;

/// What scripts/web built; nothing where it has not run.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dist;

/// The page of a program that has none.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Bramble</title>\
<h1>This terminal was built without its page</h1>\
<p>It runs all the same, and the commands of bramble-terminal reach it. For the page, run \
<code>scripts/web</code> in the repository, then build again.</p></html>";

/// How a file may be packed, best first: what a browser calls it, and how the file's name ends.
const PACKINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The file at a path. A path without one is the page's own to show.
pub(super) fn file(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Refusal::missing(format!("there is nothing at {method} {path}")).into_response();
    }
    let name = path.trim_start_matches('/');
    let is_file = name.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let name = if name.is_empty() || !is_file { "index.html" } else { name };
    let Some(plain) = Dist::get(name) else {
        return match name {
            "index.html" => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response(),
            _ => Refusal::missing(format!("the page has no file {name}")).into_response(),
        };
    };
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let packed = PACKINGS
        .iter()
        .filter(|(packing, _)| accepts(accepted, packing))
        .find_map(|(packing, end)| Some((*packing, Dist::get(&format!("{name}{end}"))?)));
    let tag = etag(&plain);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut answer = Response::builder()
        .header(header::CONTENT_TYPE, content_type(&plain))
        .header(header::ETAG, &tag)
        .header(header::VARY, "accept-encoding")
        // Files under assets/ have a name that changes with what is in them.
        .header(
            header::CACHE_CONTROL,
            match name.starts_with("assets/") {
                true => "public, max-age=31536000, immutable",
                false => "no-cache",
            },
        );
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        answer = answer.status(StatusCode::NOT_MODIFIED);
        return answer.body(Body::empty()).unwrap_or_default();
    }
    let data = match packed {
        Some((packing, packed)) => {
            answer = answer.header(header::CONTENT_ENCODING, packing);
            packed.data
        }
        None => plain.data,
    };
    let body = match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    answer.body(body).unwrap_or_default()
}

/// Whether an `Accept-Encoding` has this packing, and not with a weight of 0.
fn accepts(accepted: &str, packing: &str) -> bool {
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let never = |weight: &str| weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        parts.next() == Some(packing) && !parts.any(never)
    })
}

fn content_type(file: &EmbeddedFile) -> String {
    match file.metadata.mimetype() {
        text if text.starts_with("text/") || text.ends_with("javascript") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packing_is_used_where_the_browser_takes_it() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("gzip;q=0.5,br;q=1", "gzip"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("", "gzip"));
    }

    #[test]
    fn every_path_without_a_file_is_the_page() {
        for path in ["/", "/pilots/box1", "/subjects/M001"] {
            let answer = file(&Method::GET, path, &HeaderMap::new());
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        }
        assert_eq!(file(&Method::GET, "/assets/none.js", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
        assert_eq!(file(&Method::GET, "/../Cargo.toml", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
        assert_eq!(file(&Method::POST, "/", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
