//! Moving a session that was recorded under the wrong subject.

use bramble_subject::{Change, MoveOrder, SessionNumber, SubjectFile, life};
use bramble_value::SubjectId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Desk;
use super::life::fares;
use super::subjects::{by, no_subject};
use crate::api::types::{Done, MoveSession};
use crate::assignment::graduated_at;
use crate::fares::owed;
use crate::refusal::{Allowed, Refusal};
use crate::writer::Files;

impl Desk {
    /// Moves a session to the subject that it is of.
    pub(crate) async fn move_session(
        &self,
        from: SubjectId,
        number: u32,
        MoveSession { to, why, who }: MoveSession,
    ) -> Allowed<Done> {
        let (number, why) = (SessionNumber::new(number), why.trim().to_owned());
        if from == to {
            return Err(Refusal::wrong(format!("it is a session of {from} already")));
        }
        if why.is_empty() {
            return Err(Refusal::wrong("say why it is moved: both histories tell it"));
        }
        let by = by(who);
        let work = move |files: &mut Files| {
            files.end_moves();
            let look = |file: &SubjectFile| Ok((file.summary(number)?, file.history()?, file.weights()?));
            let (session, history, weights) =
                files.read(&from, look).map_err(|error| no_subject(&from, error))?;
            files.read(&to, |_| Ok(())).map_err(|error| no_subject(&to, error))?;
            let Some(end) = &session.end else {
                return Err(Refusal::conflict(format!(
                    "session {number} of {from} has no end: it runs, or {} has not told of its end yet",
                    session.pilot
                ))
                .help("stop it first, and see whether its pilot is here: bramble-terminal status"));
            };
            let order =
                MoveOrder { session: session.uuid, from: from.clone(), number, to: to.clone(), by, why };
            let there = files.move_session(&order)?;
            let mut done = format!("session {number} of {from} is session {there} of {to} now");
            if let Some(change) = graduated_at(&history, end.ended) {
                done.push_str(&stays(&from, change));
            }
            let day = |time: Timestamp| time.to_zoned(TimeZone::system()).date();
            let weighed = life::counted(&weights);
            if weighed.iter().any(|weight| day(weight.when) == day(session.started)) {
                done.push_str(&format!(
                    "\n{from} was weighed on that day, and its weights stay: bramble-terminal subject weigh {from}"
                ));
            }
            done.push_str(&format!(
                "\nwhere it was exported as {from}'s, take that out: a cohort would count it twice"
            ));
            if day(session.started) == day(Timestamp::now()) {
                for id in [&from, &to] {
                    done.push_str(&format!("\n{id}: {}", owed(&files.read(id, fares)?)));
                }
            }
            Ok(Done { done })
        };
        self.writer.ask(work).await
    }
}

/// What a person should know of a graduation that came of a session.
fn stays(id: &SubjectId, change: &Change) -> String {
    format!(
        "\n{id} graduated in it from {} to {}, and stays there; where that is wrong: \
         bramble-terminal subject assign {id} PROTOCOL --step N",
        change.from, change.to
    )
}
