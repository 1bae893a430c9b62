//! An MCP session over Streamable HTTP.

use std::io::Write;

use crate::call::Call;
use crate::http::Connection;
use crate::target::Target;

/// The session era's revision that every server of today speaks.
const REVISION: &str = "2025-06-18";
const FILLER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// One session on one connection. Requests are put together in buffers that are used again: the load generator must stay cheap.
pub struct Session {
    connection: Connection,
    /// Everything of a POST up to the length of its body.
    prefix: String,
    last_id: u64,
    text: String,
    message: Vec<u8>,
    request: Vec<u8>,
}

impl Session {
    /// Opens a session; what went wrong is said in words.
    pub async fn open(target: &Target) -> Result<Self, String> {
        let common = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
        let mut session = Session {
            connection: Connection::new(target.address),
            prefix: format!("POST{}{common}", target.head),
            last_id: 1,
            text: String::new(),
            message: Vec::new(),
            request: Vec::new(),
        };
        let params = format!(
            r#"{{"protocolVersion":"{REVISION}","capabilities":{{}},"clientInfo":{{"name":"referee","version":"1"}}}}"#
        );
        write!(
            session.message,
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{params}}}"#
        )
        .expect("memory takes everything");
        let (status, id) = session.send().await.map_err(|error| format!("initialize: {error}"))?;
        let said = String::from_utf8_lossy(session.connection.body());
        if status != 200 || !said.contains("\"result\"") {
            let short: String = said.chars().take(200).collect();
            return Err(format!("initialize was answered with {status} {short}"));
        }
        session
            .prefix
            .push_str(&format!("MCP-Protocol-Version: {REVISION}\r\n"));
        if let Some(id) = id {
            session.prefix.push_str(&format!("Mcp-Session-Id: {id}\r\n"));
        }
        session.message.extend_from_slice(INITIALIZED.as_bytes());
        match session.send().await {
            Ok((status, _)) if status < 300 => Ok(session),
            Ok((status, _)) => Err(format!("notifications/initialized was answered with {status}")),
            Err(error) => Err(format!("notifications/initialized: {error}")),
        }
    }

    /// Calls once with a text that begins with `label` and that nobody else sends; the error says what was wrong with the answer.
    pub async fn call(&mut self, call: &Call, label: &str) -> Result<(), String> {
        self.last_id += 1;
        let id = self.last_id;
        self.text.clear();
        for part in [label, "-", &id.to_string(), "-", FILLER] {
            self.text.push_str(part);
        }
        let Call { before, after, .. } = call;
        let text = &self.text;
        write!(
            self.message,
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{before}{text}{after}}}"#
        )
        .expect("memory takes everything");
        let (status, _) = self
            .send()
            .await
            .map_err(|error| format!("connection: {}", error.kind()))?;
        call.check(status, self.connection.body(), id, &self.text)
    }

    /// Connections that were made beside the first one.
    pub fn reconnects(&self) -> u64 {
        self.connection.connects - 1
    }

    /// Ends the session politely; what the server says to that does not matter.
    pub async fn close(mut self) {
        let request = format!("DELETE{}Content-Length: 0\r\n\r\n", &self.prefix["POST".len()..]);
        let _ = self.connection.request(request.as_bytes()).await;
    }

    /// Posts the message, which is empty afterwards.
    async fn send(&mut self) -> std::io::Result<(u16, Option<String>)> {
        self.request.clear();
        let (prefix, length) = (&self.prefix, self.message.len());
        write!(self.request, "{prefix}Content-Length: {length}\r\n\r\n").expect("memory takes everything");
        self.request.append(&mut self.message);
        let response = self.connection.request(&self.request).await?;
        Ok((response.status, response.session))
    }
}
