//! Spans of the `tracing` crate: one for each work, from its submission to its end; and that around a
//! call, for what is put off.
//!
//! Without the feature `tracing` a [`Trace`] has no size, and its methods do nothing.

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Around, Trace};
#[cfg(feature = "tracing")]
pub(crate) use on::{Around, Trace};

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::error::{Error, Hop};

    #[derive(Default)]
    pub(crate) struct Trace;

    pub(crate) struct Around;

    impl Around {
        pub(crate) fn here() -> Around {
            Around
        }

        pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
            f()
        }
    }

    const _: () = assert!(size_of::<Trace>() == 0);

    impl Trace {
        /// Whether anybody wants spans.
        #[inline]
        pub(crate) fn is_on() -> bool {
            false
        }

        pub(crate) const fn new() -> Trace {
            Trace
        }

        pub(crate) fn begin(&self, _hop: Hop) {}

        pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
            f()
        }

        pub(crate) fn end(&self, _error: Option<&Error>) {}
    }
}

#[cfg(feature = "tracing")]
mod on {
    use std::collections::HashMap;

    use tracing::callsite::{self, Callsite, Identifier};
    use tracing::field::{self, FieldSet};
    use tracing::level_filters::LevelFilter;
    use tracing::metadata::Kind;
    use tracing::subscriber::Interest;
    use tracing::{Level, Metadata, Span, dispatcher};

    use crate::error::{Error, Hop};
    use crate::foreign;
    use crate::sync::{Arc, AtomicU8, Mutex, OnceLock, Ordering, RwLock, lock};

    /// The span of a task, while it has one.
    ///
    /// It is counted, so that no lock is held while the subscriber is called.
    #[derive(Default)]
    pub(crate) struct Trace(Mutex<Option<Arc<Span>>>);

    impl Trace {
        /// Whether anybody wants spans.
        #[inline]
        pub(crate) fn is_on() -> bool {
            LevelFilter::current() >= Level::INFO
        }

        pub(crate) const fn new() -> Trace {
            Trace(Mutex::new(None))
        }

        /// The task is submitted: its span is a child of the span that this thread is in.
        pub(crate) fn begin(&self, hop: Hop) {
            if LevelFilter::current() < Level::INFO {
                return;
            }
            let span = Site::of(hop).span();
            *lock(&self.0) = span.map(Arc::new);
        }

        /// Runs `f` inside of the span.
        pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
            let span = lock(&self.0).clone();
            match span {
                Some(span) => span.in_scope(f),
                None => f(),
            }
        }

        /// The task is over.
        pub(crate) fn end(&self, error: Option<&Error>) {
            let Some(span) = lock(&self.0).take() else { return };
            // The subscriber is foreign, and may use the library.
            foreign::call(move || {
                if let Some(error) = error {
                    span.record(ERROR, field::display(error));
                }
            });
        }
    }

    /// The span that a thread was in, for what is done later on another one.
    pub(crate) struct Around(Span);

    impl Around {
        pub(crate) fn here() -> Around {
            Around(Span::current())
        }

        pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
            self.0.in_scope(f)
        }
    }

    /// The one field of a span: why the work failed.
    const ERROR: &str = "error";

    /// What a span's name, module and source line are kept in: one for each place in the source
    /// that makes work, for ever, as `tracing` wants it.
    struct Site {
        metadata: OnceLock<Metadata<'static>>,
        interest: AtomicU8,
    }

    const NEVER: u8 = 0;
    const SOMETIMES: u8 = 1;
    const ALWAYS: u8 = 2;

    impl Site {
        fn of(hop: Hop) -> &'static Site {
            static SITES: RwLock<Option<HashMap<(usize, usize), &'static Site>>> =
                RwLock::new(None);
            let key = (std::ptr::from_ref(hop.name).addr(), std::ptr::from_ref(hop.at).addr());
            let sites = SITES.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(site) = sites.as_ref().and_then(|sites| sites.get(&key)) {
                return site;
            }
            drop(sites);
            // Two threads may come here together: the second one's replaces the first one's, and
            // both are good.
            let site = Site::register(hop);
            let mut sites = SITES.write().unwrap_or_else(|poisoned| poisoned.into_inner());
            sites.get_or_insert_default().insert(key, site);
            site
        }

        fn register(hop: Hop) -> &'static Site {
            let site: &'static Site = Box::leak(Box::new(Site {
                metadata: OnceLock::new(),
                interest: AtomicU8::new(SOMETIMES),
            }));
            let name = hop.name();
            let module = name.rsplit_once("::").map_or("asynckit", |(module, _)| module);
            site.metadata.get_or_init(|| {
                Metadata::new(
                    name,
                    module,
                    Level::INFO,
                    Some(hop.at.file()),
                    Some(hop.at.line()),
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

    impl Callsite for Site {
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
