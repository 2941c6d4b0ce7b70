//! What travels between a driver and its workers, whatever carries it.
//!
//! A message is a *head*, in postcard, and a *body*, the bytes of arguments or of a value as they are: these are never
//! copied into the head, nor read one by one. What is read comes from outside: its size is bounded before anything is
//! allocated for it, and what is garbled is an error, never a panic.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Of which kind messages are: a program of another kind is not understood.
pub(crate) const VERSION: u16 = 2;

/// The longest head.
pub(crate) const MOST_HEAD: usize = 1 << 20;

/// The longest body.
pub(crate) const MOST_BODY: u64 = 16 << 30;

/// So much is allocated for a body at once; for more only as it comes.
#[cfg_attr(not(unix), allow(dead_code))]
pub(crate) const STEP: u64 = 64 << 20;

/// From which size on an argument goes by its contents, once.
pub(crate) const LARGE: usize = 512 << 10;

/// The most arguments.
const MOST_PARTS: usize = 1 << 10;

/// One call, however often it is delivered: what a function can use to do a thing once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId {
    /// The run of the program that made it, by chance.
    pub(crate) run: u64,
    pub(crate) number: u64,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}", self.run, self.number)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// By what a function is known: a hash of its path and signature.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FunctionId([u8; 16]);

impl FunctionId {
    pub(crate) fn of(function: &asynckit::carry::Function) -> FunctionId {
        let mut hash = blake3::Hasher::new();
        hash.update(function.path().as_bytes()).update(&[0]);
        hash.update(function.signature().as_bytes());
        let mut id = [0; 16];
        hash.finalize_xof().fill(&mut id);
        FunctionId(id)
    }
}

impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The contents of a large argument, by their hash.
pub(crate) type Hash = [u8; 32];

/// An argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// So many bytes of the body.
    Here(u64),
    /// So many bytes, which are sent by themselves.
    Large(Hash, u64),
}

/// The head of a call. Its body is the parts that are [`Part::Here`], one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// The first, the second, ..
    pub(crate) delivery: u32,
    pub(crate) function: FunctionId,
    /// Where it is called, as `file:line`.
    pub(crate) site: String,
    /// When nobody wants it any more, in milliseconds since 1970.
    pub(crate) deadline: Option<u64>,
    /// `traceparent`.
    pub(crate) trace: Option<String>,
    pub(crate) parts: Vec<Part>,
}

/// The head of an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// A value: the body.
    Value,
    /// A failure. The body is the error itself, where the function sends that typed.
    Failed(Failed),
    /// The worker could not do anything with the call, for this reason.
    Refused(String),
}

/// What is told of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) sources: Vec<String>,
    pub(crate) origin: String,
    pub(crate) path: String,
    /// Where it panicked.
    pub(crate) place: String,
    pub(crate) tries: u32,
    pub(crate) is_typed: bool,
}

/// The kinds of failures, as they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Failed,
    Panicked,
    Cancelled,
    TimedOut,
    Stopped,
    Abandoned,
    Deadlock,
    Lost,
}

/// What a worker says of itself first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u16,
    pub(crate) name: String,
    pub(crate) process: u32,
    /// How many calls it runs at once.
    pub(crate) threads: u32,
    /// The hash of its program, where that may be another one.
    pub(crate) build: String,
}

/// What came from outside and is none of ours.
#[derive(Debug)]
pub(crate) struct Garbled {
    words: String,
    /// It is another program's, which speaks otherwise.
    pub(crate) is_foreign: bool,
}

impl Garbled {
    pub(crate) fn new(words: String) -> Garbled {
        Garbled { words, is_foreign: false }
    }

    /// What a program says to which messages are something else.
    fn of_version(version: u16) -> Garbled {
        let words = format!(
            "it is of version {version} of the protocol, and this program speaks {VERSION}: start drivers and workers \
             from the same build of your program"
        );
        Garbled { words, is_foreign: true }
    }
}

/// What kind of messages another program speaks, by a message's head: all of them begin with that.
///
/// # Errors
///
/// Where it isn't ours.
pub(crate) fn check_version(head: &[u8]) -> Result<(), Garbled> {
    match postcard::take_from_bytes::<u16>(head) {
        Ok((VERSION, _)) => Ok(()),
        Ok((other, _)) => Err(Garbled::of_version(other)),
        Err(error) => Err(Garbled::new(error.to_string())),
    }
}

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message that can't be read: {}", self.words)
    }
}

impl std::error::Error for Garbled {}

/// How long a head is as bytes.
#[cfg(feature = "nats")]
pub(crate) fn size(head: &impl Serialize) -> usize {
    postcard::experimental::serialized_size(head).unwrap_or_default()
}

/// A head as bytes.
#[cfg_attr(not(feature = "nats"), allow(dead_code))]
pub(crate) fn encode(head: &impl Serialize) -> Vec<u8> {
    // Nothing in our heads can fail to be encoded.
    postcard::to_stdvec(head).unwrap_or_default()
}

/// A head again: all of the bytes, and nothing more.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Garbled> {
    if bytes.len() > MOST_HEAD {
        return Err(Garbled::new(format!("a head of {} bytes", bytes.len())));
    }
    whole(bytes).map_err(|error| Garbled::new(error.to_string()))
}

