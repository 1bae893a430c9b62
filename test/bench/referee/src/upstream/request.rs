//! HTTP requests, as the server reads them.

use std::io::Result;

use crate::wire::{malformed, Framing, Wire};

const MOST_HEADERS: usize = 64;

#[derive(PartialEq)]
pub enum Method {
    Post,
    Delete,
    Other,
}

/// The head of a request, as far as it matters.
pub struct Request {
    pub method: Method,
    /// `Mcp-Session-Id`.
    pub session: Option<String>,
    /// The caller wants no further answer on this connection.
    pub closes: bool,
}

impl Request {
    /// Reads the next one; its body replaces what is in `body`. The end of the connection is an error.
    pub async fn read(wire: &mut Wire, body: &mut Vec<u8>) -> Result<Request> {
        let (length, framing, request) = loop {
            match Request::parse(wire.buffered())? {
                Some(parsed) => break parsed,
                None => wire.fill().await?,
            }
        };
        body.clear();
        wire.take(length, framing, body).await?;
        Ok(request)
    }

    /// The length of the head, where the body ends, and the rest; `None` as long as the head is not complete.
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Framing, Request)>> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(malformed("the head of a request")),
        };
        let method = match parsed.method {
            Some("POST") => Method::Post,
            Some("DELETE") => Method::Delete,
            _ => Method::Other,
        };
        let mut request = Request {
            method,
            session: None,
            closes: false,
        };
        let mut framing = Framing::Length(0);
        for header in parsed.headers.iter() {
            let value = std::str::from_utf8(header.value).unwrap_or("").trim();
            if header.name.eq_ignore_ascii_case("content-length") {
                framing = Framing::Length(value.parse().map_err(|_| malformed("Content-Length"))?);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
                framing = Framing::Chunked;
            } else if header.name.eq_ignore_ascii_case("mcp-session-id") {
                request.session = Some(value.to_owned());
            } else if header.name.eq_ignore_ascii_case("connection") {
                request.closes = value.eq_ignore_ascii_case("close");
            }
        }
        Ok(Some((length, framing, request)))
    }
}
