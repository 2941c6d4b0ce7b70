//! What is told of a task in words.

use std::sync::atomic::Ordering;
use std::time::Duration;

use asynckit::ErrorKind;
use asynckit::observe::TaskId;

use super::recorder::{IS_OVER, Keeps, Recorder, nanos};
use crate::model::Kept;
use crate::sync::lock;

/// Bytes of a text that are kept.
const LONGEST: usize = 4096;

/// What is told.
#[derive(Clone)]
pub(super) enum ToldText {
    Failure { kind: ErrorKind, message: String },
    Note(String),
    Kept(Kept),
}

#[derive(Clone)]
pub(super) struct Text {
    pub(super) task: u64,
    pub(super) time: u64,
    pub(super) told: ToldText,
}

impl Text {
    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let text = match &self.told {
            ToldText::Failure { message: text, .. } | ToldText::Note(text) => text.capacity(),
            ToldText::Kept(_) => 0,
        };
        size_of::<Text>() + text
    }
}

/// Bytes of texts for each task of the limit; and for those of a recording that has room for few.
const BYTES_OF_TEXT: usize = 256;
const BYTES_OF_TEXTS: usize = 1 << 16;
impl Recorder {
    /// The text is made only where it is kept.
    pub(super) fn tell(&self, task: TaskId, time: Duration, told: impl FnOnce() -> ToldText) {
        if self.keeps(task) != Keeps::Entries {
            return;
        }
        let limit = self.limit.load(Ordering::Relaxed);
        let most = limit.saturating_mul(BYTES_OF_TEXT).max(BYTES_OF_TEXTS);
        if self.text_bytes.load(Ordering::Relaxed) >= most {
            return;
        }
        if self.texts.fetch_add(1, Ordering::Relaxed) < limit {
            let text = Text { task: task.get(), time: nanos(time), told: told() };
            self.text_bytes.fetch_add(text.bytes(), Ordering::Relaxed);
            // The receiver is ours as well.
            let _ = self.told.send(text);
        }
    }

    /// A store had a task's value, or had it not.
    pub(super) fn kept(&self, task: TaskId, time: Duration, kept: Kept) {
        if !self.has(IS_OVER) {
            lock(&self.stored).add(kept);
            self.tell(task, time, || ToldText::Kept(kept));
        }
    }

    /// All texts up to now.
    pub(super) fn texts(&self) -> Vec<Text> {
        let mut told = lock(&self.texts_told);
        let (receiver, texts) = &mut *told;
        texts.extend(receiver.try_iter());
        texts.clone()
    }
}

/// A text that is not kept whole if it is very long.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rfind(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}
