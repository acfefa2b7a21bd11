//! The alerts that are on, and those that were.

use std::collections::{BTreeMap, VecDeque};

use bramble_value::{Person, Span};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Alert, Finding, Kind, Seen, Topic};

/// How many alerts that ended are remembered.
const MOST_PAST: usize = 50;
/// How many alerts may be on: more than that many things are wrong in no lab.
const MOST_ON: usize = 1000;

/// For how long something has to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hold {
    /// Before an alert begins.
    pub begins: Span,
    /// Before it ends: for so long it must not be so.
    pub ends: Span,
}

/// What becomes an alert, and when others are told again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Of each kind that is on.
    pub kinds: BTreeMap<Kind, Hold>,
    /// After how long others are told again of an alert that nobody has seen; never, where this is
    /// nothing.
    pub remind: Option<Span>,
}

/// What others are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// What is new.
    pub what: What,
    /// Of this alert, as it was then.
    pub alert: Alert,
}

/// What is new of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It began.
    Begins,
    /// It is still on, and nobody has seen it.
    Still,
    /// It ended.
    Ends,
    /// It is none: a person tries whether others can be told.
    Test,
}

impl What {
    /// As others read it.
    pub fn word(self) -> &'static str {
        match self {
            What::Begins => "begins",
            What::Still => "still",
            What::Ends => "ends",
            What::Test => "test",
        }
    }
}

/// There is no such alert that is on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no alert {0} is on")]
pub struct NoAlert(pub u64);

/// The alerts that are on, and those that were. What is written of it is enough to go on with
/// after a restart: what was seen stays seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Book {
    /// The last number that an alert got.
    last: u64,
    #[serde(with = "as_list")]
    on: BTreeMap<Topic, On>,
    /// The newest first.
    past: VecDeque<Alert>,
    /// What is so and is no alert yet, and since when this is looked at.
    #[serde(skip)]
    waiting: BTreeMap<Topic, Timestamp>,
}

/// An alert that is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct On {
    alert: Alert,
    /// Since when what it is about is not so any more.
    over: Option<Timestamp>,
}

impl Book {
    /// Looks at how things are at `now`: all that is found, where `is_unknown` says of which topics
    /// nothing can be said just now. Returns what others are to be told.
    pub fn look(
        &mut self,
        now: Timestamp,
        findings: Vec<Finding>,
        is_unknown: impl Fn(&Topic) -> bool,
        rules: &Rules,
    ) -> Vec<News> {
        let mut news = Vec::new();
        let mut found: BTreeMap<Topic, Finding> = findings
            .into_iter()
            .filter(|finding| rules.kinds.contains_key(&finding.topic.kind))
            .map(|finding| (finding.topic.clone(), finding))
            .collect();
        self.end(now, &found, is_unknown, rules, &mut news);
        for (topic, on) in &mut self.on {
            if let Some(Finding { text, since, pilot, subject, .. }) = found.remove(topic) {
                let alert = &mut on.alert;
                (alert.pilot, alert.subject, alert.text) = (pilot, subject, text);
                // Where it was otherwise for a moment, it is so since before that.
                alert.since = alert.since.min(since);
                on.over = None;
            }
        }
        found.retain(|_, finding| !finding.slight);
        self.waiting.retain(|topic, _| found.contains_key(topic));
        for (topic, finding) in found {
            let since = self.waiting.entry(topic.clone()).or_insert(now);
            let begins = rules.kinds.get(&topic.kind).is_some_and(|hold| lasts(since, now, hold.begins));
            if begins && self.on.len() < MOST_ON {
                self.waiting.remove(&topic);
                self.last += 1;
                self.on.insert(topic, On { alert: alert(self.last, finding, now), over: None });
            }
        }
        for on in self.on.values_mut() {
            news.extend(on.news(now, rules.remind));
        }
        news
    }

