//! With the feature `tracing`, each work has a span. A program of its own, as a subscriber is for
//! the whole process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use asynckit::carry::{Call, Carriage, Carrier, on};
use asynckit::{AsyncResult, Limit, Pool, async_work, chain, current, work};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// What became of a span.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: &'static str,
    target: &'static str,
    line: Option<u32>,
    parent: Option<&'static str>,
    entered: u32,
    error: Option<String>,
    closed: bool,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<HashMap<u64, Seen>>>);

impl Log {
    /// The one span of this name.
    fn span(&self, name: &str) -> Seen {
        let found = self.spans(name);
        let [one] = &found[..] else { panic!("{name}: {found:?}") };
        one.clone()
    }

    fn spans(&self, name: &str) -> Vec<Seen> {
        self.0.lock().unwrap().values().filter(|span| span.name.ends_with(name)).cloned().collect()
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            change(seen);
        }
    }
}

/// Reads the field `error`.
struct Reads(Option<String>);

impl tracing::field::Visit for Reads {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        assert_eq!(field.name(), "error");
        self.0 = Some(format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        !metadata.name().ends_with("unwanted")
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (metadata, span) = (attributes.metadata(), context.span(id).unwrap());
        let seen = Seen {
            name: metadata.name(),
            target: metadata.target(),
            line: metadata.line(),
            parent: span.parent().map(|parent| parent.name()),
            ..Seen::default()
        };
        // A registry uses the id of a closed span again.
        let old = self.0.lock().unwrap().insert(id.into_u64(), seen);
        if let Some(old) = old {
            let spare = u64::MAX - self.0.lock().unwrap().len() as u64;
            self.0.lock().unwrap().insert(spare, old);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut reads = Reads(None);
        values.record(&mut reads);
        self.change(id, |seen| seen.error = reads.0);
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        self.change(id, |seen| seen.entered += 1);
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.change(&id, |seen| seen.closed = true);
    }
}

fn log() -> Log {
    static LOG: std::sync::OnceLock<Log> = std::sync::OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
    .clone()
}

#[test]
fn work_has_a_span_where_it_was_submitted() {
    #[async_work]
    fn outer() -> u32 {
        inner(1).spawn_on(&current()).get().unwrap()
    }
    #[async_work]
    fn inner(n: u32) -> u32 {
        tracing::info_span!("users").in_scope(|| n + 1)
    }
    let (log, pool) = (log(), Pool::new(2));
    let line = line!() + 1;
    let result = tracing::info_span!("request").in_scope(|| outer().spawn_on(&pool));
    assert_eq!(result.get().unwrap(), 2);
    pool.stop();

    let outer = log.span("::outer");
    assert_eq!(outer.name, "traced::outer");
    assert_eq!(outer.target, "traced");
    assert_eq!(outer.line, Some(line));
    assert_eq!(outer.parent, Some("request"));
    assert_eq!((outer.entered, outer.closed), (1, true));
    assert_eq!(log.span("::inner").parent, Some("traced::outer"));
    assert_eq!(log.span("users").parent, Some("traced::inner"));
}

#[test]
fn a_span_ends_with_the_work_and_knows_its_failure() {
    #[async_work]
    fn broken() -> Result<u32, String> {
        Err("on purpose".to_owned())
    }
    #[async_work]
    fn fine() -> u32 {
        1
    }
    let (log, pool) = (log(), Pool::new(1));
    let kept = fine().spawn_on(&pool);
    kept.wait();
    broken().spawn_on(&pool).get().unwrap_err();
    pool.stop();
    // The result is still held, the work is over.
    let fine = log.span("::fine");
    assert_eq!((fine.closed, fine.error), (true, None));
    let broken = log.span("::broken");
    assert_eq!(broken.error.as_deref(), Some("traced::broken failed: on purpose"));
    drop(kept);
}

#[test]
fn skipped_work_is_never_entered() {
    #[async_work]
    fn first() -> Result<u32, String> {
        Err("first".to_owned())
    }
    fn second(n: u32) -> u32 {
        n
    }
    let (log, pool) = (log(), Pool::new(1));
    chain!(&pool, second(first())).get().unwrap_err();
    pool.stop();
    let second = log.span("second");
    assert_eq!((second.entered, second.closed), (0, true));
    assert!(second.error.unwrap().contains("::first failed: first"));
}

#[test]
fn a_future_is_entered_each_time_it_is_polled() {
    #[async_work]
    async fn polled(input: AsyncResult<u32>) -> u32 {
        input.await.unwrap()
    }
    let (log, pool) = (log(), Pool::new(0));
    let input = AsyncResult::new();
    let result = polled(input.clone()).spawn_on(&pool);
    pool.run_until_idle();
    input.set(1).unwrap();
    assert_eq!(result.get().unwrap(), 1);
    let polled = log.span("::polled");
    assert_eq!((polled.entered, polled.closed), (2, true));
}

#[test]
fn work_in_place_has_a_span_too() {
    #[async_work]
    fn in_place() -> u32 {
        1
    }
    let log = log();
    in_place().run().unwrap();
    let span = log.span("::in_place");
    assert_eq!((span.entered, span.closed), (1, true));
}

#[test]
fn a_subscriber_may_turn_spans_down() {
    #[async_work]
    fn unwanted() -> u32 {
        1
    }
    let (log, pool) = (log(), Pool::new(1));
    assert_eq!(unwanted().spawn_on(&pool).get().unwrap(), 1);
    assert!(log.spans("::unwanted").is_empty());
    // What it submits has the span around it as its parent.
    let nested = tracing::info_span!("around").in_scope(|| work(|| ()).spawn_on(&pool));
    nested.get().unwrap();
    pool.stop();
    assert!(log.spans("closure").iter().any(|span| span.parent == Some("around")));
}

/// The name of the outermost span that is entered here.
fn outermost() -> &'static str {
    tracing::dispatcher::get_default(|subscriber| {
        let registry = subscriber.downcast_ref::<tracing_subscriber::Registry>()?;
        let now = subscriber.current_span();
        let span = registry.span(now.id()?)?;
        Some(span.scope().from_root().next()?.name())
    })
    .unwrap_or("none")
}

