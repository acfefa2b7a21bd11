//! Agents that are killed at any moment, with no chance to say anything.

use std::time::Duration;

use bramble_value::{Ending, Random};

use super::kept::{CHILD, PACE, chance, check, lab, until_says, until_stopped};
use crate::common::{Lab, eventually, pilot};

/// How often something is killed in all.
const KILLS: u32 = 50;

const AGENTS: [&str; 3] = ["terminal", "box1", CHILD];

#[test]
fn agents_that_are_killed_fifty_times_lose_and_double_nothing() {
    let mut random = chance();
    let mut lab = lab();
    lab.start_child("box1");
    let mut kills = 0;
    while kills < KILLS {
        run_a_session(&lab);
        // Now and then two at once, or nearly so.
        let victims = 1 + usize::from(random.chance(0.2));
        for _ in 0..victims {
            std::thread::sleep(Duration::from_millis(random.below(250)));
            let victim = AGENTS[random.below(3) as usize];
            if lab.runs(victim) {
                lab.kill(victim);
                kills += 1;
            }
        }
        restart(&mut lab, &mut random);
    }
    run_a_session(&lab);
    until_stopped(&lab);
    let ends = check(&mut lab);
    let cut = ends.iter().filter(|(ending, _)| *ending == Ending::Error).count();
    println!("{kills} kills, {} sessions, {cut} of them cut", ends.len());
    assert!(cut > 0, "what was killed was killed in the middle of sessions");
}

/// Has a session run, where none does.
fn run_a_session(lab: &Lab) {
    let task = lab.task("fixed_ratio.star");
    let begin = ["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "100000"];
    eventually("a session runs", || {
        let status = lab.until(&["status", "--json"], |_| true);
        let session = &pilot(&status, "box1")["session"];
        // The pilot, its child or the end of the last session may not be heard of yet.
        (session.is_object() || lab.run(&begin).status.success()).then_some(())
    });
}

/// Starts what doesn't run, in any order.
fn restart(lab: &mut Lab, random: &mut Random) {
    let mut absent: Vec<&str> = AGENTS.into_iter().filter(|agent| !lab.runs(agent)).collect();
    while !absent.is_empty() {
        std::thread::sleep(Duration::from_millis(random.below(150)));
        match absent.remove(random.below(absent.len() as u64) as usize) {
            "terminal" => lab.start_terminal(),
            "box1" => lab.start_pilot_alone("box1", &PACE),
            _ => lab.start_child_alone("box1"),
        }
    }
}

#[test]
fn a_pilot_that_is_killed_while_its_terminal_is_away_delivers_all_of_it_later() {
    let mut lab = lab();
    super::kept::start(&lab, "free_water.star", "5000");
    lab.until_trials(5);
    lab.kill("terminal");
    until_says(&lab, "box1", "is gone");
    lab.kill("box1");
    lab.start_pilot_alone("box1", &PACE);
    until_says(&lab, "box1", "a session was cut");
    lab.start_terminal();
    assert_eq!(check(&mut lab).len(), 1);
}
