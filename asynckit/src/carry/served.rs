//! The other side of a call that is carried out elsewhere: the functions that this program can be asked for.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;

use crate::error::{BoxError, Error, Hop};
use crate::panic;
use crate::terms::{Ended, Function};
use crate::work::Work;

/// A function with `remote` of this program, for who is asked for it from elsewhere: another process that runs the same
/// program, say. There is one for each such function of the program and of the crates that it is made of.
///
/// ```
/// # #[cfg(feature = "remote")]
/// for served in asynckit::carry::Served::all() {
///     println!("{}", served.function().path());
/// }
/// ```
pub struct Served {
    function: &'static Function,
    settings: &'static (dyn Any + Send + Sync),
    call: fn(Given<'_>) -> Result<(), BoxError>,
}

#[cfg(feature = "remote")]
inventory::collect!(Served);

impl Served {
    /// For the expansion of `#[async_work(remote)]`.
    #[doc(hidden)]
    pub const fn new(
        function: &'static Function,
        settings: &'static (dyn Any + Send + Sync),
        call: fn(Given<'_>) -> Result<(), BoxError>,
    ) -> Served {
        Served { function, settings, call }
    }

    /// All of them, in no order. The feature `remote` has the compiler collect them.
    #[cfg(feature = "remote")]
    pub fn all() -> impl Iterator<Item = &'static Served> {
        inventory::iter::<Served>.into_iter()
    }

    /// The function.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    /// What the attribute says, if it says an `S`; see [`Call::settings`](super::Call::settings).
    pub fn settings<S: Any>(&self) -> Option<&'static S> {
        let settings: &'static dyn Any = self.settings;
        settings.downcast_ref()
    }

    /// Calls it here and now, on this thread, with arguments as [`Call::arguments`](super::Call::arguments) gives them,
    /// and tells how it comes out. Of what is set on the function a time and a limit without weight hold; tries, rates
    /// and weights are for who calls it. Where an argument's decoding or the value's encoding panics, that is told as if
    /// the function had panicked.
    ///
    /// # Errors
    ///
    /// Where these bytes are no arguments of it. Nothing is called then.
    ///
    /// # Panics
    ///
    /// Where `tell` does.
    pub fn call(&self, arguments: &[&[u8]], tell: impl FnOnce(Ended<'_>)) -> Result<(), BoxError> {
        let mut tell = Some(tell);
        let called = panic::catch(|| {
            let mut tell = |ended: Ended<'_>| {
                if let Some(tell) = tell.take() {
                    tell(ended);
                }
            };
            (self.call)(Given { arguments, tell: &mut tell })
        });
        // What the function does is caught where it runs: this is what the user's types do on the way in and out.
        called.unwrap_or_else(|payload| match tell.take() {
            Some(tell) => {
                let hop = Hop::here(&self.function.path);
                tell(Ended::Failed(&Error::panicked(hop, payload, None)));
                Ok(())
            }
            None => resume_unwind(payload),
        })
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served({})", self.function.path())
    }
}

/// How an argument comes of bytes, where a function is [`Served`]: what the attribute names may do it.
pub trait Decode<A: ?Sized> {
    /// What holds it: the argument itself, or a `String` for a `str`.
    type Owned;

    /// The argument again.
    ///
    /// # Errors
    ///
    /// Where the bytes are none.
    fn decode(&self, bytes: &[u8]) -> Result<Self::Owned, BoxError>;

    /// What a function gets to see that takes a reference.
    fn lend<'a>(&self, owned: &'a Self::Owned) -> &'a A;
}

/// How a value becomes bytes, where a function is [`Served`], and what else may be told of its outcome.
pub trait Encode<T> {
    /// A value.
    ///
    /// # Errors
    ///
    /// Where it can't be encoded.
    fn encode(&self, value: &T) -> Result<Vec<u8>, BoxError>;
}

/// A call that has come in, on its way into the function.
#[doc(hidden)]
pub struct Given<'a> {
    arguments: &'a [&'a [u8]],
    tell: &'a mut dyn FnMut(Ended<'_>),
}

impl Given<'_> {
    /// The next argument.
    pub fn next<A: ?Sized, D: Decode<A>>(
        &mut self,
        decode: &D,
        name: &str,
    ) -> Result<D::Owned, BoxError> {
        let Some((bytes, rest)) = self.arguments.split_first() else {
            return Err(format!("there is no argument `{name}`").into());
        };
        self.arguments = rest;
        decode.decode(bytes).map_err(|error| format!("the argument `{name}`: {error}").into())
    }

    /// Runs it: all arguments are there.
    pub fn run<T: Send, D: Encode<T>>(self, encode: &D, work: Work<'_, T>) {
        match work.run() {
            Ok(value) => {
                let ended = encode.encode(&value).map_or_else(Ended::Unencodable, Ended::Value);
                (self.tell)(ended);
            }
            Err(error) => (self.tell)(Ended::Failed(&error)),
        }
    }

    /// Fails where there are more arguments than were taken.
    pub fn end(&self) -> Result<(), BoxError> {
        match self.arguments.len() {
            0 => Ok(()),
            more => Err(format!("there are {more} arguments too many").into()),
        }
    }
}

/// What an argument comes of that a function takes as it is.
#[doc(hidden)]
pub trait ByValue<A> {
    fn value(self) -> A;
}

impl<A> ByValue<A> for A {
    fn value(self) -> A {
        self
    }
}

/// What stands in for names that the attribute's crate does not have.
#[doc(hidden)]
pub mod unserved {
    use std::convert::Infallible;
    use std::marker::PhantomData;

    use super::{BoxError, ByValue, Decode, Encode};

    /// Can't read anything.
    pub struct Arrive;

    /// What it has read.
    pub struct Nothing<A: ?Sized>(Infallible, PhantomData<fn() -> Box<A>>);

    impl<A> ByValue<A> for Nothing<A> {
        fn value(self) -> A {
            match self.0 {}
        }
    }

    impl<A: ?Sized> Decode<A> for Arrive {
        type Owned = Nothing<A>;

        fn decode(&self, _: &[u8]) -> Result<Nothing<A>, BoxError> {
            Err("nothing can arrive here".into())
        }

        fn lend<'a>(&self, owned: &'a Nothing<A>) -> &'a A {
            match owned.0 {}
        }
    }

    impl<T> Encode<T> for Arrive {
        fn encode(&self, _: &T) -> Result<Vec<u8>, BoxError> {
            Err("nothing can be sent from here".into())
        }
    }
}
