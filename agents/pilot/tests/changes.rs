//! All that a session depends on, changed one thing at a time: each is found in the subject's
//! file, and nothing else is otherwise there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::common::{Lab, TURN, git, pilot, program};
use bramble_subject::{SessionNumber, SubjectFile};
use serde_json::{Value, json};

/// A computer that says otherwise what it is: its name, board, kernel, system and governor.
const OTHER_COMPUTER: &str = r#"
hostname other
over() { mount --bind "$1" "$2"; }
say() { printf '%s\n' "$2" >"$0/$1"; }
say kernel 9.9.9-other && over "$0/kernel" /proc/sys/kernel/osrelease
say build '#1 SMP PREEMPT_RT other' && over "$0/build" /proc/sys/kernel/version
say system 'PRETTY_NAME="Other 1"' && over "$0/system" "$(realpath /etc/os-release)"
say board 'Other Board'
[ ! -e /proc/device-tree/model ] || over "$0/board" /proc/device-tree/model
mount -t tmpfs none /sys/class && mkdir -p /sys/class/dmi/id && cp "$0/board" /sys/class/dmi/id/product_name
mount -t tmpfs none /sys/devices/system/cpu && mkdir -p /sys/devices/system/cpu/cpufreq/policy0
echo other >/sys/devices/system/cpu/cpufreq/policy0/scaling_governor
exec "$@"
"#;

/// A lab whose sessions are compared.
struct Compared {
    lab: Lab,
    /// What the last session's record says, by its place there.
    before: BTreeMap<String, String>,
    sessions: u32,
    /// What differs between two sessions of which all is the same.
    always: Vec<String>,
}

impl Compared {
    /// A lab with a task in a repository, where two sessions were the same.
    fn new() -> Compared {
        let mut lab = Lab::new();
        lab.settings = "# as it was\n".to_owned();
        std::fs::create_dir_all(lab.path("own/lib")).unwrap();
        lab.file("own/turn.star", TURN);
        lab.file("own/lib/turn.star", "far = 90\n");
        git(&lab.path("own"), &["init", "--quiet", "--initial-branch", "main"]);
        commit(&lab);
        lab.start_pilot("box1", &["--speed", "max", "--seed", "5"]);
        lab.start_child("box1");
        let mut compared = Compared { lab, before: BTreeMap::new(), sessions: 0, always: Vec::new() };
        compared.session("3", &[]);
        compared.always = compared.session("3", &[]);
        assert!(compared.always.iter().any(|place| place == "uuid"), "{:?}", compared.always);
        let of_content = ["sources", "texts", "parameters", "seed", "versions"];
        let is_of_content = |place: &&String| of_content.iter().any(|one| place.starts_with(one));
        assert_eq!(compared.always.iter().find(is_of_content), None);
        compared
    }

