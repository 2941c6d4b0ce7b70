//! loom models of the words of a cell's header: every interleaving of a few threads.
//!
//! `RUSTFLAGS="--cfg asynckit_loom" cargo test -p asynckit --lib --release models`

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::holds::{Holds, Left, Take};
use super::state::{Arrival, Claim, Prepare, Seize, State, Suspend};
use crate::sync::{AtomicUsize, Ordering};

/// Two threads that do what `first` and `second` say with one thing.
fn race<T: Send + Sync + 'static>(
    thing: T,
    first: impl FnOnce(&T) + Send + 'static,
    second: impl FnOnce(&T),
) -> T {
    let thing = Arc::new(thing);
    let its = thing.clone();
    let other = thread::spawn(move || first(&its));
    second(&thing);
    other.join().unwrap();
    Arc::into_inner(thing).unwrap()
}

/// Somebody drops its handle while somebody else is done borrowing: one of them frees the cell.
#[test]
fn the_last_one_frees() {
    loom::model(|| {
        let holds = Holds::new(1, 0);
        holds.add_borrow();
        let freed = AtomicUsize::new(0);
        let count = |freed: &AtomicUsize, left| {
            if left == Left::Nobody {
                freed.fetch_add(1, Ordering::Relaxed);
            }
        };
        let (_, freed) = race(
            (holds, freed),
            move |(holds, freed)| count(freed, holds.drop_borrow()),
            move |(holds, freed)| count(freed, holds.drop_owner()),
        );
        assert_eq!(freed.load(Ordering::Relaxed), 1);
    });
}

/// The last borrower leaves while the last owner wants to take the value: the owner takes it at
/// once or is told, and never both and never neither.
#[test]
fn the_last_borrower() {
    loom::model(|| {
        let holds = Holds::new(1, 0);
        holds.add_borrow();
        let (_, outcomes) = race(
            (holds, (AtomicUsize::new(0), AtomicUsize::new(0))),
            |(holds, (told, _))| {
                if holds.drop_borrow() == Left::FreeToTake {
                    told.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(holds.drop_reference(), Left::Held);
                }
            },
            |(holds, (_, took))| match holds.take() {
                Take::Itself => _ = took.fetch_add(1, Ordering::Relaxed),
                Take::Clone => unreachable!(),
                Take::Lent => {
                    if !holds.wait_for_borrows() {
                        took.fetch_add(1, Ordering::Relaxed);
                    }
                }
            },
        );
        let (told, took) = outcomes;
        assert_eq!(told.load(Ordering::Relaxed) + took.load(Ordering::Relaxed), 1);
    });
}

