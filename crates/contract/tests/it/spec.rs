//! `docs/protocol.md` names every function, parameter and abort code as the code does.

use atoma_types::chain::{AbortCode, Call, Params};

#[test]
fn the_protocol_s_text_keeps_up() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let text = std::fs::read_to_string(path).unwrap();
    for function in Call::FUNCTIONS.iter().chain(Call::WALRUS_FUNCTIONS) {
        let name = format!("| `{}::{}`", function.module, function.name);
        assert!(text.contains(&name), "{name}");
    }
    for name in Params::NAMES {
        assert!(text.contains(&format!("| `{name}` |")), "{name}");
    }
    for code in AbortCode::ALL {
        let row = format!("| {} | `{}` | {} |", code.code(), code.name(), code.help());
        assert!(text.contains(&row), "missing: {row}");
    }
}
