//! Whether a start looks like one of the wrong animal, or of one that should not work now.
//! What is unusual isn't refused for good: a person confirms it, each thing by its name.

use std::collections::{BTreeMap, BTreeSet};

use bramble_subject::{Life, SessionSummary};
use bramble_value::{Name, SubjectId};
use clap::ValueEnum;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::fares;
use crate::refusal::Refusal;

/// In how many of its last sessions the box is looked for that it is usually in.
const LAST: usize = 10;

/// What a person confirms.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unusual {
    /// It had a session today already
    SecondToday,
    /// Its sessions are usually in another box
    OtherBox,
    /// It has a weight limit, or is usually weighed, and was not weighed today
    Unweighed,
    /// It weighs less than its limit
    Underweight,
    /// Its file lacks what happened last, which waits to be written
    Behind,
    /// The rig is simulated, and its last session was in a real one
    Simulated,
}

impl Unusual {
    /// Everything, for a start that follows from one that a person confirmed.
    pub(crate) const ALL: [Unusual; 6] = [
        Unusual::SecondToday,
        Unusual::OtherBox,
        Unusual::Unweighed,
        Unusual::Underweight,
        Unusual::Behind,
        Unusual::Simulated,
    ];

    /// As a person types it: `second-today`.
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Where a session is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) pilot: &'a Name,
    /// Whether its rig is simulated.
    pub(crate) simulated: bool,
}

/// What is known of a subject before a start.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) life: Life,
    /// Oldest first.
    pub(crate) sessions: Vec<SessionSummary>,
    /// What the pilot of each is called now.
    pub(crate) boxes: Vec<String>,
    /// When it was weighed.
    pub(crate) weighings: Vec<Timestamp>,
    /// Whether its last session was in a simulated rig, where it had one.
    pub(crate) simulated: Option<bool>,
    /// Why its file, which all this is from, lacks what happened last.
    pub(crate) behind: Option<String>,
}

impl Before {
    /// What is unusual about a start on this pilot, each with a sentence.
    fn unusual(&self, subject: &SubjectId, place: Place<'_>, zone: &TimeZone) -> Vec<(Unusual, String)> {
        let pilot = place.pilot;
        let mut found = Vec::new();
        let day = |time: Timestamp| time.to_zoned(zone.clone()).date();
        // One that was away may have told of an older session later.
        let today = self.sessions.iter().filter(|session| day(session.started) == self.life.today);
        if let Some(last) = today.max_by_key(|session| session.started) {
            let text = format!("{subject} had a session today already: {}", said(last, zone));
            found.push((Unusual::SecondToday, text));
        }
        if let Some(usual) = self.usual_box().filter(|usual| *usual != pilot.as_str()) {
            found.push((Unusual::OtherBox, format!("{subject} is usually in {usual}, and not in {pilot}")));
        }
        let weighed = || self.life.limit.is_some() || self.is_usually_weighed(day);
        if !self.life.is_weighed_today() && weighed() {
            let last = fares::weight(&self.life);
            let last = last.map_or_else(|| "it was never weighed".to_owned(), |last| format!("last: {last}"));
            found.push((Unusual::Unweighed, format!("{subject} was not weighed today; {last}")));
        }
        if self.life.is_below_limit() {
            let weight = fares::weight(&self.life).unwrap_or_default();
            found.push((Unusual::Underweight, format!("{subject} weighs too little: {weight}")));
        }
        if let Some(why) = &self.behind {
            found.push((Unusual::Behind, format!("{subject}'s file lacks what happened last: {why}")));
        }
        if place.simulated && self.simulated == Some(false) {
            let text = format!(
                "{pilot}'s rig is simulated, and {subject}'s last session was in a real one: in its training and \
                 its water what it does there isn't told apart"
            );
            found.push((Unusual::Simulated, text));
        }
        found
    }

    /// The pilot of most of its last sessions; of as many, that of the latest.
    fn usual_box(&self) -> Option<&str> {
        let mut times: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (place, pilot) in self.boxes.iter().enumerate().rev().take(LAST) {
            let (count, latest) = times.entry(pilot).or_default();
            (*count, *latest) = (*count + 1, place.max(*latest));
        }
        times.into_iter().max_by_key(|(_, times)| *times).map(|(pilot, _)| pilot)
    }

    /// Whether it was weighed on the days of most of its last sessions.
    fn is_usually_weighed(&self, day: impl Fn(Timestamp) -> Date) -> bool {
        let days: BTreeSet<Date> = self.weighings.iter().map(|when| day(*when)).collect();
        let last = self.sessions.iter().rev().take(LAST);
        let weighed = last.clone().filter(|session| days.contains(&day(session.started))).count();
        weighed * 2 > last.count()
    }

