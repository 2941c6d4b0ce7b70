//! What the driver and a process of it tell each other, besides calls and outcomes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::RanWhen;
use crate::wire::{self, Call, CallId, Garbled, Hash, Hello, Outcome};

/// How much of large arguments a process keeps, for calls to come. Both sides count alike.
pub(super) const KEEPS: u64 = 256 << 20;

/// A message. The first one of either side begins with its version, whatever else comes after it.
///
/// # Errors
///
/// Where it can't be read, or is another program's.
pub(super) fn decode<T: DeserializeOwned>(head: &[u8]) -> Result<T, Garbled> {
    if let [FIRST, rest @ ..] = head {
        wire::check_version(rest)?;
    }
    wire::decode(head)
}

/// How the first message of either side begins.
const FIRST: u8 = 0;

/// To a process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToWorker {
    /// First: what it is to be.
    Be(ProcessSettings),
    /// A large argument that a call to come needs: the body.
    Large(Hash),
    /// A call.
    Call(Call),
    /// Give it up.
    Cancel(CallId),
    /// Give it back, if it has not begun: another one has time for it.
    GiveBack(CallId),
}

/// What a process is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ProcessSettings {
    /// Of which kind messages are.
    pub(super) version: u16,
    pub(super) name: String,
    pub(super) threads: u32,
    /// How much memory it may take, unless the function says.
    pub(super) memory: Option<u64>,
    /// How often it shows a sign of life while it runs calls, in milliseconds.
    pub(super) alive: u64,
}

/// From a process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromWorker {
    Hello(Hello),
    /// The outcome of a call, whose code has ended.
    Finished(CallId, Outcome, RanWhen),
    /// The outcome of a call, whose code still runs.
    Early(CallId, Outcome),
    /// The code of a call has ended, of which the outcome was told; or it was given up before it began.
    Over(CallId),
    /// It had not begun, and will not.
    GivenBack(CallId),
    /// A sign of life.
    Alive,
}

/// Which large arguments a process has: the same on both sides, as both go by the order of the frames.
#[derive(Default)]
pub(super) struct Kept<T> {
    /// Those that were used last come last.
    all: Vec<(Hash, u64, T)>,
    size: u64,
}

impl<T> Kept<T> {
    pub(super) fn new() -> Kept<T> {
        Kept { all: Vec::new(), size: 0 }
    }

    /// Uses one, if it is there.
    pub(super) fn touch(&mut self, hash: &Hash) -> Option<&T> {
        let at = self.all.iter().position(|(other, ..)| other == hash)?;
        let used = self.all.remove(at);
        self.all.push(used);
        self.all.last().map(|(.., kept)| kept)
    }

    /// Adds one.
    pub(super) fn add(&mut self, hash: Hash, size: u64, kept: T) {
        self.all.push((hash, size, kept));
        self.size += size;
    }

    /// After a call: those that were not used for the longest time go.
    pub(super) fn trim(&mut self) {
        while self.size > KEEPS && self.all.len() > 1 {
            let (_, size, _) = self.all.remove(0);
            self.size -= size;
        }
    }
}
