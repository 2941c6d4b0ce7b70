//! What an error is made of: the original failure, and the way it took; and the report of one that nobody has
//! looked at.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

use super::company::Company;
use super::kind::ErrorKind;
use super::path::{Hop, Path};
use super::whole::Whole;
use crate::foreign;
use crate::panic::{self, Payload};
use crate::sync::{Arc, AtomicU8, Mutex, OnceLock, Ordering, fence, lock};

/// An error that can go from work to all that depends on it.
///
/// ```
/// use asynckit::{BoxError, Pool, async_work};
///
/// #[async_work]
/// fn sum(text: &'static str) -> Result<u64, BoxError> {
///     let mut sum = 0u64;
///     for number in text.split(' ') {
///         sum = sum.checked_add(number.parse()?).ok_or("too much")?; // errors of two kinds
///     }
///     Ok(sum)
/// }
///
/// let pool = Pool::new(1);
/// let error = sum("1 x").spawn_on(&pool).get().unwrap_err();
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// assert!(sum(concat!("1 ", "18446744073709551615")).run().unwrap_err().to_string().ends_with("too much"));
/// ```
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a result has no value.
///
/// All that depends on failed work fails with the *same* error: each copy shares the original
/// cause and knows the path that it took from work to work. Copying one is cheap.
///
/// - `{}` is one line: `crawler::download failed: no such host`; of a panic with its own place,
///   `crawler::parse panicked at src/parse.rs:7: no title`.
/// - `{:#}` and `{:?}` add what has caused that, down to the last source and each once, as in
///   `crawler::load failed: can't read the settings: no such file`, and the path, with the source
///   line of each call: `[download (src/main.rs:31) -> size (:32) -> merge (:33)]`. Of a long path the
///   first and the last eight calls are kept, and how many lie between. Where the error that the
///   work returned has a backtrace of its own, as those of `anyhow` and `eyre` may, that follows.
///
/// The place of a panic is noted by a panic hook. It is installed with the program's first pool, acts
/// on threads that run work alone, and calls the hook that was there before. A program that sets a hook of
/// its own later loses the places, not the errors; set it before, or have it call what
/// [`take_hook`](std::panic::take_hook) returns.
///
/// The [`source`](std::error::Error::source) of an error is its cause: the very error that the work
/// returned.
///
/// ```
/// use asynckit::{ErrorKind, Pool, async_work, chain};
///
/// #[async_work]
/// fn read(name: &'static str) -> std::io::Result<String> { std::fs::read_to_string(name) }
/// #[async_work]
/// fn lines(text: String) -> usize { text.lines().count() }
///
/// let pool = Pool::new(1);
/// let error = chain!(&pool, lines(read("no/such/file"))).get().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Failed);
/// assert!(error.origin().ends_with("::read"));
/// let cause: &std::io::Error = error.downcast_ref().unwrap();
/// assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
/// assert!(format!("{error:#}").contains(" -> lines ("));
/// ```
#[derive(Clone)]
pub struct Error(pub(super) Arc<Report>);

pub(crate) struct Report {
    pub(super) original: Arc<Original>,
    pub(super) path: Path,
    pub(super) tries: u32,
}

impl Error {
    pub(super) fn from_original(original: Original, path: Path, tries: u32) -> Error {
        Error(Arc::new(Report { original: Arc::new(original), path, tries }))
    }
}

/// What a pool does with failures that nobody has looked at.
pub(crate) type Hook = Arc<dyn Fn(&Error) + Send + Sync>;

pub(crate) enum Cause {
    Failure(BoxError),
    Whole(Whole),
    Panic { message: String, at: Option<String>, payload: Mutex<Option<Payload>> },
    Words(String),
}

impl Cause {
    /// A panic that this thread has just caught.
    pub(crate) fn panic(message: String, payload: Payload) -> Cause {
        let at = panic::raised_at(&message);
        Cause::Panic { message, at, payload: Mutex::new(Some(payload)) }
    }

