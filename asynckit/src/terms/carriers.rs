//! Who may carry out calls elsewhere, and what they get to know of a call.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::core::TaskRef;
use crate::error::{At, BoxError, Error, Failure};
use crate::sync::Arc;
use crate::terms::counts::{Counted, PASSED_ON};
use crate::terms::polling::End;

/// A function whose calls may be carried out elsewhere, as its attribute describes it.
///
/// ```
/// use asynckit::carry::Function;
///
/// static DOUBLE: Function = Function::new("math::double", "fn double(n: u32) -> u32", b"{2 * n}", &["n"]);
/// assert_eq!(DOUBLE.path(), "math::double");
/// assert_eq!(DOUBLE.parameters(), ["n"]);
/// ```
#[derive(Debug)]
pub struct Function {
    pub(crate) path: &'static str,
    signature: &'static str,
    code: &'static [u8],
    parameters: &'static [&'static str],
    limit: Option<usize>,
    timeout: Option<Duration>,
}

impl Function {
    /// What an attribute says of a function.
    pub const fn new(
        path: &'static str,
        signature: &'static str,
        code: &'static [u8],
        parameters: &'static [&'static str],
    ) -> Function {
        Function { path, signature, code, parameters, limit: None, timeout: None }
    }

    /// The same, of which at most so many calls may run at once.
    pub const fn with_limit(self, limit: usize) -> Function {
        Function { limit: Some(limit), ..self }
    }

    /// The same, of which a run may take so long.
    pub const fn with_timeout(self, timeout: Duration) -> Function {
        Function { timeout: Some(timeout), ..self }
    }

    /// Its name, as `module::function`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// What it takes and gives, with one space between two tokens.
    pub fn signature(&self) -> &'static str {
        self.signature
    }

    /// Its signature and body, token by token, for a hash of it: neither documentation, comments and
    /// spacing nor trailing commas make a difference, and neither does the version of the compiler.
    pub fn code(&self) -> &'static [u8] {
        self.code
    }

    /// The names of its parameters, in the order in which the arguments come.
    pub fn parameters(&self) -> &'static [&'static str] {
        self.parameters
    }

    /// How many of its calls may run at once, where it says so: `limit = 8`. It holds for what is done here; who
    /// carries out calls elsewhere sees to it there. `None` where calls have a `weight`: they have their permits
    /// before a carrier is asked.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// How long a run of it may take, where it says so: `timeout = "5s"`. Likewise.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

/// What an attribute with `keep` or `remote` says of a function, besides how its calls are made.
#[derive(Clone, Copy)]
pub struct Description {
    pub(crate) function: &'static Function,
    pub(crate) settings: &'static (dyn Any + Send + Sync),
    /// The names of its types: arguments, value, and what it is generic over.
    pub(crate) types: fn() -> String,
    /// Whether a value may be known already, so that it is asked for before permits, tries and limits of time.
    pub(crate) known: bool,
}

/// One call, on its way to be carried out: all that it takes is there, and nothing of it has begun.
///
/// It is answered by one of [`value`](Call::value), [`fail`](Call::fail), [`fail_as`](Call::fail_as), [`here`](Call::here) and
/// [`here_and_tell`](Call::here_and_tell).
pub struct Call<'w>(Box<dyn OnCall + 'w>);

/// What a call can do, whatever its types.
pub(crate) trait OnCall: Send {
    fn description(&self) -> &Description;
    fn at(&self) -> At;
    fn due(&self) -> Option<Instant>;
    fn ran(&self, place: &str, began: Duration, ended: Duration);
    fn arguments(&self) -> Result<Vec<Vec<u8>>, BoxError>;
    fn decode(&self, bytes: &[u8]) -> Result<(), BoxError>;
    fn fail(&self, failure: Failure);
    fn fail_as(&self, error: &Error);
    /// Begins it in the place of the task, whose end is told.
    fn here(&mut self, tell: Option<Tell>) -> Option<Running>;
}

/// Told how a call comes out that is done here.
pub(crate) type Tell = Box<dyn FnOnce(Ended<'_>) + Send>;

/// How a call came out that was done here.
#[derive(Debug)]
pub enum Ended<'a> {
    /// With this value, encoded.
    Value(Vec<u8>),
    /// With a value that can't be encoded, for this reason.
    Unencodable(BoxError),
    /// With a failure.
    Failed(&'a Error),
}

/// The answer to a call.
#[derive(Debug)]
#[must_use = "it is what a carrier hands back"]
pub struct Carried(());

/// What a carrier does about a call: a future, which is polled on the pool of the call's work and holds no
/// thread while it is pending. Where the work is given up, it is dropped.
pub type Carriage<'w> = Pin<Box<dyn Future<Output = Carried> + Send + 'w>>;

/// Carries out calls elsewhere, or knows their values already; see [the module](crate::carry).
pub trait Carrier: Send + Sync + 'static {
    /// Takes a call on. It is asked on a thread of the pool, once the call's inputs are there, and should be
    /// quick to say whether it takes the call; the rest is the future's.
    ///
    /// # Errors
    ///
    /// The call itself, where it is none of this carrier's: the next one is asked, and at last it is done here.
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>>;
}

impl<C: Carrier + ?Sized> Carrier for Arc<C> {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        (**self).carry(call)
    }
}

impl<'w> Call<'w> {
    pub(crate) fn new(call: impl OnCall + 'w) -> Call<'w> {
        Call(Box::new(call))
    }

    /// The function that is called.
    pub fn function(&self) -> &'static Function {
        self.0.description().function
    }