    /// Has a session, and says in which places its record differs from the one before. The same
    /// seed has the same things happen.
    fn session(&mut self, seed: &str, more: &[&str]) -> Vec<String> {
        let task = self.lab.path("own/turn.star").display().to_string();
        let start = ["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "2", "--seed", seed];
        self.started(&start, more)
    }

    fn started(&mut self, start: &[&str], more: &[&str]) -> Vec<String> {
        self.lab.say(&[start, more].concat());
        self.sessions += 1;
        let record = record(&self.lab.after_sessions(self.sessions as usize), self.sessions);
        let before = std::mem::replace(&mut self.before, record);
        let places = before.keys().chain(self.before.keys().filter(|place| !before.contains_key(*place)));
        places.filter(|place| before.get(*place) != self.before.get(*place)).cloned().collect()
    }

    /// What is otherwise now is found in all of these places, and only there.
    #[track_caller]
    fn is_found(&mut self, what: &str, places: &[&str]) {
        let differs = self.session("3", &[]);
        self.were_found(what, differs, places);
    }

    #[track_caller]
    fn were_found(&self, what: &str, mut differs: Vec<String>, places: &[&str]) {
        differs.retain(|place| !self.always.contains(place));
        for place in places {
            assert!(differs.iter().any(|one| one.starts_with(place)), "{what}: not in {place}: {differs:#?}");
        }
        let elsewhere = |one: &&String| !places.iter().any(|place| one.starts_with(place));
        assert_eq!(differs.iter().find(elsewhere), None, "{what}: {differs:#?}");
    }

    /// Calibrates the valve by these weights of its shortest and its longest opening.
    fn calibrate(&self, weights: &str) {
        let mut command = program("bramble-pilot");
        command.arg("--config").arg(self.lab.path("box1.toml"));
        command.args([
            "calibrate",
            "valve.center",
            "--pulses",
            "2",
            "--durations",
            "20ms,200ms",
            "--every",
            "400ms",
        ]);
        let output = command.args(["--yes", "--weights", weights]).output().unwrap();
        assert!(output.status.success(), "{}", crate::common::text(&output.stderr));
    }

    /// Starts the pilot again, by another command.
    fn restart_pilot(&mut self, mut command: Command) {
        self.lab.end("box1");
        let config = self.lab.path("box1.toml");
        command.arg("--config").arg(config).args(["--speed", "max", "--seed", "5"]);
        self.lab.start("box1", &mut command);
        self.lab.until(&["status", "--json"], |status| {
            pilot(status, "box1")["here"] == true && pilot(status, "box1")["children"][0]["here"] == true
        });
    }
}

fn commit(lab: &Lab) {
    git(&lab.path("own"), &["add", "."]);
    git(&lab.path("own"), &["commit", "--quiet", "--message", "as it is now"]);
}

/// All that a file says of what a session started from, by its place there.
fn record(file: &SubjectFile, number: u32) -> BTreeMap<String, String> {
    let start = file.session(SessionNumber::new(number)).unwrap();
    let parameters = start.parameters.iter();
    let parameters = parameters.map(|one| (one.name.clone(), one.value_type.show(one.value)));
    let step = start.protocol.as_ref().map(|step| json!([step.protocol, step.step]));
    let whole = json!({
        "uuid": start.uuid,
        "task": start.task,
        "root": start.root,
        "sources": start.sources,
        "parameters": parameters.collect::<BTreeMap<_, _>>(),
        "seed": start.seed.0,
        "pilot": start.pilot,
        "protocol": step,
        "versions": start.versions,
        "provenance": start.provenance,
        "texts": start.texts,
    });
    let mut flat = BTreeMap::new();
    flatten("", &whole, &mut flat);
    flat
}

fn flatten(place: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let within = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place} > {name}") };
    match value {
        Value::Object(all) => all.iter().for_each(|(name, one)| flatten(&within(name), one, into)),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(at, one)| flatten(&within(&at.to_string()), one, into));
        }
        value => _ = into.insert(place.to_owned(), value.to_string()),
    }
}

