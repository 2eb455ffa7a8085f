//! What the terminal shows and how keys change it. No I/O: rows come in, a frame is drawn from it.

use super::{cell::Cell, related::Related, rows::Row, sections::Section};
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
        if let Some(place) = self.place_by(key.code) {
            return self.moved(place);
        }
        if let Some(section) = self.section_by(key.code) {
            return self.go(section);
        }
        match key.code {
            KeyCode::Char('q') => Action::Quit,
            KeyCode::Esc if !self.search.is_empty() => {
                self.search.clear();
                self.arrange();
                self.moved(self.selected)
            }
            KeyCode::Char('s') => self.sort_by(self.next_sort()),
            KeyCode::Char('r') => {
                self.sort_by(self.sort.map(|(column, largest)| (column, !largest)))
            }
            KeyCode::Char('?') => {
                self.help = true;
                Action::Draw
            }
            KeyCode::Char('/') => {
                self.searching = true;
                Action::Draw
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

    /// The row that a key goes to.
    fn place_by(&self, code: KeyCode) -> Option<usize> {
        let selected = self.selected;
        Some(match code {
            KeyCode::Down | KeyCode::Char('j') => selected.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
            KeyCode::PageDown => selected.saturating_add(PAGE),
            KeyCode::PageUp => selected.saturating_sub(PAGE),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => self.last(),
            _ => return None,
        })
    }

    /// The section that a key goes to.
    fn section_by(&self, code: KeyCode) -> Option<Section> {
        Some(match code {
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.turned(1),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => {
                self.turned(Section::ALL.len() - 1)
            }
            // '1' to '7' are one to seven
            KeyCode::Char(digit @ '1'..='7') => Section::ALL[digit as usize - '1' as usize],
            _ => return None,
        })
    }

    /// By the next column from the smallest, or after the last one unsorted.
    fn next_sort(&self) -> Option<(usize, bool)> {
        let next = self.sort.map_or(0, |(column, _)| column + 1);
        (next < self.section.columns().len()).then_some((next, false))
    }

    fn sort_by(&mut self, sort: Option<(usize, bool)>) -> Action {
        self.sort = sort;
        self.arrange();
        Action::Select
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

    /// The section so many places further, round and round.
    fn turned(&self, by: usize) -> Section {
        let here = Section::ALL.iter().position(|s| *s == self.section);
        Section::ALL[(here.unwrap_or(0) + by) % Section::ALL.len()]
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
