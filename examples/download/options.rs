//! The command line: what may be given, what is meant when nothing is.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, value_parser};

const EXIT_CODES: &str = "Exit code: 0 when all went well, 1 when a download failed, \
                          2 for wrong usage, 130 after Ctrl-C, 143 after SIGTERM.";

/// Downloads web pages in parallel, and prints what came of each.
///
/// With no URL it serves a little site of its own on the loopback interface and downloads that;
/// some of its pages are broken on purpose.
#[derive(Parser)]
#[command(name = "download", after_help = EXIT_CODES)]
pub struct Options {
    /// `http` and `https` URLs; `-` reads them from standard input, one a line
    #[arg(value_name = "URL")]
    urls: Vec<String>,

    /// How many downloads may run at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u16).range(1..=1024))]
    workers: u16,

    /// How long a download may take, from looking up the host to the last byte
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,

    /// Keep the pages as files in this directory, which is made where it is missing
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Record the run into this file: a page (.html), a trace (.json), the graph (.svg, .dot, .mmd)
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

impl Options {
    /// Whether the embedded site is wanted.
    pub fn embedded(&self) -> bool {
        self.urls.is_empty()
    }

    pub fn workers(&self) -> usize {
        self.workers.into()
    }

    /// The URLs in the order given; `-` stands for the lines of standard input.
    pub fn urls(&self) -> io::Result<Vec<String>> {
        let mut urls = Vec::new();
        for url in &self.urls {
            if url == "-" {
                read_urls(io::stdin().lock(), &mut urls)?;
            } else {
                urls.push(url.clone());
            }
        }
        Ok(urls)
    }
}

/// Reads one URL a line; empty lines and `# comments` are skipped. A line that is not UTF-8 is no
/// URL either: it stays in the list, to be reported like any other bad one.
fn read_urls(input: impl BufRead, urls: &mut Vec<String>) -> io::Result<()> {
    for line in input.split(b'\n') {
        let line = String::from_utf8_lossy(&line?).trim().to_owned();
        if !line.is_empty() && !line.starts_with('#') {
            urls.push(line);
        }
    }
    Ok(())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("must be more than 0".to_owned()),
    }
}
