//! The loop around the screen: keys, fresh rows, frames. Whatever ends it gives the terminal back.

use super::{
    app::{Action, App},
    draw::draw,
    related::{Related, related},
    sections::MOST_ROWS,
};
use anyhow::Result;
use atoma_index::{IndexReader, Progress};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyEventKind},
};
use std::time::Duration;
use tokio::sync::watch;

/// How long a frame stands without a key: how late the screen may be.
const FRAME: Duration = Duration::from_millis(200);

/// Gives the terminal back when it goes, by return or error; ratatui's own hook does it in a panic.
struct Screen(DefaultTerminal);

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the app until a key ends it, or `stop`. Blocks: it has a thread of its own.
pub(crate) fn run(
    mut app: App,
    reader: &IndexReader,
    progress: &watch::Receiver<Progress>,
    stop: &watch::Receiver<bool>,
) -> Result<()> {
    let mut screen = Screen(ratatui::try_init()?);
    let mut loaded = None;
    while !*stop.borrow() {
        app.progress = progress.borrow().clone();
        let version = reader.version()?;
        if loaded != Some(version) {
            load(&mut app, reader)?;
            loaded = Some(version);
        }
        screen.0.draw(|frame| draw(&app, frame))?;
        if !event::poll(FRAME)? {
            continue;
        }
        let Event::Key(key) = event::read()? else {
            // a new size, for which the next frame is drawn anyway
            continue;
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match app.key(key) {
            Action::Quit => break,
            Action::Load => load(&mut app, reader)?,
            Action::Select => select(&mut app, reader)?,
            Action::Draw => {}
        }
    }
    Ok(())
}

/// Loads the section's rows, and what belongs to the selected one, as of one moment.
pub(crate) fn load(app: &mut App, reader: &IndexReader) -> Result<()> {
    let rows = reader.snapshot(|reader| app.section.rows(reader, MOST_ROWS))?;
    app.set_rows(rows);
    select(app, reader)
}

/// Loads what belongs to the selected row.
pub(crate) fn select(app: &mut App, reader: &IndexReader) -> Result<()> {
    app.related = match app.row() {
        Some(row) => reader.snapshot(|reader| related(reader, app.section, row.about))?,
        None => Related::default(),
    };
    Ok(())
}
