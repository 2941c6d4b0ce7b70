//! What a cluster does about a call: sends it out, and answers it by its outcome.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, Weak};

use asynckit::carry::{Call, Carriage, Carried, Carrier, Failure, Function};
use asynckit::{BoxError, ErrorKind};
use bytes::Bytes;

use crate::attribute::{Remote, Unsent};
use crate::driver::{Answer, Desk, With};
use crate::failure;
use crate::seam::{About, ArgumentBytes};
use crate::sync::lock;
use crate::trace;
use crate::wire::{FunctionId, Hash, LARGE, Outcome};
use crate::worker::Functions;

/// The carrier of a cluster.
#[derive(Clone)]
pub(crate) struct OfCluster(Arc<Inner>);

struct Inner {
    desk: Arc<Desk>,
    functions: Functions,
    /// What is known of each function, by where its description lies.
    abouts: Mutex<HashMap<usize, Result<Arc<About>, String>>>,
    larges: Mutex<LargeArguments>,
    /// How often a call is delivered at most, unless its function says.
    deliveries: u32,
}

/// Large arguments of open calls: those of the same contents are kept once.
#[derive(Default)]
struct LargeArguments {
    all: HashMap<Hash, Weak<Vec<u8>>>,
    /// When there are so many, those that are gone are forgotten.
    full: usize,
}

/// So many bytes that belong to several.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Carrier for OfCluster {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        let Some(remote) = call.settings::<Remote>() else { return Err(call) };
        let this = self.0.clone();
        Ok(Box::pin(async move { this.carry(call, remote).await }))
    }
}

impl OfCluster {
    pub(crate) fn new(desk: Arc<Desk>, deliveries: u32) -> OfCluster {
        let (functions, abouts, larges) = (Functions::all(), Mutex::default(), Mutex::default());
        OfCluster(Arc::new(Inner { desk, functions, abouts, larges, deliveries }))
    }
}

impl Inner {
    async fn carry(&self, call: Call<'_>, remote: &'static Remote) -> Carried {
        let about = match self.about(call.function()) {
            Ok(about) => about,
            Err(why) => return call.fail(Failure::new(ErrorKind::Failed, why)),
        };
        let arguments = match call.arguments() {
            Ok(arguments) => arguments,
            Err(error) => {
                let words = unsent(call.function(), &error);
                return call.fail(Failure::new(ErrorKind::Failed, words));
            }
        };
        let arguments = arguments.into_iter().map(|bytes| self.argument(bytes)).collect();
        let with = With {
            site: format!("{}:{}", call.at().file(), call.at().line()),
            deadline: call.deadline(),
            trace: trace::here(),
        };
        let most = remote.deliveries.unwrap_or(self.deliveries);
        let ticket = self.desk.publish(about, with, arguments, most);
        let answer = ticket.await;
        if let Answer::Outcome(_, _, Some(ran)) = &answer {
            call.ran(&ran.place, ran.began, ran.ended);
        }
        match answer {
            Answer::Outcome(Outcome::Value, body, _) => match call.value(&body) {
                Ok(carried) => carried,
                Err((call, error)) => {
                    let words = format!("its value can't be read: {error}");
                    call.fail(Failure::new(ErrorKind::Failed, words))
                }
            },
            Answer::Outcome(Outcome::Failed(failed), body, _) => {
                call.fail(failure::again(failed, &body, remote.error.as_ref()))
            }
            Answer::Outcome(Outcome::Refused(why), ..) => {
                let words = format!("a worker can't run it: {why}");
                call.fail(Failure::new(ErrorKind::Failed, words))
            }
            Answer::Lost(words) => call.fail(Failure::new(ErrorKind::Lost, words)),
        }
    }

    /// What is set on a function; or why it can't be called elsewhere.
    fn about(&self, function: &'static Function) -> Result<Arc<About>, String> {
        let mut abouts = lock(&self.abouts);
        let about = abouts.entry(std::ptr::from_ref(function).addr()).or_insert_with(|| {
            let id = FunctionId::of(function);
            self.functions.find(&id)?;
            Ok(Arc::new(About {
                function: id,
                path: function.path(),
                limit: function.limit().and_then(NonZeroUsize::new),
            }))
        });
        about.clone()
    }

    /// An argument on its way: a large one goes by its contents.
    fn argument(&self, bytes: Vec<u8>) -> ArgumentBytes {
        if bytes.len() <= LARGE {
            return ArgumentBytes::Here(bytes.into());
        }
        let hash: Hash = blake3::hash(&bytes).into();
        let mut larges = lock(&self.larges);
        let known = larges.all.get(&hash).and_then(Weak::upgrade);
        let bytes = known.unwrap_or_else(|| {
            if larges.all.len() >= larges.full {
                larges.all.retain(|_, bytes| bytes.strong_count() > 0);
                larges.full = 2 * larges.all.len() + 64;
            }
            let bytes = Arc::new(bytes);
            larges.all.insert(hash, Arc::downgrade(&bytes));
            bytes
        });
        ArgumentBytes::Large(hash, Bytes::from_owner(SharedBytes(bytes)))
    }
}

/// Which argument can't be sent, and why.
fn unsent(function: &Function, error: &BoxError) -> String {
    let named = error.downcast_ref::<Unsent>().and_then(|unsent| {
        let name = function.parameters().get(unsent.number)?;
        Some(format!("the argument `{name}` can't be sent: {}", unsent.error))
    });
    named.unwrap_or_else(|| format!("an argument can't be sent: {error}"))
}
