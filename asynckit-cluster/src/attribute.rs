//! What `#[async_work(remote)]` names: the settings of a function, and how arguments, values and errors travel.
//!
//! What can't travel does not compile, and the compiler says so at the argument:
//!
//! ```compile_fail,E0277
//! struct Token;
//!
//! #[asynckit::async_work(remote)] // `Token` can't go to another process
//! fn use_up(token: Token) {}
//! ```
//!
//! ```compile_fail,E0277
//! #[derive(serde::Serialize)]
//! struct Half;
//!
//! #[asynckit::async_work(remote)] // nor can what can't be had again there
//! fn look_at(half: &Half) {}
//! ```
//!
//! ```compile_fail,E0277
//! struct Token;
//!
//! #[asynckit::async_work(remote)] // `Token` can't come back from another process
//! fn make() -> Token { Token }
//! ```

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use asynckit::carry::{Codec, Decode, Encode};
use asynckit::{BoxError, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::octets;
use crate::wire::whole;

/// What `remote(..)` says of a function.
///
/// ```
/// use asynckit_cluster::attribute::Remote;
///
/// const REMOTE: Remote = Remote::new().deliveries(1).memory("2GB");
/// # let _ = REMOTE;
/// ```
#[derive(Clone, Copy)]
pub struct Remote {
    pub(crate) deliveries: Option<u32>,
    pub(crate) memory: Option<u64>,
    pub(crate) error: Option<Typed>,
}

/// How an error travels as it is.
#[derive(Clone, Copy)]
pub(crate) struct Typed {
    /// `None` where the failure is another one.
    pub(crate) encode: fn(&Error) -> Option<Vec<u8>>,
    pub(crate) decode: fn(&[u8]) -> Result<BoxError, BoxError>,
}

impl Remote {
    /// As the cluster says.
    pub const fn new() -> Remote {
        Remote { deliveries: None, memory: None, error: None }
    }

    /// `deliveries = 1`: how often a call goes out at most, where the process that runs it ends. Once is for what must
    /// not be done twice: such a call has its process to itself, and none is sent ahead of its turn.
    pub const fn deliveries(self, most: u32) -> Remote {
        assert!(most > 0, "a call is delivered once at least");
        Remote { deliveries: Some(most), ..self }
    }

    /// `memory = "2GB"`: how much memory a process may take that runs it. Units are those of a thousand; `GiB` is one of
    /// 1024. Where a process runs several calls at once ([`threads`](crate::ClusterBuilder::threads)), the call fails.
    pub const fn memory(self, amount: &str) -> Remote {
        Remote { memory: Some(amount_of(amount.as_bytes())), ..self }
    }

    /// `error`: the error that the function returns travels as it is, so that
    /// [`downcast_ref`](asynckit::Error::downcast_ref) finds it. Otherwise that finds a
    /// [`RemoteError`](crate::RemoteError).
    pub const fn error<E: TypedError>(self) -> Remote {
        Remote { error: Some(Typed { encode: encode::<E>, decode: decode::<E> }), ..self }
    }
}

impl Default for Remote {
    fn default() -> Remote {
        Remote::new()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (deliveries, memory, error) = (self.deliveries, self.memory, self.error.is_some());
        write!(f, "Remote {{ deliveries: {deliveries:?}, memory: {memory:?}, error: {error} }}")
    }
}

/// An amount of memory, when the program is compiled.
const fn amount_of(text: &[u8]) -> u64 {
    let (mut number, mut at) = (0u64, 0);
    while at < text.len() && text[at].is_ascii_digit() {
        number = number * 10 + (text[at] - b'0') as u64;
        at += 1;
    }
    assert!(at > 0, "an amount of memory begins with a number: `memory = \"2GB\"`");
    while at < text.len() && text[at] == b' ' {
        at += 1;
    }
    let (_, unit) = text.split_at(at);
    let factor = match unit {
        b"B" => 1,
        b"kB" | b"KB" => 1_000,
        b"MB" => 1_000_000,
        b"GB" => 1_000_000_000,
        b"TB" => 1_000_000_000_000,
        b"KiB" => 1 << 10,
        b"MiB" => 1 << 20,
        b"GiB" => 1 << 30,
        b"TiB" => 1 << 40,
        _ => panic!(
            "an amount of memory has a unit: `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or `TiB`"
        ),
    };
    number * factor
}

fn encode<E: TypedError>(error: &Error) -> Option<Vec<u8>> {
    let error: &E = error.downcast_ref()?;
    postcard::to_stdvec(error).ok()
}

fn decode<E: TypedError>(bytes: &[u8]) -> Result<BoxError, BoxError> {
    let error: E = whole(bytes)?;
    Ok(error.into())
}

/// An error that can travel as it is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be sent as it is: `remote(error)` needs an error that is `serde::Serialize` and `serde::de::DeserializeOwned`",
    label = "not an error that can travel",
    note = "derive `serde::Serialize` and `serde::Deserialize`, or leave `error` out: then its text travels"
)]
pub trait TypedError: StdError + Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: StdError + Serialize + DeserializeOwned + Send + Sync + 'static> TypedError for E {}

