//! What went wrong in others' frameworks.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bramble_subject::{SessionNumber, SubjectFile};
use bramble_value::{Ending, Kind};

use super::kept::{check, keep, lab, start, until_says};
use crate::common::{Lab, pilot, values};

/// A task that lets a second pass.
const WAITS: &str = r#"
poke = hardware(digital_input, ports = ["left"])
task(stages = trials(body = state("wait", after = {"1 s": done})))
"#;

#[test]
fn a_pulse_ends_in_time_though_the_terminal_that_asked_for_it_is_gone() {
    let mut lab = Lab::new();
    keep(&lab);
    lab.start_pilot(
        "box1",
        &["--speed", "1", "--animal", &format!("scripted:{}", lab.file("still.txt", ""))],
    );
    start(&lab, "free_water.star", "100000");
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["session"].is_object());
    lab.say(&["reward", "M001", "valve.left", "80 uL"]);
    lab.kill("terminal");
    until_says(&lab, "box1", "is gone");
    lab.start_terminal();
    lab.until(&["status", "--json"], |status| {
        let session = &pilot(status, "box1")["session"];
        session["seconds"].as_f64() > Some(2.0)
    });
    lab.say(&["stop", "M001"]);
    check(&mut lab);
    let file = SubjectFile::open_read_only(&lab.path("lab/subjects/M001.h5")).unwrap();
    let names = file.session(SessionNumber::new(1)).unwrap().names;
    let events = file.events(SessionNumber::new(1)).unwrap();
    let valve = |event: &&bramble_value::Event| {
        event.kind == Kind::Output && names.name(event.source) == "valve.left"
    };
    let pulse: Vec<_> = events.iter().filter(valve).collect();
    assert_eq!(pulse.iter().map(|event| event.value).collect::<Vec<_>>(), [1.0, 0.0]);
    assert_eq!(pulse[1].time.since(pulse[0].time).ns(), 2_000_000_000, "80 uL at 40 uL/s");
}

#[test]
fn a_burst_of_five_thousand_changes_arrives_whole() {
    let mut lab = Lab::new();
    keep(&lab);
    // Both edges of 2500 pokes, all within a moment.
    let pokes: String = (0..2500)
        .map(|poke| format!("at {:.4} s poke left for 100 us\n", 1.0 + f64::from(poke) * 0.0002))
        .collect();
    let animal = format!("scripted:{}", lab.file("burst.txt", &pokes));
    lab.start_pilot("box1", &["--speed", "max", "--animal", &animal]);
    lab.file("tasks/waits.star", WAITS);
    start(&lab, "waits.star", "4");
    lab.after_sessions(1);
    check(&mut lab);
    let file = SubjectFile::open_read_only(&lab.path("lab/subjects/M001.h5")).unwrap();
    let edges = values(&file, Kind::Input, "poke.left").len();
    assert!(edges >= 5000, "{edges} edges");
}

#[test]
fn sessions_start_while_others_read_the_file() {
    let mut lab = lab();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (stop, path) = (Arc::clone(&stop), lab.path("lab/subjects/M001.h5"));
            std::thread::spawn(move || {
                let mut reads = 0;
                while !stop.load(Ordering::Relaxed) {
                    // It may be being written just now.
                    reads += u32::from(SubjectFile::open_read_only(&path).is_ok());
                    std::thread::sleep(Duration::from_millis(2));
                }
                reads
            })
        })
        .collect();
    for count in 1..=8 {
        start(&lab, "free_water.star", "5");
        lab.say(&["subject", "show", "M001"]);
        lab.until(&["subject", "show", "M001", "--json"], |subject| {
            let sessions = subject["sessions"].as_array().unwrap();
            sessions.len() == count && sessions.iter().all(|session| !session["end"].is_null())
        });
    }
    stop.store(true, Ordering::Relaxed);
    let reads: u32 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
    assert!(reads > 0, "the file was read meanwhile");
    let ends = check(&mut lab);
    assert!(ends.iter().all(|(ending, _)| *ending == Ending::Stopped), "{ends:?}");
}

/// What a process has in memory, in KiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn clients_that_stop_reading_cost_the_terminal_no_more_than_their_windows() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    let before = memory(lab.process("terminal"));
    // Clients of the API that ask for ever, and take no answer.
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let mut client = UnixStream::connect(lab.path("lab/terminal.sock")).unwrap();
            client.set_nonblocking(true).unwrap();
            let question = b"GET /status HTTP/1.1\r\nhost: terminal\r\n\r\n";
            while client.write_all(question).is_ok() {}
            client
        })
        .collect();
    // Agents that say hello to ZeroMQ and then take nothing.
    let mut greeting = [0; 64];
    (greeting[0], greeting[9], greeting[10]) = (0xff, 0x7f, 3);
    greeting[12..16].copy_from_slice(b"NULL");
    let mut silent: Vec<_> = (0..50)
        .map(|_| {
            let mut agent = UnixStream::connect(lab.path("terminal.sock")).unwrap();
            agent.write_all(&greeting).unwrap();
            agent
        })
        .collect();
    lab.until_trials(60);
    let grown = memory(lab.process("terminal")).saturating_sub(before);
    println!("{grown} KiB more with 70 clients that don't read");
    assert!(grown < 70 * 1024, "{grown} KiB");
    lab.say(&["stop", "M001"]);
    let mut answer = [0; 64];
    silent[0].read_exact(&mut answer[..10]).unwrap();
    drop((asking, silent));
    check(&mut lab);
}
