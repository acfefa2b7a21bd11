//! Who may use the page: users, their roles and their passwords.

mod role;

pub(crate) use role::Role;
