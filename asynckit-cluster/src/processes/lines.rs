//! What processes print, line by line, with the names of who has printed it.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::sync::lock;

/// The longest line; a longer one is several.
const MOST: u64 = 64 << 10;

/// How many lines are the last words.
const LAST: usize = 5;

/// A line that a worker has printed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line<'a> {
    /// Who has printed it.
    pub worker: &'a str,
    /// Whether it was printed on standard error.
    pub is_error: bool,
    /// What it says, without its end.
    pub text: &'a str,
}

/// What is done with a line.
pub(crate) type OnLine = Arc<dyn Fn(&Line<'_>) + Send + Sync>;

/// Prints it where the program prints, in one step.
pub(crate) fn print(line: &Line<'_>) {
    let text = format!("[{}] {}\n", line.worker, line.text);
    // Nobody may be there to read it.
    let _ = match line.is_error {
        false => io::stdout().lock().write_all(text.as_bytes()),
        true => io::stderr().lock().write_all(text.as_bytes()),
    };
}

/// The last lines on standard error of a process.
pub(super) struct LastWords {
    lines: Arc<Mutex<Words>>,
    end: Receiver<()>,
}

/// The lines that say something: a backtrace would push out what it is a backtrace of.
#[derive(Default)]
struct Words {
    last: VecDeque<String>,
    in_backtrace: bool,
}

impl Words {
    fn add(&mut self, text: &str) {
        if text == "stack backtrace:" {
            self.in_backtrace = true;
            return;
        }
        // Its lines are indented, but for the one that may come last.
        let is_frame = text.starts_with(' ') || text.starts_with("note: Some details are omitted");
        self.in_backtrace &= is_frame;
        if self.in_backtrace || text.trim().is_empty() {
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(text.chars().take(500).collect());
    }
}

impl LastWords {
    /// Those of a process that has ended.
    pub(super) fn get(&self) -> String {
        // A process that it has started may still have its standard error.
        let _ = self.end.recv_timeout(Duration::from_millis(20));
        let lines = lock(&self.lines);
        let lines: Vec<&str> = lines.last.iter().map(|line| line.trim()).collect();
        lines.join(" / ")
    }
}

/// Hands on what a process prints, from now on.
pub(super) fn hand_on(
    worker: &str,
    out: impl Read + Send + 'static,
    err: impl Read + Send + 'static,
    on_line: &OnLine,
) -> io::Result<LastWords> {
    let (name, told) = (worker.to_owned(), on_line.clone());
    thread::Builder::new().name(format!("{worker}-out")).spawn(move || {
        each_line(out, |text| told(&Line { worker: &name, is_error: false, text }));
    })?;
    let (last, (sender, end)) = (Arc::<Mutex<Words>>::default(), channel());
    let (name, told, lines) = (worker.to_owned(), on_line.clone(), last.clone());
    thread::Builder::new().name(format!("{worker}-err")).spawn(move || {
        each_line(err, |text| {
            lock(&lines).add(text);
            told(&Line { worker: &name, is_error: true, text });
        });
        drop(sender);
    })?;
    Ok(LastWords { lines: last, end })
}

fn each_line(from: impl Read, mut each: impl FnMut(&str)) {
    let (mut from, mut line) = (BufReader::new(from), Vec::new());
    while let Ok(1..) = from.by_ref().take(MOST).read_until(b'\n', &mut line) {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        // What the program does with a line may fail: a process is not to wait for ever with its next one for that.
        let text = String::from_utf8_lossy(&line);
        let _ = catch_unwind(AssertUnwindSafe(|| each(&text)));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_no_backtrace() {
        let mut words = Words::default();
        let said = "a line\n\nmemory allocation of 9 bytes failed\nstack backtrace:\n   0: a::b\n             at c.rs:1:2\n  \
                    10: d\nnote: Some details are omitted, run with `RUST_BACKTRACE=full`.\nthe last\n  of all";
        said.lines().for_each(|line| words.add(line));
        let last = ["a line", "memory allocation of 9 bytes failed", "the last", "  of all"];
        assert_eq!(words.last, last);
    }
}
