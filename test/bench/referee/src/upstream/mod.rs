//! The MCP echo server behind the gateway: revision 2025-06-18, Streamable HTTP, strict sessions, JSON answers. Its messages are those of
//! `../echo-upstream.mjs`, so that one can stand in for the other.

mod answer;
mod request;
mod server;
mod session_table;
mod stream;

pub use server::serve;
