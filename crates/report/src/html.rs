//! A report as one HTML file: no scripts, no links, plots inside.

use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::text::{held, minutes, moment};
use crate::{Report, Verdict};

/// Blue and orange are told apart by everyone, and the verdicts by their words too.
const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1b1b1b;--dim:#666;--line:#ccc;--back:#fff;--mark:#0072b2;--look:#b34700}
@media(prefers-color-scheme:dark){:root{--text:#e6e6e6;--dim:#a0a0a0;--line:#444;--back:#161616;--mark:#56b4e9;--look:#e69f00}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:50rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.2rem 0;color:var(--dim)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--dim)}.look{color:var(--look);font-weight:700}
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--dim)}svg line{stroke:var(--line)}svg .mark{stroke:var(--mark);fill:none;stroke-width:2}svg circle{fill:var(--mark)}";

/// What the page of a report begins with, and no other does.
pub(crate) const MARK: &str = "<!doctype html>\n<!-- A report of Bramble: how good a session was -->\n";

pub(crate) fn page(report: &Report, zone: &TimeZone) -> String {
    let session = &report.session;
    let title = escaped(&format!("{} session {}", report.subject, session.number));
    let head =
        format!("{}, started {}, {}", report.what(), moment(session.started, zone), minutes(report.seconds));
    let mut page = format!(
        "{MARK}<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body><h1>{title}</h1><p>{}</p>\n{}<h2>Checks</h2><p>{}</p>\n<table><tr><th></th><th>check</th><th>found</th><th>fine</th></tr>\n",
        escaped(&head),
        report.whose(zone).iter().map(|line| format!("<p>{}</p>\n", escaped(line))).collect::<String>(),
        report.score
    );
    for check in &report.checks {
        let class = if check.verdict == Verdict::Look { "look" } else { "" };
        let cells = [check.verdict.word(), &check.name, &check.found, &check.limit].map(escaped);
        let [verdict, name, found, limit] = cells;
        push(
            &mut page,
            format_args!(
                "<tr><td class=\"{class}\">{verdict}</td><td>{name}</td><td>{found}</td><td>{limit}</td></tr>\n"
            ),
        );
    }
    page.push_str("</table>\n");
    plots(report, &mut page);
    if !report.columns.is_empty() {
        page.push_str(
            "<h2>Columns</h2><table><tr><th>column</th><th>held</th><th>trials</th><th></th></tr>\n",
        );
    }
    for column in &report.columns {
        let [name, held, doc] = [column.name.as_str(), &held(column), &column.doc].map(escaped);
        push(
            &mut page,
            format_args!(
                "<tr><td>{name}</td><td>{held}</td><td>{}</td><td>{doc}</td></tr>\n",
                column.written
            ),
        );
    }
    if !report.columns.is_empty() {
        page.push_str("</table>\n");
    }
    if !report.notes.is_empty() {
        page.push_str("<h2>Notes</h2><table>\n");
        for (seconds, note) in &report.notes {
            push(&mut page, format_args!("<tr><td>{seconds:.1} s</td><td>{}</td></tr>\n", escaped(note)));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body></html>\n");
    page
}

fn plots(report: &Report, page: &mut String) {
    if report.trials.is_empty() {
        return;
    }
    let at = |[end, _]: &[f64; 2]| end / 60.0;
    let count: Vec<[f64; 2]> =
        (1..).zip(&report.trials).map(|(n, trial)| [at(trial), f64::from(n)]).collect();
    let took: Vec<[f64; 2]> = report.trials.iter().map(|trial| [at(trial), trial[1]]).collect();
    plot(page, "Trials over the session", "trials", report.seconds / 60.0, &count, true);
    plot(page, "How long each trial took", "s", report.seconds / 60.0, &took, false);
}

/// Points over the session's minutes, joined or not.
fn plot(page: &mut String, title: &str, unit: &str, minutes: f64, points: &[[f64; 2]], joined: bool) {
    const LEFT: f64 = 60.0;
    const TOP: f64 = 10.0;
    const WIDE: f64 = 720.0;
    const HIGH: f64 = 160.0;
    let top = points.iter().map(|point| point[1]).fold(f64::MIN_POSITIVE, f64::max);
    let end = minutes.max(f64::MIN_POSITIVE);
    let (bottom, right) = (TOP + HIGH, LEFT + WIDE);
    push(
        page,
        format_args!("<h2>{title}</h2><svg viewBox=\"0 0 800 210\" role=\"img\" aria-label=\"{title}\">"),
    );
    push(
        page,
        format_args!(
            "<line x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/><line x1=\"{LEFT}\" y1=\"{TOP}\" x2=\"{LEFT}\" y2=\"{bottom}\"/>"
        ),
    );
    push(
        page,
        format_args!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{top:.1}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">0 {unit}</text>",
            LEFT - 6.0,
            TOP + 10.0,
            LEFT - 6.0,
            bottom
        ),
    );
    push(
        page,
        format_args!(
            "<text x=\"{LEFT}\" y=\"{}\">0</text><text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{end:.1} min</text>",
            bottom + 20.0,
            bottom + 20.0
        ),
    );
    let place = |[x, y]: &[f64; 2]| (LEFT + x / end * WIDE, bottom - y / top * HIGH);
    if joined {
        page.push_str("<polyline class=\"mark\" points=\"");
        for point in points {
            let (x, y) = place(point);
            push(page, format_args!("{x:.1},{y:.1} "));
        }
        page.push_str("\"/>");
    } else {
        for point in points {
            let (x, y) = place(point);
            push(page, format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"));
        }
    }
    page.push_str("</svg>\n");
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes all text");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
