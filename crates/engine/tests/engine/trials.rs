//! Trials: their rows, their columns, their memory and their end.

use bramble_engine::{Engine, Input, Output, Settings, SettingsError};
use bramble_task::call::{Purpose, Returned};
use bramble_task::definition::*;
use bramble_value::{Ending, Seed, Span, Value};

use crate::bench::{Bench, at};
use crate::rig::*;
use crate::tree::*;

fn integer_column(value: i64) -> Option<Value> {
    Some(Value::Integer(value))
}

#[test]
fn each_turn_is_a_trial_with_a_row() {
    let body = delay("body", 100).leave([record(3.0)]);
    let mut bench = Bench::start(trials("root", body).times(2).task());
    bench.until(1000);
    let rows = bench.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].trial, rows[1].start, rows[1].end), (2, at(100), at(200)));
    assert_eq!(rows[1].ending, Ending::Done);
    assert_eq!(rows[1].values[NUMBER.index()], Some(Value::Number(3.0)));
    assert_eq!(rows[1].values[LATENCY.index()], None, "what wasn't written is missing");
}

#[test]
fn a_column_starts_missing_and_a_carried_one_as_the_last_trial_left_it() {
    let written = Action::Record(CARRIED, Some(integer(9)));
    let once = state("once").on(rises(0), Then::Do(vec![record(1.0), written], To::Done)).after(100, DONE);
    let mut bench = Bench::start(trials("root", once).times(3).task());
    bench.until(100).poke(150, 0, true).until(1000);
    let carried: Vec<_> = bench.rows().iter().map(|row| row.values[CARRIED.index()]).collect();
    assert_eq!(carried, [integer_column(7), integer_column(9), integer_column(9)]);
    let numbers: Vec<_> = bench.rows().iter().map(|row| row.values[NUMBER.index()]).collect();
    assert_eq!(numbers, [None, Some(Value::Number(1.0)), None]);
}

#[test]
fn a_kept_column_starts_as_the_last_session_left_it() {
    let task = trials("root", delay("body", 10)).times(1).task();
    let kept = vec![None, None, None, integer_column(42)];
    let settings = Settings { kept, ..Settings::defaults(&task, Seed(1)) };
    let mut engine = Engine::new(task.clone(), settings).unwrap();
    engine.start(at(0));
    while engine.poll().is_some() {}
    assert_eq!(engine.columns()[CARRIED.index()], integer_column(42));
    let kept = vec![None, None, None, Some(Value::Boolean(true))];
    let settings = Settings { kept, ..Settings::defaults(&task, Seed(1)) };
    assert!(matches!(Engine::new(task, settings), Err(SettingsError::Kept { .. })));
}

#[test]
fn a_trial_that_a_timeout_cut_has_a_row_that_says_so() {
    let body = sequence("body", [state("wait")]).enter([record(1.0)]);
    let root = trials("root", body).with(|stage| stage.timeout = Some(ms(50)));
    let mut bench = Bench::start(root.forever().task());
    bench.until(1000);
    assert_eq!(
        bench.lines(&["ends", "over", "row"]),
        [
            "50 wait turn 0 over",
            "50 wait ends cancelled",
            "50 body turn 0 over",
            "50 body ends cancelled",
            "50 root turn 0 over",
            "50 row 1 timeout",
            "50 root ends timeout",
        ]
    );
    assert_eq!(bench.rows()[0].values[NUMBER.index()], Some(Value::Number(1.0)));
}

#[test]
fn a_timeout_of_the_turn_cuts_one_trial() {
    let root = trials("root", state("wait")).times(2).with(|stage| stage.repeat_timeout = Some(ms(50)));
    let mut bench = Bench::start(root.task());
    bench.until(1000);
    assert_eq!(
        bench.lines(&["row", "root ends"]),
        ["50 row 1 timeout", "100 row 2 timeout", "100 root ends done"]
    );
}

#[test]
fn a_stop_writes_the_row_of_the_present_trial() {
    let mut bench = Bench::start(trials("root", state("wait")).forever().task());
    bench.stop(30);
    assert_eq!(bench.lines(&["row"]), ["30 row 1 stopped"]);
}

#[test]
fn a_gentle_stop_waits_for_the_end_of_the_trial() {
    let mut bench = Bench::start(trials("root", delay("body", 100)).forever().task());
    bench.input(130, Input::StopAfterTrial { why: "graduated".into() });
    assert_eq!(bench.engine.ended(), None);
    bench.until(1000);
    assert_eq!(
        bench.lines(&["row", "session stopped"]),
        ["100 row 1 done", "200 row 2 done", "200 session stopped: graduated"]
    );
}

