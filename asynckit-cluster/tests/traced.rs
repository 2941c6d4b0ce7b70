//! Spans across processes: what a worker does is a part of the span that has called, whatever carries the calls.
#![cfg(unix)]
#![forbid(unsafe_code)]

#[cfg(feature = "nats")]
#[path = "cluster/over_nats.rs"]
mod over_nats;
#[cfg(feature = "nats")]
#[path = "signals/mod.rs"]
#[allow(dead_code)]
mod signals;
#[path = "cluster/site.rs"]
#[allow(dead_code)]
mod site;
#[cfg(feature = "nats")]
#[path = "nats/support.rs"]
#[allow(dead_code)]
mod support;

use std::sync::OnceLock;

use asynckit::{async_work, chain};
use libtest_mimic::{Arguments, Trial};
use opentelemetry::trace::{SpanId, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use site::{Site, eventually};
use tracing_subscriber::layer::SubscriberExt;

/// The spans of this process that have ended.
static SPANS: OnceLock<InMemorySpanExporter> = OnceLock::new();

/// Name, trace, own id, that of the parent, and where it was called.
type Seen = (String, String, String, String, String);

fn seen() -> Vec<Seen> {
    let spans = SPANS.get().unwrap().get_finished_spans().unwrap();
    let seen = spans.into_iter().map(|span| {
        let (context, parent) = (span.span_context, span.parent_span_id);
        let (trace, own) = (context.trace_id().to_string(), context.span_id().to_string());
        let called_at = span.attributes.iter().find(|one| one.key.as_str() == "called_at");
        let called_at = called_at.map_or_else(String::new, |one| one.value.to_string());
        (span.name.into_owned(), trace, own, parent.to_string(), called_at)
    });
    seen.collect()
}

#[async_work]
fn inner(n: u32) -> u32 {
    n + 1
}

#[async_work(remote)]
fn outer(n: u32) -> Result<u32, asynckit::Error> {
    inner(n).spawn_on(&asynckit::current()).get()
}

/// What the worker has seen so far.
#[async_work(remote)]
fn seen_there(_any: u32) -> Vec<Seen> {
    seen()
}

fn main() {
    let spans = InMemorySpanExporter::default();
    SPANS.set(spans.clone()).unwrap();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    asynckit_cluster::serve_if_asked();
    let trials = Site::all().into_iter().map(|site| {
        let name = "a_worker_s_span_is_a_child_of_the_caller_s";
        Trial::test(format!("{}::{name}", site.name), move || {
            site::soon(name, move || is_a_child(&site));
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn is_a_child(site: &Site) {
    let cluster = site.cluster(1);
    let name = format!("caller over {}", site.name);
    let caller = tracing::info_span!("caller", otel.name = name);
    let line = line!() + 1;
    let result = caller.in_scope(|| chain!(&*cluster, outer(4)));
    assert_eq!(result.get().unwrap(), 5);
    drop(caller);
    let find =
        |all: &[Seen], is_it: &dyn Fn(&Seen) -> bool| all.iter().find(|one| is_it(one)).cloned();
    let mut caller = None;
    eventually("the caller has been seen", || {
        caller = find(&seen(), &|one| one.0 == name);
        caller.is_some()
    });
    let (_, trace, caller, ..) = caller.unwrap();
    let mut there = Vec::new();
    let mut run = None;
    eventually("the run has been seen", || {
        there = seen_there(0).spawn_on(&*cluster).get().unwrap();
        run = find(&there, &|one| one.1 == trace && one.0 == "remote traced::outer");
        run.is_some()
    });
    let run = run.unwrap();
    assert_eq!(run.3, caller, "it is a child of the caller's: {there:?}");
    assert!(run.4.ends_with(&format!("tests/traced.rs:{line}")), "{}", run.4);
    // What it has called in turn is a part of it as well.
    let inside = find(&there, &|one| one.1 == trace && one.0.ends_with("inner")).unwrap();
    let mut up = inside.3.clone();
    while up != run.2 {
        assert_ne!(up, SpanId::INVALID.to_string(), "{there:?}");
        up = find(&there, &|one| one.2 == up).unwrap().3;
    }
}
