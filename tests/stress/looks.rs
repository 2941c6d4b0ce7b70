//! All the ways to get at a result, from a thread outside of the pools.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use asynckit::{AsyncResult, Error, Results};

use crate::expected::{Mercy, Node};
use crate::random::Random;
use crate::tally::Value;

/// Gets the value or failure of a result, in one way or another, and checks it.
pub fn look(node: Node, mercy: Mercy, random: &mut Random) {
    let Node { result, expected, .. } = node;
    let shortly = Duration::from_micros(random.below(300) as u64);
    let got = match random.below(9) {
        0 => {
            expected.check(result.get_ref().map(Value::read).as_ref().copied(), mercy);
            drop(result);
            return;
        }
        1 => result.get_timeout(shortly).unwrap_or_else(AsyncResult::get),
        2 => result.try_get().unwrap_or_else(AsyncResult::get),
        3 => block_on(result.into_future()),
        4 => {
            let read = |value: Result<&Value, Error>| value.map(Value::read);
            expected.check(read(block_on((&result).into_future())).as_ref().copied(), mercy);
            result.get()
        }
        5 => {
            let mut polled_once = result.into_future();
            let mut context = Context::from_waker(Waker::noop());
            let first = std::pin::Pin::new(&mut polled_once).poll(&mut context);
            match first {
                Poll::Ready(got) => got,
                Poll::Pending => block_on(polled_once),
            }
        }
        6 => {
            result.wait();
            assert!(result.is_set());
            result.get()
        }
        7 => {
            let _ = result.wait_timeout(shortly);
            result.get()
        }
        _ => result.get(),
    };
    expected.check(got.as_ref().map(Value::read), mercy);
}

/// The same for several at once.
pub fn look_at_all(nodes: Vec<Node>, mercy: Mercy, random: &mut Random) {
    let whole = nodes.iter().all(|node| node.expected.value.is_some());
    let (results, expected): (Vec<_>, Vec<_>) =
        nodes.into_iter().map(|node| (node.result, node.expected)).unzip();
    match random.below(4) {
        0 => {
            let first = results.wait_any();
            assert_eq!(first.is_some(), !results.is_empty());
            assert!(first.is_none_or(|first| results[first].is_set()));
            for (result, expected) in results.into_iter().zip(expected) {
                expected.check(result.get().as_ref().map(Value::read), mercy);
            }
        }
        1 => {
            let count = results.len();
            let completed = results.as_completed().map(|result| {
                assert!(result.is_set());
                drop(result.get());
            });
            assert_eq!(completed.count(), count);
        }
        2 => {
            let count = results.len();
            let completed = expected.into_iter().zip(results).keyed().as_completed();
            let checked = completed.map(|(expected, result)| {
                assert!(result.is_set());
                expected.check(result.get().as_ref().map(Value::read), mercy);
            });
            assert_eq!(checked.count(), count);
        }
        _ => match results.join_all().get() {
            Ok(values) => {
                for (value, expected) in values.iter().zip(&expected) {
                    expected.check(Ok(value.read()), mercy);
                }
            }
            Err(error) => {
                assert!(!whole || !mercy.none(), "{error:#}");
            }
        },
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
