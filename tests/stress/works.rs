//! The tasks of the graphs, annotated as a user would.

use asynckit::{AsyncResult, async_work};

use crate::tally::{Broken, Run, Value, mix};

#[async_work]
pub fn one(run: Run, a: Value) -> Result<Value, Broken> {
    run.end(mix(1, a.read()))
}

#[async_work]
pub fn one_lent(run: Run, a: &Value) -> Result<Value, Broken> {
    run.end(mix(2, a.read()))
}

#[async_work]
pub fn two(run: Run, a: Value, b: Value) -> Result<Value, Broken> {
    run.end(mix(a.read(), b.read()))
}

#[async_work]
pub fn two_lent(run: Run, a: &Value, b: &Value) -> Result<Value, Broken> {
    run.end(mix(a.read(), b.read()))
}

#[async_work]
pub fn moved_and_lent(run: Run, a: Value, b: &Value) -> Result<Value, Broken> {
    run.end(mix(a.read(), b.read()))
}

#[async_work]
pub fn many(run: Run, list: Vec<Value>) -> Result<Value, Broken> {
    run.end(list.iter().fold(0, |sum, value| mix(sum, value.read())))
}

/// Returns a result, so that this task goes on as the wait for that one.
pub fn forwarded(run: Run, a: Value) -> AsyncResult<Value> {
    one(run, a).spawn_on(&asynckit::current())
}

#[async_work]
pub async fn polled(run: Run, a: AsyncResult<Value>) -> Result<Value, asynckit::Error> {
    let a = a.await?;
    one(run, a).spawn_on(&asynckit::current()).await
}
