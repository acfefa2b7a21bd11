//! `subject weigh`, `water`, `note` and `edit`.

use bramble_subject::{Occasion, Sex};
use bramble_value::{Level, Mass, Person, SubjectId, Volume};
use clap::Args;

use super::{date, pair};
use crate::api::types::Edit as Edited;

#[derive(Debug, Args)]
pub(crate) struct Weigh {
    /// Which subject
    pub(crate) id: SubjectId,
    /// What it weighs, as in 21.4g [default: lists its weighings]
    pub(crate) weight: Option<Mass>,
    /// It was weighed before a session
    #[arg(long, requires = "weight", conflicts_with = "after")]
    before: bool,
    /// It was weighed after a session
    #[arg(long, requires = "weight")]
    after: bool,
    /// The last weighing was wrong: this one counts in its place; both stay in the file
    #[arg(long, requires = "weight")]
    pub(crate) instead: bool,
    /// Set what its weights are compared with [default: its first weighing]
    #[arg(long, value_name = "WEIGHT")]
    pub(crate) baseline: Option<Mass>,
    /// Set the share of its baseline below which it is warned of, as in 85%
    #[arg(long, value_name = "SHARE")]
    pub(crate) limit: Option<Level>,
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
    /// What it was given outside of a session, as in 200uL [default: says what it had and is owed]
    pub(crate) volume: Option<Volume>,
    /// What was written down last was wrong: this counts in its place; both stay in the file
    #[arg(long, requires = "volume")]
    pub(crate) instead: bool,
    /// Set the water that it is to have in a day, as in 1mL
    #[arg(long, value_name = "VOLUME")]
    pub(crate) target: Option<Volume>,
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
    /// The day it was born, as in 2026-01-31
    #[arg(long, value_name = "DATE", value_parser = date)]
    birth: Option<jiff::civil::Date>,
    /// Its genotype
    #[arg(long)]
    genotype: Option<String>,
    /// Anything else in words
    #[arg(long)]
    note: Option<String>,
    /// Anything else by name, as in cage=12; without a text it is taken away; may be repeated
    #[arg(long, value_name = "NAME=TEXT", value_parser = pair)]
    extra: Vec<(String, String)>,
}

impl Edit {
    /// What is asked of the terminal.
    pub(crate) fn by(self, who: Person) -> Edited {
        Edited {
            species: self.species,
            strain: self.strain,
            sex: self.sex,
            birth: self.birth,
            genotype: self.genotype,
            notes: self.note,
            extra: self.extra.into_iter().collect(),
            who,
        }
    }
}
