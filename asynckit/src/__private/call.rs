//! A call whose arguments may be pending.
//!
//! The macro writes such a call twice, once for now and once for later, and the *types* of the
//! arguments decide which of the two can happen:
//!
//! ```text
//! match lift(arguments) {
//!     Lifted::Now(reach, values) => f(values..).__held(reach),
//!     Lifted::Later(task) => task.__call(place, call_site(&"f"), move |here, values| f(values..)..),
//! }
//! ```
//!
//! So a call without pending arguments is the user's own call, in the user's own scope, borrows
//! and all. The impossible one has the type `!`, so that nothing which it moves counts as moved.

use core::marker::PhantomData;

use super::probed::Probed;
use crate::core::{
    AllReady, Body, Borrowed, Here, Inputs, Lent, Many, Moved, Outcome, Plain, SomePending, put,
    taken,
};
use crate::error::Hop;
use crate::pool::Spawner;
use crate::result::AsyncResult;
use crate::work::lifted;

/// A borrow of a result, until the whole call is made: the same call may not move it as well.
pub struct Lending<'a, T>(pub(super) &'a AsyncResult<T>);

/// The arguments of a call: nested pairs, so that there may be any number of them.
pub trait Arguments {
    type Inputs: Passed;

    fn into_inputs(self) -> Self::Inputs;
}

/// Inputs whose values a call is made with.
pub trait Passed: Inputs {
    /// The values, as the call takes them.
    type Passed;

    fn given(values: Self::Values) -> Self::Passed;
}

impl Arguments for () {
    type Inputs = ();

    fn into_inputs(self) {}
}

impl Passed for () {
    type Passed = ();

    fn given((): ()) {}
}

macro_rules! arguments {
    ($([$($generics:tt)*] $argument:ty => $input:ty = $make:expr;)*) => { $(
        impl<$($generics)*, Rest: Arguments> Arguments for ($argument, Rest)
        where
            ($input, Rest::Inputs): Passed,
        {
            type Inputs = ($input, Rest::Inputs);

            #[inline(always)]
            fn into_inputs(self) -> Self::Inputs {
                let make: fn($argument) -> $input = $make;
                (make(self.0), self.1.into_inputs())
            }
        }
    )* };
}

arguments! {
    [X] Plain<X> => Plain<X> = |plain| plain;
    [T] Moved<T> => Moved<T> = |moved| moved;
    [T] Many<T> => Many<T> = |many| many;
    ['a, T] Lending<'a, T> => Lent<T> = |it| Lent::of(it.0.owner());
}

macro_rules! given {
    ($([$generic:ident] $input:ty: $value:ty => $given:ty = $make:expr;)*) => { $(
        impl<$generic, Rest: Passed> Passed for ($input, Rest)
        where
            Self: Inputs<Values = ($value, Rest::Values)>,
        {
            type Passed = ($given, Rest::Passed);

            #[inline]
            fn given((first, rest): ($value, Rest::Values)) -> Self::Passed {
                let give: fn($value) -> $given = $make;
                (give(first), Rest::given(rest))
            }
        }
    )* };
}

given! {
    [X] Plain<X>: X => Owned<X> = |value| Owned(Some(value));
    [T] Moved<T>: T => Owned<T> = |value| Owned(Some(value));
    [T] Many<T>: Vec<T> => Owned<Vec<T>> = |values| Owned(Some(values));
    [T] Lent<T>: Borrowed<T> => Shared<T> = Shared;
}

type InputsOf<A> = <A as Arguments>::Inputs;
type GivenTo<A> = <InputsOf<A> as Passed>::Passed;

/// An argument of the call that is made: a value, or a reference to one that is lent.
pub trait Give<'a> {
    type Passed;

    fn give(&'a mut self) -> Self::Passed;
}

/// Gives an argument to a call.
#[inline]
pub fn give<'a, G: Give<'a>>(argument: &'a mut G) -> G::Passed {
    argument.give()
}

/// A value that moves into the call.
pub struct Owned<V>(Option<V>);

impl<V> Give<'_> for Owned<V> {
    type Passed = V;

    #[inline]
    fn give(&mut self) -> V {
        self.0.take().unwrap_or_else(|| unreachable!("an argument is given once"))
    }
}

/// A value that is lent to the call.
pub struct Shared<T>(Borrowed<T>);

impl<'a, T: 'a> Give<'a> for Shared<T> {
    type Passed = &'a T;

    #[inline]
    fn give(&'a mut self) -> &'a T {
        &self.0
    }
}

/// A call that happens now, or one that happens later; one of the two is impossible.
pub enum Lifted<Now, Values, Later> {
    Now(Now, Values),
    Later(Later),
}

/// Whether any argument is pending.
pub trait Pending<A: Arguments> {
    type Now: Reach;
    type Later<'p, P: ?Sized + 'p>;

    fn decide<P: ?Sized>(
        place: &P,
        inputs: A::Inputs,
    ) -> Lifted<Self::Now, GivenTo<A>, Self::Later<'_, P>>;
}

