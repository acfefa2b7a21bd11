//! What others are told, in the form that they take.

use std::collections::BTreeMap;
use std::path::Path;

use bramble_alerts::{Alert, Field, Form, News, Template, What};
use bramble_settings::{WebhookFile, WebhookForm};
use bramble_value::Name;
use jiff::Timestamp;
use serde::Serialize;

use crate::refusal::{Allowed, Refusal};

/// The version of the JSON form: it grows, and nothing in it goes away or changes its meaning.
const VERSION: u32 = 1;

/// The places that a template may have.
const FIELDS: [&str; 14] = [
    "summary", "event", "text", "lines", "kind", "about", "pilot", "subject", "id", "since", "began",
    "terminal", "lab", "to",
];
/// So many alerts of one message are in its summary, which is one line of a mail's head.
const SUMMED: usize = 3;

const CHAT: &str = r#"{"text": "{{summary}}"}"#;

const MAIL: &str = "\
To: {{to}}
Subject: {{summary}}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

{{lines}}

{{kind}} {{event}} at {{terminal}}, since {{since}}.
Where you have seen it, say so, and nobody is reminded: bramble-terminal alerts seen {{id}}
";

/// What a message looks like.
#[derive(Debug, Clone)]
pub(super) enum Look {
    /// All of it, as JSON.
    Whole,
    Template(Template),
}

/// Who tells, and to whom.
#[derive(Debug, Clone)]
pub(super) struct From {
    pub(super) terminal: Name,
    pub(super) lab: String,
    pub(super) to: String,
}

/// A message of the JSON form.
#[derive(Serialize)]
struct Whole<'a> {
    version: u32,
    event: &'static str,
    terminal: &'a Name,
    lab: &'a str,
    summary: String,
    alert: &'a Alert,
}

impl Look {
    /// What the configuration wants.
    ///
    /// # Errors
    /// Where its template can't be read, or is none.
    pub(super) fn of(file: &WebhookFile) -> Allowed<Look> {
        let built_in = |text, form| {
            Template::read(text, form, &FIELDS)
                .map(Look::Template)
                .map_err(|error| Refusal::failed(error.to_string()))
        };
        match (&file.template, file.form.unwrap_or_default()) {
            (Some(path), _) => Look::read(path),
            (None, WebhookForm::Json) => Ok(Look::Whole),
            (None, WebhookForm::Chat) => built_in(CHAT, Form::Json),
            (None, WebhookForm::Mail) => built_in(MAIL, Form::Text),
        }
    }

    fn read(path: &Path) -> Allowed<Look> {
        let wrong = |why: &dyn std::fmt::Display| {
            Refusal::wrong(format!("the template {} can't be used: {why}", path.display()))
                .help("the book's page on alerts has examples: [alerts.webhook] template")
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let form = if is_json { Form::Json } else { Form::Text };
        Template::read(&text, form, &FIELDS).map(Look::Template).map_err(|error| wrong(&error))
    }

    /// The `Content-Type` of what it makes.
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Look::Template(template) if template.form() == Form::Text => "text/plain; charset=utf-8",
            _ => "application/json",
        }
    }

    /// The message itself, of news that are alike; as JSON it is of the first.
    pub(super) fn write(&self, first: &News, more: &[News], from: &From) -> String {
        let News { what, alert } = first;
        let From { terminal, lab, to } = from;
        let summary = summary(first, more, terminal);
        match self {
            Look::Whole => {
                let event = what.word();
                let whole = Whole { version: VERSION, event, terminal, lab, summary, alert };
                serde_json::to_string(&whole).unwrap_or_default()
            }
            Look::Template(template) => {
                let all: Vec<&Alert> = [first].into_iter().chain(more).map(|news| &news.alert).collect();
                let each = |said: &dyn Fn(&Alert) -> Option<String>| {
                    all.iter().filter_map(|alert| said(alert)).collect::<Vec<_>>()
                };
                let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
                let pilots = each(&|alert| alert.pilot.as_ref().map(Name::to_string));
                let subjects = each(&|alert| alert.subject.as_ref().map(ToString::to_string));
                let texts = each(&|alert| Some(alert.text.clone()));
                let fields = BTreeMap::from([
                    ("summary", Field::Line(summary)),
                    ("event", Field::Line(what.word().to_owned())),
                    ("text", Field::Line(texts.join("; "))),
                    ("lines", Field::Lines(texts)),
                    ("kind", Field::Line(alert.kind.to_string())),
                    ("about", Field::Line(each(&|alert| Some(alert.about.clone())).join(", "))),
                    ("pilot", Field::Line(pilots.join(", "))),
                    ("subject", Field::Line(subjects.join(", "))),
                    ("id", Field::Line(each(&|alert| Some(alert.id.to_string())).join(" "))),
                    ("since", Field::Line(time(alert.since))),
                    ("began", Field::Line(time(alert.began))),
                    ("terminal", Field::Line(terminal.to_string())),
                    ("lab", Field::Line(lab.clone())),
                    ("to", Field::Line(to.clone())),
                ]);
                template.fill(&fields)
            }
        }
    }
}