    /// Refuses what is unusual and was not confirmed, else says what was: a sentence for each, by
    /// its name.
    ///
    /// # Errors
    /// A conflict that says what is unusual and what confirms it.
    pub(crate) fn check(
        &self,
        subject: &SubjectId,
        place: Place<'_>,
        confirmed: &BTreeSet<Unusual>,
        zone: &TimeZone,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let found = self.unusual(subject, place, zone).into_iter();
        let (known, found): (Vec<_>, Vec<_>) = found.partition(|(one, _)| confirmed.contains(one));
        if found.is_empty() {
            return Ok(known.into_iter().map(|(one, text)| (one.name(), text)).collect());
        }
        let (confirm, texts): (Vec<Unusual>, Vec<String>) = found.into_iter().unzip();
        let names: Vec<String> = confirm.iter().map(|one| one.name()).collect();
        let mut message = texts.join("\n");
        if !confirm.contains(&Unusual::SecondToday)
            && let Some(last) = self.sessions.iter().max_by_key(|session| session.started)
        {
            message.push_str(&format!("\nits last session: {}", said(last, zone)));
        }
        let mut refusal = Refusal::conflict(message).help(format!(
            "look whether {subject} is the animal in {}; if so: --confirm {}",
            place.pilot,
            names.join(",")
        ));
        refusal.confirm = confirm;
        Err(refusal)
    }

    /// What a person should see of a subject that is started: lines.
    pub(crate) fn shown(&self, zone: &TimeZone) -> String {
        let last = self.sessions.last().map(|last| format!("\nits last session: {}", said(last, zone)));
        let weight = fares::weight(&self.life).map(|weight| format!("\nits weight: {weight}"));
        let weight = weight.unwrap_or_else(|| "\nit was never weighed".to_owned());
        last.into_iter().chain([weight]).collect()
    }
}

/// A session in a few words.
fn said(session: &SessionSummary, zone: &TimeZone) -> String {
    let started = session.started.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let trials =
        if session.trials == 1 { "1 trial".to_owned() } else { format!("{} trials", session.trials) };
    format!("{} on {}, {started}, {trials}", session.task, session.pilot)
}

#[cfg(test)]
mod tests {
    use bramble_subject::{By, Care, Occasion, SessionNumber, Weight};
    use bramble_value::Level;
    use uuid::Uuid;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn session(pilot: &str, started: &str) -> SessionSummary {
        SessionSummary {
            number: SessionNumber::new(1),
            uuid: Uuid::nil(),
            task: "free_water".to_owned(),
            pilot: pilot.to_owned(),
            protocol: None,
            started: at(started),
            end: None,
            trials: 130,
            events: 0,
        }
    }

    fn weighed(time: &str, grams: f64) -> Weight {
        Weight { when: at(time), grams, occasion: Occasion::Before, who: "ada".to_owned() }
    }

    fn box1() -> Name {
        "box1".parse().unwrap()
    }

