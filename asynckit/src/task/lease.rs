//! How a task refers to its place: by references that are counted by the thousand.
//!
//! Every task refers to its place, from whatever thread it is made on to whatever thread frees it.
//! If each counted itself, that count would be the one word that all threads fight for. So each
//! thread takes many references from the count at once and keeps them in a *pocket*; from there it
//! hands them out, and there it puts those of tasks that it frees. (A count of this kind is known as
//! a weighted or distributed one.)
//!
//! A pocket has references to one place, the last that its thread had to do with. They keep the
//! place until the thread turns to another one or ends. So nothing that a user could miss may wait
//! for a place's drop.
//!
//! The memory of a place serves later places and is never given back, so that whoever walks over
//! cells may ask a place of which pool it is without knowing whether it is still there.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use crate::pool::{Place, Shared};
use crate::sync::{AtomicUsize, Mutex, Ordering, lock};

/// How many references a thread takes at once.
const BATCH: usize = 1024;

/// A place with the count of its references: handed out, or in pockets.
#[repr(C)]
struct Counted {
    place: ManuallyDrop<Place>,
    count: AtomicUsize,
    /// The address of the pool, also when the place is gone.
    pool: AtomicUsize,
}

/// A reference to a place.
pub(crate) struct Lease(NonNull<Counted>);

/// The memory of places that are gone.
static FREE: Mutex<Vec<Lease>> = Mutex::new(Vec::new());

// SAFETY: a lease is a counted reference like an `Arc`, and a place is `Send` and `Sync`.
unsafe impl Send for Lease {}
// SAFETY: as above.
unsafe impl Sync for Lease {}
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Place>();
};

/// The references that a thread has at hand.
struct Pocket {
    of: Cell<*const Counted>,
    held: Cell<usize>,
}

thread_local! {
    static POCKET: Pocket = const { Pocket { of: Cell::new(ptr::null()), held: Cell::new(0) } };
}

impl Lease {
    pub(crate) fn new(place: Place) -> Lease {
        let pool = ptr::from_ref(&**place.pool()).addr();
        let free = lock(&FREE).pop();
        let Some(free) = free else {
            let (place, count) = (ManuallyDrop::new(place), AtomicUsize::new(1));
            let counted = Box::new(Counted { place, count, pool: AtomicUsize::new(pool) });
            return Lease(NonNull::from(Box::leak(counted)));
        };
        // SAFETY: nobody has a lease on what is free, so that nobody looks at more of it than the
        // pool's address, which is atomic.
        unsafe {
            (&raw mut (*free.0.as_ptr()).place).write(ManuallyDrop::new(place));
            free.0.as_ref().count.store(1, Ordering::Relaxed);
        }
        // ORDERING: Release: to walkers, who see it when they see a task of the place.
        free.counted().pool.store(pool, Ordering::Release);
        free
    }

    fn counted(&self) -> &Counted {
        // SAFETY: the memory stays for ever.
        unsafe { self.0.as_ref() }
    }

    /// Whether a place that a task has or had is one of this pool.
    ///
    /// # Safety
    /// The word comes from `into_raw`; the lease may be gone.
    pub(super) unsafe fn is_of(place: NonNull<Place>, pool: &Shared) -> bool {
        let counted: NonNull<Counted> = place.cast();
        // SAFETY: the memory stays for ever, and this word is atomic.
        let its = unsafe { &(*counted.as_ptr()).pool };
        its.load(Ordering::Acquire) == ptr::from_ref(pool).addr()
    }

    /// The lease as a word, for a cell to keep.
    pub(super) fn into_raw(self) -> *mut Place {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    /// # Safety
    /// The word comes from `into_raw`, and the caller has the lease that it stands for.
    pub(super) unsafe fn from_raw(place: NonNull<Place>) -> Lease {
        Lease(place.cast())
    }

    /// One more lease on a place.
    ///
    /// # Safety
    /// Somebody has a lease on the place for as long as this takes.
    pub(super) unsafe fn another(place: NonNull<Place>) -> Lease {
        let counted = place.cast();
        // A thread that is being torn down has lost its pocket.
        if POCKET.try_with(|pocket| pocket.hand_out(counted)).is_err() {
            add(counted, 1);
        }
        Lease(counted)
    }
}

/// Gives back what the calling thread has in its pocket.
pub(crate) fn empty_pocket() {
    let _ = POCKET.try_with(Pocket::empty);
}

fn add(counted: NonNull<Counted>, more: usize) {
    // SAFETY: the caller has a lease on it.
    // ORDERING: Relaxed for more, as with `Arc`: the caller has one already.
    unsafe { counted.as_ref() }.count.fetch_add(more, Ordering::Relaxed);
}

fn give_back(counted: NonNull<Counted>, references: usize) {
    // SAFETY: the references are there until the count says otherwise.
    // ORDERING: AcqRel: all that anybody did with the place happens before its drop.
    let before = unsafe { counted.as_ref() }.count.fetch_sub(references, Ordering::AcqRel);
    if before == references {
        // SAFETY: these were the last ones: nobody uses the place any more.
        unsafe { ManuallyDrop::drop(&mut (*counted.as_ptr()).place) };
        // Until somebody gets it from there, it is no lease.
        lock(&FREE).push(Lease(counted));
    }
}

/// Gives back what was in a pocket.
fn give_back_all((of, held): (*const Counted, usize)) {
    if let Some(counted) = NonNull::new(of.cast_mut())
        && held > 0
    {
        give_back(counted, held);
    }
}

impl Pocket {
    fn hand_out(&self, counted: NonNull<Counted>) {
        let held = self.held.get();
        if ptr::eq(self.of.get(), counted.as_ptr()) && held > 0 {
            self.held.set(held - 1);
            return;
        }
        add(counted, BATCH);
        let before = (self.of.replace(counted.as_ptr()), self.held.replace(BATCH - 1));
        // Last, as a place's drop may lead to anything, also back here.
        give_back_all(before);
    }

    /// Puts a reference into the pocket; false where that has those of another place.
    fn put(&self, counted: NonNull<Counted>) -> bool {
        let mut held = self.held.get();
        if !ptr::eq(self.of.get(), counted.as_ptr()) {
            if held > 0 {
                return false;
            }
            self.of.set(counted.as_ptr());
        }
        if held == 2 * BATCH {
            // Not the last ones: the pocket keeps some.
            held -= BATCH;
            give_back(counted, BATCH);
        }
        self.held.set(held + 1);
        true
    }

    fn empty(&self) {
        give_back_all((self.of.replace(ptr::null()), self.held.take()));
    }
}

impl Drop for Pocket {
    fn drop(&mut self) {
        self.empty();
    }
}

impl Deref for Lease {
    type Target = Place;

    fn deref(&self) -> &Place {
        // SAFETY: a lease keeps its place.
        unsafe { &(*self.0.as_ptr()).place }
    }
}

impl Clone for Lease {
    fn clone(&self) -> Lease {
        // SAFETY: this is a lease on the place.
        unsafe { Lease::another(self.0.cast()) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !POCKET.try_with(|pocket| pocket.put(self.0)).unwrap_or(false) {
            give_back(self.0, 1);
        }
    }
}
