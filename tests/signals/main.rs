//! Programs that end on signals: this one runs itself, once for each of its parts, and sends it real ones.
#![cfg_attr(not(unix), allow(dead_code, unused_imports))]

mod parts;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

const PART: &str = "ASYNCKIT_PART";
/// How long a part may take that should not take long at all.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match std::env::var(PART) {
        Ok(part) => return parts::run(&part),
        Err(_) if cfg!(unix) => {}
        Err(_) => return ExitCode::SUCCESS,
    }
    #[cfg(unix)]
    for (name, check) in CHECKS {
        check();
        println!("signals: {name} ... ok");
    }
    ExitCode::SUCCESS
}

#[cfg(unix)]
const CHECKS: [(&str, fn()); 8] = [
    ("what runs may come to its end", polite),
    ("main returns though something still runs", stubborn),
    ("a pool that is just dropped names it, too", dropped),
    ("a second signal ends at once", second),
    ("a stop under way ends in time", stopping),
    ("a scope, and a pool on this thread", scopes),
    ("two pools, and one that comes late", two),
    ("a program without such pools ends at once", none_left),
];

#[cfg(unix)]
fn polite() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let part = Part::start("polite");
        part.expect("runs");
        part.signal(signal);
        let done = part.end();
        assert_eq!(done.status.code(), Some(code), "{done:?}");
        assert_eq!(
            done.stdout,
            ["queued: cancelled", "running: came in time", "all ended"],
            "{done:?}"
        );
    }
}

#[cfg(unix)]
fn stubborn() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let part = Part::start("stubborn");
        part.expect("runs");
        let start = Instant::now();
        part.signal(signal);
        let done = part.end();
        assert!(start.elapsed() >= parts::GRACE, "{done:?}");
        assert_eq!(done.status.code(), Some(code), "{done:?}");
        assert_eq!(done.stdout[0], "running: cancelled", "{done:?}");
        assert!(done.stdout[1].starts_with("still running: stubborn (tests/"), "{done:?}");
    }
}

#[cfg(unix)]
fn dropped() {
    let part = Part::start("dropped");
    part.expect("runs");
    part.signal("TERM");
    let done = part.end();
    assert_eq!(done.status.code(), Some(7), "{done:?}");
    assert!(done.stderr.contains("asynckit: still running: stubborn ("), "{done:?}");
}

#[cfg(unix)]
fn second() {
    use std::os::unix::process::ExitStatusExt;

    for (first, then, number) in [("INT", "INT", 2), ("INT", "TERM", 15), ("TERM", "INT", 2)] {
        let part = Part::start("patient");
        part.expect("runs");
        part.signal(first);
        part.expect("was told");
        part.signal(then);
        let done = part.end();
        assert_eq!(done.status.signal(), Some(number), "{done:?}");
    }
}

#[cfg(unix)]
fn stopping() {
    let part = Part::start("stopping");
    part.expect("runs");
    part.signal("TERM");
    let done = part.end();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert_eq!(done.stdout, ["stopped"], "{done:?}");
    assert!(done.stderr.contains("still running: stubborn"), "{done:?}");
}

#[cfg(unix)]
fn scopes() {
    for name in ["scope", "this_thread"] {
        let part = Part::start(name);
        part.expect("runs");
        part.signal("INT");
        let done = part.end();
        assert_eq!(done.status.code(), Some(130), "{done:?}");
        assert_eq!(done.stdout, ["the scope is over"], "{done:?}");
    }
}

#[cfg(unix)]
fn two() {
    let part = Part::start("two");
    part.expect("runs");
    part.signal("TERM");
    let done = part.end();
    assert_eq!(done.status.code(), Some(143), "{done:?}");
    assert_eq!(done.stdout, ["one: cancelled", "two: cancelled", "late: cancelled"], "{done:?}");
}

#[cfg(unix)]
fn none_left() {
    use std::os::unix::process::ExitStatusExt;

    let part = Part::start("none_left");
    part.expect("runs");
    part.signal("TERM");
    let done = part.end();
    assert_eq!(done.status.signal(), Some(15), "{done:?}");
}

/// A part of this program as a process; killed at the latest when this is dropped.
struct Part {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

#[derive(Debug)]
struct Done {
    status: ExitStatus,
    stdout: Vec<String>,
    stderr: String,
}

impl Part {
    fn start(part: &str) -> Part {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(PART, part)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.all(|line| sender.send(line).is_ok())
        });
        let (sender, errors) = mpsc::channel();
        thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            sender.send(text)
        });
        Part { child, lines, errors }
    }

    #[track_caller]
    fn expect(&self, line: &str) {
        assert_eq!(self.lines.recv_timeout(LIMIT).as_deref(), Ok(line));
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{name}"), &process]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the end, though not for ever: both streams are closed then.
    #[track_caller]
    fn end(mut self) -> Done {
        let stderr = self.errors.recv_timeout(LIMIT).expect("it hangs");
        let mut stdout = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            stdout.push(line);
        }
        Done { status: self.child.wait().unwrap(), stdout, stderr }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