    /// What the attribute says to who carries it out, if it says an `S`: that is how a carrier knows its own.
    pub fn settings<S: Any>(&self) -> Option<&'static S> {
        let settings: &'static dyn Any = self.0.description().settings;
        settings.downcast_ref()
    }

    /// The names of the types of arguments, value, and of what the function is generic over.
    pub fn types(&self) -> String {
        (self.0.description().types)()
    }

    /// Where it is called.
    pub fn at(&self) -> &'static std::panic::Location<'static> {
        self.0.at()
    }

    /// When nobody wants its outcome any more, where the work that it is a part of says so: by
    /// [`deadline`](crate::Work::deadline), by a [`timeout`](crate::Work::timeout) that counts by now, or by a deadline
    /// of its [token](crate::CancelToken). It is then that the [`Carriage`] is dropped; who carries the call out
    /// elsewhere can know before.
    ///
    /// It is asked for on the pool, from within [`carry`](Carrier::carry) or its future. `None` on a pool that goes by
    /// a clock of its own.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.due()
    }

    /// Says where its code has run, and when, to whoever looks on to the pool
    /// ([`Observer::ran_elsewhere`](crate::Observer::ran_elsewhere)): `place` names what has run it, such as a worker's
    /// process. It is said on the pool, before the call is answered.
    pub fn ran(&self, place: &str, began: Instant, ended: Instant) {
        let (now, here) = (crate::observe::now(), Instant::now());
        let moment = |at: Instant| now.saturating_sub(here.saturating_duration_since(at));
        self.0.ran(place, moment(began), moment(ended));
    }

    /// Its arguments, each encoded.
    ///
    /// # Errors
    ///
    /// Where the codec can't encode one.
    pub fn arguments(&self) -> Result<Vec<Vec<u8>>, BoxError> {
        self.0.arguments()
    }

    /// Answers it with a value.
    ///
    /// # Errors
    ///
    /// The call itself, and why these bytes are no value of its type.
    pub fn value(self, bytes: &[u8]) -> Result<Carried, (Call<'w>, BoxError)> {
        match self.0.decode(bytes) {
            Ok(()) => Ok(Carried(())),
            Err(error) => Err((self, error)),
        }
    }

    /// Answers it with a failure.
    pub fn fail(self, failure: Failure) -> Carried {
        self.0.fail(failure);
        Carried(())
    }

    /// Answers it with the very failure of another call, which was for the same thing.
    pub fn fail_as(self, error: &Error) -> Carried {
        self.0.fail_as(error);
        Carried(())
    }

    /// Has it done by its pool after all. What is set on the function (tries, limits) holds there.
    pub fn here(mut self) -> Carried {
        let _ = self.0.here(None);
        Carried(())
    }

    /// Has it done by its pool, and says how it came out: before anybody else sees that, on the thread that
    /// ends it. What is told never, as the work was given up, is dropped.
    pub fn here_and_tell(
        mut self,
        tell: impl FnOnce(Ended<'_>) + Send + 'static,
    ) -> (Carried, Running) {
        let running = self.0.here(Some(Box::new(tell)));
        let running = running.unwrap_or_else(|| unreachable!("a call is done once"));
        (Carried(()), running)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("function", &self.function().path())
            .field("at", &self.at())
            .finish_non_exhaustive()
    }
}

/// A call that is done by its pool: for who asks for the same thing meanwhile.
///
/// It keeps nobody from giving the work up.
#[derive(Clone)]
pub struct Running(TaskRef);

impl Running {
    pub(crate) fn of(task: TaskRef) -> Running {
        Running(task)
    }

    /// Waits until it has come to its end, whichever, and all was told.
    ///
    /// # Errors
    ///
    /// Where the work that waits would so wait for itself, as a [`Deadlock`](crate::ErrorKind::Deadlock).
    pub async fn end(&self) -> Result<(), Error> {
        End::of(self.0.clone()).await
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({})", self.0.hop)
    }
}

/// How arguments and values of a function become bytes, and values come of bytes. `A` is the arguments as
/// nested pairs, `(first, (second, ()))`.
pub trait Codec<A, T>: Send + Sync {
    /// Each argument by itself.
    ///
    /// # Errors
    ///
    /// Where one can't be encoded.
    fn arguments(&self, arguments: &A) -> Result<Vec<Vec<u8>>, BoxError>;

    /// A value.
    ///
    /// # Errors
    ///
    /// Where it can't be encoded.
    fn value(&self, value: &T) -> Result<Vec<u8>, BoxError>;

    /// A value again.
    ///
    /// # Errors
    ///
    /// Where the bytes are none.
    fn decode(&self, bytes: &[u8]) -> Result<T, BoxError>;
}

/// The carriers of a place, the first to be asked in front.
pub(crate) struct Carriers {
    pub(crate) first: Arc<dyn Carrier>,
    pub(crate) others: Option<Arc<Carriers>>,
    _counted: Counted,
}

impl Carriers {
    pub(crate) fn new(first: Arc<dyn Carrier>, others: Option<Arc<Carriers>>) -> Arc<Carriers> {
        Arc::new(Carriers { first, others, _counted: PASSED_ON.counted() })
    }

    /// Asks one after the other.
    pub(crate) fn carry<'w>(&self, mut call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        for carriers in std::iter::successors(Some(self), |one| one.others.as_deref()) {
            match carriers.first.carry(call) {
                Ok(carriage) => return Ok(carriage),
                Err(back) => call = back,
            }
        }
        Err(call)
    }
}
