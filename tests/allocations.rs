//! What a task costs in memory: one allocation, of a bounded size, and none for its inputs.
//!
//! Each test counts what its own thread allocates, and has that thread do all of the work: the pools
//! have no workers. What grows by doubling or in blocks (queues, lists) is allowed a small share.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::size_of;
use std::time::Duration;

use asynckit::{
    AsyncResult, CancelToken, Pool, Results, Setter, Work, async_work, chain, current, work,
};

/// Counts what each thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn note(size: usize) {
    COUNT.set(COUNT.get() + 1);
    LARGEST.set(LARGEST.get().max(size));
}

#[allow(unsafe_code)]
// SAFETY: it is the system's allocator; what is done besides allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many tasks each count is over.
const TASKS: usize = 1000;
/// What queues and lists may need for so many.
const SHARE: usize = TASKS / 8;

/// How often this thread allocates in `f`.
fn allocations<R>(f: impl FnOnce() -> R) -> usize {
    let before = COUNT.get();
    let kept = f();
    let count = COUNT.get() - before;
    drop(kept);
    count
}

#[track_caller]
fn assert_one_each(count: usize) {
    assert!(count <= TASKS + SHARE, "{count} allocations for {TASKS} tasks");
}

#[track_caller]
fn assert_none_each(count: usize) {
    assert!(count <= SHARE, "{count} allocations for {TASKS} tasks");
}

#[async_work]
fn inc(n: u64) -> u64 {
    n + 1
}

#[async_work]
fn sum(a: u64, b: &u64, c: &u64) -> u64 {
    a + b + c
}

/// As the annotated one, for a lifted call that makes no work of its own.
fn plain_sum(a: u64, b: &u64, c: &u64) -> u64 {
    a + b + c
}

/// A pool that this thread does the work of, used once so that what is made lazily is there.
fn pool() -> Pool {
    let pool = Pool::new(0);
    assert_eq!(chain!(&pool, inc(inc(1))).get().unwrap(), 3);
    pool
}

fn channels() -> (Vec<Setter<u64>>, Vec<AsyncResult<u64>>) {
    (0..TASKS).map(|_| AsyncResult::channel()).unzip()
}

#[test]
fn a_spawned_closure_allocates_once() {
    let pool = pool();
    let mut results = Vec::with_capacity(TASKS);
    let seed = std::hint::black_box(3);
    assert_one_each(allocations(|| {
        results.extend((0..TASKS).map(|n| pool.spawn(move || n + seed)));
        pool.run_until_idle();
    }));
    assert_none_each(allocations(|| {
        for (n, result) in results.into_iter().enumerate() {
            assert_eq!(result.get().unwrap(), n + seed);
        }
    }));
}

#[test]
fn the_call_of_an_annotated_function_allocates_once() {
    let pool = pool();
    let mut results = Vec::with_capacity(TASKS);
    assert_one_each(allocations(|| {
        results.extend((0..TASKS as u64).map(|n| inc(n).spawn_on(&pool)));
        pool.run_until_idle();
    }));
    assert_one_each(allocations(|| chain!(&pool, (0..TASKS as u64).map(inc).collect::<Vec<_>>())));
}

#[test]
fn work_inside_of_work_allocates_once() {
    let pool = pool();
    let count = pool.spawn(|| {
        let here = current();
        allocations(|| {
            for n in 0..TASKS {
                work(move || n).detach_on(&here);
            }
        })
    });
    assert_one_each(count.get().unwrap());
}

#[test]
fn a_result_that_the_program_sets_allocates_once() {
    let mut made = Vec::with_capacity(TASKS);
    assert_one_each(allocations(|| made.extend((0..TASKS).map(|_| AsyncResult::channel()))));
    assert_none_each(allocations(|| {
        for (setter, result) in made {
            setter.set(1).unwrap();
            assert_eq!(result.get().unwrap(), 1);
        }
    }));
}

#[test]
fn work_of_a_token_that_is_over_takes_up_no_memory() {
    let (pool, token) = (pool(), CancelToken::new());
    let place = token.on(&pool);
    let rounds = |rounds| {
        for n in 0..rounds {
            // Nobody waits for its end.
            drop(place.spawn(move || n));
            pool.run_until_idle();
        }
    };
    rounds(1);
    LARGEST.set(0);
    rounds(TASKS * 4);
    // No more memory for tasks, nor a list of them that grows.
    assert!(LARGEST.get() < 4096, "{} bytes", LARGEST.get());
}

#[async_work]
fn seen(flag: &u64, n: u64) -> u64 {
    flag + n
}

