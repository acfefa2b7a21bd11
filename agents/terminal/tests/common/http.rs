//! HTTP as it is said, with whatever headers a test wants.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// What came back.
pub(crate) struct Said {
    pub(crate) status: u16,
    /// With names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Said {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The host and port in a page's address.
pub(crate) fn authority(page: &str) -> &str {
    page.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/')
}

/// Says one request to a page; `host` is among the headers where it is to be another.
pub(crate) fn ask(page: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Said {
    ask_over(TcpStream::connect(authority(page)).unwrap(), page, method, path, headers, body)
}

/// The same over whatever leads there.
pub(crate) fn ask_over(
    mut stream: impl Read + Write,
    page: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Said {
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        head += &format!("host: {}\r\n", authority(page));
    }
    if !body.is_empty() {
        head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).unwrap();
    // Where the answer needs none of it, the other end may have closed.
    let _ = stream.write_all(body);
    let mut said = Vec::new();
    let mut part = [0; 65_536];
    // A reset after the answer takes nothing of it back.
    while let Ok(length @ 1..) = stream.read(&mut part) {
        said.extend_from_slice(&part[..length]);
    }
    parse(&said)
}

fn parse(said: &[u8]) -> Said {
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&said[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    };
    let headers: Vec<_> = lines.map(header).collect();
    let body = said[end + 4..].to_vec();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Said { status, headers, body: if chunked { whole(&body) } else { body } }
}

/// What is in the chunks.
fn whole(mut body: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        all.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 4 + length..];
    }
    all
}
