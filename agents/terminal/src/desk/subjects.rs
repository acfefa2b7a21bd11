//! What is asked and said of subjects.

use bramble_subject::{By, Change, SubjectError, SubjectFile};
use bramble_value::{Person, SubjectId};
use jiff::Timestamp;

use super::Desk;
use super::life::{fares, is_born};
use crate::api::types::{Assign, Done, NewSubject, SubjectInfo, SubjectLine};
use crate::assignment::{assigned, training};
use crate::plan::{self, AsTheyAre};
use crate::refusal::{Allowed, Refusal};
use crate::writer::Files;

impl Desk {
    /// Adds a subject.
    pub(crate) async fn add_subject(&self, new: NewSubject) -> Allowed<Done> {
        let NewSubject { id, biography, who } = new;
        is_born(biography.birth)?;
        let add = move |files: &mut Files| match files.create(&id, &biography, &by(who)) {
            Ok(()) => Ok(Done { done: format!("{id} was added") }),
            Err(SubjectError::Exists(path)) => {
                Err(Refusal::conflict(format!("there is a subject {id} already, in {}", path.display()))
                    .help("choose another name; nothing was changed"))
            }
            Err(error) => Err(error.into()),
        };
        self.writer.ask(add).await
    }

    /// Every subject, in a line each.
    pub(crate) async fn subjects(&self) -> Allowed<Vec<SubjectLine>> {
        let list = |files: &mut Files| {
            let ids = files.list()?;
            Ok(ids.into_iter().map(|id| line(files, id)).collect::<Vec<_>>())
        };
        let mut lines = self.writer.ask(list).await?;
        plan::blocking(move || {
            let mut protocols = AsTheyAre::default();
            for SubjectLine { id, training, .. } in &mut lines {
                *training = training.take().map(|training| protocols.place(id, training));
            }
            Ok(lines)
        })
        .await
    }

    /// One subject.
    pub(crate) async fn subject(&self, id: SubjectId) -> Allowed<SubjectInfo> {
        let behind = self.behind(&id).await?;
        let info = self.read(id, |file| {
            Ok(SubjectInfo {
                id: file.id().clone(),
                uuid: file.uuid(),
                file: file.path().to_owned(),
                biography: file.biography()?,
                training: training(&file.history()?),
                sessions: file.sessions()?,
                moves: file.moves().to_vec(),
                life: fares(file)?,
                behind,
            })
        });
        let mut info = info.await?;
        plan::blocking(move || {
            let training = info.training.take();
            info.training = training.map(|training| AsTheyAre::default().place(&info.id, training));
            Ok(info)
        })
        .await
    }

    /// Every change to a subject.
    pub(crate) async fn history(&self, id: SubjectId) -> Allowed<Vec<Change>> {
        self.read(id, SubjectFile::history).await
    }

    /// Puts a subject on a protocol.
    pub(crate) async fn assign(&self, id: SubjectId, assign: Assign) -> Allowed<Done> {
        let Assign { protocol, step, who } = assign;
        // A subject that isn't there is said before a protocol with mistakes is.
        self.read(id.clone(), |_| Ok(())).await?;
        let path = protocol.clone();
        let label = plan::blocking(move || plan::step_label(&path, step)).await?;
        let write = move |files: &mut Files| {
            files
                .write(&id, |file| {
                    let before = training(&file.history()?);
                    for change in assigned(before.as_ref(), &protocol.display().to_string(), &label, &by(who))
                    {
                        file.log(&change)?;
                    }
                    Ok(Done { done: format!("{id} is at step {label} of {}", protocol.display()) })
                })
                .map_err(|error| no_subject(&id, error))
        };
        self.writer.ask(write).await
    }

    /// Why a subject's file lacks what happened last, where it does.
    pub(super) async fn behind(&self, id: &SubjectId) -> Allowed<Option<String>> {
        let id = id.clone();
        self.writer.ask(move |files: &mut Files| Ok(files.behind(&id).map(str::to_owned))).await
    }

    /// Looks something up in a subject's file.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        id: SubjectId,
        work: impl FnOnce(&SubjectFile) -> Result<T, SubjectError> + Send + 'static,
    ) -> Allowed<T> {
        let ask = move |files: &mut Files| files.read(&id, work).map_err(|error| no_subject(&id, error));
        self.writer.ask(ask).await
    }
}

pub(super) fn by(who: Person) -> By {
    By { who: who.to_string(), when: Timestamp::now() }
}

pub(super) fn no_subject(id: &SubjectId, error: SubjectError) -> Refusal {
    match error {
        SubjectError::NoSuchFile(_) => Refusal::missing(format!("there is no subject {id}"))
            .help(format!("bramble-terminal subject list shows those there are; subject add {id} adds it")),
        error => error.into(),
    }
}

fn line(files: &Files, id: SubjectId) -> SubjectLine {
    let read = files.read(&id, |file| {
        let (training, life) = (training(&file.history()?), Some(fares(file)?));
        Ok((training, file.sessions()?, file.biography()?, life))
    });
    let (problem, (training, sessions, biography, life)) = match read {
        Ok(read) => (None, read),
        Err(error) => (Some(error.to_string()), Default::default()),
    };
    SubjectLine {
        id,
        problem,
        training,
        sessions: sessions.len(),
        trials: sessions.iter().map(|session| session.trials).sum(),
        last: sessions.last().map(|session| session.started),
        pilot: sessions.last().map(|session| session.pilot.clone()),
        biography,
        life,
    }
}
