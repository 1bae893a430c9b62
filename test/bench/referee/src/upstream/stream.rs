//! The answer of the tool `stream`: progress notifications, then the result, as Server-Sent Events.

use std::io::Result;

use serde_json::Value;

use super::answer::{response, said};
use crate::wire::Wire;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
/// Events that are written before anything else gets its turn.
const GROUP: u64 = 10;

pub struct Stream {
    count: u64,
    /// JSON of the progress notifications up to the progress, with the token that the caller gave.
    before: String,
    /// JSON of the text, as it stands in each message.
    text: String,
    response: Vec<u8>,
}

impl Stream {
    pub fn new(id: &Value, params: &Value, text: &str) -> Self {
        let token = params["_meta"].get("progressToken");
        let token = token
            .map(|token| format!(r#""progressToken":{token},"#))
            .unwrap_or_default();
        let quoted = Value::from(text).to_string();
        Stream {
            count: params["arguments"]["count"].as_u64().unwrap_or(0),
            before: format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{{token}"#),
            text: quoted[1..].to_owned(),
            response: response(id, &said(text)),
        }
    }

    /// Writes each event by itself, in groups, as a server that works meanwhile does.
    pub async fn send(&self, wire: &mut Wire) -> Result<()> {
        wire.send(HEAD.as_bytes()).await?;
        let Stream {
            count, before, text, ..
        } = self;
        for progress in 1..=*count {
            let rest = format!(r#""progress":{progress},"total":{count},"message":"step {progress} of {text}}}}}"#);
            wire.send(&event(&[before.as_bytes(), rest.as_bytes()].concat()))
                .await?;
            if progress % GROUP == 0 {
                tokio::task::yield_now().await;
            }
        }
        let mut last = event(&self.response);
        last.extend_from_slice(b"0\r\n\r\n");
        wire.send(&last).await
    }
}

/// One event in a chunk of its own.
fn event(message: &[u8]) -> Vec<u8> {
    let data = [b"event: message\ndata: ", message, b"\n\n"].concat();
    let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
    chunk.extend_from_slice(&data);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
