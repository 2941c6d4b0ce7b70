//! The messages of this backend: a length, a head in postcard, and the body as it is.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::seam::Lost;
use crate::wire::{self, CallId, FunctionId, Garbled, Hash, MOST_HEAD};

/// Where the body of an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Body {
    /// So many bytes of the message.
    Here(u64),
    /// In the object store, so many bytes under this name.
    Stored(Hash, u64),
}

/// A call on its way to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) version: u16,
    pub(super) call: wire::Call,
    /// It should run alone.
    pub(super) is_suspect: bool,
}

/// Outcomes that were ready at the same time, with their bodies one after the other.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) version: u16,
    pub(super) instance: u64,
    /// What the worker's clock showed, in microseconds.
    pub(super) sent: u64,
    pub(super) outcomes: Vec<DoneOne>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DoneOne {
    pub(super) id: CallId,
    pub(super) delivery: u32,
    pub(super) outcome: wire::Outcome,
    pub(super) body: Body,
    /// In which process it ran, and when.
    pub(super) ran: Option<(String, clock::Ran)>,
}

/// What a worker tells a driver of its calls. It may get lost; beats and the driver's own look at the stream make up
/// for that.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct News {
    pub(super) version: u16,
    pub(super) worker: String,
    /// Its process, and the name of its machine.
    pub(super) process: u32,
    pub(super) machine: String,
    pub(super) instance: u64,
    pub(super) of: Vec<(CallId, u32, Told)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// It is here, and about to begin. With the subject by which it is acknowledged, should the worker die.
    Claimed(String),
    /// It was not begun, and won't be here.
    Returned,
    /// It has ended with its process.
    Lost(Lost),
    /// It was not begun, as this large body is not in the object store.
    Missing(Hash),
}

/// What a worker says each second.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Beat {
    pub(super) hello: wire::Hello,
    /// The name of its machine.
    pub(super) machine: String,
    /// This run of the worker: another worker may have its name later.
    pub(super) instance: u64,
    /// What it has, and for how many milliseconds.
    pub(super) has: Vec<(CallId, u64)>,
    /// How many messages it could not read.
    pub(super) refused: u64,
    /// It goes, and this is its last beat.
    pub(super) is_last: bool,
}

/// What a driver says each second, and whenever something in it is new.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DriverBeat {
    pub(super) version: u16,
    pub(super) run: u64,
    /// Its functions with a limit.
    pub(super) limited: Vec<FunctionId>,
    /// Calls that nobody wants any more.
    pub(super) withdrawn: Vec<CallId>,
    pub(super) is_last: bool,
}

/// A message.
pub(super) fn pack(head: &impl Serialize, bodies: &[Bytes]) -> Bytes {
    let head = wire::encode(head);
    let body: usize = bodies.iter().map(Bytes::len).sum();
    let mut all = BytesMut::with_capacity(4 + head.len() + body);
    all.put_u32_le(head.len() as u32);
    all.put_slice(&head);
    bodies.iter().for_each(|body| all.put_slice(body));
    all.freeze()
}

/// A message, taken apart: all of its bytes are head or body.
pub(super) fn unpack<T: DeserializeOwned>(message: &Bytes) -> Result<(T, Bytes), Garbled> {
    let short =
        || Garbled::new(format!("a message of {} bytes, which is too short", message.len()));
    let (size, _) = message.split_first_chunk::<4>().ok_or_else(short)?;
    let size = u32::from_le_bytes(*size) as usize;
    if size > MOST_HEAD {
        return Err(Garbled::new(format!("a head of {size} bytes")));
    }
    let end = 4 + size;
    if message.len() < end {
        return Err(short());
    }
    let head = &message[4..end];
    // Each begins with it.
    wire::check_version(head)?;
    Ok((wire::decode(head)?, message.slice(end..)))
}

impl Done {
    /// Each outcome with its body, from the one body of the message.
    pub(super) fn apart(self, all: &Bytes) -> Result<Vec<(DoneOne, Option<Bytes>)>, Garbled> {
        let mut from = 0usize;
        let mut apart = Vec::with_capacity(self.outcomes.len());
        for one in self.outcomes {
            let body = match one.body {
                Body::Stored(..) => None,
                Body::Here(size) => {
                    let size = usize::try_from(size).ok();
                    let end = size.and_then(|size| from.checked_add(size));
                    let end = end.filter(|end| *end <= all.len()).ok_or_else(too_short)?;
                    let body = all.slice(from..end);
                    from = end;
                    Some(body)
                }
            };
            apart.push((one, body));
        }
        if from == all.len() { Ok(apart) } else { Err(too_short()) }
    }
}

fn too_short() -> Garbled {
    Garbled::new("outcomes of another size than was said".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done() -> Bytes {
        let one = |number, size| DoneOne {
            id: CallId { run: 7, number },
            delivery: 1,
            outcome: wire::Outcome::Value,
            body: Body::Here(size),
            ran: Some(("w-1".to_owned(), clock::Ran { began: 1, ended: 2 })),
        };
        let head = Done {
            version: wire::VERSION,
            instance: 1,
            sent: 3,
            outcomes: vec![one(1, 3), one(2, 0), one(3, 2)],
        };
        pack(&head, &[Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"de")])
    }

    #[test]
    fn outcomes_come_apart_as_they_were_packed() {
        let (head, body) = unpack::<Done>(&done()).unwrap();
        let bodies: Vec<_> =
            head.apart(&body).unwrap().into_iter().map(|(_, body)| body.unwrap()).collect();
        assert_eq!(bodies, [&b"abc"[..], b"", b"de"]);
    }

    #[test]
    fn garbled_messages_are_refused_and_never_a_panic() {
        let good = done();
        // Cut anywhere, and with any byte changed: refused, or read as something else, but never more than is there.
        for end in 0..good.len() {
            let cut = unpack::<Done>(&good.slice(..end)).and_then(|(head, body)| head.apart(&body));
            assert!(cut.is_err(), "{end}");
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.to_vec();
                bytes[at] ^= 1 << bit;
                let read = unpack::<Done>(&bytes.into()).and_then(|(head, body)| head.apart(&body));
                let size: usize =
                    read.iter().flatten().flat_map(|(_, body)| body).map(Bytes::len).sum();
                assert!(size <= good.len());
            }
        }
    }
}
