//! Sessions for other programs, made while they are sent.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bramble_export::{ExportError, Form, Here, Pack, Session, Whether};
use bramble_subject::SessionNumber;
use bramble_value::SubjectId;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Desk;
use crate::plan;
use crate::refusal::{Allowed, Refusal};

/// How much is sent at a time, in bytes.
const PART: usize = 256 << 10;
/// How long whoever downloads may take for a part.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that is made while it is sent.
pub(crate) struct Download {
    pub(crate) name: String,
    pub(crate) parts: mpsc::Receiver<Part>,
}

/// A part of a download. One whose last part isn't [`Part::End`] isn't whole, whatever ended it.
pub(crate) enum Part {
    Bytes(Bytes),
    End,
}

impl Desk {
    /// A session of a subject in a form, or all there are. One in NWB is a file; everything else is
    /// in a zip. One session at a time is on the disk, in a folder that is removed.
    pub(crate) async fn export(
        self: Arc<Desk>,
        id: SubjectId,
        number: Option<u32>,
        form: Form,
    ) -> Allowed<Download> {
        let mut numbers = self.numbers(&id, number).await?.into_iter();
        let Some(first) = numbers.next() else {
            return Err(Refusal::conflict(format!(
                "{id} has no session that is over: there is nothing to export"
            )));
        };
        let turn = Arc::clone(&self.exporting).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await.map_err(|_| {
            Refusal::conflict("others are downloading exports: two are made at a time")
                .help("try again when they are done, or use bramble-terminal export")
        })?;
        let folder = tempfile::Builder::new().prefix("bramble-export.").tempdir().map_err(unwritable)?;
        let here = Here { lab: self.settings.lab.clone(), zone: TimeZone::system(), now: Timestamp::now() };
        let name = match number {
            Some(_) if form == Form::Nwb => format!("{id}-{first}.nwb"),
            Some(_) => format!("{id}-{first}-{form}.zip"),
            None => format!("{id}-{form}.zip"),
        };
        let alone = number.is_some() && form == Form::Nwb;
        let making = Making { desk: self, id, form, here, folder };
        // The first is there before anything is answered: what can't be exported is refused in words.
        let made = making.make(first).await?;
        let (send, parts) = mpsc::channel(2);
        tokio::spawn(async move {
            let _turn = turn;
            let gone = Arc::new(AtomicBool::new(false));
            let pipe = Pipe { parts: send.clone(), gone: Arc::clone(&gone) };
            let out = BufWriter::with_capacity(PART, pipe);
            let done = if alone {
                making.copy(made, out).await
            } else {
                making.pack(made, numbers, out, &gone).await
            };
            match done {
                Ok(()) if gone.load(Ordering::Relaxed) => {
                    tracing::info!(subject = %making.id, "a download was broken off by who downloaded it");
                }
                // Whoever downloaded may have gone.
                Ok(()) => _ = send.send(Part::End).await,
                Err(refusal) => {
                    tracing::warn!(subject = %making.id, "a download was not finished: {refusal}");
                }
            }
        });
        Ok(Download { name, parts })
    }

    /// The sessions that are meant, in order.
    async fn numbers(&self, id: &SubjectId, number: Option<u32>) -> Allowed<Vec<SessionNumber>> {
        let all = self.read(id.clone(), |file| file.sessions()).await?;
        // What a session that runs has by now would be taken for all of it.
        let (running, over): (Vec<_>, Vec<_>) = {
            let lab = self.state.lab();
            all.into_iter().partition(|session| session.end.is_none() && lab.is_running(session.uuid))
        };
        let over = over.into_iter().map(|session| session.number);
        let Some(number) = number.map(SessionNumber::new) else { return Ok(over.collect()) };
        if running.iter().any(|session| session.number == number) {
            return Err(Refusal::conflict(format!(
                "session {number} of {id} runs: try again when it has ended"
            )));
        }
        let found: Vec<_> = over.filter(|known| *known == number).collect();
        if found.is_empty() {
            return Err(Refusal::missing(format!("{id} has no session {number}")));
        }
        Ok(found)
    }
}

/// An export that is being made.
struct Making {
    desk: Arc<Desk>,
    id: SubjectId,
    form: Form,
    here: Here,
    folder: TempDir,
}

impl Making {
    /// Exports a session into the folder, and says where it is.
    async fn make(&self, number: SessionNumber) -> Allowed<PathBuf> {
        let read = self.desk.read(self.id.clone(), move |file| Ok(Session::read(file, number)));
        let session = read.await?.map_err(refusal)?;
        let (form, here, folder) = (self.form, self.here.clone(), self.folder.path().to_owned());
        plan::blocking(move || form.export(&session, &here, &folder, Whether::ToKeep).map_err(refusal)).await
    }

    async fn copy(&self, made: PathBuf, mut out: impl Write + Send + 'static) -> Allowed<()> {
        plan::blocking(move || {
            let mut file = fs::File::open(made).map_err(unwritable)?;
            io::copy(&mut file, &mut out).and_then(|_| out.flush()).map_err(unwritable)
        })
        .await
    }

    async fn pack(
        &self,
        first: PathBuf,
        rest: impl Iterator<Item = SessionNumber>,
        out: impl Write + Send + 'static,
        gone: &AtomicBool,
    ) -> Allowed<()> {
        let mut pack = Pack::new(out, &self.here);
        let mut made = first;
        for next in rest.map(Some).chain([None]) {
            let root = self.folder.path().to_owned();
            pack = plan::blocking(move || {
                pack.add(&root, &made).and_then(|()| remove(&made)).map_err(unwritable)?;
                Ok(pack)
            })
            .await?;
            if gone.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(next) = next else { break };
            made = self.make(next).await.inspect_err(|_| {
                // What the pack still has it writes when it goes: here that can't wait for anybody.
                gone.store(true, Ordering::Relaxed);
            })?;
        }
        plan::blocking(move || pack.finish().map_err(unwritable)).await
    }
}

fn remove(made: &Path) -> io::Result<()> {
    if made.is_dir() { fs::remove_dir_all(made) } else { fs::remove_file(made) }
}

/// Where what is written is sent. Once nobody takes it any more, it goes nowhere.
struct Pipe {
    parts: mpsc::Sender<Part>,
    gone: Arc<AtomicBool>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.gone.load(Ordering::Relaxed) {
            let send = self.parts.send(Part::Bytes(Bytes::copy_from_slice(bytes)));
            let sent = Handle::current().block_on(async { tokio::time::timeout(PATIENCE, send).await });
            self.gone.store(!matches!(sent, Ok(Ok(()))), Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn refusal(error: ExportError) -> Refusal {
    match error {
        ExportError::Subject(error) => error.into(),
        ExportError::Unknown { .. } => Refusal::conflict(error.to_string()),
        error => Refusal::failed(error.to_string()),
    }
}

fn unwritable(error: io::Error) -> Refusal {
    Refusal::failed(format!("an export can't be made on this terminal's computer: {error}"))
        .help("see that its folder for temporary files has room; TMPDIR names another")
}
