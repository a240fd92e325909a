//! Requests and answers, one a connection, by hand: a kill may come between any two bytes of them.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What came of an answer before its connection ended.
pub struct Received {
    /// The id of the request, where it came so far.
    pub request: String,
    pub body: String,
    /// All of it came.
    pub is_whole: bool,
}

/// A request to `/graphql` with a token and a purpose.
pub fn message((token, purpose): (&str, &str), body: &Value, key: Option<&str>) -> String {
    let body = body.to_string();
    let key = key.map(|key| format!("Idempotency-Key: \"{key}\"\r\n")).unwrap_or_default();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nSamverka-Purpose: {purpose}\r\n{key}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request; nothing where nobody takes it.
pub fn send(address: SocketAddr, message: &str) -> Option<TcpStream> {
    let mut socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    socket.write_all(message.as_bytes()).ok()?;
    Some(socket)
}

/// Reads an answer to its end, or to the kill; nothing where its head did not come.
pub fn receive(socket: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    _ = socket.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        let fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    };
    let length: Option<usize> = header("content-length").and_then(|length| length.parse().ok());
    let request = header("x-request-id").unwrap_or_default().to_owned();
    Some(Received { request, body: body.to_owned(), is_whole: length == Some(body.len()) })
}
