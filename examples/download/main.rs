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
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use asynckit::{Pool, Signal};
use clap::Parser;

use crate::crawl::{Job, Manners};
use crate::options::Options;
use crate::progress::Progress;
use crate::site::Site;
use crate::store::Store;
use crate::summary::Summary;

/// How long what is on its way may take when the program is told to end: a page that is being written is whole
/// then, and a server that says nothing is not waited for.
const GRACE: Duration = Duration::from_secs(1);

/// How the program ends.
enum End {
    AsItShould,
    WithFailures,
    /// Ctrl-C, or SIGTERM.
    Told(Signal),
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(End::AsItShould) => ExitCode::SUCCESS,
        Ok(End::WithFailures) => ExitCode::FAILURE,
        Ok(End::Told(signal)) => signal.exit_code().into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "download: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Downloads what the options say, and tells whether that went as it should.
fn run(options: &Options) -> Result<End, Box<dyn Error>> {
    let urls = options.urls()?;
    let mut builder = Pool::builder().workers(options.workers()).thread_name("download");
    if let Some(page) = &options.record {
        builder = asynckit_view::to_file(builder, page)?;
    }
    let pool = builder.build()?;
    let ending = pool.end_on_signal(GRACE)?;
    let job = Arc::new(job(options, &pool)?);
    let site = options.embedded().then(Site::start).transpose()?;

    let start = Instant::now();
    let downloads = match &site {
        Some(site) => crawl::crawl(&pool, job.clone(), site.index()),
        None => crawl::download_all(&pool, job.clone(), urls),
    };

    downloads.wait();
    let time = start.elapsed();
    if let Some(signal) = ending.signal() {
        return interrupted(&pool, &job).map(|()| End::Told(signal));
    }
    job.progress.finish();
    let summary = downloads.get_ref()?;
    let (workers, seconds) = (options.workers(), time.as_secs_f64());
    print(&format!("{summary} in {seconds:.2} s with {workers} workers\n"))?;

    let Some(site) = site else {
        let sum = summary.own_times().as_secs_f64();
        print(&format!("added up, each one's own time: {sum:.2} s (not run one by one)\n"))?;
        return Ok(if summary.failed().next().is_none() {
            End::AsItShould
        } else {
            End::WithFailures
        });
    };
    let alone = crawl::one_by_one(&job, &summary.rows, || ending.signal().is_some());
    if let Some(signal) = ending.signal() {
        return interrupted(&pool, &job).map(|()| End::Told(signal));
    }
    let (alone, times) = (alone.as_secs_f64(), alone.div_duration_f64(time));
    print(&format!("one by one, measured: {alone:.2} s, {times:.1} times as long\n"))?;
    Ok(if as_expected(&site, summary)? { End::AsItShould } else { End::WithFailures })
}

fn job(options: &Options, pool: &Pool) -> Result<Job, String> {
    let agent = if options.embedded() { fetch::loopback_agent } else { fetch::agent };
    let open = |dir| Store::open(dir).map_err(|e| format!("{}: {e}", dir.display()));
    Ok(Job {
        agent: agent(options.timeout),
        store: options.out.as_deref().map(open).transpose()?,
        progress: Progress::of(pool),
        manners: Manners::default(),
    })
}

/// Says what was done when the program is told to end, and leaves no half-written file behind. What is still on
/// its way after the grace period is not waited for: it may hang until its time-out.
fn interrupted(pool: &Pool, job: &Job) -> Result<(), Box<dyn Error>> {
    if let Err(still) = pool.stop_timeout(Duration::MAX) {
        let _ = writeln!(io::stderr(), "{still}");
    }
    if let Some(store) = &job.store {
        store.close();
    }
    let summary = Summary { rows: job.progress.finish() };
    Ok(print(&format!("{summary}; interrupted\n"))?)
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
