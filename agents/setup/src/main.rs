//! Sets up an agent on this computer: asks, writes its configuration and its service, has it
//! join its swarm, and checks its rig.

mod answers;
mod begin;
mod cli;
mod draft;
mod facts;
mod form;
mod plan;
mod screen;
mod shell;
mod unit;
mod work;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use miette::{IntoDiagnostic, Report};

use begin::{Refused, begin};
use cli::Arguments;
use plan::Plan;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(2)
        }
    }
}

/// Whether all was done.
fn run(arguments: &Arguments) -> Result<bool, Report> {
    let mut answers = begin(arguments)?;
    let attended = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let asks = !arguments.yes && !arguments.dry_run;
    if asks {
        if !attended {
            return Err(Refused::Unattended.into());
        }
        work::see_that_idle(&answers).map_err(Refused::Busy)?;
        match shell::ask(answers).into_diagnostic()? {
            Some(given) => answers = given,
            None => {
                say("nothing was written");
                return Ok(true);
            }
        }
    }
    let problems = answers.draft().problems();
    if !problems.is_empty() {
        return Err(Refused::of(&answers, problems).into());
    }
    if !asks && !begin::says_what(arguments, &answers) {
        return Err(Refused::NoRig.into());
    }
    let plan = Plan::new(&answers);
    if arguments.dry_run || arguments.pretend.is_some() {
        show(&plan);
        return Ok(true);
    }
    let (file, text, role) = (plan.answers.file(), plan.text.clone(), plan.answers.role);
    Ok(work::run(plan, attended && asks).map_err(|busy| {
        // What a person has answered isn't lost with it.
        let aside = asks.then(|| work::keep_aside(&file, &text)).flatten();
        match aside {
            Some(aside) => Refused::Late { busy, role, aside: aside.display().to_string() },
            None => Refused::Busy(busy),
        }
    })?)
}

/// Prints a line. What is done is done, whether or not anybody reads of it.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints what would be done, and the files as they would be.
fn show(plan: &Plan) {
    for note in &plan.notes {
        say(&format!("note: {note}"));
    }
    for (at, step) in plan.steps().iter().enumerate() {
        say(&format!("{}. {step}", at + 1));
    }
    say(&format!("\n--- {}\n{}", plan.answers.file().display(), plan.text));
    if let Some(unit) = &plan.unit {
        say(&format!("--- {}\n{}", unit.path(&plan.answers.facts.home).display(), unit.text()));
    }
}
