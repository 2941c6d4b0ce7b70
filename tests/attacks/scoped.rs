//! Values of a scope that borrow: none is there when what it borrows is gone, and when the scope has
//! ended and no handle is left, neither is any of them.

use std::future::{Future, IntoFuture};
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use asynckit::{
    AsyncResult, Awaited, CancelToken, Limit, Pool, Results, Retry, Scope, Setter, Work,
    async_work, chain, work,
};

use crate::ground::{Borrows, Ground, Random, Watch, idle_waker, suspended, wake_kept};

type Value<'a> = AsyncResult<Borrows<'a>>;

#[async_work]
async fn make(ground: &Ground, times: u64) -> Borrows<'_> {
    suspended(times).await;
    Borrows::new(ground)
}

#[async_work]
fn two(ground: &Ground) -> (Borrows<'_>, Borrows<'_>) {
    (Borrows::new(ground), Borrows::new(ground))
}

#[async_work]
fn pass(value: Borrows<'_>) -> Borrows<'_> {
    value.look();
    value
}

#[async_work]
async fn look(value: &Borrows<'_>, times: u64) {
    suspended(times).await;
    value.look();
}

/// Looks until it has been tried often enough, each time with a limit that it may exceed.
fn look_often<'w>(value: &'w Borrows<'_>, limit: Limit) -> Work<'w, ()> {
    let mut tries = 0;
    let attempt = move || {
        tries += 1;
        let late = tries == 1;
        let looks = move || {
            if late {
                std::thread::sleep(Duration::from_micros(300));
            }
            value.look();
        };
        work(looks).limit(&limit).timeout(Duration::from_micros(200))
    };
    Retry::new(2).work(attempt)
}

/// What the program holds.
#[derive(Default)]
struct Held<'a> {
    values: Vec<Value<'a>>,
    lists: Vec<AsyncResult<Vec<Borrows<'a>>>>,
    pairs: Vec<AsyncResult<(Borrows<'a>, Borrows<'a>)>>,
    futures: Vec<Awaited<Borrows<'a>>>,
    setters: Vec<Setter<Borrows<'a>>>,
    pair_setters: Vec<Setter<(Borrows<'a>, Borrows<'a>)>>,
}

pub fn attack(seed: u64) -> Watch {
    let watch = Watch::default();
    let mut random = Random(seed);
    {
        let pool = Pool::new(random.below(3) as usize);
        let ground = Ground::new(&watch);
        let mut held = Held::default();
        let steps = random.below(40);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            pool.scope(|s| {
                for _ in 0..steps {
                    step(s, &pool, &ground, &mut held, &mut random);
                }
                if random.one_in(8) {
                    resume_unwind(Box::new("on purpose"));
                }
            });
        }));
        drop(ended);
        if random.one_in(8) {
            pool.stop_now();
        }
        wake_kept(&mut random);
        for _ in 0..random.below(20) {
            // Values that panic when they are dropped do so here, too.
            let step = || step_without(&pool, &ground, &mut held, &mut random);
            drop(catch_unwind(AssertUnwindSafe(step)));
        }
        drop(held);
        watch.all_gone();
    }
    wake_kept(&mut random);
    watch
}

fn step<'s, 'a: 's>(
    s: &'s Scope<'s, '_>,
    pool: &Pool,
    ground: &'a Ground,
    held: &mut Held<'a>,
    random: &mut Random,
) {
    let token = CancelToken::new();
    match random.below(24) {
        0 => held.values.push(s.spawn(|| Borrows::new(ground))),
        1 => held.values.push(s.ready(Borrows::new(ground))),
        2 => {
            let (setter, value) = s.channel();
            held.setters.push(setter);
            held.values.push(value);
        }
        3 => held.values.push(make(ground, random.below(3)).spawn_on(s)),
        4 => {
            if let Some(value) = random.pick(&mut held.values) {
                held.values.push(chain!(s, pass(value)));
            }
        }
        5 | 6 => {
            if let Some(value) = random.pick(&mut held.values) {
                let times = random.below(4);
                let looks = match random.below(2) {
                    0 => chain!(s, look(&value, times)),
                    _ => chain!(s, look_often(&value, Limit::new(1))),
                };
                held.values.push(value);
                end_of(looks, random);
            }
        }
        7 => {
            let some = held.values.len() / 2;
            held.lists.push(s.join_all(held.values.drain(..some)));
        }
        8 => {
            if let (Some(a), Some(b)) =
                (random.pick(&mut held.values), random.pick(&mut held.values))
            {
                held.pairs.push(s.join((a, b)));
            }
        }
        9 => held.values.push(chain!(s, {
            let (a, b) = two(ground);
            drop({ b });
            a
        })),
        10 => held.values.push(s.spawn(|| Borrows::new(ground).panicking())),
        11 => held.values.push(s.spawn(|| {
            let _held = Borrows::new(ground);
            resume_unwind(Box::new("on purpose"))
        })),
        12 => {
            let clones: Vec<_> = held.values.iter().take(2).cloned().collect();
            held.values.extend(clones);
        }
        13 => {
            if let Some(value) = random.pick(&mut held.values) {
                held.values.push(value.map(|value| value).spawn_on(s));
            }
        }
        14 => {
            let mut values = s.map(0..4, |_| Borrows::new(ground));
            drop(values.next());
            if random.one_in(4) {
                ground.watch.forgets();
                forget(values);
            }
        }
        15 => {
            let place = token.on(s);
            held.values.push(place.spawn(|| Borrows::new(ground)));
            held.values.push(make(ground, 2).spawn_on(&place));
            token.cancel();
        }
        16 => drop(s.spawn(move || {
            // A member makes members, and lets go of their values here.
            drop(s.ready(Borrows::new(ground)));
            drop(s.spawn(move || Borrows::new(ground)));
        })),
        17 => held.values.push(
            s.spawn(|| Borrows::new(ground)).map(|value| value).timeout(Duration::ZERO).spawn_on(s),
        ),
        18 => {
            if let Some(value) = held.values.first() {
                let after = work(|| Borrows::new(ground)).after(value);
                if random.one_in(4) {
                    drop(after);
                } else {
                    held.values.push(after.spawn_on(s));
                }
            }
        }
        19 => held.pairs.push(s.ready((Borrows::new(ground), Borrows::new(ground)))),
        20 => {
            let (setter, pair) = s.channel();
            held.pair_setters.push(setter);
            held.pairs.push(pair);
        }
        _ => step_without(pool, ground, held, random),
    }
}

