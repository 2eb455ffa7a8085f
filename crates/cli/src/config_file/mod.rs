//! Configuration files in TOML: reading one, and saying of a mistake where it stands and what may have
//! been meant. Every file is read through here, so that all speak of mistakes alike.

mod toml_words;

use crate::guess;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

/// A file that was read, and whose top-level keys can be changed before it is taken as a type.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    place: Place,
    table: Table,
    /// Keys that were taken out, or looked for: the type of the rest doesn't know them, and the file may have them.
    taken: Vec<String>,
}

/// What mistakes are shown in.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    text: String,
}

/// Why a configuration file can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// It can't be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// Where the file is.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It says something that it can't.
    #[error("{path}{at}: {problem}", path = path.display())]
    Wrong {
        /// Where the file is.
        path: PathBuf,
        /// Where, as far as that is known.
        at: At,
        /// What is wrong, and what may have been meant.
        problem: String,
    },
}

/// What is said after a file's name of the place in it. Both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Nothing: it can't be told where the mistake stands.
    Unknown,
    /// The line alone, as in `:7`.
    Line(usize),
    /// The very letter, as in `, line 7, column 3`.
    Column {
        /// The line's number.
        line: usize,
        /// The letter's number in its line.
        column: usize,
    },
}

impl ConfigFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::of(path.to_owned(), text)
    }

    /// The same where the file need not be there.
    pub(crate) fn read_if_there(path: &Path) -> Result<Option<Self>, ConfigError> {
        match Self::read(path) {
            Err(ConfigError::Read { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// A file that says nothing.
    pub(crate) fn empty() -> Self {
        Self {
            place: Place {
                path: PathBuf::from("defaults"),
                text: String::new(),
            },
            table: Table::new(),
            taken: Vec::new(),
        }
    }

    fn of(path: PathBuf, text: String) -> Result<Self, ConfigError> {
        let place = Place { path, text };
        let parsed = place.text.parse();
        let table = parsed.map_err(|error| place.broken(&error))?;
        Ok(Self {
            place,
            table,
            taken: Vec::new(),
        })
    }

    /// Whether it says anything of a top-level key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Sets a top-level key to a text, over what the file says.
    pub(crate) fn set(&mut self, key: &str, text: String) {
        self.table.insert(key.to_owned(), Value::String(text));
    }

    /// The same where the file says nothing of it.
    pub(crate) fn set_default(&mut self, key: &str, text: &str) {
        if !self.has(key) {
            self.set(key, text.to_owned());
        }
    }

    /// Takes a top-level key out.
    pub(crate) fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, ConfigError> {
        self.taken.push(key.to_owned());
        let Some(value) = self.table.remove(key) else {
            return Ok(None);
        };
        let taken = value.try_into();
        taken
            .map(Some)
            .map_err(|error| self.place.wrong_in(Some(key), &error, &[]))
    }

    /// Adds to a top-level section what it doesn't name, as in `defaults`.
    pub(crate) fn set_defaults<T: Serialize>(&mut self, section: &str, defaults: &T) {
        // a section's type is a table, which TOML can hold
        let defaults = Table::try_from(defaults).unwrap_or_default();
        let named = self
            .table
            .entry(section)
            .or_insert_with(|| Table::new().into());
        // what isn't a table is refused when the file is taken as its type
        if let Some(named) = named.as_table_mut() {
            for (key, default) in defaults {
                named.entry(key).or_insert(default);
            }
        }
    }

    /// All that is left of it.
    pub(crate) fn parse<T: DeserializeOwned>(self) -> Result<T, ConfigError> {
        let parsed = self.table.try_into();
        parsed.map_err(|error| self.place.wrong_in(None, &error, &self.taken))
    }

    /// What somebody else found wrong with the same text.
    pub(crate) fn wrong(&self, error: &toml::de::Error) -> ConfigError {
        self.place.wrong_in(None, error, &self.taken)
    }

    /// The text as it stands in the file.
    pub(crate) fn text(&self) -> &str {
        &self.place.text
    }
}

impl Place {
    /// What is wrong with a text that isn't TOML.
    fn broken(&self, error: &toml::de::Error) -> ConfigError {
        let start = error.span().map_or(0, |span| span.start);
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Wrong {
            path: self.path.clone(),
            at: At::Column {
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
            },
            problem: toml_words::broken(error.message(), &self.text, start),
        }
    }

    /// What is wrong, perhaps in a part of the file that was taken as a type of its own. At the top the keys that were
    /// `taken` out are known, too.
    fn wrong_in(
        &self,
        part: Option<&str>,
        error: &toml::de::Error,
        taken: &[String],
    ) -> ConfigError {
        let mut keys: Vec<String> = part.iter().map(|part| (*part).to_owned()).collect();
        keys.extend(keys_of(error));
        let mut unknown = Unknown::read(error.message());
        if let Some(unknown) = unknown.as_mut().filter(|_| keys.is_empty()) {
            unknown.known.extend(taken.iter().map(String::as_str));
            unknown.known.sort_unstable();
        }
        let problem = problem(error.message(), &keys, unknown.as_ref());
        if let Some(Unknown {
            what: "key", name, ..
        }) = unknown
        {
            keys.push(name.to_owned());
        }
        let at = match error.span() {
            Some(span) => Some(span.start),
            None => DeTable::parse(&self.text)
                .ok()
                .and_then(|table| find(table.get_ref(), &keys)),
        };
        let before = at.and_then(|at| self.text.get(..at));
        ConfigError::Wrong {
            path: self.path.clone(),
            at: before.map_or(At::Unknown, |before| {
                At::Line(before.matches('\n').count() + 1)
            }),
            problem,
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::Line(line) => write!(f, ":{line}"),
            Self::Column { line, column } => write!(f, ", line {line}, column {column}"),
        }
    }
}

/// What is wrong, in one line.
fn problem(message: &str, keys: &[String], unknown: Option<&Unknown<'_>>) -> String {
    let of = match keys {
        [] => String::new(),
        keys => format!(" in `{}`", keys.join(".")),
    };
    let Some(Unknown { what, name, known }) = unknown else {
        return format!("{}{of}", toml_words::wrong(message.trim()));
    };
    let meant = guess::meant(name, known);
    format!("unknown {what} `{name}`{of}; {meant}")
}

/// The keys that lead to a mistake: the error tells them on its last line only.
fn keys_of(error: &toml::de::Error) -> Vec<String> {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let keys = last
        .strip_prefix("in `")
        .and_then(|keys| keys.strip_suffix('`'));
    keys.map_or_else(Vec::new, |keys| {
        keys.split('.').map(str::to_owned).collect()
    })
}

/// Where the last of these keys stands in a text.
fn find(table: &DeTable<'_>, keys: &[String]) -> Option<usize> {
    let (first, rest) = keys.split_first()?;
    let (key, value) = table.get_key_value(first.as_str())?;
    if rest.is_empty() {
        return Some(key.span().start);
    }
    match value.get_ref() {
        DeValue::Table(table) => find(table, rest),
        DeValue::Array(items) => items.iter().find_map(|item| match item.get_ref() {
            DeValue::Table(table) => find(table, rest),
            _ => None,
        }),
        _ => None,
    }
}

/// A name that isn't known, and those that are.
struct Unknown<'a> {
    what: &'static str,
    name: &'a str,
    known: Vec<&'a str>,
}

impl<'a> Unknown<'a> {
    /// Takes serde's text apart: "unknown field `a`, expected one of `b`, `c`".
    fn read(message: &'a str) -> Option<Self> {
        let (what, rest) = if let Some(rest) = message.strip_prefix("unknown field `") {
            ("key", rest)
        } else {
            ("value", message.strip_prefix("unknown variant `")?)
        };
        let (name, rest) = rest.split_once('`')?;
        // what is known stands in backticks: every other piece
        let known = rest.split('`').skip(1).step_by(2).collect();
        Some(Self { what, name, known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code)] // only read from files
    struct Example {
        listen: String,
        limits: Limits,
        mode: Option<Mode>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code)] // as above
    struct Limits {
        max_requests: u64,
        max_connections: u64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Fast,
        Careful,
    }

    fn mistake(text: &str) -> String {
        let file = ConfigFile::of("a.toml".into(), text.to_owned());
        let parsed = file.and_then(ConfigFile::parse::<Example>);
        parsed.unwrap_err().to_string()
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_what_was_meant() {
        assert_eq!(
            mistake("# comment\nlisten = \"x\"\nlimts = 1\n"),
            "a.toml:3: unknown key `limts`; did you mean `limits`?"
        );
        assert_eq!(
            mistake("[limits]\nmax_reqests = 1\n"),
            "a.toml:2: unknown key `max_reqests` in `limits`; did you mean `max_requests`?"
        );
        assert_eq!(
            mistake("colour = 1\n"),
            "a.toml:1: unknown key `colour`; known are limits, listen, mode"
        );
        assert_eq!(
            mistake("mode = \"carefull\"\n"),
            "a.toml:1: unknown value `carefull` in `mode`; did you mean `careful`?"
        );
    }

    #[test]
    fn a_wrong_value_and_broken_toml_are_placed() {
        let wrong = mistake("\n[limits]\nmax_requests = \"many\"\n");
        assert_eq!(
            wrong,
            "a.toml:3: the text \"many\" stands where a whole number is expected in `limits.max_requests`"
        );
        assert_eq!(
            mistake("# é\nlisten = \n"),
            "a.toml, line 2, column 10: a value is missing after `=`"
        );
    }

    #[test]
    fn keys_can_be_set_and_taken() {
        let text = "listen = \"a\"\nextra = [1, 2]\n".to_owned();
        let mut file = ConfigFile::of("a.toml".into(), text).unwrap();
        assert_eq!(file.take::<Vec<u64>>("extra").unwrap(), Some(vec![1, 2]));
        assert_eq!(file.take::<Vec<u64>>("extra").unwrap(), None);
        let mut misspelt = ConfigFile::of("a.toml".into(), "colour = 1\n".to_owned()).unwrap();
        misspelt.take::<Vec<u64>>("extra").unwrap();
        assert_eq!(
            misspelt.parse::<Example>().unwrap_err().to_string(),
            "a.toml:1: unknown key `colour`; known are extra, limits, listen, mode"
        );
        file.set_default("listen", "b");
        file.set("mode", "fast".to_owned());
        let example: Example = file.parse().unwrap();
        assert_eq!(example.listen, "a");
        assert!(matches!(example.mode, Some(Mode::Fast)));
        let nothing: Example = ConfigFile::empty().parse().unwrap();
        assert_eq!(nothing.listen, "");
    }
}
