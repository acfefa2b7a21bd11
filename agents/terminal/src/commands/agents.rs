//! `invite` and `agents`: who may be of this swarm.

use bramble_identity::Role;
use bramble_value::{Name, Person};
use jiff::Timestamp;

use super::{print_done, print_json, say, table};
use crate::api::client::Client;
use crate::api::types::{AgentLine, Invite, Invited, Rename};
use crate::cli;

pub(super) async fn invite(client: &Client, name: Name, child: bool, json: bool) -> miette::Result<()> {
    let role = if child { Role::Child } else { Role::Pilot };
    let invited: Invited = client.post("/agents/invite", &Invite { name, role }).await?;
    if json {
        return print_json(&invited);
    }
    let Invited { name, role, code, until, terminal, notes } = invited;
    let until = until.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M");
    say(format_args!(
        "The code {code} lets one {role} join as {name}, until {until}. On its computer type:\n"
    ));
    say(format_args!("  bramble-{role} join {terminal} {code}"));
    for note in notes {
        say(format_args!("\nNote: {note}."));
    }
    Ok(())
}

pub(super) async fn agents(client: &Client, who: Person, options: cli::Agents) -> miette::Result<()> {
    match options.command {
        None => list(client, options.json).await,
        Some(cli::AgentsCommand::Rename { name, to }) => {
            print_done(&client.post(&format!("/agents/{name}/rename"), &Rename { to, who }).await?);
            Ok(())
        }
        Some(cli::AgentsCommand::Revoke { name }) => {
            print_done(&client.post(&format!("/agents/{name}/revoke"), &()).await?);
            Ok(())
        }
    }
}

async fn list(client: &Client, json: bool) -> miette::Result<()> {
    let agents: Vec<AgentLine> = client.get("/agents").await?;
    if json {
        return print_json(&agents);
    }
    say(show(&agents));
    Ok(())
}

fn show(agents: &[AgentLine]) -> String {
    if agents.is_empty() {
        return "no agent is enrolled; invite one: bramble-terminal invite NAME".to_owned();
    }
    let mut table = table(&["agent", "role", "enrolled", "last here", "certificate", ""]);
    for agent in agents {
        let last_here = match (agent.here, agent.last_here) {
            (true, _) => "now".to_owned(),
            (false, Some(when)) => minute(when),
            (false, None) => "-".to_owned(),
        };
        let more = match (&agent.revoked, &agent.becomes) {
            (Some(when), _) => format!("revoked {}", minute(*when)),
            (None, Some(name)) => format!("becomes {name}"),
            (None, None) => String::new(),
        };
        // Enough to tell them apart; `--json` has all of it.
        let serial: String = agent.serial.to_string().chars().take(8).collect();
        let role = agent.role.to_string();
        table.add_row([agent.name.to_string(), role, minute(agent.enrolled), last_here, serial, more]);
    }
    table.trim_fmt()
}

fn minute(when: Timestamp) -> String {
    when.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(agents: serde_json::Value) -> Vec<String> {
        let agents: Vec<AgentLine> = serde_json::from_value(agents).unwrap();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        show(&agents).lines().map(words).collect()
    }

    fn agent(more: serde_json::Value) -> serde_json::Value {
        let mut agent = json!({
            "name": "box1", "role": "pilot", "enrolled": "2026-01-31T12:00:00Z", "here": false, "last_here": null,
            "serial": "5f2ab10c000000000000000000000001", "revoked": null, "becomes": null,
        });
        agent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        agent
    }

    #[test]
    fn every_agent_is_a_line_with_what_is_special_about_it() {
        let lines = shown(json!([
            agent(json!({ "here": true })),
            agent(json!({ "name": "box2", "becomes": "box3" })),
            agent(json!({ "name": "wheels", "role": "child", "revoked": "2026-02-01T12:00:00Z" })),
        ]));
        assert!(lines[0].starts_with("agent role enrolled"), "{lines:?}");
        assert!(lines[1].starts_with("box1 pilot ") && lines[1].ends_with("now 5f2ab10c"), "{lines:?}");
        assert!(lines[2].ends_with("- 5f2ab10c becomes box3"), "{lines:?}");
        assert!(
            lines[3].starts_with("wheels child ") && lines[3].contains("revoked 2026-02-01"),
            "{lines:?}"
        );
    }

    #[test]
    fn where_nobody_is_enrolled_it_says_how_to() {
        assert_eq!(shown(json!([])), ["no agent is enrolled; invite one: bramble-terminal invite NAME"]);
    }
}
