//! What recordings and bars hold in memory, and that they let go of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use asynckit::{AsyncResult, Limit, Pool, Results, async_work};
use asynckit_view::{Recording, progress};

/// Counts the bytes that all threads hold.
struct Counting;

static BYTES: AtomicIsize = AtomicIsize::new(0);

fn note(more: usize, less: usize) {
    BYTES.fetch_add(more as isize - less as isize, Ordering::Relaxed);
}

#[allow(unsafe_code)]
// SAFETY: it is the system's allocator; what is done besides allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time, as all of them count.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By how many bytes there are more after this.
fn growth(f: impl FnOnce()) -> isize {
    let before = BYTES.load(Ordering::Relaxed);
    f();
    BYTES.load(Ordering::Relaxed) - before
}

#[async_work]
fn read(n: u64) -> u64 {
    n
}

#[async_work]
async fn later(input: AsyncResult<u64>) -> u64 {
    input.await.unwrap_or(0)
}

#[async_work]
fn noted(bytes: usize) -> usize {
    asynckit::note("much", "x".repeat(bytes));
    bytes
}

fn reads(pool: &Pool, count: u64) {
    (0..count).map(|n| read(n).spawn_on(pool)).join_all().get().unwrap();
}

const ROUNDS: isize = 100;

#[test]
fn a_recording_that_is_over_holds_little() {
    let _alone = alone();
    let pool = Pool::builder().workers(0).build().unwrap();
    let round = || {
        let recording = Recording::of(&pool);
        reads(&pool, 2_000);
        assert_eq!(recording.finish().tasks(), 2_000);
    };
    round();
    let each = growth(|| (0..ROUNDS).for_each(|_| round())) / ROUNDS;
    assert!(each < 6 << 10, "{each} bytes for each recording");
}

#[test]
fn a_bar_that_is_over_holds_little() {
    let _alone = alone();
    let pool = Pool::builder().workers(0).build().unwrap();
    let round = || {
        let bar = progress::lines(&pool, Duration::from_secs(3600), std::io::sink());
        reads(&pool, 2_000);
        drop(bar);
    };
    round();
    let each = growth(|| (0..ROUNDS).for_each(|_| round())) / ROUNDS;
    assert!(each < 6 << 10, "{each} bytes for each bar");
}

#[test]
fn a_thread_that_has_ended_leaves_its_room_to_others() {
    let _alone = alone();
    let pool = Arc::new(Pool::builder().workers(0).build().unwrap());
    let recording = Recording::of(&pool).limit(500);
    let thread = || {
        let pool = pool.clone();
        // What a thread leaves is there when it is joined.
        std::thread::spawn(move || read(1).spawn_on(&*pool).get().unwrap()).join().unwrap();
    };
    (0..10).for_each(|_| thread());
    let grown = growth(|| (10..500).for_each(|_| thread()));
    assert!(grown < 256 << 10, "{grown} bytes");
    let memory = recording.memory();
    assert!((500 * 16..500 * 100).contains(&memory), "{memory} bytes");
    // None of what each may record without asking is lost.
    assert_eq!(recording.finish().tasks(), 500);
}

#[test]
fn futures_beyond_the_limit_leave_nothing_behind() {
    let _alone = alone();
    let pool = Pool::builder().workers(0).build().unwrap();
    let recording = Recording::of(&pool).limit(1);
    let round = || {
        let inputs: Vec<AsyncResult<u64>> = (0..1_000).map(|_| AsyncResult::new()).collect();
        let all: Vec<_> = inputs.iter().map(|one| later(one.clone()).spawn_on(&pool)).collect();
        pool.run_until_idle();
        inputs.into_iter().for_each(|input| input.set(1).unwrap());
        all.join_all().get().unwrap();
    };
    round();
    let grown = growth(|| (0..20).for_each(|_| round()));
    assert!(grown < 64 << 10, "{grown} bytes");
    drop(recording);
}

#[test]
fn of_limits_beyond_the_limit_nothing_is_kept() {
    let _alone = alone();
    let pool = Pool::builder().workers(0).build().unwrap();
    let limit = Limit::new(1);
    let keys = |keys: std::ops::Range<u64>| {
        keys.for_each(|n| drop(read(n).limit(&limit.of(&n)).spawn_on(&pool).get()));
    };
    let recording = Recording::of(&pool).limit(10);
    keys(0..1_000);
    let grown = growth(|| keys(1_000..11_000));
    assert!(grown < 64 << 10, "{grown} bytes beyond the limit");
    drop(recording.finish());
    let grown = growth(|| keys(11_000..21_000));
    assert!(grown < 64 << 10, "{grown} bytes after the end");
}

#[test]
fn texts_are_cut_and_there_is_an_end_to_them() {
    let _alone = alone();
    let pool = Pool::builder().workers(0).build().unwrap();
    let recording = Recording::of(&pool).limit(2_000);
    noted(1 << 20).spawn_on(&pool).get().unwrap();
    let grown = growth(|| {
        (0..1_000).for_each(|_| drop(noted(1 << 16).spawn_on(&pool).get()));
    });
    // 256 bytes a task of its limit; and what else is kept of tasks.
    assert!(grown < 1 << 20, "{grown} bytes");
    drop(recording);
}