    /// Ends what is not so any more.
    fn end(
        &mut self,
        now: Timestamp,
        found: &BTreeMap<Topic, Finding>,
        is_unknown: impl Fn(&Topic) -> bool,
        rules: &Rules,
        news: &mut Vec<News>,
    ) {
        let mut over = Vec::new();
        for (topic, on) in &mut self.on {
            let hold = rules.kinds.get(&topic.kind);
            if hold.is_some() && (found.contains_key(topic) || is_unknown(topic)) {
                continue;
            }
            let since = on.over.get_or_insert(now);
            if hold.is_none_or(|hold| lasts(since, now, hold.ends)) {
                over.push(topic.clone());
            }
        }
        for topic in over {
            let Some(On { mut alert, .. }) = self.on.remove(&topic) else { continue };
            alert.ended = Some(now);
            if alert.told.is_some() && !is_silent(&alert, now) {
                news.push(News { what: What::Ends, alert: alert.clone() });
            }
            self.past.push_front(alert);
            self.past.truncate(MOST_PAST);
        }
    }

    /// Somebody has seen an alert: nobody is told of it again before it ends. Who saw it first stays.
    ///
    /// # Errors
    /// [`NoAlert`] where none of this number is on.
    pub fn see(&mut self, id: u64, who: Person, now: Timestamp) -> Result<&Alert, NoAlert> {
        let alert = self.get(id)?;
        alert.seen.get_or_insert(Seen { who, at: now });
        Ok(alert)
    }

    /// Nobody is told of an alert before then, and at once where that is past.
    ///
    /// # Errors
    /// [`NoAlert`] where none of this number is on.
    pub fn silence(&mut self, id: u64, until: Timestamp) -> Result<&Alert, NoAlert> {
        let alert = self.get(id)?;
        alert.silent_until = Some(until);
        Ok(alert)
    }

    fn get(&mut self, id: u64) -> Result<&mut Alert, NoAlert> {
        let on = self.on.values_mut().map(|on| &mut on.alert);
        on.into_iter().find(|alert| alert.id == id).ok_or(NoAlert(id))
    }

    /// The alerts that are on, the newest first.
    pub fn on(&self) -> Vec<Alert> {
        let mut on: Vec<Alert> = self.on.values().map(|on| on.alert.clone()).collect();
        on.sort_by_key(|alert| std::cmp::Reverse(alert.id));
        on
    }

    /// Whether there is an alert on this.
    pub fn is_on(&self, topic: &Topic) -> bool {
        self.on.contains_key(topic)
    }

    /// Those that ended, the newest first, as far back as is remembered.
    pub fn past(&self) -> impl Iterator<Item = &Alert> {
        self.past.iter()
    }
}

impl On {
    /// What others are to be told now.
    fn news(&mut self, now: Timestamp, remind: Option<Span>) -> Option<News> {
        let alert = &mut self.alert;
        // What has been seen needs no word, and what may be over gets none.
        if alert.seen.is_some() || self.over.is_some() || is_silent(alert, now) {
            return None;
        }
        let what = match &mut alert.told {
            None => What::Begins,
            Some(told) => remind.is_some_and(|remind| lasts(told, now, remind)).then_some(What::Still)?,
        };
        alert.told = Some(now);
        Some(News { what, alert: alert.clone() })
    }
}

fn alert(id: u64, finding: Finding, now: Timestamp) -> Alert {
    let Finding { topic: Topic { kind, about }, pilot, subject, text, since, .. } = finding;
    Alert {
        id,
        kind,
        about,
        pilot,
        subject,
        text,
        since,
        began: now,
        ended: None,
        seen: None,
        silent_until: None,
        told: None,
    }
}

fn is_silent(alert: &Alert, now: Timestamp) -> bool {
    alert.silent_until.is_some_and(|until| now < until)
}

/// Whether something lasts for at least this long. Where the clock was set back, it began now.
fn lasts(since: &mut Timestamp, now: Timestamp, span: Span) -> bool {
    *since = (*since).min(now);
    now.duration_since(*since) >= SignedDuration::from_nanos(span.ns())
}

/// A map whose keys are in its values, which JSON has no keys for.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{On, Topic};

    pub(super) fn serialize<S: Serializer>(all: &BTreeMap<Topic, On>, to: S) -> Result<S::Ok, S::Error> {
        all.values().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Topic, On>, D::Error> {
        let all = Vec::<On>::deserialize(from)?;
        Ok(all.into_iter().map(|on| (on.alert.topic(), on)).collect())
    }
}
