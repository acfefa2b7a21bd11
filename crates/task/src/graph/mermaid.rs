//! A state diagram in Mermaid's words.

use super::say::Way;
use super::{Lead, Say};
use crate::definition::{StageId, StageKind, TaskDefinition};

/// The diagram of the whole task.
pub(super) fn draw(say: &Say<'_>) -> String {
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    if !say.task.stages.is_empty() {
        stage(say, TaskDefinition::ROOT, 1, &mut lines);
    }
    lines.join("\n") + "\n"
}

fn node(id: StageId) -> String {
    format!("s{}", id.0)
}

/// Text that may stand in a label.
fn label(text: &str) -> String {
    text.chars().map(|letter| if "\"<>:;#{}\n".contains(letter) { ' ' } else { letter }).collect()
}

fn stage(say: &Say<'_>, id: StageId, depth: usize, lines: &mut Vec<String>) {
    let indent = "    ".repeat(depth);
    let stage_ = &say.task.stages[id.index()];
    let title = label(&stage_.name);
    let heading = say.heading(stage_);
    let notes: Vec<String> =
        std::iter::once(heading).chain(say.notes(stage_)).map(|note| label(&note)).collect();
    let children = stage_.kind.children();
    if children.is_empty() {
        lines.push(format!("{indent}state \"{title}<br/>{}\" as {}", notes.join("<br/>"), node(id)));
        return;
    }
    let detail = notes.join(", ");
    lines.push(format!("{indent}state \"{title} ({detail})\" as {} {{", node(id)));
    let inner = "    ".repeat(depth + 1);
    for (place, child) in children.iter().enumerate() {
        if place > 0 && matches!(stage_.kind, StageKind::Parallel(..)) {
            lines.push(format!("{inner}--"));
        }
        stage(say, *child, depth + 1, lines);
    }
    match stage_.kind {
        StageKind::States(_) => {
            lines.push(format!("{inner}[*] --> {}", node(children[0])));
            for child in children {
                transitions(say, *child, children, &inner, lines);
            }
        }
        StageKind::Sequence(..) => {
            lines.push(format!("{inner}[*] --> {}", node(children[0])));
            for pair in children.windows(2) {
                lines.push(format!("{inner}{} --> {}", node(pair[0]), node(pair[1])));
            }
            lines.push(format!("{inner}{} --> [*]", node(children[children.len() - 1])));
        }
        _ => {}
    }
    lines.push(format!("{indent}}}"));
}

fn transitions(say: &Say<'_>, id: StageId, siblings: &[StageId], indent: &str, lines: &mut Vec<String>) {
    let stage = &say.task.stages[id.index()];
    let after = siblings.iter().position(|sibling| *sibling == id).and_then(|place| siblings.get(place + 1));
    let following = || after.map_or("[*]".to_owned(), |next| node(*next));
    for Way { words, leads } in say.ways(id, stage) {
        for lead in leads {
            let to = match lead {
                Lead::Goto(to) => node(to),
                Lead::Done | Lead::Stop => "[*]".to_owned(),
                Lead::Next => following(),
            };
            lines.push(format!("{indent}{} --> {to} : {}", node(id), label(&words)));
        }
    }
    let ends_by_itself = !matches!(stage.kind, StageKind::State) && stage.then.is_none();
    if ends_by_itself || stage.timeout.is_some() {
        lines.push(format!("{indent}{} --> {}", node(id), following()));
    }
}