    /// Where the work panicked, as far as that is known.
    pub(super) fn panicked_at(&self) -> Option<&str> {
        match self {
            Cause::Panic { at, .. } => at.as_deref(),
            _ => None,
        }
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

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Failure(error) => write!(f, "{error}"),
            Cause::Whole(whole) => write!(f, "{whole}"),
            Cause::Panic { message, .. } => f.write_str(message),
            Cause::Words(words) => f.write_str(words),
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
    /// How often the call was tried of which this ended the last try.
    tried: OnceLock<u32>,
    /// Where it is one of several.
    company: OnceLock<Arc<Company>>,
    hook: Option<Hook>,
}

impl Original {
    pub(crate) fn new(kind: ErrorKind, hop: Hop, cause: Cause, hook: Option<Hook>) -> Original {
        let (observed, tried, company) = (AtomicU8::new(0), OnceLock::new(), OnceLock::new());
        Original { kind, hop, cause, observed, tried, company, hook }
    }

    /// It ended the last of so many tries of a call.
    pub(super) fn tried(&self, tries: u32) {
        let _ = self.tried.set(tries);
    }

    pub(crate) fn observe(&self) {
        // ORDERING: Relaxed: whoever drops the last copy comes after this by the Arc's count.
        self.observed.store(1, Ordering::Relaxed);
        // ORDERING: SeqCst, against the other in `company`: one of the two sees what the other did.
        fence(Ordering::SeqCst);
        if let Some(company) = self.company.get() {
            company.clone().know(true);
        }
    }

    /// The failure as one of several.
    pub(super) fn company(&self) -> &Arc<Company> {
        let company = self.company.get_or_init(Company::new);
        fence(Ordering::SeqCst);
        if self.observed.load(Ordering::Relaxed) != 0 {
            company.clone().know(true);
        }
        company
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
        let (origin, cause) = (self.hop.name(), &self.cause);
        match cause {
            Cause::Failure(_) | Cause::Whole(_) => write!(f, "{origin} failed: {cause}"),
            Cause::Panic { at: Some(at), .. } => write!(f, "{origin} panicked at {at}: {cause}"),
            Cause::Panic { .. } => write!(f, "{origin} panicked: {cause}"),
            Cause::Words(_) => write!(f, "{origin} {cause}"),
        }
    }
}

impl Drop for Original {
    /// Reports a failure whose last copy goes away unseen.
    fn drop(&mut self) {
        let unseen = self.observed.load(Ordering::Relaxed) == 0;
        let own = self.company.take();
        let gone = Gone {
            kind: self.kind,
            hop: self.hop,
            cause: std::mem::replace(&mut self.cause, Cause::Words(String::new())),
            tries: self.tried.get().copied().unwrap_or(1),
            hook: self.hook.take(),
        };
        let leader = own.as_ref().filter(|_| unseen).and_then(|own| own.leader());
        if let Some(leader) = leader.cloned() {
            let own = own.clone();
            return leader.when_known(Box::new(move |seen| {
                gone.end(seen);
                own
            }));
        }
        gone.end(!unseen);
        if let Some(own) = own {
            own.know(!unseen);
        }
    }
}

/// What is left of a failure when its last copy is gone.
struct Gone {
    kind: ErrorKind,
    hop: Hop,
    cause: Cause,
    tries: u32,
    hook: Option<Hook>,
}

impl Gone {
    /// Reports it, unless it was seen.
    fn end(self, seen: bool) {
        let reported = matches!(self.kind, ErrorKind::Failed | ErrorKind::Panicked);
        let end = move || {
            if !seen && reported {
                self.report();
            } else {
                drop(self);
            }
        };
        // Whatever the hook or the cause's own drop do must not reach the thread that happens to drop the
        // last copy; nor wait until a step of ours is done that may be under way there.
        let _ = foreign::call(|| panic::contain(end));
    }

    fn report(self) {
        let copy = Original::new(self.kind, self.hop, self.cause, None);
        copy.observe();
        let error = Error::from_original(copy, Path::from(self.hop), self.tries);
        match self.hook {
            Some(hook) => hook(&error),
            None => eprintln!("asynckit: nobody has looked at this failure: {error:#}"),
        }
    }
}
