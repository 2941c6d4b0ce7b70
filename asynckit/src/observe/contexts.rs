//! Contexts that follow work: who looks on to a pool, takes them where work is submitted, and enters them where it runs.

use std::any::Any;
use std::cell::RefCell;

use super::events::{
    CallbackBegun, CallbackEnded, CallbackRegistered, TaskEnded, TaskResumed, TaskStarted,
    TaskSubmitted, TaskSuspended,
};
use super::observer::Observer;
use super::shelves::Shelves;
use crate::sync::Arc;

/// What follows work from where it is submitted to where it runs; see
/// [`PoolBuilder::context`](crate::PoolBuilder::context).
///
/// A closure is one whose call enters it.
///
/// ```
/// use std::cell::Cell;
///
/// thread_local! { static LANGUAGE: Cell<&'static str> = const { Cell::new("en") }; }
///
/// /// Whose language it is.
/// struct Language(&'static str);
///
/// /// Sets back what it was before.
/// struct Before(&'static str);
///
/// impl asynckit::Context for Language {
///     type Guard = Before;
///
///     fn enter(&self) -> Before { Before(LANGUAGE.replace(self.0)) }
/// }
///
/// impl Drop for Before {
///     fn drop(&mut self) { LANGUAGE.set(self.0) }
/// }
///
/// let pool = asynckit::Pool::builder().workers(1).context(|| Language(LANGUAGE.get())).build()?;
/// LANGUAGE.set("eo");
/// assert_eq!(pool.spawn(|| LANGUAGE.get()).get().unwrap(), "eo");
/// # Ok::<(), asynckit::BuildError>(())
/// ```
pub trait Context: Send + Sync + 'static {
    /// What leaves it again, when it is dropped. It stays on its thread.
    type Guard: 'static;

    /// The calling thread is in it, until the guard is dropped.
    fn enter(&self) -> Self::Guard;
}

impl<F, G> Context for F
where
    F: Fn() -> G + Send + Sync + 'static,
    G: 'static,
{
    type Guard = G;

    fn enter(&self) -> G {
        self()
    }
}

/// A context, whatever it is.
trait Enters: Send + Sync {
    fn enter(&self) -> Box<dyn Any>;
}

impl<C: Context> Enters for C {
    fn enter(&self) -> Box<dyn Any> {
        Box::new(Context::enter(self))
    }
}

/// Takes a context from the calling thread.
#[derive(Clone)]
pub(crate) struct Capture(Arc<dyn Fn() -> Box<dyn Enters> + Send + Sync>);

impl Capture {
    pub(crate) fn new<C: Context>(capture: impl Fn() -> C + Send + Sync + 'static) -> Capture {
        Capture(Arc::new(move || Box::new(capture())))
    }
}

/// What was taken for one piece of work.
type Taken = Arc<Vec<Box<dyn Enters>>>;

/// The contexts of a pool.
pub(crate) struct Contexts {
    captures: Vec<Capture>,
    tasks: Shelves<Taken>,
    callbacks: Shelves<Taken>,
}

/// What a thread has entered, the last one at the end: of which work, which may be a callback, and its guards.
struct EnteredWork {
    id: u64,
    is_callback: bool,
    guards: Vec<Box<dyn Any>>,
}

thread_local! {
    static INSIDE: RefCell<Vec<EnteredWork>> = const { RefCell::new(Vec::new()) };
}

impl Drop for EnteredWork {
    fn drop(&mut self) {
        // Nested, as they were entered.
        while self.guards.pop().is_some() {}
    }
}

fn enter(of: &Shelves<Taken>, id: u64, is_callback: bool) {
    let Some(taken) = of.get(id) else { return };
    let mut inside = EnteredWork { id, is_callback, guards: Vec::with_capacity(taken.len()) };
    taken.iter().for_each(|context| inside.guards.push(context.enter()));
    INSIDE.with_borrow_mut(|all| all.push(inside));
}

/// Leaves what was entered for this, where anything was.
fn leave(id: u64, is_callback: bool) {
    let left = INSIDE.with_borrow_mut(|all| {
        let at = all.iter().rposition(|one| (one.id, one.is_callback) == (id, is_callback))?;
        Some(all.remove(at))
    });
    drop(left);
}

impl Contexts {
    pub(crate) fn new(captures: Vec<Capture>) -> Contexts {
        Contexts { captures, tasks: Shelves::empty(), callbacks: Shelves::empty() }
    }

    fn take(&self) -> Taken {
        Arc::new(self.captures.iter().map(|capture| (capture.0)()).collect())
    }
}

impl Observer for Contexts {
    fn infers_ready(&self) -> bool {
        true
    }

    fn submitted(&self, event: &TaskSubmitted<'_>) {
        // What is a part of other work, such as a later try, is submitted by whoever comes, and belongs where that does.
        let whole = event.part_of.and_then(|whole| self.tasks.get(whole.get()));
        self.tasks.put(event.task.get(), whole.unwrap_or_else(|| self.take()));
    }

    fn started(&self, event: &TaskStarted<'_>) {
        enter(&self.tasks, event.task.get(), false);
    }

    fn resumed(&self, event: &TaskResumed<'_>) {
        enter(&self.tasks, event.task.get(), false);
    }

    fn suspended(&self, event: &TaskSuspended<'_>) {
        leave(event.task.get(), false);
    }

    fn ended(&self, event: &TaskEnded<'_>) {
        if event.ran {
            leave(event.task.get(), false);
        }
        drop(self.tasks.take(event.task.get()));
    }

    fn callback_registered(&self, event: &CallbackRegistered<'_>) {
        self.callbacks.put(event.callback.get(), self.take());
    }

    fn callback_begun(&self, event: &CallbackBegun<'_>) {
        enter(&self.callbacks, event.callback.get(), true);
    }

    fn callback_ended(&self, event: &CallbackEnded<'_>) {
        leave(event.callback.get(), true);
        drop(self.callbacks.take(event.callback.get()));
    }
}
