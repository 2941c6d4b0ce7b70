//! Closures of every size and alignment: called with what they hold, and dropped once, whatever
//! becomes of the work.

use asynckit::{AsyncResult, Pool, chain, work};

use crate::support::{Broken, Counter, OnDrop, soon};

/// As many bytes more, aligned as `A` is.
struct Ballast<A, const BYTES: usize>(OnDrop, [u8; BYTES], A);

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Aligned(u8);

impl<A: Copy, const BYTES: usize> Ballast<A, BYTES> {
    fn new(drops: &Counter, last: A) -> Self {
        let mut bytes = [0; BYTES];
        for (byte, n) in bytes.iter_mut().zip(1..) {
            *byte = n;
        }
        Self(drops.on_drop(), bytes, last)
    }

    fn sum(&self) -> u32 {
        let Self(_on_drop, bytes, last) = self;
        assert_eq!((&raw const *last).addr() % align_of::<A>(), 0);
        bytes.iter().copied().map(u32::from).sum()
    }
}

fn each_way<A: Copy + Send + 'static, const BYTES: usize>(pool: &Pool, last: A) {
    let drops = Counter::new();
    let sum = Ballast::<A, BYTES>::new(&drops, last).sum();
    assert_eq!(drops.count(), 1);

    let ballast = Ballast::<A, BYTES>::new(&drops, last);
    assert_eq!(work(move || ballast.sum()).spawn_on(pool).get().unwrap(), sum);
    assert_eq!(drops.count(), 2, "run");

    let ballast = Ballast::<A, BYTES>::new(&drops, last);
    drop(work(move || ballast.sum()));
    assert_eq!(drops.count(), 3, "dropped before it runs");

    let ballast = Ballast::<A, BYTES>::new(&drops, last);
    let panics = work(move || assert_eq!(ballast.sum(), u32::MAX));
    assert!(panics.run().unwrap_err().is_panic());
    assert_eq!(drops.count(), 4, "panicked");

    let ballast = Ballast::<A, BYTES>::new(&drops, last);
    let add = move |n: u32| n + ballast.sum();
    let (setter, n) = AsyncResult::channel();
    let lifted = chain!(pool, add(n));
    setter.set(1).unwrap();
    assert_eq!(lifted.get().unwrap(), 1 + sum);
    assert_eq!(drops.count(), 5, "lifted");

    let ballast = Ballast::<A, BYTES>::new(&drops, last);
    let add = move |n: u32| n + ballast.sum();
    let (setter, n) = AsyncResult::channel();
    let skipped = chain!(pool, add(n));
    setter.fail(Broken(1)).unwrap();
    assert!(skipped.get().is_err());
    assert_eq!(drops.count(), 6, "skipped");
}

#[test]
fn closures_of_every_size() {
    soon(|| {
        let pool = Pool::new(1);
        each_way::<(), 0>(&pool, ());
        each_way::<(), 1>(&pool, ());
        each_way::<(), 8>(&pool, ());
        each_way::<u64, 9>(&pool, 1);
        each_way::<(), 24>(&pool, ());
        each_way::<(), 25>(&pool, ());
        each_way::<(), 56>(&pool, ());
        each_way::<(), 57>(&pool, ());
        each_way::<u128, 64>(&pool, 2);
        each_way::<Aligned, 1>(&pool, Aligned(3));
        each_way::<Aligned, 200>(&pool, Aligned(4));
        each_way::<(), 250>(&pool, ());
        assert_eq!(Aligned(5).0, 5);
    });
}

#[test]
fn a_large_value_comes_through_a_stack_that_is_not_much_larger() {
    const SIZE: usize = 112 * 1024;
    // This thread has plenty of stack, so that only the worker's counts.
    let caller = std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
        let pool = Pool::builder().workers(1).stack_size(2 << 20).build().unwrap();
        let mapped = AsyncResult::ready([1_u8; SIZE]).map(|all| all).spawn_on(&pool);
        assert_eq!(mapped.get().unwrap()[SIZE - 1], 1);
        let spawned = pool.spawn(|| [2_u8; SIZE]);
        assert_eq!(spawned.get().unwrap()[SIZE - 1], 2);
    });
    caller.unwrap().join().unwrap();
}
