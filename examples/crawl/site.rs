//! A web site of some thousand pages on several hosts, each a loopback port: pages that link to others, some that are
//! busy when they are first asked for, and some that are gone. It counts what it was asked for.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Every so many pages one is busy when it is first asked for.
const BUSY: usize = 17;
/// Every so many pages one is gone.
const GONE: usize = 101;
/// How long a page takes.
const TIME: Duration = Duration::from_millis(2);

pub struct Site {
    hosts: Vec<Host>,
    pages: usize,
}

struct Host {
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// What a host has seen of its visitors.
#[derive(Default)]
struct Seen {
    now: AtomicUsize,
    most: AtomicUsize,
    requests: AtomicUsize,
    busy: Mutex<HashSet<usize>>,
}

/// What is known of a site.
struct Plan {
    addresses: Vec<SocketAddr>,
    pages: usize,
}

impl Site {
    /// Serves so many pages on so many hosts, on threads of its own, until the program ends.
    pub fn start(pages: usize, hosts: usize) -> io::Result<Site> {
        let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listeners = (0..hosts).map(bind).collect::<io::Result<Vec<_>>>()?;
        let addresses =
            listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let plan = Arc::new(Plan { addresses, pages });
        let mut site = Site { hosts: Vec::new(), pages };
        for listener in listeners {
            let seen = Arc::<Seen>::default();
            site.hosts.push(Host { address: listener.local_addr()?, seen: seen.clone() });
            let plan = plan.clone();
            thread::Builder::new().name("host".into()).spawn(move || {
                for visitor in listener.incoming().flatten() {
                    let (plan, seen) = (plan.clone(), seen.clone());
                    // A visitor who hangs up early is none of the host's business.
                    thread::spawn(move || serve(visitor, &plan, &seen));
                }
            })?;
        }
        Ok(site)
    }

    /// The page from which all others are reached.
    pub fn index(&self) -> String {
        format!("http://{}/0", self.hosts[0].address)
    }

    /// How many pages can be fetched, and how many are gone.
    pub fn counts(&self) -> (usize, usize) {
        let gone = (0..self.pages).filter(|n| is_gone(*n)).count();
        (self.pages - gone, gone)
    }

    /// The most visitors that any host has had at once.
    pub fn most_at_once(&self) -> usize {
        self.hosts.iter().map(|host| host.seen.most.load(SeqCst)).max().unwrap_or_default()
    }

    /// How often any page was asked for.
    pub fn requests(&self) -> usize {
        self.hosts.iter().map(|host| host.seen.requests.load(SeqCst)).sum()
    }

    /// How many pages are busy at first.
    pub fn busy(&self) -> usize {
        (0..self.pages).filter(|n| is_busy_at_first(*n)).count()
    }
}

fn is_gone(page: usize) -> bool {
    page % GONE == GONE - 1
}

fn is_busy_at_first(page: usize) -> bool {
    page % BUSY == BUSY - 1 && !is_gone(page)
}

impl Plan {
    fn link(&self, page: usize) -> String {
        let address = self.addresses[page % self.addresses.len()];
        format!("<a href=\"http://{address}/{page}\">page {page}</a>\n")
    }

    /// The ten pages below a page, and back to the first: so that most pages are linked to more than once.
    fn links(&self, page: usize) -> String {
        let below = (page * 10 + 1..).take(10).filter(|below| *below < self.pages);
        // What is gone links to nothing, so its pages are linked to from the page before it, too.
        let beside = (page * 10 + 11..).take(10).filter(|beside| *beside < self.pages);
        below.chain(beside).chain([0]).map(|page| self.link(page)).collect()
    }
}

/// Answers one request, and hangs up.
fn serve(mut visitor: TcpStream, plan: &Plan, seen: &Seen) -> io::Result<()> {
    visitor.set_read_timeout(Some(Duration::from_secs(10)))?;
    let page = read_request(&mut visitor)?;
    seen.requests.fetch_add(1, SeqCst);
    let now = seen.now.fetch_add(1, SeqCst) + 1;
    seen.most.fetch_max(now, SeqCst);
    thread::sleep(TIME);
    let response = match page {
        Some(page) if page >= plan.pages || is_gone(page) => response("404 Not Found", ""),
        None => response("404 Not Found", ""),
        Some(page) if is_busy_at_first(page) && is_first(page, seen) => {
            response("503 Service Unavailable", "")
        }
        Some(page) => response("200 OK", &format!("<h1>Page {page}</h1>\n{}", plan.links(page))),
    };
    // Before the answer: who has that may come again.
    seen.now.fetch_sub(1, SeqCst);
    visitor.write_all(response.as_bytes())
}

fn is_first(page: usize, seen: &Seen) -> bool {
    seen.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(page)
}

/// Reads a request up to the empty line, and gives the number of the page that it asks for.
fn read_request(visitor: &mut TcpStream) -> io::Result<Option<usize>> {
    let (mut received, mut chunk) = (Vec::new(), [0; 1024]);
    while !received.windows(4).any(|end| end == b"\r\n\r\n") {
        match visitor.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => received.extend_from_slice(&chunk[..n]),
        }
    }
    let text = String::from_utf8_lossy(&received);
    let path = text.split(' ').nth(1).and_then(|path| path.strip_prefix('/'));
    Ok(path.and_then(|page| page.parse().ok()))
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
