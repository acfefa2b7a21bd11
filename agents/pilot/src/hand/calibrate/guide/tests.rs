//! A person who is led through a calibration, answer by answer.

use bramble_task::definition::DeviceKind;
use bramble_value::Time;
use jiff::Timestamp;

use super::super::super::names::tests::part;
use super::*;

fn now() -> Now {
    Now { instant: Instant::now(), wall: Timestamp::UNIX_EPOCH }
}

const DURATIONS: [Span; 3] = [Span::from_ms(20), Span::from_ms(40), Span::from_ms(80)];

fn weighing() -> Weighing {
    let part = part("valve.left", DeviceKind::Solenoid);
    Weighing::new(Plan::new(&part, 2, &DURATIONS, None, Span::from_s(60)).unwrap(), None)
}

fn outs(weighing: &mut Weighing) -> Vec<Out> {
    std::iter::from_fn(|| weighing.next()).collect()
}

fn event(kind: Kind, value: f64) -> Told {
    Told::Event { device: "valve.left".into(), kind, value, time_ns: Time::ZERO }
}

/// The valve opens twice.
fn opens(weighing: &mut Weighing) {
    weighing.answer(Answer::Ready, now());
    for _ in 0..2 {
        weighing.hear(&event(Kind::Output, 1.0), now());
        weighing.hear(&event(Kind::Output, 0.0), now());
    }
    weighing.hear(&event(Kind::Ends, 0.0), now());
}

#[test]
fn a_person_is_led_from_duration_to_duration_to_the_line() {
    let mut weighing = weighing();
    for (at, grams) in ["0.0016", "0,0032 g", "6.4 mg"].into_iter().enumerate() {
        assert!(matches!(&outs(&mut weighing)[..], [Out::Say(Step::Place { at: place, why: None, .. })]
            if *place == at));
        opens(&mut weighing);
        let said = outs(&mut weighing);
        assert!(
            matches!(
                &said[..],
                [
                    Out::Say(Step::Opens { pulses: 2, .. }),
                    Out::Ask(Ask::Train { count: Some(2), .. }),
                    Out::Say(Step::Weigh { why: None, .. })
                ]
            ),
            "{said:?}"
        );
        weighing.answer(Answer::Weight(grams.into()), now());
    }
    let said = outs(&mut weighing);
    let [Out::Say(Step::Line { calibration, before: None, .. })] = &said[..] else { panic!("{said:?}") };
    assert_eq!(calibration["valve"], "valve.left");
    weighing.answer(Answer::Yes, now());
    assert!(matches!(&outs(&mut weighing)[..], [Out::Keep(kept)] if kept.is_simulated()));
    weighing.answer(Answer::Yes, now());
    assert_eq!(outs(&mut weighing), [], "it is kept once");
}

#[test]
fn a_weight_that_can_not_be_is_refused_and_asked_for_again() {
    let mut weighing = weighing();
    opens(&mut weighing);
    outs(&mut weighing);
    for (typed, says) in [("410", "milligrams"), ("-1", "tare"), ("much", "is no weight")] {
        weighing.answer(Answer::Weight(typed.into()), now());
        let said = outs(&mut weighing);
        assert!(
            matches!(&said[..], [Out::Say(Step::Weigh { at: 0, why: Some(why), .. })]
            if why.contains(says)),
            "{said:?}"
        );
    }
    weighing.answer(Answer::Weight("0.0016".into()), now());
    assert!(matches!(&outs(&mut weighing)[..], [Out::Say(Step::Place { at: 1, .. })]));
}

