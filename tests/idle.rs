//! Pools that have nothing to do, and threads that wait, use no processor time.
//!
//! A process of its own, as what it measures is the whole process.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Pool, chain, work};

/// The processor time that this process has used, to a hundredth of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("what the system knows of us");
    // The name is in parentheses, and may have anything in it.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || -> u64 { fields.next().expect("a time").parse().expect("a number") };
    let (user, system) = (next(), next());
    Duration::from_millis((user + system) * 10)
}

/// What the process uses in a second.
fn used_in_a_second() -> Duration {
    let (before, start) = (processor_time(), Instant::now());
    thread::sleep(Duration::from_secs(1));
    assert!(start.elapsed() < Duration::from_secs(20), "the machine has no time for us");
    processor_time() - before
}

/// Some have to settle first: a worker may look around for a moment before it sleeps.
#[track_caller]
fn assert_idle(what: &str) {
    thread::sleep(Duration::from_millis(50));
    let used = used_in_a_second();
    assert!(used <= Duration::from_millis(30), "{what}: {used:?} in a second");
}

#[test]
fn who_waits_uses_no_processor_time() {
    let fresh = Pool::new(4);
    assert_idle("a pool that has never had work");
    drop(fresh);

    // All of the following waits at once, and then ends.
    let pool = Arc::new(Pool::new(4));
    let none = Arc::new(Pool::new(0));
    let (setter, input) = AsyncResult::channel();
    for n in 0..1000 {
        assert_eq!(pool.spawn(move || n).map(|n| n + 1).spawn_on(&pool).get().unwrap(), n + 1);
    }
    pool.set_worker_count(6);
    pool.set_worker_count(2);
    // A task whose input is missing, one that waits inside of its work, one that is suspended.
    let waits = input.clone().map(|n: u32| n).spawn_on(&pool);
    let blocked = pool.spawn({
        let input = input.clone();
        move || input.get().unwrap()
    });
    let timed = pool.spawn({
        let input = input.clone();
        move || input.get_timeout(Duration::from_secs(60)).unwrap_or_else(|r| r.get()).unwrap()
    });
    let suspended = chain!(&pool, async move { AsyncResult::ready(input.await? + 1) });
    // Threads outside: one that waits, one that does the work of a pool without workers, one in a
    // scope, and one that runs a pool until it is idle.
    let outside = {
        let pool = pool.clone();
        thread::spawn(move || waits.map(|n| n).spawn_on(&pool).get().unwrap())
    };
    let helper = {
        let (none, suspended) = (none.clone(), suspended.clone());
        thread::spawn(move || suspended.map(|n| n).spawn_on(&none).get().unwrap())
    };
    let scoped = {
        let (pool, blocked) = (pool.clone(), blocked.clone());
        thread::spawn(move || pool.scope(|s| drop(blocked.map(|n| n).spawn_on(s))))
    };
    let idler = {
        let pool = pool.clone();
        thread::spawn(move || pool.run_until_idle())
    };
    assert_idle("threads and tasks that wait");

    setter.set(7).unwrap();
    assert_eq!((blocked.get().unwrap(), timed.get().unwrap()), (7, 7));
    assert_eq!((suspended.get().unwrap(), outside.join().unwrap()), (8, 7));
    assert_eq!(helper.join().unwrap(), 8);
    scoped.join().unwrap();
    idler.join().unwrap();
    assert_idle("a pool that has had work");
    work(|| ()).detach_on(&none);
    drop((pool, none));
    assert_idle("pools that are gone");
}
