use std::collections::BTreeMap;

use super::*;
use crate::facts::Facts;
use proptest::prelude::*;

fn form() -> Form {
    Form::new(Answers::new(Facts::of_a_pi(), BTreeMap::new()).unwrap())
}

fn keys(form: &mut Form, keys: &[Key]) -> Option<Ask> {
    keys.iter().map(|key| form.key(*key)).last().flatten()
}

fn typed(form: &mut Form, text: &str) {
    for letter in text.chars() {
        form.key(Key::Char(letter));
    }
}

fn page(form: &mut Form, page: Page) {
    while form.page() != page {
        form.key(Key::PageDown);
    }
}

/// Goes down to the line of a label.
fn stand_on(form: &mut Form, label: &str) {
    for _ in 0..60 {
        if form.rows()[form.stand()].label == label {
            return;
        }
        form.key(Key::Down);
    }
    panic!("there is no line {label}");
}

#[test]
fn a_wrong_answer_stays_in_its_line_and_says_what_to_write() {
    let mut form = form();
    page(&mut form, Page::Name);
    keys(&mut form, &[Key::Ctrl('u')]);
    typed(&mut form, "box 9");
    assert!(form.view().says.contains("letters, digits, - and _"), "{:?}", form.view());
    keys(&mut form, &[Key::Enter, Key::Down, Key::PageDown]);
    assert_eq!((form.page(), form.answers.name().as_str()), (Page::Name, "box7"));
    keys(&mut form, &[Key::Left, Key::Backspace, Key::Enter]);
    assert_eq!((form.page(), form.answers.name().as_str()), (Page::Swarm, "box9"));
}

#[test]
fn escape_gives_a_line_back_what_it_was() {
    let mut form = form();
    page(&mut form, Page::Name);
    typed(&mut form, "!");
    keys(&mut form, &[Key::Esc]);
    assert!(!form.view().wrong);
    assert_eq!(form.answers.name(), "box7");
}

#[test]
fn who_changed_something_is_asked_before_it_is_lost() {
    let mut form = form();
    assert_eq!(form.clone().key(Key::Esc), Some(Ask::Leave), "nothing was changed");
    form.answers.set_name("other").unwrap();
    assert_eq!(form.key(Key::Ctrl('c')), None);
    assert!(form.view().says.contains("Leave without writing"));
    assert_eq!(form.key(Key::Char('n')), None);
    assert_eq!(keys(&mut form, &[Key::Ctrl('c'), Key::Char('y')]), Some(Ask::Leave));
}

#[test]
fn a_terminal_that_is_found_is_taken() {
    let mut form = form();
    page(&mut form, Page::Swarm);
    stand_on(&mut form, "look for terminals on this network");
    assert_eq!(form.key(Key::Enter), Some(Ask::Look));
    form.found(Looked::Found(vec![Found { name: "lab".to_owned(), place: "10.0.0.2:5600".to_owned() }]));
    stand_on(&mut form, "  lab");
    form.key(Key::Enter);
    assert_eq!(form.answers.draft().get(&["terminal"]).as_deref(), Some("tcp://10.0.0.2:5600"));
}

#[test]
fn a_device_is_added_with_ports_that_are_picked_on_the_header() {
    let mut form = form();
    page(&mut form, Page::Rig);
    stand_on(&mut form, "+ a device");
    form.key(Key::Enter);
    typed(&mut form, "lick");
    stand_on(&mut form, "pin");
    // From header 7, the first that is free, to header 5, and on to header 22.
    keys(&mut form, &[Key::F(2), Key::Up, Key::Up, Key::Up, Key::Right]);
    assert_eq!(form.view().keys, "arrows point  Enter takes the pin  Esc as it was");
    keys(&mut form, &[Key::Down; 10]);
    keys(&mut form, &[Key::Enter]);
    assert!(!form.view().wrong, "{:?}", form.view());
    stand_on(&mut form, "done");
    form.key(Key::Enter);
    assert!(form.editing.is_none(), "{:?}", form.view());
    let device = form.answers.draft().device(Pinned::Device, "lick").unwrap();
    assert_eq!(device.lines, [(None, "header 22".to_owned())]);
}

#[test]
fn a_pin_that_is_taken_is_refused_where_it_is_typed() {
    let mut form = form();
    page(&mut form, Page::Rig);
    stand_on(&mut form, "valve");
    form.key(Key::Enter);
    stand_on(&mut form, "left");
    form.key(Key::Ctrl('u'));
    typed(&mut form, "header 11");
    let says = form.view().says;
    assert!(says.contains("pin 17 is given to both") && says.contains("free: header"), "{says}");
    form.key(Key::Enter);
    assert!(form.view().wrong);
    keys(&mut form, &[Key::Esc, Key::Esc]);
    assert!(form.answers.draft().text().contains("left = \"header 36\""));
}

#[test]
fn another_role_has_other_pages_and_its_own_answers() {
    let mut form = form();
    keys(&mut form, &[Key::Right]);
    assert_eq!(form.view().pages, ["Role", "Name", "Network", "Data", "Service", "Write"]);
    page(&mut form, Page::Write);
    assert_eq!(form.key(Key::Enter), Some(Ask::Write));
    assert_eq!(form.answers.draft().problems(), Vec::new());
}

fn any_key() -> impl Strategy<Value = Key> {
    use Key::*;
    let often = prop::sample::select(vec![
        Enter,
        Esc,
        Up,
        Down,
        Left,
        Right,
        Home,
        End,
        PageUp,
        PageDown,
        Tab,
        BackTab,
        Backspace,
        Delete,
        F(2),
        Ctrl('n'),
        Ctrl('p'),
        Ctrl('u'),
        Ctrl('g'),
        Ctrl('w'),
        Ctrl('k'),
    ]);
    prop_oneof![
        6 => often,
        2 => prop::sample::select("header 0123456789.:/=\"\\-[]{}#'aµé ".chars().collect::<Vec<_>>()).prop_map(Char),
        1 => any::<char>().prop_map(Char),
        1 => prop::sample::select(vec![Down, PageDown, Enter]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_keys_make_it_panic_or_leave_what_can_not_be_written(
        pi: bool,
        presses in prop::collection::vec(any_key(), 1..120),
    ) {
        let facts = if pi { Facts::of_a_pi() } else { Facts::of_a_plain_computer() };
        let mut form = Form::new(Answers::new(facts, BTreeMap::new()).unwrap());
        for key in presses {
            form.key(key);
            let view = form.view();
            if let Body::Rows { rows, stand, .. } = view.body {
                prop_assert!(stand < rows.len());
            }
        }
        for role in crate::answers::ROLES {
            form.answers.role = role;
            let draft = form.answers.draft();
            prop_assert_eq!(draft.problems(), Vec::new(), "{}", draft.text());
            let again = crate::draft::Draft::read(role, &draft.text());
            prop_assert_eq!(again.map(|again| again.text()), Ok(draft.text()));
        }
    }
}
