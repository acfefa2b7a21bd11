//! The order of what happens at a transition, and of stages' ends.

use bramble_task::definition::*;

use crate::bench::Bench;
use crate::rig::*;
use crate::tree::*;

fn emit(message: MessageId) -> Action {
    Action::Emit(message)
}

#[test]
fn a_transition_goes_through_its_ten_steps_in_order() {
    let from = state("from")
        .during([light_on(0)])
        .leave([record(2.0)])
        .on(rises(0), Then::Do(vec![record(1.0)], To::Goto("to".into())));
    let to = state("to")
        .during([light_on(1)])
        .enter([record(3.0)])
        .on(high(0), act([record(4.0)]))
        .after(0, act([record(5.0)]));
    let mut bench = Bench::start(states("root", [from, to]).task());
    bench.outputs.clear();
    bench.poke(100, 0, true);
    assert_eq!(
        bench.log(),
        [
            "100 poke.left input 1",
            "100 pokes count 1",
            "100 number = 1",
            "100 number = 2",
            "100 light.left off",
            "100 from turn 0 over",
            "100 from ends goto",
            "100 from -> to",
            "100 to starts",
            "100 to turn 0",
            "100 light.right on",
            "100 number = 3",
            "100 number = 4",
            "100 number = 5",
        ]
    );
}

#[test]
fn what_during_did_is_undone_by_its_opposite_last_first() {
    let command = |device, command| Action::Device(one(device, 0), command);
    let grating = Stimulus { kind: StimulusKind::Grating, arguments: vec![None, None] };
    let noise = Stimulus { kind: StimulusKind::Noise, arguments: vec![None, None] };
    let wheel = port(WHEEL, 0);
    let pulse = Command::Pulse { on: ms(5), after: None, level: None };
    let train = Command::Train { on: ms(1), every: ms(2), count: None, after: None, level: None };
    let during = [
        light_on(0),
        command(LIGHT, Command::Off),
        Action::Device(one(LIGHT, 1), pulse),
        Action::Device(one(VALVE, 0), Command::Open(ms(10))),
        Action::Device(one(VALVE, 1), train),
        command(SPEAKER, Command::Play { sound: noise, after: None }),
        command(SCREEN, Command::Display(DisplayCommand::Show(grating))),
        command(SCREEN, Command::Display(DisplayCommand::Follow(wheel, number(1.0)))),
        record(1.0),
    ];
    let mut bench = Bench::start(state("root").during(during).task());
    bench.outputs.clear();
    bench.stop(10);
    assert_eq!(
        bench.lines(&["light", "valve", "speaker", "screen"]),
        [
            "10 screen freeze",
            "10 screen clear",
            "10 speaker stop",
            "10 valve.right stop",
            "10 valve.left stop",
            "10 light.right stop",
            "10 light.left off",
        ]
    );
}

#[test]
fn a_pulse_that_ends_early_stops_its_output_and_one_that_is_over_does_not() {
    let pulse = || leaf("pulse", StageKind::Pulse(one(LIGHT, 0), ms(200)));
    let mut over = Bench::start(pulse().task());
    over.until(1000);
    assert_eq!(
        over.lines(&["light", "session d"]),
        ["0 light.left pulse", "200 session done: the task came to its end"]
    );
    let mut cut = Bench::start(pulse().task());
    cut.stop(100);
    assert_eq!(cut.lines(&["light"]), ["0 light.left pulse", "100 light.left stop"]);
}

#[test]
fn a_sound_ends_with_its_duration() {
    let sound = Stimulus { kind: StimulusKind::Noise, arguments: vec![Some(ms(70)), None] };
    let mut bench = Bench::start(leaf("noise", StageKind::Play(one(SPEAKER, 0), sound)).task());
    bench.until(1000);
    assert_eq!(bench.lines(&["noise ends", "speaker"]), ["0 speaker play", "70 noise ends done"]);
}

#[test]
fn goto_the_same_state_is_a_full_leave_and_enter() {
    let only = state("only").during([light_on(0)]).leave([record(1.0)]).after(100, goto("only"));
    let mut bench = Bench::start(states("root", [only]).task());
    bench.outputs.clear();
    bench.until(100);
    assert_eq!(
        bench.log(),
        [
            "100 number = 1",
            "100 light.left off",
            "100 only turn 0 over",
            "100 only ends goto",
            "100 only -> only",
            "100 only starts",
            "100 only turn 0",
            "100 light.left on",
        ]
    );
}

#[test]
fn done_ends_the_innermost_states_and_all_its_turns() {
    let inner = states("inner", [state("a").after(10, DONE), state("never")]).times(5);
    let mut bench = Bench::start(states("outer", [inner, delay("next", 5)]).task());
    bench.until(100);
    assert_eq!(
        bench.lines(&["ends"]),
        ["10 a ends cancelled", "10 inner ends done", "15 next ends done", "15 outer ends done"]
    );
}

