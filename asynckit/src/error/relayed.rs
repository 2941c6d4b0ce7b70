//! Failures that were told from elsewhere: another process, another machine. All that is left of them is text.

use std::collections::HashMap;
use std::fmt;

use super::path::{Hop, Path};
use super::report::{BoxError, Cause, Error, Hook, Original};
use super::{ErrorKind, causes};
use crate::sync::{Mutex, lock};

/// What is to be told of a failure, so that it is the same elsewhere: its parts, as text.
///
/// ```
/// use asynckit::carry::Failure;
/// use asynckit::{ErrorKind, try_work};
///
/// let error = try_work(|| "x".parse::<u8>()).run().unwrap_err();
/// let failure = Failure::of(&error);
/// assert_eq!((failure.kind, failure.text.as_str()), (ErrorKind::Failed, "invalid digit found in string"));
/// assert!(failure.path.starts_with("closure ("));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What the work returned or panicked with; of other kinds, what follows the work's name.
    pub text: String,
    /// What has caused that, one after the other.
    pub sources: Vec<String>,
    /// The work that failed first, as `module::function`. Empty: the call that it is the answer to.
    pub origin: String,
    /// The way from there to the call that it is the answer to, as `{:#}` prints it. Empty: there is none.
    pub path: String,
    /// Where it panicked, as `file:line`, as far as that is known.
    pub place: String,
    /// How often the work was tried.
    pub tries: u32,
    /// What the work returned, where that has travelled as it is.
    pub cause: Option<BoxError>,
}

impl Failure {
    /// A failure of this kind, with these words and nothing else.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Failure {
        Failure {
            kind,
            text: text.into(),
            sources: Vec::new(),
            origin: String::new(),
            path: String::new(),
            place: String::new(),
            tries: 1,
            cause: None,
        }
    }

    /// What is to be told of this error. That counts as having seen it.
    pub fn of(error: &Error) -> Failure {
        error.observe();
        let (original, cause) = (&error.0.original, error.0.original.cause.error());
        let chain = cause.into_iter().flat_map(causes::chain);
        Failure {
            kind: original.kind,
            text: original.cause.to_string(),
            sources: chain.skip(1).map(ToString::to_string).collect(),
            origin: error.origin().to_owned(),
            path: error.0.path.to_string(),
            place: original.cause.panicked_at().unwrap_or_default().to_owned(),
            tries: error.0.tries,
            cause: None,
        }
    }
}

impl Error {
    /// The failure of a call that was carried out elsewhere.
    pub(crate) fn relayed(call: Hop, failure: Failure, hook: Option<Hook>) -> Error {
        let Failure { kind, text, sources, origin, path, place, tries, cause } = failure;
        let name =
            if origin.is_empty() || origin == *call.name { call.name } else { kept(&origin) };
        let cause = match kind {
            ErrorKind::Failed => Cause::Failure(cause.unwrap_or_else(|| {
                let source = sources
                    .into_iter()
                    .rev()
                    .fold(None, |source, text| Some(Box::new(ToldError { text, source })));
                Box::new(ToldError { text, source })
            })),
            ErrorKind::Panicked => Cause::Panic {
                payload: Mutex::new(Some(Box::new(text.clone()))),
                message: text,
                at: Some(place).filter(|place| !place.is_empty()),
            },
            _ => Cause::Words(text),
        };
        let path = if path.is_empty() { Path::from(call) } else { Path::told(path) };
        Error::from_original(Original::new(kind, Hop { name, ..call }, cause, hook), path, tries)
    }
}

/// An error of which only the text is left.
#[derive(Debug)]
struct ToldError {
    text: String,
    source: Option<Box<ToldError>>,
}

impl fmt::Display for ToldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ToldError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The most names of functions that are kept: those of a program, and not what somebody makes up.
const MOST: usize = 10_000;

/// A name for as long as the program runs, as errors hand it out.
fn kept(name: &str) -> &'static &'static str {
    static NAMES: Mutex<Option<HashMap<&'static str, &'static &'static str>>> = Mutex::new(None);
    let mut names = lock(&NAMES);
    let names = names.get_or_insert_default();
    if let Some(kept) = names.get(name) {
        return kept;
    }
    if names.len() >= MOST {
        return &"elsewhere";
    }
    let text: &'static str = String::leak(name.to_owned());
    let kept: &'static &'static str = Box::leak(Box::new(text));
    names.insert(text, kept);
    kept
}