#[test]
fn what_was_given_up_leaves_nothing_at_a_result_that_lives_on() {
    let pool = pool();
    let (lasting, lent) = (AsyncResult::<u64>::new(), AsyncResult::<u64>::new());
    let rounds = |rounds| {
        for _ in 0..rounds {
            let moved = lasting.clone().map(|n| n + 1).spawn_on(&pool);
            let after = work(|| 1u64).after(&lasting).spawn_on(&pool);
            let (failing, other) = AsyncResult::channel();
            let looks = chain!(&pool, seen(&lent, other));
            let all = [lasting.clone(), looks].join_all();
            let in_time = lasting.clone().timeout(Duration::ZERO);
            assert!(in_time.get().is_err());
            drop(work(|| 1u64).after(&lasting));
            assert!(moved.cancel() && after.cancel());
            drop(failing);
            assert!(all.is_error());
            pool.run_until_idle();
        }
    };
    rounds(100);
    LARGEST.set(0);
    rounds(TASKS * 4);
    // No more memory for tasks.
    assert!(LARGEST.get() < 4096, "{} bytes", LARGEST.get());
    // What still waits is told, in its order.
    let waits: Vec<_> =
        (0..100).map(|n| lasting.clone().map(move |x| x + n).spawn_on(&pool)).collect();
    rounds(200);
    lasting.set(1).unwrap();
    assert!(waits.into_iter().enumerate().all(|(n, wait)| wait.get().unwrap() == 1 + n as u64));
}

#[test]
fn statements_that_are_over_take_up_no_memory() {
    let pool = pool();
    chain!(&pool, {
        inc(1);
    })
    .get()
    .unwrap();
    assert_none_each(allocations(|| {
        let all = chain!(&pool, {
            for _ in 0..TASKS {
                inc(1);
                pool.run_until_idle();
            }
            inc(2)
        });
        assert_eq!(all.get().unwrap(), 3);
    }));
    // Nor do statements of another kind.
    let chained = allocations(|| {
        let mut list = Vec::with_capacity(TASKS);
        for n in 0..TASKS {
            drop(chain!(&pool, {
                list.push(n);
                AsyncResult::ready(())
            }));
        }
        list
    });
    assert_none_each(chained);
}

#[test]
fn an_input_allocates_nothing() {
    let pool = pool();
    let (setters, inputs) = channels();
    let (left, right) = (AsyncResult::ready(1), AsyncResult::ready(2));
    let mut results = Vec::with_capacity(TASKS);
    let tied = allocations(|| {
        for a in inputs {
            let (b, c) = (&left, &right);
            results.push(chain!(&pool, plain_sum(a, b, c)));
        }
    });
    assert_one_each(tied);
    assert_none_each(allocations(|| {
        for setter in setters {
            setter.set(4).unwrap();
        }
        pool.run_until_idle();
        for result in results {
            assert_eq!(result.get().unwrap(), 7);
        }
    }));
}

#[test]
fn a_cloned_input_allocates_nothing() {
    let pool = pool();
    let (setter, shared) = AsyncResult::channel();
    let other = AsyncResult::ready(2);
    let mut results = Vec::with_capacity(TASKS);
    assert_one_each(allocations(|| {
        for _ in 0..TASKS {
            let c = &other;
            results.push(chain!(&pool, plain_sum(shared.clone(), c, c)));
        }
        setter.set(4).unwrap();
        pool.run_until_idle();
    }));
    for result in results {
        assert_eq!(result.get().unwrap(), 8);
    }
}

#[test]
fn a_lifted_call_of_an_annotated_function_allocates_once() {
    let pool = pool();
    let (setters, inputs) = channels();
    let (left, right) = (AsyncResult::ready(1), AsyncResult::ready(2));
    let mut results = Vec::with_capacity(TASKS);
    assert_one_each(allocations(|| {
        for a in inputs {
            let (b, c) = (&left, &right);
            results.push(chain!(&pool, sum(a, b, c)));
        }
        for setter in setters {
            setter.set(4).unwrap();
        }
        pool.run_until_idle();
    }));
    for result in results {
        assert_eq!(result.get().unwrap(), 7);
    }
}

#[test]
fn handles_and_clones_of_handles_allocate_nothing() {
    let pool = pool();
    let result = pool.spawn(|| 5u64);
    let mut handles = Vec::with_capacity(TASKS);
    assert_none_each(allocations(|| {
        handles.extend((0..TASKS).map(|_| result.clone()));
        assert_eq!(*result.get_ref().unwrap(), 5);
        for handle in handles {
            assert_eq!(handle.get().unwrap(), 5);
        }
    }));
}

#[test]
fn a_result_is_one_word() {
    assert_eq!(size_of::<AsyncResult<[u64; 9]>>(), size_of::<usize>());
}

#[test]
fn a_result_that_may_be_missing_is_one_word() {
    assert_eq!(size_of::<Option<AsyncResult<u8>>>(), size_of::<usize>());
}

#[test]
fn other_handles_are_small() {
    let word = size_of::<usize>();
    assert!(size_of::<Option<Setter<u8>>>() <= 2 * word);
    assert!(size_of::<asynckit::Error>() <= 8 * word, "{}", size_of::<asynckit::Error>());
}

#[test]
fn work_is_small() {
    // A closure of five words, as a call with five arguments makes, is in it.
    assert!(size_of::<Work<'static, u64>>() <= 72, "{}", size_of::<Work<'static, u64>>());
}

#[test]
fn a_small_task_fits_into_two_lines_of_cache() {
    let pool = pool();
    LARGEST.set(0);
    let result = pool.spawn(|| 1u64);
    // The queue is there, so that nothing else is allocated.
    assert!(LARGEST.get() <= 128, "{} bytes", LARGEST.get());
    assert_eq!(result.get().unwrap(), 1);
}
