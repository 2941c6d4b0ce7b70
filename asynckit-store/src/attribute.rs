//! What `#[async_work(keep)]` names: the settings of a function, and how arguments and values become bytes.

use std::io::Cursor;
use std::time::Duration;

use asynckit::BoxError;
use asynckit::carry::Codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context;
use crate::lossy::is_lossy;

/// What `keep(..)` says of a function.
///
/// ```
/// use std::time::Duration;
/// use asynckit_store::attribute::Keep;
///
/// const KEEP: Keep = Keep::new().version(2).max_age(Duration::from_secs(60));
/// # let _ = KEEP;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    pub(crate) version: u64,
    pub(crate) max_age: Option<Duration>,
}

impl Keep {
    /// Version 0, which is kept for ever.
    pub const fn new() -> Keep {
        Keep { version: 0, max_age: None }
    }

    /// `version = 2`: another one for what the code of the function does not show.
    pub const fn version(self, version: u64) -> Keep {
        Keep { version, ..self }
    }

    /// `max_age = "7d"`: what is older is computed anew.
    pub const fn max_age(self, age: Duration) -> Keep {
        Keep { max_age: Some(age), ..self }
    }
}

impl Default for Keep {
    fn default() -> Keep {
        Keep::new()
    }
}

/// An argument that can belong to a key.
#[diagnostic::on_unimplemented(
    message = "`keep` can't tell by `{Self}` whether it has the value: an argument has to be `serde::Serialize`",
    label = "not an argument that can be looked at",
    note = "derive `serde::Serialize`; for a file whose contents count take an `asynckit_store::InputFile`"
)]
pub trait Argument {}

#[diagnostic::do_not_recommend]
impl<A: Serialize + ?Sized> Argument for A {}

/// A value that can be kept.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be kept: a value has to be `serde::Serialize` and `serde::de::DeserializeOwned`",
    label = "not a value that can be written and read again",
    note = "derive `serde::Serialize` and `serde::Deserialize`"
)]
pub trait Value {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Value for T {}

/// Fails to compile, at the type, where that is no argument of a key.
pub const fn argument<A: Argument + ?Sized>() {}

/// Fails to compile, at the type, where its values can't be kept.
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
        all.push(postcard::to_stdvec(&self.0)?);
        self.1.encode(all)
    }
}

/// Arguments as postcard, values as MessagePack with the names of fields.
#[derive(Clone, Copy, Debug)]
pub struct Bytes;

impl<A: Arguments, T: Serialize + DeserializeOwned> Codec<A, T> for Bytes {
    fn arguments(&self, arguments: &A) -> Result<Vec<Vec<u8>>, BoxError> {
        let mut all = Vec::new();
        arguments.encode(&mut all)?;
        Ok(all)
    }

    fn value(&self, value: &T) -> Result<Vec<u8>, BoxError> {
        let bytes = context::of_value(|| rmp_serde::to_vec_named(value))?;
        match is_lossy(value) {
            true => Err("it has a `Some(None)` or `Some(())`, which would be `None` again".into()),
            false => Ok(bytes),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<T, BoxError> {
        context::of_value(|| {
            let mut unknown = None;
            let mut read = rmp_serde::Deserializer::new(Cursor::new(bytes));
            let value = serde_ignored::deserialize(&mut read, |path| {
                unknown = Some(path.to_string());
            })?;
            match unknown {
                Some(path) => Err(format!("its type has no field `{path}`").into()),
                None if read.position() != bytes.len() as u64 => Err("there is more of it".into()),
                None => Ok(value),
            }
        })
    }
}
