//! An animal's life between its sessions: what it weighs, the water that people give it,
//! and what they note.

use bramble_subject::{Care, Change, Life, SubjectError, SubjectFile, Weight, life};
use bramble_value::{Mass, Person, SubjectId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Desk;
use super::subjects::{by, no_subject};
use super::then;
use crate::api::types::{Cares, Done, Edit, GiveWater, NoteDown, On, WaterLine, Weigh, WeightLine};
use crate::fares::{self, baseline, owed};
use crate::refusal::{Allowed, Refusal};
use crate::writer::Files;

impl Desk {
    /// Every weighing that counts, oldest first.
    pub(crate) async fn weights(&self, id: SubjectId) -> Allowed<Vec<WeightLine>> {
        self.read(id, |file| {
            let baseline = fares(file)?.baseline;
            let weights = life::counted(&file.weights()?).into_iter();
            let share = |weight: &Weight| Some(weight.grams / baseline.as_ref()?.mass.grams());
            Ok(weights.map(|weight| WeightLine { share: share(&weight), weight }).collect())
        })
        .await
    }

    /// Writes down what a subject weighs.
    pub(crate) async fn weigh(&self, id: SubjectId, weigh: Weigh) -> Allowed<Done> {
        let Weigh { mass, occasion, instead, day: of, on, who } = weigh;
        one_time(instead, of, on)?;
        mass.map_or(Ok(()), |mass| can_weigh(mass, "write its weight, as in 21.4g"))?;
        if mass.is_none() && !instead {
            return Err(nothing_to_take_back());
        }
        let by = by(who);
        self.care_for(id.clone(), move |file| {
            let written = file.weights()?;
            let weights = life::counted(&written);
            let wrong = if instead {
                match wrong(&weights, |weight| weight.when, of, by.when) {
                    Ok(wrong) => Some(wrong.clone()),
                    Err(last) => return Ok(Err(nothing_then(&id, "weighing", of, last))),
                }
            } else {
                None
            };
            let when = match (on, &wrong) {
                (Some(on), _) => {
                    let sessions = file.sessions()?;
                    match then::of_weighing(on, occasion.unwrap_or_default(), &sessions, &written, by.when) {
                        Ok(when) => when,
                        Err(refusal) => return Ok(Err(refusal)),
                    }
                }
                (None, wrong) => wrong.as_ref().map_or(by.when, |wrong| wrong.when),
            };
            let last = weights.iter().rfind(|weight| weight.when < when).map(|weight| weight.grams);
            let occasion = match (&wrong, occasion) {
                (Some(wrong), None) => wrong.occasion,
                (_, occasion) => occasion.unwrap_or_default(),
            };
            let right = mass.map(|mass| Weight { when, grams: mass.grams(), occasion, who: by.who.clone() });
            let taken_back = || wrong.as_ref().map(|wrong| life::weight_taken_back(wrong, &by));
            if let Some(weight) = right.clone().or_else(taken_back) {
                file.weigh(&weight)?;
            }
            if let Some(wrong) = &wrong {
                file.log(&life::weight_corrected(wrong, right.as_ref(), &by))?;
            } else if let Some(late) = right.as_ref().filter(|_| on.is_some()) {
                file.log(&life::weighed_then(late, &by))?;
            }
            let fares = fares(file)?;
            let mut done = match (&right, &wrong) {
                (Some(weight), _) => {
                    let baseline = fares.baseline.as_ref();
                    let share = baseline.map_or(1.0, |baseline| weight.grams / baseline.mass.grams());
                    let baseline = baseline.map(self::baseline).unwrap_or_default();
                    let weighs = on.map_or_else(|| "weighs".to_owned(), |on| format!("weighed on {on}"));
                    let share = fares::share(share, fares.limit);
                    format!("{id} {weighs} {} g, {share} of {baseline}", weight.grams)
                }
                (None, Some(wrong)) => format!("{id} was not weighed {} g; that is taken back", wrong.grams),
                (None, None) => String::new(),
            };
            if let Some(baseline) =
                fares.baseline.as_ref().filter(|one| one.set.is_none() && one.since == when)
                && !weights.is_empty()
            {
                done.push_str(&format!(
                    "\nwarning: {} is its baseline from now on, since it is its first weighing: \
                     --baseline sets another",
                    baseline.mass
                ));
            }
            if let (Some(mass), Some(last)) = (mass, last)
                && life::is_far(mass.grams(), last)
            {
                done.push_str(&format!(
                    "\nwarning: it weighed {last} g before; where {mass} is mistyped: \
                     bramble-terminal subject weigh {id} WEIGHT --instead"
                ));
            }
            if let Some(limit) = fares.limit.filter(|_| fares.is_below_limit()) {
                done.push_str(&format!("\nwarning: {id} is below its limit of {limit}"));
            }
            Ok(Ok(Done { done }))
        })
        .await
    }

    /// Writes down water that a person gave outside of a session.
    pub(crate) async fn give_water(&self, id: SubjectId, give: GiveWater) -> Allowed<Done> {
        let GiveWater { volume, instead, day: of, on, who } = give;
        one_time(instead, of, on)?;
        if let Some(volume) = volume.filter(|volume| volume.microliters() > life::TOO_MUCH) {
            return Err(Refusal::wrong(format!("no animal is given {volume}"))
                .help("write what it was given, as in 500uL; nothing was changed"));
        }
        if volume.is_none() && !instead {
            return Err(nothing_to_take_back());
        }
        let by = by(who);
        let behind = self.behind(&id).await?;
        let behind = behind.map(|why| format!("\nwhat happened last isn't counted: {why}"));
        self.care_for(id.clone(), move |file| {
            let history = file.history()?;
            let given = life::water_by_hand(&history);
            let wrong = if instead {
                match wrong(&given, |given| given.when, of, by.when) {
                    Ok(wrong) => Some(wrong),
                    Err(last) => return Ok(Err(nothing_then(&id, "water", of, last))),
                }
            } else {
                None
            };
            match on.zip(volume) {
                Some((on, volume)) => match then::of_water(on, &given, by.when) {
                    Ok(when) => file.log(&life::water_given_then(life::Given { when, volume }, &by))?,
                    Err(refusal) => return Ok(Err(refusal)),
                },
                None => file.log(&life::water_given(volume, wrong, &history, &by))?,
            }
            let right = volume.map_or_else(|| "nothing".to_owned(), |volume| volume.to_string());
            let done = match wrong {
                Some(wrong) => format!("{id} was given {right} and not {}", wrong.volume),
                None => {
                    format!("{id} was given {right}{}", on.map(|on| format!(" on {on}")).unwrap_or_default())
                }
            };
            Ok(Ok(Done { done: format!("{done}; {}{}", owed(&fares(file)?), behind.unwrap_or_default()) }))
        })
        .await
    }

    /// The water that a subject had on each day.
    pub(crate) async fn waters(&self, id: SubjectId) -> Allowed<Vec<WaterLine>> {
        self.read(id, |file| {
            let days = life::water_by_day(&file.history()?, &file.sessions()?, &TimeZone::system());
            Ok(days.into_iter().map(|(day, water)| WaterLine { day, water }).collect())
        })
        .await
    }

    /// Sets what a subject's weight and water are held against, or takes it back.
    pub(crate) async fn set_cares(&self, id: SubjectId, cares: Cares) -> Allowed<Done> {
        let Cares { baseline: mass, limit, target, who } = cares;
        if let Some(mass) = mass.flatten() {
            let help = "write what the subject weighs with all the water it wants, as in 25g";
            can_weigh(mass, help)?;
        }
        if limit.flatten().is_some_and(|limit| limit.share() <= 0.0) {
            return Err(Refusal::wrong("no weight is below a limit of 0 %").help(
                "write the share of its baseline below which it is warned of, as in 85%; none is no limit",
            ));
        }
        let cares = [mass.map(Care::Baseline), limit.map(Care::Limit), target.map(Care::Target)];
        let cares: Vec<Care> = cares.into_iter().flatten().collect();
        if cares.is_empty() {
            return Err(Refusal::wrong("say what to set: a baseline, a limit or a target"));
        }
        let by = by(who);
        self.care_for(id.clone(), move |file| {
            let history = file.history()?;
            let changes: Vec<Change> = cares.iter().map(|care| care.change(&history, &by)).collect();
            let mut done = Vec::new();
            for change in changes {
                file.log(&change)?;
                let said = |text: String| if text.is_empty() { "none".to_owned() } else { text };
                let (from, to) = (said(change.from), said(change.to));
                done.push(format!("{id}'s {} is {to}; it was {from}", change.what));
            }
            let last = life::counted(&file.weights()?).last().map(|weight| weight.grams);
            if let (Some(mass), Some(last)) = (mass.flatten(), last)
                && life::is_far(mass.grams(), last)
            {
                done.push(format!("warning: it weighs {last} g; see that {mass} is not mistyped"));
            }
            Ok(Ok(Done { done: done.join("\n") }))
        })
        .await
    }

    /// Writes down a note.
    pub(crate) async fn note_down(&self, id: SubjectId, note: NoteDown) -> Allowed<Done> {
        let NoteDown { text, who } = note;
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(Refusal::wrong("the note is empty").help("write what is to be noted, in quotes"));
        }
        let by = by(who.clone());
        let (subject, said) = (id.clone(), text.clone());
        let done = self.care_for(id.clone(), move |file| {
            file.log(&life::note(text, &by))?;
            Ok(Ok(Done { done: format!("noted of {id}; bramble-terminal subject history {id} shows it") }))
        });
        let done = done.await?;
        self.state.change(|lab| lab.said(&subject, &who, said));
        Ok(done)
    }

    /// Writes down that a subject was taken out of the box that it had its last session in.
    pub(crate) async fn take_out(&self, id: SubjectId, who: Person) -> Allowed<Done> {
        let by = by(who);
        self.care_for(id.clone(), move |file| {
            let last = file.sessions()?.into_iter().max_by_key(|session| session.started);
            let Some(last) = last else {
                return Ok(Err(Refusal::conflict(format!("{id} had no session yet"))));
            };
            if last.end.is_none() {
                let why = format!("{id} is in a session on {}", last.pilot);
                return Ok(Err(
                    Refusal::conflict(why).help(format!("stop it first: bramble-terminal stop {id}"))
                ));
            }
            file.log(&life::taken_out(&last.pilot, &by))?;
            Ok(Ok(Done { done: format!("{id} was taken out of {}", last.pilot) }))
        })
        .await
    }

    /// Writes a new version of who a subject is.
    pub(crate) async fn edit(&self, id: SubjectId, edit: Edit) -> Allowed<Done> {
        let by = by(edit.who.clone());
        is_born(edit.birth.flatten())?;
        self.care_for(id.clone(), move |file| {
            let before = file.biography()?;
            let after = edit.applied(before.clone());
            if after == before {
                return Ok(Ok(Done { done: format!("{id} is so already; nothing was changed") }));
            }
            file.edit_biography(&after, &by)?;
            Ok(Ok(Done { done: format!("{id} was edited; the version before is kept") }))
        })
        .await
    }

    /// Writes to a subject's file, or refuses after a look at it.
    async fn care_for<T: Send + 'static>(
        &self,
        id: SubjectId,
        work: impl FnOnce(&mut SubjectFile) -> Result<Allowed<T>, SubjectError> + Send + 'static,
    ) -> Allowed<T> {
        let subject = id.clone();
        let write = move |files: &mut Files| {
            let written = files.write(&id, |file| {
                let done = work(file)?;
                if done.is_ok() {
                    file.sync()?;
                }
                Ok(done)
            });
            written.map_err(|error| no_subject(&id, error))?
        };
        let written = self.writer.ask(write).await;
        self.alerts.look_at(&subject);
        written
    }
}