/// Takes a tuple apart, in a scope or long after it.
fn take_apart<'a>(held: &mut Held<'a>, pool: &Pool, random: &mut Random) {
    let Some(pair) = random.pick(&mut held.pairs) else { return };
    let mut parts = Vec::new();
    drop(chain!(pool, {
        let (a, b) = pair;
        parts.push(a);
        parts.push(b);
    }));
    match random.below(4) {
        0 => parts.clear(),
        1 => drop(parts.pop()),
        2 => drop(parts.swap_remove(0).into_future()),
        _ => held.values.append(&mut parts),
    }
    held.values.append(&mut parts);
}

/// What can be done with handles alone, in the scope and after it.
fn step_without<'a>(pool: &Pool, ground: &'a Ground, held: &mut Held<'a>, random: &mut Random) {
    match random.below(14) {
        0 | 1 => {
            if let Some(value) = random.pick(&mut held.values) {
                let mut future = value.into_future();
                if poll(&mut future).is_none() {
                    held.futures.push(future);
                }
            }
        }
        2 => {
            if let Some(mut future) = random.pick(&mut held.futures) {
                // A future that has ended may not be polled again.
                if poll(&mut future).is_none() {
                    held.futures.push(future);
                }
            }
        }
        3 => match random.below(5) {
            0 => drop(random.pick(&mut held.lists)),
            1 => drop(random.pick(&mut held.pairs)),
            2 => drop(random.pick(&mut held.futures)),
            3 => drop(random.pick(&mut held.setters)),
            _ => drop(random.pick(&mut held.values)),
        },
        4 if random.one_in(4) => {
            ground.watch.forgets();
            match random.below(4) {
                0 => forget(random.pick(&mut held.lists)),
                1 => forget(random.pick(&mut held.futures)),
                2 => forget(random.pick(&mut held.setters)),
                _ => forget(random.pick(&mut held.values)),
            }
        }
        5 => {
            if let Some(setter) = random.pick(&mut held.setters) {
                match random.below(3) {
                    0 => drop(setter.fail("on purpose")),
                    1 => drop(setter.set(Borrows::new(ground).panicking())),
                    _ => drop(setter.set(Borrows::new(ground))),
                }
            }
        }
        6 => {
            if let Some(value) = held.values.last() {
                value.cancel();
            }
        }
        7 => {
            let (value, future) = (random.pick(&mut held.values), random.pick(&mut held.futures));
            let setter = random.pick(&mut held.setters);
            std::thread::scope(|threads| {
                threads.spawn(move || drop((value, future)));
                threads.spawn(move || setter.map(|setter| drop(setter.set(Borrows::new(ground)))));
            });
        }
        8 => {
            if let Some(value) = random.pick(&mut held.values) {
                match value.get_timeout(Duration::from_micros(100)) {
                    Ok(Ok(value)) => value.look(),
                    Ok(Err(_)) => {}
                    Err(value) => held.values.push(value),
                }
            }
        }
        9 => {
            let set = |value: &Value<'_>| value.is_set();
            let set: Vec<_> = held.values.extract_if(.., |value| set(value)).collect();
            let mut done = set.as_completed();
            if let Some(value) = done.next() {
                held.values.push(value);
            }
        }
        10 => {
            if let Some(value) = random.pick(&mut held.values) {
                drop(value.cancel_on_drop().into_future());
            }
        }
        11 => take_apart(held, pool, random),
        12 => {
            if let Some(setter) = random.pick(&mut held.pair_setters) {
                drop(setter.set((Borrows::new(ground), Borrows::new(ground).panicking())));
            }
        }
        _ => wake_kept(random),
    }
}

fn poll<'a>(future: &mut Awaited<Borrows<'a>>) -> Option<Result<Borrows<'a>, asynckit::Error>> {
    match Pin::new(future).poll(&mut Context::from_waker(&idle_waker())) {
        std::task::Poll::Ready(outcome) => Some(outcome),
        std::task::Poll::Pending => None,
    }
}

/// Lets go of a result in one way or another.
fn end_of(result: AsyncResult<()>, random: &mut Random) {
    match random.below(3) {
        0 => drop(result),
        1 => drop(result.cancel()),
        _ => forget(result),
    }
}
