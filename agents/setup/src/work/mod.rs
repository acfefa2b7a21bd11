//! Doing what was planned, step by step, each told as it is done.

mod files;
mod hold;
mod shipped;
mod system;

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bramble_enrolment::{Join, Joined};
use bramble_identity::Role;
use bramble_settings::KEYS;
use jiff::Zoned;

use crate::answers::Answers;
use crate::cli::Check;
use crate::plan::Plan;
use crate::say;
use crate::unit::{Service, Unit};
use files::{Put, put};
use hold::Hold;

pub(crate) use hold::Busy;

/// How long an agent may take to be there when it is started.
const STARTING: Duration = Duration::from_secs(15);

/// How long is waited before it is looked for again.
const RESPITE: Duration = Duration::from_millis(100);

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Done,
    Left,
    Failed,
}

/// The steps, as they are done.
struct Working<'a> {
    plan: &'a mut Plan,
    failed: bool,
    /// Whether a person is there to trigger inputs.
    attended: bool,
}

/// Does what was planned; whether all of it was done.
///
/// # Errors
/// [`Busy`] where a pilot is in a session; then nothing was done.
pub(crate) fn run(mut plan: Plan, attended: bool) -> Result<bool, Busy> {
    let held = hold(&plan.answers)?;
    for note in &plan.notes {
        say(&format!("note     {note}"));
    }
    let mut working = Working { plan: &mut plan, failed: false, attended };
    working.lacking();
    working.user();
    working.data();
    working.tasks();
    let joined = working.join();
    if working.write() {
        if working.install() {
            working.start(joined, !held.is_empty());
        } else if !held.is_empty() {
            working.tell(Became::Left, "a pilot runs as it was: end it, and start it again");
        }
        // Until here no session could begin.
        drop(held);
        working.check();
        working.by_hand();
    }
    Ok(!working.failed)
}

/// Refuses where a pilot that this would change is in a session now.
///
/// # Errors
/// [`Busy`]
pub(crate) fn see_that_idle(answers: &Answers) -> Result<(), Busy> {
    hold(answers).map(drop)
}

/// Holds the pilots that this would change, where any runs.
fn hold(answers: &Answers) -> Result<Vec<Hold>, Busy> {
    if answers.role != Role::Pilot {
        return Ok(Vec::new());
    }
    // One folder can be written in two ways, and its pilot is held once.
    let written = [Some(answers.data()), answers.data_there()];
    let one = |folder: PathBuf| std::fs::canonicalize(&folder).unwrap_or(folder);
    let mut folders: Vec<_> = written.into_iter().flatten().map(one).collect();
    folders.sort();
    folders.dedup();
    folders.iter().filter_map(|folder| Hold::take(folder).transpose()).collect()
}

