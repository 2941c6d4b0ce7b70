//! The program of oneTBB (tbb/onetbb.cpp), which runs beside this one and is told what to do, line by line.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Where it is; empty where there is none. The build script says so.
pub const PATH: &str = env!("ONETBB_PROGRAM");

/// The program while it runs. It also ends with its input, where this process ends otherwise than it should.
pub struct Program {
    child: Child,
    orders: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    pub fn start(threads: usize) -> Program {
        let mut child = Command::new(PATH)
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program of oneTBB can be started");
        Program {
            orders: BufWriter::new(child.stdin.take().expect("it was piped")),
            answers: BufReader::new(child.stdout.take().expect("it was piped")),
            child,
        }
    }

    pub fn send(&mut self, line: &str) {
        writeln!(self.orders, "{line}").expect("the program of oneTBB runs");
    }

    /// What an order comes to, and how long it has taken.
    pub fn ask(&mut self, order: &str) -> (u64, Duration) {
        self.send(order);
        self.orders.flush().expect("the program of oneTBB runs");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the program of oneTBB answers");
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        let (answer, took) = numbers
            .next()
            .zip(numbers.next())
            .and_then(|(answer, took)| answer.zip(took))
            .expect("the program of oneTBB answers with two numbers");
        (answer, Duration::from_nanos(took))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing is left to be told of, where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
