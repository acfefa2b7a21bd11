use std::collections::BTreeMap;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::answers::Answers;
use crate::facts::Facts;
use crate::form::{Form, Key};

fn drawn(form: &Form, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(&form.view(), frame)).unwrap();
    terminal.backend().to_string()
}

fn form(presses: &[Key]) -> Form {
    let mut form = Form::new(Answers::new(Facts::of_a_pi(), BTreeMap::new()).unwrap());
    for key in presses {
        form.key(*key);
    }
    form
}

#[test]
fn the_header_shows_what_is_on_each_pin_and_what_is_free() {
    let screen = drawn(&form(&[Key::PageDown, Key::PageDown, Key::PageDown]), 80, 24);
    for part in [
        "   poke.left GPIO17 11 * # 12 GPIO18 house",
        "       free  GPIO4  7 o o 8  GPIO14 console",
        "             3.3 V  1 + + 2  5 V",
        "not for you  GPIO0 27 x x 28 GPIO1  not for you",
        "            ground 39 - # 40 GPIO21 valve.right",
    ] {
        assert!(screen.contains(part), "{part} is not in\n{screen}");
    }
}

#[test]
fn a_small_terminal_is_told_what_it_lacks() {
    let screen = drawn(&form(&[]), 60, 10);
    assert!(screen.contains("needs 80 columns and 24 lines"), "{screen}");
    for (width, height) in [(1, 1), (5, 3), (79, 24), (80, 23), (300, 100)] {
        drawn(&form(&[]), width, height);
    }
}

#[test]
fn every_page_is_drawn_in_letters_that_every_terminal_has() {
    for page in 0..8 {
        let screen = drawn(&form(&vec![Key::PageDown; page]), 80, 24);
        assert!(screen.is_ascii(), "{screen}");
    }
}

#[test]
fn what_is_typed_is_seen_around_the_cursor() {
    let mut form = form(&[Key::PageDown, Key::PageDown]);
    for letter in
        "a-very-long-name-of-a-computer.in-a-very-long-domain.of-a-large-university.example.org".chars()
    {
        form.key(Key::Char(letter));
    }
    assert!(drawn(&form, 80, 24).contains("large-university.example.org"));
    form.key(Key::Home);
    assert!(drawn(&form, 80, 24).contains("finda-very-long-name"));
}
