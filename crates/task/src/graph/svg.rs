//! The picture as SVG.

use std::fmt::Write;

use super::Say;
use super::layout::{Boxed, LETTER, PAD, boxed, line_height};
use crate::definition::TaskDefinition;

const MARGIN: f64 = 16.0;
const FILLS: &[&str] = &["#ffffff", "#f4f6f8", "#e9eef2", "#dfe7ec"];

/// The picture of the whole task.
pub(super) fn draw(say: &Say<'_>) -> String {
    let mut body = String::new();
    let (mut width, mut height) = (2.0 * MARGIN, 2.0 * MARGIN);
    if !say.task.stages.is_empty() {
        let mut root = boxed(say, TaskDefinition::ROOT);
        (root.x, root.y) = (MARGIN, MARGIN);
        width += root.width;
        height += root.height;
        paint(&root, (0.0, 0.0), 1, &mut body);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"12\">\n\
         <title>{}</title>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0 L8 4 L0 8 z\" fill=\"#4a6572\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n",
        escaped(&say.task.name)
    )
}

// Writing to a `String` never fails.
fn paint(stage: &Boxed, (left, top): (f64, f64), depth: usize, out: &mut String) {
    let (x, y) = (left + stage.x, top + stage.y);
    let fill = if stage.children.is_empty() { "#ffffff" } else { FILLS[depth % FILLS.len()] };
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"7\" fill=\"{fill}\" stroke=\"#78909c\"/>",
        stage.width, stage.height
    );
    let baseline = y + PAD + 7.0;
    let title = if stage.title == stage.heading { "" } else { stage.title.as_str() };
    let heading_x =
        x + PAD + if title.is_empty() { 0.0 } else { (title.chars().count() + 2) as f64 * LETTER };
    if !title.is_empty() {
        text(out, x + PAD, baseline, title, "font-weight=\"bold\" fill=\"#102027\"");
    }
    text(out, heading_x, baseline, &stage.heading, "fill=\"#607d8b\"");
    for (place, line) in stage.lines.iter().enumerate() {
        let color = if line.leads { "#00513f" } else { "#37474f" };
        text(out, x + PAD, y + line_height(place) + 4.0, &line.text, &format!("fill=\"{color}\""));
    }
    for child in &stage.children {
        paint(child, (x, y), depth + 1, out);
    }
    for arrow in &stage.arrows {
        let (from, to) = ((x + arrow.from.0, y + arrow.from.1), (x + arrow.to.0, y + arrow.to.1));
        let path = match arrow.lane {
            None => format!("M{:.1} {:.1} L{:.1} {:.1}", from.0, from.1, to.0, to.1),
            Some(lane) => {
                let lane = x + lane;
                let turn = if to.1 > from.1 { 5.0 } else { -5.0 };
                format!(
                    "M{:.1} {:.1} H{:.1} Q{lane:.1} {:.1} {lane:.1} {:.1} V{:.1} Q{lane:.1} {:.1} {:.1} {:.1} H{:.1}",
                    from.0,
                    from.1,
                    lane - 5.0,
                    from.1,
                    from.1 + turn,
                    to.1 - turn,
                    to.1,
                    lane - 5.0,
                    to.1,
                    to.0
                )
            }
        };
        let _ = writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"#4a6572\" stroke-width=\"1.3\" marker-end=\"url(#tip)\"/>"
        );
    }
}

fn text(out: &mut String, x: f64, y: f64, words: &str, style: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{}</text>", escaped(words));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
