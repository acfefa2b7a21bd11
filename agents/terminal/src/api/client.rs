//! The API's other end, as the commands use it.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::PREFIX;
use super::asked::ASKED;
use crate::config::Settings;
use crate::refusal::{Allowed, Refusal};

/// How long the terminal may take to answer what takes no time.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way to the terminal that runs on a data folder.
pub(crate) struct Client {
    http: reqwest::Client,
    data: PathBuf,
}

impl Client {
    /// The way to the terminal of these settings, which need not run.
    ///
    /// # Errors
    /// Where no client can be made at all.
    pub(crate) fn new(settings: &Settings) -> Allowed<Client> {
        let http = reqwest::Client::builder().unix_socket(settings.socket()).no_proxy().build();
        let http = http.map_err(|error| Refusal::failed(format!("no HTTP client can be made: {error}")))?;
        Ok(Client { http, data: settings.data.clone() })
    }

    /// Asks for what is at a path.
    ///
    /// # Errors
    /// What the terminal says, or that none runs.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Allowed<T> {
        self.answer(self.http.get(url(path))).await
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// What the terminal says, or that none runs.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Allowed<T> {
        let asked = bramble_link::now().ns();
        self.answer(self.http.post(url(path)).header(ASKED, asked).json(body)).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Allowed<T> {
        let answered = tokio::select! {
            answered = request.send() => answered,
            () = self.silence() => return Err(self.silent()),
        };
        let response = answered.map_err(|error| match error.is_connect() {
            true => self.not_running(&error),
            false => broken(&error),
        })?;
        if response.status().is_success() {
            return response.json().await.map_err(|error| broken(&error));
        }
        Err(response.json().await.unwrap_or_else(|error| broken(&error)))
    }

    /// Waits until the terminal answers nothing: what it was asked may take long, and this never does.
    async fn silence(&self) {
        loop {
            tokio::time::sleep(PATIENCE).await;
            let asked = self.http.get(url("/lab")).timeout(PATIENCE).send().await;
            if asked.is_err_and(|error| error.is_timeout()) {
                return;
            }
        }
    }

    fn silent(&self) -> Refusal {
        Refusal::failed(format!("the terminal on {} runs, and answers nothing", self.data.display()))
            .help("its computer may be too busy, or it was stopped (kill -CONT goes on): look at what serve printed")
    }

    fn not_running(&self, error: &reqwest::Error) -> Refusal {
        let data = self.data.display();
        if is_forbidden(error) {
            return Refusal::failed(format!("the terminal on {data} is another user's"))
                .help("run this as that user (sudo -u USER bramble-terminal ...), or use its page");
        }
        Refusal::failed(format!("no terminal runs on the data folder {data}"))
            .help(format!("start it in another window: bramble-terminal serve --data {data}"))
    }
}

/// Whether a socket is there that only another user may open.
fn is_forbidden(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::PermissionDenied)
}

fn url(path: &str) -> String {
    // The host is only there because a URL has one.
    format!("http://terminal{PREFIX}{path}")
}

fn broken(error: &reqwest::Error) -> Refusal {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Refusal::failed(format!("the terminal broke off: {error}{cause}"))
        .help("look at what bramble-terminal serve printed")
}
