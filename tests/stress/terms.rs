//! The steps whose work is under limits, rates and priorities. What they come to is what it would be without.
//!
//! Work in the line of a limit waits for what is before it there, and each result for those made before it: so no
//! cycle closes, as long as work enters a line before all that is made of its result.

use std::sync::LazyLock;
use std::time::Duration;

use asynckit::{BoxError, Limit, Priority, Rate, Retry, Work, current, try_work};

use jobserver::Client;

use crate::builder::{Builder, tree};
use crate::expected::Expected;
use crate::tally::{Broken, Fate, Run, Value, mix};
use crate::watch;

static NARROW: LazyLock<Limit> = LazyLock::new(|| Limit::new(3));
static LENDING: LazyLock<Limit> = LazyLock::new(|| Limit::new(2).lending());
static FAST: LazyLock<Rate> = LazyLock::new(|| Rate::per_second(20_000).burst(20));

static SLOTS: LazyLock<Limit> = LazyLock::new(|| {
    let client = Client::new(2).unwrap_or_else(|error| watch::fail(&error.to_string()));
    Limit::jobserver(client, 3)
});

/// For tries alone: a later one enters the line after what is made of its result.
static TRIES: LazyLock<Limit> = LazyLock::new(|| Limit::new(3));

const PRIORITIES: [Priority; 3] = [Priority::Low, Priority::Normal, Priority::High];

impl Builder<'_> {
    /// Under a limit by key, of which it takes more or less, while it waits for its input.
    pub fn limited(&mut self) {
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(3, v[0]));
        let limit = NARROW.of(&self.random.below(5)).take(self.random.below(4));
        let next = a.result.and_then(move |a| run.end(mix(3, a.read()))).limit(&limit);
        self.add(next.spawn_on(pool), expected);
    }

    /// Under the slots of a make that runs nothing else.
    pub fn slotted(&mut self) {
        if !self.random.once_in(4) {
            return self.limited();
        }
        let (pool, run, a) = (self.pool(), self.run(), self.take());
        let expected = Expected::of(&[&a.expected], &run, |v| mix(3, v[0]));
        let next = a.result.and_then(move |a| run.end(mix(3, a.read()))).limit(&SLOTS);
        self.add(next.spawn_on(pool), expected);
    }

    /// By a rate, by key or by one for all.
    pub fn rated(&mut self) {
        let (pool, run, number) = (self.pool(), self.run(), self.random.next());
        let expected = Expected::of(&[], &run, |_| number);
        let leaf = try_work(move || run.end(number));
        let leaf = match self.random.below(4) {
            0 => leaf.rate(&FAST),
            1 => leaf.rate(&FAST.take(3)),
            key => leaf.rate(&FAST.of(&key)).limit(&NARROW.of(&key)),
        };
        self.add(leaf.spawn_on(pool), expected);
    }

    /// Broken at first, and tried again until it isn't: each try under a limit, by a rate or with time enough.
    pub fn retried(&mut self) {
        let (pool, number, key) = (self.pool(), self.random.next(), self.random.below(3));
        let (mut broken, pause) = (self.random.below(3), self.random.below(200) as u64);
        let tries = Retry::new(2).backoff(Duration::from_micros(pause)).work(move || {
            let run = Run::new(if broken > 0 { Fate::Fails } else { Fate::Fine }, 0);
            broken = broken.saturating_sub(1);
            let one = try_work(move || run.end(number));
            match key {
                0 => one.limit(&TRIES),
                1 => one.rate(&FAST).limit(&TRIES.of(&key)),
                _ => one.timeout(Duration::from_secs(600)).limit(&TRIES.take(2)),
            }
        });
        self.add(tries.spawn_on(pool), Expected::value(number));
    }

    /// With hardly enough time, if at all: what is too late is made up for.
    pub fn hasty(&mut self) {
        let (pool, run, number) = (self.pool(), self.run(), self.random.next());
        let shortly = Duration::from_micros(self.random.below(300) as u64);
        let leaf = try_work(move || run.end(number));
        let timed = match self.random.below(3) {
            0 => leaf.timeout(shortly).limit(&TRIES),
            1 => leaf.rate(&FAST).deadline(shortly),
            _ => leaf.timeout(shortly),
        };
        let healed = timed.spawn_on(pool).or_else(move |_| Ok::<_, Broken>(Value::new(number)));
        self.add(healed.spawn_on(pool), Expected::value(number));
    }

    /// Before or after others, and by way of a spawner, with what it submits.
    pub fn prioritized(&mut self) {
        let (pool, run, number) = (self.pool(), self.run(), self.random.next());
        let (one, other) = (PRIORITIES[self.random.below(3)], PRIORITIES[self.random.below(3)]);
        let expected = Expected::of(&[], &run, |_| mix(1, number));
        let leaf = try_work(move || -> Result<Value, BoxError> {
            let inner = try_work(move || Ok::<_, BoxError>(mix(1, number)));
            let inner = inner.spawn_on(&other.on(&current())).get()?;
            Ok(run.end(inner)?)
        });
        let result = match self.random.below(2) {
            0 => leaf.priority(one).spawn_on(pool),
            _ => leaf.spawn_on(&one.on(pool)),
        };
        self.add(result, expected);
    }

    /// A tree of work under one limit, which work that waits inside lends.
    pub fn lent(&mut self) {
        let (pool, number, depth) = (self.pool(), self.random.next(), self.random.below(4) as u32);
        let run = self.run();
        let expected = Expected::of(&[], &run, |_| tree(number, depth));
        let grows = try_work(move || -> Result<Value, BoxError> {
            let sum = lent_tree(number, depth).spawn_on(&current()).get()?;
            Ok(run.end(sum)?)
        });
        self.add(grows.limit(&LENDING).spawn_on(pool), expected);
    }
}

fn lent_tree(number: u64, depth: u32) -> Work<'static, u64> {
    let grow = move || -> Result<u64, asynckit::Error> {
        if depth == 0 {
            return Ok(number);
        }
        let below = |n| lent_tree(mix(number, n), depth - 1).spawn_on(&current());
        let (a, b) = (below(1), below(2));
        Ok(mix(a.get()?, b.get()?))
    };
    try_work(grow).limit(&LENDING)
}
