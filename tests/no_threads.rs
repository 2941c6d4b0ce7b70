//! What becomes of pools and time limits where the system has no more threads. A program of its own, as
//! the limit is on the whole process. It needs Linux and util-linux; without them it does nothing.

use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, CancelToken, ErrorKind, Pool, blocking};

/// Limits the process's memory so that there is room for another stack, or not; whether that works.
fn allow_stacks(allowed: bool) -> bool {
    let Ok(sizes) = std::fs::read_to_string("/proc/self/statm") else { return false };
    let pages: u64 = sizes.split(' ').next().unwrap().parse().unwrap();
    let most =
        if allowed { "unlimited".to_owned() } else { (pages * 4096 + (1 << 20)).to_string() };
    let own = std::process::id().to_string();
    let set = Command::new("prlimit").args(["--pid", &own, &format!("--as={most}:")]).status();
    let works = set.is_ok_and(|status| status.success());
    works && thread::Builder::new().stack_size(8 << 20).spawn(|| ()).is_ok() == allowed
}

#[test]
fn pools_go_on_with_the_threads_that_they_have() {
    let pool = Pool::new(1);
    let idle = Pool::new(0);
    pool.spawn(|| ()).get().unwrap();
    let (send, receive) = channel();
    let (began, begun) = channel();
    if !allow_stacks(false) {
        return;
    }
    // A time limit is kept by who waits, as there is no thread to keep it.
    let never = AsyncResult::<u8>::new();
    let late = never.clone().timeout(Duration::from_millis(20));
    let token = CancelToken::with_timeout(Duration::from_millis(20));
    assert_eq!(late.get().unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(token.is_cancelled());

    // A pool that gets no worker says so.
    idle.set_worker_count(2);
    let refused = idle.spawn(|| 1);
    assert_eq!(refused.get().unwrap_err().kind(), ErrorKind::Stopped);

    // One whose worker blocks gets a spare when there are threads again.
    let waits = pool.spawn(move || {
        began.send(()).unwrap();
        blocking(|| receive.recv().unwrap())
    });
    begun.recv().unwrap();
    let sends = pool.spawn(move || send.send(7).unwrap());
    assert!(!waits.wait_timeout(Duration::from_millis(200)));
    assert!(allow_stacks(true));
    assert_eq!(waits.get().unwrap(), 7);
    sends.get().unwrap();
    let mut tries = 0;
    while idle.spawn(|| 1).get().is_err() {
        tries += 1;
        assert!(tries < 1000, "no worker has come");
        thread::sleep(Duration::from_millis(10));
    }
}
