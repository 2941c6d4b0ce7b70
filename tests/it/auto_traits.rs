//! What may be sent and shared, and what is `Debug` and `Clone`, whatever the type of the value.

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::rc::Rc;

use asynckit::{
    AsyncResult, BuildError, CancelOnDrop, CancelToken, Cancellable, Current, Error, ErrorKind,
    Failures, Limit, Map, PerWorker, Pool, Prioritized, Priority, Rate, Results, Retry, Scope,
    SetError, Setter, StillRunning, Stream, Work,
};

/// Whether a type has a trait, as a value: so that one missing does not keep the rest from
/// compiling.
macro_rules! has {
    ($type:ty: $($trait:tt)+) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        #[allow(dead_code)]
        struct Probe<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $($trait)+> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

/// Neither `Debug` nor `Clone`.
struct Opaque;

#[test]
fn a_result_may_be_sent_and_shared_if_its_value_may_be_sent() {
    assert!(has!(AsyncResult<u8>: Send + Sync));
    assert!(has!(AsyncResult<Opaque>: Send + Sync));
    assert!(has!(AsyncResult<Cell<u8>>: Send + Sync), "the value need not be Sync");
    assert!(!has!(AsyncResult<Rc<u8>>: Send));
    assert!(!has!(AsyncResult<Rc<u8>>: Sync));
    assert!(has!(Setter<Cell<u8>>: Send));
    assert!(!has!(Setter<Rc<u8>>: Send));
    assert!(has!(AsyncResult<u8>: Unpin + 'static));
}

#[test]
fn a_result_is_clone_if_its_value_can_be_cloned_from_any_thread() {
    assert!(has!(AsyncResult<String>: Clone));
    assert!(!has!(AsyncResult<Opaque>: Clone));
    assert!(!has!(AsyncResult<Cell<u8>>: Clone), "clones come from many threads");
    assert!(!has!(Setter<u8>: Clone));
}

#[test]
fn what_is_about_time_and_limits() {
    assert!(has!(CancelToken: Send + Sync + Clone + Unpin));
    assert!(has!(Limit: Send + Sync + Clone + Unpin));
    assert!(has!(Retry: Send + Sync + Clone + Unpin));
    assert!(has!(Cancellable<'static, Pool>: Send + Sync));
    assert!(has!(CancelOnDrop<AsyncResult<Opaque>>: Send + Sync + Debug));
    assert!(has!(CancelOnDrop<AsyncResult<Opaque>>: IntoFuture<Output = Result<Opaque, Error>>));
    assert!(has!(<CancelOnDrop<AsyncResult<u8>> as IntoFuture>::IntoFuture: Send + Debug));
    assert!(!has!(CancelOnDrop<AsyncResult<Rc<u8>>>: Send));
    assert!(has!(CancelToken: Debug) && has!(Limit: Debug) && has!(Retry: Debug));
    assert!(has!(Map<'static, Opaque>: Debug) && has!(Cancellable<'static, Pool>: Debug));
    assert!(!has!(Work<'static, u8>: Unpin), "`map` tells it from values by that");
}

#[test]
fn what_the_work_of_a_pool_shares() {
    assert!(has!(Rate: Send + Sync + Clone + Unpin + Debug));
    assert!(has!(Priority: Send + Sync + Copy + Eq + std::hash::Hash + Debug));
    assert!(has!(Prioritized<'static, Pool>: Send + Sync + Debug));
    assert!(has!(PerWorker<Cell<u8>>: Send + Sync + Clone + Debug), "each has its own");
    assert!(has!(PerWorker<Opaque>: Send + Sync + Clone + Debug));
    assert!(has!(Failures: Send + Sync + Debug + std::fmt::Display));
    assert!(has!(Stream<'static, Opaque>: Debug));
}

#[test]
fn a_result_is_a_future_to_be() {
    assert!(has!(AsyncResult<Opaque>: IntoFuture<Output = Result<Opaque, Error>>));
    assert!(has!(&'static AsyncResult<u8>: IntoFuture<Output = Result<&'static u8, Error>>));
    assert!(!has!(&'static AsyncResult<Cell<u8>>: IntoFuture), "lending takes Sync");
    assert!(has!(<AsyncResult<u8> as IntoFuture>::IntoFuture: Send));
    assert!(has!(AsyncResult<Opaque>: Default));
}

#[test]
fn everything_public_is_debug() {
    assert!(has!(AsyncResult<Opaque>: Debug));
    assert!(has!(Setter<Opaque>: Debug));
    assert!(has!(SetError<Opaque>: Debug + std::fmt::Display + std::error::Error));
    assert!(has!(Work<'static, Opaque>: Debug));
    assert!(has!(Pool: Debug));
    assert!(has!(Scope<'static, 'static>: Debug));
    assert!(has!(Current: Debug));
    assert!(has!(Error: Debug + std::error::Error));
    assert!(has!(ErrorKind: Debug + Copy + Eq + std::hash::Hash));
    assert!(has!(BuildError: Debug + std::error::Error + Send + Sync));
    assert!(has!(StillRunning: Debug + std::error::Error + Send + Sync));
    assert!(!format!("{:?}", Pool::builder()).is_empty());
    assert!(!format!("{:?}", Vec::<AsyncResult<Opaque>>::new().as_completed()).is_empty());
}

#[test]
fn debug_neither_blocks_nor_needs_the_value() {
    for r in [AsyncResult::new(), AsyncResult::ready(Opaque), AsyncResult::failed("no")] {
        assert!(format!("{r:?}").contains("AsyncResult"));
    }
    let (setter, _r) = AsyncResult::<Opaque>::channel();
    assert!(format!("{setter:?}").contains("Setter"));
    assert!(format!("{:?}", asynckit::work(|| Opaque)).contains("Work"));
}

#[test]
fn errors_travel() {
    assert!(has!(Error: Clone + Send + Sync + Unpin + 'static));
    fn into_box(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
        error.into()
    }
    assert!(!into_box(AsyncResult::<u8>::failed("no").get().unwrap_err()).to_string().is_empty());
}

#[test]
fn a_pool_is_shared_by_reference() {
    assert!(has!(Pool: Send + Sync));
    assert!(!has!(Pool: Clone));
    assert!(has!(Scope<'static, 'static>: Sync));
    assert!(has!(Current: Send + Sync));
}

#[test]
fn work_may_be_sent() {
    assert!(has!(Work<'static, u8>: Send));
    assert!(has!(Work<'static, Cell<u8>>: Send));
    assert!(!has!(Work<'static, u8>: Clone));
    // Work is covariant in what it borrows.
    fn shorter<'a>(work: Work<'static, u8>, _until: &'a str) -> Work<'a, u8> {
        work
    }
    assert_eq!(shorter(asynckit::work(|| 1), &String::from("here")).run().unwrap(), 1);
}

#[test]
fn handles_may_be_used_where_panics_are_caught() {
    use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};
    assert!(has!(Pool: UnwindSafe + RefUnwindSafe));
    assert!(has!(AsyncResult<Cell<u8>>: UnwindSafe + RefUnwindSafe));
    assert!(has!(Setter<Opaque>: UnwindSafe + RefUnwindSafe));
    assert!(has!(Work<'static, Opaque>: UnwindSafe + RefUnwindSafe));
    assert!(has!(Limit: UnwindSafe + RefUnwindSafe) && has!(Rate: UnwindSafe + RefUnwindSafe));
    assert!(has!(Prioritized<'static, Pool>: UnwindSafe + RefUnwindSafe));
    assert!(has!(PerWorker<Cell<u8>>: UnwindSafe + RefUnwindSafe));
    assert!(has!(Failures: UnwindSafe + RefUnwindSafe));
    let pool = Pool::new(1);
    let caught = catch_unwind(|| pool.scope(|_| panic!("in the body")));
    assert!(caught.is_err());
    assert_eq!(pool.spawn(|| 1).get().unwrap(), 1, "the pool goes on");
}
