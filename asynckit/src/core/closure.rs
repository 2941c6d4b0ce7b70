//! Closures whose types are forgotten, without an allocation.
//!
//! A program has as many types of closures as it has calls, and a cell's functions are compiled once
//! for each type of job. So a job does not name its closure's type: it keeps the closure in one of
//! a few rooms, with a pointer to the one function that knows the type. What is compiled once a
//! closure is that function; all else is compiled once for each type of value.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::{MaybeUninit, needs_drop};
use std::ptr;

use super::here::Here;

/// What is called once, with the values of a job's inputs.
///
/// The values and the outcome stay where the job has them, as they may be large: each function that
/// handed them on would have them on the stack once more.
pub(crate) trait Body<V, R> {
    fn call(self, here: &Here<'_>, values: &mut Option<V>, outcome: &mut Option<R>);
}

impl<V, R, F: FnOnce(&Here<'_>, V) -> R> Body<V, R> for F {
    #[inline]
    fn call(self, here: &Here<'_>, values: &mut Option<V>, outcome: &mut Option<R>) {
        put(outcome, self(here, taken(values)));
    }
}

/// The values of a call that is made now.
#[inline]
pub(crate) fn taken<V>(values: &mut Option<V>) -> V {
    match values.take() {
        Some(values) => values,
        None => unreachable!("a call was made without values"),
    }
}

/// Puts the outcome of a call where none is yet. (To assign it would be to look for one that is to be dropped.)
#[inline]
pub(crate) fn put<R>(outcome: &mut Option<R>, value: R) {
    debug_assert!(outcome.is_none(), "a call has two outcomes");
    // SAFETY: what is there is valid, and may be forgotten.
    unsafe { ptr::write(outcome, Some(value)) }
}

/// The functions that know a body's type.
struct BodyTable {
    /// Moves the body out, takes the values, and puts the outcome in.
    call: unsafe fn(body: *mut (), &Here<'_>, values: *mut (), outcome: *mut ()),
    /// Drops the body, where that is anything to do.
    drop: Option<unsafe fn(body: *mut ())>,
}

/// A body that lives for `'w`, in the memory of a `Room`. Used up once, by a call or a release.
pub(crate) struct Closure<'w, V, R, Room> {
    /// `None` when it is used up.
    table: Cell<Option<&'static BodyTable>>,
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
        let table: &'static BodyTable = const {
            &BodyTable {
                call: call::<B, V, R>,
                drop: if needs_drop::<B>() { Some(drop_body::<B>) } else { None },
            }
        };
        Closure { table: Cell::new(Some(table)), room: UnsafeCell::new(room), body: PhantomData }
    }

    /// Calls the body, which takes the values and gives the outcome.
    #[inline]
    pub(crate) fn call(&self, here: &Here<'_>, values: &mut Option<V>, outcome: &mut Option<R>) {
        let Some(table) = self.table.take() else { unreachable!("a call was made twice") };
        let (values, outcome) = ((&raw mut *values).cast(), (&raw mut *outcome).cast());
        // SAFETY: `new` has put the body there that the table knows, which takes a `V` and gives an `R`;
        // taking the table is the right to use the body up. The two places are lent for the call.
        unsafe { (table.call)(self.room.get().cast(), here, values, outcome) };
    }

    /// Drops the body, unless it is used up.
    #[inline]
    pub(crate) fn release(&self) {
        if let Some(table) = self.table.take()
            && let Some(drop) = table.drop
        {
            // SAFETY: `new` has put the body there that the table knows, and taking the table is the right to use the
            // body up: it was not called.
            unsafe { drop(self.room.get().cast()) }
        }
    }
}

impl<V, R, Room> Drop for Closure<'_, V, R, Room> {
    #[inline]
    fn drop(&mut self) {
        self.release();
    }
}

/// # Safety
/// At `body` is a `B`, which is not used after this; at `values` is an `Option<V>` and at `outcome` an
/// `Option<R>`, which nobody else uses meanwhile.
unsafe fn call<B, V, R>(body: *mut (), here: &Here<'_>, values: *mut (), outcome: *mut ())
where
    B: Body<V, R>,
{
    // SAFETY: the caller's promise.
    unsafe {
        let body = ptr::read(body as *const B);
        body.call(here, &mut *values.cast(), &mut *outcome.cast());
    }
}

/// # Safety
/// At `body` is a `B`, which is not used after this.
unsafe fn drop_body<B>(body: *mut ()) {
    // SAFETY: the caller's promise.
    unsafe { ptr::drop_in_place(body as *mut B) }
}

/// One of the instances of a function, by the smallest room that the type has room in: a few sizes, and from
/// there its own. To be used in a constant, so that the other functions are never compiled.
macro_rules! by_room {
    ($body:ty, $function:ident) => {
        match $crate::core::room_for::<$body>() {
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
