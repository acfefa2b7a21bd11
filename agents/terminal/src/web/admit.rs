//! Which requests a browser may make here. A page elsewhere can have a browser ask us, and a name
//! elsewhere can be made to lead here (DNS rebinding): both are seen in the headers that a
//! browser writes by itself.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};

use crate::refusal::{Allowed, Refusal};

/// The names that the page is reached by.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// Names of this computer on its network; numbers need no mention.
    pub(super) others: Vec<String>,
    /// Whether the page is at `https:`.
    pub(super) tls: bool,
}

impl Names {
    /// Whether a request may come in at all: it is for a name of ours, and, where it asks for
    /// more than to see the page, from our own page or from no page.
    ///
    /// # Errors
    /// Why it may not.
    pub(super) fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> Allowed<()> {
        let host =
            one(headers, header::HOST)?.ok_or_else(|| Refusal::forbidden("the request is for no host"))?;
        if !self.is_ours(host) {
            return Err(Refusal::forbidden(format!("`{host}` is no name of this terminal"))
                .help("ask by its address, or list the name in its configuration: [web] names"));
        }
        if let Some(origin) = one(headers, header::ORIGIN)? {
            let ours = format!("{}://{host}", if self.tls { "https" } else { "http" });
            if !origin.eq_ignore_ascii_case(&ours) {
                return Err(Refusal::forbidden(format!("a page of `{origin}` may ask for nothing here")));
            }
        }
        let elsewhere =
            headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
        let only_looks = method.is_safe() && !path.starts_with("/api/");
        if elsewhere && !only_looks {
            return Err(Refusal::forbidden("a page from elsewhere may ask for nothing here"));
        }
        Ok(())
    }

    /// Whether a `Host` is one of ours: this computer by a name that can't lead elsewhere, an
    /// address, which no name led to, or one that was configured. Whatever its port: a tunnel
    /// has another.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
                name
            }
            _ => host,
        };
        let number = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        number.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.others.iter().any(|other| name.eq_ignore_ascii_case(other))
    }
}

/// A header that a request has once at most.
fn one(headers: &HeaderMap, name: header::HeaderName) -> Allowed<Option<&str>> {
    let mut all = headers.get_all(&name).iter();
    let first = all.next();
    let unreadable = || Refusal::forbidden(format!("the request's `{name}` can't be understood"));
    if all.next().is_some() {
        return Err(unreadable());
    }
    first.map(|value| value.to_str().map_err(|_| unreadable())).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(method: Method, path: &str, said: &[(&'static str, &str)]) -> bool {
        let headers = said.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let names = Names { others: vec!["lab.example.org".into()], tls: false };
        names.admit(&method, path, &headers.collect()).is_ok()
    }

    #[test]
    fn only_names_of_ours_lead_here() {
        let ours =
            ["127.0.0.1:5680", "localhost:5680", "localhost", "[::1]:5680", "10.0.0.7", "LAB.example.org:1"];
        for host in ours {
            assert!(admitted(Method::GET, "/", &[("host", host)]), "{host}");
        }
        let foreign = [
            "evil.example",
            "evil.example:5680",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a@localhost",
            "localhost:x",
        ];
        for host in foreign {
            assert!(!admitted(Method::GET, "/", &[("host", host)]), "{host}");
        }
        assert!(!admitted(Method::GET, "/", &[]));
        assert!(!admitted(Method::GET, "/", &[("host", "localhost"), ("host", "localhost")]));
    }

    #[test]
    fn only_our_own_page_has_a_browser_ask_for_something() {
        let host = ("host", "localhost:5680");
        for path in ["/api/v1/stop", "/api/v1/live"] {
            for origin in ["http://localhost:5680", "HTTP://LOCALHOST:5680"] {
                assert!(admitted(Method::POST, path, &[host, ("origin", origin)]), "{origin}");
            }
            let foreign = ["http://evil.example", "http://localhost:3000", "https://localhost:5680", "null"];
            for origin in foreign {
                assert!(!admitted(Method::POST, path, &[host, ("origin", origin)]), "{origin}");
                assert!(!admitted(Method::GET, path, &[host, ("origin", origin)]), "{origin}");
            }
            for site in ["cross-site", "same-site"] {
                assert!(!admitted(Method::GET, path, &[host, ("sec-fetch-site", site)]), "{site}");
            }
            for site in ["same-origin", "none"] {
                assert!(admitted(Method::POST, path, &[host, ("sec-fetch-site", site)]), "{site}");
            }
        }
        assert!(admitted(Method::GET, "/", &[host, ("sec-fetch-site", "cross-site")]), "a link to the page");
        assert!(!admitted(Method::POST, "/", &[host, ("sec-fetch-site", "cross-site")]));
        assert!(admitted(Method::POST, "/api/v1/stop", &[host]), "a script is no page");
    }
}
