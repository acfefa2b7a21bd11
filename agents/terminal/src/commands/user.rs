//! `user`: who can log in at the page. A terminal that runs sees each change at once.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use serde_json::json;

use super::{print_json, say, table};
use crate::cli::User;
use crate::refusal::{Allowed, Refusal};
use crate::users::{self, Users};

pub(super) fn run(command: User, data: &Path) -> miette::Result<()> {
    let file = users::path(data);
    let mut users = users::read(&file)?;
    let done = match command {
        User::List { json } => return list(&users, json),
        User::Add { name, role } => {
            users.add(name.clone(), role, &password()?)?;
            format!("{name} can log in, with the role {role}")
        }
        User::Role { name, role } => {
            users.set_role(&name, role)?;
            format!("{name} has the role {role}")
        }
        User::Remove { name } => {
            users.remove(&name)?;
            format!("{name} can't log in any more")
        }
    };
    users::write(&file, &users)?;
    say(done);
    Ok(())
}

fn list(users: &Users, as_json: bool) -> miette::Result<()> {
    if as_json {
        let line = |(name, user): (&_, &users::User)| json!({ "name": name, "role": user.role });
        return print_json(&users.all().map(line).collect::<Vec<_>>());
    }
    if users.is_empty() {
        say("there is no user; add one: bramble-terminal user add NAME --role manage");
        return Ok(());
    }
    let mut table = table(&["user", "role"]);
    for (name, user) in users.all() {
        table.add_row([name.to_string(), user.role.to_string()]);
    }
    say(table.trim_fmt());
    Ok(())
}

/// The password, typed twice unseen, or the first line of what is piped in.
fn password() -> Allowed<String> {
    let unreadable = |error: std::io::Error| Refusal::failed(format!("the password can't be read: {error}"));
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(unreadable)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password("password: ").map_err(unreadable)?;
    let again = rpassword::prompt_password("once more: ").map_err(unreadable)?;
    if first == again { Ok(first) } else { Err(Refusal::wrong("the two passwords differ")) }
}
