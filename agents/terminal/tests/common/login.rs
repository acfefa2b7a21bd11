//! Users of a page that asks for a login.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use super::bramble_terminal;
use super::http::{Said, ask};

/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn add_user(data: &std::path::Path, name: &str, role: &str) {
    let mut add = bramble_terminal(data)
        .args(["user", "add", name, "--role", role])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(add.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(add.wait().unwrap().success());
}

pub(crate) fn log_in(page: &str, user: &str, password: &str) -> Said {
    let body = json!({ "user": user, "password": password }).to_string();
    ask(page, "POST", "/api/v1/login", &[], body.as_bytes())
}

/// The cookie of somebody who has logged in.
pub(crate) fn cookie(page: &str, user: &str) -> String {
    let said = log_in(page, user, PASSWORD);
    assert_eq!(said.status, 200, "{}", String::from_utf8_lossy(&said.body));
    said.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}
