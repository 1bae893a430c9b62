//! CPU and memory of process trees, from /proc (proc(5)).

use std::collections::BTreeMap;
use std::fs::{read_dir, read_to_string};

/// Linux counts CPU time in ticks of so many microseconds (`getconf CLK_TCK` is 100 on every platform that matters here).
const TICK_US: u64 = 10_000;

/// Some processes and all below them, as they were when this was made.
pub struct ProcessTree {
    pids: Vec<u32>,
}

impl ProcessTree {
    /// Walks all of /proc, which takes milliseconds.
    pub fn below(roots: &[u32]) -> Self {
        let mut pids = roots.to_vec();
        if !pids.is_empty() {
            let children = children();
            let mut at = 0;
            while at < pids.len() {
                let below = children.get(&pids[at]).into_iter().flatten();
                let new: Vec<u32> = below.filter(|pid| !pids.contains(pid)).copied().collect();
                pids.extend(new);
                at += 1;
            }
        }
        ProcessTree { pids }
    }

    /// Those of this tree that are not in the other one.
    pub fn without(&self, other: &ProcessTree) -> Self {
        let new = self.pids.iter().filter(|pid| !other.pids.contains(pid));
        ProcessTree {
            pids: new.copied().collect(),
        }
    }

    /// User and system time in microseconds of what lives now.
    pub fn cpu_us(&self) -> u64 {
        let ticks = |pid: &u32| {
            let fields = stat(*pid)?;
            Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
        };
        self.pids.iter().filter_map(ticks).sum::<u64>() * TICK_US
    }

    /// Resident memory in kilobytes.
    pub fn rss_kb(&self) -> u64 {
        let resident = |pid: &u32| {
            let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.pids.iter().filter_map(resident).sum()
    }
}

fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let names = read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    for pid in names.filter_map(|name| name.to_str()?.parse().ok()) {
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

/// The fields of /proc/<pid>/stat after the command's name, which may hold anything; `None` when the process has ended.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}
