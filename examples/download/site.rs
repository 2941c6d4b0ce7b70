//! A little web site on a free loopback port: fast pages, slow pages, and some that are broken.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// How long the slow pages take.
const SLOW: [Duration; 6] = {
    let ms = Duration::from_millis;
    [ms(200), ms(250), ms(300), ms(200), ms(250), ms(300)]
};

/// The site; it serves until the program ends.
pub struct Site {
    address: SocketAddr,
    /// Keeps its own port taken, on which nobody listens: a host that refuses.
    refusing: TcpStream,
}

impl Site {
    /// Starts to serve, on threads of its own.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let refusing = TcpStream::connect(address)?;
        let refused = refusing.local_addr()?;
        thread::Builder::new().name("site".into()).spawn(move || {
            for visitor in listener.incoming().flatten() {
                // A visitor who hangs up early is none of the site's business.
                thread::spawn(move || serve(visitor, refused));
            }
        })?;
        Ok(Self { address, refusing })
    }

    /// The page that links to all others.
    pub fn index(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The pages that cannot be downloaded.
    pub fn broken(&self) -> io::Result<[String; 3]> {
        let index = self.index();
        Ok([
            format!("{index}missing"),
            format!("{index}cut-short"),
            refusing_url(self.refusing.local_addr()?),
        ])
    }
}

fn refusing_url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// Answers one request, and hangs up.
fn serve(mut visitor: TcpStream, refused: SocketAddr) -> io::Result<()> {
    visitor.set_read_timeout(Some(Duration::from_secs(10)))?;
    let path = read_request(&mut visitor)?;
    let mut response = respond(&path, refused);
    if path == "/cut-short" {
        response.truncate(response.len() / 2);
    }
    visitor.write_all(response.as_bytes())
}

fn respond(path: &str, refused: SocketAddr) -> String {
    if let Some(time) = slow_page(path) {
        thread::sleep(time);
        return page(&format!("<h1>Slow</h1>\n<p>This took {} ms.</p>\n", time.as_millis()));
    }
    match path {
        "/" => page(&index(refused)),
        "/about" => page("<h1>About</h1>\n<p>Served by the example itself.</p>\n"),
        "/large" => page(&"All work and no wait.\n".repeat(50_000)),
        "/cut-short" => page(&"Half of this page never arrives.\n".repeat(100)),
        "/moved" => response("302 Found\r\nLocation: /about", ""),
        _ => response("404 Not Found", "<h1>There is no such page</h1>\n"),
    }
}

/// Reads a request up to the empty line, and gives the path that it asks for.
fn read_request(visitor: &mut TcpStream) -> io::Result<String> {
    let mut received = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let n = visitor.read(&mut chunk)?;
        if n == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        received.extend_from_slice(&chunk[..n]);
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        let parsed =
            request.parse(&received).map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
        if parsed.is_complete() {
            return Ok(request.path.unwrap_or_default().to_owned());
        }
    }
}

fn slow_page(path: &str) -> Option<Duration> {
    let number: usize = path.strip_prefix("/slow/")?.parse().ok()?;
    SLOW.get(number.checked_sub(1)?).copied()
}

fn index(refused: SocketAddr) -> String {
    let mut html = String::from("<h1>A little site</h1>\n<ul>\n");
    let pages = ["/about", "/moved", "/large", "/missing", "/cut-short"].map(String::from);
    let slow = (1..=SLOW.len()).map(|number| format!("/slow/{number}"));
    let links = pages.into_iter().chain(slow);
    for link in links.chain([refusing_url(refused)]) {
        html += &format!("<li><a href=\"{link}\">{link}</a>\n");
    }
    html + "</ul>\n"
}

fn page(html: &str) -> String {
    response("200 OK\r\nContent-Type: text/html; charset=utf-8", html)
}

/// A response of a status, which further headers may follow, and a body.
fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
