//! A little web server for the `download` example to download from.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// A server whose pages tell their path, and whose `/silent` never answers.
pub struct Server {
    port: u16,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                thread::spawn(move || serve(visitor));
            }
        });
        Self { port }
    }

    /// A URL that is refused for as long as the connection is held: its port is taken, and nobody
    /// listens there.
    pub fn refusing(&self) -> (TcpStream, String) {
        let held = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let url = format!("http://{}/", held.local_addr().unwrap());
        (held, url)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn serve(visitor: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(&visitor).lines().map_while(Result::ok);
    let request = lines.next()?;
    let path = request.split(' ').nth(1)?;
    lines.find(|line| line.is_empty())?;
    if path == "/silent" {
        // Until the visitor gives up.
        let _ = lines.next();
        return None;
    }
    let body = body(path);
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    (&visitor).write_all(&[head.as_bytes(), &body].concat()).ok()
}

/// What the server has at a path: not text, to be told apart from any that was converted.
pub fn body(path: &str) -> Vec<u8> {
    [path.as_bytes(), &[0, 0xff, b'\r', b'\n']].concat().repeat(1000)
}
