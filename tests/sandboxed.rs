//! A program that takes a call of the system away from itself which pools have used until then: they do without it. A
//! program of its own, as that is for the whole process.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, Pool};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// From now on `membarrier` fails, in all threads.
fn forbid_membarrier() {
    let rules = [(libc::SYS_membarrier, Vec::new())];
    let fails = SeccompAction::Errno(libc::EPERM as u32);
    let filter =
        SeccompFilter::new(rules.into(), SeccompAction::Allow, fails, TargetArch::x86_64).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter_all_threads(&program).unwrap();
}

/// Its workers sleep, wait and block, and all of it comes out.
fn works(pool: &Pool) {
    for n in 0..20 {
        let (late, slept) = (AsyncResult::new(), Duration::from_millis(5));
        let its = late.clone();
        let waits = pool.spawn(move || its.get().unwrap() + 1);
        let blocks = pool.spawn(move || asynckit::blocking(|| late.set(n)).is_ok());
        assert!(blocks.get().unwrap());
        assert_eq!(waits.get().unwrap(), n + 1);
        thread::sleep(slept);
    }
}

#[test]
fn pools_go_on_without_membarrier() {
    let (done, end) = channel();
    let test = thread::spawn(move || {
        let (pool, other) = (Pool::new(2), Pool::new(1));
        works(&pool);
        works(&other);
        forbid_membarrier();
        works(&pool);
        works(&other);
        works(&Pool::new(2));
        pool.stop();
        done.send(()).unwrap();
    });
    let ended = end.recv_timeout(Duration::from_secs(60));
    assert!(ended.is_ok() || test.is_finished(), "it hangs");
    test.join().unwrap();
}
