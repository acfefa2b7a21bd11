//! Which stages see an event, when a level fires, and what time it is then.

use bramble_engine::Input;
use bramble_task::definition::*;
use bramble_value::Value;

use crate::bench::Bench;
use crate::rig::*;
use crate::tree::*;

fn position(value: f64) -> Input {
    Input::Position { port: port(WHEEL, 0), value }
}

fn wheel(threshold: Threshold) -> Condition {
    Condition::Measured(one(WHEEL, 0), threshold)
}

#[test]
fn an_edge_before_entry_never_satisfies_rises() {
    let a = state("a").on(rises(1), goto("b"));
    let b = state("b").on(rises(0), DONE);
    let mut bench = Bench::start(states("root", [a, b]).task());
    bench.poke(10, 1, true);
    // It came late, and had been before `b` was entered.
    bench.poke(5, 0, true);
    assert!(bench.engine.ended().is_none());
    assert_eq!(bench.lines(&["poke.left"]), ["5 poke.left input 1", "10 poke.left late 0.005"]);
    bench.poke(20, 0, false).poke(30, 0, true);
    assert_eq!(bench.lines(&["root ends"]), ["30 root ends done"]);
}

#[test]
fn a_level_that_is_the_case_at_entry_fires_at_once() {
    let a = state("a").after(100, goto("b"));
    let b = state("b").on(high(0), DONE);
    let mut bench = Bench::start(states("root", [a, b]).task());
    bench.poke(10, 0, true).until(100);
    assert_eq!(bench.lines(&["root ends"]), ["100 root ends done"]);
}

#[test]
fn a_level_fires_again_only_after_it_was_not_the_case() {
    let count = state("root").on(high(0), act([record(1.0)]));
    let mut bench = Bench::start(count.task());
    bench.poke(10, 0, true).poke(20, 0, true).poke(30, 0, false).poke(40, 0, true);
    assert_eq!(bench.lines(&["number"]), ["10 number = 1", "40 number = 1"]);
}

#[test]
fn lasts_counts_from_the_later_of_entry_and_becoming_so() {
    let b = || state("b").on(lasts(digital(0, true), 50), DONE);
    let wait = || state("a").after(100, goto("b"));
    let mut before = Bench::start(states("root", [wait(), b()]).task());
    before.poke(10, 0, true).until(1000);
    assert_eq!(before.lines(&["root ends"]), ["150 root ends done"]);
    let mut within = Bench::start(states("root", [wait(), b()]).task());
    within.poke(120, 0, true).until(1000);
    assert_eq!(within.lines(&["root ends"]), ["170 root ends done"]);
    let mut broken = Bench::start(states("root", [wait(), b()]).task());
    broken.poke(120, 0, true).poke(160, 0, false).poke(165, 0, true).until(1000);
    assert_eq!(broken.lines(&["root ends"]), ["215 root ends done"]);
}

#[test]
fn a_deadline_runs_after_every_input_stamped_up_to_it() {
    let a = || state("a").on(rises(0), goto("poked")).after(100, goto("missed"));
    let task = || states("root", [a(), state("poked"), state("missed")]).task();
    let mut same = Bench::start(task());
    same.poke(100, 0, true).until(200);
    assert_eq!(same.lines(&["->"]), ["100 a -> poked"]);
    let mut after = Bench::start(task());
    after.poke(101, 0, true);
    assert_eq!(after.lines(&["->"]), ["100 a -> missed"]);
}

#[test]
fn chains_of_after_do_not_drift() {
    let on = state("on").after(100, goto("off"));
    let off = state("off").after(100, goto("on"));
    let mut bench = Bench::start(states("root", [on, off]).task());
    // However late the deadlines are looked at.
    bench.until(130).until(470);
    assert_eq!(bench.lines(&["->"]), ["100 on -> off", "200 off -> on", "300 on -> off", "400 off -> on"]);
}

#[test]
fn a_late_input_is_taken_now_and_keeps_its_stamp() {
    let mut bench =
        Bench::start(state("root").after(100, act([record(1.0)])).on(high(0), act([record(2.0)])).task());
    bench.until(100);
    bench.outputs.clear();
    bench.poke(40, 0, true);
    assert_eq!(
        bench.lines(&["poke.", "number"]),
        ["40 poke.left input 1", "100 poke.left late 0.06", "100 number = 2"]
    );
}

#[test]
fn time_that_passed_without_a_deadline_makes_no_input_late() {
    let mut bench = Bench::start(state("root").task());
    bench.until(100).poke(90, 0, true);
    assert!(bench.lines(&["late"]).is_empty());
}

