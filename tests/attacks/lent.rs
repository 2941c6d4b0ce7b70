//! What work has been lent, on a pool: it is there until the work is over, whatever becomes of results and
//! handles.

use std::mem::forget;
use std::time::Duration;

use asynckit::{AsyncResult, CancelToken, Limit, Pool, Retry, Work, async_work, chain, work};

use crate::ground::{Ground, Random, Watch, suspended, wake_kept};

/// Is its own ground: whoever comes too late looks at memory that is given back.
struct Lent(Ground, Watch);

impl Lent {
    fn new(watch: &Watch) -> Lent {
        watch.one_more();
        Lent(Ground::new(watch), watch.clone())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.1.one_less();
    }
}

#[async_work]
async fn suspends(lent: &Lent, times: u64, gate: AsyncResult<()>) -> u64 {
    suspended(times).await;
    let _ = gate.await;
    lent.0.look();
    times
}

#[async_work(timeout = "200us")]
fn late(lent: &Lent, other: &Lent) {
    lent.0.look();
    std::thread::sleep(Duration::from_micros(400));
    lent.0.look();
    other.0.look();
}

#[async_work(retry = 2, limit = 1)]
fn tried(lent: &Lent) -> Result<(), String> {
    std::thread::yield_now();
    lent.0.look();
    Err("on purpose".into())
}

#[async_work(retry = 1, limit = 2, timeout = "100us")]
async fn all_of_it(lent: &Lent, times: u64) {
    suspended(times).await;
    lent.0.look();
    assert!(times > 1, "on purpose");
}

fn by_hand(lent: &Lent, limit: Limit) -> Work<'_, ()> {
    let attempt = move || {
        let slow = move || {
            lent.0.look();
            std::thread::sleep(Duration::from_micros(300));
            lent.0.look();
        };
        work(slow).timeout(Duration::from_micros(100)).limit(&limit)
    };
    Retry::new(1).work(attempt).timeout(Duration::from_micros(250))
}

#[async_work]
fn take(lent: Lent) {
    lent.0.look();
}

pub fn attack(seed: u64) -> Watch {
    let watch = Watch::default();
    let mut random = Random(seed);
    let limit = Limit::new(1);
    {
        let pool = Pool::new(1 + random.below(3) as usize);
        let token = CancelToken::new();
        let place = token.on(&pool);
        let (open, gate) = AsyncResult::channel();
        let mut lents: Vec<AsyncResult<Lent>> = (0..3)
            .map(|_| {
                let watch = watch.clone();
                pool.spawn(move || Lent::new(&watch))
            })
            .collect();
        let mut results: Vec<AsyncResult<()>> = Vec::new();
        let mut open = Some(open);
        for _ in 0..random.below(24) {
            let Some(lent) = random.pick(&mut lents) else { break };
            let times = random.below(4);
            match random.below(12) {
                0 => results.push(
                    chain!(&place, suspends(&lent, times, { gate.clone() }))
                        .map(drop)
                        .spawn_on(&pool),
                ),
                1 => {
                    if let Some(other) = lents.first() {
                        results.push(chain!(&pool, late(&lent, other)));
                    }
                }
                2 => results.push(chain!(&place, tried(&lent))),
                3 => results.push(chain!(&pool, all_of_it(&lent, times))),
                4 => results.push(chain!(&place, by_hand(&lent, limit.clone()))),
                5 => {
                    results.push(chain!(&pool, take(lent)));
                    continue;
                }
                6 => {
                    drop(lent);
                    continue;
                }
                7 => match lent.get_timeout(Duration::from_micros(100)) {
                    Ok(value) => {
                        drop(value);
                        continue;
                    }
                    Err(lent) => {
                        lents.push(lent);
                        continue;
                    }
                },
                8 => drop(random.pick(&mut results).map(|result| result.cancel())),
                9 => forget(random.pick(&mut results)),
                10 => wake_kept(&mut random),
                _ => drop(open.take().filter(|_| random.one_in(2))),
            }
            lents.push(lent);
        }
        if random.one_in(3) {
            token.cancel();
        }
        if random.one_in(4) {
            pool.stop_now();
        }
        drop(lents);
        wake_kept(&mut random);
        drop((results, open));
    }
    wake_kept(&mut random);
    watch
}
