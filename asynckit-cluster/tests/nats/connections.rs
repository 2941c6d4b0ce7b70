//! Connections that are cut, in either direction.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use asynckit::ErrorKind;
use asynckit_cluster::Cluster;

use crate::calls::{add, begun, gated, gated_zeros, gated_zeros_once, held};
use crate::support::{Dir, Driven, NatsServer, WorkerProcess, soon};

/// Stands between a client and the server, and can be cut.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    /// What goes to the client waits.
    is_held: Mutex<bool>,
    is_released: Condvar,
    connections: Mutex<Vec<Connection>>,
    /// How many there have been.
    count: AtomicUsize,
    /// How many bytes have come, from the client and from the server.
    bytes: [AtomicU64; 2],
    /// How many bytes a second get to the server, unless it is 0.
    pace: AtomicUsize,
}

struct Connection {
    ends: [TcpStream; 2],
    swallows: Swallows,
}

/// Whether bytes of one direction vanish: to the server, to the client.
type Swallows = Arc<[AtomicBool; 2]>;

impl Proxy {
    pub fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let its = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if its.is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let swallows = Swallows::default();
                its.pump(&client, &server, 0, &swallows);
                its.pump(&server, &client, 1, &swallows);
                let ends = [client, server];
                its.connections.lock().unwrap().push(Connection { ends, swallows });
                its.count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Proxy { port, state }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A worker whose connection goes through it.
    pub fn worker(&self, name: &str, threads: u32) -> WorkerProcess {
        WorkerProcess::start(&format!("{}/test", self.url()), name, threads)
    }

    /// Ends all connections, and lets no new one through.
    pub fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
        for one in self.state.connections.lock().unwrap().drain(..) {
            one.ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
        }
    }

    pub fn mend(&self) {
        self.state.is_cut.store(false, Ordering::SeqCst);
    }

    /// Lets the bytes of one direction vanish, without a word to either side, for as long as this connection lasts. A
    /// new one is as it should be.
    fn swallow(&self, direction: usize) {
        for one in &*self.state.connections.lock().unwrap() {
            one.swallows[direction].store(true, Ordering::SeqCst);
        }
    }

    /// Has what goes to the client wait, or go on.
    pub fn hold(&self, is_held: bool) {
        *self.state.is_held.lock().unwrap() = is_held;
        self.state.is_released.notify_all();
    }

    /// Lets so many bytes a second through to the server.
    pub fn slow(&self, bytes: usize) {
        self.state.pace.store(bytes, Ordering::SeqCst);
    }

    /// How many bytes have come from the client, and from the server.
    pub fn bytes(&self) -> [u64; 2] {
        [0, 1].map(|direction| self.state.bytes[direction].load(Ordering::SeqCst))
    }

    /// How many connections there have been.
    fn count(&self) -> usize {
        self.state.count.load(Ordering::SeqCst)
    }
}

impl State {
    fn pump(
        self: &Arc<Self>,
        from: &TcpStream,
        to: &TcpStream,
        direction: usize,
        swallows: &Swallows,
    ) {
        let (state, swallows) = (self.clone(), swallows.clone());
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 << 10];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                state.bytes[direction].fetch_add(count as u64, Ordering::SeqCst);
                if direction == 1 {
                    let held = state.is_held.lock().unwrap();
                    drop(state.is_released.wait_while(held, |is_held| *is_held));
                }
                let pace = state.pace.load(Ordering::SeqCst);
                if direction == 0 && pace > 0 {
                    let takes = count as f64 / pace as f64;
                    std::thread::sleep(Duration::from_secs_f64(takes));
                }
                let swallows = swallows[direction].load(Ordering::SeqCst);
                if !swallows && to.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            to.shutdown(Shutdown::Both).ok();
            from.shutdown(Shutdown::Both).ok();
        });
    }
}

fn all_come_back(cluster: &Cluster, disturb: impl FnOnce()) {
    let many: Vec<_> = (0..2000).map(|n| add(n, 1).spawn_on(cluster)).collect();
    disturb();
    for (n, one) in many.into_iter().enumerate() {
        assert_eq!(one.get().unwrap(), n as u64 + 1);
    }
}

#[test]
fn a_driver_whose_connection_is_cut_goes_on() {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::to(server.port());
    let cluster = Driven::at(proxy.url());
    let _worker = server.worker("w", 2);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    all_come_back(&cluster, || {
        proxy.cut();
        std::thread::sleep(Duration::from_millis(300));
        proxy.mend();
    });
}

