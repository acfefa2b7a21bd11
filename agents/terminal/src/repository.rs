//! The git repository that a task lies in: its commit, and what differs from it.
//!
//! It is only told. A folder without one, a computer without git and a git that takes too
//! long are said, and a session starts all the same.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::Serialize;

/// Where the changes are among a session's texts.
pub(crate) const PATCH: &str = "changes.patch";

/// What is said where there is no git.
const NO_GIT: &str = "git is not installed";

/// How long git may take for all that it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most that is kept of the changes, in bytes.
const MOST: usize = 1 << 20;
/// The most that git may answer to anything else.
const MOST_SAID: usize = 64 << 10;
/// How many files that git doesn't know are named.
const MOST_NAMED: usize = 100;
/// What a folder without a commit is compared with: git's tree of nothing.
const NOTHING: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// What the environment may say of another repository, or of how names are read.
const OF_ANOTHER: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_LITERAL_PATHSPECS",
];

/// What is told of a repository, and what differs from its commit.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) repository: Repository,
    /// A patch that git applies to the commit; none where nothing differs.
    pub(crate) patch: Option<String>,
}

/// What a session's record says of where its task lies.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Repository {
    /// It is in a repository.
    Git {
        /// The folder that was asked about.
        folder: PathBuf,
        /// The repository's own folder.
        top: PathBuf,
        /// What is checked out; none before the first commit.
        commit: Option<String>,
        /// The branch; none where a commit is checked out by itself.
        branch: Option<String>,
        /// Where it comes from, without names and passwords.
        remote: Option<String>,
        /// Whether anything that git knows, or a task file that it doesn't, differs; none where
        /// that could not be found out.
        changed: Option<bool>,
        /// Files that git doesn't know, the first of them; task files are in the patch.
        untracked: Vec<String>,
        /// Task files beside this one that git was told to ignore, the first of them; they are in
        /// the patch too.
        ignored: Vec<String>,
        /// What is missing of the above, and why; none where it is whole.
        missing: Option<String>,
    },
    /// It is in none, or git can't say.
    None {
        /// The folder that was asked about.
        folder: PathBuf,
        /// Why, in git's words or ours.
        why: String,
    },
}

impl Repository {
    /// What a person should know before the session is over: git is there, and doesn't tell.
    pub(crate) fn unread(&self) -> Option<String> {
        match self {
            Repository::None { why, .. } if why.contains("not a git repository") || why == NO_GIT => None,
            Repository::None { folder, why } => {
                Some(format!("the record doesn't have the commit of {}: git says {why}", folder.display()))
            }
            Repository::Git { top, missing, .. } => missing.as_ref().map(|missing| {
                format!("the record doesn't have all that differs in {}: {missing}", top.display())
            }),
        }
    }
}

/// What is known of the repository that a folder is in.
pub(crate) fn look(folder: &Path) -> Found {
    let git = Git { folder, until: Instant::now() + PATIENCE, index: None };
    found(git).unwrap_or_else(|why| Found {
        repository: Repository::None { folder: folder.to_owned(), why },
        patch: None,
    })
}

fn found(git: Git<'_>) -> Result<Found, String> {
    let folder = git.folder.to_owned();
    let top = PathBuf::from(git.line(&["rev-parse", "--show-toplevel"])?);
    let mut missing = Vec::new();
    let ignored =
        listed(git, &["--others", "--ignored", "--exclude-standard", "--full-name", "--", "*.star"]);
    let ignored = ignored.unwrap_or_else(|why| {
        missing.push(format!("the task files that git ignores: {why}"));
        Vec::new()
    });
    let git = Git { folder: &top, ..git };
    let commit = git.line(&["rev-parse", "--verify", "--quiet", "HEAD"]).ok();
    let branch = git.line(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok();
    let remote = git.line(&["remote", "get-url", "origin"]).ok().map(|url| without_password(&url));
    let mut changed = None;
    let patch = match patch(&git, commit.as_deref().unwrap_or(NOTHING), &ignored, &mut missing) {
        Ok(said) => {
            changed = Some(!said.text.is_empty());
            missing.extend(said.cut.then(|| format!("the patch is cut after {MOST} bytes")));
            missing.extend(
                said.lossy.then(|| "the patch has bytes that are no text: they became \u{fffd}".to_owned()),
            );
            Some(said.text).filter(|text| !text.is_empty())
        }
        Err(why) => {
            missing.push(format!("the patch: {why}"));
            None
        }
    };
    let untracked = match listed(git, &["--others", "--exclude-standard"]) {
        Ok(mut all) => {
            if all.len() > MOST_NAMED {
                missing.push(format!("only {MOST_NAMED} of the files that git doesn't know are named"));
                all.truncate(MOST_NAMED);
            }
            all
        }
        Err(why) => {
            missing.push(format!("the files that git doesn't know: {why}"));
            Vec::new()
        }
    };
    let missing = (!missing.is_empty()).then(|| missing.join("; "));
    let repository =
        Repository::Git { folder, top, commit, branch, remote, changed, untracked, ignored, missing };
    Ok(Found { repository, patch })
}

/// The files that git lists, at least one more than are named where there are so many.
fn listed(git: Git<'_>, which: &[&str]) -> Result<Vec<String>, String> {
    let said = git.ask(&[&["ls-files", "-z"], which].concat(), MOST_SAID)?;
    let all: Vec<String> = said.text.split_terminator('\0').map(str::to_owned).collect();
    // Names that are longer than this are cut before there are so many.
    let more = (said.cut && all.len() <= MOST_NAMED).then(|| vec![String::new(); MOST_NAMED]);
    Ok(all.into_iter().chain(more.into_iter().flatten()).collect())
}

/// What differs from a commit, task files that git doesn't know among it. Those are added to
/// a copy of git's index, so that nothing of the repository is touched.
fn patch(git: &Git<'_>, commit: &str, ignored: &[String], missing: &mut Vec<String>) -> Result<Said, String> {
    let told = |error: io::Error| error.to_string();
    let beside = tempfile::tempdir().map_err(told)?;
    let index = beside.path().join("index");
    let known = git.line(&["rev-parse", "--path-format=absolute", "--git-path", "index"])?;
    match fs::copy(known, &index) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
        // A repository in which nothing was ever added has no index.
        _ => {}
    }
    let git = Git { index: Some(&index), ..*git };
    match git.ask(&["add", "--intent-to-add", "--", "*.star"], MOST_SAID) {
        // It fails where there is no such file, which is as good.
        Err(why) if !why.contains("did not match any files") => {
            missing.push(format!("task files that git doesn't know: {why}"));
        }
        _ => {}
    }
    let named: Vec<&str> = ignored.iter().take(MOST_NAMED).map(String::as_str).collect();
    if !named.is_empty() {
        let forced =
            [&["--literal-pathspecs", "add", "--intent-to-add", "--force", "--"], &named[..]].concat();
        if let Err(why) = git.ask(&forced, MOST_SAID) {
            missing.push(format!("task files that git ignores: {why}"));
        }
    }
    // Whatever a person prefers to see, it is what git applies.
    let form = ["--no-color", "--no-ext-diff", "--no-textconv", "--full-index", "--binary"];
    let names = ["--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"];
    git.ask(&[&["diff"], &form[..], &names[..], &[commit, "--"]].concat(), MOST)
}

