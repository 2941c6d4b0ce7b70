//! Memory: what threads have goes back when they end.

use std::alloc::Layout;
use std::cell::RefCell;

use super::super::closure::{Body, Closure, taken};
use super::super::here::Here;
use super::super::inputs::Moved;
use super::super::slab::{class_of, free_in_depot, put, take};
use super::super::state::Traits;
use super::super::task::{CallWithInputs, Outcome};
use super::support::*;
use crate::sync::{Arc, AtomicUsize, Ordering::SeqCst, thread};

/// A size that nothing else here has.
type Block = [usize; 62];

/// Blocks that are given back when the thread is being torn down.
struct Late(Vec<std::ptr::NonNull<Block>>);

impl Drop for Late {
    fn drop(&mut self) {
        let layout = Layout::new::<Block>();
        for block in self.0.drain(..) {
            // SAFETY: it was taken for this layout.
            unsafe { put(block.cast(), class_of(layout), layout) }
        }
    }
}

#[test]
fn a_thread_that_ends_keeps_no_block() {
    thread_local! {
        static LATE: RefCell<Late> = const { RefCell::new(Late(Vec::new())) };
    }
    leaves_nothing(|| {
        let layout = Layout::new::<Block>();
        if class_of(layout) == 0 {
            return;
        }
        let round = |count: usize| {
            let body = move || {
                // Entered before the magazines are, so that it ends after them.
                LATE.with_borrow_mut(|late| late.0.extend((0..count).map(|_| take::<Block>())));
            };
            thread::spawn(body).join().unwrap();
        };
        round(1);
        let before = free_in_depot(layout);
        for count in [1, 2, 20, 1, 40, 1] {
            round(count);
        }
        assert_eq!(free_in_depot(layout), before, "all are in the depot");
    });
}

const LARGE: usize = 64 * 1024;
type Large = [u8; LARGE];

/// About where the stack is.
#[inline(never)]
fn depth() -> usize {
    let here = 0_u8;
    std::hint::black_box(&raw const here).addr()
}

/// Says how deep it is called, and hands its value on.
struct Measures(Arc<AtomicUsize>);

impl Body<(Large, ()), Outcome<Large>> for Measures {
    fn call(
        self,
        _: &Here<'_>,
        values: &mut Option<(Large, ())>,
        outcome: &mut Option<Outcome<Large>>,
    ) {
        self.0.store(depth(), SeqCst);
        hand_on(values, outcome);
    }
}

#[inline(never)]
fn hand_on(values: &mut Option<(Large, ())>, outcome: &mut Option<Outcome<Large>>) {
    *outcome = Some(Outcome::Done(Ok(taken(values).0)));
}

#[test]
fn a_call_has_its_values_and_outcome_once_on_the_stack() {
    leaves_nothing(|| {
        let measure = || {
            let (place, deep) = (place(), Arc::new(AtomicUsize::new(0)));
            let a = spawn(&place, || Ok([1_u8; LARGE]));
            let body = Closure::new::<Measures>(Measures(deep.clone()));
            let call = CallWithInputs::<_, _, Measures>::new((Moved::of(a), ()), body);
            let b = submit(&place, Traits::PLAIN, call);
            let top = depth();
            work(&place);
            assert_eq!(get(b).unwrap()[LARGE - 1], 1);
            top - deep.load(SeqCst)
        };
        let used = thread::Builder::new().stack_size(64 * LARGE).spawn(measure).unwrap();
        let used = used.join().unwrap();
        assert!(used < 2 * LARGE + LARGE / 2, "{} values", used as f32 / LARGE as f32);
    });
}
