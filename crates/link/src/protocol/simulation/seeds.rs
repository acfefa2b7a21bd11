//! What the protocol promises, on ten thousand networks.
//!
//! A seed says all that happens in a world. One that fails is printed with the
//! command that runs it again, alone, and prints everything that happened.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::*;

/// Says which seed is run, and that everything in it is printed.
const VARIABLE: &str = "BRAMBLE_SEED";

/// Runs seeds, or the one that the environment names.
fn each(seeds: Range<u64>, run: impl Fn(u64)) {
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed))) {
            let text = panic.downcast_ref::<String>().cloned();
            let why = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            panic!(
                "seed {seed} failed: {}; run it again with\n    \
                 {VARIABLE}={seed} cargo test -p bramble-link --lib one_seed -- --nocapture",
                why.unwrap_or_default()
            );
        }
    }
}

macro_rules! thousands {
    ($($name:ident $first:literal)*) => {
        $(#[test]
        fn $name() {
            each($first * 1000..($first + 1) * 1000, |seed| {
                run(seed, false);
            });
        })*
    };
}

thousands! {
    everything_arrives_once_and_in_order_on_the_first_thousand_networks 0
    everything_arrives_once_and_in_order_on_the_second_thousand_networks 1
    everything_arrives_once_and_in_order_on_the_third_thousand_networks 2
    everything_arrives_once_and_in_order_on_the_fourth_thousand_networks 3
    everything_arrives_once_and_in_order_on_the_fifth_thousand_networks 4
    everything_arrives_once_and_in_order_on_the_sixth_thousand_networks 5
    everything_arrives_once_and_in_order_on_the_seventh_thousand_networks 6
    everything_arrives_once_and_in_order_on_the_eighth_thousand_networks 7
    everything_arrives_once_and_in_order_on_the_ninth_thousand_networks 8
    everything_arrives_once_and_in_order_on_the_tenth_thousand_networks 9
}

#[test]
fn one_seed_runs_the_same_again() {
    let seed = std::env::var(VARIABLE).ok().map(|seed| seed.parse().expect("a seed is a number"));
    let first = run(seed.unwrap_or(7), true);
    if seed.is_some() {
        first.iter().for_each(|line| println!("{line}"));
    }
    assert!(first.len() > 100, "little happened");
    assert!(first == run(seed.unwrap_or(7), true));
}

#[test]
fn a_seed_that_fails_is_printed_with_the_command_that_runs_it_again() {
    let failed = catch_unwind(|| each(3..9, |seed| assert!(seed != 7, "seven is wrong")));
    let said = failed.unwrap_err().downcast_ref::<String>().unwrap().clone();
    let (why, command) = said.split_once('\n').expect("two lines");
    assert_eq!(why, "seed 7 failed: seven is wrong; run it again with");
    // The command, but for cargo, which has built this program already.
    let (setting, command) = command.trim().split_once(" cargo test -p bramble-link --lib ").unwrap();
    let (name, value) = setting.split_once('=').unwrap();
    let arguments = command.split(' ').filter(|argument| *argument != "--");
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .env(name, value)
        .output()
        .unwrap();
    let printed = String::from_utf8(again.stdout).unwrap();
    assert!(again.status.success() && printed.contains("1 passed"), "{printed}");
    for line in run(7, true) {
        assert!(printed.contains(&line), "{line}");
    }
}

/// What happens in one world, and what then must be.
fn run(seed: u64, trace: bool) -> Vec<String> {
    let mut world = World::new(seed, GOOD, me(true), me(false));
    world.trace = trace.then(Vec::new);
    let mut random = Random::new(Seed(seed), "what happens", 0);
    for agent in &mut world.agents {
        let window = Window { messages: 1 + random.below(24) as u32, bytes: 16 + random.below(800) };
        let memory = random.chance(0.5);
        agent.clock = random.below(2_000_000_000_000) as i64 - 1_000_000_000_000;
        agent.configure(window, memory, &mut random);
    }
    world.network = network(&mut random);
    let mut said = [0; 2];
    for _ in 0..5 + random.below(30) {
        happen(&mut world, &mut random, &mut said);
        for who in 0..2 {
            world.agents[who].check(&world.agents[1 - who], false);
        }
    }
    // However bad it was: once the network is good, everything comes through.
    world.note(|| "all is well from here on".to_owned());
    world.heal();
    world.run_for(Span::from_s(15));
    for who in 0..2 {
        let (agent, other) = (&world.agents[who], &world.agents[1 - who]);
        assert!(agent.end.is_up() && agent.end.is_drained(), "{who} is not done");
        agent.check(other, true);
    }
    world.trace.unwrap_or_default()
}