/// Refuses a weight that nothing alive has.
fn can_weigh(mass: Mass, help: &str) -> Allowed<()> {
    match mass.grams() {
        grams if grams <= 0.0 => Err(Refusal::wrong("no animal weighs nothing").help(help)),
        grams if grams > life::TOO_HEAVY => {
            Err(Refusal::wrong(format!("no animal weighs {mass}")).help(help))
        }
        _ => Ok(()),
    }
}

/// Refuses a day of birth that is yet to come.
pub(super) fn is_born(birth: Option<Date>) -> Allowed<()> {
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    match birth.filter(|birth| *birth > today) {
        Some(birth) => Err(Refusal::wrong(format!("{birth} is after today, {today}"))
            .help("write the day on which the subject was born, as in 2026-01-31; nothing was changed")),
        None => Ok(()),
    }
}

/// How a subject fares now, on the calendar of this computer, which is the lab's.
pub(crate) fn fares(file: &SubjectFile) -> Result<Life, SubjectError> {
    let (history, weights, sessions) = (file.history()?, file.weights()?, file.sessions()?);
    Ok(Life::of(&history, &weights, &sessions, Timestamp::now(), &TimeZone::system()))
}

/// What was written down last on a day, which was wrong; else on which day the last was.
fn wrong<T>(
    all: &[T],
    when: impl Fn(&T) -> Timestamp,
    of: Option<Date>,
    now: Timestamp,
) -> Result<&T, Option<Date>> {
    let day = |time: Timestamp| time.to_zoned(TimeZone::system()).date();
    let of = of.unwrap_or_else(|| day(now));
    all.iter().rfind(|one| day(when(one)) == of).ok_or_else(|| all.last().map(|one| day(when(one))))
}

fn nothing_then(id: &SubjectId, what: &str, of: Option<Date>, last: Option<Date>) -> Refusal {
    let of = of.map_or_else(|| "today".to_owned(), |day| format!("on {day}"));
    match last {
        Some(last) => {
            Refusal::conflict(format!("{id} has no {what} {of} that could be wrong; its last is of {last}"))
                .help(format!("where that is wrong: --instead={last}"))
        }
        None => {
            Refusal::conflict(format!("{id} has no {what} that could be wrong")).help("leave out --instead")
        }
    }
}

/// Refuses two times for one thing, and a day of which it isn't said what was on it.
fn one_time(instead: bool, of: Option<Date>, on: Option<On>) -> Allowed<()> {
    match (instead, of, on) {
        (true, _, Some(_)) => Err(Refusal::wrong("what corrects something is of the time of that")
            .help("say either on which day it was, or of which day it corrects something")),
        (false, Some(day), _) => Err(Refusal::wrong(format!("it isn't said what is of {day}"))
            .help("say `on` for the day on which it was, or `instead` where it corrects something of `day`")),
        _ => Ok(()),
    }
}

fn nothing_to_take_back() -> Refusal {
    Refusal::wrong("none says that something was wrong").help("say so: none --instead")
}
