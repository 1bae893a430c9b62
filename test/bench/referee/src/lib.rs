//! The referee of the benchmarks: an MCP echo server (`upstream`) and a load generator (`loadgen`), both over Streamable HTTP and on one
//! thread. They are written apart from the gateway and in another language, so that neither shares a fault of the gateway's or takes the
//! core that it needs. Each costs about ten microseconds of CPU per call.

pub mod bench;
pub mod call;
pub mod http;
pub mod mcp;
pub mod opening;
pub mod options;
pub mod process;
pub mod program;
pub mod rate;
pub mod sessions;
pub mod target;
pub mod upstream;
pub mod wire;