#[test]
fn callbacks_are_called_in_the_span_around_their_registration() {
    let _log = log();
    let pool = Pool::new(1);
    let (setter, result) = AsyncResult::<String>::channel();
    let (number_setter, number) = AsyncResult::<u8>::channel();
    let (tell, told) = std::sync::mpsc::channel();
    {
        let _span = tracing::info_span!("registers").entered();
        let its = tell.clone();
        result.on_set(move |_| its.send(outermost()).unwrap());
        number.on_set(move |_| tell.send(outermost()).unwrap());
    }
    let sets = pool.spawn(move || {
        setter.set(String::new()).unwrap();
        number_setter.set(1).unwrap();
    });
    sets.get().unwrap();
    assert_eq!(told.iter().collect::<Vec<_>>(), ["registers"; 2]);
}

#[test]
fn work_that_stood_in_line_runs_in_the_span_around_its_submission() {
    let _log = log();
    let (pool, limit) = (Pool::new(2), Limit::new(1));
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (began, begun) = std::sync::mpsc::channel();
    let first = {
        let _span = tracing::info_span!("line_a").entered();
        let holds = work(move || {
            began.send(()).unwrap();
            gate.recv().unwrap();
        });
        holds.limit(&limit).spawn_on(&pool)
    };
    begun.recv().unwrap();
    let others: Vec<_> = ["line_b", "line_c"]
        .map(|name| {
            let _span = match name {
                "line_b" => tracing::info_span!("line_b").entered(),
                _ => tracing::info_span!("line_c").entered(),
            };
            work(outermost).limit(&limit).spawn_on(&pool)
        })
        .into();
    assert_eq!(limit.waiting(), 2);
    go.send(()).unwrap();
    first.get().unwrap();
    let spans: Vec<_> = others.into_iter().map(|other| other.get().unwrap()).collect();
    assert_eq!(spans, ["line_b", "line_c"]);
}

