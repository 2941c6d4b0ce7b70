//! What is noted of a value: which call it is of, how large it is, when it was made.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use asynckit::carry::{self, Call};
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
    pub(crate) lies: Lies,
    /// Of the value's bytes.
    pub(crate) check: Short,
    /// Of each argument.
    pub(crate) arguments: Vec<Short>,
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Lies {
    /// Behind its note, so that one look finds both.
    There,
    /// In a table of its own, so that who lists notes need not read it.
    Apart,
    /// In a file beside the database.
    Beside,
}

/// Up to so many bytes a value lies behind its note.
const SMALL: usize = 1 << 10;

impl Lies {
    /// Of a value of so many bytes, where so many are large.
    pub(crate) fn of(size: usize, large: usize) -> Lies {
        match size {
            size if size >= large => Lies::Beside,
            size if size <= SMALL => Lies::There,
            _ => Lies::Apart,
        }
    }
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

            /// It, and what comes behind it.
            pub(crate) fn from_bytes(bytes: &[u8]) -> Option<($type, &[u8])> {
                postcard::take_from_bytes(bytes).ok()
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

/// How long ago that was, which is in milliseconds since 1970.
pub(crate) fn since(moment: u64) -> Duration {
    Duration::from_millis(now().saturating_sub(moment))
}

impl Note {
    pub(crate) fn age(&self) -> Duration {
        since(self.made)
    }
}

/// A function that calls were seen of.
pub(crate) struct Known {
    pub(crate) id: Short,
    pub(crate) function: Function,
    /// The beginning of its keys.
    hash: blake3::Hasher,
}

/// The functions that calls were seen of, by their addresses and types.
#[derive(Default)]
pub(crate) struct Functions(RwLock<HashMap<(usize, String), Arc<Known>>>);

impl Functions {
    fn of(&self, call: &Call<'_>, keep: &Keep) -> Arc<Known> {
        let key = (std::ptr::from_ref(call.function()).addr(), call.types());
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| {
            let known = Arc::new(Known::new(call.function(), &key.1, keep.version));
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            all.entry(key).or_insert(known).clone()
        })
    }
}

/// A part of a key, with its length, so that no two run together.
fn part(hash: &mut blake3::Hasher, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

impl Known {
    fn new(function: &carry::Function, types: &str, version: u64) -> Known {
        let mut hash = blake3::Hasher::new_derive_key("asynckit-store: the key of a call, 1");
        part(&mut hash, function.path().as_bytes());
        part(&mut hash, function.code());
        part(&mut hash, types.as_bytes());
        part(&mut hash, &version.to_le_bytes());
        let function = Function {
            path: function.path().to_owned(),
            code: check(function.code()),
            types: types.to_owned(),
            version,
            parameters: function.parameters().iter().map(|&name| name.to_owned()).collect(),
        };
        Known { id: check(&function.to_bytes()), function, hash }
    }

    fn key(&self, arguments: &[Vec<u8>]) -> Key {
        let mut hash = self.hash.clone();
        arguments.iter().for_each(|argument| part(&mut hash, argument));
        *hash.finalize().as_bytes()
    }
}

/// A call that is looked for.
pub(crate) struct Asked {
    pub(crate) key: Key,
    pub(crate) known: Arc<Known>,
    pub(crate) arguments: Vec<Vec<u8>>,
    pub(crate) at: At,
}

/// A line of the source.
type At = &'static std::panic::Location<'static>;

impl Asked {
    /// The key of a call with these arguments.
    pub(crate) fn new(
        functions: &Functions,
        call: &Call<'_>,
        keep: &Keep,
        arguments: Vec<Vec<u8>>,
    ) -> Asked {
        let known = functions.of(call, keep);
        Asked { key: known.key(&arguments), known, arguments, at: call.at() }
    }

    /// What tells its arguments from others.
    pub(crate) fn checks(&self) -> Vec<Short> {
        self.arguments.iter().map(|argument| check(argument)).collect()
    }

    /// Where it is made, as `file:line`.
    pub(crate) fn at(&self) -> String {
        at(self.at)
    }
}

/// A line of the source, as `file:line`.
pub(crate) fn at(at: At) -> String {
    format!("{}:{}", at.file(), at.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept on disk goes by it: another key is another store.
    #[test]
    fn keys_stay() {
        static FUNCTION: carry::Function =
            carry::Function::new("crate::f", "fn f ( a : u8 )", b"if\0(ia\0p:iu8\0)", &["a"]);
        let known = Known::new(&FUNCTION, "(u8, ()) u8 f", 2);
        let key = |arguments: &[&[u8]]| {
            let arguments: Vec<Vec<u8>> = arguments.iter().map(|one| one.to_vec()).collect();
            blake3::Hash::from_bytes(known.key(&arguments)).to_hex().to_string()
        };
        assert_eq!(key(&[&[1], &[2, 3]]), KEY);
        assert_ne!(key(&[&[1, 2], &[3]]), KEY);
        assert_ne!(key(&[&[1], &[2, 3], &[]]), KEY);
    }

    const KEY: &str = "3ae6f9e4e6bbb046d89b4fa3dcaeb333ccc07f06c9f1212c09c94f6003a8af2b";
}
