//! The way out: an HTTP request, or a program.

use std::process::Stdio;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use bramble_alerts::News;
use bramble_settings::WebhookFile;
use bramble_value::Span;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::message::{From, Look};
use crate::refusal::{Allowed, Refusal};
use crate::web::Stream;

/// The longest answer that is looked at, in bytes.
const LONGEST: usize = 64 << 10;
/// As much of an answer is told a person.
const SHOWN: usize = 200;

/// Tells others.
#[derive(Debug)]
pub(super) struct Webhook {
    way: Way,
    look: Look,
    from: From,
    timeout: Duration,
    gather: Span,
}

#[derive(Debug)]
enum Way {
    Http { uri: Uri, headers: HeaderMap },
    Command { program: String, arguments: Vec<String> },
}

impl Webhook {
    /// As the configuration says.
    ///
    /// # Errors
    /// Where it says what can't be.
    pub(super) fn of(file: &WebhookFile, from: From) -> Allowed<Webhook> {
        let look = Look::of(file)?;
        let way = match (&file.url, &file.url_file, &file.command) {
            (Some(url), None, None) => http(url, file, &look)?,
            (None, Some(path), None) => http(read(path, "url_file")?.trim(), file, &look)?,
            (None, None, Some(command)) => match command.as_slice() {
                [program, arguments @ ..] => {
                    Way::Command { program: program.clone(), arguments: arguments.to_vec() }
                }
                [] => {
                    return Err(
                        wrong("`command` is empty").help("command = [\"/usr/sbin/sendmail\", \"-t\"]")
                    );
                }
            },
            _ => {
                return Err(wrong("it is one of `url`, `url_file` and `command` that says where alerts go")
                    .help("url = \"https://chat.example.org/hooks/...\""));
            }
        };
        let timeout = Duration::from_nanos(file.timeout().ns().unsigned_abs());
        let gather = match (&look, file.gather) {
            (Look::Whole, None) => Span::ZERO,
            (Look::Whole, Some(_)) => {
                return Err(wrong(
                    "`gather` is for messages to people: as JSON each alert is a message of its own",
                )
                .help("remove it, or choose `form` or `template`"));
            }
            (Look::Template(_), _) => file.gather(),
        };
        Ok(Webhook { way, look, from, timeout, gather })
    }

    /// For how long a message waits for others that are told with it.
    pub(super) fn gather(&self) -> Span {
        self.gather
    }

    /// Whether both are told in one message.
    pub(super) fn tells_together(&self, one: &News, other: &News) -> bool {
        matches!(self.look, Look::Template(_)) && (one.what, one.alert.kind) == (other.what, other.alert.kind)
    }

    /// Tells some news in one message, and says what was answered.
    ///
    /// # Errors
    /// Why it was not taken, in a sentence.
    pub(super) async fn tell(&self, first: &News, more: &[News]) -> Result<String, String> {
        let message = self.look.write(first, more, &self.from);
        let telling = async {
            match &self.way {
                Way::Http { uri, headers } => self.post(uri, headers, message).await,
                Way::Command { program, arguments } => run(program, arguments, &message).await,
            }
        };
        let seconds = self.timeout.as_secs_f64();
        tokio::time::timeout(self.timeout, telling)
            .await
            .unwrap_or_else(|_| Err(format!("there was no answer within {seconds} s")))
    }

    async fn post(&self, uri: &Uri, headers: &HeaderMap, message: String) -> Result<String, String> {
        let host = uri.host().unwrap_or_default();
        let stream = connect(uri).await.map_err(|error| {
            // The system's number of it tells nobody anything.
            let why = error.to_string();
            format!("{host} can't be reached: {}", why.split(" (os error").next().unwrap_or(&why))
        })?;
        let broken = |error: hyper::Error| format!("{host} broke off: {error}");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // It ends with what is sent on it.
        let connection = tokio::spawn(connection);
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let mut request = Request::new(Body::from(message));
        (*request.method_mut(), *request.headers_mut()) = (Method::POST, headers.clone());
        *request.uri_mut() = target.parse().map_err(|_| format!("`{target}` is no path"))?;
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        let body = to_bytes(Body::new(answer.into_body()), LONGEST).await.unwrap_or_default();
        connection.abort();
        let said: String = String::from_utf8_lossy(&body).trim().chars().take(SHOWN).collect();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        match status.is_success() {
            true => Ok(format!("{host} answered {status}{said}")),
            false => Err(format!("{host} answered {status}{said}")),
        }
    }
}