#[test]
fn the_innermost_stage_that_names_the_event_handles_it_alone() {
    let inner = state("inner").on(rises(0), act([record(1.0)]));
    let root = sequence("root", [sequence("middle", [inner]).on(rises(0), act([record(2.0)]))])
        .on(Trigger::Edge(any_port(POKE), Edge::Rises), act([record(3.0)]));
    let mut bench = Bench::start(root.task());
    bench.poke(10, 0, true).poke(20, 1, true);
    assert_eq!(bench.lines(&["number"]), ["10 number = 1", "20 number = 3"]);
}

#[test]
fn in_a_parallel_every_active_branch_sees_an_event_in_the_order_of_the_file() {
    let branch = |name: &str, value: f64| state(name).on(rises(0), Then::Do(vec![record(value)], To::Done));
    let mut bench = Bench::start(parallel("root", [branch("a", 1.0), branch("b", 2.0)]).task());
    bench.poke(10, 0, true);
    assert_eq!(
        bench.lines(&["number", "ends"]),
        ["10 number = 1", "10 a ends done", "10 number = 2", "10 b ends done", "10 root ends done"]
    );
}

#[test]
fn a_branch_that_another_ended_no_longer_answers() {
    let a = state("a").on(rises(0), DONE);
    let b = state("b").on(rises(0), act([record(1.0)]));
    let mut bench = Bench::start(parallel("root", [a, b]).any_of(&["a", "b"]).task());
    bench.poke(10, 0, true);
    assert!(bench.lines(&["number"]).is_empty());
}

#[test]
fn deadlines_of_one_time_run_by_when_they_were_set_and_then_as_in_the_file() {
    let twice = sequence("twice", [delay("one", 50), delay("two", 50)]);
    let root = parallel("root", [twice, delay("once", 100), delay("also", 100)]);
    let mut bench = Bench::start(root.task());
    bench.until(100);
    assert_eq!(
        bench.lines(&["100 once ends", "100 also ends", "100 two ends"]),
        ["100 once ends done", "100 also ends done", "100 two ends done"]
    );
}

#[test]
fn a_handler_sees_its_event() {
    let actions = [
        Action::Record(LATENCY, Some(Expression::StateTime)),
        Action::Record(SIDE, Some(Expression::EventPort([[Some(0), Some(1)].into()].into()))),
    ];
    let b = state("b").on(Trigger::Edge(any_port(POKE), Edge::Rises), act(actions));
    let mut bench = Bench::start(states("root", [state("a").after(100, goto("b")), b]).task());
    bench.poke(130, 1, true);
    assert_eq!(bench.lines(&["latency", "side"]), ["130 latency = 0.03", "130 side = 1"]);
}

#[test]
fn an_encoder_is_measured_from_where_it_was_made_zero() {
    let a = state("a").on(rises(0), goto("b"));
    let b = state("b")
        .enter([Action::Zero(one(WHEEL, 0))])
        .on(level(wheel(Threshold::Beyond(number(35.0)))), act([record(1.0)]))
        .on(level(wheel(Threshold::Beyond(number(-35.0)))), act([record(-1.0)]));
    let mut bench = Bench::start(states("root", [a, b]).task());
    bench.input(5, position(100.0)).poke(10, 0, true);
    for (time, value) in [(20, 134.0), (30, 135.0), (40, 100.0), (50, 66.0), (60, 64.9)] {
        bench.input(time, position(value));
    }
    assert_eq!(bench.lines(&["number"]), ["30 number = 1", "60 number = -1"]);
}

#[test]
fn a_wheel_is_still_from_its_last_breach() {
    let still = level(wheel(Threshold::Still(number(2.0))));
    let mut bench = Bench::start(gate("quiet", still, Some(100), true).task());
    bench.input(10, position(1.5)).input(50, position(3.0)).input(90, position(4.5)).until(1000);
    assert_eq!(bench.lines(&["quiet ends"]), ["150 quiet ends done"]);
}

#[test]
fn speed_is_between_positions_and_zero_once_there_are_none() {
    let fast = level(wheel(Threshold::SpeedAbove(number(50.0))));
    let slow = level(wheel(Threshold::SpeedBelow(number(1.0))));
    let a = state("a").on(fast, goto("b"));
    let mut bench = Bench::start(states("root", [a, state("b").on(slow, DONE)]).task());
    bench.input(10, position(0.1)).input(20, position(0.2)).input(30, position(1.2)).until(1000);
    assert_eq!(bench.lines(&["->", "root ends"]), ["30 a -> b", "130 root ends done"]);
}