/// Something again: of all of the bytes.
pub(crate) fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, asynckit::BoxError> {
    match postcard::take_from_bytes(bytes).map_err(told)? {
        (whole, []) => Ok(whole),
        (_, rest) => Err(format!("{} bytes too many", rest.len()).into()),
    }
}

/// What is wrong, and what to do where it is the type: that compiles, and only fails here.
pub(crate) fn told(error: postcard::Error) -> asynckit::BoxError {
    use postcard::Error::{NotYetImplemented, SerializeSeqLengthUnknown, WontImplement};
    match error {
        WontImplement | NotYetImplemented | SerializeSeqLengthUnknown => UNTOLD.into(),
        error => error.into(),
    }
}

/// Bytes that travel don't tell what they are.
const UNTOLD: &str = "its type can't travel, as it has to be told by the data what comes next (as with \
    `serde(untagged)`, `serde(tag = ..)`, `serde(flatten)` or `serde_json::Value`): send a type without that, or a \
    `String` of JSON";

impl Call {
    /// How long the body should be.
    pub(crate) fn body_size(&self) -> Option<u64> {
        self.parts.iter().try_fold(0u64, |all, part| match part {
            Part::Here(size) => all.checked_add(*size),
            Part::Large(..) => Some(all),
        })
    }

    /// Its arguments, from the body and from what was sent by itself.
    pub(crate) fn arguments(
        &self,
        body: &Bytes,
        large: impl Fn(&Hash) -> Option<Bytes>,
    ) -> Result<Vec<Bytes>, Garbled> {
        if self.parts.len() > MOST_PARTS || self.body_size() != Some(body.len() as u64) {
            return Err(Garbled::new("arguments of another size than was said".to_owned()));
        }
        let mut from = 0;
        let part = |part: &Part| match part {
            Part::Here(size) => {
                let begin = from;
                from += *size as usize;
                Ok(body.slice(begin..from))
            }
            Part::Large(hash, size) => large(hash)
                .filter(|bytes| bytes.len() as u64 == *size)
                .ok_or_else(|| Garbled::new("a large argument that was not sent".to_owned())),
        };
        self.parts.iter().map(part).collect()
    }
}

impl Failed {
    /// One without a cause.
    pub(crate) fn new(kind: Kind, text: String) -> Failed {
        let (sources, origin, path, place) = Default::default();
        Failed { kind, text, sources, origin, path, place, tries: 1, is_typed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garble::Draw;

    fn call(draw: &mut Draw) -> Call {
        let part = |draw: &mut Draw| match draw.below(2) {
            0 => Part::Here(draw.below(20) as u64),
            _ => Part::Large([draw.next() as u8; 32], draw.below(20) as u64),
        };
        Call {
            id: CallId { run: draw.next(), number: draw.next() },
            delivery: draw.next() as u32,
            function: FunctionId([draw.next() as u8; 16]),
            site: "src/main.rs:3".to_owned(),
            deadline: (draw.below(2) == 0).then(|| draw.next()),
            trace: None,
            parts: (0..draw.below(5)).map(|_| part(draw)).collect(),
        }
    }

    #[test]
    fn what_is_sent_comes_again() {
        let mut draw = Draw(1);
        for _ in 0..1_000 {
            let call = call(&mut draw);
            assert_eq!(decode::<Call>(&encode(&call)).unwrap(), call);
        }
    }

    #[test]
    fn what_is_garbled_is_refused_and_never_a_panic() {
        let mut draw = Draw(2);
        let mut refused = 0;
        for _ in 0..20_000 {
            let mut bytes = encode(&call(&mut draw));
            match draw.below(4) {
                0 => bytes.truncate(draw.below(bytes.len())),
                1 => bytes.extend(draw.bytes(1)),
                2 => bytes = draw.bytes(60),
                _ => {
                    let at = draw.below(bytes.len());
                    bytes[at] = draw.next() as u8;
                }
            }
            let n = draw.below(40);
            let body = Bytes::from(draw.bytes(n));
            match decode::<Call>(&bytes) {
                Err(_) => refused += 1,
                Ok(call) => {
                    let large = |_: &Hash| Some(Bytes::from_static(b"0123456789"));
                    if let Ok(arguments) = call.arguments(&body, large) {
                        assert_eq!(arguments.len(), call.parts.len());
                    }
                }
            }
            // Whatever it is, it is not read as something else by chance and then a panic.
            let _ = decode::<Outcome>(&bytes);
            let _ = decode::<Hello>(&bytes);
        }
        assert!(refused > 5_000, "{refused}");
    }

    #[test]
    fn sizes_that_nobody_has_are_refused() {
        let mut call = call(&mut Draw(3));
        call.parts = vec![Part::Here(u64::MAX), Part::Here(2)];
        assert!(call.arguments(&Bytes::from_static(b"a"), |_| None).is_err());
        call.parts = vec![Part::Here(u64::MAX)];
        assert!(call.arguments(&Bytes::from_static(b"a"), |_| None).is_err());
        // A list of so many parts, of which none is there.
        let mut bytes = encode(&call);
        bytes.pop();
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0x7f]);
        assert!(decode::<Call>(&bytes).is_err());
        assert!(decode::<Call>(&vec![0; MOST_HEAD + 1]).is_err());
    }
}
