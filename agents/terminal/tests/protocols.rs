//! Protocols that are changed while subjects are on them.

use bramble_message::{Activity, StartSession};
use serde_json::{Value, json};

use crate::common::http::ask;
use crate::common::{ONE_COLUMN, Pilot, Terminal, ended, started, trials};

/// A protocol of steps with these names, each of which has as many trials as its name has letters.
fn protocol(names: &[&str]) -> String {
    let step =
        |name: &&str| format!("step(\"{name}\", task = \"lick.star\", graduate = trials({})),\n", name.len());
    format!("protocol(name = \"three\", steps = [\n{}])\n", names.iter().map(step).collect::<String>())
}

/// M001 on a step of the protocol free, cued, last; with the protocol's file and a pilot.
fn at_step(step: &str) -> (Terminal, String, Pilot) {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    terminal.file("lick.star", ONE_COLUMN);
    let file = terminal.file("three.star", &protocol(&["free", "cued", "last"]));
    terminal.say(&["subject", "assign", "M001", &file, "--step", step]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    (terminal, file, pilot)
}

/// Starts what the subject's protocol says; and what the command said.
fn start(terminal: &Terminal, pilot: &Pilot) -> (StartSession, String) {
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["start", "M001", "--pilot", "box1"]));
        let request = begins(pilot);
        (request, said.join().unwrap())
    })
}

/// The next session that the pilot is asked for, which begins.
fn begins(pilot: &Pilot) -> StartSession {
    let (ask, request) = pilot.start();
    pilot.answer(ask, Ok(()));
    pilot.say(&started(request.clone()));
    request
}

fn training(terminal: &Terminal) -> Value {
    terminal.json(&["subject", "show", "M001", "--json"])["training"].clone()
}

/// What the history says after the assignment.
fn history(terminal: &Terminal) -> Vec<[String; 3]> {
    let history = terminal.json(&["subject", "history", "M001", "--json"]);
    let changes = history.as_array().unwrap()[3..].iter();
    let told = changes.filter(|change| !change["what"].as_str().unwrap().starts_with("confirmed"));
    told.map(|change| ["what", "from", "to"].map(|field| change[field].as_str().unwrap().to_owned()))
        .collect()
}

fn renumbered(from: &str, to: &str) -> [String; 3] {
    ["step renumbered", from, to].map(str::to_owned)
}

#[test]
fn an_animal_stays_at_its_step_wherever_its_protocol_has_that_now() {
    let (terminal, _, pilot) = at_step("2");
    terminal.file("three.star", &protocol(&["free", "short", "cued", "last"]));
    let shown = training(&terminal);
    assert_eq!(
        (&shown["step"], &shown["label"], &shown["was"]),
        (&3.into(), &"3 cued".into(), &"2 cued".into())
    );
    let said = terminal.say(&["subject", "show", "M001"]);
    assert!(
        said.contains("3 cued\n") && said.contains("it was 2 cued before the protocol was changed"),
        "{said}"
    );
    assert!(terminal.say(&["subject", "list"]).contains("3 cued"));
    assert_eq!(history(&terminal), [[""; 3]; 0], "looking changes nothing");

    let (request, said) = start(&terminal, &pilot);
    assert_eq!(request.graduation.unwrap().step, 2);
    assert!(
        said.starts_with("M001 started step 3 cued (lick) on box1\nits step was 2 cued before"),
        "{said}"
    );
    assert_eq!(history(&terminal), [renumbered("2 cued", "3 cued")]);
    assert_eq!(training(&terminal)["was"], Value::Null);

    // A second start has nothing more to tell.
    pilot.say(&trials(request.session, 1, &[true, false]));
    pilot.say(&ended(request.session, false));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
    let (again, said) = start(&terminal, &pilot);
    assert!(!said.contains("before its protocol"), "{said}");
    assert_eq!(again.graduation.unwrap().earlier.rows.len(), 2);
    assert_eq!(history(&terminal).len(), 1);
}

#[test]
fn trials_count_on_where_a_step_was_moved() {
    let (terminal, _, pilot) = at_step("2");
    let (first, _) = start(&terminal, &pilot);
    pilot.say(&trials(first.session, 1, &[true, false, true]));
    pilot.say(&ended(first.session, false));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
    terminal.file("three.star", &protocol(&["cued", "free", "last"]));
    let (second, _) = start(&terminal, &pilot);
    let graduation = second.graduation.unwrap();
    assert_eq!((graduation.step, graduation.earlier.rows.len()), (0, 3));
}

