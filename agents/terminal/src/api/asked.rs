//! When a command asked for something: a terminal that hung meanwhile doesn't do it later, when whoever
//! asked may have gone.

use std::sync::{Arc, Weak};

use axum::http::HeaderMap;
use bramble_value::{Span, Time};

use crate::refusal::{Allowed, Refusal};

/// The header that says when, in nanoseconds of this computer's steady clock, which both ends share.
pub(crate) const ASKED: &str = "bramble-asked";

/// How old what is asked may be when the terminal comes to it. Until then a command waits for its answer.
const MOST: Span = Span::from_s(10);

/// Refuses what was asked too long ago. What doesn't say when it was asked is as good as new.
///
/// # Errors
/// Where it is too old.
pub(crate) fn check(headers: &HeaderMap, now: Time) -> Allowed<()> {
    let asked = headers.get(ASKED).and_then(|said| said.to_str().ok()?.parse().ok()).map(Time::from_ns);
    match asked.map(|asked| now.since(asked)).filter(|age| *age > MOST) {
        Some(age) => Err(Refusal::failed(format!(
            "this was asked {} s ago, and the terminal hung meanwhile: nothing was done",
            age.seconds().round()
        ))
        .help("ask again, if it is still wanted")),
        None => Ok(()),
    }
}

/// What is held for whoever asks, for as long as they wait.
#[derive(Debug, Default)]
pub(crate) struct Waits(Arc<()>);

/// Whether somebody waits still for what was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asker(Weak<()>);

impl Waits {
    pub(crate) fn asker(&self) -> Asker {
        Asker(Arc::downgrade(&self.0))
    }
}

impl Asker {
    /// Whether they wait.
    ///
    /// # Errors
    /// Where they have gone.
    pub(crate) fn check(&self) -> Allowed<()> {
        match self.0.strong_count() {
            0 => Err(Refusal::conflict("whoever asked for it has gone, so that it was not done")),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_a_while_ago_is_not_done() {
        let now = Time::from_ns(60_000_000_000);
        let checked = |said: Option<&str>| {
            let said = said.map(|said| (ASKED.parse().unwrap(), said.parse().unwrap()));
            check(&said.into_iter().collect(), now)
        };
        assert!(checked(None).is_ok(), "a script's");
        assert!(checked(Some("59000000000")).is_ok() && checked(Some("51000000000")).is_ok());
        let refusal = checked(Some("49000000000")).unwrap_err();
        assert!(refusal.message.starts_with("this was asked 11 s ago"), "{refusal}");
    }

    #[test]
    fn who_waits_no_more_has_gone() {
        let waits = Waits::default();
        let asker = waits.asker();
        assert!(asker.check().is_ok());
        drop(waits);
        assert!(asker.check().is_err());
    }
}
