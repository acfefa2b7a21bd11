//! What a terminal's file says of the alerts that people are told of.

use std::path::PathBuf;

use bramble_alerts::Kind;
use bramble_rig::config::Age;
use bramble_value::Span;
use bytesize::ByteSize;
use serde::Deserialize;

/// What `[alerts]` says.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsFile {
    /// For how long a pilot is away before that is an alert.
    pub away: Option<Age>,
    /// For how long a session that isn't paused has no trial before that is one.
    pub stalled: Option<Age>,
    /// How long after its session nothing says that an animal is out of its box.
    pub left: Option<Age>,
    /// How much room a disk has to have.
    pub disk: Option<ByteSize>,
    /// How long before a calibration is too old that is said.
    pub calibration: Option<Age>,
    /// How long after an alert was told it is told again where nobody has seen it; `0 h`: never.
    pub remind: Option<Age>,
    /// Kinds that are never said.
    pub off: Vec<Kind>,
    /// How others are told.
    pub webhook: Option<WebhookFile>,
}

/// What `[alerts.webhook]` says: one of `url`, `url_file` and `command` says where to.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFile {
    /// Where a message is sent to by POST: `https://...` or `http://...`.
    pub url: Option<String>,
    /// A file that the URL is in, where it is a secret: this file goes into the record of sessions.
    pub url_file: Option<PathBuf>,
    /// A program and its arguments that a message is given to at its standard input.
    pub command: Option<Vec<String>>,
    /// What the message looks like.
    pub form: Option<WebhookForm>,
    /// A file that says what it looks like.
    pub template: Option<PathBuf>,
    /// Whom a mail is to.
    pub to: Option<String>,
    /// A file of headers, `Name: value`, one a line.
    pub headers: Option<PathBuf>,
    /// How long the other side may take.
    pub timeout: Option<Age>,
    /// For how long a message to people waits for others that are told with it.
    pub gather: Option<Age>,
}

/// What a message looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookForm {
    /// All that is known, as JSON.
    #[default]
    Json,
    /// `{"text": "..."}`, as Slack, Mattermost, Rocket.Chat and Google Chat take it.
    Chat,
    /// A mail with its headers, as `sendmail -t` takes it.
    Mail,
}

impl AlertsFile {
    /// For how long a pilot is away.
    pub fn away(&self) -> Span {
        self.away.map_or(Span::from_s(30), |age| age.0)
    }

    /// For how long a session has no trial.
    pub fn stalled(&self) -> Span {
        self.stalled.map_or(Span::from_s(10 * 60), |age| age.0)
    }

    /// How long after its session an animal may be in its box.
    pub fn left(&self) -> Span {
        self.left.map_or(Span::from_s(30 * 60), |age| age.0)
    }

    /// How much room a disk has to have.
    pub fn disk(&self) -> ByteSize {
        self.disk.unwrap_or(ByteSize::gb(5))
    }

    /// How long before a calibration is too old that is said.
    pub fn calibration(&self) -> Span {
        self.calibration.map_or(Span::from_s(7 * 24 * 3600), |age| age.0)
    }

    /// After how long an alert is told again; never where it is nothing.
    pub fn remind(&self) -> Option<Span> {
        let remind = self.remind.map_or(Span::from_s(4 * 3600), |age| age.0);
        (remind > Span::ZERO).then_some(remind)
    }
}

impl WebhookFile {
    /// The files that it names.
    pub fn paths(&mut self) -> [&mut Option<PathBuf>; 3] {
        [&mut self.url_file, &mut self.template, &mut self.headers]
    }

    /// How long the other side may take.
    pub fn timeout(&self) -> Span {
        self.timeout.map_or(Span::from_s(10), |age| age.0)
    }

    /// For how long a message to people waits for others.
    pub fn gather(&self) -> Span {
        self.gather.map_or(Span::from_s(10), |age| age.0)
    }
}