/// Some are connections, where nothing is lost or overtaken while they last;
/// others are worse than any that ZeroMQ has.
fn network(random: &mut Random) -> Network {
    let bad = if random.chance(0.5) { 0.4 } else { 0.0 };
    Network {
        lost: bad * random.unit(),
        repeated: bad * random.unit(),
        delay_ms: libm::pow(10.0, -2.0 + 4.0 * random.unit()),
        ordered: bad == 0.0 || random.chance(0.3),
    }
}

fn happen(world: &mut World, random: &mut Random, said: &mut [u32; 2]) {
    let who = random.below(2) as usize;
    let now = world.now;
    let within = |random: &mut Random, ms: u64| Span::from_ms(random.below(ms) as u32);
    match random.below(100) {
        0..30 => {
            let agent = &mut world.agents[who];
            if agent.is_running() {
                for _ in 0..1 + random.below(30) {
                    said[who] += 1;
                    let size = 8 + if random.chance(0.03) { random.below(2000) } else { random.below(40) };
                    let mut payload = vec![0; size as usize];
                    payload[..4].copy_from_slice(&said[who].to_be_bytes());
                    agent.observe(Bytes::from(payload));
                }
                world.note(|| format!("{who} has observed {}", said[who]));
            }
        }
        30..55 => {
            if world.agents[who].is_running() {
                let writes = if random.chance(0.5) { usize::MAX } else { random.below(30) as usize };
                world.agents[who].take_some(writes);
                world.note(|| format!("{who} syncs {writes} writes"));
            }
        }
        55..57 => world.diligent = !world.diligent,
        57..65 => {
            let mut tells = || random.chance(0.7).then(|| within(random, 4000));
            let tells = [tells(), tells()];
            world.note(|| format!("the connection breaks, known after {tells:?}"));
            world.break_connection_and_tell(tells);
        }
        65..73 => {
            let longest = if random.chance(0.2) { 180_000 } else { 6000 };
            let cut = Cut { until: now + within(random, longest), loses: random.chance(0.5) };
            let both = random.chance(0.6);
            world.note(|| format!("from {who}, and back {both}: {cut:?}"));
            world.cuts[who] = Some(cut);
            world.cuts[1 - who] = both.then_some(cut).or(world.cuts[1 - who]);
        }
        73..76 => {
            // A cable that wobbles.
            for _ in 0..3 + random.below(8) {
                let cut = Cut { until: world.now + within(random, 1000), loses: random.chance(0.5) };
                world.cuts = [Some(cut); 2];
                world.run_for(Span::from_s(1));
            }
        }
        76..83 => {
            let (down, learns) = (within(random, 4000), random.chance(0.6).then(|| within(random, 100)));
            world.note(|| format!("{who} crashes for {down}"));
            world.crash(who, down, learns);
        }
        83..86 => {
            if world.agents[who].is_running() {
                world.note(|| format!("{who} leaves"));
                world.agents[who].take();
                world.agents[who].end.leave();
                world.run_for(Span::from_ms(50));
                world.agents[who].journal.sync();
                world.crash(who, within(random, 2000), Some(Span::from_ms(1)));
            }
        }
        86..90 => {
            if world.agents[who].is_running() {
                let until = now + within(random, 5000);
                world.note(|| format!("{who} is stopped until {until:?}"));
                world.agents[who].stopped = Some(until);
            }
        }
        _ => world.network = network(random),
    }
    if random.chance(0.7) {
        let longest = if random.chance(0.1) { 20_000 } else { 1500 };
        world.run_for(within(random, longest));
    }
}
