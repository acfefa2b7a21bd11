//! What can be typed after `bramble-terminal`.

mod agents;
mod alerts;
mod export;
mod life;
mod session;
mod subject;
mod user;

use std::path::PathBuf;

use bramble_link::Endpoint;
use bramble_message::PortName;
use bramble_settings::WebAddress;
use bramble_value::{Name, Person, Span, SubjectId, Volume};
use clap::{Args, Parser, Subcommand};

use crate::unusual::Unusual;

pub(crate) use agents::{Agents, AgentsCommand};
pub(crate) use alerts::{Alerts, AlertsCommand};
pub(crate) use export::Export;
pub(crate) use life::{Edit, Instead, OrNone, Water, Weigh};
pub(crate) use session::{Session, SessionMove, SessionReport};
pub(crate) use subject::Subject;
pub(crate) use user::User;

/// The lab desktop's part of Bramble: it keeps the subject files and starts sessions on pilots.
#[derive(Debug, Parser)]
#[command(name = "bramble-terminal", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The configuration file [default: what bramble-setup wrote, else
    /// config/terminal.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder [default: $BRAMBLE_DATA, else what the configuration says, or ~/bramble]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Where")]
    pub(crate) data: Option<PathBuf>,
    /// Who you are, where several work as one user: a name, or name@computer [default: the user, at
    /// this computer]
    #[arg(long, global = true, value_name = "PERSON", env = "BRAMBLE_WHO", help_heading = "Who",
        value_parser = crate::software::named)]
    pub(crate) who: Option<Person>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples, in the order of a first day:
  bramble-terminal task check tasks/free_water.star
  bramble-terminal task simulate tasks/free_water.star --animal learner --trials 200
  bramble-terminal serve &
  bramble-terminal subject add M001 --species \"Mus musculus\" --sex female
  bramble-terminal subject assign M001 tasks/protocols/water_to_choice.star
  bramble-terminal start M001 --pilot box1
  bramble-terminal status --watch
  bramble-terminal stop M001 --after-trial";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the terminal: every other command that is about subjects, pilots or sessions talks to it
    #[command(after_help = "\
It prints a line when it is ready, and the page's address. Ctrl-C or SIGTERM ends it; pilots go on with their
sessions, keep what they observe, and send it when it is back. BRAMBLE_LOG=debug says more.

Example:
  bramble-terminal serve --data ~/lab --listen tcp://0.0.0.0:5600")]
    Serve(Serve),
    /// Add, show and train subjects
    #[command(subcommand)]
    Subject(Subject),
    /// Start a session: the subject's step of its protocol, or one task
    #[command(after_help = "\
Examples:
  bramble-terminal start M001 --pilot box1
  bramble-terminal start M001 --pilot box1 --trials 300
  bramble-terminal start M001 --pilot box2 --confirm other-box,second-today
  bramble-terminal start M001 --pilot box1 --task tasks/free_water.star --param reward=\"3 uL\"")]
    Start(Start),
    /// Stop a subject's session, or whatever a pilot runs
    #[command(after_help = "\
Examples:
  bramble-terminal stop M001
  bramble-terminal stop --pilot box1 --after-trial")]
    Stop(Stop),
    /// Hold a subject's session between two trials, until it is resumed
    #[command(after_help = "\
The present trial is finished, and no other begins. What is around the trials goes on, and times
with it, the `timeout` of the stages around them too. `stop` and `reward` work in a pause.

