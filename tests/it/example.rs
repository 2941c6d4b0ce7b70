//! Runs the examples that are whole programs as child processes, bounded in time.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// The longest that a run may say nothing; all are done within a second or two.
pub const LIMIT: Duration = Duration::from_secs(60);

/// How a run of the example ended.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Checks that standard output has this in it.
    #[track_caller]
    pub fn says(&self, text: &str) {
        assert!(self.stdout.contains(text), "{text:?} is missing: {self:?}");
    }

    /// Checks that the table's row for the URL that ends so has this in it.
    #[track_caller]
    pub fn shows(&self, url: &str, text: &str) {
        let url = format!("{url} ");
        let mut rows = self.stdout.lines().filter(|line| line.contains(&url));
        let found = rows.any(|row| row.contains(text));
        assert!(found, "{text:?} is missing for {url:?}: {self:?}");
    }
}

/// An example while it runs; killed at the latest when this is dropped.
pub struct Run {
    child: Child,
    stdout: Receiver<String>,
    /// The lines of standard error.
    pub stderr: Receiver<String>,
}

impl Run {
    pub fn start(example: &str, args: &[&str], input: &str) -> Self {
        let mut child = Command::new(program(example))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The servers are on the loopback interface.
            .env("NO_PROXY", "*")
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        // It may well end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Self { child, stdout, stderr }
    }

    /// What Ctrl-C does (`INT`), or `kill` (`TERM`).
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{name}"), &process]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the end, though not for ever.
    pub fn end(mut self) -> Done {
        let (stdout, stderr) = (text(&self.stdout), text(&self.stderr));
        let code = self.child.wait().unwrap().code();
        Done { code, stdout, stderr }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It has ended long since, unless its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that a stream gives, as they come.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}

fn text(lines: &Receiver<String>) -> String {
    let mut text = String::new();
    loop {
        match lines.recv_timeout(LIMIT) {
            Ok(line) => text += &(line + "\n"),
            Err(mpsc::RecvTimeoutError::Disconnected) => return text,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs; so far it said:\n{text}"),
        }
    }
}

/// The example's program: cargo puts it in a folder beside that of the tests.
fn program(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap().join("examples");
    let program = folder.join(example).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "{} is missing: run `cargo build --example {example}`",
        program.display()
    );
    program
}
