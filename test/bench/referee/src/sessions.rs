//! `loadgen sessions`: the memory that a session with an open connection takes.

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{json, Value};
use tokio::time::sleep;

use crate::call::Call;
use crate::opening::open_all;
use crate::process::ProcessTree;
use crate::target::Target;

/// Opens `count` sessions with one call each, reads the memory after a rest, calls in each of them again, ends them all, and reads the
/// memory once more after a rest.
pub async fn sessions(target: Target, call: Call, count: usize, pids: &[u32], rest: Duration) -> Value {
    let call = Rc::new(call);
    let (before, began) = (ProcessTree::below(pids), Instant::now());
    let (cpu_before, rss_before) = (before.cpu_us(), before.rss_kb());
    let (mut held, mut errors) = open_all(target, count, Some(call.clone())).await;
    let (opened, seconds) = (held.len(), began.elapsed().as_secs_f64());
    let cpu_us = ProcessTree::below(pids).cpu_us().saturating_sub(cpu_before);
    sleep(rest).await;
    let rss_held = ProcessTree::below(pids).rss_kb();
    let mut second_ok = 0;
    for (index, session) in held.iter_mut().enumerate() {
        match session
            .call(&call, &format!("second-{}-{index}", std::process::id()))
            .await
        {
            Ok(()) => second_ok += 1,
            Err(error) => *errors.entry(format!("second call: {error}")).or_default() += 1,
        }
    }
    for session in held {
        session.close().await;
    }
    sleep(rest).await;
    let rss_closed = ProcessTree::below(pids).rss_kb();
    json!({
        "sessions": count, "opened": opened, "second_ok": second_ok, "errors": errors,
        "open_seconds": seconds, "opens_per_second": opened as f64 / seconds,
        "cpu_us_per_open": cpu_us as f64 / count as f64,
        "rss_before_kb": rss_before, "rss_held_kb": rss_held, "rss_closed_kb": rss_closed,
        "kb_per_session": (rss_held as f64 - rss_before as f64) / count as f64,
    })
}