#[test]
fn done_without_states_around_ends_the_stage_itself() {
    let first = state("first").after(10, DONE);
    let mut bench = Bench::start(sequence("root", [first, delay("second", 5)]).task());
    bench.until(100);
    assert_eq!(bench.lines(&["ends"]), ["10 first ends done", "15 second ends done", "15 root ends done"]);
}

#[test]
fn next_ends_a_turn_and_leads_to_what_follows() {
    let a = state("a").times(2).after(10, NEXT);
    let mut bench = Bench::start(states("root", [a, delay("b", 5)]).task());
    bench.until(100);
    assert_eq!(
        bench.lines(&["turn", "ends"]),
        [
            "0 root turn 0",
            "0 a turn 0",
            "10 a turn 0 over",
            "10 a turn 1",
            "20 a turn 1 over",
            "20 a ends done",
            "20 b turn 0",
            "25 b turn 0 over",
            "25 b ends done",
            "25 root turn 0 over",
            "25 root ends done",
        ]
    );
}

#[test]
fn goto_from_within_a_child_of_states_leaves_that_child() {
    let wait = parallel("wait", [state("look").on(rises(0), goto("reward")), delay("cue", 500)]);
    let mut bench = Bench::start(states("root", [wait, delay("reward", 10)]).task());
    bench.poke(100, 0, true).until(1000);
    assert_eq!(
        bench.lines(&["ends", "->"]),
        [
            "100 look ends cancelled",
            "100 cue ends cancelled",
            "100 wait ends goto",
            "100 wait -> reward",
            "110 reward ends done",
            "110 root ends done",
        ]
    );
}

#[test]
fn then_says_where_a_delay_in_states_leads() {
    let all = [
        delay("a", 10).then(To::Goto("c".into())),
        delay("b", 10).then(To::Done),
        delay("c", 10).then(To::Goto("b".into())),
        state("never"),
    ];
    let mut bench = Bench::start(states("root", all).task());
    bench.until(100);
    assert_eq!(
        bench.lines(&["ends", "->"]),
        ["10 a ends done", "10 a -> c", "20 c ends done", "20 c -> b", "30 b ends done", "30 root ends done"]
    );
}

#[test]
fn a_composite_is_entered_once_and_a_leaf_with_each_of_its_turns() {
    let d = delay("d", 10).times(2).enter([record(1.0)]);
    let root = sequence("root", [d]).times(2).enter([record(2.0)]).leave([record(3.0)]);
    let mut bench = Bench::start(root.task());
    bench.until(100);
    assert_eq!(
        bench.lines(&["number"]),
        ["0 number = 2", "0 number = 1", "10 number = 1", "20 number = 1", "30 number = 1", "40 number = 3"]
    );
}

#[test]
fn a_stop_ends_children_before_parents_with_their_leave() {
    let root = sequence("root", [parallel("both", [state("a").leave([record(1.0)]), state("b")])])
        .leave([record(2.0)]);
    let mut bench = Bench::start(root.task());
    bench.outputs.clear();
    bench.stop(5).until(100);
    assert_eq!(
        bench.lines(&["number", "ends", "session"]),
        [
            "5 number = 1",
            "5 a ends stopped",
            "5 b ends stopped",
            "5 both ends stopped",
            "5 number = 2",
            "5 root ends stopped",
            "5 test session end 4",
            "5 session stopped: test",
        ]
    );
    bench.outputs.clear();
    bench.poke(20, 0, true).stop(30);
    assert!(bench.outputs.is_empty(), "nothing follows the end");
}

#[test]
fn an_action_may_stop_the_session_and_what_follows_it_is_not_done() {
    let stop = Action::StopSession("enough".into());
    let mut bench = Bench::start(state("root").after(10, act([record(1.0), stop, record(2.0)])).task());
    bench.until(100);
    assert_eq!(
        bench.lines(&["number", "stopped"]),
        ["10 number = 1", "10 root ends stopped", "10 session stopped: enough"]
    );
}

#[test]
fn an_emitted_message_queues_behind_what_the_event_does() {
    let a = state("a").on(rises(0), Then::Do(vec![emit(GO)], To::Goto("b".into())));
    let b = state("b").after(0, act([emit(OTHER), record(1.0)])).on(Trigger::Message(GO), DONE);
    let mut bench = Bench::start(states("root", [a, b]).task());
    bench.outputs.clear();
    bench.poke(10, 0, true);
    assert_eq!(
        bench.lines(&["message", "number", "b starts", "root ends"]),
        ["10 b starts", "10 number = 1", "10 go message 0", "10 root ends done"]
    );
}

#[test]
fn a_message_before_pending_inputs_is_taken_before_them() {
    let a = state("a").on(rises(0), act([emit(GO)])).on(Trigger::Message(GO), goto("b"));
    let b = state("b").on(rises(1), DONE);
    let mut bench = Bench::start(states("root", [a, b]).task());
    let digital = |place| bramble_engine::Input::Digital { port: port(POKE, place), high: true };
    bench.engine.handle(digital(0), crate::bench::at(10));
    bench.input(10, digital(1));
    assert_eq!(bench.engine.ended(), Some(bramble_value::Ending::Done));
}
