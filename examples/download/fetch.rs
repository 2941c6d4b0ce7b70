//! The work itself: ordinary blocking functions, annotated.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use asynckit::async_work;
use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use ureq::{Agent, ResponseExt};
use url::Url;

/// A page is held in memory until it is saved, so there is a limit to its size.
const LARGEST: u64 = 256 << 20;

/// Downloads one page.
#[async_work]
pub fn download(agent: Agent, url: String) -> Result<Page, Failure> {
    let start = Instant::now();
    match fetch(&agent, &url) {
        Ok(page) => Ok(Page { time: start.elapsed(), ..page }),
        Err(problem) => Err(Failure { problem, time: start.elapsed() }),
    }
}

/// The SHA-256 of a page, as `sha256sum` prints it.
#[async_work]
pub fn checksum(page: &Page) -> String {
    let digest = Sha256::digest(&page.body);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The pages that a page links to, each once, in the order of the page. (A crawler of the wild web
/// would take an HTML parser for it.)
#[async_work]
pub fn links(page: &Page) -> Vec<String> {
    let html = String::from_utf8_lossy(&page.body);
    let addresses = html.split("href=\"").skip(1).map(|rest| rest.split('"').next());
    let mut links: Vec<String> = Vec::new();
    for url in addresses.flatten().flat_map(|link| page.url.join(link)) {
        if !links.iter().any(|known| known == url.as_str()) {
            links.push(url.into());
        }
    }
    links
}

/// A page that was downloaded.
pub struct Page {
    /// Where it was found in the end.
    pub url: Url,
    /// Whether that is somewhere else than where it was asked for.
    pub moved: bool,
    pub status: StatusCode,
    pub body: Vec<u8>,
    pub time: Duration,
}

/// Why a page could not be downloaded, and how long it took to know. It travels along the chain to
/// whoever asks for what depends on the page.
#[derive(Debug)]
pub struct Failure {
    pub problem: Problem,
    pub time: Duration,
}

/// What went wrong.
#[derive(Debug)]
pub enum Problem {
    BadUrl(url::ParseError),
    BadScheme(String),
    Status(StatusCode),
    TimedOut,
    CutShort,
    TooLarge,
    Transport(ureq::Error),
}

/// What all downloads share: settings, and connections that are kept for the next one.
pub fn agent(timeout: Duration) -> Agent {
    settings(timeout).build().into()
}

/// The same for the embedded site, which no proxy could reach.
pub fn loopback_agent(timeout: Duration) -> Agent {
    settings(timeout).proxy(None).build().into()
}

fn settings(timeout: Duration) -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .user_agent("asynckit-download-example")
}

fn fetch(agent: &Agent, url: &str) -> Result<Page, Problem> {
    let mut url = Url::parse(url).map_err(Problem::BadUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Problem::BadScheme(url.scheme().to_owned()));
    }
    url.set_fragment(None);
    let mut response = agent.get(url.as_str()).call()?;
    let status = response.status();
    if !status.is_success() {
        return Err(Problem::Status(status));
    }
    let body = response.body_mut().with_config().limit(LARGEST).read_to_vec()?;
    let found = Url::parse(&response.get_uri().to_string()).map_err(Problem::BadUrl)?;
    Ok(Page { moved: found != url, url: found, status, body, time: Duration::ZERO })
}

impl From<ureq::Error> for Problem {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::TimedOut,
            ureq::Error::BodyExceedsLimit(_) => Self::TooLarge,
            ureq::Error::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => Self::CutShort,
            ureq::Error::Io(e) if e.kind() == io::ErrorKind::TimedOut => Self::TimedOut,
            other => Self::Transport(other),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::BadUrl(e) => write!(f, "not a URL: {e}"),
            Problem::BadScheme(scheme) => write!(f, "not an http or https URL: `{scheme}`"),
            Problem::Status(status) => write!(f, "{status}"),
            Problem::TimedOut => write!(f, "timed out after {:.1} s", self.time.as_secs_f64()),
            Problem::CutShort => f.write_str("the connection was cut short"),
            Problem::TooLarge => write!(f, "larger than {} MiB", LARGEST >> 20),
            Problem::Transport(ureq::Error::Io(e)) => write!(f, "{e}"),
            Problem::Transport(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// What the server answered, if it did.
    pub fn status(&self) -> Option<StatusCode> {
        match self.problem {
            Problem::Status(status) => Some(status),
            _ => None,
        }
    }
}