#[test]
fn a_graduation_leads_to_the_step_that_was_meant_though_the_protocol_was_changed_meanwhile() {
    let (terminal, _, pilot) = at_step("2");
    let (first, _) = start(&terminal, &pilot);
    terminal.file("three.star", &protocol(&["free", "cued", "more", "last"]));
    pilot.say(&ended(first.session, true));
    let next = begins(&pilot);
    let graduation = next.graduation.unwrap();
    assert_eq!(graduation.step, 3, "last, as the session's own text has it");
    let graduated = ["graduated", "2 cued", "3 last"].map(str::to_owned);
    assert_eq!(history(&terminal), [graduated, renumbered("3 last", "4 last")]);
    let label = |subject: &Value| subject["training"]["label"] == "4 last";
    terminal.until(&["subject", "show", "M001", "--json"], label);
    // And it graduates from there.
    pilot.say(&ended(next.session, true));
    terminal.until(&["subject", "show", "M001", "--json"], |subject| subject["training"]["finished"] == true);
}

#[test]
fn a_step_that_is_gone_is_started_by_no_other_and_the_animal_can_be_assigned() {
    let (terminal, file, pilot) = at_step("2");
    terminal.file("three.star", &protocol(&["free", "short", "last"]));
    let gone = format!("there is no step cued any more in {file}: its steps are 1 free, 2 short, 3 last");
    let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
    assert!(said.replace('\n', " ").contains("subject assign M001"), "{said}");
    assert!(said.starts_with("there is no step cued any more in"), "{said}");
    let shown = training(&terminal);
    assert_eq!((&shown["label"], &shown["problem"]), (&"2 cued".into(), &gone.clone().into()));
    assert!(terminal.say(&["subject", "show", "M001"]).contains(&gone));
    let list = terminal.say(&["subject", "list"]);
    assert!(
        list.contains("2 cued, can't be started")
            && list.contains(&format!("M001: the step can't be started: {gone}"))
    );
    terminal.say(&["subject", "assign", "M001", &file, "--step", "2"]);
    let (request, _) = start(&terminal, &pilot);
    assert_eq!(request.graduation.unwrap().step, 1);
}

#[test]
fn a_protocol_of_the_page_has_who_is_on_it_and_is_changed_where_it_is() {
    let config = "data = \"lab\"\n[web]\ntasks = \"lab/../tasks\"\n";
    let terminal = Terminal::start_with(config, |data| {
        let tasks = data.with_file_name("tasks");
        std::fs::create_dir_all(tasks.join("mine")).unwrap();
        std::fs::create_dir_all(data).unwrap();
        for folder in [&tasks, &tasks.join("mine")] {
            std::fs::write(folder.join("lick.star"), ONE_COLUMN).unwrap();
            std::fs::write(folder.join("three.star"), protocol(&["free", "cued", "last"])).unwrap();
        }
    });
    let folder = terminal.folder.path().join("tasks");
    terminal.say(&["subject", "add", "M001"]);
    let mine = folder.join("mine/three.star");
    terminal.say(&["subject", "assign", "M001", mine.to_str().unwrap(), "--step", "2"]);
    let list = |path: &str| -> Value { ask(&terminal.page, "GET", path, &[], b"").json() };
    let protocols = list("/api/v1/protocols");
    let of = |place: usize| &protocols[place];
    assert_eq!(
        (&of(0)["subjects"], &of(1)["subjects"]),
        (&json!([{ "id": "M001", "step": "cued" }]), &json!([]))
    );
    let tasks = list("/api/v1/tasks");
    assert_eq!(of(0)["steps"][0]["path"], tasks[1]["path"], "a step's task is one of the list");

    let steps = json!([{ "name": "cued", "task": of(0)["steps"][0]["path"] }]);
    let change = json!({ "path": of(0)["path"], "text": of(0)["text"] });
    let changed = json!({ "change": change, "name": "mine", "steps": steps });

    let said = ask(&terminal.page, "POST", "/api/v1/protocols", &[], changed.to_string().as_bytes());
    let saved = said.json();
    assert_eq!((&saved["path"], &saved["name"]), (&of(0)["path"], &"mine".into()), "{saved}");
    let text = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(
        text(&folder.join("three.star")),
        protocol(&["free", "cued", "last"]),
        "the other is as it was"
    );
    let kept = saved["kept"].as_str().unwrap();
    assert_eq!(text(kept.as_ref()), protocol(&["free", "cued", "last"]));
    let shown = training(&terminal);
    assert_eq!(shown["label"], "1 cued", "it is at its step, which has another place");
}
