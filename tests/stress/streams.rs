//! A step that sends items through stages: from the builder's thread, or from work of the pool, with a value for each
//! worker; one of the items may be broken.

use asynckit::{PerWorker, Pool};

use crate::builder::Builder;
use crate::expected::Expected;
use crate::random::Random;
use crate::tally::{Broken, Run, Value, mix};

/// What differs from one stream to the next.
#[derive(Clone, Copy)]
struct Shape {
    limits: [usize; 3],
    chunk: usize,
    in_order: bool,
}

impl Shape {
    fn of(random: &mut Random) -> Shape {
        let mut below = |most| 1 + random.below(most);
        let (limits, chunk) = ([below(5), below(3), below(9)], below(6));
        Shape { limits, chunk, in_order: random.once_in(2) }
    }

    /// The sum of what the items come to.
    fn run(self, pool: &Pool, items: Vec<(u64, Option<Run>)>) -> Result<u64, asynckit::Error> {
        let kept = PerWorker::new(pool, || Value::new(1));
        let begin = |(number, run): (u64, Option<Run>)| match run {
            Some(run) => run.end(number),
            None => Ok(Value::new(number)),
        };
        let read =
            |value: Result<Value, Broken>| kept.with(|own| Ok((own.read(), mix(3, value?.read()))));
        let mut sum = 0u64;
        let stream = pool
            .stream(items)
            .map(begin)
            .limit(self.limits[0])
            .flat_map(|value| [Some(value), None])
            .limit(self.limits[1])
            .filter_map(|value| value)
            .chunks(self.chunk)
            .map(|chunk| chunk.into_iter().map(read).collect::<Vec<Result<_, Broken>>>())
            .limit(self.limits[2]);
        let stream = if self.in_order { stream } else { stream.unordered() };
        stream.try_for_each(|chunk| {
            chunk.into_iter().try_for_each(|one| {
                one.map(|(own, number)| sum = sum.wrapping_add(number).wrapping_add(own))
            })
        })?;
        Ok(sum)
    }
}

impl Builder<'_> {
    pub fn stream(&mut self) {
        if !self.random.once_in(4) {
            return self.leaf();
        }
        let (pool, mercy, run) = (self.pool(), self.mercy, self.run());
        let numbers: Vec<u64> =
            (0..1 + self.random.below(60)).map(|_| self.random.next()).collect();
        let shape = Shape::of(&mut self.random);
        let sum = |sum: u64, number: &u64| sum.wrapping_add(mix(3, *number)).wrapping_add(1);
        let expected = Expected::of(&[], &run, |_| numbers.iter().fold(0, sum));
        let broken = self.random.below(numbers.len());
        let mut run = Some(run);
        let items = numbers.iter().enumerate();
        let items = items.map(|(at, number)| (*number, run.take_if(|_| at == broken))).collect();
        let got = if self.random.once_in(2) {
            shape.run(pool, items)
        } else {
            // Work that runs a stream on the pool that it is on.
            pool.scope(|s| s.spawn(|| shape.run(pool, items)).get().and_then(|sum| sum))
        };
        expected.check(got.as_ref().copied(), mercy);
    }
}
