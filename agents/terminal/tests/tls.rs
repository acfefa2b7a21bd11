//! The page with TLS from files.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use crate::common::http::{Said, ask, ask_over, authority};
use crate::common::{Terminal, bramble_terminal, refusal};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const PASSWORD: &str = "correct horse";

type Secured = StreamOwned<ClientConnection, TcpStream>;

/// A certificate of our own for `localhost`, in files, and who trusts it.
struct Tls {
    folder: TempDir,
    client: Arc<ClientConfig>,
}

impl Tls {
    fn new() -> Tls {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lab.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("lab.key"), made.signing_key.serialize_pem()).unwrap();
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from(made.cert)).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Tls { folder, client: Arc::new(client) }
    }

    /// The configuration that names the files.
    fn config(&self) -> String {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        format!("[web]\ncertificate = \"{}\"\nkey = \"{}\"\n", path("lab.pem"), path("lab.key"))
    }

    fn connect(&self, page: &str) -> Secured {
        let name = "localhost".try_into().unwrap();
        let client = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        StreamOwned::new(client, TcpStream::connect(authority(page)).unwrap())
    }

    fn ask(&self, page: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Said {
        ask_over(self.connect(page), page, method, path, headers, body)
    }
}

fn add_user(data: &Path) {
    let mut add = bramble_terminal(data)
        .args(["user", "add", "mona", "--role", "manage"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(add.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(add.wait().unwrap().success());
}

#[test]
fn a_page_with_tls_is_there_with_tls_and_says_so_to_who_comes_without() {
    let tls = Tls::new();
    let terminal = Terminal::start_with(&tls.config(), |_| {});
    let page = &terminal.page;
    assert!(page.starts_with("https://127.0.0.1:"), "{page}");
    assert_eq!(tls.ask(page, "GET", "/api/v1/status", &[], b"").status, 200);
    let plain = ask(page, "GET", "/", &[], b"");
    let said = String::from_utf8(plain.body).unwrap();
    assert!(plain.status == 400 && said.contains("write https://"), "{} {said}", plain.status);
    assert_eq!(tls.ask(page, "GET", "/", &[], b"").status, 200, "others are let in as before");
}

#[test]
fn a_login_over_tls_is_for_tls_alone_and_opens_the_web_socket() {
    let tls = Tls::new();
    let terminal = Terminal::start_with(&format!("{}login = true\n", tls.config()), add_user);
    let page = &terminal.page;
    let body = json!({ "user": "mona", "password": PASSWORD }).to_string();
    let said = tls.ask(page, "POST", "/api/v1/login", &[], body.as_bytes());
    let cookie = said.header("set-cookie").unwrap();
    assert!(said.status == 200 && cookie.contains("; Secure"), "{} {cookie}", said.status);
    let cookie = cookie.split(';').next().unwrap();
    let host = authority(page);
    let open = |cookie: Option<&str>| {
        let mut request = tokio_tungstenite::tungstenite::ClientRequestBuilder::new(
            format!("wss://{host}/api/v1/live").parse().unwrap(),
        )
        .with_header("origin", format!("https://{host}"));
        if let Some(cookie) = cookie {
            request = request.with_header("cookie", cookie);
        }
        tokio_tungstenite::tungstenite::client(request, tls.connect(page)).ok()
    };
    assert!(open(None).is_none(), "nobody has logged in");
    let (mut socket, _) = open(Some(cookie)).unwrap();
    let first: Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
    assert_eq!(first["kind"], "snapshot");
}

#[test]
fn beyond_this_computer_tls_is_not_enough_where_nobody_can_log_in() {
    let tls = Tls::new();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("terminal.toml");
    let serve = |text: &str| {
        std::fs::write(&config, text).unwrap();
        let listen = format!("ipc://{}/pilots.sock", folder.path().display());
        let serve =
            ["--config", config.to_str().unwrap(), "serve", "--listen", &listen, "--web", "0.0.0.0:0"];
        refusal(&bramble_terminal(&folder.path().join("lab")).args(serve).output().unwrap())
    };
    let said = serve(&tls.config());
    assert!(said.contains("there is no user yet") && said.contains("user add"), "{said}");
    let said = serve(&format!("{}login = false\n", tls.config()));
    assert!(said.contains("without a login"), "{said}");
}

#[test]
fn files_that_are_no_certificate_and_key_are_named() {
    let tls = Tls::new();
    std::fs::write(tls.folder.path().join("lab.key"), "no key").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("terminal.toml");
    std::fs::write(&config, tls.config()).unwrap();
    let listen = format!("ipc://{}/pilots.sock", folder.path().display());
    let serve = ["--config", config.to_str().unwrap(), "serve", "--listen", &listen, "--web", "127.0.0.1:0"];
    let said = refusal(&bramble_terminal(&folder.path().join("lab")).args(serve).output().unwrap());
    assert!(said.contains("TLS can't use") && said.contains("lab.key"), "{said}");
}