Example:
  bramble-terminal pause M001 --why \"the tube is loose\"")]
    Pause(Pause),
    /// Go on with a session that was paused
    #[command(after_help = "Example:\n  bramble-terminal resume M001")]
    Resume(Pause),
    /// Change a live parameter of a running session
    #[command(after_help = "Example:\n  bramble-terminal set M001 reward=\"4 uL\"")]
    Set {
        #[command(flatten)]
        take_over: TakeOver,
        /// Whose session
        subject: SubjectId,
        /// The parameter and its new value
        #[arg(value_name = "PARAM=VALUE", value_parser = setting)]
        setting: (String, serde_json::Value),
    },
    /// Give a running task a message, as its button would
    #[command(after_help = "Example:\n  bramble-terminal message M001 help_animal")]
    Message {
        #[command(flatten)]
        take_over: TakeOver,
        /// Whose session
        subject: SubjectId,
        /// The message, as the task declares it
        name: String,
    },
    /// Give water by hand, through a valve of the running session
    #[command(after_help = "Example:\n  bramble-terminal reward M001 valve.left \"4 uL\"")]
    Reward {
        #[command(flatten)]
        take_over: TakeOver,
        /// Whose session
        subject: SubjectId,
        /// The valve: `valve.left`, or `valve` where it has no ports
        #[arg(value_parser = port)]
        port: PortName,
        /// How much
        volume: Volume,
    },
    /// Show the swarm: each pilot's session, and how each pilot and child fares
    #[command(after_help = "\
The first table has the sessions. `correct` is the share of the last trials in which the column
that the task's plot counts (or `outcome`, or `correct`) was correct.

The second has the agents: a heartbeat's round trip; `clock`, within which their clock is known;
`wall`, by how much their wall clock is ahead; `to come`, the events that this terminal does not
have yet; the free disk; and where the board tells it, temperature and supply.

What needs a person is below the tables.