#[test]
fn what_fits_no_line_is_weighed_again_and_so_is_what_a_person_does_not_trust() {
    let mut weighing = weighing();
    for grams in ["0.0016", "0.0064", "0.0032"] {
        weighing.answer(Answer::Weight(grams.into()), now());
    }
    let said = outs(&mut weighing);
    assert!(
        matches!(said.last(), Some(Out::Say(Step::NoLine { points, .. })) if points.len() == 3),
        "{said:?}"
    );
    weighing.answer(Answer::Again(Span::from_ms(30)), now());
    let said = outs(&mut weighing);
    assert!(
        matches!(&said[..], [Out::Say(Step::Heard { text })]
        if text == "30 ms was not weighed: choose one of 20 ms, 40 ms, 80 ms"),
        "{said:?}"
    );
    for (open, grams) in [(40, "0.0032"), (80, "0.0064")] {
        weighing.answer(Answer::Again(Span::from_ms(open)), now());
        weighing.answer(Answer::Weight(grams.into()), now());
    }
    assert!(weighing.line().is_some());
    weighing.answer(Answer::Again(Span::from_ms(20)), now());
    assert!(weighing.line().is_none());
    weighing.answer(Answer::Weight("0.0017".into()), now());
    assert!(weighing.line().is_some());
}

#[test]
fn what_fits_no_line_can_be_left_out_while_two_remain() {
    let mut weighing = weighing();
    for grams in ["0.0016", "0.0064", "0.0032"] {
        weighing.answer(Answer::Weight(grams.into()), now());
    }
    assert!(weighing.line().is_none());
    weighing.answer(Answer::Without(Span::from_ms(40)), now());
    assert_eq!(weighing.line().map(|line| line.points().len()), Some(2));
    outs(&mut weighing);
    weighing.answer(Answer::Without(Span::from_ms(20)), now());
    let said = outs(&mut weighing);
    assert!(
        matches!(&said[..], [Out::Say(Step::Heard { text })] if text.contains("weigh it again")),
        "{said:?}"
    );
    assert!(weighing.line().is_some(), "the line is still there to be kept");
}

#[test]
fn openings_that_were_cut_or_missed_do_not_count() {
    let mut weighing = weighing();
    weighing.answer(Answer::Ready, now());
    weighing.hear(&event(Kind::Output, 1.0), now());
    weighing.hear(&event(Kind::Ends, 0.0), now());
    let said = outs(&mut weighing);
    assert!(
        matches!(said.last(), Some(Out::Say(Step::Place { at: 0, why: Some(why), .. }))
        if why.contains("1 times and not 2")),
        "{said:?}"
    );
    weighing.answer(Answer::Ready, now());
    weighing.hear(&event(Kind::Halt, 0.0), now());
    weighing.hear(&Told::Note { text: "it was on for 2 s".into(), time_ns: Time::ZERO }, now());
    let said = outs(&mut weighing);
    assert!(matches!(said.last(), Some(Out::Say(Step::Place { why: Some(why), .. })) if why.contains("2 s")));
    weighing.answer(Answer::Ready, now());
    let late = Now { instant: weighing.due().unwrap(), ..now() };
    weighing.over(late);
    let said = outs(&mut weighing);
    assert!(matches!(said.last(), Some(Out::Say(Step::Place { why: Some(_), .. }))), "{said:?}");
}

#[test]
fn whoever_ends_it_amid_an_opening_has_the_valve_closed() {
    let mut weighing = weighing();
    weighing.answer(Answer::Ready, now());
    outs(&mut weighing);
    weighing.answer(Answer::End, now());
    let said = outs(&mut weighing);
    assert!(
        matches!(&said[..], [Out::Ask(Ask::Set { level, .. }), Out::Leave(Why::Person)]
        if level.share() == 0.0),
        "{said:?}"
    );
}

#[test]
fn durations_make_a_line() {
    let ms = |lengths: &[u32]| lengths.iter().copied().map(Span::from_ms).collect::<Vec<_>>();
    assert!(lengths(&ms(&[20, 40])).is_ok());
    for (durations, says) in [(&[20][..], "at least two"), (&[20, 20], "given twice"), (&[0, 20], "0 s")] {
        let error = lengths(&ms(durations)).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}
