//! An HTTP/1.1 client with one request at a time.

use std::io::{ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wire::{malformed, Framing, Wire};

/// An answer that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(30);
const MOST_HEADERS: usize = 64;

/// What a head says beside how the message is framed. The body stays with the connection.
pub struct Response {
    pub status: u16,
    /// `Mcp-Session-Id`.
    pub session: Option<String>,
}

/// A keep-alive connection. It connects for the first request, and anew for the next one after the server has closed or a request failed.
pub struct Connection {
    address: SocketAddr,
    wire: Option<Wire>,
    body: Vec<u8>,
    /// How often it has connected.
    pub connects: u64,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Connection {
            address,
            wire: None,
            body: Vec::new(),
            connects: 0,
        }
    }

    /// The body of the last response.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Sends a whole request and reads the response to it.
    pub async fn request(&mut self, bytes: &[u8]) -> Result<Response> {
        let response = match timeout(LIMIT, self.exchange(bytes)).await {
            Ok(response) => response,
            Err(_) => Err(ErrorKind::TimedOut.into()),
        };
        if response.is_err() {
            self.wire = None;
        }
        response
    }

    async fn exchange(&mut self, bytes: &[u8]) -> Result<Response> {
        if self.wire.is_none() {
            self.wire = Some(Wire::new(TcpStream::connect(self.address).await?)?);
            self.connects += 1;
        }
        let wire = self.wire.as_mut().expect("it is connected");
        wire.send(bytes).await?;
        let head = loop {
            match Head::parse(wire.buffered())? {
                Some(head) => break head,
                None => wire.fill().await?,
            }
        };
        self.body.clear();
        wire.take(head.length, head.framing, &mut self.body).await?;
        if head.closes {
            self.wire = None;
        }
        Ok(head.response)
    }
}

struct Head {
    length: usize,
    framing: Framing,
    closes: bool,
    response: Response,
}

impl Head {
    /// `None` as long as it is not complete.
    fn parse(bytes: &[u8]) -> Result<Option<Head>> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(malformed("the head of a response")),
        };
        let status = parsed.code.unwrap_or(0);
        let (mut framing, mut closes, mut session) = (None, false, None);
        for header in parsed.headers.iter() {
            let value = std::str::from_utf8(header.value).unwrap_or("").trim();
            if header.name.eq_ignore_ascii_case("content-length") {
                framing = value.parse().ok().map(Framing::Length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
                framing = Some(Framing::Chunked);
            } else if header.name.eq_ignore_ascii_case("mcp-session-id") {
                session = Some(value.to_owned());
            } else if header.name.eq_ignore_ascii_case("connection") {
                closes = value.eq_ignore_ascii_case("close");
            }
        }
        let empty = matches!(status, 202 | 204 | 304);
        let framing = framing.unwrap_or(if empty { Framing::Length(0) } else { Framing::UntilClose });
        closes |= matches!(framing, Framing::UntilClose);
        Ok(Some(Head {
            length,
            framing,
            closes,
            response: Response { status, session },
        }))
    }
}
