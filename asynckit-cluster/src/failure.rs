//! Failures on their way: what is told of an error, and the same failure again.

use std::error::Error as StdError;
use std::fmt;

use asynckit::carry::Failure;
use asynckit::{Error, ErrorKind};
use bytes::Bytes;

use crate::attribute::Typed;
use crate::wire::{Failed, Kind};

/// The longest text of a failure; what is longer is cut.
const MOST_TEXT: usize = 16 << 10;

/// The most causes of a failure, and the most bytes of all of them.
const MOST_SOURCES: usize = 32;
const MOST_OF_SOURCES: usize = 128 << 10;

/// An error that a function has returned in another process: its text, and those of its sources.
///
/// ```
/// # use asynckit::{async_work, chain};
/// # use asynckit_cluster::{Cluster, RemoteError};
/// #[async_work(remote)]
/// fn parse(text: &str) -> Result<u8, std::num::ParseIntError> { text.parse() }
///
/// # fn program() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = Cluster::processes(1)?;
/// let error = parse("x").spawn_on(&cluster).get().unwrap_err();
/// let remote: &RemoteError = error.downcast_ref().unwrap();
/// assert_eq!(remote.to_string(), "invalid digit found in string");
/// # Ok(()) }
/// ```
///
/// With `remote(error)` an error that serializes travels as it is instead.
#[derive(Debug)]
pub struct RemoteError {
    text: String,
    source: Option<Box<RemoteError>>,
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for RemoteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

const KINDS: [(Kind, ErrorKind); 8] = [
    (Kind::Failed, ErrorKind::Failed),
    (Kind::Panicked, ErrorKind::Panicked),
    (Kind::Cancelled, ErrorKind::Cancelled),
    (Kind::TimedOut, ErrorKind::TimedOut),
    (Kind::Stopped, ErrorKind::Stopped),
    (Kind::Abandoned, ErrorKind::Abandoned),
    (Kind::Deadlock, ErrorKind::Deadlock),
    (Kind::Lost, ErrorKind::Lost),
];

/// What a worker tells of the failure of a call, and the error itself where that travels.
pub(crate) fn tell(error: &Error, function: &str, typed: Option<&Typed>) -> (Failed, Bytes) {
    let body = typed.and_then(|typed| (typed.encode)(error));
    let failure = Failure::of(error);
    let kind = KINDS.iter().find(|(_, kind)| *kind == failure.kind);
    let failed = Failed {
        kind: kind.map_or(Kind::Failed, |(kind, _)| *kind),
        text: failure.text,
        sources: failure.sources,
        is_typed: body.is_some(),
        // Its own failure is that of the call, which the driver knows by its place.
        path: if failure.origin == function { String::new() } else { failure.path },
        origin: failure.origin,
        place: failure.place,
        tries: failure.tries,
    };
    (failed.cut(), body.map_or_else(Bytes::new, Bytes::from))
}

/// The failure again.
pub(crate) fn again(failed: Failed, body: &[u8], typed: Option<&Typed>) -> Failure {
    let kind = KINDS.iter().find(|(kind, _)| *kind == failed.kind);
    let kind = kind.map_or(ErrorKind::Failed, |(_, kind)| *kind);
    let typed = typed.filter(|_| failed.is_typed).and_then(|typed| (typed.decode)(body).ok());
    let mut failure = Failure::new(kind, failed.text.clone());
    failure.cause = (kind == ErrorKind::Failed).then(|| {
        typed.unwrap_or_else(|| {
            let sources = failed.sources.iter().rev();
            let source = sources.fold(None, |source, text| {
                Some(Box::new(RemoteError { text: text.clone(), source }))
            });
            Box::new(RemoteError { text: failed.text, source })
        })
    });
    failure.sources = failed.sources;
    failure.origin = failed.origin;
    failure.path = failed.path;
    failure.place = failed.place;
    failure.tries = failed.tries;
    failure
}

impl Failed {
    /// Cut to a size that can travel: it is in a head, which leaves no room for a body otherwise.
    fn cut(mut self) -> Failed {
        self.sources.truncate(MOST_SOURCES);
        let texts = [&mut self.text, &mut self.origin, &mut self.path, &mut self.place];
        texts.into_iter().chain(&mut self.sources).for_each(cut);
        let mut all = 0;
        self.sources.retain(|source| {
            all += source.len();
            all <= MOST_OF_SOURCES
        });
        self
    }
}

/// Cuts a text to the most that travels.
fn cut(text: &mut String) {
    if text.len() > MOST_TEXT {
        let end = (0..=MOST_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" ..");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{LARGE, Outcome, decode, encode};

    #[test]
    fn a_failure_is_cut_to_what_can_travel() {
        let long = "\u{e4}".repeat(MOST_TEXT);
        let sources = vec![long.clone(); 100];
        let failed = Failed { sources, ..Failed::new(Kind::Failed, long) };
        let bytes = encode(&Outcome::Failed(failed.cut()));
        assert!(bytes.len() < LARGE / 2, "{}", bytes.len());
        let Outcome::Failed(failed) = decode::<Outcome>(&bytes).unwrap() else { unreachable!() };
        // The first of them say most.
        assert!((7..MOST_SOURCES).contains(&failed.sources.len()), "{}", failed.sources.len());
    }
}
