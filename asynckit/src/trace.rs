//! Spans of the `tracing` crate: who looks on to all pools while a subscriber is set.
//!
//! Each task has a span, from its submission to its end, and so has work in place; what only stands around other work
//! hands on the span in which it was submitted; a callback is called in that in which it was registered.

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Around, callbacks, is_on, observer};
#[cfg(feature = "tracing")]
pub(crate) use on::{Around, callbacks, is_on, observer};

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::observe::{Everywhere, TaskId};

    /// Whether anybody wants spans of tasks.
    #[inline]
    pub(crate) const fn is_on() -> bool {
        false
    }

    /// Who makes them.
    #[inline]
    pub(crate) const fn observer(_around: bool) -> Everywhere {
        None
    }

    /// Likewise, for callbacks.
    #[inline]
    pub(crate) const fn callbacks() -> Everywhere {
        None
    }

    /// The span in which work was submitted that has none of its own.
    pub(crate) struct Around;

    impl Around {
        pub(crate) fn here(_: impl FnOnce() -> Option<TaskId>) -> Around {
            Around
        }

        pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
            f()
        }
    }
}

#[cfg(feature = "tracing")]
mod on {
    use std::collections::HashMap;
    use std::panic::Location;

    use tracing::callsite::{self, Callsite, Identifier};
    use tracing::field::{self, FieldSet};
    use tracing::level_filters::LevelFilter;
    use tracing::metadata::Kind;
    use tracing::subscriber::Interest;
    use tracing::{Dispatch, Level, Metadata, Span, dispatcher};

    use crate::observe::{
        CallbackBegun, CallbackEnded, CallbackRegistered, Ending, Everywhere, Observer, Shelves,
        TaskEnded, TaskId, TaskKind, TaskResumed, TaskStarted, TaskSubmitted, TaskSuspended,
    };
    use crate::sync::{Arc, AtomicU8, OnceLock, Ordering, RwLock};

    /// Whether anybody wants spans of tasks.
    #[inline]
    pub(crate) fn is_on() -> bool {
        LevelFilter::current() >= Level::INFO
    }

    /// Who makes them; `around`: of what has none of its own, but hands one on.
    #[inline]
    pub(crate) fn observer(around: bool) -> Everywhere {
        if is_on() { Some(&SPANS) } else { callbacks().filter(|_| around) }
    }

    /// Likewise, for callbacks.
    #[inline]
    pub(crate) fn callbacks() -> Everywhere {
        if LevelFilter::current() > LevelFilter::OFF { Some(&SPANS) } else { None }
    }

    /// The span in which work was submitted that has none of its own: for code that does that work's part.
    pub(crate) struct Around(Option<Span>);

    impl Around {
        /// `task`: the one that this thread is at. One that has stood in a line goes on wherever it is woken, and
        /// knows the span in which it was submitted.
        pub(crate) fn here(task: impl FnOnce() -> Option<TaskId>) -> Around {
            Around(callbacks().map(|_| {
                let its = task().and_then(|task| SPANS.tasks.get(task.get()));
                let around = its.filter(|kept| kept.around).map(|kept| (*kept.span).clone());
                around.unwrap_or_else(Span::current)
            }))
        }

        pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
            match &self.0 {
                Some(span) => span.in_scope(f),
                None => f(),
            }
        }
    }

    /// The spans of what is under way.
    struct Spans {
        tasks: Shelves<KeptSpan>,
        callbacks: Shelves<KeptSpan>,
    }

    static SPANS: Spans = Spans { tasks: Shelves::empty(), callbacks: Shelves::empty() };

    #[derive(Clone)]
    struct KeptSpan {
        span: Arc<Span>,
        /// Whether it is that around the work, and not its own.
        around: bool,
    }

    impl KeptSpan {
        fn new(span: Span, around: bool) -> KeptSpan {
            KeptSpan { span: Arc::new(span), around }
        }
    }

    impl Shelves<KeptSpan> {
        /// This thread is in the span from now on, where it is the work's own.
        fn enter(&self, id: u64) {
            self.call(id, Dispatch::enter);
        }

        fn exit(&self, id: u64) {
            self.call(id, Dispatch::exit);
        }

        fn call(&self, id: u64, f: impl FnOnce(&Dispatch, &tracing::Id)) {
            if let Some(kept) = self.get(id).filter(|kept| !kept.around) {
                kept.span.with_subscriber(|(id, subscriber)| f(subscriber, id));
            }
        }
    }

    impl Observer for Spans {
        fn submitted(&self, event: &TaskSubmitted<'_>) {
            let within = event.part_of.and_then(|whole| self.tasks.get(whole.get()));
            let _within = within.as_ref().filter(|kept| kept.around).map(|kept| kept.span.enter());
            let id = event.task.get();
            match event.kind {
                TaskKind::Gather => {}
                TaskKind::Around => self.tasks.put(id, KeptSpan::new(Span::current(), true)),
                _ if !is_on() => {}
                _ => {
                    if let Some(span) = SpanSite::of(event.name, event.at).span() {
                        self.tasks.put(id, KeptSpan::new(span, false));
                    }
                }
            }
        }

        fn started(&self, event: &TaskStarted<'_>) {
            self.tasks.enter(event.task.get());
        }

        fn suspended(&self, event: &TaskSuspended<'_>) {
            self.tasks.exit(event.task.get());
        }

        fn resumed(&self, event: &TaskResumed<'_>) {
            self.tasks.enter(event.task.get());
        }

        fn ended(&self, event: &TaskEnded<'_>) {
            let Some(kept) = self.tasks.take(event.task.get()).filter(|kept| !kept.around) else {
                return;
            };
            if event.ran {
                kept.span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
            }
            if let Ending::Failed(error) | Ending::Skipped(error) = event.how {
                kept.span.record(ERROR, field::display(error));
            }
        }

        fn callback_registered(&self, event: &CallbackRegistered<'_>) {
            self.callbacks.put(event.callback.get(), KeptSpan::new(Span::current(), false));
        }

        fn callback_begun(&self, event: &CallbackBegun<'_>) {
            self.callbacks.enter(event.callback.get());
        }

        fn callback_ended(&self, event: &CallbackEnded<'_>) {
            let kept = self.callbacks.take(event.callback.get());
            if let Some(kept) = kept.filter(|_| event.called) {
                kept.span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
            }
        }
    }

    /// The one field of a span: why the work failed.
    const ERROR: &str = "error";

    /// What a span's name, module and source line are kept in: one for each place in the source
    /// that makes work, for ever, as `tracing` wants it.
    struct SpanSite {
        metadata: OnceLock<Metadata<'static>>,
        interest: AtomicU8,
    }

    /// Where the name is, and the place.
    type Key = (usize, usize, usize);

    const NEVER: u8 = 0;
    const SOMETIMES: u8 = 1;
    const ALWAYS: u8 = 2;

    impl SpanSite {
        fn of(name: &'static str, at: &'static Location<'static>) -> &'static SpanSite {
            static SITES: RwLock<Option<HashMap<Key, &'static SpanSite>>> = RwLock::new(None);
            let key = (name.as_ptr().addr(), name.len(), std::ptr::from_ref(at).addr());
            let sites = SITES.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(site) = sites.as_ref().and_then(|sites| sites.get(&key)) {
                return site;
            }
            drop(sites);
            // Two threads may come here together: the second one's replaces the first one's, and
            // both are good.
            let site = SpanSite::register(name, at);
            let mut sites = SITES.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            sites.get_or_insert_default().insert(key, site);
            site
        }

        fn register(name: &'static str, at: &'static Location<'static>) -> &'static SpanSite {
            let site: &'static SpanSite = Box::leak(Box::new(SpanSite {
                metadata: OnceLock::new(),
                interest: AtomicU8::new(SOMETIMES),
            }));
            let module = name.rsplit_once("::").map_or("asynckit", |(module, _)| module);
            site.metadata.get_or_init(|| {
                Metadata::new(
                    name,
                    module,
                    Level::INFO,
                    Some(at.file()),
                    Some(at.line()),
                    Some(module),
                    FieldSet::new(&[ERROR], Identifier(site)),
                    Kind::SPAN,
                )
            });
            callsite::register(site);
            site
        }

        fn span(&'static self) -> Option<Span> {
            let metadata = Callsite::metadata(self);
            let wanted = match self.interest.load(Ordering::Relaxed) {
                NEVER => false,
                ALWAYS => true,
                _ => dispatcher::get_default(|subscriber| subscriber.enabled(metadata)),
            };
            let error = metadata.fields().field(ERROR).filter(|_| wanted)?;
            Some(Span::new(metadata, &metadata.fields().value_set(&[(&error, None)])))
        }
    }

    impl Callsite for SpanSite {
        fn set_interest(&self, interest: Interest) {
            let interest = match () {
                () if interest.is_never() => NEVER,
                () if interest.is_always() => ALWAYS,
                () => SOMETIMES,
            };
            self.interest.store(interest, Ordering::Relaxed);
        }

        fn metadata(&self) -> &Metadata<'_> {
            match self.metadata.get() {
                Some(metadata) => metadata,
                None => unreachable!("a site was used before it was registered"),
            }
        }
    }
}
