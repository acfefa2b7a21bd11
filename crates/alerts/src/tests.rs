use std::collections::{BTreeMap, BTreeSet};

use bramble_value::{Span, Time};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use crate::{
    Book, Field, Finding, Form, Hold, Kind, News, Outbox, Rules, Template, TemplateError, Topic, What,
};

const AWAY: Kind = Kind::PilotAway;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + (1_000_000_000 + seconds).seconds()
}

fn rules() -> Rules {
    let hold = Hold { begins: Span::from_s(30), ends: Span::from_s(10) };
    Rules { kinds: [(AWAY, hold)].into(), remind: Some(Span::from_s(3600)) }
}

fn away(pilot: &str) -> Finding {
    Finding::new(AWAY, pilot, format!("{pilot} is away"), at(0))
}

fn topic(pilot: &str) -> Topic {
    Topic { kind: AWAY, about: pilot.into() }
}

/// A book, and its clock.
struct Lab {
    book: Book,
    now: i64,
}

impl Lab {
    fn new() -> Lab {
        Lab { book: Book::default(), now: 0 }
    }

    /// So many seconds later, these are away.
    fn after(&mut self, seconds: i64, pilots: &[&str]) -> Vec<(What, u64)> {
        self.now += seconds;
        let found = pilots.iter().map(|pilot| away(pilot)).collect();
        let news = self.book.look(at(self.now), found, |_| false, &rules());
        news.into_iter().map(|News { what, alert }| (what, alert.id)).collect()
    }

    /// The terminal was started again.
    fn restart(&mut self) {
        self.book = serde_json::from_str(&serde_json::to_string(&self.book).unwrap()).unwrap();
    }

    fn see(&mut self, id: u64) {
        self.book.see(id, "anna@desk".parse().unwrap(), at(self.now)).unwrap();
    }
}

#[test]
fn a_pilot_that_is_away_for_some_seconds_is_no_alert() {
    let mut lab = Lab::new();
    assert_eq!(lab.after(0, &["box1"]), []);
    assert_eq!(lab.after(29, &["box1"]), []);
    assert_eq!(lab.after(1, &[]), []);
    assert_eq!(lab.after(1, &["box1"]), [], "it counts anew");
    assert_eq!(lab.after(30, &["box1"]), [(What::Begins, 1)]);
}

#[test]
fn a_pilot_that_is_back_for_a_moment_only_is_the_same_alert() {
    let mut lab = Lab::new();
    lab.after(0, &["box1"]);
    assert_eq!(lab.after(30, &["box1"]), [(What::Begins, 1)]);
    for _ in 0..20 {
        assert_eq!(lab.after(9, &[]), []);
        assert_eq!(lab.after(1, &["box1"]), []);
    }
    assert_eq!(lab.after(1, &[]), []);
    assert_eq!(lab.after(10, &[]), [(What::Ends, 1)]);
    assert_eq!(lab.book.past().count(), 1);
}

#[test]
fn an_alert_that_nobody_has_seen_is_told_again_and_one_that_was_seen_is_not() {
    let mut lab = Lab::new();
    lab.after(0, &["box1", "box2"]);
    assert_eq!(lab.after(30, &["box1", "box2"]), [(What::Begins, 1), (What::Begins, 2)]);
    lab.see(1);
    assert_eq!(lab.after(3599, &["box1", "box2"]), []);
    assert_eq!(lab.after(1, &["box1", "box2"]), [(What::Still, 2)]);
    assert_eq!(lab.after(3600, &["box1", "box2"]), [(What::Still, 2)]);
    lab.after(1, &[]);
    assert_eq!(lab.after(10, &[]), [(What::Ends, 1), (What::Ends, 2)]);
}

#[test]
fn who_saw_an_alert_first_stays() {
    let mut lab = Lab::new();
    lab.after(0, &["box1"]);
    lab.after(30, &["box1"]);
    lab.see(1);
    let seen = lab.book.see(1, "bob@desk".parse().unwrap(), at(99)).unwrap().seen.clone().unwrap();
    assert_eq!((seen.who.as_str(), seen.at), ("anna@desk", at(30)));
    assert!(lab.book.see(2, "bob@desk".parse().unwrap(), at(99)).is_err());
}

#[test]
fn a_silenced_alert_is_shown_and_told_when_its_silence_is_over() {
    let mut lab = Lab::new();
    lab.after(0, &["box1"]);
    lab.after(30, &["box1"]);
    lab.book.silence(1, at(8_000)).unwrap();
    assert_eq!(lab.after(7_000, &["box1"]), []);
    assert_eq!(lab.book.on()[0].silent_until, Some(at(8_000)));
    assert_eq!(lab.after(970, &["box1"]), [(What::Still, 1)]);
}