/// Git, asked in a folder.
#[derive(Clone, Copy)]
struct Git<'a> {
    folder: &'a Path,
    until: Instant,
    /// Another index than the repository's own.
    index: Option<&'a Path>,
}

/// What git said.
#[derive(Debug)]
struct Said {
    text: String,
    /// Whether it had more to say.
    cut: bool,
    /// Whether some of it was no text.
    lossy: bool,
}

impl Git<'_> {
    /// A short answer.
    fn line(&self, arguments: &[&str]) -> Result<String, String> {
        let said = self.ask(arguments, MOST_SAID)?;
        let line = said.text.trim_end_matches('\n');
        if line.is_empty() {
            Err(format!("git {} said nothing", arguments.join(" ")))
        } else {
            Ok(line.to_owned())
        }
    }

    /// The first `most` bytes of an answer.
    fn ask(&self, arguments: &[&str], most: usize) -> Result<Said, String> {
        let mut command = Command::new("git");
        // No hook and no watcher of the repository runs for this; filters that its files go
        // through do, since what differs can't be told without.
        command.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
        command.args(["-c", "core.quotePath=false"]).arg("-C").arg(self.folder);
        command
            .args(arguments)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("LC_ALL", "C");
        for name in OF_ANOTHER {
            command.env_remove(name);
        }
        if let Some(index) = self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        bounded(&mut command, most, self.until)
    }
}

/// Runs a command until a moment, and takes the first `most` bytes of what it prints.
fn bounded(command: &mut Command, most: usize, until: Instant) -> Result<Said, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    // What it starts is of its group, and ends with it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if name == "git" => NO_GIT.to_owned(),
        io::ErrorKind::NotFound => format!("{name} is not installed"),
        _ => format!("{name} does not start: {error}"),
    })?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (printed, complained) = (reader(out, most), reader(err, MOST_SAID));
    let late = || format!("{name} took longer than {} s", PATIENCE.as_secs());
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                end_group(&child);
                let _ = child.wait();
                return Err(late());
            }
            Err(error) => return Err(format!("{name} is not heard of: {error}")),
        }
    };
    // Something that it left running may keep what it says open.
    let read = |said: mpsc::Receiver<(Vec<u8>, bool)>| {
        said.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|_| {
            end_group(&child);
            late()
        })
    };
    let ((bytes, cut), (complaint, _)) = (read(printed)?, read(complained)?);
    // Where it had more to say than is read, it may end with an error for that.
    if !status.success() && !cut {
        let complaint = String::from_utf8_lossy(&complaint);
        let first = complaint.lines().next().map(|line| line.trim_start_matches("fatal: ").to_owned());
        return Err(first
            .filter(|line| !line.is_empty())
            .unwrap_or_else(|| format!("{name} ended with {status}")));
    }
    let text = String::from_utf8_lossy(&bytes);
    // A character that the cut went through is no loss of its own.
    let lossy = text.trim_end_matches(|last| cut && last == '\u{fffd}').contains('\u{fffd}')
        && std::str::from_utf8(&bytes).is_err();
    Ok(Said { text: text.into_owned(), cut, lossy })
}

/// Ends a process and all that it started.
fn end_group(child: &Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // It may just have ended.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

/// Reads in a thread of its own.
fn reader(from: Option<impl Read + Send + 'static>, most: usize) -> mpsc::Receiver<(Vec<u8>, bool)> {
    let (said, read) = mpsc::channel();
    // Nobody may wait for it any more.
    thread::spawn(move || said.send(first_bytes(from, most)));
    read
}

/// The first bytes of what is read, and whether there were more. Whoever has more to say finds
/// that nobody listens, and ends.
fn first_bytes(from: Option<impl Read>, most: usize) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let Some(from) = from else { return (bytes, false) };
    // What can't be read is as if it had not been said.
    let _ = from.take(most as u64 + 1).read_to_end(&mut bytes);
    let more = bytes.len() > most;
    bytes.truncate(most);
    (bytes, more)
}

/// An address without who may read it: `https://name:secret@host/x` is `https://host/x`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
