//! Sessions that are over and could not be taken into their subjects' files: they are safe in files
//! beside those, and it is tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bramble_subject::SubjectError;
use bramble_value::SubjectId;

use super::files::Files;
use super::{News, RETRY};
use crate::reports;

/// The longest between two tries: each may copy a large file.
const LONGEST: Duration = Duration::from_secs(60);

/// The subjects whose files lack a session that is over.
#[derive(Debug)]
pub(super) struct Packing {
    /// With why, where it was tried.
    waiting: BTreeMap<SubjectId, Option<String>>,
    next: Instant,
    wait: Duration,
    /// What was told of it.
    told: Option<String>,
}

impl Packing {
    /// Those that an earlier run left, which are tried at once.
    pub(super) fn left(files: &Files) -> Packing {
        let left = files.growing().unwrap_or_else(|error| {
            tracing::error!("which sessions are not in their subjects' files is not known: {error}");
            BTreeSet::new()
        });
        let waiting = left.into_iter().map(|subject| (subject, None)).collect();
        Packing { waiting, next: Instant::now(), wait: RETRY, told: None }
    }

    /// Whether there is anything to try again.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Tries again what could not be packed, where it is time to. Those `in_session` are packed when that
    /// is over. Tells when it begins or ceases to fail.
    pub(super) fn go_on(&mut self, files: &mut Files, in_session: &BTreeSet<SubjectId>, news: &dyn Fn(News)) {
        for (subject, why) in files.take_unpacked() {
            if self.waiting.is_empty() {
                (self.next, self.wait) = (Instant::now() + RETRY, RETRY);
            }
            self.waiting.insert(subject, Some(why));
        }
        self.waiting.retain(|subject, _| !in_session.contains(subject));
        if !self.waiting.is_empty() && Instant::now() >= self.next {
            self.waiting.retain(|subject, why| {
                *why = pack(files, subject).err().map(|error| error.to_string());
                why.is_some()
            });
            self.next = Instant::now() + self.wait;
            self.wait = (self.wait * 2).min(LONGEST);
        }
        self.tell(news);
    }

    fn tell(&mut self, news: &dyn Fn(News)) {
        let known = self.waiting.iter().filter_map(|(subject, why)| Some((subject, why.as_ref()?)));
        let said: Vec<String> = known
            .map(|(subject, why)| {
                format!(
                    "a session of {subject} is over and not yet in its file, but in one of its own beside it, and that \
                     is tried again: {why}"
                )
            })
            .collect();
        let said = (!said.is_empty()).then(|| said.join("; "));
        if said != self.told {
            match &said {
                Some(said) => tracing::error!("{said}"),
                None => tracing::info!("every session that is over is in its subject's file again"),
            }
            news(News::Unpacked { why: said.clone() });
            self.told = said;
        }
    }
}

fn pack(files: &mut Files, subject: &SubjectId) -> Result<(), SubjectError> {
    files.write(subject, |file| file.pack_with(reports::to_keep))
}
