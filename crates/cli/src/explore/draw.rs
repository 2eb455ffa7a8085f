//! The frame: tabs, where the index stands, the list, the selected row's detail, a line of keys.

use super::{app::App, cell::Cell, rows::Row, sections::Section};
use crate::output::{label, usdc};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{
        Block, Borders, Clear, Paragraph, Row as TableRow, Sparkline, Table, TableState, Wrap,
    },
};

/// From this width on the detail stands beside the list.
const WIDE: u16 = 140;
/// Lines of a sparkline with its title.
const SPARKLINE: u16 = 4;

const HELP: &str = "\
Tab, Right, l   next section        1..7   a section
Left, h         section before      j, k   row down, up (arrows too)
PgDn, PgUp      ten rows            g, G   first row, last row
/               search (Enter keeps it, Esc drops it)
s               sort by the next column, then as it was
r               turn the order around
], [            scroll the detail
q, Ctrl-C       leave

Money is in USDC, prices are per million units, times are UTC.
All of it is what the ledger's endpoint says.";

pub(crate) fn draw(app: &App, frame: &mut Frame<'_>) {
    let [tabs, status, body, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(self::tabs(app), tabs);
    frame.render_widget(self::status(app), status);
    if app.section == Section::Overview {
        overview(app, frame, body);
    } else {
        let (list, detail) = split(body);
        self::list(app, frame, list);
        self::detail(app, frame, detail);
    }
    frame.render_widget(self::keys(app), keys);
    if app.help {
        help(app, frame);
    }
}

/// List and detail: beside each other where there is room.
fn split(body: Rect) -> (Rect, Rect) {
    let halves = [Constraint::Percentage(55), Constraint::Percentage(45)];
    let [list, detail] = if body.width >= WIDE {
        Layout::horizontal(halves).areas(body)
    } else {
        Layout::vertical(halves).areas(body)
    };
    (list, detail)
}

fn accent(app: &App) -> Style {
    let style = Style::new().add_modifier(Modifier::BOLD);
    if app.colour {
        style.fg(Color::Cyan)
    } else {
        style
    }
}

fn tabs(app: &App) -> Line<'static> {
    let mut spans = Vec::new();
    for (place, section) in Section::ALL.into_iter().enumerate() {
        let text = format!("{} {}", place + 1, section.title());
        if section == app.section {
            spans.push(Span::styled(
                text,
                accent(app).add_modifier(Modifier::REVERSED),
            ));
        } else {
            spans.push(Span::raw(text));
        }
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn status(app: &App) -> Line<'static> {
    let progress = &app.progress;
    let state = match &progress.trouble {
        Some(trouble) => trouble.clone(),
        None if progress.caught_up => format!("following, checkpoint {}", progress.checkpoint),
        None => format!(
            "catching up, checkpoint {} of {}, {} events",
            progress.checkpoint, progress.tip, progress.events
        ),
    };
    let style = match (&progress.trouble, app.colour) {
        (Some(_), true) => Style::new().fg(Color::Yellow),
        _ => Style::new().add_modifier(Modifier::DIM),
    };
    Line::styled(format!("{}: {state}", app.title), style)
}

fn keys(app: &App) -> Line<'static> {
    let (shown, all) = app.counts();
    if app.searching {
        return Line::raw(format!("/{}_  ({shown} of {all})", app.search));
    }
    let mut text = "q leave  ? help  / search  s sort".to_owned();
    if !app.search.is_empty() {
        text.push_str(&format!("  [search {}: {shown} of {all}]", app.search));
    }
    if let Some((column, from_largest)) = app.sort {
        let name = label(app.section.columns().get(column).unwrap_or(&""));
        let order = if from_largest { "down" } else { "up" };
        text.push_str(&format!("  [sorted by {name}, {order}]"));
    }
    Line::raw(text)
}

fn list(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let columns = app.section.columns();
    let (shown, _) = app.counts();
    let block = Block::new()
        .borders(Borders::TOP)
        .title(format!(" {} ({shown}) ", app.section.title()));
    if shown == 0 {
        let text = if app.search.is_empty() {
            "nothing yet"
        } else {
            "nothing found"
        };
        frame.render_widget(Paragraph::new(text).block(block), area);
        return;
    }
    // only what can be seen is made into cells
    let height = usize::from(area.height.saturating_sub(2)).max(1);
    let first = app.selected.saturating_sub(height - 1);
    let rows: Vec<&Row> = app.visible().skip(first).take(height).collect();
    let width = |name: &str| {
        let cells = rows.iter().filter_map(|row| row.get(name));
        let widest = cells.map(|cell| cell.short().chars().count()).max();
        widest.unwrap_or(0).max(label(name).len()).min(40)
    };
    let widths: Vec<usize> = columns.iter().map(|name| width(name)).collect();
    let text = |cell: Option<&Cell>, width: usize| {
        let cell = cell.unwrap_or(&Cell::None);
        if cell.is_number() {
            format!("{:>width$}", cell.short())
        } else {
            cell.short()
        }
    };
    let body = rows.iter().map(|row| {
        let cells = columns.iter().zip(&widths);
        TableRow::new(cells.map(|(name, width)| text(row.get(name), *width)))
    });
    let limits = widths
        .iter()
        .map(|width| Constraint::Length(u16::try_from(*width).unwrap_or(u16::MAX)));
    let table = Table::new(body, limits)
        .header(TableRow::new(columns.iter().map(|name| label(name))).style(accent(app)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .column_spacing(2)
        .block(block);
    let mut state = TableState::new().with_selected(app.selected - first);
    frame.render_stateful_widget(table, area, &mut state);
}

fn detail(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(row) = app.row() else {
        return;
    };
    let has_prices = app.related.prices.len() > 1 && area.height > 2 * SPARKLINE;
    let chart = if has_prices { SPARKLINE } else { 0 };
    let [chart, text] =
        Layout::vertical([Constraint::Length(chart), Constraint::Min(0)]).areas(area);
    if has_prices {
        prices(app, frame, chart);
    }
    let block = Block::new().borders(Borders::TOP).title(" Detail ");
    let related = app.related.lines.iter().map(|line| Line::raw(line.clone()));
    let lines: Vec<Line<'_>> = related.chain(facts(app, row)).collect();
    let text_widget = Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .scroll((app.scroll, 0))
        .block(block);
    frame.render_widget(text_widget, text);
}

fn facts<'a>(app: &App, row: &'a Row) -> impl Iterator<Item = Line<'a>> {
    let names = row.cells.iter().map(|(name, _)| label(name).len());
    let width = names.max().unwrap_or(0);
    let style = accent(app);
    row.cells.iter().map(move |(name, cell)| {
        Line::from(vec![
            Span::styled(format!("{:width$} ", label(name)), style),
            Span::raw(cell.text()),
        ])
    })
}

/// The lowest price over time. A sparkline begins at zero: heights are prices.
fn prices(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let all = &app.related.prices;
    let room = usize::from(area.width);
    let latest = &all[all.len().saturating_sub(room)..];
    let (low, high) = (latest.iter().min(), latest.iter().max());
    let title = format!(
        " lowest price, {} changes: {} to {}, now {} ",
        latest.len(),
        usdc(low.copied().unwrap_or(0)),
        usdc(high.copied().unwrap_or(0)),
        usdc(latest.last().copied().unwrap_or(0)),
    );
    let line = Sparkline::default()
        .data(latest)
        .block(Block::new().borders(Borders::TOP).title(title));
    frame.render_widget(
        if app.colour {
            line.style(Color::Cyan)
        } else {
            line
        },
        area,
    );
}

/// The network's numbers in two columns, and the days below.
fn overview(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let Some(row) = app.row() else {
        frame.render_widget(Paragraph::new("nothing yet"), area);
        return;
    };
    let half = row.cells.len().div_ceil(2);
    let height = u16::try_from(half + 1).unwrap_or(u16::MAX);
    let [numbers, days] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(0)]).areas(area);
    let columns: [Rect; 2] = Layout::horizontal([Constraint::Percentage(50); 2]).areas(numbers);
    let lines: Vec<Line<'_>> = facts(app, row).collect();
    for (column, lines) in columns.into_iter().zip(lines.chunks(half)) {
        let block = Block::new().borders(Borders::TOP);
        frame.render_widget(Paragraph::new(lines.to_vec()).block(block), column);
    }
    let related = app.related.lines.iter().map(|line| Line::raw(line.clone()));
    let block = Block::new().borders(Borders::TOP).title(" Days ");
    let text = Paragraph::new(related.collect::<Vec<_>>()).scroll((app.scroll, 0));
    frame.render_widget(text.block(block), days);
}

fn help(app: &App, frame: &mut Frame<'_>) {
    let area = frame.area();
    let lines = u16::try_from(HELP.lines().count()).unwrap_or(u16::MAX);
    let widest = HELP.lines().map(str::len).max().unwrap_or(0);
    let widest = u16::try_from(widest).unwrap_or(u16::MAX);
    let place = area.centered(
        Constraint::Length(widest.saturating_add(4).min(area.width)),
        Constraint::Length(lines.saturating_add(2).min(area.height)),
    );
    let block = Block::bordered().title(" Keys ").title_style(accent(app));
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(HELP).block(block), place);
}
