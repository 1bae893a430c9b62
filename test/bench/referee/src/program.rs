//! What the programs of this crate have in common.

use std::future::Future;
use std::process::ExitCode;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

/// Runs a program to its end on one thread, where its tasks may share what is no thread's but theirs; a failure is said with its name.
pub fn run(name: &str, program: impl Future<Output = Result<(), String>>) -> ExitCode {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    match LocalSet::new().block_on(&runtime, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
