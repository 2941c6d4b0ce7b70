//! A polite crawler: it follows the links of a site of 2,000 pages, each page once, at most so many at once and so
//! often a host, tries again what is busy, and says what failed, also after Ctrl-C.
//!
//! ```text
//! cargo run --release --example crawl
//! cargo run --release --example crawl -- --a-host 50/s      # two a host at once, but not so often
//! ```

mod site;

use std::collections::HashSet;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use asynckit::{ErrorKind, Failures, Limit, Pool, Rate, Results, Retry, Work, async_work};
use ureq::http::StatusCode;
use url::Url;

use crate::site::Site;

/// How many pages the site has, and on how many hosts they are.
const SITE: (usize, usize) = (2_000, 8);
/// How many pages of a host may be under way at once.
const AT_ONCE: usize = 2;
/// How often a host is asked, unless said.
const A_SECOND: u32 = 150;
/// How long what is under way may take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match crawl() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("crawl: {error}");
            ExitCode::FAILURE
        }
    }
}

fn crawl() -> Result<ExitCode, Box<dyn Error>> {
    let site = Site::start(SITE.0, SITE.1)?;
    let crawler = Crawler::new(a_second()?);
    let pool = Pool::builder().workers(AT_ONCE * SITE.1).thread_name("crawl").build()?;
    let ending = pool.end_on_signal(GRACE)?;
    let start = Instant::now();

    let mut seen = HashSet::from([site.index()]);
    let (mut outcomes, mut not_reached) = (Failures::default(), 0);
    let mut level: Vec<String> = seen.iter().cloned().collect();
    while !level.is_empty() {
        eprintln!("{} pages to fetch", level.len());
        let pages = level.drain(..).map(|url| {
            let page = crawler.page(&url).spawn_on(&pool);
            (url, page)
        });
        // Collected, so that all of a level are on their way before the first is waited for.
        let pages: Vec<_> = pages.collect();
        let mut next = Vec::new();
        for (url, page) in pages.keyed().as_completed() {
            let page = page.get();
            if let Ok(links) = &page {
                let base = Url::parse(&url)?;
                let links = links.iter().filter_map(|link| base.join(link).ok());
                next.extend(links.map(String::from).filter(|link| seen.insert(link.clone())));
            }
            match page {
                Err(error) if error.kind() == ErrorKind::Cancelled => not_reached += 1,
                page => outcomes.extend([page]),
            }
        }
        level = next;
    }

    let fetched = outcomes.of() - outcomes.count();
    let seconds = start.elapsed().as_secs_f64();
    println!("{fetched} pages in {seconds:.2} s; {outcomes}");
    if let Some(signal) = ending.signal() {
        println!("interrupted: {not_reached} pages were known and not reached");
        if let Err(still) = pool.stop_timeout(Duration::MAX) {
            eprintln!("{still}");
        }
        return Ok(signal.exit_code().into());
    }
    check(&site, fetched, &outcomes);
    Ok(ExitCode::SUCCESS)
}

/// What all pages are fetched with.
struct Crawler {
    agent: ureq::Agent,
    at_once: Limit,
    rate: Rate,
    retry: Retry,
}

impl Crawler {
    fn new(a_second: u32) -> Crawler {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        let worth_it = |refused: &Refused| refused.0.is_server_error();
        Crawler {
            agent: agent.into(),
            at_once: Limit::new(AT_ONCE),
            rate: Rate::per_second(a_second).burst(10),
            retry: Retry::new(3).backoff(Duration::from_millis(20)).when(worth_it),
        }
    }

    /// The links of a page. Each try stands in line for its host; the pauses between tries hold up nobody.
    fn page(&self, url: &str) -> Work<'static, Vec<String>> {
        let host = Url::parse(url).map_or_else(|_| String::new(), |url| url.authority().to_owned());
        let (at_once, rate) = (self.at_once.of(&host), self.rate.of(&host));
        let (agent, url) = (self.agent.clone(), url.to_owned());
        self.retry.work(move || links(agent.clone(), url.clone()).rate(&rate).limit(&at_once))
    }
}

/// Fetches a page, and gives the links in it. (A crawler of the wild web would take an HTML parser for it.)
#[async_work]
fn links(agent: ureq::Agent, url: String) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let mut response = agent.get(&url).call()?;
    if !response.status().is_success() {
        return Err(Refused(response.status()).into());
    }
    let html = response.body_mut().read_to_string()?;
    let links = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    Ok(links.map(str::to_owned).collect())
}

/// What a server has answered in place of a page.
#[derive(Debug)]
struct Refused(StatusCode);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Error for Refused {}

/// How often a host is asked: the command line, `--a-host 50/s`.
fn a_second() -> Result<u32, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(A_SECOND),
        ["--a-host", rate] => match rate.strip_suffix("/s").and_then(|n| n.parse().ok()) {
            Some(rate @ 1..) => Ok(rate),
            _ => Err(format!("`{rate}` is no rate: write `50/s`").into()),
        },
        _ => Err("usage: crawl [--a-host RATE]".into()),
    }
}

/// Each page was fetched once, and no host was asked for more than it should be.
fn check(site: &Site, fetched: usize, outcomes: &Failures) {
    let (pages, gone) = site.counts();
    assert_eq!((fetched, outcomes.count()), (pages, gone));
    assert_eq!(outcomes.groups().len(), usize::from(gone > 0), "they are all gone: {outcomes}");
    assert_eq!(site.requests(), pages + gone + site.busy(), "each once, and what was busy twice");
    assert!(site.most_at_once() <= AT_ONCE);
}
