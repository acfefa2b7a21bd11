//! Which alerts there are: what begins, is seen or silenced, and ends, and how others are told.
//!
//! Nothing here knows a clock or the lab. Whoever does says at each look what is not as it should
//! be ([`Finding`]) and what can't be known just now; the [`Book`] makes alerts of that, and says
//! what is news.

mod alert;
mod book;
mod outbox;
mod template;

pub use alert::{Alert, Finding, Kind, KindError, Seen, Topic};
pub use book::{Book, Hold, News, NoAlert, Rules, What};
pub use outbox::{Failing, Outbox};
pub use template::{Field, Form, Template, TemplateError};

#[cfg(test)]
mod tests;
