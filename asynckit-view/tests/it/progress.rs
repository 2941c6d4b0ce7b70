//! Progress as plain lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asynckit::{AsyncResult, CancelToken, Limit, Pool, Results, async_work, chain};
use asynckit_view::progress;

use crate::runs;

/// What was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// Without the time, which no two runs share.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.rsplit("s] ").next().unwrap().to_owned()).collect()
    }
}

const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn the_last_line_counts_all_and_comes_before_the_pool_has_stopped() {
    let pool = Pool::new(2);
    let written = Written::default();
    let bar = progress::lines(&pool, NEVER, written.clone());
    let limit = Limit::new(2);
    (0..30).map(|n| runs::read(n).limit(&limit).spawn_on(&pool)).join_all().get().unwrap();
    let bad = chain!(&pool, runs::add(runs::refuse(1), 2));
    assert!(bad.get().is_err());
    bar.println("a word");
    assert_eq!(bar.suspend(|| 5), 5);
    pool.stop();
    // A call under a limit counts once.
    assert_eq!(written.lines(), ["a word", "read 30/30 · refuse 1/1 ✕ 1 · add 1/1 ◇ 1"]);
    drop(bar);
    assert_eq!(written.lines().len(), 2);
}

#[test]
fn lines_come_while_it_runs_and_end_with_the_bar() {
    let pool = Pool::new(1);
    let written = Written::default();
    let bar = progress::lines(&pool, Duration::from_millis(1), written.clone());
    let begin = std::time::Instant::now();
    while written.lines().len() < 3 {
        assert!(begin.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
    bar.finish();
    let lines = written.lines();
    assert!(lines.iter().all(|line| line == "nothing yet"), "{lines:?}");
    pool.spawn(|| 5).get().unwrap();
    drop(pool);
    assert_eq!(written.lines().len(), lines.len());
}

#[test]
fn each_pool_counts_its_own_tasks_whoever_submits_them_and_however_they_end() {
    const EACH: u64 = 1_000;
    let pools = [Pool::new(2), Pool::new(1)];
    let written = [Written::default(), Written::default()];
    let bars: Vec<_> = pools
        .iter()
        .zip(&written)
        .map(|(pool, written)| progress::lines(pool, NEVER, written.clone()))
        .collect();
    // The numbers of what one thread submits lie in turns with this and that pool.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let sums = (0..2 * EACH).map(|n| {
                    let pool = &pools[n as usize % 2];
                    pool.spawn(move || runs::read(n).spawn_on(&asynckit::current())).get().unwrap()
                });
                sums.collect::<Vec<_>>().join_all().get().unwrap();
            });
        }
    });
    // These never begin.
    let never: AsyncResult<u64> = AsyncResult::new();
    let token = CancelToken::new();
    let waiting: Vec<_> = pools
        .iter()
        .flat_map(|pool| {
            let of = token.on(pool);
            [chain!(pool, runs::count(&never)), chain!(&of, runs::add(never.clone(), 1))]
        })
        .collect();
    token.cancel();
    pools.iter().for_each(Pool::stop);
    assert!(waiting.settle_all().get().unwrap().iter().all(Result::is_err));
    for written in &written {
        let lines = written.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let all = 3 * EACH;
        for part in [
            format!("closure {all}/{all}"),
            format!("read {all}/{all}"),
            "count 1/1 ◇ 1".to_owned(),
            "add 1/1 ◇ 1".to_owned(),
        ] {
            assert!(lines[0].split(" · ").any(|has| has == part), "{part}: {lines:?}");
        }
    }
    drop(bars);
}

#[async_work(limit = 2, timeout = "1 h", retry = 2)]
fn guarded(n: u64) -> u64 {
    n
}

#[test]
fn a_call_with_several_things_around_it_counts_once() {
    let pool = Pool::new(2);
    let written = Written::default();
    let _bar = progress::lines(&pool, NEVER, written.clone());
    let limit = Limit::new(2);
    let both = |n| runs::read(n).timeout(NEVER).limit(&limit).spawn_on(&pool);
    (0..3).map(both).join_all().get().unwrap();
    (0..3).map(|n| guarded(n).spawn_on(&pool)).join_all().get().unwrap();
    pool.stop();
    assert_eq!(written.lines(), ["read 3/3 · guarded 3/3"]);
}
