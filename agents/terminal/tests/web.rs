//! The page's door: who may come in and for what.

use crate::common::http::ask;
use crate::common::login::{PASSWORD, add_user, cookie, log_in};
use crate::common::{Terminal, bramble_terminal, refusal};
use serde_json::{Value, json};

/// Who can log in, with what they may do.
const USERS: [(&str, &str); 3] = [("vera", "view"), ("rick", "run"), ("mona", "manage")];

/// A terminal whose page asks for a login.
fn with_login() -> Terminal {
    Terminal::start_with("[web]\nlogin = true\n", |data| {
        for (name, role) in USERS {
            add_user(data, name, role);
        }
    })
}

/// Every operation of the description: its method, its path with something in its places, and
/// the least role that may do it, where one has to log in for it.
fn operations(page: &str, headers: &[(&str, &str)]) -> Vec<(String, String, Option<String>)> {
    let description = ask(page, "GET", "/api/v1/openapi.json", headers, b"").json();
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let path = path
            .replace("{id}", "M001")
            .replace("{name}", "box1")
            .replace("{number}", "1")
            .replace("{form}", "csv");
        assert!(!path.contains('{'), "{path} has a place that this test doesn't know");
        for (method, operation) in item.as_object().unwrap() {
            let needs = operation["security"][0]["login"][0].as_str().map(str::to_owned);
            all.push((method.to_uppercase(), path.clone(), needs));
        }
    }
    assert!(all.len() > 25, "{all:?}");
    all
}

fn body_for(method: &str) -> &'static [u8] {
    if method == "POST" { b"{}" } else { b"" }
}

#[test]
fn every_path_is_for_who_has_logged_in_with_the_role_for_it() {
    let terminal = with_login();
    let page = &terminal.page;
    let cookies = USERS.map(|(name, role)| (role, cookie(page, name)));
    let manager = [("cookie", cookies[2].1.as_str())];
    for (method, path, needs) in operations(page, &manager) {
        // This one would end the login that the others are asked with.
        if path.ends_with("/logout") {
            continue;
        }
        let status = |headers: &[(&str, &str)]| ask(page, &method, &path, headers, body_for(&method)).status;
        let Some(needs) = needs else {
            assert!(![401, 403].contains(&status(&[])), "{method} {path} is for everybody");
            continue;
        };
        assert_eq!(status(&[]), 401, "{method} {path} without a login");
        assert_eq!(
            status(&[("cookie", "bramble-login=00")]),
            401,
            "{method} {path} with a login that is none"
        );
        let place = |role: &str| USERS.iter().position(|(_, known)| *known == role).unwrap();
        for (role, cookie) in &cookies {
            let status = status(&[("cookie", cookie)]);
            let may = place(role) >= place(&needs);
            assert_eq!(status == 403, !may, "{method} {path} needs {needs}, and {role} got {status}");
            assert_ne!(status, 401, "{method} {path}");
        }
    }
}