Examples:
  bramble-terminal status --watch
  bramble-terminal status --brief
  bramble-terminal status --json | jq '.pilots[].session.trials'")]
    Status {
        /// Show it again and again, until ctrl-C
        #[arg(long, conflicts_with = "json")]
        watch: bool,
        /// Only the sessions, and what needs a person
        #[arg(long, conflicts_with = "json")]
        brief: bool,
        /// For scripts: everything that is known, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what is not as it should be; say that it was seen; try how others are told
    #[command(after_help = "\
Examples:
  bramble-terminal alerts
  bramble-terminal alerts seen 7
  bramble-terminal alerts silence 7 2h
  bramble-terminal alerts test
  bramble-terminal alerts --json | jq '.on[].text'")]
    Alerts(Alerts),
    /// Show how late pilots are: their outputs after what led to them, and the heartbeats of their links
    #[command(after_help = "\
An output is late by the time from the edge, or the end of a time, that led to it until it was written.
Only sessions in real time have one: that of now, or the last since the pilot was started.

Examples:
  bramble-terminal timing
  bramble-terminal timing box1
  bramble-terminal timing --json | jq '.[].reaction.delays.p99'")]
    Timing {
        /// Only this pilot, with its histograms
        pilot: Option<Name>,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Measure how fast the links to pilots are: round trips, and bytes a second each way
    #[command(after_help = "\
Three parts for each pilot, one pilot after the other and then all at once: short messages there and back,
a stream from the pilot, and one to it. Eight messages at most are on their way on each link, and what must
arrive goes between them. A pilot in a session is only tested with --during-session.

Examples:
  bramble-terminal test-link box1
  bramble-terminal test-link --all --time 1s
  bramble-terminal test-link --all --json | jq '.together[].to_terminal'")]
    TestLink {
        /// Which pilots
        #[arg(required_unless_present = "all")]
        pilots: Vec<Name>,
        /// All that are here
        #[arg(long, conflicts_with = "pilots")]
        all: bool,
        /// How long each part takes for each pilot
        #[arg(long, default_value = "2s")]
        time: Span,
        /// Even where a session runs
        #[arg(long)]
        during_session: bool,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Let a pilot or a child join this swarm: prints a code, and what to type on its computer
    #[command(after_help = "\
The code holds for ten minutes, for one agent of that name, and for two wrong tries. It can't
be guessed from what goes over the network.

Examples:
  bramble-terminal invite box1
  bramble-terminal invite wheel-box1 --child")]
    Invite {
        /// What the agent will be called: letters, digits, _ and -
        name: Name,
        /// It is a child, and no pilot
        #[arg(long)]
        child: bool,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// List the agents of this swarm; rename or revoke one
    #[command(after_help = "\
Examples:
  bramble-terminal agents
  bramble-terminal agents rename box1 box7
  bramble-terminal agents revoke box1
  bramble-terminal agents --json | jq '.[] | select(.revoked == null).name'")]
    Agents(Agents),
    /// Say who can log in at the page, and what they may do there
    #[command(subcommand)]
    User(User),
    /// Check, draw and try tasks; needs no running terminal
    #[command(subcommand)]
    Task(Task),
    /// Check protocols; needs no running terminal
    #[command(subcommand)]
    Protocol(Protocol),
    /// Run recorded sessions again, from the subject file alone, and compare; needs no running terminal
    #[command(after_help = "\
Everything comes from the file: the task's sources, parameters, seed, inputs. It says whether each
transition, output and column is what was recorded, or what differs first; then it exits with 1.

Examples:
  bramble-terminal replay M001 --session 12
  bramble-terminal replay copies/M001.h5
  bramble-terminal replay M001 --session 12 --extract session12")]
    Replay(Replay),
    /// Say how good a session was, or move one to another subject
    #[command(subcommand)]
    Session(Session),
    /// Write a subject's sessions for other programs: NWB, CSV, Parquet, AIND; needs no running terminal
    #[command(after_help = export::EXAMPLES)]
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where pilots reach this terminal [default: what the configuration says, or tcp://127.0.0.1:5600]
    #[arg(long, value_name = "ENDPOINT")]
    pub(crate) listen: Option<Endpoint>,
    /// Where the page is: IP:PORT, or off [default: what the configuration says, or 127.0.0.1:5680]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) web: Option<WebAddress>,
    /// Makes every session repeatable: its seed comes from this, the subject and the session's number
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Which subject
    pub(crate) subject: SubjectId,
    /// On which pilot
    #[arg(long)]
    pub(crate) pilot: Name,
    /// Run this task once, whatever the subject's protocol says
    #[arg(long, value_name = "FILE")]
    pub(crate) task: Option<PathBuf>,
    /// A parameter that differs from the task's default or the step's; may be repeated
    #[arg(long = "param", value_name = "PARAM=VALUE", value_parser = setting)]
    pub(crate) parameters: Vec<(String, serde_json::Value)>,
    /// What a column with `keep` begins with, instead of where the subject's last session left it; may be
    /// repeated
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = setting)]
    pub(crate) keep: Vec<(String, serde_json::Value)>,
    /// Stop after this many trials, counted over the steps that follow by themselves
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) trials: Option<u32>,
    /// What all randomness of the session comes from, as its record says it: with it the session is
    /// one run again [default: a new one]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Start even where the pilot's rig failed its last `bramble-pilot check`; the subject's file says so
    #[arg(long)]
    pub(crate) despite_check: bool,
    /// Start even where the subject's session on a pilot that is away has no end; what that pilot has of it
    /// is kept all the same when it comes back
    #[arg(long)]
    pub(crate) abandon: bool,
    /// What is unusual about this start, and all the same right; where it isn't said, it is asked for
    #[arg(long, value_name = "WHAT", value_delimiter = ',', env = "BRAMBLE_CONFIRM")]
    pub(crate) confirm: Vec<Unusual>,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// Whose session
    #[arg(required_unless_present = "pilot")]
    pub(crate) subject: Option<SubjectId>,
    /// Whatever this pilot runs
    #[arg(long, conflicts_with = "subject")]
    pub(crate) pilot: Option<Name>,
    /// When the present trial is over, instead of at once
    #[arg(long)]
    pub(crate) after_trial: bool,
    /// Why, for the subject's file
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) take_over: TakeOver,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// Whose session
    pub(crate) subject: SubjectId,
    /// Why, for the subject's file
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) take_over: TakeOver,
}

