//! Load for an MCP endpoint over Streamable HTTP, every answer checked; one line of JSON on stdout.
//!
//! loadgen bench    --url URL [--sessions N] [--seconds S] [--warm S] [--rate CALLS_PER_SECOND] [COMMON]
//! loadgen sessions --url URL [--sessions N] [--rest S] [COMMON]
//!
//! COMMON: [--pid P,P] [--header 'K: V']... [--params TEMPLATE] [--no-echo] [--min-bytes N] [--events N]
//! TEMPLATE is the params of `tools/call` with one `{text}`.

use std::process::ExitCode;
use std::time::Duration;

use referee::bench::{bench, Plan};
use referee::call::Call;
use referee::options::Options;
use referee::program::run;
use referee::sessions::sessions;
use referee::target::Target;
use serde_json::Value;

const COMMON: [&str; 7] = [
    "--url",
    "--sessions",
    "--pid",
    "--header",
    "--params",
    "--min-bytes",
    "--events",
];
const BENCH: [&str; 3] = ["--seconds", "--warm", "--rate"];
const SESSIONS: [&str; 1] = ["--rest"];
const ECHO: &str = r#"{"name":"echo","arguments":{"text":"{text}"}}"#;

fn main() -> ExitCode {
    run("loadgen", async {
        println!("{}", loadgen().await?);
        Ok(())
    })
}

async fn loadgen() -> Result<Value, String> {
    let mut words = std::env::args().skip(1);
    let mode = words.next().unwrap_or_default();
    let own: &[&str] = match mode.as_str() {
        "bench" => &BENCH,
        "sessions" => &SESSIONS,
        _ => return Err(format!("\"{mode}\" is no command: give bench or sessions")),
    };
    let options = Options::parse(words, &[&COMMON, own].concat(), &["--no-echo"])?;
    let url = options.text("--url").ok_or("--url: give the URL of an MCP endpoint")?;
    let target = Target::new(url, options.all("--header"))?;
    let params = options.text("--params").unwrap_or(ECHO);
    let min_bytes = options.number("--min-bytes")?.unwrap_or(0);
    let call = Call::new(
        params,
        !options.has("--no-echo"),
        min_bytes,
        options.number("--events")?,
    )?;
    let pids = options.numbers("--pid")?;
    let count = options.number("--sessions")?.map(at_least_one).transpose()?;
    if mode == "sessions" {
        let rest = seconds(&options, "--rest", 1.0)?;
        return Ok(sessions(target, call, count.unwrap_or(1000), &pids, rest).await);
    }
    let plan = Plan {
        target,
        call,
        pids,
        sessions: count.unwrap_or(1),
        measured: seconds(&options, "--seconds", 5.0)?,
        warm: seconds(&options, "--warm", 1.0)?,
        rate: options.number("--rate")?.map(positive).transpose()?,
    };
    bench(plan).await.map_err(|error| format!("{url}: {error}"))
}

fn seconds(options: &Options, name: &str, default: f64) -> Result<Duration, String> {
    let given = options.number(name)?.unwrap_or(default);
    Duration::try_from_secs_f64(given).map_err(|_| format!("{name} {given}: give seconds"))
}

fn at_least_one(count: usize) -> Result<usize, String> {
    if count > 0 {
        return Ok(count);
    }
    Err("--sessions 0: give at least 1".to_owned())
}

fn positive(rate: f64) -> Result<f64, String> {
    if rate > 0.0 && rate.is_finite() {
        return Ok(rate);
    }
    Err(format!("--rate {rate}: give calls per second, more than 0"))
}