fn wrong(why: impl std::fmt::Display) -> Refusal {
    Refusal::wrong(format!("the configuration's [alerts.webhook] can't be used: {why}"))
}

fn read(path: &std::path::Path, key: &str) -> Allowed<String> {
    std::fs::read_to_string(path).map_err(|error| wrong(format!("`{key}`, {}: {error}", path.display())))
}

fn http(url: &str, file: &WebhookFile, look: &Look) -> Allowed<Way> {
    let uri: Uri = url.parse().map_err(|error| wrong(format!("the URL is none: {error}")))?;
    let host = match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => {
            authority.as_str().to_owned()
        }
        (Some("http" | "https"), Some(_)) => {
            return Err(wrong("a name and a password are not said in its URL")
                .help("write `Authorization: Basic ...` into a file that `headers` names"));
        }
        _ => return Err(wrong("a URL begins with https:// or http:// and a host")),
    };
    let mut headers = HeaderMap::new();
    let value =
        |text: &str| HeaderValue::from_str(text).map_err(|_| wrong("a header has what none may have"));
    headers.insert(header::HOST, value(&host)?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(look.content_type()));
    headers
        .insert(header::USER_AGENT, HeaderValue::from_static(concat!("bramble/", env!("CARGO_PKG_VERSION"))));
    let lines = file.headers.as_deref().map(|path| read(path, "headers")).transpose()?.unwrap_or_default();
    for (number, line) in (1..).zip(lines.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let named = line.split_once(':').and_then(|(name, text)| {
            Some((name.trim().parse::<HeaderName>().ok()?, HeaderValue::from_str(text.trim()).ok()?))
        });
        let (name, mut text) =
            named.ok_or_else(|| wrong(format!("line {number} of `headers` is not as `Name: value`")))?;
        text.set_sensitive(true);
        headers.insert(name, text);
    }
    Ok(Way::Http { uri, headers })
}

async fn connect(uri: &Uri) -> std::io::Result<Box<dyn Stream>> {
    let is_tls = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    if !is_tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    let connector = TlsConnector::from(std::sync::Arc::new(trusting()?));
    Ok(Box::new(connector.connect(name, stream).await?))
}

/// Who this computer trusts, as of now.
fn trusting() -> std::io::Result<ClientConfig> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(std::io::Error::other(format!(
            "this computer has no certificates that it trusts{why}; install ca-certificates"
        )));
    }
    let builder = ClientConfig::builder_with_provider(std::sync::Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(std::io::Error::other)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Gives a program a message at its standard input, and waits for its end.
async fn run(program: &str, arguments: &[String], message: &str) -> Result<String, String> {
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Where it takes too long, it ends.
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{program} can't be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // One that doesn't read says by its status whether that is well.
        let _ = input.write_all(message.as_bytes()).await;
    }
    let mut said = Vec::new();
    if let Some(mut output) = child.stderr.take() {
        // What can't be read is not said. Of one that says more than is looked at the rest is read too: it
        // must not wait for that.
        let _ = (&mut output).take(LONGEST as u64).read_to_end(&mut said).await;
        let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    }
    let status = child.wait().await.map_err(|error| format!("{program}: {error}"))?;
    let said: String = String::from_utf8_lossy(&said).trim().chars().take(SHOWN).collect();
    match status.success() {
        true => Ok(format!("{program} took it")),
        false if said.is_empty() => Err(format!("{program} failed: {status}")),
        false => Err(format!("{program} failed ({status}): {said}")),
    }
}
