//! The original failure, and the report of one that nobody has looked at.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

use super::path::{Hop, Path};
use super::whole::Whole;
use super::{BoxError, Error, ErrorKind};
use crate::foreign;
use crate::panic::{self, Payload, Raised};
use crate::sync::{Arc, AtomicU8, Mutex, Ordering, lock};

/// What a pool does with failures that nobody has looked at.
pub(crate) type Hook = Arc<dyn Fn(&Error) + Send + Sync>;

pub(crate) enum Cause {
    Failure(BoxError),
    Whole(Whole),
    Panic { message: String, at: Option<Raised>, payload: Mutex<Option<Payload>> },
    Words(String),
}

impl Cause {
    /// A panic that this thread has just caught.
    pub(crate) fn panic(message: String, payload: Payload) -> Cause {
        let at = panic::raised_at(&message);
        Cause::Panic { message, at, payload: Mutex::new(Some(payload)) }
    }

    /// The error that the work returned, or the one that it lends.
    pub(super) fn error(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Cause::Failure(error) => Some(&**error),
            Cause::Whole(whole) => Some(whole.error()),
            _ => None,
        }
    }

    /// What the work returned, to be printed as it prints itself.
    pub(super) fn debug(&self) -> Option<&dyn fmt::Debug> {
        match self {
            Cause::Failure(error) => Some(error),
            Cause::Whole(whole) => Some(whole),
            _ => None,
        }
    }

    /// What the work returned, where that is no error itself but lends one.
    pub(super) fn report<R: 'static>(&self) -> Option<&R> {
        match self {
            Cause::Failure(error) => (error as &dyn Any).downcast_ref(),
            Cause::Whole(whole) => whole.report(),
            _ => None,
        }
    }
}

/// One failure, shared by all copies of its error.
pub(crate) struct Original {
    pub(crate) kind: ErrorKind,
    /// The work that failed, and where it was called.
    pub(crate) hop: Hop,
    pub(crate) cause: Cause,
    /// Whether the user's code has had a copy.
    observed: AtomicU8,
    hook: Option<Hook>,
}

impl Original {
    pub(crate) fn new(kind: ErrorKind, hop: Hop, cause: Cause, hook: Option<Hook>) -> Original {
        Original { kind, hop, cause, observed: AtomicU8::new(0), hook }
    }

    pub(crate) fn observe(&self) {
        // ORDERING: Relaxed: whoever drops the last copy comes after this by the Arc's count.
        self.observed.store(1, Ordering::Relaxed);
    }

    pub(crate) fn take_payload(&self) -> Option<Payload> {
        match &self.cause {
            Cause::Panic { payload, .. } => lock(payload).take(),
            _ => None,
        }
    }
}

impl fmt::Display for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.hop.name();
        match &self.cause {
            Cause::Failure(error) => write!(f, "{origin} failed: {error}"),
            Cause::Whole(whole) => write!(f, "{origin} failed: {whole}"),
            Cause::Panic { message, at: Some(at), .. } => {
                write!(f, "{origin} panicked at {at}: {message}")
            }
            Cause::Panic { message, .. } => write!(f, "{origin} panicked: {message}"),
            Cause::Words(words) => write!(f, "{origin} {words}"),
        }
    }
}

impl Drop for Original {
    /// Reports a failure whose last copy goes away unseen.
    fn drop(&mut self) {
        let unseen = self.observed.load(Ordering::Relaxed) == 0;
        let reported = matches!(self.kind, ErrorKind::Failed | ErrorKind::Panicked);
        let cause = std::mem::replace(&mut self.cause, Cause::Words(String::new()));
        let hook = self.hook.take();
        let end = move || {
            if unseen && reported {
                self.report(cause, hook);
            } else {
                drop((cause, hook));
            }
        };
        // Whatever the hook or the cause's own drop do must not reach the thread that happens to drop the
        // last copy; nor wait until a step of ours is done that may be under way there.
        let _ = foreign::call(|| panic::contain(end));
    }
}

impl Original {
    fn report(&self, cause: Cause, hook: Option<Hook>) {
        let copy = Original::new(self.kind, self.hop, cause, None);
        copy.observe();
        let error = Error::from_original(copy, Path::from(self.hop));
        match hook {
            Some(hook) => hook(&error),
            None => eprintln!("asynckit: nobody has looked at this failure: {error:#}"),
        }
    }
}
