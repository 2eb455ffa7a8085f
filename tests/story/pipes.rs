//! Output that somebody stops reading, and logs that nobody but a program reads.

use crate::atoma::plain;
use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

/// What a shell reports of a program that SIGPIPE ended.
const SIGPIPE_STATUS: i32 = 141;

#[test]
fn a_demo_whose_reader_leaves_ends_quietly_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = plain()
        .arg("demo")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // as `head -1` does
    let mut stdout = BufReader::new(demo.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let mut said = String::new();
    let mut stderr = demo.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    let status = demo.wait().unwrap();
    assert_eq!(status.code(), Some(SIGPIPE_STATUS), "{said}");
    assert_eq!(said, "");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn commands_that_only_print_end_quietly_as_well() {
    for args in [
        &["completions", "bash"][..],
        &["cost"],
        &["localnet", "config"],
    ] {
        let mut child = plain()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        // a short text may be in the pipe before its reader goes
        let status = output.status.code();
        assert!(
            matches!(status, Some(0 | SIGPIPE_STATUS)),
            "{args:?}: {status:?}"
        );
    }
}

#[test]
fn a_full_disk_is_an_error_and_no_reader_that_left() {
    for args in [&["completions", "bash"][..], &["cost"], &["--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = plain().args(args).stdout(full.unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("cannot write the output"), "{said}");
    }
}

#[test]
fn a_log_in_a_pipe_has_no_colours_and_is_json_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let logged = |format: &str| {
        let output = plain()
            .args(["--home", folder.path().to_str().unwrap()])
            .args(["--ledger", "http://127.0.0.1:9", "task", "list"])
            .env("RUST_LOG", "trace")
            .env("ATOMA_LOG_FORMAT", format)
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let text = logged("text");
    assert!(
        text.lines().count() > 1 && !text.contains('\u{1b}'),
        "{text}"
    );
    let json = logged("json");
    let lines: Vec<&str> = json.lines().filter(|line| line.starts_with('{')).collect();
    assert!(!lines.is_empty(), "{json}");
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string());
    }
}