#[test]
fn nothing_is_for_a_page_from_elsewhere_or_for_a_name_that_leads_here() {
    let terminal = Terminal::start();
    let page = &terminal.page;
    let foreign: [&[(&str, &str)]; 5] = [
        &[("host", "evil.example")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for (method, path, _) in operations(page, &[]) {
        for headers in foreign {
            let said = ask(page, &method, &path, headers, body_for(&method));
            assert_eq!(said.status, 403, "{method} {path} with {headers:?}");
        }
    }
    assert_eq!(ask(page, "GET", "/", &[("host", "evil.example")], b"").status, 403);
    assert_eq!(terminal.json(&["subject", "list", "--json"]), json!([]), "nothing was done");
}

#[test]
fn a_body_that_is_too_long_is_refused_everywhere() {
    let terminal = Terminal::start();
    let long = vec![b' '; 3 << 20];
    for (method, path, _) in operations(&terminal.page, &[]) {
        if method == "POST" {
            assert_eq!(ask(&terminal.page, &method, &path, &[], &long).status, 413, "{path}");
        }
    }
}

#[test]
fn what_is_answered_tells_a_browser_to_be_careful() {
    let terminal = Terminal::start();
    for path in ["/", "/subjects/M001", "/api/v1/status", "/api/v1/nowhere"] {
        let said = ask(&terminal.page, "GET", path, &[], b"");
        let policy = said.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(said.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    assert_eq!(
        ask(&terminal.page, "GET", "/api/v1/status", &[], b"").header("cache-control"),
        Some("no-store")
    );
}

#[test]
fn the_record_says_who_logged_in_and_nobody_else() {
    let terminal = with_login();
    let cookie = cookie(&terminal.page, "mona");
    let add = |body: Value| {
        let headers = [("cookie", cookie.as_str())];
        ask(&terminal.page, "POST", "/api/v1/subjects", &headers, body.to_string().as_bytes())
    };
    assert_eq!(add(json!({ "id": "M001", "who": "somebody@else" })).status, 403);
    assert_eq!(add(json!({ "id": "M001" })).status, 200);
    let history = terminal.json(&["subject", "history", "M001", "--json"]);
    assert!(history[0]["who"].as_str().unwrap().starts_with("mona@"), "{history}");
}

#[test]
fn without_a_login_who_says_nothing_is_the_terminals_own_user() {
    let terminal = Terminal::start();
    let lab = ask(&terminal.page, "GET", "/api/v1/lab", &[], b"").json();
    let add = |body: Value| {
        ask(&terminal.page, "POST", "/api/v1/subjects", &[], body.to_string().as_bytes()).status
    };
    assert_eq!((add(json!({ "id": "M001" })), add(json!({ "id": "M002", "who": "bob@laptop" }))), (200, 200));
    let who = |subject: &str| terminal.json(&["subject", "history", subject, "--json"])[0]["who"].clone();
    assert_eq!((who("M001"), who("M002")), (lab["who"].clone(), json!("bob@laptop")));
}

#[test]
fn a_login_ends_when_its_user_logs_out_or_is_removed() {
    let terminal = with_login();
    let page = &terminal.page;
    let status = |cookie: &str| ask(page, "GET", "/api/v1/status", &[("cookie", cookie)], b"").status;
    let (vera, mona) = (cookie(page, "vera"), cookie(page, "mona"));
    assert_eq!((status(&vera), status(&mona)), (200, 200));
    let said = ask(page, "POST", "/api/v1/logout", &[("cookie", &vera)], b"");
    assert!(said.header("set-cookie").unwrap().contains("Max-Age=0"));
    terminal.say(&["user", "remove", "mona"]);
    assert_eq!((status(&vera), status(&mona)), (401, 401));
}

#[test]
fn a_cookie_is_for_this_page_alone_and_for_no_script() {
    let terminal = with_login();
    let said = log_in(&terminal.page, "vera", PASSWORD);
    let cookie = said.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("Secure"), "it comes without TLS: {cookie}");
}

#[test]
fn wrong_passwords_are_refused_and_soon_slowed_down() {
    let terminal = with_login();
    let mut statuses = (0..12).map(|_| log_in(&terminal.page, "vera", "wrong horse").status);
    assert!(statuses.by_ref().take(10).all(|status| status == 401));
    assert!(statuses.all(|status| status == 429));
    assert_eq!(log_in(&terminal.page, "vera", PASSWORD).status, 429, "whatever is tried then");
}

#[test]
fn beyond_this_computer_a_page_without_tls_and_a_login_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |web: &str| {
        let listen = format!("ipc://{}/pilots.sock", folder.path().display());
        let serve = ["serve", "--listen", &listen, "--web", web];
        refusal(&bramble_terminal(&folder.path().join("lab")).args(serve).output().unwrap())
    };
    let said = serve("0.0.0.0:0");
    assert!(said.contains("without TLS") && said.contains("ssh -L"), "{said}");
    let said = serve("192.0.2.1:5680");
    assert!(said.contains("without TLS"), "{said}");
}
