//! What can be typed after `bramble-terminal user`.

use bramble_value::Name;
use clap::Subcommand;

use crate::users::Role;

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user, or give one a new password and role
    #[command(after_help = "\
The password is asked for. For scripts, the first line of what is piped in is the password.

Example:
  bramble-terminal user add alice --role run")]
    Add {
        /// Their name
        name: Name,
        /// What they may do
        #[arg(long, value_enum)]
        role: Role,
    },
    /// Show who can log in
    List {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Give a user another role, which holds at once
    Role {
        /// Their name
        name: Name,
        /// What they may do
        #[arg(value_enum)]
        role: Role,
    },
    /// Take a user away, whose logins end at once
    Remove {
        /// Their name
        name: Name,
    },
}