#[test]
fn what_cannot_be_known_now_stays_as_it_was() {
    let mut lab = Lab::new();
    lab.after(0, &["box1"]);
    lab.after(30, &["box1"]);
    lab.restart();
    for _ in 0..3 {
        lab.now += 600;
        assert_eq!(lab.book.look(at(lab.now), Vec::new(), |topic| topic.about == "box1", &rules()), []);
    }
    assert!(lab.book.is_on(&topic("box1")));
    lab.after(1, &[]);
    assert_eq!(lab.after(10, &[]), [(What::Ends, 1)]);
}

#[test]
fn what_is_slight_begins_nothing_and_ends_nothing() {
    let mut lab = Lab::new();
    let slight = |now| vec![Finding { slight: true, since: at(now), ..away("box1") }];
    for now in [0, 60] {
        assert_eq!(lab.book.look(at(now), slight(now), |_| false, &rules()), []);
    }
    lab.now = 60;
    lab.after(0, &["box1"]);
    assert_eq!(lab.after(30, &["box1"]).len(), 1);
    for now in [100, 200] {
        assert_eq!(lab.book.look(at(now), slight(now), |_| false, &rules()), []);
    }
    assert!(lab.book.is_on(&topic("box1")));
}

#[test]
fn a_kind_that_is_switched_off_ends() {
    let mut lab = Lab::new();
    lab.after(0, &["box1"]);
    lab.after(30, &["box1"]);
    let news = lab.book.look(at(31), vec![away("box1")], |_| true, &Rules::default());
    assert_eq!(news.iter().map(|news| news.what).collect::<Vec<_>>(), [What::Ends]);
    assert!(lab.book.on().is_empty());
}

#[test]
fn a_clock_that_is_set_back_delays_an_alert_by_no_more_than_its_time() {
    let mut lab = Lab::new();
    lab.after(0, &["box1"]);
    assert_eq!(lab.after(-1_000_000, &["box1"]), []);
    assert_eq!(lab.after(30, &["box1"]), [(What::Begins, 1)]);
}

#[derive(Debug, Clone)]
enum Happens {
    /// So many seconds pass, and these are away.
    Look(i64, BTreeSet<usize>),
    Seen(u64),
    Silenced(u64, i64),
    Restart,
}

fn happens() -> impl Strategy<Value = Happens> {
    let pilots = prop::collection::btree_set(0..3usize, 0..3);
    prop_oneof![
        8 => (prop_oneof![0..40i64, 3000..4000i64], pilots).prop_map(|(after, away)| Happens::Look(after, away)),
        1 => (1..6u64).prop_map(Happens::Seen),
        1 => (1..6u64, 0..5000i64).prop_map(|(id, until)| Happens::Silenced(id, until)),
        1 => Just(Happens::Restart),
    ]
}

proptest! {
    #[test]
    fn each_alert_is_told_once_and_then_at_most_every_hour_and_never_after_it_was_seen(
        all in prop::collection::vec(happens(), 0..120)
    ) {
        const PILOTS: [&str; 3] = ["box1", "box2", "box3"];
        let mut lab = Lab::new();
        let (mut told, mut seen) = (BTreeMap::<u64, i64>::new(), BTreeSet::new());
        let (mut ended, mut silent) = (BTreeSet::new(), BTreeMap::new());
        for one in all {
            let (after, away) = match one {
                Happens::Restart => {
                    lab.restart();
                    continue;
                }
                Happens::Seen(id) => {
                    if lab.book.see(id, "anna@desk".parse().unwrap(), at(lab.now)).is_ok() {
                        seen.insert(id);
                    }
                    continue;
                }
                Happens::Silenced(id, until) => {
                    if lab.book.silence(id, at(lab.now + until)).is_ok() {
                        silent.insert(id, lab.now + until);
                    }
                    continue;
                }
                Happens::Look(after, away) => (after, away),
            };
            let away: Vec<&str> = away.into_iter().map(|place| PILOTS[place]).collect();
            for (what, id) in lab.after(after, &away) {
                prop_assert!(!ended.contains(&id), "{id} is over");
                prop_assert!(silent.get(&id).is_none_or(|until| lab.now >= *until), "{id} is silent");
                match what {
                    What::Begins => {
                        prop_assert!(!seen.contains(&id) && told.insert(id, lab.now).is_none());
                    }
                    What::Still => {
                        let before = told.insert(id, lab.now).unwrap();
                        prop_assert!(!seen.contains(&id) && lab.now - before >= 3600);
                    }
                    What::Ends => {
                        prop_assert!(told.contains_key(&id));
                        ended.insert(id);
                    }
                    What::Test => prop_assert!(false),
                }
            }
            let on = lab.book.on();
            let topics: BTreeSet<_> = on.iter().map(|alert| alert.topic()).collect();
            prop_assert_eq!(topics.len(), on.len(), "one of each topic");
            for alert in &on {
                prop_assert!(alert.ended.is_none());
                prop_assert_eq!(alert.seen.is_some(), seen.contains(&alert.id));
            }
        }
        let mut again = lab.book.clone();
        again.look(at(lab.now), Vec::new(), |_| true, &rules());
        let mut restarted: Book = serde_json::from_str(&serde_json::to_string(&lab.book).unwrap()).unwrap();
        restarted.look(at(lab.now), Vec::new(), |_| true, &rules());
        prop_assert_eq!(again, restarted);
    }

    #[test]
    fn whatever_is_put_into_a_template_its_form_holds(value in "\\PC*|[\"\\\\\r\n\t{}a]*") {
        let fields = BTreeMap::from([
            ("text", Field::Line(value.clone())),
            ("lines", Field::Lines(vec![value.clone(), value.clone()])),
        ]);
        let json = Template::read("{\"text\": \"{{text}}\"}", Form::Json, &["text"]).unwrap();
        let made: serde_json::Value = serde_json::from_str(&json.fill(&fields)).unwrap();
        prop_assert_eq!(made["text"].as_str().unwrap(), &value);
        let json = Template::read("{\"text\": \"{{lines}}\"}", Form::Json, &["lines"]).unwrap();
        let made: serde_json::Value = serde_json::from_str(&json.fill(&fields)).unwrap();
        prop_assert_eq!(made["text"].as_str().unwrap(), format!("{value}\n{value}"));
        let text = Template::read("Subject: {{ text }}\n\n{{lines}}\nend", Form::Text, &["text", "lines"]).unwrap();
        prop_assert_eq!(text.fill(&fields).lines().count(), 5);
    }
}

