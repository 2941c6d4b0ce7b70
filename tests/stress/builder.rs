//! One thread's part of a random graph: the results that are open, and the steps by which new ones
//! are made of them.
//!
//! The order in which results are made is an order of the graph, so that no wait closes a cycle.
//! One thing needs care: a value that has several handles moves to the last one that is left. Were
//! it lent after that, the borrower might wait for the mover and the mover for the borrower. So of
//! a value that is cloned first and lent afterwards, one handle is kept until all else is done.

use std::time::Duration;

use asynckit::{AsyncResult, BoxError, Pool, Results, chain, current, try_work, work};
use crossbeam_channel::Sender;

use crate::errands::Errand;
use crate::expected::{Cause, Expected, Mercy, Node};
use crate::looks::{look, look_at_all};
use crate::random::Random;
use crate::tally::{Broken, Fate, Run, TALLY, Value, count, mix};
use crate::watch;
use crate::works::{forwarded, many, moved_and_lent, one, one_lent, polled, two, two_lent};

pub struct Builder<'p> {
    pub random: Random,
    pub pools: &'p [Pool; 2],
    pub open: Vec<Node>,
    pub errands: Sender<Errand>,
    pub gets: Sender<Node>,
    pub mercy: Mercy,
    /// How many more tasks may be made that wait while they run.
    pub waiting_tasks: usize,
}

/// What one step does.
type Step<'p> = fn(&mut Builder<'p>);

/// How many results a builder keeps open.
const OPEN: usize = 100;

impl<'p> Builder<'p> {
    /// What a builder does next; a step that comes more than once in the table is more likely.
    const STEPS: [(&'static str, Step<'p>); 49] = [
        ("leaf", Builder::leaf),
        ("leaf", Builder::leaf),
        ("leaf", Builder::leaf),
        ("ready", Builder::ready),
        ("channel", Builder::channel),
        ("channel", Builder::channel),
        ("by hand", Builder::by_hand),
        ("broken setter", Builder::broken_setter),
        ("one moved", Builder::one_moved),
        ("one moved", Builder::one_moved),
        ("one moved", Builder::one_moved),
        ("one lent", Builder::one_lent),
        ("one lent", Builder::one_lent),
        ("one lent", Builder::one_lent),
        ("two moved", Builder::two_moved),
        ("two moved", Builder::two_moved),
        ("two lent", Builder::two_lent),
        ("moved and lent", Builder::moved_and_lent),
        ("moved and lent", Builder::moved_and_lent),
        ("a handle and its clone", Builder::cloned),
        ("a handle and its clone", Builder::cloned),
        ("a value and its clone in one call", Builder::clone_into_one_call),
        ("clone and keep", Builder::clone_and_keep),
        ("list", Builder::list),
        ("join", Builder::join),
        ("map", Builder::map),
        ("or else", Builder::or_else),
        ("forwarded", Builder::forwarded),
        ("polled", Builder::polled),
        ("async chain", Builder::async_chain),
        ("callback", Builder::callback),
        ("callback that sets", Builder::callback_that_sets),
        ("task that waits", Builder::task_that_waits),
        ("task that waits for its own", Builder::recursive),
        ("task that sets", Builder::task_that_sets),
        ("under a limit", Builder::limited),
        ("under make's slots", Builder::slotted),
        ("by a rate", Builder::rated),
        ("tried again", Builder::retried),
        ("in haste", Builder::hasty),
        ("before or after others", Builder::prioritized),
        ("under a limit that lends", Builder::lent),
        ("scope", Builder::scope),
        ("stream", Builder::stream),
        ("cancel", Builder::cancel),
        ("drop", Builder::drop_one),
        ("hand over", Builder::hand_over),
        ("look", Builder::look_at_one),
        ("look at several", Builder::look_at_several),
    ];

    /// One step.
    pub fn step(&mut self, slot: usize) {
        let (name, step) = Self::STEPS[self.random.below(Self::STEPS.len())];
        watch::doing(slot, name);
        step(self);
        while self.open.len() > OPEN {
            match self.random.below(4) {
                0 => self.look_at_one(),
                1 => self.look_at_several(),
                2 => self.drop_one(),
                _ => self.hand_over(),
            }
        }
    }