/// An argument that can go to another process: what serializes and can be had again, and `str`, `[T]` and `Path`
/// behind a `&`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't go to another process: an argument has to be `serde::Serialize` and `serde::de::DeserializeOwned`",
    label = "not an argument that can be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize`; arguments are owned, or `&T`, `&str` or `&[T]` of what is owned"
)]
pub trait Argument: Serialize {
    /// What holds it where it has arrived.
    type Owned;

    #[doc(hidden)]
    fn arrived(bytes: &[u8]) -> Result<Self::Owned, BoxError>;

    #[doc(hidden)]
    fn lend(owned: &Self::Owned) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<A: Serialize + DeserializeOwned + 'static> Argument for A {
    type Owned = A;

    fn arrived(bytes: &[u8]) -> Result<A, BoxError> {
        octets::read(bytes)
    }

    fn lend(owned: &A) -> &A {
        owned
    }
}

macro_rules! borrowed {
    ($([$($generic:tt)*] $borrowed:ty, $owned:ty;)*) => { $(
        impl<$($generic)*> Argument for $borrowed {
            type Owned = $owned;

            fn arrived(bytes: &[u8]) -> Result<$owned, BoxError> {
                octets::read(bytes)
            }

            fn lend(owned: &$owned) -> &$borrowed {
                owned
            }
        }
    )* };
}
borrowed! {
    [] str, String;
    [] Path, PathBuf;
    [T: Serialize + DeserializeOwned + 'static] [T], Vec<T>;
}

/// A value that can come back from another process.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't come back from another process: a value has to be `serde::Serialize` and `serde::de::DeserializeOwned`",
    label = "not a value that can be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize`"
)]
pub trait Value: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Value for T {}

/// An argument as it is written, or what it borrows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't go to another process: an argument has to be `serde::Serialize` and `serde::de::DeserializeOwned`",
    label = "not an argument that can be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize`; arguments are owned, or `&T`, `&str` or `&[T]` of what is owned"
)]
pub trait Given: Serialize {}

#[diagnostic::do_not_recommend]
impl<A: Serialize + ?Sized> Given for A {}

/// Fails to compile, at the type, where that can't go to another process.
pub const fn argument<A: Given + ?Sized>() {}

/// Fails to compile, at the type, where its values can't come back from another process.
pub const fn value<T: Value>() {}

/// Arguments, one after the other.
pub trait Arguments {
    #[doc(hidden)]
    fn encode(&self, all: &mut Vec<Vec<u8>>) -> Result<(), BoxError>;
}

impl Arguments for () {
    fn encode(&self, _: &mut Vec<Vec<u8>>) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<A: Serialize, Rest: Arguments> Arguments for (A, Rest) {
    fn encode(&self, all: &mut Vec<Vec<u8>>) -> Result<(), BoxError> {
        all.push(octets::write(&self.0)?);
        self.1.encode(all)
    }
}

/// Why an argument can't be sent, and which one it is.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) number: usize,
    pub(crate) error: BoxError,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argument {}: {}", self.number + 1, self.error)
    }
}

impl StdError for Unsent {}

/// Arguments and values as postcard.
#[derive(Clone, Copy, Debug)]
pub struct Bytes;

impl<A: Arguments, T: Value> Codec<A, T> for Bytes {
    fn arguments(&self, arguments: &A) -> Result<Vec<Vec<u8>>, BoxError> {
        let mut all = Vec::new();
        match arguments.encode(&mut all) {
            Ok(()) => Ok(all),
            Err(error) => Err(Unsent { number: all.len(), error }.into()),
        }
    }

    fn value(&self, value: &T) -> Result<Vec<u8>, BoxError> {
        octets::write(value)
    }

    fn decode(&self, bytes: &[u8]) -> Result<T, BoxError> {
        octets::read(bytes)
    }
}

/// Arguments and values where they arrive.
#[derive(Clone, Copy, Debug)]
pub struct Arrive;

impl<A: Argument + ?Sized> Decode<A> for Arrive {
    type Owned = A::Owned;

    fn decode(&self, bytes: &[u8]) -> Result<A::Owned, BoxError> {
        A::arrived(bytes)
    }

    fn lend<'a>(&self, owned: &'a A::Owned) -> &'a A {
        A::lend(owned)
    }
}

impl<T: Value> Encode<T> for Arrive {
    fn encode(&self, value: &T) -> Result<Vec<u8>, BoxError> {
        octets::write(value)
    }
}
