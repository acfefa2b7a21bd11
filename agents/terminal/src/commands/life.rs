//! `subject weigh`, `water`, `note` and `edit`.

use bramble_value::{Person, SubjectId};
use jiff::civil::Date;

use super::subject::local;
use super::{print_done, print_json, say, table};
use crate::api::alerts::SaidBy;
use crate::api::client::Client;
use crate::api::types::{Cares, GiveWater, MoveSession, NoteDown, SubjectInfo, WaterLine, Weigh, WeightLine};
use crate::cli::{self, Instead, OrNone};
use crate::fares::{owed, percent};

pub(super) async fn weigh(client: &Client, who: Person, options: cli::Weigh) -> miette::Result<()> {
    let (id, occasion) = (options.id.clone(), options.occasion());
    let cli::Weigh { weight, instead, on, baseline, limit, json, .. } = options;
    if weight.is_none() && baseline.is_none() && limit.is_none() {
        return weights(&id, client.get(&format!("/subjects/{id}/weights")).await?, json);
    }
    if baseline.is_some() || limit.is_some() {
        let (baseline, limit) = (baseline.map(|set| set.0), limit.map(|set| set.0));
        let cares = Cares { baseline, limit, target: None, who: who.clone() };
        print_done(&client.post(&format!("/subjects/{id}/care"), &cares).await?);
    }
    if let Some(OrNone(mass)) = weight {
        let (instead, day) = of_day(instead);
        let weigh = Weigh { mass, occasion, instead, day, on, who };
        print_done(&client.post(&format!("/subjects/{id}/weights"), &weigh).await?);
    }
    Ok(())
}

fn weights(id: &SubjectId, weights: Vec<WeightLine>, json: bool) -> miette::Result<()> {
    if json {
        return print_json(&weights);
    }
    if weights.is_empty() {
        say(format_args!("{id} was never weighed; bramble-terminal subject weigh {id} 21.4g --before"));
        return Ok(());
    }
    let mut table = table(&["when", "weight", "of baseline", "session", "who"]);
    for WeightLine { weight, share } in weights {
        table.add_row([
            local(weight.when),
            format!("{} g", weight.grams),
            share.map_or_else(|| "-".to_owned(), percent),
            weight.occasion.to_string(),
            weight.who,
        ]);
    }
    say(format_args!("{id}\n{}", table.trim_fmt()));
    Ok(())
}

pub(super) async fn water(client: &Client, who: Person, options: cli::Water) -> miette::Result<()> {
    let cli::Water { id, volume, instead, on, target, days, json } = options;
    if days {
        return waters(&id, client.get(&format!("/subjects/{id}/water")).await?, json);
    }
    if target.is_some() {
        let target = target.map(|set| set.0);
        let cares = Cares { baseline: None, limit: None, target, who: who.clone() };
        print_done(&client.post(&format!("/subjects/{id}/care"), &cares).await?);
    }
    match volume {
        Some(OrNone(volume)) => {
            let (instead, day) = of_day(instead);
            let give = GiveWater { volume, instead, day, on, who };
            print_done(&client.post(&format!("/subjects/{id}/water"), &give).await?);
        }
        None => {
            let subject: SubjectInfo = client.get(&format!("/subjects/{id}")).await?;
            let behind = subject.behind.map(|why| format!("\nwhat happened last isn't counted: {why}"));
            say(format_args!("{id}: {}{}", owed(&subject.life), behind.unwrap_or_default()));
        }
    }
    Ok(())
}

fn waters(id: &SubjectId, days: Vec<WaterLine>, json: bool) -> miette::Result<()> {
    if json {
        return print_json(&days);
    }
    if days.is_empty() {
        say(format_args!("{id} had no water that is known of, and no session"));
        return Ok(());
    }
    let mut table = table(&["day", "in sessions", "by hand", "in all"]);
    for WaterLine { day, water } in days {
        let unknown = match water.unknown {
            0 => String::new(),
            1 => ", and 1 session's".to_owned(),
            more => format!(", and {more} sessions'"),
        };
        table.add_row([
            day.to_string(),
            format!("{}{unknown}", water.sessions),
            water.by_hand.to_string(),
            format!("{}{unknown}", water.total()),
        ]);
    }
    say(format_args!("{id}\n{}", table.trim_fmt()));
    Ok(())
}

pub(super) async fn move_session(
    client: &Client,
    who: Person,
    options: cli::SessionMove,
) -> miette::Result<()> {
    let cli::SessionMove { subject, session, to, why } = options;
    let order = MoveSession { to, why, who };
    print_done(&client.post(&format!("/subjects/{subject}/sessions/{session}/move"), &order).await?);
    Ok(())
}

/// Whether something was wrong, and of which day that is.
fn of_day(instead: Option<Instead>) -> (bool, Option<Date>) {
    (instead.is_some(), instead.and_then(|Instead(day)| day))
}

pub(super) async fn note(client: &Client, who: Person, id: &SubjectId, text: String) -> miette::Result<()> {
    print_done(&client.post(&format!("/subjects/{id}/notes"), &NoteDown { text, who }).await?);
    Ok(())
}

pub(super) async fn take_out(client: &Client, who: Person, id: &SubjectId) -> miette::Result<()> {
    print_done(&client.post(&format!("/subjects/{id}/out"), &SaidBy { who }).await?);
    Ok(())
}

pub(super) async fn edit(client: &Client, who: Person, options: cli::Edit) -> miette::Result<()> {
    let id = options.id.clone();
    print_done(&client.post(&format!("/subjects/{id}/biography"), &options.by(who)).await?);
    Ok(())
}
