//! Who is told when something in the lab is not as it should be: looks at the lab now and then, and
//! tells others of what is new.

mod animals;
mod file;
mod findings;
mod message;
mod stalls;
#[cfg(test)]
mod tests;
mod watch;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bramble_alerts::{Alert, Book, Hold, Kind, News, Outbox, Rules, What};
use bramble_settings::AlertsFile;
use bramble_value::{Person, Span, SubjectId, Time};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::api::alerts::{AlertsView, TellingView};
use crate::config::Settings;
use crate::refusal::{Allowed, Refusal};
use animals::Animal;
use stalls::Stalls;
pub(crate) use watch::{tell, watch};
use webhook::Webhook;

/// All about alerts.
pub(crate) struct Alerts {
    limits: AlertsFile,
    rules: Rules,
    webhook: Option<Webhook>,
    state: Mutex<State>,
    /// Counts what changed of what is shown.
    changes: tokio::sync::watch::Sender<u64>,
    /// There is something to tell.
    to_tell: Notify,
    started: Timestamp,
    file: PathBuf,
}

/// What changes.
#[derive(Default)]
struct State {
    book: Book,
    outbox: Outbox<News>,
    stalls: Stalls,
    animals: BTreeMap<SubjectId, Animal>,
    /// The subjects that there were when their files were listed last.
    subjects: Option<BTreeSet<SubjectId>>,
    /// The subjects whose files are to be looked at.
    to_read: BTreeSet<SubjectId>,
}

impl Alerts {
    /// As the configuration says, with the alerts that were on before.
    ///
    /// # Errors
    /// Where the configuration can't be meant.
    pub(crate) fn open(settings: &Settings) -> Allowed<Alerts> {
        let limits = settings.alerts.clone();
        let webhook = limits.webhook.as_ref().map(|file| {
            let to = file.to.clone().unwrap_or_default();
            let from = message::From { terminal: settings.name.clone(), lab: settings.lab.name.clone(), to };
            Webhook::of(file, from)
        });
        let file = settings.data.join(file::FILE);
        let (book, outbox) = file::read(&file);
        let state = State { book, outbox, ..State::default() };
        Ok(Alerts {
            rules: rules(&limits),
            limits,
            webhook: webhook.transpose()?,
            state: Mutex::new(state),
            changes: tokio::sync::watch::Sender::new(0),
            to_tell: Notify::new(),
            started: Timestamp::now(),
            file,
        })
    }

    /// All there is to show.
    pub(crate) fn view(&self) -> AlertsView {
        let state = self.state();
        let telling = self.webhook.as_ref().map(|_| TellingView {
            waiting: state.outbox.len(),
            fails: state.outbox.failing().map(|failing| failing.why.clone()),
        });
        AlertsView { on: state.book.on(), past: state.book.past().cloned().collect(), telling }
    }

    /// The alerts that are on, where that is otherwise than at `seen`, which follows.
    pub(crate) fn since(&self, seen: &mut Option<u64>) -> Option<Vec<Alert>> {
        let count = *self.changes.borrow();
        (seen.replace(count) != Some(count)).then(|| self.state().book.on())
    }

    /// Tells whoever hears it that what is shown changed.
    pub(crate) fn subscribe(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Somebody has seen an alert.
    ///
    /// # Errors
    /// Where it isn't on.
    pub(crate) fn see(&self, id: u64, who: Person) -> Allowed<Alert> {
        self.change(|state| state.book.see(id, who, Timestamp::now()).cloned()).map_err(not_on)
    }

    /// Nobody is told of an alert for so long.
    ///
    /// # Errors
    /// Where it isn't on.
    pub(crate) fn silence(&self, id: u64, time: Span, who: &Person) -> Allowed<Alert> {
        tracing::info!("{who} silences alert {id} for {time}");
        let until = Timestamp::now().checked_add(SignedDuration::from_nanos(time.ns()));
        let until = until.unwrap_or(Timestamp::MAX);
        self.change(|state| state.book.silence(id, until).cloned()).map_err(not_on)
    }

    /// Something was written to a subject's file that an alert may go by.
    pub(crate) fn look_at(&self, subject: &SubjectId) {
        let mut state = self.state();
        state.to_read.insert(subject.clone());
        if let Some(subjects) = &mut state.subjects {
            subjects.insert(subject.clone());
        }
    }

    /// Tries whether others can be told, now, and says what they answered.
    ///
    /// # Errors
    /// Where nobody is to be told, or that failed.
    pub(crate) async fn test(&self, who: &Person) -> Allowed<String> {
        let webhook = self.webhook.as_ref().ok_or_else(|| {
            Refusal::conflict("nobody is told of alerts: the configuration has no [alerts.webhook]")
                .help("the book's page on alerts says how to write one")
        })?;
        let answer = webhook.tell(&test(who), &[]).await;
        let answer = answer.map_err(|why| Refusal::failed(format!("the test was not taken: {why}")))?;
        // What waits need not wait until its next try.
        self.state().outbox.works();
        self.to_tell.notify_one();
        Ok(answer)
    }

    /// Changes what is known, and then writes it down and tells whoever looks.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = state.book.clone();
        let result = change(&mut state);
        if state.book == before {
            return result;
        }
        self.write(&state);
        drop(state);
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Writes down what is known, under the lock, so that what is newer is written later. It is a small
    /// file.
    fn write(&self, state: &State) {
        if let Err(error) = file::write(&self.file, &state.book, &state.outbox) {
            tracing::warn!("which alerts are on was not written down, {}: {error}", self.file.display());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_on(error: bramble_alerts::NoAlert) -> Refusal {
    Refusal::missing(error.to_string())
        .help("it may be over: bramble-terminal alerts shows those that are on")
}

/// What becomes an alert.
fn rules(limits: &AlertsFile) -> Rules {
    let hold = |kind| match kind {
        // A pilot that is back for a moment only isn't back.
        Kind::PilotAway => Hold { begins: limits.away(), ends: Span::from_s(10) },
        Kind::DiskShort => Hold { begins: Span::from_s(60), ends: Span::from_s(60) },
        // The first tries after a failure are soon.
        Kind::WebhookFails => Hold { begins: Span::from_s(10), ends: Span::ZERO },
        // These have waited before they are found.
        Kind::SessionStalled | Kind::AnimalLeft | Kind::WeightLow | Kind::CalibrationOld => Hold::default(),
    };
    let kinds = Kind::ALL.into_iter().filter(|kind| !limits.off.contains(kind));
    Rules { kinds: kinds.map(|kind| (kind, hold(kind))).collect(), remind: limits.remind() }
}

/// A message that is no alert's.
fn test(who: &Person) -> News {
    let now = Timestamp::now();
    let alert = Alert {
        id: 0,
        kind: Kind::WebhookFails,
        about: "test".to_owned(),
        pilot: None,
        subject: None,
        text: format!("{who} tries whether alerts arrive here; nothing is wrong"),
        since: now,
        began: now,
        ended: None,
        seen: None,
        silent_until: None,
        told: Some(now),
    };
    News { what: What::Test, alert }
}

/// When something was, on the clock on the wall, by what it was on the monotonic one.
fn on_the_wall(then: Time, now: Time, at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_nanos(now.since(then).ns())).unwrap_or(at)
}
