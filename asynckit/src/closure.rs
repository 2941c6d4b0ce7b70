//! Closures whose types are forgotten, without an allocation.
//!
//! A program has as many types of closures as it has calls, and a cell's functions are compiled once
//! for each type of job. So a job does not name its closure's type: it keeps the closure in one of
//! a few rooms, with a pointer to the one function that knows the type. What is compiled once a
//! closure is that function; all else is compiled once for each type of value.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

use crate::lift::Here;

/// What is called once, with the values of a job's inputs.
pub(crate) trait Body<V, R> {
    fn call(self, here: &Here<'_>, values: V) -> R;
}

impl<V, R, F: FnOnce(&Here<'_>, V) -> R> Body<V, R> for F {
    fn call(self, here: &Here<'_>, values: V) -> R {
        self(here, values)
    }
}

/// Calls the body at the pointer, or drops it where there is nothing to call it with.
type UseUp<V, R> = unsafe fn(*mut (), Option<(&Here<'_>, V)>) -> Option<R>;

/// A body that lives for `'w`, in the memory of a `Room`. Used up once, by a call or a release.
pub(crate) struct Closure<'w, V, R, Room> {
    /// `None` when it is used up.
    use_up: Cell<Option<UseUp<V, R>>>,
    room: UnsafeCell<MaybeUninit<Room>>,
    body: PhantomData<Box<dyn FnOnce(V) -> R + Send + 'w>>,
}

impl<'w, V, R, Room> Closure<'w, V, R, Room> {
    /// Moves a body in. The room is one that `by_room!` has found for it.
    pub(crate) fn new<B>(body: B) -> Self
    where
        B: Body<V, R> + Send + 'w,
    {
        const { assert!(size_of::<B>() <= size_of::<Room>()) };
        const { assert!(align_of::<B>() <= align_of::<Room>()) };
        let mut room = MaybeUninit::<Room>::uninit();
        // SAFETY: the room is as large and as aligned as the body.
        unsafe { ptr::write(&raw mut room as *mut B, body) };
        let use_up = Cell::new(Some(use_up::<B, V, R> as UseUp<V, R>));
        Closure { use_up, room: UnsafeCell::new(room), body: PhantomData }
    }

    /// Calls the body.
    pub(crate) fn call(&self, here: &Here<'_>, values: V) -> R {
        let called = self.use_up(Some((here, values)));
        called.unwrap_or_else(|| unreachable!("a call was made twice"))
    }

    /// Drops the body, unless it is used up.
    pub(crate) fn release(&self) {
        drop(self.use_up(None));
    }

    fn use_up(&self, call: Option<(&Here<'_>, V)>) -> Option<R> {
        let use_up = self.use_up.take()?;
        // SAFETY: `new` has put the body there that this function knows, and taking the function
        // is the right to use the body up.
        unsafe { use_up(self.room.get().cast(), call) }
    }
}

impl<V, R, Room> Drop for Closure<'_, V, R, Room> {
    fn drop(&mut self) {
        self.release();
    }
}

/// # Safety
/// At `body` is a `B`, and it is not used any more after this.
unsafe fn use_up<B: Body<V, R>, V, R>(body: *mut (), call: Option<(&Here<'_>, V)>) -> Option<R> {
    // SAFETY: the caller's promise.
    let body = unsafe { ptr::read(body as *const B) };
    let (here, values) = call?;
    Some(body.call(here, values))
}

/// One of the instances of a function, by the smallest room that the type has room in: a few sizes, and from
/// there its own. To be used in a constant, so that the other functions are never compiled.
macro_rules! by_room {
    ($body:ty, $function:ident) => {
        match $crate::closure::room_for::<$body>() {
            0 => Self::$function::<[usize; 0]>,
            2 => Self::$function::<[usize; 2]>,
            4 => Self::$function::<[usize; 4]>,
            8 => Self::$function::<[usize; 8]>,
            _ => Self::$function::<$body>,
        }
    };
}
pub(crate) use by_room;

/// How many words of room a type gets, of what is aligned as a word is.
pub(crate) const fn room_for<B>() -> usize {
    if align_of::<B>() > align_of::<usize>() {
        return usize::MAX;
    }
    match size_of::<B>().div_ceil(size_of::<usize>()) {
        0 => 0,
        1..=2 => 2,
        3..=4 => 4,
        5..=8 => 8,
        more => more,
    }
}
