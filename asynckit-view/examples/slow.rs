//! Three runs that are slower than they need be, each for a reason of its own; and what a recording says of it.
//! The guide "Why is my run slow?" walks through them.
//!
//! ```text
//! cargo run --release -p asynckit-view --example slow
//! cargo run --release -p asynckit-view --example slow -- pages/    # writes a page for each
//! ```

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use asynckit::{Error, Limit, Pool, async_work, chain};
use asynckit_view::{Recording, Run};

fn wait(millis: u64) {
    sleep(Duration::from_millis(millis));
}

#[async_work]
fn download(page: u64) -> u64 {
    wait(20 + page * 7 % 13);
    page
}

#[async_work]
fn parse(page: u64) -> u64 {
    wait(6);
    page
}

#[async_work]
fn index(pages: Vec<u64>) -> usize {
    wait(10);
    pages.len()
}

/// Each page is asked for when the one before was parsed.
fn one_after_the_other(pool: &Pool) -> Result<usize, Error> {
    let all = chain!(pool, async move {
        let mut pages = Vec::new();
        for page in 0..12 {
            pages.push(parse(download(page)).await?);
        }
        index(pages)
    });
    all.get()
}

/// All pages are asked for at once, but the server is asked for two at a time.
fn a_limit(pool: &Pool) -> Result<usize, Error> {
    let server = Limit::new(2);
    let all = chain!(pool, {
        let pages: Vec<_> = (0..48)
            .map(|page| {
                let page = download(page).limit(&server).spawn_on(pool);
                chain!(pool, parse(page))
            })
            .collect();
        index(pages)
    });
    all.get()
}

/// One page is far larger than all others, and it comes last.
fn one_long_task(pool: &Pool) -> Result<usize, Error> {
    #[async_work]
    fn render(page: u64) -> u64 {
        wait(if page == 79 { 260 } else { 12 });
        page
    }
    let all = chain!(pool, {
        let pages: Vec<_> = (0..80).map(render).collect();
        index(pages)
    });
    all.get()
}

/// A run to be looked at.
type Program = fn(&Pool) -> Result<usize, Error>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let programs: [(&str, Program); 3] = [
        ("one after the other", one_after_the_other),
        ("a limit", a_limit),
        ("one long task", one_long_task),
    ];
    for (name, program) in programs {
        let run = record(name, program)?;
        println!("== {name}\n\n{}", run.summary());
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)?;
            run.save_html(folder.join(name.replace(' ', "-")).with_extension("html"))?;
        }
    }
    Ok(())
}

/// Runs it on a pool of its own.
fn record(name: &str, program: Program) -> Result<Run, Box<dyn std::error::Error>> {
    let recording = Recording::new().name(name);
    let pool = Pool::builder().workers(8).observer(recording.observer()).build()?;
    program(&pool)?;
    Ok(recording.finish())
}
