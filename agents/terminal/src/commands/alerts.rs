//! `alerts`: what is not as it should be, and who is told.

use bramble_alerts::Alert;
use bramble_value::Person;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{print_done, print_json, say, table};
use crate::api::alerts::{AlertsView, SaidBy, Silence, TellingView};
use crate::api::client::Client;
use crate::api::types::Done;
use crate::cli::{Alerts, AlertsCommand};

pub(super) async fn run(client: &Client, who: Person, options: Alerts) -> miette::Result<()> {
    let Alerts { command, past, json } = options;
    match command {
        None => list(&client.get("/alerts").await?, past, json),
        Some(AlertsCommand::Seen { ids }) => {
            for id in ids {
                let said = SaidBy { who: who.clone() };
                let alert: Alert = client.post(&format!("/alerts/{id}/seen"), &said).await?;
                let first = alert.seen.map(|seen| seen.who).filter(|first| *first != who);
                let first = first.map(|first| format!(", first by {first}")).unwrap_or_default();
                say(format_args!("alert {id} was seen{first}: {}", alert.text));
            }
            Ok(())
        }
        Some(AlertsCommand::Silence { id, time }) => {
            let alert: Alert = client.post(&format!("/alerts/{id}/silence"), &Silence { time, who }).await?;
            let until = alert.silent_until.filter(|until| *until > Timestamp::now());
            match until {
                Some(until) => {
                    say(format_args!("nobody is told of alert {id} before {}", on_the_wall(until)))
                }
                None => say(format_args!("alert {id} is told again")),
            }
            Ok(())
        }
        Some(AlertsCommand::Test) => {
            print_done(&client.post::<Done>("/alerts/test", &SaidBy { who }).await?);
            Ok(())
        }
    }
}

fn list(view: &AlertsView, past: bool, json: bool) -> miette::Result<()> {
    if json {
        return print_json(view);
    }
    if view.on.is_empty() {
        say("nothing is wrong");
    } else {
        let mut table = table(&["alert", "since", "", "seen by"]);
        for alert in &view.on {
            let seen = match (&alert.seen, alert.silent_until.filter(|until| *until > Timestamp::now())) {
                (Some(seen), _) => seen.who.to_string(),
                (None, Some(until)) => format!("silent until {}", on_the_wall(until)),
                (None, None) => String::new(),
            };
            table.add_row([alert.id.to_string(), on_the_wall(alert.since), alert.text.clone(), seen]);
        }
        say(table);
    }
    if past && !view.past.is_empty() {
        let mut table = table(&["alert", "from", "to", "is over"]);
        for alert in &view.past {
            let ended = alert.ended.map(on_the_wall).unwrap_or_default();
            table.add_row([alert.id.to_string(), on_the_wall(alert.since), ended, alert.text.clone()]);
        }
        say(format_args!("\n{table}"));
    }
    if let Some(TellingView { waiting, fails: Some(why) }) = &view.telling {
        say(format_args!("others are not told, and {waiting} messages wait: {why}"));
    }
    Ok(())
}

fn on_the_wall(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
