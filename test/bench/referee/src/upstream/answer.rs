//! What the server answers. Messages are written as text: most of each is the same every time.

use std::io::Write;

use serde_json::Value;

use super::request::{Method, Request};
use super::session_table::SessionTable;
use super::stream::Stream;

const JSON: &str = "Content-Type: application/json\r\n";
const INITIALIZED: &str =
    r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"bench-echo","version":"1"}}"#;
const TOOLS: &str = concat!(
    r#"{"tools":[{"name":"echo","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"#,
    r#""required":["text"]},"annotations":{"readOnlyHint":true}},"#,
    r#"{"name":"bytes","inputSchema":{"type":"object","properties":{"text":{"type":"string"},"size":{"type":"integer"}}}},"#,
    r#"{"name":"stream","inputSchema":{"type":"object","properties":{"text":{"type":"string"},"count":{"type":"integer"}}}}]}"#,
);
const PADDING: &str = "abcdefghij ";

/// Writes the answer to `out`; the one of the tool `stream` is to be sent by the stream that is returned.
pub fn answer(request: &Request, body: &[u8], sessions: &SessionTable, out: &mut Vec<u8>) -> Option<Stream> {
    if request.method == Method::Delete {
        request.session.iter().for_each(|id| sessions.close(id));
        out.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n");
        return None;
    }
    if request.method != Method::Post {
        respond(out, "405 Method Not Allowed", "", b"");
        return None;
    }
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        refuse(out, "400 Bad Request", "Parse error");
        return None;
    };
    let method = message["method"].as_str().unwrap_or("");
    if method == "initialize" {
        let headers = format!("{JSON}Mcp-Session-Id: {}\r\n", sessions.open());
        reply(out, &message["id"], INITIALIZED.as_bytes(), &headers);
        return None;
    }
    if !request.session.as_ref().is_some_and(|id| sessions.has(id)) {
        refuse(out, "404 Not Found", "Session not found");
        return None;
    }
    match (message.get("id"), method) {
        (None, _) => respond(out, "202 Accepted", "", b""),
        (Some(id), "tools/list") => reply(out, id, TOOLS.as_bytes(), JSON),
        (Some(id), "tools/call") => return call(id, &message["params"], out),
        (Some(id), _) => reply(out, id, b"{}", JSON),
    }
    None
}

fn call(id: &Value, params: &Value, out: &mut Vec<u8>) -> Option<Stream> {
    let arguments = &params["arguments"];
    let text = arguments["text"].as_str().unwrap_or("");
    match params["name"].as_str() {
        Some("stream") => return Some(Stream::new(id, params, text)),
        Some("bytes") => {
            let size = arguments["size"].as_u64().unwrap_or(0) as usize;
            let missing = size.saturating_sub(text.len());
            let padding = PADDING.repeat(missing.div_ceil(PADDING.len()));
            reply(out, id, &said(&format!("{text}{}", &padding[..missing])), JSON);
        }
        _ => reply(out, id, &said(text), JSON),
    }
    None
}

/// The result of a tool that says this text.
pub fn said(text: &str) -> Vec<u8> {
    let mut result = br#"{"content":[{"type":"text","text":"#.to_vec();
    serde_json::to_writer(&mut result, text).expect("a text is JSON");
    result.extend_from_slice(b"}]}");
    result
}

/// A JSON-RPC response with a result.
pub fn response(id: &Value, result: &[u8]) -> Vec<u8> {
    let mut message = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#).into_bytes();
    message.extend_from_slice(result);
    message.push(b'}');
    message
}

fn reply(out: &mut Vec<u8>, id: &Value, result: &[u8], headers: &str) {
    respond(out, "200 OK", headers, &response(id, result));
}

fn refuse(out: &mut Vec<u8>, status: &str, why: &str) {
    let body = format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32000,"message":"{why}"}}}}"#);
    respond(out, status, JSON, body.as_bytes());
}

fn respond(out: &mut Vec<u8>, status: &str, headers: &str, body: &[u8]) {
    write!(
        out,
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .expect("memory takes everything");
    out.extend_from_slice(body);
}
