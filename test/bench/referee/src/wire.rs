//! Bytes of HTTP/1.1 messages, for both sides.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where the body of a message ends (RFC 9112, section 6.3).
pub enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// A socket, and what has been read from it and is not used yet.
pub struct Wire {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    pub fn new(socket: TcpStream) -> Result<Self> {
        socket.set_nodelay(true)?;
        let buffer = Vec::with_capacity(16 * 1024);
        Ok(Wire { socket, buffer })
    }

    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.socket.write_all(bytes).await
    }

    /// Reads what is there, at least one byte; the end of the connection is an error.
    pub async fn fill(&mut self) -> Result<()> {
        match self.socket.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Takes a message whose head has `head` bytes off the buffer and appends its body to `body`. Trailers are not understood: nobody
    /// here sends any.
    pub async fn take(&mut self, head: usize, framing: Framing, body: &mut Vec<u8>) -> Result<()> {
        let end = match framing {
            Framing::Length(length) => {
                self.fill_to(head + length).await?;
                body.extend_from_slice(&self.buffer[head..head + length]);
                head + length
            }
            Framing::Chunked => self.chunks(head, body).await?,
            Framing::UntilClose => {
                while self.socket.read_buf(&mut self.buffer).await? > 0 {}
                body.extend_from_slice(&self.buffer[head..]);
                self.buffer.len()
            }
        };
        self.buffer.drain(..end);
        Ok(())
    }

    /// Appends the chunks from `at` on to `body`; resolves with where the last of them ends.
    async fn chunks(&mut self, mut at: usize, body: &mut Vec<u8>) -> Result<usize> {
        loop {
            match httparse::parse_chunk_size(&self.buffer[at..]) {
                Ok(httparse::Status::Complete((line, size))) => {
                    let data = at + line;
                    let end = data + size as usize;
                    at = end + b"\r\n".len();
                    self.fill_to(at).await?;
                    if size == 0 {
                        return Ok(at);
                    }
                    body.extend_from_slice(&self.buffer[data..end]);
                }
                Ok(httparse::Status::Partial) => self.fill().await?,
                Err(_) => return Err(malformed("the size of a chunk")),
            }
        }
    }

    async fn fill_to(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            self.fill().await?;
        }
        Ok(())
    }
}

/// The error for bytes that are no HTTP.
pub fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("{what} is malformed"))
}
