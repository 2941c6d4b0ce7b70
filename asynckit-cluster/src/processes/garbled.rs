//! What comes over the pipes of a process and is none of what goes over them: tests.

use bytes::Bytes;

use super::messages::{FromWorker, ProcessSettings, ToWorker, decode};
use super::pipe::{Frame, read};
use crate::clock::RanWhen;
use crate::garble::{Draw, beginnings, mixed, turned, with_little_memory};
use crate::wire::{self, Call, CallId, Failed, Hash, Hello, Kind, MOST_HEAD, Outcome, Part, STEP};

const ID: CallId = CallId { run: 0x0123_4567_89ab_cdef, number: 300 };

/// One of each kind that goes to a process, and its body.
fn to_worker() -> Vec<(ToWorker, Vec<Bytes>)> {
    let settings = ProcessSettings {
        version: wire::VERSION,
        name: "worker-1".to_owned(),
        threads: 3,
        memory: Some(2 << 30),
        alive: 2_500,
    };
    let call = Call {
        id: ID,
        delivery: 2,
        function: wire::decode(&[7; 16]).unwrap(),
        site: "src/main.rs:3".to_owned(),
        deadline: Some(1_800_000_000_000),
        trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        parts: vec![Part::Here(3), Part::Large([1; 32], 9), Part::Here(2)],
    };
    let body = |text| vec![Bytes::from_static(text)];
    vec![
        (ToWorker::Be(settings), Vec::new()),
        (ToWorker::Large([1; 32]), body(b"123456789")),
        (ToWorker::Call(call), body(b"abcde")),
        (ToWorker::Cancel(ID), Vec::new()),
        (ToWorker::GiveBack(ID), Vec::new()),
    ]
}

/// One of each kind that comes from there.
fn from_worker() -> Vec<(FromWorker, Vec<Bytes>)> {
    let hello = Hello {
        version: wire::VERSION,
        name: "worker-1".to_owned(),
        process: 4711,
        threads: 3,
        build: String::new(),
    };
    let mut failed = Failed::new(Kind::Panicked, "no such film".to_owned());
    failed.sources = vec!["file not found".to_owned(), "disk gone".to_owned()];
    let ran = RanWhen { began: 1_000, ended: 70_000 };
    let body = |text| vec![Bytes::from_static(text)];
    vec![
        (FromWorker::Hello(hello), Vec::new()),
        (FromWorker::Finished(ID, Outcome::Value, ran), body(b"value")),
        (FromWorker::Finished(ID, Outcome::Failed(failed), ran), body(b"typed")),
        (FromWorker::Early(ID, Outcome::Refused("why".to_owned())), Vec::new()),
        (FromWorker::Over(ID), Vec::new()),
        (FromWorker::GivenBack(ID), Vec::new()),
        (FromWorker::Alive, Vec::new()),
    ]
}

/// All that goes one way, as bytes; and how long each frame is.
fn stream(frames: Vec<Frame>) -> Vec<Vec<u8>> {
    frames.iter().map(Frame::to_bytes).collect()
}

fn streams() -> [Vec<Vec<u8>>; 2] {
    let to = to_worker().into_iter().map(|(message, body)| Frame::new(&message, body));
    let from = from_worker().into_iter().map(|(message, body)| Frame::new(&message, body));
    [stream(to.collect()), stream(from.collect())]
}

/// What either side does with what comes: how many frames it takes, and whether it refuses one. None may have more in it
/// than has come.
fn taken(bytes: &[u8]) -> (usize, bool) {
    let mut all = [0, 1].map(|side| {
        let (mut rest, mut frames) = (bytes, 0);
        loop {
            let before = rest.len();
            let (head, body) = match read(&mut rest) {
                Ok(Some(frame)) => frame,
                Ok(None) => return (frames, false),
                Err(_) => return (frames, true),
            };
            assert!(head.len() <= MOST_HEAD && 12 + head.len() + body.len() == before - rest.len());
            let is_taken = match side {
                0 => decode::<ToWorker>(&head).is_ok_and(|message| has_arguments(&message, &body)),
                _ => decode::<FromWorker>(&head).is_ok(),
            };
            if !is_taken {
                return (frames, true);
            }
            frames += 1;
        }
    });
    all.sort_unstable();
    all[1]
}

