//! What a pool is set up with.

use crate::error::Hook;
use crate::observe::Onlooker;
use crate::pool::attached::Attached;
use crate::pool::draw::Fault;
use crate::sync::Arc;

/// How a pool was asked to be.
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) thread_name: String,
    pub(crate) stack_size: Option<usize>,
    pub(crate) queue_capacity: Option<usize>,
    pub(crate) max_spares: usize,
    pub(crate) hook: Option<Hook>,
    /// Who looks on from the beginning.
    pub(crate) onlookers: Vec<Onlooker>,
    /// Whether counts are kept for snapshots.
    pub(crate) watch: bool,
    /// Hooks of workers, and contexts.
    pub(crate) attached: Attached,
    /// Of a deterministic pool.
    pub(crate) seed: Option<u64>,
    pub(crate) fault: Option<Fault>,
    /// Whose threads it runs on, if not its own.
    pub(crate) host: Option<Arc<dyn Host>>,
}

/// What a host is to call, once, on one of its threads.
pub(crate) type Call = Box<dyn FnOnce() + Send>;

/// The owner of the threads.
pub(crate) trait Host: Send + Sync {
    /// Has `call` called soon. A host that can't any more drops it.
    fn call(&self, call: Call);

    /// Whether it finds another thread where its own are blocked. Otherwise spare workers get
    /// threads of the pool's own.
    fn has_spares(&self) -> bool;

    /// Whether the calling thread is one of those that are to call. One that waits there for the
    /// pool's work has to do some of it, as there may be no other.
    fn is_here(&self) -> bool;

    /// Whether it calls in the midst of something else that waits on this thread. That may be a part of
    /// the pool's work, which another thread of the host's waits for.
    fn is_nested(&self) -> bool {
        false
    }

    /// Lets others have their turn on this thread.
    fn give_way(&self);
}