impl Working<'_> {
    fn tell(&mut self, became: Became, what: &str) {
        let word = match became {
            Became::Done => "done",
            Became::Left => "left",
            Became::Failed => "FAILED",
        };
        self.failed |= became == Became::Failed;
        say(&format!("{word:<9}{what}"));
    }

    fn told(&mut self, done: Result<(), String>, what: &str) -> bool {
        let went_well = done.is_ok();
        match done {
            Ok(()) => self.tell(Became::Done, what),
            Err(why) => self.tell(Became::Failed, &format!("{what}: {why}")),
        }
        went_well
    }

    /// Whom files are given to, where that is another.
    fn owner(&self) -> Option<String> {
        self.plan.answers.runs_as().filter(|_| self.plan.answers.facts.root).map(str::to_owned)
    }

    fn user(&mut self) {
        let answers = &self.plan.answers;
        let (gpio, known) = (answers.facts.gpio_group, &answers.facts.users);
        let Some(user) = self.plan.unit.as_ref().and_then(|unit| unit.user.clone()) else { return };
        if !known.contains_key(&user) {
            self.told(system::make_user(&user, gpio), &format!("the user {user} is made"));
        }
    }

    /// Says what of the rig this computer lacks.
    fn lacking(&mut self) {
        let rig = self.plan.answers.draft().rig().filter(|_| self.plan.answers.facts.gpio);
        for fault in rig.iter().flat_map(bramble_rig::driver::lacking) {
            self.tell(Became::Failed, &format!("this computer lacks what the rig has: {fault}"));
        }
    }

    /// Makes the data folder, for whom the agent runs as.
    fn data(&mut self) {
        let data = self.plan.answers.data();
        let shown = data.display();
        let owner = self.owner();
        if data.exists() {
            let others = owner.as_ref().filter(|owner| !system::owns(owner, &data));
            if let Some(owner) = others {
                let what = format!("the data folder {shown} isn't {owner}'s: sudo chown -R {owner}: {shown}");
                self.tell(Became::Left, &what);
            }
            return;
        }
        let made = std::fs::create_dir_all(&data).map_err(|error| error.to_string());
        let given = made.and_then(|()| owner.map_or(Ok(()), |owner| system::give(&data, &owner)));
        if let Err(why) = given {
            self.tell(Became::Failed, &format!("the data folder {shown} can't be made: {why}"));
        }
    }

    /// Gives a terminal the shipped tasks and protocols, where it has no folder of them yet.
    fn tasks(&mut self) {
        let Some(tasks) = self.plan.answers.tasks() else { return };
        let shown = tasks.display();
        let put = match shipped::put(&tasks) {
            Ok(false) => return,
            Ok(true) => self.owner().map_or(Ok(()), |owner| system::give(&tasks, &owner)),
            Err(error) => Err(error.to_string()),
        };
        self.told(put, &format!("the shipped tasks and protocols are in {shown}"));
    }

    /// Whether the agent can start: it joined, or needs not to, or has joined before.
    fn join(&mut self) -> bool {
        let answers = &self.plan.answers;
        let keys = answers.data().join(KEYS);
        let Some(code) = answers.code.clone() else {
            return !answers.needs_to_join() || has_keys(&keys);
        };
        let (terminal, role, replace) = (answers.joins(), answers.role, answers.replace);
        let join = Join { terminal, code, role, keys: keys.clone(), replace };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let joined = match runtime {
            Ok(runtime) => runtime.block_on(join.run()).map_err(|failed| failed.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match joined {
            Ok(joined) => {
                self.tell(Became::Done, &joined.said());
                self.named(&joined);
                self.give(&keys)
            }
            Err(why) => {
                self.tell(Became::Failed, &format!("it did not join: {why}"));
                has_keys(&keys)
            }
        }
    }

    /// What an agent is called says its certificate.
    fn named(&mut self, joined: &Joined) {
        let name = joined.identity.agent().name.clone();
        let plan = &mut self.plan;
        if plan.answers.name() == name.as_str() {
            return;
        }
        let done = plan.answers.invited_as(name.as_str());
        plan.text = crate::plan::text(&plan.answers);
        let what = format!("it was invited as {name}, and is called so");
        self.told(done.map_err(|_| "the name can't be written".to_owned()), &what);
    }

    fn give(&mut self, keys: &Path) -> bool {
        let Some(owner) = self.owner() else { return true };
        match system::give(keys, &owner) {
            Ok(()) => true,
            Err(why) => {
                self.tell(Became::Failed, &why);
                false
            }
        }
    }

    fn write(&mut self) -> bool {
        let file = self.plan.answers.file();
        let (shown, name) = (file.display(), self.plan.answers.name());
        match put(&file, &self.plan.text, &Zoned::now()) {
            Ok(Put::Same) => self.tell(Became::Done, &format!("{shown} says just that already")),
            Ok(Put::New) => self.tell(Became::Done, &format!("{shown} is written, for {name}")),
            Ok(Put::Kept(copy)) => {
                let what = format!("{shown} is written, for {name}; what was there is in {}", copy.display());
                self.tell(Became::Done, &what);
            }
            Err(error) => {
                self.tell(
                    Became::Failed,
                    &format!("{shown} can't be written: {error}; say another with --config"),
                );
                return false;
            }
        }
        true
    }

    fn install(&mut self) -> bool {
        let Some(unit) = self.plan.unit.clone() else { return false };
        if !unit.program.exists() {
            let what = format!("no service: {} isn't there, beside bramble-setup", unit.program.display());
            self.tell(Became::Failed, &what);
            return false;
        }
        let path = unit.path(&self.plan.answers.facts.home);
        let what = match put(&path, &unit.text(), &Zoned::now()) {
            Ok(Put::Kept(copy)) => {
                format!("{} is installed; what was there is in {}", path.display(), copy.display())
            }
            Ok(_) => format!("{} is installed", path.display()),
            Err(error) => {
                self.tell(Became::Failed, &format!("{} can't be written: {error}", path.display()));
                return false;
            }
        };
        let enabled = system::enable(&unit);
        if unit.service == Service::User
            && let Err(why) = system::linger()
        {
            self.tell(Became::Left, &format!("it runs only while you are logged in: {why}"));
        }
        self.told(enabled, &what)
    }

    fn start(&mut self, joined: bool, held: bool) {
        let Some(unit) = self.plan.unit.clone() else { return };
        let name = unit.name();
        if !joined {
            return self.tell(Became::Left, "it isn't started: it has no keys yet, and would end at once");
        }
        let runs = system::runs(&unit);
        if unit.role == Role::Child && runs {
            let what = format!(
                "{name} runs as it was: when its pilot is idle, start it again (systemctl restart {name})"
            );
            return self.tell(Became::Left, &what);
        }
        if held && !runs {
            let what = format!("a pilot runs that systemd didn't start: end it, then systemctl start {name}");
            return self.tell(Became::Left, &what);
        }
        let started = system::restart(&unit).and_then(|()| self.answers(&unit));
        self.told(started, &format!("{name} is started (systemctl status {name})"));
    }

    /// Waits until an agent that was started is there: a check would take its rig before it does.
    fn answers(&self, unit: &Unit) -> Result<(), String> {
        let socket = match unit.role {
            Role::Pilot => hold::SOCKET,
            Role::Terminal => "terminal.sock",
            Role::Child => return Ok(()),
        };
        let socket = self.plan.answers.data().join(socket);
        let until = Instant::now() + STARTING;
        while UnixStream::connect(&socket).is_err() {
            if Instant::now() > until {
                let user = if unit.service == Service::User { " --user" } else { "" };
                return Err(format!("it doesn't answer; why is in journalctl{user} -u {}", unit.name()));
            }
            std::thread::sleep(RESPITE);
        }
        Ok(())
    }

    fn check(&mut self) {
        let check = match self.plan.check {
            Check::All if !self.attended => Check::Outputs,
            check => check,
        };
        let skipped: &[&str] = match check {
            Check::None => return,
            Check::All => &[],
            Check::Outputs => &["--skip-inputs"],
            Check::Timing => &["--skip-inputs", "--skip-outputs"],
        };
        let program = self.plan.program();
        say(&format!("\nthe rig check ({}):", check.words()));
        let mut command = system::as_user(self.owner().as_deref(), &program);
        command.arg("--config").arg(self.plan.answers.file()).arg("check").args(skipped);
        if !self.attended {
            command.stdin(std::process::Stdio::null());
        }
        let again = format!("bramble-pilot --config {} check", self.plan.answers.file().display());
        match command.status() {
            Ok(status) if status.success() && skipped.is_empty() => {
                self.tell(Became::Done, "the rig passed its check");
            }
            Ok(status) if status.success() => self.tell(Became::Done, "what was checked of the rig passed"),
            Ok(_) => self.tell(Became::Failed, &format!("the rig did not pass; when it is mended: {again}")),
            Err(error) => self.tell(Became::Failed, &format!("the rig can't be checked: {error}; {again}")),
        }
    }

    fn by_hand(&mut self) {
        if self.plan.unit.is_none() {
            let how = self.plan.by_hand();
            self.tell(Became::Left, &format!("start it: {how}"));
        }
    }
}

/// Keeps a configuration that can't be written now beside its place; where it is then.
pub(crate) fn keep_aside(file: &Path, text: &str) -> Option<PathBuf> {
    let aside = PathBuf::from(format!("{}.new", file.display()));
    put(&aside, text, &Zoned::now()).ok().map(|_| aside)
}

/// Whether an agent has joined before.
pub(crate) fn has_keys(keys: &Path) -> bool {
    bramble_identity::Identity::load(keys).is_ok_and(|identity| identity.is_some())
}

/// The configurations of this computer, where an agent would look for them.
pub(crate) fn there(
    places: &[(Role, PathBuf)],
) -> Result<std::collections::BTreeMap<Role, crate::answers::There>, (PathBuf, std::io::Error)> {
    let mut there = std::collections::BTreeMap::new();
    for (role, path) in places {
        match std::fs::read_to_string(path) {
            Ok(text) => _ = there.entry(*role).or_insert(crate::answers::There { path: path.clone(), text }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err((path.clone(), error)),
        }
    }
    Ok(there)
}
