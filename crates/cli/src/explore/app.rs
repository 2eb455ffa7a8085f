//! What the terminal shows and how keys change it. No I/O: rows come in, a frame is drawn from it.

use super::{
    cell::Cell,
    related::Related,
    sections::{Row, Section},
};
use atoma_index::Progress;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Longer searches find nothing.
const LONGEST_SEARCH: usize = 128;
/// Rows that a page key moves by.
const PAGE: usize = 10;

/// What a key asks of the loop around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Draw the screen again as it is.
    Draw,
    /// The section is another: load its rows.
    Load,
    /// The selected row is another: load what belongs to it.
    Select,
    /// Give the terminal back and end.
    Quit,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) title: String,
    pub(crate) colour: bool,
    pub(crate) section: Section,
    pub(crate) progress: Progress,
    rows: Vec<Row>,
    /// Places in `rows` that pass the search, in the order shown.
    shown: Vec<usize>,
    pub(crate) selected: usize,
    pub(crate) related: Related,
    pub(crate) search: String,
    pub(crate) searching: bool,
    /// The sorting column, and whether from the largest; the section's own order without.
    pub(crate) sort: Option<(usize, bool)>,
    pub(crate) help: bool,
    /// Lines of the detail above the window.
    pub(crate) scroll: u16,
}

impl App {
    pub(crate) fn new(section: Section, title: String, colour: bool) -> Self {
        Self {
            title,
            colour,
            section,
            progress: Progress::default(),
            rows: Vec::new(),
            shown: Vec::new(),
            selected: 0,
            related: Related::default(),
            search: String::new(),
            searching: false,
            sort: None,
            help: false,
            scroll: 0,
        }
    }

    /// Takes fresh rows of the section; the selected row stays selected where it still is.
    pub(crate) fn set_rows(&mut self, rows: Vec<Row>) {
        let key = |row: &Row| row.cells.iter().take(2).cloned().collect::<Vec<_>>();
        // the overview is one row, whose first facts change
        let before = self.row().map(key);
        self.rows = rows;
        self.arrange();
        let place = before.and_then(|before| {
            let mut shown = self.shown.iter();
            shown.position(|&place| key(&self.rows[place]) == before)
        });
        self.selected = place.unwrap_or(self.selected).min(self.last());
    }

    /// The selected row.
    pub(crate) fn row(&self) -> Option<&Row> {
        self.shown
            .get(self.selected)
            .map(|&place| &self.rows[place])
    }

    /// The rows shown, in order.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Row> {
        self.shown.iter().map(|&place| &self.rows[place])
    }

    /// How many rows are shown, and of how many.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.shown.len(), self.rows.len())
    }

    fn last(&self) -> usize {
        self.shown.len().saturating_sub(1)
    }

    /// Searches and sorts anew.
    fn arrange(&mut self) {
        let wanted = self.search.to_lowercase();
        let found = |row: &Row| {
            let mut cells = row.cells.iter();
            wanted.is_empty() || cells.any(|(_, cell)| cell.text().to_lowercase().contains(&wanted))
        };
        self.shown = (0..self.rows.len())
            .filter(|&place| found(&self.rows[place]))
            .collect();
        if let Some((column, from_largest)) = self.sort
            && let Some(name) = self.section.columns().get(column)
        {
            let rows = &self.rows;
            let cell = |place: &usize| rows[*place].get(name).unwrap_or(&Cell::None);
            self.shown.sort_by(|a, b| cell(a).cmp(cell(b)));
            if from_largest {
                self.shown.reverse();
            }
        }
        self.selected = self.selected.min(self.last());
    }

    /// What a key does.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Action {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Action::Quit,
                _ => Action::Draw,
            };
        }
        if self.searching {
            return self.search_key(key.code);
        }
        if self.help {
            self.help = false;
            return Action::Draw;
        }
        match key.code {
            KeyCode::Char('q') => Action::Quit,
            KeyCode::Esc if self.search.is_empty() => Action::Draw,
            KeyCode::Esc => {
                self.search.clear();
                self.arrange();
                self.moved(self.selected)
            }
            KeyCode::Char('?') => {
                self.help = true;
                Action::Draw
            }
            KeyCode::Char('/') => {
                self.searching = true;
                Action::Draw
            }
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.turn(1),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => {
                self.turn(Section::ALL.len() - 1)
            }
            KeyCode::Char(digit @ '1'..='7') => {
                // '1' to '7' are one to seven
                let place = digit as usize - '1' as usize;
                self.go(Section::ALL[place])
            }
            KeyCode::Down | KeyCode::Char('j') => self.moved(self.selected.saturating_add(1)),
            KeyCode::Up | KeyCode::Char('k') => self.moved(self.selected.saturating_sub(1)),
            KeyCode::PageDown => self.moved(self.selected.saturating_add(PAGE)),
            KeyCode::PageUp => self.moved(self.selected.saturating_sub(PAGE)),
            KeyCode::Home | KeyCode::Char('g') => self.moved(0),
            KeyCode::End | KeyCode::Char('G') => self.moved(self.last()),
            KeyCode::Char('s') => {
                let columns = self.section.columns().len();
                self.sort = match self.sort {
                    None => Some((0, false)),
                    Some((column, _)) if column + 1 < columns => Some((column + 1, false)),
                    Some(_) => None,
                };
                self.arrange();
                Action::Select
            }
            KeyCode::Char('r') => {
                self.sort = self.sort.map(|(column, largest)| (column, !largest));
                self.arrange();
                Action::Select
            }
            KeyCode::Char(']') => {
                let lines = self.row().map_or(0, |row| row.cells.len()) + self.related.lines.len();
                let lines = u16::try_from(lines).unwrap_or(u16::MAX);
                self.scroll = self.scroll.saturating_add(1).min(lines);
                Action::Draw
            }
            KeyCode::Char('[') => {
                self.scroll = self.scroll.saturating_sub(1);
                Action::Draw
            }
            _ => Action::Draw,
        }
    }

    fn search_key(&mut self, code: KeyCode) -> Action {
        match code {
            KeyCode::Enter => self.searching = false,
            KeyCode::Esc => {
                self.searching = false;
                self.search.clear();
            }
            KeyCode::Backspace => {
                self.search.pop();
            }
            KeyCode::Char(c) if self.search.len() < LONGEST_SEARCH => self.search.push(c),
            _ => {}
        }
        self.arrange();
        Action::Select
    }

    fn moved(&mut self, to: usize) -> Action {
        self.selected = to.min(self.last());
        self.scroll = 0;
        Action::Select
    }

    fn turn(&mut self, by: usize) -> Action {
        let here = Section::ALL.iter().position(|s| *s == self.section);
        self.go(Section::ALL[(here.unwrap_or(0) + by) % Section::ALL.len()])
    }

    fn go(&mut self, section: Section) -> Action {
        self.section = section;
        self.rows.clear();
        self.shown.clear();
        self.selected = 0;
        self.scroll = 0;
        self.sort = None;
        self.search.clear();
        Action::Load
    }
}