/// What the attribute of a call names that has no arguments and no value.
mod asked {
    pub mod attribute {
        use asynckit::{BoxError, carry::Codec};

        pub struct Remote;

        impl Remote {
            pub const fn new() -> Remote {
                Remote
            }
        }

        pub const fn value<T>() {}

        #[derive(Clone, Copy)]
        pub struct Bytes;

        impl Codec<(), ()> for Bytes {
            fn arguments(&self, (): &()) -> Result<Vec<Vec<u8>>, BoxError> {
                Ok(Vec::new())
            }

            fn value(&self, (): &()) -> Result<Vec<u8>, BoxError> {
                Ok(Vec::new())
            }

            fn decode(&self, _: &[u8]) -> Result<(), BoxError> {
                Ok(())
            }
        }
    }
}

#[async_work(remote(crate = asked))]
fn far() {}

/// Notes the span in which it is asked.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<&'static str>>>);

impl Carrier for Asked {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        self.0.lock().unwrap().push(outermost());
        Err(call)
    }
}

#[test]
fn a_carrier_is_asked_in_the_span_around_the_submission_also_after_a_line() {
    let _log = log();
    let (pool, limit, asked) = (Pool::new(2), Limit::new(1), Asked::default());
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (began, begun) = std::sync::mpsc::channel();
    let holds = work(move || {
        began.send(()).unwrap();
        gate.recv().unwrap();
    });
    let first = holds.limit(&limit).spawn_on(&pool);
    begun.recv().unwrap();
    let place = on(&pool, asked.clone());
    let others = {
        let _span = tracing::info_span!("far_a").entered();
        [far().limit(&limit).spawn_on(&place), far().spawn_on(&place)]
    };
    go.send(()).unwrap();
    first.get().unwrap();
    others.into_iter().for_each(|other| other.get().unwrap());
    assert_eq!(*asked.0.lock().unwrap(), ["far_a", "far_a"]);
}

struct Service(u8);

impl Service {
    #[async_work]
    #[tracing::instrument(name = "below", skip_all, fields(id = self.0))]
    fn below(&self, text: &str) -> Result<usize, String> {
        tracing::info_span!("in_below").in_scope(|| Ok(text.len()))
    }
    #[tracing::instrument(name = "above", skip_all)]
    #[async_work(retry = 1)]
    fn above(&self, text: &str) -> Result<usize, String> {
        tracing::info_span!("in_above").in_scope(|| Ok(text.len()))
    }
    #[async_work]
    #[cfg_attr(all(), tracing::instrument(name = "polled_below", skip_all))]
    async fn polled_below(self, input: AsyncResult<u8>) -> Result<u8, String> {
        let n = input.await.map_err(|error| error.to_string())?;
        tracing::info_span!("in_polled_below").in_scope(|| Ok(n + self.0))
    }
}

#[test]
fn the_span_of_an_attribute_lasts_while_the_body_runs() {
    let (log, pool, text) = (log(), Pool::new(1), String::from("ab"));
    let service = Service(1);
    let sizes = pool.scope(|s| {
        let below = service.below(&text).spawn_on(s);
        let above = service.above(&text).spawn_on(s);
        (below.get().unwrap(), above.get().unwrap())
    });
    assert_eq!(sizes, (2, 2));
    let (setter, input) = AsyncResult::channel();
    let polled = service.polled_below(input).spawn_on(&pool);
    setter.set(2).unwrap();
    assert_eq!(polled.get().unwrap(), 3);
    pool.stop();
    for name in ["below", "above", "polled_below"] {
        let inside = log.span(&format!("in_{name}"));
        assert_eq!(inside.parent, Some(name));
        let spans = log.spans(name);
        let around = spans.iter().find(|span| span.name == name).unwrap();
        assert_eq!(around.parent, Some(format!("traced::{name}").as_str()));
    }
}
