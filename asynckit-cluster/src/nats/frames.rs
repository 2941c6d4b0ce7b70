//! The messages of this backend: a length, a head in postcard, and the body as it is.

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::seam::{Alone, Lost};
use crate::wire::{self, CallId, FunctionId, Garbled, Hash, MOST_HEAD};

/// Where the body of an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Body {
    /// So many bytes of the message.
    Here(u64),
    /// By itself, so many bytes under this name.
    Stored(Hash, u64),
}

/// A call on its way to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CallFrame {
    pub(super) version: u16,
    pub(super) call: wire::Call,
    pub(super) alone: Alone,
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
    pub(super) ran: Option<(String, clock::RanWhen)>,
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
    /// It is here, and about to begin. With the subject by which it is acknowledged, should the worker die; and whether
    /// nothing else runs in all of the worker as long as it is there.
    Claimed(String, bool),
    /// It was not begun, and won't be here.
    Returned,
    /// It has ended with its process.
    Lost(Lost),
    /// It was not begun, as this large body is not there.
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
    /// What it has: which delivery of each call.
    pub(super) has: Vec<(CallId, u32)>,
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
            ran: Some(("w-1".to_owned(), clock::RanWhen { began: 1, ended: 2 })),
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

    /// Reads a message, and says how much was in it: how many bytes of bodies, or entries of a list.
    type Read = fn(&Bytes) -> Result<usize, Garbled>;

    /// One of each kind.
    fn all() -> Vec<(Bytes, Read)> {
        let id = CallId { run: 7, number: 300 };
        let hello = wire::Hello {
            version: wire::VERSION,
            name: "w".to_owned(),
            process: 4,
            threads: 2,
            build: "0123456789abcdef".to_owned(),
        };
        let machine = || "here".to_owned();
        let lost = Lost { worker: machine(), words: machine(), blame: crate::seam::Blame::Its };
        let told = [
            Told::Claimed("$JS.ACK.x".to_owned(), true),
            Told::Returned,
            Told::Lost(lost),
            Told::Missing([3; 32]),
        ];
        let news = News {
            version: wire::VERSION,
            worker: machine(),
            process: 3,
            machine: machine(),
            instance: 4,
            of: told.into_iter().map(|told| (id, 2, told)).collect(),
        };
        let beat = Beat {
            hello,
            machine: machine(),
            instance: u64::MAX,
            has: vec![(id, 1), (id, u32::MAX)],
            refused: 1,
            is_last: false,
        };
        let function = wire::decode(&[7; 16]).unwrap();
        let driver = DriverBeat {
            version: wire::VERSION,
            run: 7,
            limited: vec![function],
            withdrawn: vec![id, id],
            is_last: true,
        };
        let parts = vec![wire::Part::Here(3), wire::Part::Large([1; 32], 9)];
        let (site, trace) = ("a.rs:1".to_owned(), Some("00-x".to_owned()));
        let call = wire::Call { id, delivery: 1, function, site, deadline: Some(5), trace, parts };
        let call = CallFrame { version: wire::VERSION, call, alone: Alone::InWorker };
        let body = [Bytes::from_static(b"abc")];
        vec![
            (done(), |bytes| {
                let (head, body) = unpack::<Done>(bytes)?;
                let apart = head.apart(&body)?;
                Ok(apart.iter().flat_map(|(_, body)| body).map(Bytes::len).sum())
            }),
            (pack(&news, &[]), |bytes| Ok(unpack::<News>(bytes)?.0.of.len())),
            (pack(&beat, &[]), |bytes| Ok(unpack::<Beat>(bytes)?.0.has.len())),
            (pack(&driver, &[]), |bytes| Ok(unpack::<DriverBeat>(bytes)?.0.withdrawn.len())),
            (pack(&call, &body), |bytes| {
                let (head, body) = unpack::<CallFrame>(bytes)?;
                let large = |_: &Hash| Some(Bytes::from_static(b"123456789"));
                let arguments = head.call.arguments(&body, large)?;
                Ok(arguments.iter().map(Bytes::len).sum::<usize>() - 9)
            }),
        ]
    }

    #[test]
    fn garbled_messages_are_refused_and_never_a_panic() {
        for (good, read) in all() {
            assert!(read(&good).is_ok_and(|there| there > 0));
            // Cut anywhere, and with any byte changed: refused, or read as something else, but never more than is there.
            for end in 0..good.len() {
                assert!(read(&good.slice(..end)).is_err(), "{end}");
            }
            for at in 0..good.len() {
                for bit in 0..8 {
                    let mut bytes = good.to_vec();
                    bytes[at] ^= 1 << bit;
                    assert!(read(&bytes.into()).unwrap_or_default() <= good.len());
                }
            }
        }
    }

    /// A worker of an older build speaks to all.
    #[test]
    fn what_is_of_another_version_is_known_by_that() {
        for (good, read) in all() {
            let mut bytes = good.to_vec();
            bytes[4] = 1;
            assert!(read(&bytes.into()).is_err_and(|garbled| garbled.is_foreign));
        }
    }
}
