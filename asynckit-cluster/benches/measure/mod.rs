//! What both benches do and measure.

use std::collections::VecDeque;
use std::time::Duration;

use asynckit::{AsyncResult, async_work};
use asynckit_cluster::Cluster;

/// Calls that are out at once.
pub const WINDOW: usize = 1_024;

#[async_work(remote)]
pub fn empty(n: u64) -> u64 {
    n
}

/// So many calls, of which a window is out at once.
pub fn run(cluster: &Cluster, calls: u64) {
    let mut out = VecDeque::new();
    for n in 0..calls {
        if out.len() == WINDOW {
            let (n, result): (u64, AsyncResult<u64>) = out.pop_front().unwrap();
            assert_eq!(result.get().unwrap(), n);
        }
        out.push_back((n, empty(n).spawn_on(cluster)));
    }
    out.into_iter().for_each(|(n, result)| assert_eq!(result.get().unwrap(), n));
}

pub fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    format!("p50 {:.3?}, p99 {:.3?}, most {:.3?}", at(0.5), at(0.99), at(1.0))
}

/// The most memory that this process has had, in kB.
pub fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
