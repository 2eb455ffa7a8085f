//! What is said of a value on the command line that can't be read: what it should look like, in place of
//! what a parser tripped over ("invalid digit found in string").

use crate::output::wrapped;
use atoma_types::{Address, ids::ParseIdError};
use clap::{
    Error,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{
    num::{IntErrorKind, ParseFloatError, ParseIntError},
    str::FromStr,
};

/// What clap's own lines are wrapped to, less its `error: `.
const LINE: usize = 72;

/// The same error in words for whoever typed it; any other as it is.
pub(crate) fn in_words(error: Error) -> Error {
    if error.kind() == ErrorKind::MissingSubcommand {
        return which(&error);
    }
    let expected = std::error::Error::source(&error).and_then(expected);
    let argument = error.get(ContextKind::InvalidArg);
    let value = error.get(ContextKind::InvalidValue);
    match (expected, argument, value) {
        (Some(expected), Some(argument), Some(value)) => Error::raw(
            ErrorKind::ValueValidation,
            format!(
                "invalid value '{value}' for '{argument}': {expected}\n\nFor more information, try '--help'.\n"
            ),
        ),
        _ => error,
    }
}

/// That a command is missing, and those that there are, in lines that fit.
fn which(error: &Error) -> Error {
    let command = error.get(ContextKind::InvalidSubcommand);
    let command = command.map_or_else(|| "atoma".to_owned(), ToString::to_string);
    let known = match error.get(ContextKind::ValidSubcommand) {
        Some(ContextValue::Strings(known)) => known.join(", "),
        _ => String::new(),
    };
    let text = format!("which command? {command} has {known}");
    Error::raw(
        ErrorKind::MissingSubcommand,
        format!(
            "{}\n\n`{command} --help` says what each does.\n",
            wrapped(&text, LINE, 2)
        ),
    )
}

/// What was expected where such an error came.
fn expected(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(number) = error.downcast_ref::<ParseIntError>() {
        let expected = match number.kind() {
            IntErrorKind::PosOverflow => "the number is too large",
            _ => "expected a whole number such as 1000",
        };
        return Some(expected.to_owned());
    }
    if error.is::<ParseFloatError>() {
        return Some("expected a number such as 12 or 0.25".to_owned());
    }
    if error.is::<<Address as FromStr>::Err>() {
        return Some(format!(
            "expected {}, as `atoma wallet list` shows for an address",
            ParseIdError::OBJECT_FORM
        ));
    }
    let id: &ParseIdError = error.downcast_ref()?;
    let shown = match id.kind() {
        "task" => " (`atoma task list` shows them)",
        "stack" => " (`atoma stack list` shows yours)",
        "node" => " (`atoma node list` shows them)",
        "request" => " (`atoma receipt list` shows yours)",
        _ => "",
    };
    Some(format!(
        "expected the id of a {}: {}{shown}",
        id.kind(),
        id.form()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{BlobId, TaskId};
    use clap::{Arg, Command, builder::ValueParser, value_parser};

    fn said(parser: impl Into<ValueParser>, value: &str) -> String {
        let argument = Arg::new("it").value_name("IT").value_parser(parser);
        let command = Command::new("test").arg(argument);
        let error = command.try_get_matches_from(["test", value]).unwrap_err();
        in_words(error).to_string()
    }

    #[test]
    fn a_value_that_cannot_be_read_is_told_what_it_should_look_like() {
        let text = said(value_parser!(u64), "many");
        assert!(
            text.contains("'many' for '[IT]': expected a whole number"),
            "{text}"
        );
        let text = said(value_parser!(TaskId), "llama");
        assert!(
            text.contains("0x and 64 hex digits (`atoma task list`"),
            "{text}"
        );
        let text = said(value_parser!(BlobId), "0x12");
        assert!(text.contains("of a blob: expected 43 characters"), "{text}");
        let text = said(value_parser!(Address), "me");
        assert!(text.contains("`atoma wallet list`"), "{text}");
    }

    #[test]
    fn a_command_that_is_missing_is_asked_for_in_lines_that_fit() {
        let names = [
            "alpha-alpha-alpha",
            "bravo-bravo-bravo",
            "charlie-charlie-charlie",
            "delta-delta-delta",
            "hotel-hotel-hotel",
        ];
        let names = names.map(Command::new);
        let command = Command::new("test")
            .subcommands(names)
            .subcommand_required(true);
        let said = in_words(command.try_get_matches_from(["test"]).unwrap_err()).to_string();
        assert!(
            said.contains("which command?") && said.contains("hotel-hotel-hotel"),
            "{said}"
        );
        assert!(said.lines().all(|line| line.len() <= 80), "{said}");
    }

    #[test]
    fn any_other_mistake_is_told_as_it_was() {
        let text = said(value_parser!(bool), "perhaps");
        assert!(text.contains("possible values"), "{text}");
    }
}
