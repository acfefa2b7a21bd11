//! How good a recorded session was, for a page.

use bramble_report::{Records, Report};
use bramble_subject::SessionNumber;
use bramble_value::SubjectId;

use super::Desk;
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::reports;

impl Desk {
    /// The report of a session, as its file keeps it.
    pub(crate) async fn report(&self, id: SubjectId, number: u32) -> Allowed<Report> {
        let number = SessionNumber::new(number);
        let subject = id.clone();
        let read = self.read(id, move |file| {
            if !file.sessions()?.iter().any(|session| session.number == number) {
                return Ok(None);
            }
            let (summary, start, trials) =
                (file.summary(number)?, file.session(number)?, file.trials(number)?);
            let (events, notes, clock) = (file.events(number)?, file.notes(number)?, file.clock(number)?);
            let (health, kept) = (file.health(number)?, reports::kept(file, number)?);
            Ok(Some((summary, start, trials, events, notes, clock, health, kept)))
        });
        let Some((summary, start, trials, events, notes, clock, health, kept)) = read.await? else {
            return Err(Refusal::missing(format!("{subject} has no session {number}")));
        };
        plan::blocking(move || {
            let report = Report::of(Records {
                subject: &subject,
                summary: &summary,
                start: &start,
                trials: &trials,
                events: &events,
                notes: &notes,
                clock: &clock,
                health: &health,
            });
            Ok(match kept {
                Some(kept) => report.as_kept(kept),
                None => report,
            })
        })
        .await
    }
}
