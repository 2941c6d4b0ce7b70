//! Ten thousand futures that sleep at the same time, on one worker.

use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::soon;

const SLEEPERS: usize = 10_000;

/// Wakes whoever sleeps, on a thread of its own.
#[derive(Clone)]
struct Alarm(Sender<Call>);

/// When to wake whom.
struct Call(Instant, Waker);

impl Alarm {
    fn new() -> Alarm {
        let (calls, incoming) = mpsc::channel::<Call>();
        thread::spawn(move || {
            let mut waiting = BinaryHeap::new();
            loop {
                let next = waiting.peek().map_or(Duration::MAX, |Call(at, _)| {
                    at.saturating_duration_since(Instant::now())
                });
                match incoming.recv_timeout(next.min(Duration::from_secs(1))) {
                    Ok(call) => waiting.push(call),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) if waiting.is_empty() => return,
                    Err(RecvTimeoutError::Disconnected) => thread::yield_now(),
                }
                while waiting.peek().is_some_and(|Call(at, _)| *at <= Instant::now()) {
                    waiting.pop().unwrap().1.wake();
                }
            }
        });
        Alarm(calls)
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep { alarm: self.clone(), at }
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        self.0 == other.0
    }
}
impl Eq for Call {}
impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Call) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Call {
    /// The earliest is the greatest.
    fn cmp(&self, other: &Call) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

struct Sleep {
    alarm: Alarm,
    at: Instant,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        self.alarm.0.send(Call(self.at, cx.waker().clone())).unwrap();
        Poll::Pending
    }
}

#[async_work]
async fn sleeps(alarm: Alarm, wake_at: Instant, n: usize) -> usize {
    alarm.sleep_until(wake_at).await;
    n
}
#[async_work]
fn sum(all: Vec<usize>) -> usize {
    all.into_iter().sum()
}

/// A pool whose one worker may not be helped by spares.
fn one_worker() -> Pool {
    Pool::builder().workers(1).max_spares(0).build().unwrap()
}

#[test]
fn ten_thousand_sleep_at_once_and_the_worker_is_free() {
    soon(|| {
        let (pool, alarm) = (one_worker(), Alarm::new());
        let asleep = Duration::from_millis(500);
        let start = Instant::now();
        let wake_at = start + asleep;
        let all = chain!(&pool, {
            let sleepers: Vec<_> =
                (0..SLEEPERS).map(|n| sleeps(alarm.clone(), wake_at, n)).collect();
            sum(sleepers)
        });
        assert_eq!(pool.spawn(|| 7).get().unwrap(), 7, "the worker does other work meanwhile");
        assert_eq!(all.get().unwrap(), (0..SLEEPERS).sum());
        assert!(start.elapsed() >= asleep);
    });
}

/// Where threads block and sleep again and again, submitters see to it that they are seen; in the midst of much work they
/// leave that to those who sleep. Nothing is left behind at either, nor from one to the other.
#[test]
fn short_waits_and_much_work_in_turn() {
    soon(|| {
        for workers in [1, 2, 4] {
            let pool = Pool::new(workers);
            for round in 0..30 {
                for n in 0..20 {
                    let late = AsyncResult::new();
                    let its = late.clone();
                    let waits = pool.spawn(move || its.get().unwrap());
                    let sets = pool.spawn(move || asynckit::blocking(|| late.set(n)).is_ok());
                    assert!(sets.get().unwrap());
                    assert_eq!(waits.get().unwrap(), n);
                }
                let much: Vec<_> = (0..3000).map(|n| pool.spawn(move || n)).collect();
                let sum: usize = much.into_iter().map(|one| one.get().unwrap()).sum();
                assert_eq!(sum, 3000 * 2999 / 2);
                // Now and then so long that the next sleep is the first for a while.
                thread::sleep(Duration::from_micros(100 * (round % 5)));
            }
        }
    });
}

#[test]
fn ten_thousand_chains_sleep_at_once() {
    soon(|| {
        let (pool, alarm) = (one_worker(), Alarm::new());
        let wake_at = Instant::now() + Duration::from_millis(300);
        let all: Vec<AsyncResult<usize>> = (0..SLEEPERS)
            .map(|n| {
                let alarm = alarm.clone();
                chain!(&pool, async move {
                    let n = sleeps(alarm.clone(), wake_at, n).await?;
                    alarm.sleep_until(wake_at).await;
                    sleeps(alarm, wake_at, n)
                })
            })
            .collect();
        let total: usize = all.into_iter().map(|one| one.get().unwrap()).sum();
        assert_eq!(total, (0..SLEEPERS).sum());
    });
}