    fn place(pilot: &Name, simulated: bool) -> Place<'_> {
        Place { pilot, simulated }
    }

    #[test]
    fn a_simulated_rig_is_unusual_for_who_was_in_a_real_one() {
        let life = Life::of(&[], &[], &[], at("2026-03-10T12:00:00Z"), &TimeZone::UTC);
        for (simulated, was, is_unusual) in [
            (true, Some(false), true),
            (false, Some(true), false),
            (true, Some(true), false),
            (false, Some(false), false),
            (true, None, false),
        ] {
            let before = Before {
                life: life.clone(),
                sessions: Vec::new(),
                boxes: Vec::new(),
                weighings: Vec::new(),
                simulated: was,
                behind: None,
            };
            let found = before.unusual(&"M001".parse().unwrap(), place(&box1(), simulated), &TimeZone::UTC);
            assert_eq!(found.first().map(|(one, _)| *one), is_unusual.then_some(Unusual::Simulated));
        }
    }

    /// What is unusual about a start on box1 at noon of 10 March, where the limit is 80 %.
    fn unusual(limited: bool, weights: &[Weight], sessions: Vec<SessionSummary>) -> Vec<Unusual> {
        let by = By { who: "ada".to_owned(), when: at("2026-03-01T09:00:00Z") };
        let limit = Care::Limit(Some(Level::from_share(0.8).unwrap())).change(&[], &by);
        let history = if limited { vec![limit] } else { Vec::new() };
        let life = Life::of(&history, weights, &sessions, at("2026-03-10T12:00:00Z"), &TimeZone::UTC);
        let weighings = weights.iter().map(|weight| weight.when).collect();
        let boxes = sessions.iter().map(|session| session.pilot.clone()).collect();
        let before = Before { life, sessions, boxes, weighings, simulated: None, behind: None };
        let found = before.unusual(&"M001".parse().unwrap(), place(&box1(), false), &TimeZone::UTC);
        found.into_iter().map(|(one, _)| one).collect()
    }

    #[test]
    fn a_first_session_and_one_of_a_new_day_in_the_usual_box_are_not_unusual() {
        assert_eq!(unusual(false, &[], vec![]), []);
        assert_eq!(unusual(false, &[], vec![session("box1", "2026-03-09T23:59:00Z")]), []);
    }

    #[test]
    fn a_second_session_of_a_day_is_unusual() {
        let today = session("box1", "2026-03-10T00:01:00Z");
        assert_eq!(unusual(false, &[], vec![today]), [Unusual::SecondToday]);
    }

    #[test]
    fn the_usual_box_is_that_of_most_of_the_last_sessions() {
        let (usual, other) =
            (session("box1", "2026-03-07T10:00:00Z"), session("box2", "2026-03-08T10:00:00Z"));
        assert_eq!(unusual(false, &[], vec![usual.clone(), usual.clone(), other.clone()]), []);
        assert_eq!(
            unusual(false, &[], vec![usual.clone(), other.clone(), other.clone()]),
            [Unusual::OtherBox]
        );
        assert_eq!(unusual(false, &[], vec![usual, other]), [Unusual::OtherBox]);
    }

    #[test]
    fn a_box_that_was_renamed_is_the_usual_one_still() {
        let sessions = vec![session("box7", "2026-03-08T10:00:00Z")];
        let life = Life::of(&[], &[], &sessions, at("2026-03-10T12:00:00Z"), &TimeZone::UTC);
        let boxes = vec!["box1".to_owned()];
        let before = Before { life, sessions, boxes, weighings: Vec::new(), simulated: None, behind: None };
        let found = before.unusual(&"M001".parse().unwrap(), place(&box1(), false), &TimeZone::UTC);
        assert_eq!(found, []);
    }

    #[test]
    fn a_weight_is_asked_for_where_a_limit_was_set() {
        let (old, today) = (weighed("2026-03-09T10:00:00Z", 25.0), weighed("2026-03-10T10:00:00Z", 25.0));
        assert_eq!(unusual(false, std::slice::from_ref(&old), vec![]), [], "nobody watches its weight");
        assert_eq!(unusual(true, &[], vec![]), [Unusual::Unweighed]);
        assert_eq!(unusual(true, std::slice::from_ref(&old), vec![]), [Unusual::Unweighed]);
        assert_eq!(unusual(true, &[old, today], vec![]), []);
    }

    #[test]
    fn a_weight_is_asked_for_where_the_animal_is_usually_weighed() {
        let sessions = || ["2026-03-07T10:00:00Z", "2026-03-08T10:00:00Z", "2026-03-09T10:00:00Z"];
        let sessions = || sessions().map(|started| session("box1", started)).to_vec();
        let weights = ["2026-03-07T09:00:00Z", "2026-03-09T09:00:00Z"].map(|time| weighed(time, 25.0));
        assert_eq!(unusual(false, &weights, sessions()), [Unusual::Unweighed]);
        assert_eq!(unusual(false, &weights[..1], sessions()), []);
        let today = [&weights[..], &[weighed("2026-03-10T09:00:00Z", 25.0)]].concat();
        assert_eq!(unusual(false, &today, sessions()), []);
    }

    #[test]
    fn a_weight_below_the_limit_is_unusual() {
        let weights = [weighed("2026-03-01T10:00:00Z", 25.0), weighed("2026-03-10T10:00:00Z", 19.0)];
        assert_eq!(unusual(true, &weights, vec![]), [Unusual::Underweight]);
    }

    #[test]
    fn a_refusal_says_what_is_unusual_and_what_confirms_it() {
        let sessions = vec![session("box2", "2026-03-10T10:00:00Z")];
        let life = Life::of(&[], &[], &sessions, at("2026-03-10T12:00:00Z"), &TimeZone::UTC);
        let boxes = vec!["box2".to_owned()];
        let before = Before { life, sessions, boxes, weighings: Vec::new(), simulated: None, behind: None };
        let check = |confirmed: &[Unusual]| {
            let confirmed = confirmed.iter().copied().collect();
            before.check(&"M001".parse().unwrap(), place(&box1(), false), &confirmed, &TimeZone::UTC)
        };
        let refusal = check(&[]).unwrap_err();
        assert!(refusal.message.contains("free_water on box2, 2026-03-10 10:00, 130 trials"), "{refusal}");
        assert!(refusal.help.unwrap().ends_with("--confirm second-today,other-box"));
        assert_eq!(check(&[Unusual::OtherBox]).unwrap_err().confirm, [Unusual::SecondToday]);
        let known = check(&[Unusual::OtherBox, Unusual::SecondToday, Unusual::Underweight]).unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), ["other-box", "second-today"], "what was unusual alone");
        assert_eq!(known["other-box"], "M001 is usually in box2, and not in box1");
    }
}
