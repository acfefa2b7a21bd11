//! Where the boxes of a picture go: stages in stages, one under the other or,
//! where they run at once, side by side.

use super::say::Way;
use super::{Lead, Say};
use crate::definition::{StageId, StageKind};

pub(super) const LINE: f64 = 18.0;
pub(super) const PAD: f64 = 12.0;
/// The width of a letter of a monospaced font of 12 px.
pub(super) const LETTER: f64 = 7.25;
const GAP: f64 = 14.0;
const LANE: f64 = 14.0;
const LONGEST_LINE: usize = 90;

/// A stage's box, its corner measured from its parent's.
pub(super) struct Boxed {
    pub(super) id: StageId,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) heading: String,
    pub(super) lines: Vec<Line>,
    pub(super) children: Vec<Boxed>,
    /// Arrows between its children.
    pub(super) arrows: Vec<Arrow>,
}

/// A line of text in a box.
pub(super) struct Line {
    pub(super) text: String,
    /// Whether it leads somewhere.
    pub(super) leads: bool,
}

/// An arrow from one height to another, by a lane to the right of the boxes;
/// without one straight down.
pub(super) struct Arrow {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
    pub(super) lane: Option<f64>,
}

/// The box of a stage with all that is in it.
pub(super) fn boxed(say: &Say<'_>, id: StageId) -> Boxed {
    let stage = &say.task.stages[id.index()];
    let ways = say.ways(id, stage);
    let notes = say.notes(stage).into_iter().map(|text| Line { text: cut(&text), leads: false });
    let lines: Vec<Line> = notes.chain(ways.iter().map(|way| way_line(say, way))).collect();
    let mut children: Vec<Boxed> = stage.kind.children().iter().map(|child| boxed(say, *child)).collect();
    let (title, heading) = (cut(&stage.name), cut(&say.heading(stage)));
    let letters = lines.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
    let letters = letters.max(title.chars().count() + heading.chars().count() + 4);
    let mut width = letters as f64 * LETTER + 2.0 * PAD;
    let head = PAD + LINE * (1 + lines.len()) as f64;
    let mut height = head + PAD / 2.0;
    let mut arrows = Vec::new();
    if matches!(stage.kind, StageKind::Parallel(..)) {
        let mut x = PAD;
        for child in &mut children {
            (child.x, child.y) = (x, head + PAD);
            x += child.width + GAP;
            height = height.max(child.y + child.height + PAD);
        }
        width = width.max(x - GAP + PAD);
    } else if !children.is_empty() {
        let widest = children.iter().map(|child| child.width).fold(0.0, f64::max);
        let mut y = head + PAD;
        for child in &mut children {
            (child.x, child.y, child.width) = (PAD, y, widest);
            y += child.height + GAP + 4.0;
        }
        height = y - GAP - 4.0 + PAD;
        arrows = arrows_between(say, &stage.kind, &children);
        let lanes = arrows.iter().filter_map(|arrow| arrow.lane).fold(0.0, f64::max);
        width = width.max(widest.max(lanes - PAD) + 2.0 * PAD + if lanes > 0.0 { LANE } else { 0.0 });
    }
    Boxed { id, x: 0.0, y: 0.0, width, height, title, heading, lines, children, arrows }
}

fn way_line(say: &Say<'_>, way: &Way) -> Line {
    let to: Vec<String> = way
        .leads
        .iter()
        .map(|lead| match lead {
            Lead::Goto(stage) => say.task.stages[stage.index()].name.clone(),
            Lead::Done => "done".to_owned(),
            Lead::Next => "next".to_owned(),
            Lead::Stop => "stop".to_owned(),
        })
        .collect();
    let words = cut(&way.words);
    if to.is_empty() {
        return Line { text: words, leads: false };
    }
    Line { text: format!("{words} \u{2192} {}", to.join(" | ")), leads: true }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST_LINE {
        return text.to_owned();
    }
    text.chars().take(LONGEST_LINE - 1).chain(['\u{2026}']).collect()
}

/// The height of a box's line of text, from its top.
pub(super) fn line_height(place: usize) -> f64 {
    PAD + LINE * (place as f64 + 1.5) - 3.0
}

fn arrows_between(say: &Say<'_>, kind: &StageKind, children: &[Boxed]) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    let down = |from: &Boxed, to: &Boxed| Arrow {
        from: (from.x + from.width / 2.0, from.y + from.height),
        to: (to.x + to.width / 2.0, to.y),
        lane: None,
    };
    if matches!(kind, StageKind::Sequence(..)) {
        arrows.extend(children.windows(2).map(|pair| down(&pair[0], &pair[1])));
        return arrows;
    }
    // From the right edge of a line of text to the right edge of a title.
    let mut jumps: Vec<(usize, f64, usize)> = Vec::new();
    for (place, child) in children.iter().enumerate() {
        let stage = &say.task.stages[child.id.index()];
        let first_way = say.notes(stage).len();
        let next = |jumps: &mut Vec<(usize, f64, usize)>, height: f64| {
            if place + 1 < children.len() {
                jumps.push((place, height, place + 1));
            }
        };
        for (line, way) in say.ways(child.id, stage).iter().enumerate() {
            let height = child.y + line_height(first_way + line);
            for lead in &way.leads {
                match lead {
                    Lead::Goto(to) => {
                        let to = children.iter().position(|other| other.id == *to);
                        jumps.extend(to.map(|to| (place, height, to)));
                    }
                    Lead::Next => next(&mut jumps, height),
                    Lead::Done | Lead::Stop => {}
                }
            }
        }
        let by_itself = !matches!(stage.kind, StageKind::State) && stage.then.is_none();
        if (by_itself || stage.timeout.is_some()) && place + 1 < children.len() {
            arrows.push(down(child, &children[place + 1]));
        }
    }
    let heights = |(_, from, to): &(usize, f64, usize)| {
        let to = children[*to].y + PAD + 2.0;
        (from.min(to), from.max(to))
    };
    // Short arrows in the inner lanes; two that overlap in different ones.
    jumps.sort_by(|a, b| {
        let length = |jump| {
            let (top, bottom) = heights(jump);
            bottom - top
        };
        length(a).total_cmp(&length(b))
    });
    let mut lanes: Vec<Vec<(f64, f64)>> = Vec::new();
    for jump in &jumps {
        let (top, bottom) = heights(jump);
        let free =
            |lane: &Vec<(f64, f64)>| lane.iter().all(|(from, to)| bottom + 6.0 < *from || *to + 6.0 < top);
        let lane = lanes.iter().position(free).unwrap_or_else(|| {
            lanes.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push((top, bottom));
        let (from, to) = (&children[jump.0], &children[jump.2]);
        let edge = from.x + from.width;
        arrows.push(Arrow {
            from: (edge, jump.1),
            to: (to.x + to.width, to.y + PAD + 2.0),
            lane: Some(edge + LANE * (lane as f64 + 1.0)),
        });
    }
    arrows
}
