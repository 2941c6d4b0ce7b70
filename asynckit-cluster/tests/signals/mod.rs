//! Signals to processes that a test has to do with, and what becomes of these.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

pub fn signal(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.cast_signed()).unwrap(), signal).unwrap();
}

/// Stops a process, all of it: its threads stop only when one of them has got to the signal.
#[track_caller]
pub fn stop(process: u32) {
    signal(process, Signal::STOP);
    let begin = Instant::now();
    let is_stopped = || {
        let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
        threads.flatten().all(|thread| matches!(state(&thread.path()), None | Some('T')))
    };
    while !is_stopped() {
        assert!(begin.elapsed() < Duration::from_secs(30), "{process} doesn't stop");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a process is there, and no zombie.
pub fn is_alive(process: u32) -> bool {
    !matches!(state(Path::new(&format!("/proc/{process}"))), None | Some('Z' | 'X'))
}

/// The state of a process or a thread, by its place in `/proc`.
fn state(of: &Path) -> Option<char> {
    let stat = fs::read_to_string(of.join("stat")).ok()?;
    stat.rsplit(')').next()?.trim().chars().next()
}
