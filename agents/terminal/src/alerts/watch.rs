//! The two tasks behind alerts: one looks, the other tells.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bramble_alerts::{Kind, What};
use bramble_health::Probe;
use bramble_link::now;
use bramble_value::SubjectId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::animals::Animal;
use super::findings::Lab;
use super::{State, message, on_the_wall};
use crate::desk::{Desk, fares};
use crate::refusal::Allowed;
use crate::writer::Files;

/// How often the lab is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often every subject's file is looked at, beside whenever something is written to it: it may
/// have been put there from a copy.
const READ_ALL_EVERY: Duration = Duration::from_secs(3600);

/// Looks at the lab for ever.
pub(crate) async fn watch(desk: Arc<Desk>) {
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut read_all_at = Instant::now();
    loop {
        tick.tick().await;
        if Instant::now() >= read_all_at {
            read_all_at = Instant::now() + READ_ALL_EVERY;
            // Where the folder can't be read, whoever asks for a subject is told so.
            let all = desk.writer.ask(|files: &mut Files| Ok(files.list()?)).await;
            if let Ok(all) = all {
                let mut state = desk.alerts.state();
                let listed: BTreeSet<SubjectId> = all.into_iter().collect();
                state.animals.retain(|id, _| listed.contains(id));
                state.to_read.extend(listed.iter().cloned());
                state.subjects = Some(listed);
            }
        }
        desk.read_some().await;
        desk.look();
    }
}

/// Tells others what is new, in order, for ever.
pub(crate) async fn tell(desk: Arc<Desk>) {
    let alerts = &desk.alerts;
    let Some(webhook) = &alerts.webhook else { return };
    loop {
        let next = alerts.state().outbox.next();
        let Some(at) = next else {
            alerts.to_tell.notified().await;
            continue;
        };
        let wait = Duration::from_nanos(at.since(now()).ns().unsigned_abs());
        if at > now() {
            // Unless it is found out sooner that others can be told again.
            let _ = tokio::time::timeout(wait, alerts.to_tell.notified()).await;
            continue;
        }
        let news = alerts.state().outbox.take(|first, next| webhook.tells_together(first, next));
        let Some((first, more)) = news.split_first() else { continue };
        let told = webhook.tell(first, more).await;
        let mut state = alerts.state();
        let waited = state.outbox.len();
        match told {
            Ok(_) => state.outbox.went_well(),
            Err(why) => {
                tracing::warn!("nobody was told of alert {}: {why}", message::ids(&news));
                state.outbox.went_wrong(now(), why);
            }
        }
        if state.outbox.len() != waited {
            alerts.write(&state);
        }
    }
}

impl Desk {
    /// Reads what alerts go by from the files that something was written to, a few at a time, so that
    /// what is to be written waits for none of that.
    async fn read_some(&self) {
        const TOGETHER: usize = 8;
        let ids: Vec<SubjectId> = {
            let mut state = self.alerts.state();
            let first = state.to_read.iter().take(TOGETHER).cloned().collect::<Vec<_>>();
            first.iter().for_each(|id| _ = state.to_read.remove(id));
            first
        };
        for id in ids {
            let read = self.animal(id.clone()).await;
            if let Some((pilot, ended)) = read.as_ref().ok().and_then(|animal| animal.ended.as_ref()) {
                self.state.change(|lab| lab.ended_before(pilot, ended));
            }
            let mut state = self.alerts.state();
            match read {
                Ok(animal) => drop(state.animals.insert(id, animal)),
                // Of one that can't be read, what was known is not known any more.
                Err(_) => drop(state.animals.remove(&id)),
            }
        }
    }

    async fn animal(&self, id: SubjectId) -> Allowed<Animal> {
        self.read(id, |file| Animal::of(file, &fares(file)?, Timestamp::now())).await
    }

    /// Looks at the lab once.
    fn look(&self) {
        let (time, at) = (now(), Timestamp::now());
        let (pilots, without_trials, calibrations) = {
            let lab = self.state.lab();
            let pilots = lab.view().0;
            let names = pilots.iter().map(|pilot| pilot.name.clone());
            let without: BTreeSet<_> = names.filter(|name| lab.has_no_trials(name)).collect();
            (pilots, without, lab.calibrations())
        };
        let health = Probe::new("/", &self.settings.data).look(time);
        let (enrolled, zone) = (self.agents.all(), TimeZone::system());
        let alerts = &self.alerts;
        let told = alerts.change(|state| {
            let State { book, outbox, stalls, animals, subjects, .. } = state;
            stalls.look(at, &pilots);
            let lab = Lab {
                now: at,
                zone: &zone,
                started: alerts.started,
                name: &self.settings.name,
                health: &health,
                pilots: &pilots,
                enrolled: &enrolled,
                without_trials: &without_trials,
                calibrations: &calibrations,
                stalls,
                animals,
                subjects: subjects.as_ref(),
                failing: outbox.failing().map(|failing| (failing, on_the_wall(failing.since, time, at))),
            };
            let news =
                book.look(at, lab.findings(&alerts.limits), |topic| lab.is_unknown(topic), &alerts.rules);
            let any = !news.is_empty();
            for one in news {
                match one.what {
                    What::Ends => tracing::info!("alert {} is over: {}", one.alert.id, one.alert.text),
                    _ => tracing::warn!("alert {}: {}", one.alert.id, one.alert.text),
                }
                // What doesn't work tells nobody that it doesn't.
                if let Some(webhook) =
                    alerts.webhook.as_ref().filter(|_| one.alert.kind != Kind::WebhookFails)
                {
                    outbox.push(one, time + webhook.gather());
                }
            }
            any
        });
        if told {
            alerts.to_tell.notify_one();
        }
    }
}