#[test]
fn each_text_of_a_session_that_changes_is_found_in_the_file_and_nothing_else() {
    let mut all = Compared::new();

    all.lab.file("own/turn.star", &TURN.replace("500 ms", "400 ms"));
    let patch = ["texts > changes.patch", "provenance > repository"];
    all.is_found("the task", &[&["sources > turn.star"], &patch[..]].concat());

    all.lab.file("own/lib/turn.star", "far = 80\n");
    all.is_found("what the task loads", &["sources > lib/turn.star", patch[0]]);

    commit(&all.lab);
    all.is_found("the commit", &patch);

    let param = "reward=8 uL";
    let differs = all.session("3", &["--param", param]);
    let places = ["parameters > reward", "provenance > request > parameters"];
    all.were_found("a parameter", differs, &places);
    let differs = all.session("4", &["--param", param]);
    all.were_found("the seed", differs, &["seed"]);
    let differs = all.session("3", &[]);
    all.were_found("both as before", differs, &[&places[..], &["seed"]].concat());

    let text = std::fs::read_to_string(all.lab.path("box1.toml")).unwrap();
    all.lab.file("box1.toml", &text.replace("# as it was", "# otherwise"));
    all.restart_pilot(program("bramble-pilot"));
    all.is_found("the pilot's configuration", &["texts > config/pilot.toml"]);

    all.lab.file("box1.toml", &text.replace("# as it was", "# otherwise").replace("40 uL/s", "50 uL/s"));
    all.restart_pilot(program("bramble-pilot"));
    all.is_found("the hardware", &["texts > config/pilot.toml", "provenance > pilot > rig"]);

    // Without a flow in its configuration, a valve goes by its calibration.
    all.lab
        .file("box1.toml", &text.replace("# as it was", "# otherwise").replace("flow = \"40 uL/s\"\n", ""));
    all.calibrate("0.0016,0.016");
    all.restart_pilot(program("bramble-pilot"));
    let calibration = ["texts > calibrations/", "provenance > pilot > calibrations"];
    let hardware = ["texts > config/pilot.toml", "provenance > pilot > rig"];
    all.is_found("a valve that goes by its calibration", &[calibration, hardware].concat());
    all.calibrate("0.0018,0.018");
    all.is_found("a calibration", &calibration);

    // By its step, and then with another rule in the same protocol.
    let protocol = |rule: &str| {
        format!("protocol(name = \"p\", steps = [step(\"turn\", task = \"turn.star\", graduate = {rule})])\n")
    };
    let path = all.lab.file("own/p.star", &protocol("trials(400)"));
    commit(&all.lab);
    all.lab.say(&["subject", "assign", "M001", &path]);
    let start = ["start", "M001", "--pilot", "box1", "--seed", "3", "--trials", "2"];
    let differs = all.started(&start, &[]);
    let step = ["protocol", "provenance > request > graduation", "provenance > repository"];
    assert!(step.iter().all(|place| differs.iter().any(|one| one.starts_with(place))), "{differs:#?}");
    let path = all.lab.file("own/p.star", &protocol("trials(500)"));
    all.lab.say(&["subject", "assign", "M001", &path]);
    let differs = all.started(&start, &[]);
    assert!(differs.iter().any(|one| one.starts_with("provenance > request > graduation")), "{differs:#?}");
    assert!(all.before.values().any(|text| text.contains("trials(500)")));
}

#[test]
fn each_agent_and_its_computer_that_is_another_is_found_in_the_file_and_nothing_else() {
    let mut all = Compared::new();

    // A pilot of other sources, with other libraries.
    let built = std::fs::read(program("bramble-pilot").get_program()).unwrap();
    let other = all.lab.path("bramble-pilot");
    let lock = changed(&built, b"name = \"bramble-value\"", b"name = \"bramble-other\"");
    put(&other, &lock);
    all.restart_pilot(Command::new(&other));
    let lock = ["provenance > pilot > build > lock", "texts > software/"];
    let path = "provenance > pilot > arguments > 0";
    all.is_found("the libraries of the pilot", &[&lock[..], &[path]].concat());
    let commit = all.before.get("provenance > pilot > build > commit").unwrap().trim_matches('"').to_owned();
    if commit != "null" {
        put(&other, &changed(&built, commit.as_bytes(), &b"f".repeat(commit.len())));
        all.restart_pilot(Command::new(&other));
        let places = [&lock[..], &["provenance > pilot > build > commit"]].concat();
        all.is_found("the commit of the pilot", &places);
        put(&other, &built);
        all.restart_pilot(Command::new(&other));
        all.is_found("the pilot as it was", &["provenance > pilot > build > commit"]);
    }

    let folder = all.lab.path("other");
    std::fs::create_dir(&folder).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--uts", "sh", "-ec", OTHER_COMPUTER]).arg(folder).arg(&other);
    all.restart_pilot(command);
    let host = |what: &str| format!("provenance > pilot > host > {what}");
    let places = ["name", "board", "kernel", "kernel_build", "system", "cpu_governor"].map(host);
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    all.is_found("the computer", &[&places[..], &["provenance > pilot_software > host"]].concat());
}

/// A program in which one text is another.
fn changed(program: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut changed = program.to_vec();
    let places: Vec<usize> =
        (0..=program.len() - from.len()).filter(|at| program[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "the program has no {:?}", String::from_utf8_lossy(from));
    places.into_iter().for_each(|at| changed[at..at + to.len()].copy_from_slice(to));
    changed
}

/// Puts a program where it can be run.
fn put(path: &Path, program: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    // One that runs can't be written to, but another can take its place.
    let _ = std::fs::remove_file(path);
    std::fs::write(path, program).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
