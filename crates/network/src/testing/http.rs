//! One plain HTTP request, for what no client of ours sends.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// Posts JSON to a server, and gives its answer as it came, head and all. It blocks.
pub(super) fn post(host: &str, path: &str, body: &str) -> String {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    send(host, &request)
}

/// What a server shows at `http://host/path`, head and all. It blocks.
pub fn get(url: &str) -> String {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    send(host, &request)
}

fn send(host: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
