//! Spans across processes: a call says of which span it is a part, as W3C's `traceparent`, and what runs it has a span
//! that is a child of that, and says where the call comes from (`called_at`).
//!
//! The ids are those of OpenTelemetry's layer for `tracing`. Where a program has none, or without the feature, nothing
//! travels.

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Span, here};
#[cfg(feature = "tracing")]
pub(crate) use on::{Span, here};

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::wire::Call;

    /// The span of a call in its worker.
    pub(crate) struct Span;

    impl Span {
        pub(crate) fn of_call(_call: &Call, _function: &str) -> Span {
            Span
        }

        pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
            f()
        }
    }

    /// The span that this thread is in, as a `traceparent`.
    pub(crate) fn here() -> Option<String> {
        None
    }
}

#[cfg(feature = "tracing")]
mod on {
    use opentelemetry::Context;
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    };
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    use crate::wire::Call;

    /// The span of a call in its worker.
    pub(crate) struct Span(tracing::Span);

    impl Span {
        pub(crate) fn of_call(call: &Call, function: &str) -> Span {
            let name = format!("remote {function}");
            let span = tracing::info_span!("remote", otel.name = name, called_at = call.site);
            if let Some(parent) = call.trace.as_deref().and_then(parse) {
                // Nobody may be there to whom it means anything.
                let _ = span.set_parent(Context::new().with_remote_span_context(parent));
            }
            Span(span)
        }

        pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
            self.0.in_scope(f)
        }
    }

    /// The span that this thread is in, as a `traceparent`.
    pub(crate) fn here() -> Option<String> {
        let context = tracing::Span::current().context();
        let span = context.span();
        let span = span.span_context();
        let flags = span.trace_flags().to_u8();
        let text = || format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
        span.is_valid().then(text)
    }

    fn parse(text: &str) -> Option<SpanContext> {
        let mut parts = text.split('-');
        let mut next = |length: usize| parts.next().filter(|part| part.len() == length);
        let (_version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        let trace = TraceId::from_hex(trace).ok()?;
        let span = SpanId::from_hex(span).ok()?;
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
        let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
        parent.is_valid().then_some(parent)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_no_traceparent_is_no_parent() {
            let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            let span = parse(good).unwrap();
            assert_eq!(span.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
            assert!(span.is_remote() && span.is_sampled());
            let none = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
            for bad in ["", "00", "00-x-y-z", &good[..50], &good.replace('a', "\u{e4}"), none] {
                assert!(parse(bad).is_none(), "{bad}");
            }
        }
    }
}
