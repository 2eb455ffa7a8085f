//! A report as a picture: horizontal bars in SVG 1.1, whole pixels, no scripts, no fonts of its own.

use crate::{
    report::{Item, Report},
    text::percent,
};
use std::fmt::{self, Write};

/// The picture's width.
const WIDTH: u64 = 760;
/// Where bars begin.
const LEFT: u64 = 170;
/// The longest bar; right of it stand its share and its dollars.
const BAR: u64 = 380;
/// A bar and the space below it.
const ROW: u64 = 26;
/// Thickness of a bar.
const THICK: u64 = 18;
/// Above and below everything.
const MARGIN: u64 = 20;
/// Colour of what isn't the chain's.
const COMPUTE: &str = "#3b6fb6";
/// Colour of what is.
const CHAIN: &str = "#d9822b";

/// The report as an SVG document.
#[must_use]
pub fn to_svg(report: &Report) -> String {
    let mut out = String::new();
    // a `String` takes everything
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    let all: Vec<&Item> = report
        .lines
        .iter()
        .filter(|item| item.cost.per_month.pico() > 0)
        .collect();
    let chain: Vec<&Item> = all.iter().copied().filter(|item| item.chain).collect();
    let rows = u64::try_from(all.len() + chain.len()).unwrap_or(0);
    // three lines of text beside the bars
    let height = 2 * MARGIN + (rows + 3) * ROW;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">"
    )?;
    writeln!(
        out,
        "<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>"
    )?;

    let mut y = MARGIN;
    let title = format!(
        "{}: {} dollars per million tokens, {} a month",
        report.assumptions.model,
        report.total.per_million_tokens.short(),
        report.total.per_month.short(),
    );
    text(out, MARGIN, y, &title)?;
    y += ROW;
    text(out, MARGIN, y, "Where the money goes")?;
    y += ROW;
    for item in all {
        bar(out, y, item, item.share_ppm)?;
        y += ROW;
    }
    let share = percent(report.chain_share_ppm);
    text(
        out,
        MARGIN,
        y,
        &format!("The chain's part of it, {share} of the total"),
    )?;
    y += ROW;
    for item in chain {
        bar(out, y, item, report.part_of_chain_ppm(item))?;
        y += ROW;
    }
    writeln!(out, "</svg>")
}

fn bar(out: &mut String, y: u64, item: &Item, ppm: u64) -> fmt::Result {
    // at least a pixel, to be seen
    let length = (ppm * BAR / 1_000_000).max(1);
    let colour = if item.chain { CHAIN } else { COMPUTE };
    text(out, MARGIN, y, item.kind.label())?;
    writeln!(
        out,
        "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length}\" height=\"{THICK}\" fill=\"{colour}\"/>"
    )?;
    let label = format!("{}, {}", percent(ppm), item.cost.per_month.short());
    text(out, LEFT + length + 6, y, &label)
}

/// A line of text beside a bar at `y`.
fn text(out: &mut String, x: u64, y: u64, content: &str) -> fmt::Result {
    let baseline = y + 14;
    writeln!(
        out,
        "<text x=\"{x}\" y=\"{baseline}\">{}</text>",
        escaped(content)
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Assumptions, report};

    /// Walks through tags and says what is wrong with them: enough XML for what is written here.
    fn problem(svg: &str) -> Option<String> {
        let mut open = Vec::new();
        let mut rest = svg;
        while let Some(start) = rest.find('<') {
            let between = &rest[..start];
            if between.contains('>')
                || between
                    .replace("&amp;", "")
                    .replace("&lt;", "")
                    .replace("&gt;", "")
                    .contains('&')
            {
                return Some(format!("text: {between}"));
            }
            let end = start + rest[start..].find('>')?;
            let tag = &rest[start + 1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                if open.pop() != Some(name) {
                    return Some(format!("unexpected end of {name}"));
                }
                continue;
            }
            if !tag.matches('"').count().is_multiple_of(2) || tag.contains('<') {
                return Some(format!("attributes: {tag}"));
            }
            if !tag.ends_with('/') {
                open.push(tag.split(' ').next()?);
            }
        }
        (!open.is_empty() || !rest.trim().is_empty()).then(|| format!("open: {open:?} {rest}"))
    }

    #[test]
    fn the_checker_sees_mistakes() {
        assert_eq!(problem("<a b=\"1\"><c/>x &lt; y</a>\n"), None);
        for bad in [
            "<a>",
            "<a></b>",
            "<a b=\"1></a>",
            "<a>x & y</a>",
            "<a/>text",
            "<a>></a>",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn it_is_well_formed_whatever_the_names() {
        let mut figures = Assumptions::for_model(None).unwrap();
        figures.model = "<b> & \"c\"".to_owned();
        figures.gateway_fee_permille = 50;
        let svg = to_svg(&report(&figures).unwrap());
        assert_eq!(problem(&svg), None, "{svg}");
        assert!(svg.contains("&lt;b&gt; &amp;"));
        assert!(svg.contains("gateway fee"));
        // eight lines and four of the chain's, and the ground
        assert_eq!(svg.matches("<rect").count(), 13);
    }

    #[test]
    fn free_things_have_no_bars() {
        let mut figures = Assumptions::for_model(None).unwrap();
        figures.audit_permille = 0;
        figures.sui_transaction = crate::Usd::ZERO;
        figures.walrus_gb_year = crate::Usd::ZERO;
        figures.walrus_gb_write = crate::Usd::ZERO;
        let svg = to_svg(&report(&figures).unwrap());
        assert_eq!(problem(&svg), None);
        assert_eq!(svg.matches("<rect").count(), 3);
    }
}
