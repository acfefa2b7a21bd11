//! What outputs can be told: levels one after the other, colors, and outputs that
//! go round together.

use bramble_task::definition::{Action, Command, Expression, PortChoice, Reaction, Segment, Sources};
use bramble_task::{Task, load};
use bramble_value::{Level, Span, Value};

/// A task that enters its one state with these actions.
fn entered(with: &str) -> Result<Task, String> {
    let task = format!(
        "load(\"lib/rgb.star\", \"blink\", \"color\", \"dark\", \"flash\", \"series\", \"shine\")\n\
         load(\"lib/outputs.star\", \"looped\")\n\
         light = hardware(level_output, ports = [\"red\", \"green\", \"blue\"])\n\
         lamp = hardware(digital_output, ports = [\"left\", \"right\"])\n\
         spell = param(duration(\"30 ms\"))\n\
         dim = param(level(0.5))\n\
         task(stages = state(enter = {with}, after = {{\"1 s\": done}}))\n"
    );
    let libraries = [
        ("lib/rgb.star", include_str!("../../../tasks/lib/rgb.star")),
        ("lib/outputs.star", include_str!("../../../tasks/lib/outputs.star")),
        ("t.star", &task),
    ];
    let files = libraries.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    load(&Sources { root: "t.star".into(), files }).map_err(|mistakes| mistakes.to_string())
}

/// The commands of the state, each with its port's place.
fn commands(with: &str) -> Vec<(u16, Command<Expression>)> {
    let task = entered(with).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let Reaction::Actions(actions) = &task.definition().stages[0].enter else { panic!("actions") };
    let command = |action: &Action| match action {
        Action::Device(port, command) => match port.port {
            PortChoice::Fixed(port) => (port, command.clone()),
            _ => panic!("{port:?}"),
        },
        other => panic!("{other:?}"),
    };
    actions.iter().map(command).collect()
}

fn level(share: f64) -> Expression {
    Expression::Value(Value::Level(Level::from_share(share).unwrap()))
}

fn ms(ms: u32) -> Expression {
    Expression::Value(Value::Duration(Span::from_ms(ms)))
}

/// A series without end of these levels.
fn series(segments: &[(f64, u32)]) -> Command<Expression> {
    let segment = |(share, length): &(f64, u32)| Segment { level: level(*share), length: ms(*length) };
    Command::Series { segments: segments.iter().map(segment).collect(), count: None, after: None }
}

#[test]
fn a_series_takes_levels_and_durations_that_are_written_or_named() {
    let told =
        commands(r#"light["red"].series([(dim, "20 ms"), ("25 %", spell)], count = 3, after = "1 s")"#);
    let [(0, Command::Series { segments, count, after })] = &told[..] else { panic!("{told:?}") };
    assert!(matches!(segments[0], Segment { level: Expression::Parameter(_), .. }));
    assert_eq!(segments[0].length, ms(20));
    assert_eq!(segments[1].level, level(0.25));
    assert!(matches!(segments[1].length, Expression::Parameter(_)));
    assert_eq!(count, &Some(Expression::Value(Value::Integer(3))));
    assert_eq!(after, &Some(ms(1000)));
}

#[test]
fn a_color_is_a_level_of_each_of_three_lights() {
    let orange = [(0, 1.0), (1, 128.0 / 255.0), (2, 0.0)];
    let shone: Vec<_> =
        orange.iter().map(|(port, share)| (*port, Command::On(Some(level(*share))))).collect();
    assert_eq!(commands(r##"shine(light, "#ff8000")"##), shone);
    assert_eq!(commands(r##"shine(light, "orange")"##), shone);
    assert_eq!(commands(r##"shine(light, "#FF8000")"##), shone);
    let blue = series(&[(0.0, 20), (1.0, 10)]);
    let told = commands(r#"series(light, [("red", "20 ms"), ("blue", "10 ms")])"#);
    assert_eq!(told, [(0, series(&[(1.0, 20), (0.0, 10)])), (1, series(&[(0.0, 20), (0.0, 10)])), (2, blue)]);
    assert_eq!(commands("flash(light, \"white\", spell)").len(), 3);
    assert_eq!(commands("blink(light, \"white\", spell, \"1 s\", 5)").len(), 3);
    assert_eq!(commands("dark(light)").len(), 6);
}

#[test]
fn outputs_that_go_round_together_have_one_start_and_one_period() {
    let told = commands(
        r#"looped([(lamp["left"], "0 ms", "20 ms"), (lamp["right"], "25 ms", "20 ms")], pause = "55 ms")"#,
    );
    let left = series(&[(0.0, 0), (1.0, 20), (0.0, 80)]);
    let right = series(&[(0.0, 25), (1.0, 20), (0.0, 55)]);
    assert_eq!(told, [(0, left), (1, right)]);
}

#[test]
fn what_an_output_cannot_be_told_is_said() {
    for (with, says) in [
        (r#"lamp["left"].series([])"#, "`series` takes a list of levels, each with its duration"),
        (r#"lamp["left"].series([1, "20 ms"])"#, "`series` takes a list of levels"),
        (r#"lamp["left"].series([(0.5, "20 ms")])"#, "a digital_output is on (1) or off (0)"),
        (r#"light["red"].series([(1.5, "20 ms")])"#, "out of the range of a level"),
        (r#"light["red"].series([("20 ms", 1)])"#, "`20 ms` is not a level"),
        (r#"light["red"].series([(1, "1 ms")] * 2000)"#, "at most 1000 levels"),
        (r#"lamp["left"].pulse("20 ms", level = 0.5)"#, "`pulse` takes no `level`"),
        (r##"shine(light, "#ff80")"##, r##""#ff80" is no color"##),
        (r#"shine(light, "mauve")"#, "one of off, red, orange"),
        (r#"looped([(lamp["left"], "0 ms", spell)])"#, "t.star:7:29: a parameter is not known yet"),
        ("looped([])", "`looped` needs an output"),
    ] {
        let mistakes = entered(with).unwrap_err();
        assert!(mistakes.contains(says), "{with}: {mistakes}");
    }
}

#[test]
fn a_function_may_return_what_a_library_makes() {
    for with in [
        "lambda trial: looped([(lamp[\"left\"], \"0 ms\", trial.spell)])",
        "lambda trial: [shine(light, \"red\"), looped([(lamp[\"left\"], trial.spell, trial.spell * 2)])]",
    ] {
        entered(with).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}
