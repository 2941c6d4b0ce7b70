//! Work that takes up more of a limit than one: never more than the whole at once, and nobody waits for ever.

use std::sync::{Arc, LazyLock, Mutex};

use asynckit::{
    CancelToken, ErrorKind, Explore, Limit, Pool, Results, Work, async_work, current, work,
};

use crate::support::{Gate, Inside, eventually, soon};

#[async_work]
fn inc(n: u32) -> u32 {
    n + 1
}

/// Work that holds so much until the gate opens.
fn hold(gate: &Gate, begun: &Gate) -> Work<'static, ()> {
    let (gate, begun) = (gate.clone(), begun.clone());
    work(move || {
        begun.open();
        gate.pass();
    })
}

#[test]
fn never_more_than_the_whole() {
    soon(|| {
        let (pool, memory) = (Pool::new(8), Limit::new(16));
        let used = Inside::default();
        let all = (0..2000).map(|n| {
            let (weight, used) = (n % 17, used.clone());
            let takes = work(move || used.visit_as(weight, std::thread::yield_now));
            takes.limit(&memory.take(weight)).spawn_on(&pool)
        });
        all.join_all().get().unwrap();
        let most = used.most();
        assert!((1..=16).contains(&most), "{most}");
        eventually("all is given back", || {
            inc(1).limit(&memory.take(16)).try_spawn_on(&pool).is_ok_and(|one| one.get().is_ok())
        });
    });
}

#[test]
fn light_work_does_not_go_past_heavy_work() {
    soon(|| {
        let (pool, memory) = (Pool::new(4), Limit::new(4));
        let (gate, begun, order) = (Gate::new(), Gate::new(), Arc::new(Mutex::new(Vec::new())));
        let first = hold(&gate, &begun).limit(&memory.take(1)).spawn_on(&pool);
        begun.pass();
        let noting = |n: usize, weight| {
            let order = order.clone();
            work(move || order.lock().unwrap().push(n)).limit(&memory.take(weight)).spawn_on(&pool)
        };
        // There is room for the light ones all the time, and the heavy one was there first.
        let heavy = noting(0, 4);
        let light: Vec<_> = (1..50).map(|n| noting(n, 1)).collect();
        assert_eq!(memory.waiting(), 50);
        gate.open();
        first.get().unwrap();
        heavy.get().unwrap();
        light.join_all().get().unwrap();
        assert_eq!(order.lock().unwrap()[0], 0);
    });
}

#[test]
fn heavy_work_that_gives_up_lets_the_others_go() {
    soon(|| {
        let (pool, memory) = (Pool::new(4), Limit::new(4));
        let (gate, begun, token) = (Gate::new(), Gate::new(), CancelToken::new());
        let first = hold(&gate, &begun).limit(&memory.take(1)).spawn_on(&pool);
        begun.pass();
        let heavy = inc(1).limit(&memory.take(4)).spawn_on(&token.on(&pool));
        let light: Vec<_> = (0..3).map(|n| inc(n).limit(&memory).spawn_on(&pool)).collect();
        assert_eq!(memory.waiting(), 4);
        token.cancel();
        assert_eq!(light.join_all().get().unwrap(), [1, 2, 3], "though nothing was given back");
        assert_eq!(heavy.get().unwrap_err().kind(), ErrorKind::Cancelled);
        gate.open();
        first.get().unwrap();
    });
}

#[test]
fn more_than_the_whole_is_an_error_at_submission() {
    soon(|| {
        let (pool, memory) = (Pool::new(1), Limit::new(16));
        let refused = inc(1).limit(&memory.take(17)).spawn_on(&pool);
        assert!(refused.is_set(), "at once");
        let error = refused.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        let text = error.to_string();
        assert!(text.contains("takes 17 of a limit of 16"), "{text}");
        assert!(text.contains("take at most 16, or make that larger"), "{text}");
        assert!(text.contains("weights.rs"), "{text}");
        assert!(inc(1).limit(&memory.take(17)).run().is_err());
        assert_eq!(inc(1).limit(&memory.take(16)).run().unwrap(), 2);
        assert_eq!(inc(1).limit(&memory.take(0)).spawn_on(&pool).get().unwrap(), 2);
        assert_eq!(memory.waiting(), 0);
    });
}

#[test]
fn waits_for_what_finds_too_little_room_are_deadlocks() {
    soon(|| {
        let (pool, memory) = (Pool::new(2), Limit::new(4));
        let nested = |outer: usize, inner: usize| {
            let its = memory.clone();
            let outer = memory.take(outer);
            work(move || inc(1).limit(&its.take(inner)).spawn_on(&current()).get())
                .limit(&outer)
                .spawn_on(&pool)
        };
        assert_eq!(nested(2, 2).get().unwrap().unwrap(), 2);
        let error = nested(2, 3).get().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert_eq!(nested(1, 3).get().unwrap().unwrap(), 2, "it goes on");
    });
}

#[test]
fn in_every_order_with_failures_at_every_place() {
    Explore::new().runs(60).fail_each_task().run(|pool| {
        let memory = Limit::new(3);
        let all: Vec<_> = [1, 3, 2, 2, 1, 3]
            .map(|weight| inc(1).limit(&memory.take(weight)).spawn_on(pool))
            .into();
        all.into_iter().for_each(|one| drop(one.get()));
        assert_eq!(memory.waiting(), 0);
        let _ = inc(1).limit(&memory.take(3)).spawn_on(pool).get();
    });
}

/// What images in work take up, and how much that was at most.
static MEMORY: LazyLock<Inside> = LazyLock::new(Inside::default);

/// How large an image is, told by a method of it.
struct Image(Vec<u8>);

impl Image {
    fn size(&self) -> usize {
        self.0.len()
    }

    #[async_work(limit = 8, weight = self.size() + more)]
    fn grown(&self, more: usize) -> usize {
        self.size() + more
    }
}

#[async_work(limit = 8, weight = image.size(), retry = 1)]
fn shrink(image: Arc<Image>) -> Result<usize, std::num::ParseIntError> {
    let size = image.size();
    MEMORY.visit_as(size, std::thread::yield_now);
    Ok(size)
}

#[test]
fn an_annotated_function_tells_its_weight() {
    soon(|| {
        let pool = Pool::new(4);
        let image = |n: usize| Arc::new(Image(vec![0; n]));
        let all = (0..500).map(|n| shrink(image(n % 9)).spawn_on(&pool)).join_all();
        assert_eq!(all.get().unwrap()[17], 8);
        assert!((1..=8).contains(&MEMORY.most()));
        assert!(shrink(image(9)).spawn_on(&pool).get().is_err());
        let image = image(5);
        pool.scope(|s| {
            assert_eq!(image.grown(3).spawn_on(s).get().unwrap(), 8);
            let text = image.grown(4).spawn_on(s).get().unwrap_err().to_string();
            assert!(text.contains("takes 9 of a limit of 8"), "{text}");
        });
    });
}

#[async_work(limit = 8, weight = n)]
fn by_a_number(n: usize) -> usize {
    n
}

#[async_work(limit = 8, weight = 3, priority = "low")]
fn always_three((a, b): (u32, u32)) -> u32 {
    a + b
}

#[test]
fn weights_may_be_plain_numbers() {
    soon(|| {
        let pool = Pool::new(1);
        assert_eq!(by_a_number(8).spawn_on(&pool).get().unwrap(), 8);
        assert!(by_a_number(9).spawn_on(&pool).get().is_err());
        assert_eq!(always_three((1, 2)).spawn_on(&pool).get().unwrap(), 3);
    });
}