#[test]
fn thresholds_are_fixed_at_entry() {
    let above = Condition::Measured(one(LOAD, 0), Threshold::Above(Expression::Column(NUMBER)));
    let inner = state("inner").on(level(above), act([Action::Emit(OTHER)]));
    let root = sequence("root", [inner]).enter([record(5.0)]).after(10, act([record(50.0)]));
    let mut bench = Bench::start(root.task());
    bench.input(20, Input::Analog { port: port(LOAD, 0), value: 6.0 });
    assert_eq!(bench.lines(&["other"]), ["20 other message 0"]);
}

#[test]
fn an_analog_input_that_was_never_read_is_above_and_below_nothing() {
    let load = |threshold| level(Condition::Measured(one(LOAD, 0), threshold));
    let root = state("root")
        .on(load(Threshold::Above(number(-1.0))), DONE)
        .on(load(Threshold::Below(number(1.0))), DONE);
    assert!(Bench::start(root.task()).engine.ended().is_none());
}

#[test]
fn a_timer_runs_through_stages_until_it_ends_or_is_stopped() {
    let a = state("a").enter([Action::StartTimer(TIMER, ms(100))]).after(30, goto("b"));
    let b = state("b")
        .on(level(Condition::TimerRuns(TIMER)), act([record(1.0)]))
        .on(Trigger::TimerEnds(TIMER), DONE);
    let mut bench = Bench::start(states("root", [a, b]).task());
    bench.until(1000);
    assert_eq!(
        bench.lines(&["number", "timer", "root ends"]),
        ["30 number = 1", "100 timer timer 0", "100 root ends done"]
    );
    let stopped = state("root")
        .enter([Action::StartTimer(TIMER, ms(100)), Action::StopTimer(TIMER)])
        .on(Trigger::TimerEnds(TIMER), DONE);
    let mut bench = Bench::start(stopped.task());
    bench.until(1000);
    assert!(bench.lines(&["timer", "ends"]).is_empty());
}

#[test]
fn a_counter_counts_in_every_state_and_reaches_at_once_what_it_has_reached() {
    let a = state("a").after(100, goto("b"));
    let b = state("b").on(
        Trigger::Reaches(POKES, integer(2)),
        Then::Do(vec![Action::ResetCounter(POKES)], To::Goto("c".into())),
    );
    let c = state("c").on(Trigger::Reaches(POKES, integer(1)), DONE);
    let mut bench = Bench::start(states("root", [a, b, c]).task());
    bench.poke(10, 0, true).poke(20, 1, true).until(100);
    assert_eq!(bench.lines(&["->"]), ["100 a -> b", "100 b -> c"]);
    bench.poke(150, 0, false).poke(160, 0, true);
    assert_eq!(bench.lines(&["count", "root ends"]).last().unwrap(), "160 root ends done");
}

/// The counter's reaching is an event of its own: that a stage within handles
/// the poke doesn't hide it.
#[test]
fn a_counter_reaches_though_the_event_it_counts_was_handled() {
    let inner = state("inner").on(rises(0), act([record(1.0)]));
    let root = sequence("root", [inner]).on(Trigger::Reaches(POKES, integer(1)), DONE);
    let mut bench = Bench::start(root.task());
    bench.poke(10, 0, true);
    assert_eq!(bench.lines(&["number", "root ends"]), ["10 number = 1", "10 root ends done"]);
}

#[test]
fn the_end_of_an_output_is_an_event() {
    let root = state("root").enter([Action::Device(one(VALVE, 0), Command::Open(ms(10)))]);
    let root = root.on(Trigger::Ends(one(VALVE, 0)), DONE);
    let mut bench = Bench::start(root.task());
    bench.input(12, Input::Ends { port: port(VALVE, 0) });
    assert_eq!(
        bench.lines(&["valve", "root ends"]),
        ["0 valve.left open", "12 valve.left ends 0", "12 root ends done"]
    );
}

#[test]
fn a_stage_is_skipped_while_its_condition_is_the_case() {
    let skipped =
        || delay("skipped", 10).with(|stage| stage.skip_if = Some(SkipIf::Condition(digital(0, true))));
    let mut bench = Bench::start(sequence("root", [delay("a", 100), skipped()]).task());
    bench.poke(10, 0, true).until(1000);
    assert_eq!(bench.lines(&["starts", "root ends"]), ["0 root starts", "0 a starts", "100 root ends done"]);
}

#[test]
fn an_input_of_a_port_that_is_not_there_is_noted_and_left_out() {
    let mut bench = Bench::start(state("root").task());
    bench.poke(10, 9, true).input(20, Input::Message { message: MessageId(99), value: 0.0 });
    assert_eq!(bench.notes().len(), 2);
    let wrong = Input::Parameter { parameter: ParameterId(7), value: Value::Boolean(true) };
    assert_eq!(bench.input(30, wrong).notes().len(), 3);
    assert!(bench.engine.ended().is_none());
}
