//! upstream [PORT]: the MCP echo server, on 127.0.0.1; prints its port when it listens. 0, the default, is a free one.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use referee::program::run;
use referee::upstream::serve;
use tokio::net::TcpListener;

fn main() -> ExitCode {
    run("upstream", upstream())
}

async fn upstream() -> Result<(), String> {
    let given = std::env::args().nth(1).unwrap_or("0".to_owned());
    let port: u16 = given.parse().map_err(|_| format!("\"{given}\" is no port"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("port {port}: {error}"))?;
    println!("{}", listener.local_addr().map_err(|error| error.to_string())?.port());
    serve(listener).await;
    Ok(())
}
