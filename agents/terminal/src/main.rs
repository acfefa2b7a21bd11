//! The lab desktop's agent: it starts sessions on pilots and keeps the subject files.

mod agents;
mod alerts;
mod api;
mod assignment;
mod cli;
mod commands;
mod config;
mod desk;
mod fares;
mod hands;
mod lab;
mod live;
mod plan;
mod refusal;
mod reports;
mod repository;
mod room;
mod rule;
mod score;
mod software;
mod swarm;
mod tasks;
mod unusual;
mod users;
mod web;
mod writer;
mod written;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let shown = miette::set_hook(Box::new(|_| {
        // What is to be typed must not be broken at its hyphens.
        let whole = textwrap::WordSplitter::NoHyphenation;
        let options = miette::MietteHandlerOpts::new().break_words(false).word_splitter(whole);
        // A log has no edge that lines must be broken at.
        let on_screen = std::io::stderr().is_terminal();
        Box::new(if on_screen { options.build() } else { options.width(400).build() })
    }));
    match shown.map_err(miette::Report::from).and_then(|()| commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::FAILURE
        }
    }
}
