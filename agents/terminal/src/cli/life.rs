//! `subject weigh`, `water`, `note` and `edit`.

use std::str::FromStr;

use bramble_subject::{Occasion, Sex};
use bramble_value::{Level, Mass, Person, SubjectId, Volume};
use clap::Args;
use jiff::civil::Date;

use super::{date, extra};
use crate::api::types::{Edit as Edited, On};

/// A value, or `none`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = T::Err;
    fn from_str(text: &str) -> Result<OrNone<T>, T::Err> {
        Ok(OrNone(if text == "none" { None } else { Some(text.parse()?) }))
    }
}

fn birth(text: &str) -> Result<OrNone<Date>, String> {
    Ok(OrNone(if text == "none" { None } else { Some(date(text)?) }))
}

/// Of which day something was wrong; `None`: of today.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instead(pub(crate) Option<Date>);

impl FromStr for Instead {
    type Err = String;
    fn from_str(text: &str) -> Result<Instead, String> {
        Ok(Instead(if text == "today" { None } else { Some(date(text)?) }))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Weigh {
    /// Which subject
    pub(crate) id: SubjectId,
    /// What it weighs, as in 21.4g; with --instead also none [default: lists its weighings]
    pub(crate) weight: Option<OrNone<Mass>>,
    /// It was weighed before a session
    #[arg(long, requires = "weight", conflicts_with = "after")]
    before: bool,
    /// It was weighed after a session
    #[arg(long, requires = "weight")]
    after: bool,
    /// The last weighing of today, or of DATE, was wrong: this one counts in its place, none takes it
    /// back; all stay in the file
    #[arg(long, requires = "weight", value_name = "DATE", num_args = 0..=1, require_equals = true, default_missing_value = "today")]
    pub(crate) instead: Option<Instead>,
    /// It was on another day than today, as in 2026-03-01 or "2026-03-01 09:30", by the terminal's clock
    #[arg(long, requires = "weight", conflicts_with = "instead", value_name = "DAY")]
    pub(crate) on: Option<On>,
    /// Set what its weights are compared with; none: its first weighing again
    #[arg(long, value_name = "WEIGHT")]
    pub(crate) baseline: Option<OrNone<Mass>>,
    /// Set the share of its baseline below which it is warned of, as in 85%; none: no limit
    #[arg(long, value_name = "SHARE")]
    pub(crate) limit: Option<OrNone<Level>>,
    /// Its weighings, for scripts
    #[arg(long, conflicts_with_all = ["weight", "baseline", "limit"])]
    pub(crate) json: bool,
}

impl Weigh {
    /// When, in the animal's day; `None` where nothing was said.
    pub(crate) fn occasion(&self) -> Option<Occasion> {
        match (self.before, self.after) {
            (true, _) => Some(Occasion::Before),
            (_, true) => Some(Occasion::After),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Water {
    /// Which subject
    pub(crate) id: SubjectId,
    /// What it was given outside of a session, as in 200uL; with --instead also none [default: says what it
    /// had and is owed]
    pub(crate) volume: Option<OrNone<Volume>>,
    /// What was written down last today, or on DATE, was wrong: this counts in its place, none takes it
    /// back; all stay in the file
    #[arg(long, requires = "volume", value_name = "DATE", num_args = 0..=1, require_equals = true, default_missing_value = "today")]
    pub(crate) instead: Option<Instead>,
    /// It was on another day than today, as in 2026-03-01 or "2026-03-01 09:30", by the terminal's clock
    #[arg(long, requires = "volume", conflicts_with = "instead", value_name = "DAY")]
    pub(crate) on: Option<On>,
    /// Set the water that it is to have in a day, as in 1mL; none: no target
    #[arg(long, value_name = "VOLUME")]
    pub(crate) target: Option<OrNone<Volume>>,
    /// The water that it had on each day
    #[arg(long, conflicts_with_all = ["volume", "target"])]
    pub(crate) days: bool,
    /// That, for scripts
    #[arg(long, requires = "days")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Which subject
    pub(crate) id: SubjectId,
    /// As in "Mus musculus"
    #[arg(long)]
    species: Option<String>,
    /// As in C57BL/6J
    #[arg(long)]
    strain: Option<String>,
    /// female, male, other or unknown
    #[arg(long)]
    sex: Option<Sex>,
    /// The day it was born, as in 2026-01-31; none: not known
    #[arg(long, value_name = "DATE", value_parser = birth)]
    birth: Option<OrNone<Date>>,
    /// Its genotype
    #[arg(long)]
    genotype: Option<String>,
    /// Anything else in words
    #[arg(long)]
    note: Option<String>,
    /// Anything else by name, as in cage=12; without a text it is taken away; may be repeated
    #[arg(long, value_name = "NAME=TEXT", value_parser = extra)]
    extra: Vec<(String, String)>,
}

impl Edit {
    /// What is asked of the terminal.
    pub(crate) fn by(self, who: Person) -> Edited {
        Edited {
            species: self.species,
            strain: self.strain,
            sex: self.sex,
            birth: self.birth.map(|birth| birth.0),
            genotype: self.genotype,
            notes: self.note,
            extra: self.extra.into_iter().collect(),
            who,
        }
    }
}
