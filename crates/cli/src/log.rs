//! Logs: to stderr, as text or as JSON.

use std::{fmt, io::IsTerminal};
use tracing_subscriber::EnvFilter;

/// What a line of the log looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people; coloured in a terminal, plain in files and pipes.
    #[default]
    Text,
    /// For programs: one JSON object a line, with the fields of its spans.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Starts logging: errors by default, more with each `-v`, and as `RUST_LOG` says where it is set. Nothing by default
/// where it is `told` already: a story whose parts all run in this process, and may be meant to fail.
pub(crate) fn start(verbose: u8, format: LogFormat, told: bool) {
    let default = match verbose {
        0 if told => "off",
        0 => "error",
        1 => "warn,atoma=info",
        2 => "info,atoma=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(wants_colour(&std::io::stderr())).init(),
        LogFormat::Json => log.json().flatten_event(true).with_ansi(false).init(),
    }
}

/// Whether colours are wanted there: in a terminal, unless <https://no-color.org> is asked for.
pub(crate) fn wants_colour(stream: &impl IsTerminal) -> bool {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !declined
}