#[test]
fn a_worker_whose_connection_is_cut_goes_on_with_what_it_runs() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let proxy = Proxy::to(server.port());
    let worker = proxy.worker("w", 2);
    let held = held(&cluster, &dir);
    proxy.cut();
    proxy.mend();
    dir.allow("go");
    assert_eq!(held.get().unwrap(), 1);
    assert_eq!(begun(dir.path(), 1), [worker.id()], "a short cut is no loss");
    all_come_back(&cluster, || {
        proxy.cut();
        std::thread::sleep(Duration::from_millis(300));
        proxy.mend();
    });
}

/// The value of a call is taken away before its driver has it. The call has run, though: what goes out once is lost, and
/// anything else runs again.
#[test]
fn a_value_that_is_gone_has_no_call_run_more_often_than_it_may() {
    let Some(server) = NatsServer::start() else { return };
    let dir = Dir::new();
    let proxy = Proxy::to(server.port());
    let cluster = Driven::at(proxy.url());
    let _worker = server.worker("w", 2);
    let once = gated_zeros_once(dir.path().to_owned(), 1, 1 << 20).spawn_on(&cluster);
    let often = gated_zeros(dir.path().to_owned(), 2, 1 << 20).spawn_on(&cluster);
    soon("both run", || (1..3).all(|n| !begun(dir.path(), n).is_empty()));
    proxy.cut();
    dir.allow("go");
    soon("both outcomes are stored", || server.messages("WORK") == 0);
    server.forget_objects();
    proxy.mend();
    let error = once.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("not to be had"), "{error}");
    assert_eq!(often.get().unwrap().len(), 1 << 20);
    assert_eq!((begun(dir.path(), 1).len(), begun(dir.path(), 2).len()), (1, 2));
}

/// Nobody hears that the connection is no good: it is found out by silence, and another one is made.
fn is_given_up(direction: usize, is_of_driver: bool) {
    let Some(server) = NatsServer::start() else { return };
    let proxy = Proxy::to(server.port());
    let (driver, worker) = match is_of_driver {
        true => (proxy.url(), server.url()),
        false => (server.url(), proxy.url()),
    };
    let cluster = Driven::at(driver);
    let _worker = WorkerProcess::start(&format!("{worker}/test"), "w", 2);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    let before = proxy.count();
    all_come_back(&cluster, || proxy.swallow(direction));
    soon("there is another connection", || proxy.count() > before);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

#[test]
fn a_connection_of_a_driver_that_swallows_one_direction_is_given_up() {
    [0, 1].into_iter().for_each(|direction| is_given_up(direction, true));
}

#[test]
fn a_connection_of_a_worker_that_swallows_one_direction_is_given_up() {
    [0, 1].into_iter().for_each(|direction| is_given_up(direction, false));
}

/// Nobody tells the worker that this call isn't wanted any more: it goes by the call's own deadline.
#[test]
fn what_is_past_its_deadline_is_not_begun_while_its_driver_is_away() {
    let Some(server) = NatsServer::start() else { return };
    let (here, dir) = (server.cluster(), Dir::new());
    let proxy = Proxy::to(server.port());
    let away = Driven::at(proxy.url());
    let _worker = server.worker("w", 1);
    let held = gated(dir.path().to_owned(), 1).spawn_on(&here);
    soon("it runs", || !begun(dir.path(), 1).is_empty());
    // On a machine that does much else it may be out of time before it is there: then it is tried with more.
    let late = [1, 4, 16, 64].into_iter().find_map(|seconds| {
        let time = Duration::from_secs(seconds);
        let late = gated(dir.path().to_owned(), 2).deadline(time).spawn_on(&away);
        let until = Instant::now() + time;
        soon("it is out", || late.is_set() || server.messages("WORK") == 2);
        proxy.cut();
        if !late.is_set() {
            return Some((late, until));
        }
        proxy.mend();
        soon("it is gone", || server.messages("WORK") == 1);
        None
    });
    let (late, until) = late.expect("it waits on the server, and its driver is away");
    soon("it is given up", || late.is_set());
    assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
    soon("its time is over, by all clocks", || Instant::now() > until);
    dir.allow("go");
    soon("the one before it comes back", || held.is_set());
    assert_eq!(held.get().unwrap(), 1);
    soon("it has come to its turn", || server.messages("WORK") == 0);
    let after = add(1, 1).spawn_on(&here);
    soon("the one after it comes back", || after.is_set());
    assert_eq!(after.get().unwrap(), 2);
    assert!(begun(dir.path(), 2).is_empty());
    proxy.mend();
}
