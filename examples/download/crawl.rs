//! The order of the work: chains, from one page over its links to a summary.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Error, Limit, Pool, Rate, Results, Work, async_work, chain, current};
use ureq::Agent;
use url::Url;

use crate::fetch::{Page, checksum, download, links};
use crate::progress::Progress;
use crate::store::Store;
use crate::summary::{Row, Summary};

/// What all tasks share.
pub struct Job {
    pub agent: Agent,
    pub store: Option<Store>,
    pub progress: Progress,
    pub manners: Manners,
}

/// What no host is asked for more than.
pub struct Manners {
    at_once: Limit,
    rate: Rate,
}

impl Default for Manners {
    /// At most two at once and five a second.
    fn default() -> Self {
        Manners { at_once: Limit::new(2), rate: Rate::per_second(5).burst(5) }
    }
}

/// A page that is wanted: where it is, and the file that it goes to, if any.
#[derive(Clone)]
struct Target {
    url: String,
    file: Option<String>,
}

impl Job {
    /// The download of a page, when its host may be asked for it.
    fn download(&self, url: &str) -> Work<'static, Page> {
        let host = Url::parse(url).map_or_else(|_| String::new(), |url| url.authority().to_owned());
        let (at_once, rate) = (self.manners.at_once.of(&host), self.manners.rate.of(&host));
        download(self.agent.clone(), url.to_owned()).rate(&rate).limit(&at_once)
    }

    fn target(&self, url: String) -> Target {
        let file = self.store.as_ref().map(|store| store.claim(&url));
        Target { url, file }
    }
}

/// Downloads a page and all that it links to: page → links → pages → summary.
///
/// None of these lines waits: each is a task that starts when what it needs is there.
pub fn crawl(pool: &Pool, job: Arc<Job>, index: String) -> AsyncResult<Summary> {
    let target = job.target(index);
    chain!(pool, {
        let page = job.download(&target.url);
        let found = links(&page);
        let others = visit_all(job.clone(), found);
        let row = describe(job.clone(), target, page);
        let first = report(job, row);
        summary(first, others)
    })
}

/// Downloads the pages at these URLs.
pub fn download_all(pool: &Pool, job: Arc<Job>, urls: Vec<String>) -> AsyncResult<Summary> {
    chain!(pool, async move { visit_all(job, urls).map(|rows| Summary { rows }) })
}

/// Downloads all of these side by side.
fn visit_all(job: Arc<Job>, urls: Vec<String>) -> AsyncResult<Vec<Row>> {
    let visits = urls.into_iter().map(|url| visit(job.clone(), url));
    visits.join_all()
}

/// Downloads one page. A failure is news as well: it becomes a row, and so stops nothing else.
fn visit(job: Arc<Job>, url: String) -> AsyncResult<Row> {
    let target = job.target(url);
    chain!(current(), {
        let page = job.download(&target.url);
        let good = describe(job.clone(), target.clone(), page);
        let row = good.or_else(|error| Ok::<_, Error>(Row::failed(target.url, &error)));
        report(job, row)
    })
}

/// What is done with a page that arrived: two tasks borrow it at the same time, then it is moved.
fn describe(job: Arc<Job>, target: Target, page: Page) -> AsyncResult<Row> {
    chain!(current(), {
        let page = AsyncResult::ready(page);
        let checksum = checksum(&page);
        let file = save(job, target.file, &page);
        row(target.url, page, checksum, file)
    })
}

/// Keeps the page if that is wanted, and gives back the name that it is kept under.
#[async_work]
fn save(job: Arc<Job>, file: Option<String>, page: &Page) -> io::Result<Option<String>> {
    if let (Some(store), Some(file)) = (&job.store, &file) {
        store.save(file, &page.body)?;
    }
    Ok(file)
}

#[async_work]
fn row(url: String, page: Page, checksum: String, file: Option<String>) -> Row {
    Row::downloaded(url, &page, checksum, file)
}

#[async_work]
fn report(job: Arc<Job>, row: Row) -> Row {
    job.progress.report(&row);
    row
}

#[async_work]
fn summary(first: Row, others: Vec<Row>) -> Summary {
    let rows = [vec![first], others].concat();
    Summary { rows }
}

/// How long the same downloads take one after the other, each in place: what a plain loop costs.
pub fn one_by_one(job: &Job, rows: &[Row], stop: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    for row in rows.iter().take_while(|_| !stop()) {
        if let Ok(page) = job.download(&row.url).run() {
            let _ = checksum(&page).run();
        }
    }
    start.elapsed()
}
