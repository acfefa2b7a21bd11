//! Draws the form, in letters that every terminal has: nothing is said by a color alone.

mod header;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use crate::form::{Body, Shown, View};

/// The least that the form needs: columns and lines.
pub(crate) const LEAST: (u16, u16) = (80, 24);

/// The widest that a line of the form gets: longer ones are hard to read.
const WIDEST: u16 = 100;

/// Whether the form fits.
pub(crate) fn fits(area: Rect) -> bool {
    area.width >= LEAST.0 && area.height >= LEAST.1
}

/// Draws the form, or what it needs.
pub(crate) fn draw(view: &View, frame: &mut Frame<'_>) {
    let area = frame.area();
    if !fits(area) {
        let (columns, lines) = LEAST;
        let text = format!(
            "bramble-setup needs {columns} columns and {lines} lines, and this terminal has {} and {}. Make it \
             larger, or end with ctrl-C and use options: bramble-setup --help",
            area.width, area.height
        );
        for (line, y) in
            textwrap::wrap(&text, usize::from(area.width.max(1))).iter().zip(area.y..area.bottom())
        {
            put(frame.buffer_mut(), area.x, y, area.width, line, Style::new());
        }
        return;
    }
    let buffer = frame.buffer_mut();
    let bar = Style::new().add_modifier(Modifier::REVERSED);
    put(buffer, 0, 0, area.width, &format!("{:width$}", view.title, width = usize::from(area.width)), bar);
    pages(view, area, buffer);

    let text = if view.wrong { format!("! {}", view.says) } else { view.says.clone() };
    let width = usize::from(area.width - 2);
    let says = textwrap::wrap(&text, wrapping(width, "  "));
    let most = usize::from(area.height / 3);
    let says = &says[..says.len().min(most)];
    // A short one stands where a longer one would end.
    let top = area.bottom() - 1 - u16::try_from(says.len().max(1)).unwrap_or(1);
    let body = Rect { y: 2, height: top - 2, ..area };
    let cursor = match &view.body {
        Body::Rows { rows, stand, header } => {
            let mut list = body;
            if let Some(header) = header {
                let width = header::width(area.width);
                list.width = area.width - width - 1;
                header::draw(header, Rect { x: list.width + 1, width, ..body }, buffer);
            }
            list_rows(rows, *stand, list, buffer)
        }
        Body::File { text, from } => {
            for (line, y) in text.lines().skip(*from).zip(body.y..body.bottom()) {
                put(buffer, 1, y, body.width - 1, line, Style::new());
            }
            None
        }
    };
    let style = if view.wrong { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    for (line, y) in says.iter().zip(top..) {
        put(buffer, 1, y, area.width - 1, line, style);
    }
    put(
        buffer,
        1,
        area.bottom() - 1,
        area.width - 1,
        view.keys,
        Style::new().add_modifier(Modifier::UNDERLINED),
    );
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

fn pages(view: &View, area: Rect, buffer: &mut Buffer) {
    let mut x = 0;
    for (at, page) in view.pages.iter().enumerate() {
        let (text, style) = if at == view.page {
            (format!("[{} {page}]", at + 1), Style::new().add_modifier(Modifier::BOLD))
        } else {
            (format!(" {} {page} ", at + 1), Style::new())
        };
        put(buffer, x, 1, area.width.saturating_sub(x), &text, style);
        x += u16::try_from(text.chars().count()).unwrap_or(0);
    }
}

/// Draws the lines, so that the one that is stood on is seen; where the cursor is.
fn list_rows(rows: &[Shown], stand: usize, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let widths =
        rows.iter().filter(|row| !row.is_note && !row.is_action).map(|row| row.label.chars().count());
    let label = widths.max().unwrap_or(0).clamp(11, 20);
    // Each line with the lines of the screen that it takes.
    let width = area.width.min(WIDEST);
    let lines: Vec<Vec<String>> = rows.iter().map(|row| noted(row, usize::from(width) - 2)).collect();
    let height = usize::from(area.height);
    let taken =
        |from: usize| lines[from..=stand.max(from).min(lines.len() - 1)].iter().map(Vec::len).sum::<usize>();
    let first = match rows.is_empty() {
        true => 0,
        false => (0..=stand).find(|from| taken(*from) < height || *from == stand).unwrap_or(0),
    };
    let (mut y, mut cursor) = (area.y, None);
    for (at, row) in rows.iter().enumerate().skip(first) {
        if y >= area.bottom() {
            break;
        }
        if row.is_note {
            for line in lines[at].iter().take(usize::from(area.bottom() - y)) {
                put(buffer, area.x + 2, y, area.width - 2, line, Style::new());
                y += 1;
            }
            continue;
        }
        let is_here = at == stand;
        put(buffer, area.x, y, 2, if is_here { ">" } else { " " }, Style::new());
        let bold = if is_here { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        // An action's words may be longer than a label.
        let column = label.max(if row.is_action { row.label.chars().count() } else { 0 });
        let x = area.x + 2;
        put(buffer, x, y, area.width - 2, &row.label, bold);
        let value_at = x + u16::try_from(column).unwrap_or(20) + 1;
        let room = (area.x + area.width).saturating_sub(value_at);
        let (text, offset) = value(row, usize::from(room));
        let here = if is_here { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        let filled = if is_here && !row.is_action && text.is_empty() { " ".to_owned() } else { text };
        put(buffer, value_at, y, room, &filled, here);
        if let Some(at) = row.cursor {
            let x = value_at + u16::try_from(at.saturating_sub(offset)).unwrap_or(0);
            cursor = Some(Position::new(x.min(area.x + area.width - 1), y));
        }
        y += 1;
    }
    cursor
}

/// The lines of a note; one empty line for everything else.
fn noted(row: &Shown, width: usize) -> Vec<String> {
    if !row.is_note || row.label.is_empty() {
        return vec![String::new()];
    }
    textwrap::wrap(&row.label, wrapping(width, "   ")).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// Lines end at spaces only: a path or a program's name stays whole.
fn wrapping(width: usize, indent: &str) -> textwrap::Options<'_> {
    textwrap::Options::new(width)
        .subsequent_indent(indent)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// What is seen of a value in so much room, and how many of its letters are left out before.
fn value(row: &Shown, room: usize) -> (String, usize) {
    if row.is_choice {
        return (format!("<{}>", if row.value.is_empty() { "-" } else { &row.value }), 0);
    }
    let letters: Vec<char> = row.value.chars().collect();
    let at = row.cursor.map_or(0, |at| at + 1);
    let offset = at.saturating_sub(room);
    let mut seen: String = letters.iter().skip(offset).take(room).collect();
    if letters.len() > offset + room && room > 0 {
        // There is more of it.
        seen.pop();
        seen.push('~');
    }
    (seen, offset)
}

/// Draws a text, at most so wide; letters that would move the cursor are left out.
fn put(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) {
    if buffer.area.contains(Position::new(x, y)) {
        let text: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        buffer.set_stringn(x, y, text, usize::from(width), style);
    }
}

#[cfg(test)]
mod tests;
