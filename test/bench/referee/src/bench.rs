//! `loadgen bench`: calls per second, latency, and the CPU that a call costs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{json, Value};
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::call::Call;
use crate::mcp::Session;
use crate::opening::{open_all, Errors};
use crate::process::ProcessTree;
use crate::rate::Clock;
use crate::target::Target;

/// What is measured, and how.
pub struct Plan {
    pub target: Target,
    pub call: Call,
    /// Sessions with a connection each.
    pub sessions: usize,
    pub measured: Duration,
    pub warm: Duration,
    /// CPU and memory are those of these processes and what is below them.
    pub pids: Vec<u32>,
    /// Calls per second of all sessions together; as many as are answered when there is none.
    pub rate: Option<f64>,
}

/// After the walk through /proc, during which nobody calls: what became due meanwhile is no longer in the way.
const SETTLING: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Warming,
    Measuring,
    Ended,
}

/// What the sessions share.
struct Run {
    call: Call,
    clock: Option<Clock>,
    phase: Cell<Phase>,
    tally: RefCell<Tally>,
}

#[derive(Default)]
struct Tally {
    /// Microseconds of each right answer.
    latencies: Vec<u32>,
    errors: Errors,
    warm_errors: u64,
    reconnects: u64,
}

/// Opens the sessions, warms up and measures. Fails when a session cannot be opened.
pub async fn bench(plan: Plan) -> Result<Value, String> {
    let (sessions, errors) = open_all(plan.target, plan.sessions, None).await;
    if let Some(error) = errors.into_keys().next() {
        return Err(error);
    }
    let run = Rc::new(Run {
        call: plan.call,
        clock: plan.rate.map(Clock::start),
        phase: Cell::new(Phase::Warming),
        tally: RefCell::new(Tally {
            latencies: Vec::with_capacity(1 << 20),
            ..Tally::default()
        }),
    });
    let start = |(index, session)| spawn_local(drive(run.clone(), session, index));
    let drivers: Vec<_> = sessions.into_iter().enumerate().map(start).collect();
    sleep(plan.warm).await;
    let (tree, own) = (
        ProcessTree::below(&plan.pids),
        ProcessTree::below(&[std::process::id()]),
    );
    sleep(SETTLING).await;

    let (cpu_before, own_before, began) = (tree.cpu_us(), own.cpu_us(), Instant::now());
    run.phase.set(Phase::Measuring);
    sleep(plan.measured).await;
    run.phase.set(Phase::Ended);
    let seconds = began.elapsed().as_secs_f64();
    let (cpu_after, own_after) = (tree.cpu_us(), own.cpu_us());

    let tree_after = ProcessTree::below(&plan.pids);
    // A process that ended took its figures with it; those of one that began belong to the measurement as a whole.
    let cpu_us = cpu_after.saturating_sub(cpu_before) + tree_after.without(&tree).cpu_us();
    let rss_kb = tree_after.rss_kb();
    run.clock.iter().for_each(Clock::end);
    for driver in drivers {
        driver.await.map_err(|error| error.to_string())?;
    }
    let mut tally = run.tally.take();
    tally.latencies.sort_unstable();
    let calls = tally.latencies.len();
    let answered = (calls as u64 + tally.errors.values().sum::<u64>()).max(1) as f64;
    let at = |share: f64| percentile(&tally.latencies, share);
    let mut line = json!({
        "sessions": plan.sessions, "seconds": seconds, "calls": calls, "errors": tally.errors,
        "warm_errors": tally.warm_errors, "reconnects": tally.reconnects,
        "calls_per_second": calls as f64 / seconds,
        "p50_us": at(0.5), "p95_us": at(0.95), "p99_us": at(0.99), "max_us": at(1.0),
        "own_cpu_us_per_call": (own_after - own_before) as f64 / answered,
    });
    if !plan.pids.is_empty() {
        line["cpu_us_per_call"] = json!(cpu_us as f64 / answered);
        line["rss_kb"] = json!(rss_kb);
    }
    Ok(line)
}

/// Calls until the run ends; a call's time counts from when it was due.
async fn drive(run: Rc<Run>, mut session: Session, index: usize) {
    let label = format!("bench-{}-{index}", std::process::id());
    loop {
        let due = match &run.clock {
            None => Some(Instant::now()),
            Some(clock) => clock.next().await,
        };
        let Some(due) = due.filter(|_| run.phase.get() != Phase::Ended) else {
            break;
        };
        let answer = session.call(&run.call, &label).await;
        let mut tally = run.tally.borrow_mut();
        match (run.phase.get(), answer) {
            (Phase::Measuring, Ok(())) => tally.latencies.push(due.elapsed().as_micros() as u32),
            (Phase::Measuring, Err(error)) => *tally.errors.entry(error).or_default() += 1,
            (Phase::Warming, Err(_)) => tally.warm_errors += 1,
            _ => {}
        }
    }
    run.tally.borrow_mut().reconnects += session.reconnects();
    session.close().await;
}

/// By the nearest rank; 0 when there is nothing.
fn percentile(sorted: &[u32], share: f64) -> u32 {
    let rank = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(rank).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let sorted: Vec<u32> = (1..=101).collect();
        assert_eq!(
            [0.5, 0.95, 0.99, 1.0].map(|share| percentile(&sorted, share)),
            [51, 96, 100, 101]
        );
        assert_eq!(percentile(&[], 0.5), 0);
    }
}