/// As above, but the owner gives up waiting: either nobody tells it, or it knows that somebody does.
#[test]
fn the_owner_that_leaves() {
    loom::model(|| {
        let holds = Holds::new(1, 0);
        holds.add_borrow();
        let (holds, counts) = race(
            (holds, (AtomicUsize::new(0), AtomicUsize::new(0))),
            |(holds, (told, _))| {
                if holds.drop_borrow() == Left::FreeToTake {
                    told.fetch_add(1, Ordering::Relaxed);
                    let _ = holds.drop_reference();
                }
            },
            |(holds, (_, expects))| {
                if holds.wait_for_borrows() && !holds.stop_waiting() {
                    expects.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        let (told, expects) = counts;
        assert_eq!(told.load(Ordering::Relaxed), expects.load(Ordering::Relaxed));
        assert_eq!(holds.drop_owner(), Left::Nobody);
    });
}

/// What a borrower did with the value is seen by the owner that takes it.
#[test]
fn a_move_happens_after_the_borrow() {
    loom::model(|| {
        let holds = Holds::new(1, 0);
        holds.add_borrow();
        let shared = (holds, UnsafeCell::new(0));
        race(
            Shared(shared),
            |Shared((holds, value))| {
                // SAFETY: loom's own pointer, within its closure.
                value.with(|value| assert_eq!(unsafe { *value }, 0));
                let _ = holds.drop_borrow();
            },
            |Shared((holds, value))| {
                if holds.take() == Take::Itself {
                    // SAFETY: as above.
                    value.with_mut(|value| unsafe { *value = 1 });
                }
            },
        );
    });
}

/// loom checks the accesses that the types can't.
struct Shared<T>(T);
// SAFETY: what the model is about: loom fails it where two threads are in the cell at once.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<T> {}

/// Two owners take at once: exactly one of them clones.
#[test]
fn one_of_two_owners_clones() {
    loom::model(|| {
        let (_, clones) = race(
            (Holds::new(2, 0), AtomicUsize::new(0)),
            |(holds, clones)| take(holds, clones),
            |(holds, clones)| take(holds, clones),
        );
        assert_eq!(clones.load(Ordering::Relaxed), 1);
    });

    fn take(holds: &Holds, clones: &AtomicUsize) {
        match holds.take() {
            Take::Clone => {
                clones.fetch_add(1, Ordering::Relaxed);
                if holds.drop_borrow() == Left::FreeToTake {
                    let _ = holds.drop_reference();
                }
            }
            Take::Lent => _ = holds.wait_for_borrows(),
            Take::Itself => {}
        }
    }
}

/// The last owner lets go of a cell while it is closed, and its memory stays: one of the two drops
/// the value.
#[test]
fn the_unowned_value() {
    loom::model(|| {
        let (_, _, (_, dropped)) = race(
            (Holds::new(1, 1), State::unsubmitted(), (AtomicUsize::new(0), AtomicUsize::new(0))),
            |(holds, state, (closed, dropped))| {
                closed.swap(1, Ordering::AcqRel);
                if !holds.is_owned() && state.take_value() {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            },
            |(holds, state, (closed, dropped))| {
                assert_eq!(holds.drop_owner(), Left::Unowned);
                if closed.load(Ordering::Acquire) == 1 && !holds.is_owned() && state.take_value() {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

/// A worker claims a task while somebody cancels it: one of them has it, and what was written
/// before it was queued is seen.
#[test]
fn claim_or_seize() {
    loom::model(|| {
        let state = State::ready(true);
        let (state, won) = race(
            (state, AtomicUsize::new(0)),
            |(state, won)| {
                if let Claim::Won { counted } = state.claim() {
                    assert!(counted);
                    won.fetch_add(1, Ordering::Relaxed);
                }
            },
            |(state, won)| {
                if let Seize::Won { counted, suspended } = state.seize() {
                    assert!(counted && !suspended);
                    won.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(won.load(Ordering::Relaxed), 1);
        assert_eq!(state.claim(), Claim::Lost);
    });
}

/// A waker is called while its future comes to sleep: the task is queued once.
#[test]
fn a_wake_is_not_lost() {
    loom::model(|| {
        let state = State::ready(false);
        assert_eq!(state.claim(), Claim::Won { counted: false });
        let (_, queued) = race(
            (state, AtomicUsize::new(0)),
            |(state, queued)| {
                if state.wake() {
                    queued.fetch_add(1, Ordering::Relaxed);
                }
            },
            |(state, queued)| {
                if state.suspend() == Suspend::WokenAgain {
                    queued.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(queued.load(Ordering::Relaxed), 1);
    });
}

/// A result is cancelled while its future comes to sleep: one of the two disposes of the future.
#[test]
fn the_cancelled_sleeper() {
    loom::model(|| {
        let state = State::ready(false);
        assert_eq!(state.claim(), Claim::Won { counted: false });
        let (_, disposed) = race(
            (state, AtomicUsize::new(0)),
            |(state, disposed)| {
                for _ in 0..2 {
                    if let Seize::Won { .. } = state.seize() {
                        disposed.fetch_add(1, Ordering::Relaxed);
                    }
                    let _ = state.settle(true);
                }
            },
            |(state, disposed)| {
                let _ = state.suspend();
                if state.is_settled()
                    && let Seize::Won { .. } = state.seize()
                {
                    disposed.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(disposed.load(Ordering::Relaxed), 1);
    });
}

/// Two set one result: one of them writes.
#[test]
fn one_settles() {
    loom::model(|| {
        let (_, wrote) = race(
            (State::unsubmitted(), AtomicUsize::new(0)),
            |(state, wrote)| {
                _ = wrote.fetch_add(usize::from(state.settle(false)), Ordering::Relaxed)
            },
            |(state, wrote)| {
                _ = wrote.fetch_add(usize::from(state.settle(false)), Ordering::Relaxed)
            },
        );
        assert_eq!(wrote.load(Ordering::Relaxed), 1);
    });
}

/// Two inputs of a task come while it is tied to them: one of the three gets its token, and sees what
/// both inputs' tasks did.
#[test]
fn the_last_input() {
    loom::model(|| {
        let state = State::tying(false);
        let (_, (tokens, _)) = race(
            (state, (AtomicUsize::new(0), AtomicUsize::new(0))),
            |(state, (tokens, seen))| {
                seen.fetch_add(1, Ordering::Relaxed);
                if state.arrived() != Arrival::Lacking {
                    assert_eq!(seen.load(Ordering::Relaxed), 2);
                    tokens.fetch_add(1, Ordering::Relaxed);
                }
            },
            |(state, (tokens, seen))| {
                if state.tied(2, 0, false) != Arrival::Lacking {
                    tokens.fetch_add(1, Ordering::Relaxed);
                }
                seen.fetch_add(1, Ordering::Relaxed);
                if state.arrived() != Arrival::Lacking {
                    assert_eq!(seen.load(Ordering::Relaxed), 2);
                    tokens.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(tokens.load(Ordering::Relaxed), 1);
    });
}

/// The last input comes while the task is failed because of another one: the task is queued or failed,
/// and its token is somebody's.
#[test]
fn the_early_failure() {
    loom::model(|| {
        let state = State::tying(false);
        assert_eq!(state.tied(1, 0, true), Arrival::Lacking);
        let (_, (tokens, ready, failed)) = race(
            (state, (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0))),
            |(state, (tokens, ready, _))| {
                let arrival = state.arrived();
                assert!(arrival != Arrival::Lacking);
                tokens.fetch_add(1, Ordering::Relaxed);
                if arrival == Arrival::Visited || state.prepare() == Prepare::Visited {
                    state.prepared();
                    if let Claim::Won { .. } = state.claim() {
                        ready.fetch_add(1, Ordering::Relaxed);
                    }
                }
            },
            |(state, (_, _, failed))| {
                if let Seize::Won { .. } = state.seize() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(tokens.load(Ordering::Relaxed), 1);
        assert_eq!(ready.load(Ordering::Relaxed) + failed.load(Ordering::Relaxed), 1);
    });
}

/// A walker looks at memory whose cell is being freed: one of them frees it.
#[test]
fn the_walker_that_comes_late() {
    loom::model(|| {
        let (_, freed) = race(
            (Holds::new(1, 0), AtomicUsize::new(0)),
            |(holds, freed)| {
                if holds.try_add_reference() && holds.drop_reference() == Left::Nobody {
                    freed.fetch_add(1, Ordering::Relaxed);
                }
            },
            |(holds, freed)| {
                let alone = holds.end_sole_owner()
                    || match holds.drop_owner() {
                        Left::Unowned => holds.drop_reference() == Left::Nobody,
                        left => left == Left::Nobody,
                    };
                freed.fetch_add(usize::from(alone), Ordering::Relaxed);
            },
        );
        assert_eq!(freed.load(Ordering::Relaxed), 1);
    });
}

/// One of two owners is to clone, and takes that back as it has to wait for something else; the
/// other wants the value meanwhile: whoever waits is told, and nobody takes what another one owns.
#[test]
fn the_waiting_clone() {
    loom::model(|| {
        let counts = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (_, (told, waits)) = race(
            (Holds::new(2, 0), counts),
            |(holds, (told, _))| {
                if holds.take() == Take::Clone {
                    holds.add_owner();
                    if holds.drop_borrow() == Left::FreeToTake {
                        told.fetch_add(1, Ordering::Relaxed);
                        let _ = holds.drop_reference();
                    }
                }
            },
            |(holds, (_, waits))| {
                loop {
                    match holds.take() {
                        Take::Itself => unreachable!("there are two owners at the end"),
                        Take::Clone => return,
                        Take::Lent if holds.wait_for_borrows() => break,
                        Take::Lent => {}
                    }
                }
                waits.fetch_add(1, Ordering::Relaxed);
            },
        );
        assert_eq!(told.load(Ordering::Relaxed), waits.load(Ordering::Relaxed));
    });
}
