//! What is told of a task in words.

use asynckit::ErrorKind;

use crate::model::Kept;

/// Bytes of a text that are kept.
const LONGEST: usize = 4096;

/// What is told.
#[derive(Clone)]
pub(super) enum Told {
    Failure { kind: ErrorKind, message: String },
    Note(String),
    Kept(Kept),
}

#[derive(Clone)]
pub(super) struct Text {
    pub(super) task: u64,
    pub(super) time: u64,
    pub(super) told: Told,
}

/// A text that is not kept whole if it is very long.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rfind(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
