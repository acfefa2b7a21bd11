//! A session that is over, or as far as its file has it, as pages see one that runs.

use bramble_report::Score;
use bramble_subject::SessionNumber;
use bramble_value::{Sources, SubjectId};

use super::{Desk, about};
use crate::api::types::RecordedSession;
use crate::live::Log;
use crate::live::line::{Line, lines};
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::reports;

impl Desk {
    /// What a session recorded, up to the end of a trial or to its own: the newest of that, as much
    /// as is kept of a session that runs.
    pub(crate) async fn recorded(
        &self,
        id: SubjectId,
        number: u32,
        until: Option<u32>,
    ) -> Allowed<RecordedSession> {
        let ending = |_| Refusal::failed("the terminal is about to end");
        let _turn = self.looking.acquire().await.map_err(ending)?;
        let number = SessionNumber::new(number);
        let subject = id.clone();
        let read = self.read(id, move |file| {
            let known = file.sessions()?.into_iter().find(|session| session.number == number);
            let Some(summary) = known else { return Ok(None) };
            let (start, trials, events) = (file.session(number)?, file.trials(number)?, file.events(number)?);
            let ended = summary.end.as_ref().map(|end| end.ended);
            let notes = lines(&start, ended, file.notes(number)?, &file.history()?);
            let score = reports::kept(file, number)?.map(|kept| Score::of(&kept.checks));
            Ok(Some((summary, score, start, trials.rows, events, notes)))
        });
        let Some((summary, score, start, mut rows, mut events, mut notes)) = read.await? else {
            return Err(Refusal::missing(format!("{subject} has no session {number}")));
        };
        plan::blocking(move || {
            if let Some(until) = until {
                rows.retain(|row| row.trial <= until);
                let end = rows.last().map_or(start.start_time, |row| row.end);
                events.retain(|event| event.time <= end);
                notes.retain(|line: &Line| line.time <= end);
            }
            let sources = Sources { root: start.root.clone(), files: start.sources.clone() };
            let task = bramble_task::load(&sources).ok();
            let mut log = Log::default();
            log.restore(about::of_file(start, task.as_ref()), &rows, &events, &notes);
            let session = log.view(summary.uuid);
            Ok(RecordedSession { summary, score, first: log.first(), session })
        })
        .await
    }
}
