//! What is called.

use std::net::{SocketAddr, ToSocketAddrs};

/// An MCP endpoint over Streamable HTTP, without TLS.
pub struct Target {
    pub address: SocketAddr,
    /// What comes after the method in every request: path, host and the caller's own headers.
    pub head: String,
}

impl Target {
    /// `headers` are lines `Name: value`. Looks the host up, once.
    pub fn new<'a>(url: &str, headers: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let rest = url
            .strip_prefix("http://")
            .ok_or(format!("--url {url}: give a URL that begins with http://"))?;
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let with_port = if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let found = with_port
            .to_socket_addrs()
            .ok()
            .and_then(|mut all| all.find(SocketAddr::is_ipv4));
        let address = found.ok_or(format!("--url {url}: {host} has no IPv4 address"))?;
        let mut head = format!(" {path} HTTP/1.1\r\nHost: {host}\r\n");
        for header in headers {
            let (name, value) = header
                .split_once(':')
                .ok_or(format!("--header {header}: give 'Name: value'"))?;
            head.push_str(&format!("{}: {}\r\n", name.trim(), value.trim()));
        }
        Ok(Target { address, head })
    }
}
