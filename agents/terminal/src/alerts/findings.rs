//! What is not as it should be, of all that the lab knows: pure.

use std::collections::{BTreeMap, BTreeSet};

use bramble_alerts::{Failing, Finding, Kind, Topic};
use bramble_identity::Role;
use bramble_message::{Calibrated, Disk, Health};
use bramble_settings::AlertsFile;
use bramble_value::{Name, Span, SubjectId};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::animals::{self, Animal};
use super::stalls::{Pacing, Stalls};
use crate::agents::Enrolled;
use crate::api::types::PilotStatus;

/// So many times more than is asked for a disk has to have before it is no longer short.
const RELIEF: f64 = 1.1;
/// What is asked for is at most this share of a disk, so that a small one can be used.
const SHARE: u64 = 10;

/// All that is looked at.
pub(super) struct Lab<'a> {
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
    /// Since when this terminal runs.
    pub(super) started: Timestamp,
    pub(super) name: &'a Name,
    pub(super) health: &'a Health,
    pub(super) pilots: &'a [PilotStatus],
    pub(super) enrolled: &'a [Enrolled],
    /// Pilots whose task has no trials.
    pub(super) without_trials: &'a BTreeSet<Name>,
    /// As far as they told it.
    pub(super) calibrations: &'a BTreeMap<Name, Vec<Calibrated>>,
    pub(super) stalls: &'a Stalls,
    /// Those whose files were read.
    pub(super) animals: &'a BTreeMap<SubjectId, Animal>,
    /// Those that there are, once their files were listed.
    pub(super) subjects: Option<&'a BTreeSet<SubjectId>>,
    /// How telling others fails, and since when.
    pub(super) failing: Option<(&'a Failing, Timestamp)>,
}

