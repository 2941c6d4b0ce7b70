//! Memory: what threads have goes back when they end.

use std::alloc::Layout;
use std::cell::RefCell;

use super::super::slab::{class_of, free_in_depot, put, take};
use super::support::leaves_nothing;
use crate::sync::thread;

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
