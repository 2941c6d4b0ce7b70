//! What is noted of a value: which call it is of, how large it is, when it was made.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use asynckit::carry::Call;
use serde::{Deserialize, Serialize};

use crate::attribute::Keep;

/// By what a call is known: a hash of all that makes it the same call.
pub(crate) type Key = [u8; 32];
/// A short hash, to compare.
pub(crate) type Short = [u8; 16];

/// A function, at one state of its code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) path: String,
    pub(crate) code: Short,
    pub(crate) types: String,
    pub(crate) version: u64,
    pub(crate) parameters: Vec<String>,
}

/// What is noted of a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) function: Short,
    /// Where it was called.
    pub(crate) at: String,
    /// In milliseconds since 1970.
    pub(crate) made: u64,
    /// How long it took, in microseconds.
    pub(crate) took: u64,
    pub(crate) size: u64,
    /// Whether it lies beside the database.
    pub(crate) is_large: bool,
    /// Of the value's bytes.
    pub(crate) check: Short,
    /// Of each argument.
    pub(crate) arguments: Vec<Short>,
}

/// When a value was last used, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// In milliseconds since 1970.
    pub(crate) last: u64,
    pub(crate) hits: u64,
}

impl From<(u64, u64)> for Used {
    fn from((last, hits): (u64, u64)) -> Used {
        Used { last, hits }
    }
}

macro_rules! as_bytes {
    ($($type:ident)*) => { $(
        impl $type {
            pub(crate) fn to_bytes(&self) -> Vec<u8> {
                postcard::to_stdvec(self).unwrap_or_default()
            }

            pub(crate) fn from_bytes(bytes: &[u8]) -> Option<$type> {
                postcard::from_bytes(bytes).ok()
            }
        }
    )* };
}
as_bytes!(Function Note);

/// What tells bytes from others.
pub(crate) fn check(bytes: &[u8]) -> Short {
    short(&blake3::hash(bytes))
}

fn short(hash: &blake3::Hash) -> Short {
    *hash.as_bytes().first_chunk().unwrap_or(&[0; 16])
}

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Note {
    pub(crate) fn age(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.made))
    }
}

/// A call that is looked for.
pub(crate) struct Asked {
    pub(crate) key: Key,
    pub(crate) id: Short,
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Short>,
    pub(crate) at: String,
}

impl Asked {
    /// The key of a call with these arguments.
    pub(crate) fn new(call: &Call<'_>, keep: &Keep, arguments: &[Vec<u8>]) -> Asked {
        let function = call.function();
        let function = Function {
            path: function.path().to_owned(),
            code: check(function.code()),
            types: call.types(),
            version: keep.version,
            parameters: function.parameters().iter().map(|&name| name.to_owned()).collect(),
        };
        // Each part with its length, so that no two calls run together.
        let mut hash = blake3::Hasher::new_derive_key("asynckit-store: the key of a call, 1");
        let mut part = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(function.path.as_bytes());
        part(call.function().code());
        part(function.types.as_bytes());
        part(&function.version.to_le_bytes());
        arguments.iter().for_each(|argument| part(argument));
        let key = *hash.finalize().as_bytes();
        let id = check(&function.to_bytes());
        let at = format!("{}:{}", call.at().file(), call.at().line());
        let arguments = arguments.iter().map(|argument| check(argument)).collect();
        Asked { key, id, function, arguments, at }
    }
}
