//! Plots as SVG: lines and bars, written by hand so that the same figures give the same bytes.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;
/// Lines of a scale.
const TICKS: u32 = 5;
const COLOURS: [&str; 4] = ["#1b6ca8", "#c0392b", "#27864a", "#8e5aa8"];

/// A line of points.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A plot of lines. The second number of a point is drawn no lower or higher than the range.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) across: String,
    pub(crate) range: (f64, f64),
    /// A height that is marked, with its name.
    pub(crate) mark: Option<(f64, &'static str)>,
    pub(crate) series: Vec<Series>,
}

impl Chart {
    pub(crate) fn to_svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let least = points().map(|point| point.0).fold(f64::MAX, f64::min);
        let most = points().map(|point| point.0).fold(f64::MIN, f64::max);
        let span = (most - least).max(1e-9);
        let x = |value: f64| LEFT + (value - least) / span * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| down(self.range, value);
        let mut svg = begin(&self.title, &self.across);
        scale(&mut svg, self.range);
        for tick in 0..=TICKS {
            let value = least + span * f64::from(tick) / f64::from(TICKS);
            text(
                &mut svg,
                (x(value), HEIGHT - BOTTOM + 18.0),
                "middle",
                &short(value),
            );
        }
        if let Some((value, name)) = self.mark {
            line(
                &mut svg,
                (LEFT, y(value), WIDTH - RIGHT, y(value)),
                "#555555\" stroke-dasharray=\"6 4",
            );
            text(&mut svg, (WIDTH - RIGHT, y(value) - 4.0), "end", name);
        }
        for (place, series) in self.series.iter().enumerate() {
            let colour = COLOURS[place % COLOURS.len()];
            let path: Vec<String> = series
                .points
                .iter()
                .map(|&(across, up)| format!("{:.1},{:.1}", x(across), y(up)))
                .collect();
            let _never = writeln!(
                svg,
                r#"<polyline fill="none" stroke="{colour}" stroke-width="2" points="{}"/>"#,
                path.join(" ")
            );
            let _never = writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" fill="{colour}">{}</text>"#,
                LEFT + 8.0,
                TOP + 16.0 + 16.0 * place as f64,
                escaped(&series.name)
            );
        }
        svg + "</svg>\n"
    }
}

/// Pairs of bars, each below its name.
#[derive(Clone, Debug)]
pub(crate) struct Bars {
    pub(crate) title: String,
    pub(crate) range: (f64, f64),
    pub(crate) mark: (f64, &'static str),
    /// What the first and the second of a pair are.
    pub(crate) names: [&'static str; 2],
    pub(crate) pairs: Vec<(String, [Option<f64>; 2])>,
}

impl Bars {
    pub(crate) fn to_svg(&self) -> String {
        let y = |value: f64| down(self.range, value);
        let mut svg = begin(&self.title, "");
        scale(&mut svg, self.range);
        let each = (WIDTH - LEFT - RIGHT) / self.pairs.len().max(1) as f64;
        for (place, (name, values)) in self.pairs.iter().enumerate() {
            let from = LEFT + each * place as f64;
            for (side, value) in values.iter().enumerate() {
                let Some(value) = *value else { continue };
                let (top, bottom) = (y(value).min(y(0.0)), y(value).max(y(0.0)));
                let _never = writeln!(
                    svg,
                    r#"<rect x="{:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" fill="{}"/>"#,
                    from + each * (0.15 + 0.35 * side as f64),
                    each * 0.33,
                    (bottom - top).max(1.0),
                    COLOURS[side]
                );
            }
            let middle = from + each / 2.0;
            let low = HEIGHT - BOTTOM + 10.0;
            let _never = writeln!(
                svg,
                r#"<text x="{middle:.1}" y="{low:.1}" text-anchor="end" font-size="9" transform="rotate(-35 {middle:.1} {low:.1})">{}</text>"#,
                escaped(name)
            );
        }
        let (value, name) = self.mark;
        line(
            &mut svg,
            (LEFT, y(value), WIDTH - RIGHT, y(value)),
            "#555555\" stroke-dasharray=\"6 4",
        );
        text(&mut svg, (WIDTH - RIGHT, y(value) - 4.0), "end", name);
        for (side, name) in self.names.iter().enumerate() {
            let _never = writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" fill="{}">{}</text>"#,
                LEFT + 8.0,
                TOP + 16.0 + 16.0 * side as f64,
                COLOURS[side],
                escaped(name)
            );
        }
        svg + "</svg>\n"
    }
}

fn down((least, most): (f64, f64), value: f64) -> f64 {
    let share = (value.clamp(least, most) - least) / (most - least);
    HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
}

fn begin(title: &str, across: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    text(&mut svg, (WIDTH / 2.0, 22.0), "middle", title);
    text(&mut svg, (WIDTH / 2.0, HEIGHT - 12.0), "middle", across);
    svg
}

fn scale(svg: &mut String, range: (f64, f64)) {
    for tick in 0..=TICKS {
        let value = range.0 + (range.1 - range.0) * f64::from(tick) / f64::from(TICKS);
        let y = down(range, value);
        line(svg, (LEFT, y, WIDTH - RIGHT, y), "#dddddd");
        text(svg, (LEFT - 6.0, y + 4.0), "end", &short(value));
    }
}

fn line(svg: &mut String, (x1, y1, x2, y2): (f64, f64, f64, f64), stroke: &str) {
    let _never = writeln!(
        svg,
        r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}"/>"#
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let _never = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
        escaped(text)
    );
}

/// A number without decimals that say nothing.
fn short(value: f64) -> String {
    if (value - value.round()).abs() < 1e-9 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
