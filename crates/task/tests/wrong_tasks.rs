//! Every mistake in a task file is found before it runs, and says what is
//! wrong, where, and what to do: `wrong_tasks.txt` has the files and what is
//! said of each, as `line:column: what is wrong (what to do)`.

use std::time::{Duration, Instant};

use bramble_task::{Sources, load};

struct Wrong {
    name: &'static str,
    file: &'static str,
    said: &'static str,
}

fn table() -> Vec<Wrong> {
    let sections = include_str!("wrong_tasks.txt").split("=== ").skip(1);
    let wrong = sections.map(|section| {
        let (name, rest) = section.split_once('\n').unwrap();
        let (file, said) = rest.split_once("\n---\n").unwrap();
        Wrong { name, file, said: said.trim() }
    });
    wrong.collect()
}

fn said(file: &str) -> String {
    let sources = Sources { root: "task.star".into(), files: [("task.star".into(), file.into())].into() };
    match load(&sources) {
        Ok(_) => "nothing".to_owned(),
        Err(mistakes) => mistakes.to_string().replace("task.star:", ""),
    }
}

#[test]
fn each_wrong_task_is_refused_with_the_place_and_the_remedy() {
    let table = table();
    assert!(table.len() >= 45, "{}", table.len());
    for wrong in table {
        // A file that names itself in a message is named in the table too.
        let expected = wrong.said.replace("task.star:", "");
        assert_eq!(said(wrong.file), expected, "\n=== {}\n{}", wrong.name, wrong.file);
    }
}

#[test]
fn hostile_files_are_refused_within_moments() {
    for wrong in table().into_iter().filter(|wrong| wrong.name.starts_with("hostile")) {
        let start = Instant::now();
        said(wrong.file);
        // What has no bound would take minutes, or all memory.
        assert!(start.elapsed() < Duration::from_secs(30), "{}", wrong.name);
    }
}

#[test]
fn a_mistake_is_shown_in_its_line_with_a_caret() {
    let file = "led = hardware(digital_ouput)\n";
    let sources = Sources { root: "led.star".into(), files: [("led.star".into(), file.into())].into() };
    let report = format!("{:?}", miette::Report::new(load(&sources).unwrap_err()));
    for part in ["led.star:1:16", "led = hardware(digital_ouput)", "`digital_output`?"] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
}

#[test]
fn mistakes_are_json_for_scripts() {
    let sources = Sources {
        root: "t.star".into(),
        files: [("t.star".into(), "task(stages = delay(5))".into())].into(),
    };
    let json = serde_json::to_value(load(&sources).unwrap_err()).unwrap();
    assert_eq!(json[0]["place"]["line"], 1);
    assert_eq!(json[0]["place"]["column"], 21);
    assert_eq!(json[0]["help"], "\"5 s\"?");
}