#[test]
fn a_gentle_stop_right_after_a_row_makes_that_trial_the_last() {
    let mut bench = Bench::start(trials("root", delay("body", 100)).forever().task());
    bench.engine.advance(at(1000));
    let mut rows = 0;
    while let Some(output) = bench.engine.poll() {
        if matches!(output, Output::Row(_)) {
            rows += 1;
            let enough = Input::StopAfterTrial { why: "enough".into() };
            if rows == 2 {
                bench.engine.handle(enough, at(200));
            }
        }
        bench.outputs.push(output);
    }
    assert_eq!(
        bench.lines(&["row", "root turn", "session stopped"]),
        [
            "0 root turn 0",
            "100 root turn 0 over",
            "100 row 1 done",
            "100 root turn 1",
            "200 root turn 1 over",
            "200 row 2 done",
            "200 session stopped: enough",
        ]
    );
}

#[test]
fn a_gentle_stop_without_a_trial_is_a_stop() {
    let mut bench = Bench::start(delay("root", 100).task());
    bench.input(30, Input::StopAfterTrial { why: "enough".into() });
    assert_eq!(bench.lines(&["session stopped"]), ["30 session stopped: enough"]);
}

#[test]
fn prepare_writes_columns_before_the_body_starts() {
    let root = trials("root", delay("body", 10)).times(2).with(|stage| {
        if let StageKind::Trials(trials) = &mut stage.kind {
            trials.prepare = Some(FunctionId(0));
        }
    });
    let mut bench = Bench::start_with(root.task(), |call| {
        assert_eq!(call.purpose, Purpose::Prepare);
        Ok(Returned::Columns(vec![(NUMBER, Some(Value::Number(f64::from(call.view.trial))))]))
    });
    bench.until(1000);
    assert_eq!(
        bench.lines(&["number", "body starts", "root turn"]),
        [
            "0 root turn 0",
            "0 number = 1",
            "0 body starts",
            "10 root turn 0 over",
            "10 root turn 1",
            "10 number = 2",
            "10 body starts",
            "20 root turn 1 over",
        ]
    );
}

#[test]
fn until_is_asked_after_each_trial() {
    let until = |until: UntilRow| {
        let root = trials("root", delay("body", 10)).forever().with(|stage| {
            if let StageKind::Trials(trials) = &mut stage.kind {
                trials.until = Some(until);
            }
        });
        let mut bench = Bench::start_with(root.task(), |call| Ok(Returned::Test(call.view.trial == 3)));
        bench.poke(15, 0, true).until(100);
        bench.rows().len()
    };
    assert_eq!(until(UntilRow::Function(FunctionId(0))), 3);
    assert_eq!(until(UntilRow::Reaches(POKES, integer(1))), 2);
    assert_eq!(until(UntilRow::Value(Expression::Value(Value::Boolean(true)))), 1);
}

fn pause(ms: u32) -> Input {
    Input::Parameter { parameter: PAUSE, value: Value::Duration(Span::from_ms(ms)) }
}

#[test]
fn a_live_parameter_takes_effect_with_the_next_trial() {
    let wait = || leaf("wait", StageKind::Delay(Expression::Parameter(PAUSE)));
    let body = sequence("body", [delay("first", 100), wait()]);
    let mut bench = Bench::start(trials("root", body).times(2).task());
    bench.input(50, pause(10)).until(5000);
    assert_eq!(
        bench.lines(&["pause", "row"]),
        ["50 pause parameter 0.01", "1100 row 1 done", "1210 row 2 done"]
    );
    let mut bench = Bench::start(sequence("root", [delay("first", 100), wait()]).times(2).task());
    bench.input(50, pause(10)).until(5000);
    assert_eq!(bench.lines(&["root turn"]).last().unwrap(), "1210 root turn 1 over");
}

#[test]
fn a_parameter_out_of_its_range_is_noted_and_not_taken() {
    let mut bench = Bench::start(state("root").task());
    bench.input(10, pause(60_000));
    assert!(bench.notes()[0].contains("at most 10 s"), "{:?}", bench.notes());
    assert!(bench.lines(&["parameter"]).is_empty());
}

#[test]
fn a_time_may_be_drawn_and_the_same_seed_draws_the_same() {
    let ends = |seed| {
        let uniform = bramble_value::Shape::Uniform { low: ms(100), high: ms(200) };
        let draw = bramble_value::Draw { shape: uniform, min: None, max: None, plus: None, whole: false };
        let task = leaf("root", StageKind::Delay(Expression::Draw(Box::new(draw)))).times(3).task();
        let settings = Settings::defaults(&task, Seed(seed));
        let mut engine = Engine::new(task, settings).unwrap();
        engine.start(at(0));
        engine.advance(at(1000));
        let mut times = Vec::new();
        while let Some(output) = engine.poll() {
            if let Output::Event(event) = output {
                times.push(event.time);
            }
        }
        times
    };
    assert_eq!(ends(1), ends(1));
    assert_ne!(ends(1), ends(2));
    let last = *ends(1).last().unwrap();
    assert!(last > at(300) && last < at(600), "{last:?}");
}
