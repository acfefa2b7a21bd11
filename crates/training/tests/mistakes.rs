//! Wrong protocols, and what is said of them.

use crate::common::sources;
use bramble_training::Protocol;

/// A protocol of one step.
fn step(arguments: &str) -> String {
    format!("protocol(name = \"p\", steps = [\n    step({arguments}),\n])")
}

fn graduate(rule: &str) -> String {
    step(&format!("\"one\", task = \"../choice.star\",\n        graduate = {rule}"))
}

fn said_of(protocol: &str) -> String {
    match Protocol::load(&sources(protocol)) {
        Ok(_) => panic!("nothing was found wrong with\n{protocol}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

/// Each has one mistake, which is told by these words at this line and column.
#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let same = "step(\"one\", task = \"../rest.star\")";
    let cases: &[(String, &str, &[&str])] = &[
        ("x = 1".into(), "1:1", &["no protocol", "protocol(name"]),
        ("protocol(name = \"p\", steps = [])".into(), "1:22", &["one step or more"]),
        ("protocol(name = \"p\", steps = [3])".into(), "1:22", &["3 is no step", "step(\"name\""]),
        ("protocol(name = 7, steps = [".to_owned() + same + "])", "1:10", &["`name` is a text, not 7"]),
        (
            format!("protocol(name = \"p\", steps = [{same},\n{same}])"),
            "2:7",
            &["two steps `one`", "another name"],
        ),
        (
            format!("protocol(name = \"p\", steps = [{same}])\nprotocol(name = \"q\", steps = [{same}])"),
            "2:1",
            &["two protocols"],
        ),
        ("protcol(name = \"p\", steps = [])".into(), "1:1", &["no `protcol`", "`protocol`"]),
        (step("\"one\", task = \"../choise.star\""), "2:25", &["no file `choise.star`", "`choice.star`"]),
        (step("\"one\""), "2:5", &["task"]),
        (
            step("\"one\", task = \"../choice.star\", params = {\"rewrd\": \"3 uL\"}"),
            "2:52",
            &["no parameter `rewrd`", "`reward`"],
        ),
        (
            step("\"one\", task = \"../choice.star\", params = {\"reward\": \"3 ms\"}"),
            "2:52",
            &["`reward`", "uL"],
        ),
        (
            step("\"one\", task = \"../choice.star\", params = {\"reward\": \"30 uL\"}"),
            "2:52",
            &["`reward`", "10 uL"],
        ),
        (step("\"one\", task = \"../choice.star\", params = {\"side\": \"up\"}"), "2:52", &["`side`", "up"]),
        (step("\"one\", task = \"../choice.star\", params = 3"), "2:42", &["`params` is a dict, not 3"]),
        (
            step("\"one\", task = \"../rest.star\", graduate = trials(5)"),
            "2:40",
            &["no trials to graduate on"],
        ),
        (graduate("60"), "3:9", &["can't graduate on 60", "trials(60)"]),
        (graduate("trials(0)"), "3:20", &["whole number from 1, not 0"]),
        (graduate("trials(2.5)"), "3:20", &["not 2.5"]),
        (
            graduate("accuracy(\"outcom\", of = \"correct\", at_least = 0.7, window = 9)"),
            "3:30",
            &["no column `outcom`", "`outcome`"],
        ),
        (
            graduate("accuracy(\"outcome\", of = \"corect\", at_least = 0.7, window = 9)"),
            "3:45",
            &["never \"corect\"", "`correct`"],
        ),
        (
            graduate("accuracy(\"outcome\", at_least = 0.7, window = 9)"),
            "3:29",
            &["never True", "of = \"correct\""],
        ),
        (
            graduate("accuracy(\"latency\", of = 3, at_least = 0.7, window = 9)"),
            "3:29",
            &["duration", "a function"],
        ),
        (
            graduate("accuracy(\"hit\", at_least = 0.7, window = 0)"),
            "3:52",
            &["`window` is a whole number from 1, not 0"],
        ),
        (graduate("accuracy(\"hit\", at_least = 75, window = 9)"), "3:36", &["not 75", "75 %"]),
        (graduate("accuracy(\"hit\", at_least = 0.7, window = 9, least = 10)"), "3:52", &["only 9 trials"]),
        (graduate("rate(at_least = 3, window = \"10\")"), "3:39", &["`10`", "10 min"]),
        (graduate("rate(at_least = -1, window = \"10 min\")"), "3:25", &["above 0, not -1"]),
        (graduate("all_of()"), "3:20", &["needs rules"]),
        (graduate("any_of(trials(3), 4)"), "3:20", &["can't graduate on 4"]),
        (graduate("lambda trials: trials[-1].outcom == \"correct\""), "3:35", &["`outcom`", "`outcome`"]),
        (graduate("lambda trials: len(trials)"), "3:9", &["True or False"]),
        (graduate("lambda: True"), "3:9", &["takes the recent trials", "lambda trials"]),
        (graduate("lambda trials: trials(3)"), "3:35", &["not"]),
        (graduate("lambda trials: any_of(True)"), "3:35", &["can't be used inside"]),
        (
            "load(\"gone.star\", \"x\")\nprotocol(name = \"p\", steps = [])".into(),
            "1:6",
            &["protocols/gone.star"],
        ),
        ("protocol(name = \"p\", steps = [".into(), "1:", &["unexpected"]),
        ("x = [i for i in range(1000000000)]".into(), "1:", &["too"]),
    ];
    let mut wrong = Vec::new();
    for (protocol, place, words) in cases {
        let said = said_of(protocol);
        let placed = said.starts_with(&format!("protocols/train.star:{place}"));
        let worded = words.iter().all(|word| said.to_lowercase().contains(&word.to_lowercase()));
        if !placed || !worded || said.lines().count() > 1 {
            wrong.push(format!("{protocol}\nsaid: {said}\nexpected {place}: {words:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn all_mistakes_of_a_protocol_are_told_at_once() {
    let said = said_of(
        "protocol(name = \"p\", steps = [\n\
         step(\"one\", task = \"../choise.star\"),\n\
         step(\"two\", task = \"../choice.star\", params = {\"rewrd\": 1, \"pause\": \"x\"}),\n\
         step(\"three\", task = \"../choice.star\", graduate = trials(0)),\n\
         ])",
    );
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn a_mistake_in_a_task_is_told_where_the_task_makes_it() {
    let mut sources = sources(&step("\"one\", task = \"../choice.star\""));
    if let Some(task) = sources.files.get_mut("choice.star") {
        *task = task.replace("hit = True", "hti = True");
    }
    let said = Protocol::load(&sources).expect_err("a wrong task").to_string();
    assert!(said.starts_with("choice.star:") && said.contains("hti"), "{said}");
}

#[test]
fn rules_that_are_nested_without_end_are_refused() {
    let rules = "def rules():\n    rule = trials(1)\n    for i in range(200):\n        for j in range(200):\n            rule = all_of(rule)\n    return rule\n";
    let said = said_of(&format!("{rules}{}", graduate("rules()")));
    assert!(said.contains(":5:20: these rules are nested too deep"), "{said}");
}