impl Lab<'_> {
    /// All that is not as it should be.
    pub(super) fn findings(&self, limits: &AlertsFile) -> Vec<Finding> {
        let mut all = self.away();
        all.extend(self.stalled(limits.stalled()));
        all.extend(self.left(limits.left()));
        all.extend(self.low());
        all.extend(self.short(limits.disk().as_u64()));
        all.extend(self.old(limits.calibration()));
        all.extend(self.failing.map(|(failing, since)| {
            let lost = match failing.lost {
                0 => String::new(),
                lost => format!("; {lost} messages were given up"),
            };
            let text = format!("nobody is told of alerts since {}: {}{lost}", self.at(since), failing.why);
            Finding::new(Kind::WebhookFails, "webhook", text, since)
        }));
        all
    }

    /// Of which topics nothing can be said now.
    pub(super) fn is_unknown(&self, Topic { kind, about }: &Topic) -> bool {
        let pilot = |name: &str| self.pilots.iter().find(|pilot| pilot.name.as_str() == name);
        let is_here = |name: &str| pilot(name).is_some_and(|pilot| pilot.here);
        match kind {
            // Who was here before this terminal started has had no time to call.
            Kind::PilotAway => pilot(about).is_none() && self.runs_for() < SignedDuration::from_mins(5),
            Kind::SessionStalled => match pilot(about) {
                None => self.runs_for() < SignedDuration::from_mins(5),
                Some(pilot) if !pilot.here => true,
                Some(PilotStatus { session: Some(session), .. }) => {
                    matches!(self.stalls.of(session.session), Some(Pacing::SinceOrBefore(_)))
                }
                Some(_) => false,
            },
            // A file that is no longer there is not waited for.
            Kind::AnimalLeft | Kind::WeightLow => about.parse().is_ok_and(|id: SubjectId| {
                !self.animals.contains_key(&id) && self.subjects.is_none_or(|all| all.contains(&id))
            }),
            Kind::DiskShort => {
                let known = self.name.as_str() == about || self.disks().any(|(_, of, _)| of == *about);
                !known && self.may_come(about)
            }
            Kind::CalibrationOld => {
                let pilot = about.split(' ').next().unwrap_or_default();
                let told = self.calibrations.iter().any(|(name, _)| name.as_str() == pilot);
                (!is_here(pilot) || !told) && self.may_come(pilot)
            }
            Kind::WebhookFails => false,
        }
    }

    /// Whether an agent is one of the swarm still, or had no time to call since this terminal started.
    fn may_come(&self, agent: &str) -> bool {
        let is_known = self.pilots.iter().any(|pilot| {
            pilot.name.as_str() == agent || pilot.children.iter().any(|child| child.name.as_str() == agent)
        });
        let enrolled = self.enrolled.iter().filter(|one| one.revoked.is_none());
        is_known
            || enrolled.into_iter().any(|one| one.name.as_str() == agent)
            || self.runs_for() < SignedDuration::from_mins(5)
    }

    fn runs_for(&self) -> SignedDuration {
        self.now.duration_since(self.started)
    }

    fn away(&self) -> Vec<Finding> {
        let gone = self.pilots.iter().filter(|pilot| !pilot.here && !self.is_revoked(&pilot.name));
        let gone = gone.map(|pilot| {
            let why = pilot.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let session = pilot.session.as_ref().map(|session| {
                format!(", in a session of {} of {}, which goes on", session.task, session.subject)
            });
            let name = &pilot.name;
            let (since, session) = (self.at(pilot.since), session.unwrap_or_default());
            let text = format!("{name} is away since {since}{session}{why}");
            let found = Finding::new(Kind::PilotAway, name.as_str(), text, pilot.since).of_pilot(name);
            Finding { subject: pilot.session.as_ref().map(|session| session.subject.clone()), ..found }
        });
        // Who has never been here is only expected.
        let not_back = self.enrolled.iter().filter_map(|agent| {
            let last = agent.last_here.filter(|_| agent.role == Role::Pilot && agent.revoked.is_none())?;
            if self.pilots.iter().any(|pilot| pilot.name == agent.name) {
                return None;
            }
            let name = &agent.name;
            let text = format!("{name} is away since {} or longer", self.at(last));
            Some(Finding::new(Kind::PilotAway, name.as_str(), text, last).of_pilot(name))
        });
        gone.chain(not_back).collect()
    }

    /// Whether an agent was enrolled, and is no more.
    fn is_revoked(&self, name: &Name) -> bool {
        let mut all = self.enrolled.iter().filter(|agent| agent.name == *name).peekable();
        all.peek().is_some() && all.all(|agent| agent.revoked.is_some())
    }

    fn stalled(&self, after: Span) -> impl Iterator<Item = Finding> {
        self.pilots.iter().filter_map(move |pilot| {
            let session = pilot.session.as_ref().filter(|_| pilot.here)?;
            let (Pacing::Since(since) | Pacing::SinceOrBefore(since)) = self.stalls.of(session.session)?;
            if session.hold.is_some()
                || self.without_trials.contains(&pilot.name)
                || !self.is_past(since, after)
            {
                return None;
            }
            let (name, subject) = (&pilot.name, &session.subject);
            let text =
                format!("{subject} has done no trial of {} on {name} since {}", session.task, self.at(since));
            let found = Finding::new(Kind::SessionStalled, name.as_str(), text, since);
            Some(found.of_pilot(name).of_subject(subject))
        })
    }

    fn left(&self, after: Span) -> impl Iterator<Item = Finding> {
        animals::left(self.animals, self.now).filter(move |(_, _, since)| self.is_past(*since, after)).map(
            |(id, pilot, since)| {
                let text = format!(
                    "{id} may still be in {pilot}: its session ended at {}, and nothing was written of it since",
                    self.at(since)
                );
                let found = Finding::new(Kind::AnimalLeft, id.as_str(), text, since).of_subject(id);
                Finding { pilot: pilot.parse().ok(), ..found }
            },
        )
    }

    fn low(&self) -> impl Iterator<Item = Finding> {
        self.animals.iter().filter_map(|(id, animal)| {
            let (text, since) = animal.low.as_ref()?;
            Some(Finding::new(Kind::WeightLow, id.as_str(), format!("{id} {text}"), *since).of_subject(id))
        })
    }

    /// Every disk that is known now: whose it is, in words, and the pilot's name where it is a
    /// pilot's or its child's.
    fn disks(&self) -> impl Iterator<Item = (Option<&Name>, String, Disk)> {
        let disk = |health: &Option<Health>| health.as_ref().and_then(|health| health.disk);
        let own = self.health.disk.map(|disk| (None, self.name.to_string(), disk));
        let here = self.pilots.iter().filter(|pilot| pilot.here);
        let others = here.flat_map(move |pilot| {
            let own = disk(&pilot.health).map(|disk| (Some(&pilot.name), pilot.name.to_string(), disk));
            let children = pilot.children.iter().filter(|child| child.here).filter_map(move |child| {
                Some((Some(&pilot.name), child.name.to_string(), disk(&child.health)?))
            });
            own.into_iter().chain(children)
        });
        own.into_iter().chain(others)
    }

    fn short(&self, least: u64) -> impl Iterator<Item = Finding> {
        self.disks().filter_map(move |(pilot, about, disk)| {
            let least = least.min(disk.size / SHARE);
            if disk.free as f64 >= least as f64 * RELIEF {
                return None;
            }
            let tenths = |bytes: u64| (bytes as f64 / 1e8).round() / 10.0;
            let (free, size) = (tenths(disk.free), tenths(disk.size));
            let text = format!("{about} has {free} GB of {size} GB of disk left: make room");
            let slight = disk.free >= least;
            Some(Finding {
                pilot: pilot.cloned(),
                slight,
                ..Finding::new(Kind::DiskShort, about, text, self.now)
            })
        })
    }

    fn old(&self, ahead: Span) -> impl Iterator<Item = Finding> {
        self.calibrations.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one))).filter_map(
            move |(name, Calibrated { valve, made_unix_s, age })| {
                let made = Timestamp::from_second(*made_unix_s).ok()?;
                let too_old = made.checked_add(SignedDuration::from_nanos(age.ns())).ok()?;
                let from = too_old.checked_sub(SignedDuration::from_nanos(ahead.ns())).ok()?;
                if self.now < from {
                    return None;
                }
                let day = |time: Timestamp| time.to_zoned(self.zone.clone()).date();
                let then = match self.now < too_old {
                    true => format!("from {} on", day(too_old)),
                    false => format!("since {}", day(too_old)),
                };
                let text = format!(
                    "{name}'s {valve} was calibrated on {}, and {then} no session that gives water by it starts: \
                     calibrate it",
                    day(made)
                );
                Some(Finding::new(Kind::CalibrationOld, format!("{name} {valve}"), text, from).of_pilot(name))
            },
        )
    }

    fn is_past(&self, since: Timestamp, span: Span) -> bool {
        self.now.duration_since(since) >= SignedDuration::from_nanos(span.ns())
    }

    /// A moment on the lab's clock; with its day, where that isn't today.
    fn at(&self, time: Timestamp) -> String {
        let (then, now) = (time.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let form = if then.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        then.strftime(form).to_string()
    }
}
