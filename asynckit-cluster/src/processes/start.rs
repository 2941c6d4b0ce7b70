//! Starting a process: a copy of this program, with a pipe to it and one from it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::{env, thread};

use super::inside::{ASKED, asks, hand_over};
use super::lines::{self, LastWords, OnLine};
use super::messages::{ProcessSettings, ToWorker};
use super::pipe::{self, Frame, Outbox};

/// A process that was started.
pub(super) struct Started {
    pub(super) child: Fresh,
    pub(super) outbox: Arc<Outbox>,
    pub(super) outcomes: BufReader<File>,
    pub(super) last_words: LastWords,
}

/// A process that nobody has taken over yet: dropped, it is killed, and nothing is left of it.
pub(super) struct Fresh(Option<Child>);

impl Fresh {
    pub(super) fn taken_over(mut self) -> Child {
        self.0.take().unwrap_or_else(|| unreachable!("it is taken over once"))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The very program that runs, also where another one has its name by now, or none.
pub(crate) fn program() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok("/proc/self/exe".into()),
        false => env::current_exe(),
    }
}

/// Starts one. It has to be done by a thread that lasts: where that ends, the process is killed.
pub(super) fn start(
    settings: &ProcessSettings,
    arguments: &[OsString],
    on_line: &OnLine,
) -> io::Result<Started> {
    let (its_calls, calls) = pipe::pipe()?;
    let (outcomes, its_outcomes) = pipe::pipe()?;
    let (ours, its) = UnixStream::pair()?;
    let mut command = Command::new(program()?);
    if let Some(name) = env::args_os().next() {
        command.arg0(name);
    }
    command.args(arguments).env(ASKED, asks(&its)?);
    // What a worker over NATS was told, its credentials too, is none of what its calls are to see or to go by.
    for (name, _) in env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"ASYNCKIT_WORKER") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(its)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // What a terminal sends to the program is the program's to deal with; and what a call has started, and left in this
    // group, ends with it.
    command.process_group(0);
    let mut child = command.spawn()?;
    // Our end of the socket, so that it is closed by now.
    drop(command);
    let ends = [its_calls.as_fd(), its_outcomes.as_fd()];
    // (Where it has ended already, its pipes tell so.)
    let _ = hand_over(ours, ends);
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        unreachable!("both are pipes")
    };
    let child = Fresh(Some(child));
    let last_words = lines::hand_on(&settings.name, out, err, on_line)?;
    let outbox = Arc::new(Outbox::new(calls)?);
    outbox.send(Frame::new(&ToWorker::Be(settings.clone()), Vec::new()), false);
    // (The last of its threads: it stays until the outbox is closed, and the others until the process has ended.)
    let writer = outbox.clone();
    let name = format!("{}-calls", settings.name);
    thread::Builder::new().name(name).spawn(move || writer.write_all())?;
    let outcomes = BufReader::with_capacity(1 << 16, File::from(outcomes));
    Ok(Started { child, outbox, outcomes, last_words })
}

/// How a process has ended, in words that follow its name.
pub(super) fn in_words(status: io::Result<ExitStatus>, last_words: &str) -> String {
    const SIGNALS: [(i32, &str); 8] = [
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (15, "SIGTERM"),
        (24, "SIGXCPU"),
    ];
    let mut words = match status {
        Ok(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => {
                let name = SIGNALS.iter().find(|(number, _)| *number == signal);
                let name = name.map_or_else(String::new, |(_, name)| format!(" ({name})"));
                format!("was ended by signal {signal}{name}")
            }
            (None, code) => format!("ended by itself, with exit code {}", code.unwrap_or(0)),
        },
        Err(error) => format!("is gone ({error})"),
    };
    if !last_words.is_empty() {
        words.push_str("; its last words: ");
        words.push_str(last_words);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_process_that_nobody_takes_over() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let entry = format!("/proc/{}", child.id());
        let is_there = || std::path::Path::new(&entry).exists();
        assert!(is_there() || cfg!(not(target_os = "linux")));
        drop(Fresh(Some(child)));
        assert!(!is_there());
        // One that was is whoever's who has it.
        let mut child = Fresh(Some(Command::new("sleep").arg("600").spawn().unwrap())).taken_over();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