#[test]
fn a_mistake_in_a_template_is_named_with_its_line() {
    let read = |text, form| Template::read(text, form, &["text", "id"]).unwrap_err();
    let known = "text, id".to_owned();
    assert_eq!(
        read("\n{{ who }}", Form::Text),
        TemplateError::Unknown { line: 2, field: "who".into(), known }
    );
    assert_eq!(read("{{id}}\n\n{{id", Form::Text), TemplateError::Open { line: 3 });
    assert!(matches!(read("{\"text\": {{text}}}", Form::Json), TemplateError::NotJson(_)));
}

fn time(seconds: u32) -> Time {
    Time::ZERO + Span::from_s(seconds)
}

#[test]
fn a_message_is_tried_again_after_longer_and_longer_and_once_told_the_next_is_tried_at_once() {
    let mut outbox: Outbox<&str> = ["a", "b"].into_iter().collect();
    let mut now = Time::ZERO;
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert_eq!(outbox.take(alone), ["a"]);
        outbox.went_wrong(now, "it answered 500".into());
        let next = outbox.next().unwrap();
        waits.push(next.since(now).seconds());
        now = next;
    }
    assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0]);
    assert_eq!(outbox.failing().unwrap().since, Time::ZERO);
    assert_eq!(outbox.take(alone), ["a"]);
    outbox.went_well();
    assert_eq!((outbox.next(), outbox.failing()), (Some(Time::ZERO), None));
    assert_eq!(outbox.take(alone), ["b"]);
}

#[test]
fn those_alike_are_gathered_for_a_moment_and_told_together() {
    let mut outbox = Outbox::default();
    let is_alike = |one: &&str, other: &&str| one.len() == other.len();
    ["a", "b", "cc", "d"].into_iter().for_each(|message| outbox.push(message, time(10)));
    assert_eq!(outbox.next(), Some(time(10)));
    assert_eq!(outbox.take(is_alike), ["a", "b"]);
    outbox.went_wrong(time(10), "nobody answers".into());
    assert_eq!(outbox.next(), Some(time(12)), "what fails is gathered no longer than until the next try");
    outbox.push("e", time(30));
    assert_eq!((outbox.next(), outbox.take(is_alike)), (Some(time(12)), vec!["a", "b"]));
    outbox.went_well();
    // Nothing comes between two that are not alike: what others are told is in order.
    assert_eq!((outbox.next(), outbox.take(is_alike)), (Some(Time::ZERO), vec!["cc"]));
    outbox.went_well();
    assert_eq!(outbox.take(is_alike), ["d", "e"]);
    outbox.went_well();
    assert_eq!((outbox.next(), outbox.len()), (None, 0));
}

fn alone<T>(_: &T, _: &T) -> bool {
    false
}

#[test]
fn a_message_that_is_never_taken_is_given_up_and_those_that_wait_are_bounded() {
    let mut outbox: Outbox<u32> = (0..3).collect();
    assert_eq!(outbox.take(|_, other| *other < 2), [0, 1]);
    (3..1000).for_each(|number| outbox.push(number, Time::ZERO));
    assert_eq!(outbox.len(), 100);
    assert_eq!(outbox.waiting().take(2).collect::<Vec<_>>(), [&0, &1], "what is under way stays");
    for tried in 0..12 {
        assert_eq!(outbox.take(|_, other| *other < 2), [0, 1]);
        outbox.went_wrong(time(tried), "nobody answers".into());
    }
    assert_eq!((outbox.len(), outbox.failing().unwrap().lost), (98, 2));
    assert!(outbox.waiting().all(|number| *number > 800), "the newest are kept");
}
