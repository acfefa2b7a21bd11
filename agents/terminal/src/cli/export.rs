//! What can be typed after `bramble-terminal export`.

use std::path::PathBuf;

use bramble_export::Form;
use clap::{ArgGroup, Args};

pub(super) const EXAMPLES: &str = "\
NWB is one file a session, sub-SUBJECT/sub-SUBJECT_ses-SESSION.nwb. CSV is a folder a session,
SUBJECT/SESSION: trials.csv, events.csv, notes.csv, and datapackage.json, which says what each
column is and in which unit. Parquet is a folder for a whole cohort,
subject=SUBJECT/session=SESSION/trials.parquet and so on. AIND is a folder a session,
SUBJECT_DATE_TIME, with the documents of aind-data-schema 2, and the CSV in behavior/.

Who did the experiment, and where, is in [lab] of config/terminal.toml.

Examples:
  bramble-terminal export M001 --nwb
  bramble-terminal export M001 --csv --session 12
  bramble-terminal export M001 --parquet --out cohort
  bramble-terminal export copies/M001.h5 --csv --parquet --out for-ana";

/// `export`.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("forms").required(true).multiple(true).args(["nwb", "csv", "parquet", "aind"]))]
pub(crate) struct Export {
    /// The subject, or the path of its file
    pub(crate) subject: String,
    /// As NWB, for archives and for tools of neurophysiology
    #[arg(long, help_heading = "Forms, one or more")]
    nwb: bool,
    /// As CSV, with a JSON document that describes the columns
    #[arg(long, help_heading = "Forms, one or more")]
    csv: bool,
    /// As Parquet, in a folder partitioned by subject and session
    #[arg(long, help_heading = "Forms, one or more")]
    parquet: bool,
    /// As a data asset of the Allen Institute for Neural Dynamics
    #[arg(long, help_heading = "Forms, one or more")]
    aind: bool,
    /// Only this session; may be repeated [default: every one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) session: Vec<u32>,
    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Write anew what is there already, instead of leaving it
    #[arg(long)]
    pub(crate) replace: bool,
}

impl Export {
    /// The forms that were asked for.
    pub(crate) fn forms(&self) -> Vec<Form> {
        let forms = [
            (self.nwb, Form::Nwb),
            (self.csv, Form::Csv),
            (self.parquet, Form::Parquet),
            (self.aind, Form::Aind),
        ];
        forms.into_iter().filter_map(|(wanted, form)| wanted.then_some(form)).collect()
    }
}