/// As the process does it: the arguments are taken out of the body, and from what came before.
fn has_arguments(message: &ToWorker, body: &Bytes) -> bool {
    let ToWorker::Call(call) = message else { return true };
    let large = |_: &Hash| Some(Bytes::from_static(b"123456789"));
    let Ok(arguments) = call.arguments(body, large) else { return false };
    assert_eq!(arguments.len(), call.parts.len());
    let large = call.parts.iter().filter(|part| matches!(part, Part::Large(..))).count();
    assert_eq!(arguments.iter().map(Bytes::len).sum::<usize>(), body.len() + 9 * large);
    true
}

/// Cut anywhere, with any bit turned over, with some bytes replaced, and by chance: each is refused or read as something
/// else, and nothing is reserved for what has not come but a step.
#[test]
fn garbled_frames_are_refused_without_a_panic_or_much_memory() {
    let test = "processes::garbled::garbled_frames_are_refused_without_a_panic_or_much_memory";
    with_little_memory(test, STEP + (8 << 20), || {
        let mut draw = Draw(4);
        for frames in streams() {
            let (all, good) = (frames.len(), frames.concat());
            assert_eq!(taken(&good), (all, false));
            let mut ends: Vec<usize> = Vec::new();
            frames.iter().for_each(|frame| ends.push(ends.last().unwrap_or(&0) + frame.len()));
            for beginning in beginnings(&good) {
                let whole = ends.iter().filter(|end| **end <= beginning.len()).count();
                let is_cut = !beginning.is_empty() && !ends.contains(&beginning.len());
                assert_eq!(taken(beginning), (whole, is_cut), "of {} bytes", beginning.len());
            }
            let mut refused = 0;
            for bytes in turned(&good) {
                refused += usize::from(taken(&bytes).1);
            }
            // (A name may be another one, and so may a number.)
            assert!(refused > good.len(), "{refused} of {}", 8 * good.len());
            for _ in 0..10_000 {
                taken(&mixed(&good, &mut draw));
            }
        }
        for _ in 0..20_000 {
            let n = draw.below(100);
            let mut bytes = draw.bytes(n);
            // Also such as have lengths that may be.
            if draw.below(2) == 0 && n > 12 {
                let (head, body) = (draw.below(n - 12) as u32, draw.below(n) as u64);
                bytes[..4].copy_from_slice(&head.to_le_bytes());
                bytes[4..12].copy_from_slice(&body.to_le_bytes());
            }
            taken(&bytes);
        }
    });
}

/// A head that has come as a whole, and says of itself what is not so: lists, texts and numbers without an end.
#[test]
fn garbled_messages_are_refused_without_a_panic_or_much_memory() {
    let test = "processes::garbled::garbled_messages_are_refused_without_a_panic_or_much_memory";
    with_little_memory(test, 4 << 20, || {
        let mut draw = Draw(5);
        let to = to_worker().into_iter().map(|(message, _)| wire::encode(&message));
        let from = from_worker().into_iter().map(|(message, _)| wire::encode(&message));
        for good in to.chain(from) {
            let both = |bytes: &[u8]| {
                [decode::<ToWorker>(bytes).is_ok(), decode::<FromWorker>(bytes).is_ok()]
            };
            assert!(both(&good).contains(&true));
            for beginning in beginnings(&good) {
                // (What is short may be another one, of the other side.)
                assert!(both(beginning).contains(&false), "of {} bytes", beginning.len());
            }
            for bytes in turned(&good) {
                both(&bytes);
            }
            // A length in each place that has no end, or is that of all memory.
            for at in 0..good.len() {
                for length in [&[0xff; 9][..], &[0x80, 0x80, 0x80, 0x80, 0x04]] {
                    both(&[&good[..at], length, &good[at..]].concat());
                    both(&[&good[..at], length, &good[at + 1..]].concat());
                }
            }
            for _ in 0..5_000 {
                both(&mixed(&good, &mut draw));
            }
        }
        for _ in 0..50_000 {
            let n = draw.below(80);
            let mut bytes = draw.bytes(n);
            // Of a kind that there is.
            if let Some(first) = bytes.first_mut() {
                *first %= 8;
            }
            let _ = (decode::<ToWorker>(&bytes), decode::<FromWorker>(&bytes));
        }
        assert!(decode::<ToWorker>(&vec![1; MOST_HEAD + 1]).is_err());
    });
}