impl<A: Arguments<Inputs: Inputs<State = AllReady>>> Pending<A> for AllReady {
    type Now = Real;
    type Later<'p, P: ?Sized + 'p> = Impossible<A>;

    #[inline]
    fn decide<P: ?Sized>(_: &P, inputs: A::Inputs) -> Lifted<Real, GivenTo<A>, Impossible<A>> {
        Lifted::Now(Real, InputsOf::<A>::given(inputs.ready_values()))
    }
}

impl<A: Arguments<Inputs: Inputs<State = SomePending>>> Pending<A> for SomePending {
    type Now = Impossible<A>;
    type Later<'p, P: ?Sized + 'p> = Later<'p, A, P>;

    #[inline]
    fn decide<P: ?Sized>(
        place: &P,
        inputs: A::Inputs,
    ) -> Lifted<Impossible<A>, GivenTo<A>, Later<'_, A, P>> {
        Lifted::Later(Later { place, inputs })
    }
}

type StateOf<A> = <<A as Arguments>::Inputs as Inputs>::State;
type NowOf<A> = <StateOf<A> as Pending<A>>::Now;
type LaterOf<'p, A, P> = <StateOf<A> as Pending<A>>::Later<'p, P>;

/// Decides when a call happens.
#[inline]
pub fn lift<P, A>(place: &P, arguments: A) -> Lifted<NowOf<A>, GivenTo<A>, LaterOf<'_, A, P>>
where
    P: ?Sized,
    A: Arguments,
    StateOf<A>: Pending<A>,
{
    StateOf::<A>::decide(place, arguments.into_inputs())
}

/// Whether a call that is written down happens.
pub trait Reach: Sized {
    type Probed<X>;

    fn probed<X>(self, value: X) -> Self::Probed<X>;
}

/// A call that happens.
pub struct Real;

impl Reach for Real {
    type Probed<X> = Probed<X>;

    #[inline]
    fn probed<X>(self, value: X) -> Probed<X> {
        Probed(value)
    }
}

/// A call that never happens.
pub struct Impossible<I> {
    never: core::convert::Infallible,
    _inputs: PhantomData<I>,
}

impl<I> Reach for Impossible<I> {
    type Probed<X> = Never;

    fn probed<X>(self, _value: X) -> Never {
        match self.never {}
    }
}

/// The type `!`, which may only be written as the return type of a function.
pub type Never = <fn() -> ! as Returns>::Value;

pub trait Returns {
    type Value;
}

impl<X> Returns for fn() -> X {
    type Value = X;
}

/// Nothing but an expression that stands where the user's call does, for messages about it.
#[inline]
pub fn same<X>(value: X) -> X {
    value
}

/// Inputs that may go to another thread.
pub trait Travel: Passed + Send {}

/// An argument that may.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent between threads: an argument of this call is pending, so that \
               the call is made later, on a thread of the pool",
    label = "this call takes a `{Self}` along",
    note = "pass a value that is `Send` (an `Arc` in place of an `Rc`), or wait for the pending \
            argument with `.get()` and call the function here"
)]
pub trait Traveller: Send {}

#[diagnostic::do_not_recommend]
impl<X: Send> Traveller for X {}

impl Travel for () {}
impl<X: Traveller, Rest: Travel> Travel for (Plain<X>, Rest) {}
impl<T: Send, Rest: Travel> Travel for (Moved<T>, Rest) {}
impl<T: Send, Rest: Travel> Travel for (Many<T>, Rest) {}
impl<T: Send + Sync, Rest: Travel> Travel for (Lent<T>, Rest) {}

/// A call that happens when its arguments are ready.
pub struct Later<'p, A: Arguments, P: ?Sized> {
    place: &'p P,
    inputs: A::Inputs,
}

impl<A: Arguments, P: ?Sized> Later<'_, A, P> {
    #[inline]
    pub fn __call<'w, T, F>(self, site: Hop, call: F) -> Probed<AsyncResult<T>>
    where
        P: Spawner<'w>,
        A::Inputs: Travel + 'w,
        T: Send + 'w,
        F: FnOnce(&Here<'_>, GivenTo<A>) -> Outcome<T> + Send + 'w,
    {
        let call = With(call, PhantomData::<fn(A::Inputs)>);
        Probed(lifted(site, self.inputs, self.place, call))
    }
}

/// The user's call, with the arguments as it wants them.
struct With<L, F>(F, PhantomData<fn(L)>);

impl<L, T, F> Body<L::Values, Outcome<T>> for With<L, F>
where
    L: Passed,
    F: FnOnce(&Here<'_>, L::Passed) -> Outcome<T>,
{
    #[inline]
    fn call(
        self,
        here: &Here<'_>,
        values: &mut Option<L::Values>,
        outcome: &mut Option<Outcome<T>>,
    ) {
        put(outcome, (self.0)(here, L::given(taken(values))));
    }
}

impl<A: Arguments> Impossible<A> {
    pub fn __call<O, F>(self, _site: Hop, _call: F) -> !
    where
        F: FnOnce(&Here<'_>, GivenTo<A>) -> O,
    {
        match self.never {}
    }
}
