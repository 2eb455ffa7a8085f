//! Jinja's tests (`is …`) where Python's types make a difference.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error};

/// Adds them all.
pub(super) fn add(environment: &mut Environment<'static>) {
    use ValueKind::{Bool, Iterable, Map, Number, Seq, String, Undefined};
    let is = |value: &Value, kinds: &[ValueKind]| kinds.contains(&value.kind());
    environment.add_test("mapping", move |value: &Value| is(value, &[Map]));
    environment.add_test("string", move |value: &Value| is(value, &[String]));
    environment.add_test("boolean", move |value: &Value| is(value, &[Bool]));
    // What has a length and can be asked for its parts: texts and dictionaries, too.
    environment.add_test("sequence", move |value: &Value| {
        is(value, &[Seq, Iterable, Map, String, Undefined])
    });
    environment.add_test("iterable", move |value: &Value| {
        is(value, &[Seq, Iterable, Map, String, Undefined])
    });
    // In Python, truth values are numbers.
    environment.add_test("number", move |value: &Value| is(value, &[Bool, Number]));
    environment.add_test("integer", move |value: &Value| {
        is(value, &[Number]) && value.is_integer()
    });
    environment.add_test("float", move |value: &Value| {
        is(value, &[Number]) && !value.is_integer()
    });
    environment.add_test("true", |value: &Value| {
        value.kind() == Bool && value.is_true()
    });
    environment.add_test("false", |value: &Value| {
        value.kind() == Bool && !value.is_true()
    });
    environment.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
    let cased = |value: &Value, upper: bool| {
        let text = super::python::str(value);
        let wrong = |c: char| {
            if upper {
                c.is_lowercase()
            } else {
                c.is_uppercase()
            }
        };
        text.chars().any(char::is_alphabetic) && !text.chars().any(wrong)
    };
    environment.add_test("upper", move |value: &Value| cased(value, true));
    environment.add_test("lower", move |value: &Value| cased(value, false));
    environment.add_test(
        "divisibleby",
        |value: i64, by: i64| -> Result<bool, Error> {
            match value.checked_rem(by) {
                Some(rest) => Ok(rest == 0),
                None => Err(super::args::wrong("division by zero")),
            }
        },
    );
}
