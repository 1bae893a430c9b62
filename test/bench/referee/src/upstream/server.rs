//! The server's connections.

use std::io::Result;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::answer::answer;
use super::request::Request;
use super::session_table::SessionTable;
use crate::wire::Wire;

/// When the process has no descriptor left.
const PAUSE: Duration = Duration::from_millis(5);

/// Serves until the process ends.
pub async fn serve(listener: TcpListener) {
    let sessions = Rc::new(SessionTable::default());
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        spawn_local(converse(socket, sessions.clone()));
    }
}

/// Answers one connection's requests until it ends, which is an error like any other and nobody's fault.
async fn converse(socket: TcpStream, sessions: Rc<SessionTable>) -> Result<()> {
    let mut wire = Wire::new(socket)?;
    let (mut body, mut out) = (Vec::new(), Vec::new());
    loop {
        let request = Request::read(&mut wire, &mut body).await?;
        out.clear();
        match answer(&request, &body, &sessions, &mut out) {
            Some(stream) => stream.send(&mut wire).await?,
            None => wire.send(&out).await?,
        }
        if request.closes {
            return Ok(());
        }
    }
}
