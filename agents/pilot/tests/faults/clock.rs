//! A computer's wall clock that is set in the middle of a session.

use std::fs;
use std::process::Command;

use bramble_subject::{SessionNumber, SubjectFile};
use bramble_value::Kind;

use super::kept::{PACE, check, keep, start};
use crate::common::Lab;

/// Goes before the C library: the wall clock is as many seconds off as a file says.
const LATER: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    const char *path = getenv("BRAMBLE_TEST_CLOCK");
    FILE *file = clock == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    if (file) {
        long seconds = 0;
        if (fscanf(file, "%ld", &seconds) == 1) time->tv_sec += seconds;
        fclose(file);
    }
    return result;
}
"#;

/// A wall clock that agents see and that a test can set.
struct WallClock {
    library: String,
    offset: String,
}

impl WallClock {
    /// None where there is no C compiler.
    fn new(lab: &Lab) -> Option<WallClock> {
        let source = lab.file("clock.c", LATER);
        let library = lab.path("clock.so").display().to_string();
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, &source, "-ldl"]).status();
        if !made.is_ok_and(|made| made.success()) {
            println!("skipped: there is no C compiler");
            return None;
        }
        Some(WallClock { library, offset: lab.file("offset", "0") })
    }

    fn variables(&self) -> [(&str, &str); 2] {
        [("LD_PRELOAD", &self.library), ("BRAMBLE_TEST_CLOCK", &self.offset)]
    }

    fn step(&self, seconds: i64) {
        // As a whole: an agent may look at any moment.
        let next = format!("{}.next", self.offset);
        fs::write(&next, seconds.to_string()).unwrap();
        fs::rename(next, &self.offset).unwrap();
    }
}

/// A session in whose middle an agent's clock is set forward by an hour, and then
/// an hour back.
fn stepped(agent: &str) -> Option<Lab> {
    let mut lab = Lab::unstarted();
    let clock = WallClock::new(&lab)?;
    let with = |name: &str| if name == agent { clock.variables().to_vec() } else { Vec::new() };
    lab.start_terminal_with(&with("terminal"));
    lab.say(&["subject", "add", "M001"]);
    keep(&lab);
    lab.start_pilot_in(&with("box1"), "box1", &PACE);
    for (session, ahead) in [(1, 3600), (2, 0)] {
        start(&lab, "free_water.star", "100000");
        lab.until_trials(10);
        clock.step(ahead);
        lab.until_trials(40);
        lab.say(&["stop", "M001"]);
        lab.after_sessions(session);
    }
    check(&mut lab);
    Some(lab)
}

#[test]
fn a_session_in_which_the_pilots_clock_is_set_keeps_its_order_and_says_so() {
    let Some(lab) = stepped("box1") else { return };
    let file = SubjectFile::open_read_only(&lab.path("lab/subjects/M001.h5")).unwrap();
    for (number, forward) in [(1, "forward"), (2, "back")] {
        let number = SessionNumber::new(number);
        let events = file.events(number).unwrap();
        assert!(events.is_sorted_by_key(|event| event.time), "the order is the monotonic clock's");
        let longest = events.iter().filter(|event| event.kind == Kind::Input).map(|event| event.time);
        let longest = longest
            .collect::<Vec<_>>()
            .windows(2)
            .map(|two| two[1].since(two[0]).seconds())
            .fold(0.0, f64::max);
        assert!(longest < 600.0, "no hour is missing between two inputs");
        let summary = file.summary(number).unwrap();
        let wall = summary.end.unwrap().ended.duration_since(summary.started).as_secs_f64() / 3600.0;
        assert!((0.0..0.1).contains(&wall), "it is dated by a clock that was not set: {wall} h");
        let notes = file.notes(number).unwrap();
        let said = format!("the wall clock of this computer was set {forward} by 3");
        assert!(notes.iter().any(|note| note.text.contains(&said)), "{notes:?}");
    }
    assert!(lab.log("box1").contains("the wall clock"), "{}", lab.log("box1"));
}

#[test]
fn a_session_in_which_the_terminals_clock_is_set_is_as_any_other() {
    stepped("terminal");
}
