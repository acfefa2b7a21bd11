//! A Raspberry Pi's 40-pin header, with what is on each pin and what is free.

use bramble_rig::config::board::{self, Position};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::put;
use crate::form::Header;

/// The least room for what is at a pin.
const OWNER: u16 = 12;

/// Everything of a row but what is at its two pins: `GPIO17 11 o o 12 GPIO18`.
const MIDDLE: u16 = 25;

/// How wide it is drawn on a screen so wide.
pub(super) fn width(screen: u16) -> u16 {
    MIDDLE + 2 * (OWNER + (screen - super::LEAST.0) / 6).min(20)
}

/// Draws it, as it lies beside the board's corner: position 1 is at the top left.
pub(super) fn draw(header: &Header, area: Rect, buffer: &mut Buffer) {
    let owner = usize::from((area.width - MIDDLE) / 2);
    for (row, y) in (0..20u8).zip(area.y..area.bottom()) {
        let (left, right) = (2 * row + 1, 2 * row + 2);
        let (what_left, what_right) = (what(header, left, owner), what(header, right, owner));
        let text = format!(
            "{what_left:>owner$} {:>6} {left:>2} {} {} {right:<2} {:<6} {what_right}",
            name(left),
            mark(header, left),
            mark(header, right),
            name(right),
        );
        put(buffer, area.x, y, area.width, &text, Style::new());
        // What one stands on is bold, what is pointed at is turned; both have marks of their own.
        for (position, x, width) in
            [(left, area.x, owner + 12), (right, area.x + u16::try_from(owner).unwrap_or(0) + 13, owner + 12)]
        {
            let modifier = match () {
                () if header.pointed == Some(position) => Modifier::REVERSED,
                () if header.marked.contains(&position) => Modifier::BOLD,
                () => continue,
            };
            let width = u16::try_from(width).unwrap_or(0).min(area.right().saturating_sub(x));
            buffer.set_style(Rect { x, y, width, height: 1 }, Style::new().add_modifier(modifier));
        }
    }
}

/// What a pin is called: `GPIO17`, `3.3 V`, `ground`.
fn name(position: u8) -> String {
    match board::at(position) {
        Some(Position::Gpio(gpio)) => format!("GPIO{gpio}"),
        Some(Position::Power(volts)) => volts.to_owned(),
        Some(Position::Ground) => "ground".to_owned(),
        None => String::new(),
    }
}

/// What is at a pin, in so many letters.
fn what(header: &Header, position: u8, room: usize) -> String {
    let text = match (header.used.get(&position), board::at(position)) {
        (Some(owner), _) => owner.as_str(),
        (None, Some(Position::Gpio(gpio))) if board::RESERVED.contains(&gpio) => "not for you",
        (None, Some(Position::Gpio(gpio))) if board::CONSOLE.contains(&gpio) => "console",
        (None, Some(Position::Gpio(gpio))) if board::PULLED_UP.contains(&gpio) => "pulled up",
        (None, Some(Position::Gpio(_))) => "free",
        (None, _) => "",
    };
    match text.chars().count() > room {
        true => text.chars().take(room.saturating_sub(1)).chain(['~']).collect(),
        false => text.to_owned(),
    }
}

/// A pin: `#` is used, `o` is free, `+` a supply, `-` ground, `x` another's; `@` is pointed at and
/// `*` is of what one stands on.
fn mark(header: &Header, position: u8) -> char {
    match board::at(position) {
        _ if header.pointed == Some(position) => '@',
        _ if header.marked.contains(&position) => '*',
        _ if header.used.contains_key(&position) => '#',
        Some(Position::Gpio(gpio)) if board::RESERVED.contains(&gpio) => 'x',
        Some(Position::Gpio(_)) => 'o',
        Some(Position::Power(_)) => '+',
        Some(Position::Ground) | None => '-',
    }
}
