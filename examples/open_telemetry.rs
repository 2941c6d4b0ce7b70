//! The trace of a request follows its work, onto whatever threads that runs on: OpenTelemetry's context is the thread's,
//! and the pool takes it along.

use std::time::Duration;

use asynckit::{Pool, Retry, async_work, chain, try_work};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

/// The trace that the calling thread is in: what an exporter or a log would name.
fn trace() -> TraceId {
    Context::current().span().span_context().trace_id()
}

#[async_work]
fn fetch(page: u32) -> (u32, TraceId) {
    (page * 100, trace())
}

#[async_work]
async fn count(page: (u32, TraceId)) -> (u32, TraceId) {
    assert_eq!(trace(), page.1);
    (page.0 + 1, trace())
}

/// What the headers of a request have said of its trace.
fn from_headers(request: u64) -> Context {
    let (trace, span) = (TraceId::from(u128::from(request)), SpanId::from(request));
    let span = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE);
    Context::new().with_remote_span_context(span)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder()
        .workers(2)
        .context(|| {
            let context = Context::current();
            move || context.clone().attach()
        })
        .build()?;

    // Two requests at once.
    let answers = [1, 2].map(|request| {
        let _request = from_headers(request).attach();
        let page = request as u32;
        chain!(&pool, count(fetch(page)))
    });
    for (answer, request) in answers.into_iter().zip([1u128, 2]) {
        let (size, trace) = answer.get()?;
        println!("request {request}: {size}, in trace {trace}");
        assert_eq!(trace, TraceId::from(request));
    }

    // A later try and a stream are in it too.
    let _request = from_headers(3).attach();
    let mut tries = 0;
    let busy = move || {
        tries += 1;
        let tries = tries;
        try_work(move || if tries < 3 { Err("busy") } else { Ok(trace()) })
    };
    let tried = Retry::new(3).backoff(Duration::from_millis(1)).work(busy).spawn_on(&pool);
    assert_eq!(tried.get()?, TraceId::from(3));
    let all: Vec<TraceId> = pool.stream(0..100).map(|_| trace()).limit(8).collect()?;
    assert!(all.iter().all(|trace| *trace == TraceId::from(3)));
    println!("request 3: {} items, in the same trace", all.len());
    Ok(())
}
