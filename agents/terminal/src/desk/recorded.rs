//! A session that is over, or as far as its file has it, as pages see one that runs.

use bramble_report::Score;
use bramble_subject::SessionNumber;
use bramble_value::{Sources, Span, SubjectId};

use super::{Desk, about};
use crate::api::types::RecordedSession;
use crate::live::line::lines;
use crate::live::{Log, part};
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::reports;

impl Desk {
    /// What a session recorded: the events of some trials from this one on, or of the last.
    pub(crate) async fn recorded(
        &self,
        id: SubjectId,
        number: u32,
        from: Option<u32>,
    ) -> Allowed<RecordedSession> {
        let ending = |_| Refusal::failed("the terminal is about to end");
        let _turn = self.looking.acquire().await.map_err(ending)?;
        let number = SessionNumber::new(number);
        let subject = id.clone();
        let read = self.read(id, move |file| {
            let known = file.sessions()?.into_iter().find(|session| session.number == number);
            let Some(summary) = known else { return Ok(None) };
            let (start, trials, events) = (file.session(number)?, file.trials(number)?, file.events(number)?);
            let seen = events.last().map(|event| event.time).max(trials.rows.last().map(|row| row.end));
            let lasted = seen.map_or(Span::ZERO, |last| last.since(start.start_time));
            let ended = summary.end.as_ref().map(|end| (end.ended, lasted));
            let notes =
                lines((start.started, start.start_time), ended, file.notes(number)?, &file.history()?);
            let score = reports::kept(file, number)?.map(|kept| Score::of(&kept.checks));
            Ok(Some((summary, score, start, trials.rows, events, notes, lasted)))
        });
        let Some((summary, score, start, rows, events, notes, lasted)) = read.await? else {
            return Err(Refusal::missing(format!("{subject} has no session {number}")));
        };
        plan::blocking(move || {
            let sources = Sources { root: start.root.clone(), files: start.sources.clone() };
            let task = bramble_task::load(&sources).ok();
            let about = about::of_file(start, task.as_ref());
            let part = part(&rows, &events, from);
            let own = &rows[part.rows.clone()];
            let (first, last) =
                (own.first().map_or(1, |row| row.trial), own.last().map_or(0, |row| row.trial));
            let shown = if from.is_some() { own } else { &rows };
            let session = Log::recorded(about, shown, (&part, &events), &notes).view(summary.uuid);
            Ok(RecordedSession { summary, score, seconds: lasted.seconds(), first, last, session })
        })
        .await
    }
}
