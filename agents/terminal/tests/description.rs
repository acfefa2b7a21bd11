//! The API's description, held against what the API answers.

use crate::common::http::ask;
use crate::common::{Terminal, drop_of_water, ended, request, started, trials};
use bramble_message::Activity;
use serde_json::{Value, json};
use uuid::Uuid;

/// A terminal with something of everything that is asked for.
fn lab() -> Terminal {
    let tasks = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tasks");
    let terminal = Terminal::start_with(&format!("[web]\ntasks = \"{tasks}\"\n"), |_| {});
    terminal.say(&["subject", "add", "M001", "--species", "Mus musculus", "--sex", "female"]);
    terminal.say(&["subject", "weigh", "M001", "25g", "--limit", "85%"]);
    terminal.say(&["subject", "weigh", "M001", "20g"]);
    terminal.say(&["subject", "note", "M001", "calm"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    let session = Uuid::from_u128(7);
    pilot.say(&started(request("M001")));
    pilot.say(&trials(session, 1, &[true, false]));
    pilot.say(&drop_of_water(session));
    pilot.say(&ended(session, false));
    terminal
        .until(&["subject", "show", "M001", "--json"], |subject| subject["sessions"][0]["end"].is_object());
    terminal.until(&["alerts", "--json"], |alerts| alerts["on"][0]["kind"] == "weight-low");
    terminal
}

/// What is wrong with a value by a schema of the description, as far as this description goes.
fn misfits(description: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let fits = |schema: &Value| misfits(description, schema, value).is_empty();
    let mut found = Vec::new();
    for (word, said) in schema.as_object().unwrap() {
        let all = || said.as_array().unwrap().iter();
        let wrong = match word.as_str() {
            "$ref" => {
                let place = said.as_str().unwrap().trim_start_matches('#');
                found.extend(misfits(description, description.pointer(place).unwrap(), value));
                false
            }
            "type" if said.is_array() => !all().any(|kind| is_of(kind, value)),
            "type" => !is_of(said, value),
            "enum" => !all().any(|one| one == value),
            "const" => said != value,
            "oneOf" => all().filter(|one| fits(one)).count() != 1,
            "anyOf" => !all().any(fits),
            "allOf" => {
                found.extend(all().flat_map(|one| misfits(description, one, value)));
                false
            }
            "required" => value.is_object() && all().any(|name| value.get(name.as_str().unwrap()).is_none()),
            "minimum" => value.as_f64().is_some_and(|number| number < said.as_f64().unwrap()),
            "properties" => {
                for (name, schema) in said.as_object().unwrap() {
                    let inner = value.get(name).map(|inner| misfits(description, schema, inner));
                    found.extend(inner.into_iter().flatten().map(|misfit| format!("{name}: {misfit}")));
                }
                false
            }
            "items" => {
                let inner = value.as_array().into_iter().flatten();
                found.extend(inner.flat_map(|inner| misfits(description, said, inner)));
                false
            }
            "additionalProperties" if said.is_object() => {
                let inner = value.as_object().into_iter().flat_map(|fields| fields.values());
                found.extend(inner.flat_map(|inner| misfits(description, said, inner)));
                false
            }
            "description" | "format" | "propertyNames" | "default" => false,
            other => panic!("a schema says `{other}`, which this test doesn't know: {schema}"),
        };
        if wrong {
            found.push(format!("{value} is not as `{word}` says: {said}"));
        }
    }
    found
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type `{other}`"),
    }
}

/// What an address has to say behind its path.
fn query(operation: &Value) -> &'static str {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let needed = parameters.filter(|one| one["in"] == "query" && one["required"] == true);
    match needed.map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>()[..] {
        [] => "",
        ["path"] => "?path=two_choice.star",
        ref others => panic!("this test doesn't know what to say for {others:?}"),
    }
}

#[test]
fn whatever_is_asked_for_answers_as_the_description_says() {
    let terminal = lab();
    let page = &terminal.page;
    let description = ask(page, "GET", "/api/v1/openapi.json", &[], b"").json();
    for (path, item) in description["paths"].as_object().unwrap() {
        // A WebSocket answers otherwise.
        let answers = |operation: &&Value| operation["responses"]["101"].is_null();
        let Some(operation) = item.get("get").filter(answers) else { continue };
        let path = path
            .replace("{id}", "M001")
            .replace("{name}", "box1")
            .replace("{number}", "1")
            .replace("{form}", "csv")
            + query(operation);
        let said = ask(page, "GET", &path, &[], b"");
        assert_eq!(said.status, 200, "{path}: {}", String::from_utf8_lossy(&said.body));
        let content = operation["responses"]["200"]["content"].as_object().unwrap();
        let (kind, schema) = content.iter().next().unwrap();
        assert!(said.header("content-type").unwrap().starts_with(kind.as_str()), "{path}");
        if kind == "application/json" {
            assert_eq!(misfits(&description, &schema["schema"], &said.json()), [""; 0], "{path}");
        }
    }
}

#[test]
fn what_is_refused_is_refused_as_the_description_says() {
    let terminal = Terminal::start();
    let page = &terminal.page;
    let description = ask(page, "GET", "/api/v1/openapi.json", &[], b"").json();
    let refusal = json!({ "$ref": "#/components/schemas/Refusal" });
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let refs = operation["responses"]["default"]["content"]["application/json"]["schema"].clone();
            assert_eq!(refs, refusal, "{method} {path}");
            let path = path
                .replace("{id}", "M009")
                .replace("{name}", "box9")
                .replace("{number}", "1")
                .replace("{form}", "csv");
            let body: &[u8] = if method == "post" { b"[]" } else { b"" };
            let said = ask(page, &method.to_uppercase(), &path, &[], body);
            if said.status != 200 {
                assert!((400..500).contains(&said.status), "{method} {path}: {}", said.status);
                assert_eq!(misfits(&description, &refusal, &said.json()), [""; 0], "{method} {path}");
            }
        }
    }
}

#[test]
fn what_a_page_sees_as_it_happens_is_as_the_description_says() {
    let terminal = lab();
    let description = ask(&terminal.page, "GET", "/api/v1/openapi.json", &[], b"").json();
    let host = crate::common::http::authority(&terminal.page);
    let stream = std::net::TcpStream::connect(host).unwrap();
    let (mut socket, _) =
        tokio_tungstenite::tungstenite::client(format!("ws://{host}/api/v1/live?watch=box1"), stream)
            .unwrap();
    let _pilot = terminal.pilot("box2", Activity::Idle);
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let said: Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
        let live = json!({ "$ref": "#/components/schemas/Live" });
        assert_eq!(misfits(&description, &live, &said), [""; 0], "{said}");
        kinds.push(said["kind"].clone());
    }
    assert_eq!(kinds, ["snapshot", "changes"]);
}
