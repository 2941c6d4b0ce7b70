//! What is being encoded or decoded on this thread, and for whom: files count by their contents in a key, and have
//! to be there, unchanged, in a value.

use std::cell::RefCell;
use std::sync::Arc;

use asynckit::BoxError;

use crate::stamp::{Seen, Stamps};

/// Why something is encoded or decoded.
enum Purpose {
    /// As an argument of a key. The files that were looked at are noted, and why one could not be, as the encoding has
    /// no words of its own.
    Key { stamps: Arc<Stamps>, seen: Vec<Seen>, trouble: Option<String> },
    /// As a value.
    Value,
}

thread_local! {
    static PURPOSE: RefCell<Vec<Purpose>> = const { RefCell::new(Vec::new()) };
}

/// Ends a purpose, whatever comes.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        PURPOSE.with(|all| all.borrow_mut().pop());
    }
}

fn with<R>(purpose: Purpose, f: impl FnOnce() -> R) -> (R, Option<Purpose>) {
    PURPOSE.with(|all| all.borrow_mut().push(purpose));
    let end = End;
    let result = f();
    std::mem::forget(end);
    (result, PURPOSE.with(|all| all.borrow_mut().pop()))
}

/// Encodes arguments of a key; also the files that belong to it.
pub(crate) fn of_key<R>(
    stamps: &Arc<Stamps>,
    f: impl FnOnce() -> Result<R, BoxError>,
) -> (Result<R, BoxError>, Vec<Seen>) {
    let (seen, trouble) = (Vec::new(), None);
    match with(Purpose::Key { stamps: stamps.clone(), seen, trouble }, f) {
        (Err(_), Some(Purpose::Key { trouble: Some(words), .. })) => {
            (Err(words.into()), Vec::new())
        }
        (result, Some(Purpose::Key { seen, .. })) => (result, seen),
        (result, _) => (result, Vec::new()),
    }
}

/// Encodes or decodes a value.
pub(crate) fn of_value<R>(f: impl FnOnce() -> R) -> R {
    with(Purpose::Value, f).0
}

/// Whether it is a value that is encoded or decoded.
pub(crate) fn is_value() -> bool {
    PURPOSE.with(|all| matches!(all.borrow().last(), Some(Purpose::Value)))
}

/// The stamps of the store that makes a key.
pub(crate) fn stamps() -> Option<Arc<Stamps>> {
    PURPOSE.with(|all| match all.borrow().last() {
        Some(Purpose::Key { stamps, .. }) => Some(stamps.clone()),
        _ => None,
    })
}

/// A file belongs to the key that is made.
pub(crate) fn note(file: Seen) {
    of_the_key(|seen, _| seen.push(file));
}

/// A file that belongs to it can't be read.
pub(crate) fn note_trouble(words: &str) {
    of_the_key(|_, trouble| *trouble = Some(words.to_owned()));
}

fn of_the_key(f: impl FnOnce(&mut Vec<Seen>, &mut Option<String>)) {
    PURPOSE.with(|all| {
        if let Some(Purpose::Key { seen, trouble, .. }) = all.borrow_mut().last_mut() {
            f(seen, trouble);
        }
    });
}
