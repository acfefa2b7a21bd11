//! The services that are set up, under a systemd that really runs: one of this computer's, in
//! namespaces of its own, over a copy of this computer's files that goes with it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// As long as what must come is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Boots: `$1` is an empty folder, `$2` where the programs are.
const BOOT: &str = r#"
ip link set lo up
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc none proc
mount -t sysfs none sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs none run
mount -t tmpfs none tmp
mount --rbind /dev dev
mkdir -p opt/bramble
mount --bind "$2" opt/bramble
rm -rf etc/bramble
echo 0123456789abcdef0123456789abcdef >etc/machine-id
exec chroot . /usr/bin/env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=console --unit=basic.target
"#;

/// A computer on which nothing is set up yet.
struct Computer {
    /// All its processes end with this one.
    space: Child,
    folder: TempDir,
}

impl Computer {
    fn boot() -> Computer {
        let folder = tempfile::tempdir().unwrap();
        let programs = Path::new(env!("CARGO_BIN_EXE_bramble-setup")).parent().unwrap().to_owned();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let says = File::create(folder.path().join("log")).unwrap();
        let mut space = Command::new("unshare");
        space.args(["--net", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"]);
        space.args(["sh", "-ec", BOOT, "boot"]).arg(root).arg(programs);
        let space =
            space.stdin(Stdio::null()).stdout(says.try_clone().unwrap()).stderr(says).spawn().unwrap();
        let computer = Computer { space, folder };
        computer.eventually("systemd is up", || {
            let state = text(&computer.run(&["systemctl", "is-system-running"]).stdout);
            ["running", "degraded"].contains(&state.trim()).then_some(())
        });
        computer
    }

    /// Runs a command there.
    fn run(&self, command: &[&str]) -> Output {
        let parent = self.space.id();
        let first = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        let enter = ["--target", first.trim(), "--all", "--root", "--wd=/"];
        let entered = Command::new("nsenter").args(enter).arg("--").args(command).output();
        entered.unwrap()
    }

    /// What a command says there, which must go well.
    #[track_caller]
    fn says(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Sets up an agent.
    #[track_caller]
    fn setup(&self, arguments: &[&str]) -> String {
        self.says(&[&["/opt/bramble/bramble-setup", "--yes"], arguments].concat())
    }

    /// Runs a command of the terminal as this user, who is told nothing of where that is.
    fn terminal(&self, user: &str, command: &str) -> Output {
        let command = format!("cd / && /opt/bramble/bramble-terminal {command}");
        self.run(&["su", "--shell", "/bin/sh", user, "--command", &command])
    }

    fn terminal_json(&self, command: &str) -> Option<Value> {
        serde_json::from_slice(&self.terminal("bramble", command).stdout).ok()
    }

    /// What systemd says of an agent's service.
    fn of_service(&self, agent: &str, what: &str) -> String {
        let service = format!("bramble-{agent}");
        self.says(&["systemctl", "show", "--value", "--property", what, &service]).trim().to_owned()
    }

    /// Waits until the terminal hears box1, run by the process that its service has now.
    fn until_box1_is_here(&self) {
        self.eventually("box1 is here", || {
            let status = self.terminal_json("status --json")?;
            let is_here = |pilot: &Value| pilot["name"] == "box1" && pilot["here"] == true;
            status["pilots"].as_array()?.iter().any(is_here).then_some(())
        });
    }

    fn eventually<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(begin.elapsed() < PATIENCE, "not so in time: {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Computer {
    fn drop(&mut self) {
        let _ = self.space.kill();
        let _ = self.space.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_terminal_and_a_pilot_are_set_up_as_services_that_find_each_other_and_come_back() {
    let computer = Computer::boot();
    let said = computer.setup(&["terminal", "--name", "lab", "--data", "/srv/lab"]);
    assert!(said.contains("the user bramble is made"), "{said}");
    assert!(said.contains("bramble-terminal is started"), "{said}");
    assert_eq!(computer.of_service("terminal", "ActiveState"), "active");
    assert_eq!(computer.of_service("terminal", "User"), "bramble");
    assert_eq!(computer.of_service("terminal", "UnitFileState"), "enabled");

    // Its commands find what was set up, for whom it is.
    let invitation = computer.eventually("box1 is invited", || computer.terminal_json("invite box1 --json"));
    let others = computer.terminal("nobody", "status");
    assert!(text(&others.stderr).contains("is another user's"), "{}", text(&others.stderr));

    let code = invitation["code"].as_str().unwrap();
    let pilot =
        ["pilot", "--template", "simulated", "--name", "box1", "--terminal", "127.0.0.1", "--code", code];
    let said = computer.setup(&[&pilot[..], &["--check", "none"]].concat());
    assert!(said.contains("bramble-pilot is started"), "{said}");
    computer.until_box1_is_here();
    // What its loop and its guard need.
    assert_eq!(computer.of_service("pilot", "LimitRTPRIO"), "95");
    assert_eq!(computer.of_service("pilot", "KillMode"), "process");

    // One that dies comes back by itself.
    let first = computer.of_service("pilot", "MainPID");
    computer.says(&["kill", "-KILL", &first]);
    computer.eventually("it is another process", || {
        let now = computer.of_service("pilot", "MainPID");
        (now != first && now != "0").then_some(())
    });
    computer.until_box1_is_here();

    // Set up again, it is otherwise, and what was there is kept.
    let said = computer.setup(&["pilot", "--set", "rig.watchdog=300 ms", "--check", "none"]);
    assert!(said.contains("bramble-pilot is started"), "{said}");
    computer.until_box1_is_here();
    let has =
        |file: &str| computer.says(&["sh", "-c", &format!("cat {file}")]).contains("\nwatchdog = \"300 ms\"");
    assert!(has("/etc/bramble/pilot.toml"));
    assert!(!has("/etc/bramble/pilot.toml.2*"), "the one that was replaced is kept, as it was");
}