    pub fn pool(&mut self) -> &'p Pool {
        let pools = self.pools;
        &pools[usize::from(self.random.once_in(5))]
    }

    pub fn run(&mut self) -> Run {
        let fate = match self.random.below(200) {
            0 => Fate::Fails,
            1 => Fate::Panics,
            _ => Fate::Fine,
        };
        let spins = if self.random.once_in(8) { self.random.below(2000) } else { 0 };
        Run::new(fate, spins as u32)
    }

    /// Some open result, to be lent or cloned.
    fn some(&mut self) -> usize {
        if self.open.is_empty() {
            self.leaf();
        }
        self.random.below(self.open.len())
    }

    /// Some open result, to be moved.
    pub fn take(&mut self) -> Node {
        for _ in 0..8 {
            let i = self.some();
            if !self.open[i].kept {
                return self.open.swap_remove(i);
            }
        }
        self.leaf();
        self.open.pop().unwrap_or_else(|| unreachable!("a leaf was added just now"))
    }

    /// Some open result, to be lent.
    fn lend(&mut self) -> usize {
        let i = self.some();
        if self.open[i].shared {
            self.open[i].kept = true;
        }
        i
    }

    fn clone_of(&mut self, i: usize) -> AsyncResult<Value> {
        count(&TALLY.clones_written);
        self.open[i].shared = true;
        self.open[i].result.clone()
    }

    pub fn add(&mut self, result: AsyncResult<Value>, expected: Expected) {
        self.open.push(Node { result, expected, shared: false, kept: false });
    }

    pub fn leaf(&mut self) {
        let (pool, run, number) = (self.pool(), self.run(), self.random.next());
        let expected = Expected::of(&[], &run, |_| number);
        let leaf = try_work(move || run.end(number));
        let result = if self.random.once_in(4) {
            leaf.try_spawn_on(pool).unwrap_or_else(|work| work.spawn_on(pool))
        } else {
            leaf.spawn_on(pool)
        };
        self.add(result, expected);
    }

    fn ready(&mut self) {
        let number = self.random.next();
        self.add(AsyncResult::ready(Value::new(number)), Expected::value(number));
    }

    fn send(&mut self, errand: Errand) {
        if self.errands.send(errand).is_err() {
            watch::fail("the courier has gone");
        }
    }

    fn channel(&mut self) {
        let (setter, result) = AsyncResult::channel();
        let number = self.random.next();
        self.send(Errand::Set(setter, number));
        self.add(result, Expected::value(number));
    }

    fn by_hand(&mut self) {
        let result = AsyncResult::new();
        let number = self.random.next();
        count(&TALLY.clones_written);
        self.send(Errand::SetByHand(result.clone(), number));
        self.add(result, Expected::value(number));
        self.open.last_mut().unwrap().shared = true;
    }

    fn broken_setter(&mut self) {
        if !self.random.once_in(8) {
            return self.channel();
        }
        let (setter, result) = AsyncResult::channel();
        if self.random.once_in(2) {
            self.send(Errand::Abandon(setter));
            self.add(result, Expected::broken(Cause::Abandoned));
        } else {
            let number = self.random.next();
            self.send(Errand::Fail(setter, number));
            self.add(result, Expected::broken(Cause::Fails(number)));
        }
    }

    fn one_moved(&mut self) {
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(1, v[0]));
        let a = a.result;
        self.add(chain!(pool, one(run, a)), expected);
    }

    fn one_lent(&mut self) {
        let (pool, run, i) = (self.pool(), self.run(), self.lend());
        let a = &self.open[i];
        let expected = Expected::of(&[&a.expected], &run, |v| mix(2, v[0]));
        let a = &a.result;
        let result = chain!(pool, one_lent(run, a));
        self.add(result, expected);
    }

    fn two_moved(&mut self) {
        let (pool, run, a, b) = (self.pool(), self.run(), self.take(), self.take());
        let expected = Expected::of(&[&a.expected, &b.expected], &run, |v| mix(v[0], v[1]));
        let (a, b) = (a.result, b.result);
        self.add(chain!(pool, two(run, a, b)), expected);
    }

    fn two_lent(&mut self) {
        let (pool, run, i, j) = (self.pool(), self.run(), self.lend(), self.lend());
        let (a, b) = (&self.open[i], &self.open[j]);
        let expected = Expected::of(&[&a.expected, &b.expected], &run, |v| mix(v[0], v[1]));
        let (a, b) = (&a.result, &b.result);
        let result = chain!(pool, two_lent(run, a, b));
        self.add(result, expected);
    }

    fn moved_and_lent(&mut self) {
        let (pool, run, a, i) = (self.pool(), self.run(), self.take(), self.lend());
        let b = &self.open[i];
        let expected = Expected::of(&[&a.expected, &b.expected], &run, |v| mix(v[0], v[1]));
        let (a, b) = (a.result, &b.result);
        let result = chain!(pool, moved_and_lent(run, a, b));
        self.add(result, expected);
    }

    /// One handle goes on, the other one stays.
    fn cloned(&mut self) {
        let (pool, run, i) = (self.pool(), self.run(), self.some());
        let expected = Expected::of(&[&self.open[i].expected], &run, |v| mix(1, v[0]));
        let a = self.clone_of(i);
        self.add(chain!(pool, one(run, a)), expected);
    }

    fn clone_into_one_call(&mut self) {
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(v[0], v[0]));
        count(&TALLY.clones_written);
        let a = a.result;
        let result = if self.random.once_in(2) {
            chain!(pool, two(run, a.clone(), a))
        } else {
            chain!(pool, moved_and_lent(run, a.clone(), &a))
        };
        self.add(result, expected);
    }

    fn clone_and_keep(&mut self) {
        let i = self.some();
        let (result, expected) = (self.clone_of(i), self.open[i].expected.clone());
        // Where the first handle is lent from now on, that one is kept.
        self.open.push(Node { result, expected, shared: true, kept: false });
    }

    fn list(&mut self) {
        let (pool, run) = (self.pool(), self.run());
        let nodes: Vec<Node> = (0..self.random.below(12)).map(|_| self.take()).collect();
        let inputs: Vec<&Expected> = nodes.iter().map(|node| &node.expected).collect();
        let expected = Expected::of(&inputs, &run, |v| v.iter().fold(0, |sum, v| mix(sum, *v)));
        let list: Vec<AsyncResult<Value>> = nodes.into_iter().map(|node| node.result).collect();
        self.add(chain!(pool, many(run, list)), expected);
    }

    fn join(&mut self) {
        let (pool, run, a, b) = (self.pool(), self.run(), self.take(), self.take());
        let expected = Expected::of(&[&a.expected, &b.expected], &run, |v| mix(v[0], v[1]));
        let pair = (a.result, b.result).join();
        let sum = pair.and_then(move |(a, b)| run.end(mix(a.read(), b.read())));
        self.add(sum.spawn_on(pool), expected);
    }

    fn map(&mut self) {
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(3, v[0]));
        let next = a.result.and_then(move |a| run.end(mix(3, a.read())));
        self.add(next.spawn_on(pool), expected);
    }

    /// Makes a value of a failure: the one that there should have been, if any.
    fn or_else(&mut self) {
        let (pool, a) = (self.pool(), self.take());
        let number = a.expected.value.unwrap_or_else(|| self.random.next());
        let healed = a.result.or_else(move |_| Ok::<_, Broken>(Value::new(number)));
        self.add(healed.spawn_on(pool), Expected::value(number));
    }

    fn forwarded(&mut self) {
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(1, v[0]));
        let a = a.result;
        self.add(chain!(pool, forwarded(run, a)), expected);
    }

    fn polled(&mut self) {
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(1, v[0]));
        self.add(polled(run, a.result).spawn_on(pool), expected);
    }

    fn async_chain(&mut self) {
        let pool = self.pool();
        let (first, second, a, b) = (self.run(), self.run(), self.take(), self.take());
        let expected = Expected::of(&[&a.expected, &b.expected], &first, |v| mix(v[0], v[1]));
        let expected = Expected::of(&[&expected], &second, |v| mix(1, v[0]));
        let (a, b) = (a.result, b.result);
        let result = chain!(pool, async move {
            let sum = two(first, a, b).await?;
            one(second, sum)
        });
        self.add(result, expected);
    }

    fn callback(&mut self) {
        let (i, panics) = (self.some(), self.random.once_in(16));
        let (expected, mercy) = (self.open[i].expected.clone(), self.mercy);
        TALLY.registered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.open[i].result.on_set(move |got| {
            expected.check(got.map(Value::read), mercy);
            count(&TALLY.called);
            if panics {
                std::panic::resume_unwind(Box::new("a callback, on purpose"));
            }
        });
    }

    fn callback_that_sets(&mut self) {
        let a = self.take();
        let (setter, result) = AsyncResult::channel();
        a.result.on_set(move |got| match got {
            Ok(value) => drop(setter.set(Value::new(value.read()))),
            Err(error) => drop(setter.fail(error.clone())),
        });
        self.add(result, a.expected);
    }

    /// A task that has got handles and waits for them while it runs.
    fn task_that_waits(&mut self) {
        if self.waiting_tasks == 0 {
            return self.leaf();
        }
        self.waiting_tasks -= 1;
        let (pool, run, a, b) = (self.pool(), self.run(), self.take(), self.take());
        let expected = Expected::of(&[&a.expected, &b.expected], &run, |v| mix(v[0], v[1]));
        let (a, b, how) = (a.result, b.result, self.random.below(4));
        let waits = try_work(move || -> Result<Value, BoxError> {
            let a = match how {
                0 => a.get_ref()?.read(),
                1 => a.get_timeout(Duration::ZERO).unwrap_or_else(AsyncResult::get)?.read(),
                2 => asynckit::blocking(|| a.get())?.read(),
                _ => a.get()?.read(),
            };
            let b = b.get()?.read();
            Ok(run.end(mix(a, b))?)
        });
        self.add(waits.spawn_on(pool), expected);
    }

    /// A task that submits others and waits for them.
    fn recursive(&mut self) {
        let (pool, number, depth) = (self.pool(), self.random.next(), self.random.below(5) as u32);
        let (run, how) = (self.run(), self.random.below(3));
        let expected = Expected::of(&[], &run, |_| tree(number, depth));
        let grows = try_work(move || -> Result<Value, BoxError> {
            let sum = spawned_tree(number, depth, how)?;
            Ok(run.end(sum)?)
        });
        self.add(grows.spawn_on(pool), expected);
    }

    fn task_that_sets(&mut self) {
        let (pool, number) = (self.pool(), self.random.next());
        let (setter, result) = AsyncResult::channel();
        work(move || drop(setter.set(Value::new(number)))).detach_on(pool);
        self.add(result, Expected::value(number));
    }

    /// A scope, with members that borrow and one that has a scope of its own.
    fn scope(&mut self) {
        if !self.random.once_in(4) {
            return self.leaf();
        }
        let (pool, mercy) = (self.pool(), self.mercy);
        let numbers: Vec<u64> = (0..self.random.below(6)).map(|_| self.random.next()).collect();
        let (run, inner_run) = (self.run(), self.run());
        let sum = |numbers: &[u64]| numbers.iter().fold(0, |sum, n| mix(sum, mix(2, *n)));
        let expected = Expected::of(&[], &run, |_| sum(&numbers));
        let inner_expected = Expected::of(&[], &inner_run, |_| sum(&numbers));
        let values: Vec<Value> = numbers.iter().map(|n| Value::new(*n)).collect();
        let all = pool.scope(|s| {
            let nested = s.spawn(|| {
                pool.scope(|s| {
                    let parts: Vec<AsyncResult<Value>> = values
                        .iter()
                        .map(|value| s.spawn(|| Value::new(mix(2, value.read()))))
                        .collect();
                    chain!(s, many(inner_run, parts)).get()
                })
            });
            let parts: Vec<AsyncResult<Value>> =
                values.iter().map(|value| s.spawn(|| Value::new(mix(2, value.read())))).collect();
            let all = chain!(s, many(run, parts)).get();
            let inner = nested.get().and_then(|inner| inner);
            inner_expected.check(inner.as_ref().map(Value::read), mercy);
            all
        });
        expected.check(all.as_ref().map(Value::read), mercy);
    }

    fn cancel(&mut self) {
        if !self.mercy.cancelled || !self.random.once_in(3) {
            return self.leaf();
        }
        let i = self.some();
        if self.open[i].result.cancel() {
            self.open[i].expected = Expected::broken(Cause::Cancelled);
        }
    }

    fn drop_one(&mut self) {
        let node = self.take();
        if self.random.once_in(2) {
            self.send(Errand::Drop(node.result));
        }
    }

    fn hand_over(&mut self) {
        let node = self.take();
        if self.gets.send(node).is_err() {
            watch::fail("the getter has gone");
        }
    }

    fn look_at_one(&mut self) {
        let node = self.take();
        look(node, self.mercy, &mut self.random);
    }

    fn look_at_several(&mut self) {
        let nodes: Vec<Node> = (0..self.random.below(10)).map(|_| self.take()).collect();
        look_at_all(nodes, self.mercy, &mut self.random);
    }

    /// The end: looks at all that is open and need not be kept until all is done.
    pub fn finish(&mut self) {
        let (kept, open): (Vec<Node>, _) =
            std::mem::take(&mut self.open).into_iter().partition(|node| node.kept);
        self.open = kept;
        for node in open {
            look(node, self.mercy, &mut self.random);
        }
    }
}

/// What `spawned_tree` comes to.
pub fn tree(number: u64, depth: u32) -> u64 {
    if depth == 0 {
        return number;
    }
    mix(tree(mix(number, 1), depth - 1), tree(mix(number, 2), depth - 1))
}

/// The sum of a tree of tasks, each of which submits two and waits for them.
fn spawned_tree(number: u64, depth: u32, how: usize) -> Result<u64, asynckit::Error> {
    if depth == 0 {
        return Ok(number);
    }
    let branch = |n| {
        let below = try_work(move || spawned_tree(mix(number, n), depth - 1, how));
        below.spawn_on(&current())
    };
    let (a, b) = (branch(1), branch(2));
    let (a, b) = match how {
        0 => (a.get()?, b.get()?),
        1 => {
            let b = *b.get_ref()?;
            (*a.get_ref()?, b)
        }
        _ => (a, b).join().get()?,
    };
    Ok(mix(a, b))
}