/// The numbers of what is told together.
pub(super) fn ids(news: &[News]) -> String {
    news.iter().map(|news| news.alert.id.to_string()).collect::<Vec<_>>().join(", ")
}

/// What is told, in a line.
fn summary(first: &News, more: &[News], terminal: &Name) -> String {
    let shown = [first].into_iter().chain(more).take(SUMMED).map(|news| news.alert.text.as_str());
    let mut text = shown.collect::<Vec<_>>().join("; ");
    if !more.is_empty() {
        text = format!("{} alerts: {text}", more.len() + 1);
    }
    if let Some(rest @ 1..) = (more.len() + 1).checked_sub(SUMMED) {
        text = format!("{text}; and {rest} more");
    }
    match first.what {
        What::Begins | What::Test => format!("[{terminal}] {text}"),
        What::Still => format!("[{terminal}] still, and seen by nobody: {text}"),
        What::Ends => format!("[{terminal}] over: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use bramble_alerts::Kind;
    use serde_json::{Value, json};

    use super::*;

    fn news(what: What) -> News {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let alert = Alert {
            id: 7,
            kind: Kind::PilotAway,
            about: "box1".into(),
            pilot: Some("box1".parse().unwrap()),
            subject: None,
            text: "box1 is away: \"it\" is gone\nfor good".into(),
            since: at,
            began: at,
            ended: None,
            seen: None,
            silent_until: None,
            told: Some(at),
        };
        News { what, alert }
    }

    fn written(form: WebhookForm, what: What) -> String {
        together(form, &news(what), &[])
    }

    fn together(form: WebhookForm, first: &News, more: &[News]) -> String {
        let file = WebhookFile { form: Some(form), ..WebhookFile::default() };
        let from =
            From { terminal: "desk".parse().unwrap(), lab: "Doe lab".into(), to: "anna@lab.org".into() };
        Look::of(&file).unwrap().write(first, more, &from)
    }

    #[test]
    fn many_alike_are_one_message() {
        let mut all: Vec<News> = (1..=40)
            .map(|id| {
                let mut one = news(What::Begins);
                (one.alert.id, one.alert.text) = (id, format!("box{id} is away"));
                one
            })
            .collect();
        let first = all.remove(0);
        let chat: Value = serde_json::from_str(&together(WebhookForm::Chat, &first, &all)).unwrap();
        let summary = "[desk] 40 alerts: box1 is away; box2 is away; box3 is away; and 37 more";
        assert_eq!(chat["text"], summary);
        let mail = together(WebhookForm::Mail, &first, &all);
        let (head, body) = mail.split_once("\n\n").unwrap();
        assert!(head.contains(&format!("\nSubject: {summary}\n")), "{head}");
        assert!(
            body.starts_with("box1 is away\nbox2 is away\n") && body.contains("\nbox40 is away\n"),
            "{body}"
        );
        assert!(body.contains("alerts seen 1 2 3 4"), "{body}");
        let two = together(WebhookForm::Chat, &first, &all[..1]);
        assert!(two.contains("2 alerts: box1 is away; box2 is away\""), "{two}");
    }

    #[test]
    fn the_json_form_has_all_that_is_known_and_its_version() {
        let made: Value = serde_json::from_str(&written(WebhookForm::Json, What::Begins)).unwrap();
        assert_eq!(
            (&made["version"], &made["event"], &made["terminal"]),
            (&json!(1), &json!("begins"), &json!("desk"))
        );
        assert_eq!(made["alert"]["kind"], "pilot-away");
        assert_eq!(made["alert"]["since"], "2027-01-15T08:00:00Z");
        assert_eq!(made["alert"]["seen"], json!(null));
    }

    #[test]
    fn a_chat_is_told_in_a_line() {
        let made: Value = serde_json::from_str(&written(WebhookForm::Chat, What::Ends)).unwrap();
        assert_eq!(made, json!({ "text": "[desk] over: box1 is away: \"it\" is gone\nfor good" }));
    }

    #[test]
    fn a_mail_has_its_headers_and_nothing_makes_others() {
        let made = written(WebhookForm::Mail, What::Still);
        let (head, body) = made.split_once("\n\n").unwrap();
        assert_eq!(head.lines().count(), 5, "{head}");
        assert!(
            head.starts_with("To: anna@lab.org\nSubject: [desk] still, and seen by nobody: box1 is away"),
            "{head}"
        );
        assert!(body.contains("alerts seen 7"), "{body}");
    }
}
