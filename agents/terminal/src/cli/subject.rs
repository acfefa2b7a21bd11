//! `subject ...`: what can be asked and said of subjects.

use std::path::PathBuf;

use bramble_subject::{Biography, Sex};
use bramble_value::SubjectId;
use clap::{Args, Subcommand};

use super::{Edit, Water, Weigh, date, extra};

#[derive(Debug, Subcommand)]
pub(crate) enum Subject {
    /// Add a new subject
    #[command(after_help = "\
Example:
  bramble-terminal subject add M001 --species \"Mus musculus\" --strain C57BL/6J --sex female \\
      --birth 2026-01-31 --genotype wt --note \"cage 12\" --extra ear=left")]
    Add {
        /// Its name: letters, digits, - and _
        id: SubjectId,
        #[command(flatten)]
        about: About,
    },
    /// List all subjects
    List {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Show one subject: who it is, where in its training, and its sessions
    Show {
        /// Which
        id: SubjectId,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Put a subject on a protocol, at its first step or another
    #[command(after_help = "\
The protocol's file is read at each start, so that a correction counts from the next session on.

Example:
  bramble-terminal subject assign M001 tasks/protocols/water_to_choice.star --step 2")]
    Assign {
        /// Which subject
        id: SubjectId,
        /// The protocol's file
        protocol: PathBuf,
        /// The step to begin at, from 1
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        step: u32,
    },
    /// Correct or add to who a subject is; the version before is kept
    #[command(after_help = "\
What isn't named stays as it is. subject history shows what was before.

Example:
  bramble-terminal subject edit M001 --genotype het --extra cage=14")]
    Edit(Edit),
    /// Write down what a subject weighs, or what its weight is held against
    #[command(after_help = "\
A weight is compared with the subject's baseline: the one that a person set, else its first
weighing. Below the limit it is warned of; with a limit, a start asks for a weight of today.

Examples:
  bramble-terminal subject weigh M001 --baseline 25g --limit 85%
  bramble-terminal subject weigh M001 21.4g --before
  bramble-terminal subject weigh M001 21.9g --instead
  bramble-terminal subject weigh M001 21.2g --after --on 2026-03-01
  bramble-terminal subject weigh M001")]
    Weigh(Weigh),
    /// Write down water given outside of a session, and say what is owed today
    #[command(after_help = "\
What a subject had in a day is what the sessions gave that began on it, and what people wrote
down here. Days are those of the terminal's computer. What `bramble-terminal reward` gives is
part of its session.

Examples:
  bramble-terminal subject water M001 --target 1mL
  bramble-terminal subject water M001
  bramble-terminal subject water M001 200uL
  bramble-terminal subject water M001 250uL --instead
  bramble-terminal subject water M001 200uL --on 2026-03-01
  bramble-terminal subject water M001 --days")]
    Water(Water),
    /// Write down a note of a subject
    #[command(after_help = "Example:\n  bramble-terminal subject note M001 \"left ear clipped again\"")]
    Note {
        /// Which
        id: SubjectId,
        /// The note
        text: String,
    },
    /// Write down that a subject was taken out of the box that it had its session in
    #[command(after_help = "Example:\n  bramble-terminal subject out M001")]
    Out {
        /// Which
        id: SubjectId,
    },
    /// Show every change to a subject: when, who, what, from, to
    History {
        /// Which
        id: SubjectId,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
}

/// Who an animal is.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// As in "Mus musculus"
    #[arg(long, default_value = "", hide_default_value = true)]
    species: String,
    /// As in C57BL/6J
    #[arg(long, default_value = "", hide_default_value = true)]
    strain: String,
    /// female, male, other or unknown
    #[arg(long, default_value_t = Sex::Unknown)]
    sex: Sex,
    /// The day it was born, as in 2026-01-31
    #[arg(long, value_name = "DATE", value_parser = date)]
    birth: Option<jiff::civil::Date>,
    /// Its genotype
    #[arg(long, default_value = "", hide_default_value = true)]
    genotype: String,
    /// Anything else in words
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    /// Anything else by name, as in cage=12; may be repeated
    #[arg(long, value_name = "NAME=TEXT", value_parser = extra)]
    extra: Vec<(String, String)>,
}

impl From<About> for Biography {
    fn from(about: About) -> Biography {
        Biography {
            species: about.species,
            strain: about.strain,
            sex: about.sex,
            birth: about.birth,
            genotype: about.genotype,
            notes: about.note,
            extra: about.extra.into_iter().collect(),
        }
    }
}