/// A session belongs to who started it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct TakeOver {
    /// Where the session is another person's: make it yours, which its record says
    #[arg(long)]
    pub(crate) take_over: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Check a task file, and say what it declares
    Check {
        /// The task's file
        file: PathBuf,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Draw a task's stages
    #[command(after_help = "\
Examples:
  bramble-terminal task graph tasks/two_choice.star -o two_choice.svg
  bramble-terminal task graph tasks/two_choice.star --mermaid")]
    Graph {
        /// The task's file
        file: PathBuf,
        /// As a Mermaid diagram, for Markdown
        #[arg(long, conflicts_with = "svg")]
        mermaid: bool,
        /// As an SVG picture (the default)
        #[arg(long)]
        svg: bool,
        /// Write it to a file instead of printing it
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Run a task with a simulated animal, as fast as the machine can
    #[command(after_help = "\
Examples:
  bramble-terminal task simulate tasks/two_choice.star --trials 10000
  bramble-terminal task simulate tasks/two_choice.star --param reward=\"3 uL\" --csv trials.csv
  bramble-terminal task simulate tasks/blink.star --animal scripted:pokes.txt")]
    Simulate(Simulate),
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The task's file
    pub(crate) file: PathBuf,
    /// The animal: learner, scripted:FILE, or a FILE.star that says what it does
    #[arg(long, default_value = "learner")]
    pub(crate) animal: String,
    /// End after this many trials
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) trials: u32,
    /// What all randomness comes from; the same seed gives the same trials
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A parameter that differs from the task's default; may be repeated
    #[arg(long = "param", value_name = "PARAM=VALUE", value_parser = setting)]
    pub(crate) parameters: Vec<(String, serde_json::Value)>,
    /// What a column with `keep` begins with; may be repeated
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = setting)]
    pub(crate) keep: Vec<(String, serde_json::Value)>,
    /// Write the trial table to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// For scripts: the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The subject, or the path of its file
    pub(crate) subject: String,
    /// Only this session [default: every one]
    #[arg(long, value_name = "N")]
    pub(crate) session: Option<u32>,
    /// Instead, write all that the session started from into a new folder, to run it on another rig
    #[arg(long, value_name = "DIR", requires = "session", conflicts_with = "json")]
    pub(crate) extract: Option<PathBuf>,
    /// For scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Protocol {
    /// Check a protocol file and every task it names
    #[command(
        after_help = "Example:\n  bramble-terminal protocol check tasks/protocols/water_to_choice.star"
    )]
    Check {
        /// The protocol's file
        file: PathBuf,
        /// For scripts
        #[arg(long)]
        json: bool,
    },
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    (!name.trim().is_empty()).then(|| (name.trim().to_owned(), value.trim().to_owned()))
}

/// What is known of a subject, by name.
fn extra(text: &str) -> Result<(String, String), String> {
    pair(text).ok_or_else(|| "write NAME=TEXT, as in cage=12".to_owned())
}

/// A parameter: numbers, `true`, `false` and lists as JSON writes them, anything
/// else is a text.
fn setting(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = pair(text).ok_or("write NAME=VALUE, as in reward=\"3 uL\"")?;
    let parsed = serde_json::from_str(&value).unwrap_or(serde_json::Value::String(value));
    Ok((name, parsed))
}

fn port(text: &str) -> Result<PortName, String> {
    let (device, port) = match text.split_once('.') {
        Some((device, port)) => (device, Some(port)),
        None => (text, None),
    };
    let name = |text: &str| text.parse::<Name>().map_err(|error| error.to_string());
    Ok(PortName { device: name(device)?, port: port.map(name).transpose()? })
}

fn date(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse().map_err(|_| "write a day as in 2026-01-31".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_setting_is_a_number_a_truth_or_a_text() {
        assert_eq!(setting("n=5").unwrap(), ("n".to_owned(), serde_json::json!(5)));
        assert_eq!(setting("reward = 3 uL").unwrap(), ("reward".to_owned(), serde_json::json!("3 uL")));
        assert_eq!(setting("bias=true").unwrap().1, serde_json::json!(true));
        assert!(setting("reward").unwrap_err().contains("3 uL"));
        assert!(extra("cage").unwrap_err().contains("cage=12"));
    }
}
