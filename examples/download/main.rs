//! A parallel downloader.
//!
//! ```text
//! cargo run --release --example download
//! cargo run --release --example download -- --record run.html
//! cargo run --release --example download -- --workers 16 --out pages https://example.com/ -
//! ```
//!
//! The work is in `fetch`: plain blocking functions, annotated. The order of the work is in `crawl`:
//! a few straight lines in `chain!`. The rest is what any downloader needs: a command line, file
//! names, a table.

mod crawl;
mod fetch;
mod names;
mod options;
mod progress;
mod site;
mod store;
mod summary;
mod table;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::time::Instant;

use asynckit::{AsyncResult, Pool};
use clap::Parser;

use crate::crawl::Job;
use crate::options::Options;
use crate::progress::Progress;
use crate::site::Site;
use crate::store::Store;
use crate::summary::{Row, Summary};

/// What a shell takes for "ended by Ctrl-C".
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "download: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Downloads what the options say, and tells whether that went as it should.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let urls = options.urls()?;
    let interrupted = on_ctrl_c()?;
    let mut builder = Pool::builder().workers(options.workers()).thread_name("download");
    if let Some(page) = &options.record {
        builder = asynckit_view::to_file(builder, page)?;
    }
    let pool = builder.build()?;
    let job = Arc::new(job(options, &pool)?);
    let site = options.embedded().then(Site::start).transpose()?;

    let start = Instant::now();
    let downloads = Arc::new(match &site {
        Some(site) => crawl::crawl(&pool, job.clone(), site.index()),
        None => crawl::download_all(&pool, job.clone(), urls),
    });
    // Cancelling the last result cancels all that only it needs.
    let last = downloads.clone();
    interrupted.on_set(move |_| {
        last.cancel();
    });

    downloads.wait();
    let time = start.elapsed();
    let done = job.progress.finish();
    if interrupted.is_set() {
        stop(&job, done);
    }
    let summary = downloads.get_ref()?;
    let (workers, seconds) = (options.workers(), time.as_secs_f64());
    print(&format!("{summary} in {seconds:.2} s with {workers} workers\n"))?;

    let Some(site) = site else {
        let sum = summary.own_times().as_secs_f64();
        print(&format!("added up, each one's own time: {sum:.2} s (not run one by one)\n"))?;
        return Ok(summary.failed().next().is_none());
    };
    let alone = crawl::one_by_one(&job.agent, &summary.rows, || interrupted.is_set());
    if interrupted.is_set() {
        stop(&job, done);
    }
    let (alone, times) = (alone.as_secs_f64(), alone.div_duration_f64(time));
    print(&format!("one by one, measured: {alone:.2} s, {times:.1} times as long\n"))?;
    Ok(as_expected(&site, summary)?)
}

/// A result that Ctrl-C sets.
fn on_ctrl_c() -> Result<AsyncResult<()>, ctrlc::Error> {
    let interrupted = AsyncResult::new();
    let handle = interrupted.clone();
    ctrlc::set_handler(move || {
        // A second Ctrl-C finds it set, and that is fine.
        let _ = handle.set(());
    })?;
    Ok(interrupted)
}

fn job(options: &Options, pool: &Pool) -> Result<Job, String> {
    let agent = if options.embedded() { fetch::loopback_agent } else { fetch::agent };
    let open = |dir| Store::open(dir).map_err(|e| format!("{}: {e}", dir.display()));
    Ok(Job {
        agent: agent(options.timeout),
        store: options.out.as_deref().map(open).transpose()?,
        progress: Progress::of(pool),
    })
}

/// Ends the program after Ctrl-C: says what was done, and leaves no half-written file behind. What is
/// still on its way is not waited for: it may hang until its time-out.
fn stop(job: &Job, rows: Vec<Row>) -> ! {
    if let Some(store) = &job.store {
        store.close();
    }
    let summary = Summary { rows };
    let _ = print(&format!("{summary}; interrupted\n"));
    // Nothing is dropped by an exit, so the pool's recording is written here.
    asynckit_view::write_now();
    exit(INTERRUPTED)
}

/// Tells whether exactly the broken pages of the site failed.
fn as_expected(site: &Site, summary: &Summary) -> io::Result<bool> {
    let failed: BTreeSet<_> = summary.failed().map(|row| row.url.clone()).collect();
    let broken = BTreeSet::from(site.broken()?);
    if failed == broken {
        print("the pages that failed are those that were meant to\n")?;
    }
    Ok(failed == broken)
}

/// Prints to standard output. Whoever read it may have seen enough and be gone; that is no failure.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
