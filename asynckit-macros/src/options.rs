//! The options of `#[async_work]` that say how its calls are made: how often, for how long, how
//! many at once, and where (`carried`).
//!
//! ```text
//! let called = called(&"module::f", ..);
//! Work::deadline(retried(called, 3, Duration::new(0, 100_000_000), move || {
//!     let url = again(&url);
//!     Work::limit(Work::timeout(sync_work(called, AsValue, move || {
//!         /* the body */
//!     }), Duration::new(5, 0)), limit)
//! }), Duration::new(60, 0))
//! ```

use std::time::Duration;

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Expr, FnArg, Ident, ReceiverKind, Result, Signature, Type};

use crate::carried::{Carried, CarriedKind, Described};
use crate::error::Mistakes;
use crate::model::Parameter;
use crate::served;
use crate::support::{Support, local, parenthesized};
use crate::values::{duration, expression, number, once, priority, rate, seconds};

/// How calls are made.
#[derive(Default)]
pub(crate) struct Calls {
    retry: Option<Expr>,
    backoff: Option<(Ident, Duration)>,
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    limit: Option<Expr>,
    weight: Option<(Ident, Expr)>,
    rate: Option<(u32, Duration)>,
    burst: Option<(Ident, Expr)>,
    priority: Option<&'static str>,
    keep: Option<Carried>,
    remote: Option<Carried>,
}

impl Calls {
    /// Reads the value of one of these options; `None` for an option of another name.
    pub(crate) fn read(&mut self, name: &Ident, input: ParseStream) -> Option<Result<()>> {
        Some(match name.to_string().as_str() {
            "retry" => number(name, input).and_then(|n| once(name, &mut self.retry, n)),
            "limit" => number(name, input).and_then(|n| once(name, &mut self.limit, n)),
            "weight" => expression(name, input)
                .and_then(|e| once(name, &mut self.weight, (name.clone(), e))),
            "rate" => rate(name, input).and_then(|r| once(name, &mut self.rate, r)),
            "burst" => {
                number(name, input).and_then(|n| once(name, &mut self.burst, (name.clone(), n)))
            }
            "priority" => priority(name, input).and_then(|p| once(name, &mut self.priority, p)),
            "timeout" => duration(name, input).and_then(|d| once(name, &mut self.timeout, d)),
            "deadline" => duration(name, input).and_then(|d| once(name, &mut self.deadline, d)),
            "backoff" => {
                duration(name, input).and_then(|d| once(name, &mut self.backoff, (name.clone(), d)))
            }
            "keep" => Carried::read(name, CarriedKind::Keep, input)
                .and_then(|keep| once(name, &mut self.keep, keep)),
            "remote" => Carried::read(name, CarriedKind::Remote, input)
                .and_then(|remote| once(name, &mut self.remote, remote)),
            _ => return None,
        })
    }

    /// Whether any of its calls is made after the call of the function: again, or if nobody else carries it out.
    pub(crate) fn are_made_later(&self) -> bool {
        self.retry.is_some() || self.keep.is_some() || self.remote.is_some()
    }

    /// Reports what does not go together, and leaves it out.
    pub(crate) fn mend(
        &mut self,
        signature: &Signature,
        body: Option<&Group>,
        mistakes: &mut Mistakes,
    ) {
        if self.retry.is_none()
            && let Some((name, _)) = self.backoff.take()
        {
            mistakes.add(name, "`backoff` is the pause between tries: add `retry = 3`");
        }
        if self.limit.is_none()
            && let Some((name, _)) = self.weight.take()
        {
            mistakes.add(name, "`weight` is how much of the limit a call takes: add `limit = 16`");
        }
        if self.rate.is_none()
            && let Some((name, _)) = self.burst.take()
        {
            mistakes
                .add(name, "`burst` is how many calls may begin at once: add `rate = \"10/s\"`");
        }
        if self.retry.is_some()
            && let Some(FnArg::Receiver(receiver)) = signature.inputs.first()
            && !is_borrowed(&receiver.kind)
        {
            mistakes.add(
                receiver.self_token,
                "`self` moves into the first try and can't be had again for another one: take \
                 `&self`, or do without `retry`",
            );
            self.retry = None;
        }
        // What both need of the value is said once.
        let keeps = self.keep.is_some();
        self.keep.take_if(|keep| !keep.suits(signature, true, mistakes));
        self.remote.take_if(|remote| !remote.suits(signature, !keeps, mistakes));
        self.remote.take_if(|_| !served::suits(signature, body, mistakes));
    }

    /// The expression that makes the work, from the one that makes it for one try.
    pub(crate) fn around(
        &self,
        support: &Support,
        function: &Described<'_>,
        parameters: &[Parameter],
        work: TokenStream,
    ) -> TokenStream {
        let mut work = work;
        let Described { call, called, .. } = function;
        let of_work = support.public("Work");
        if let Some(limit) = self.timeout {
            let limit = seconds(limit);
            work = quote!(#of_work::timeout(#work, #limit));
        }
        match &self.remote {
            None => {
                work = self.by_rate(support, work);
                work = self.limited(support, parameters, work);
            }
            Some(remote) => work = self.sent(remote, support, function, parameters, work),
        }
        if let Some(retries) = &self.retry {
            let retried = support.private("retried");
            let backoff = self.backoff.as_ref().map_or(Duration::ZERO, |(_, pause)| *pause);
            let backoff = seconds(backoff);
            let arguments = parameters.iter().filter_map(|parameter| parameter.argument.as_ref());
            let again = arguments.map(|argument| argument.again(support));
            work = quote!(#retried(#called, #retries, #backoff, move || { #(#again)* #work }));
        }
        if let Some(keep) = &self.keep {
            work = keep.around(support, function, parameters, TokenStream::new(), work);
        }
        if self.are_made_later() {
            work = quote!({ let #called = #call; #work });
        }
        if let Some(limit) = self.deadline {
            let limit = seconds(limit);
            work = quote!(#of_work::deadline(#work, #limit));
        }
        if let Some(priority) = self.priority {
            let (of, priority) =
                (support.public("Priority"), Ident::new(priority, Span::mixed_site()));
            work = quote!(#of_work::priority(#work, #of::#priority));
        }
        work
    }

    /// The same, where it may go out. A mere limit holds where calls are carried out, so that it can hold for all who
    /// send some. Turns of a rate, and how much of a limit a call takes, are seen to before it goes out: what waits for
    /// them would keep others from running there, and each place would count for itself.
    fn sent(
        &self,
        remote: &Carried,
        support: &Support,
        function: &Described<'_>,
        parameters: &[Parameter],
        work: TokenStream,
    ) -> TokenStream {
        let is_weighed = self.weight.is_some();
        let work = if is_weighed { work } else { self.limited(support, parameters, work) };
        let limit = self.limit.as_ref().filter(|_| !is_weighed);
        let limit = limit.map(|most| quote!(.with_limit(#most)));
        let timeout = self.timeout.map(|limit| {
            let limit = seconds(limit);
            quote!(.with_timeout(#limit))
        });
        let work = remote.around(support, function, parameters, quote!(#limit #timeout), work);
        let work = self.by_rate(support, work);
        // Who has to wait for room takes no turn before: several would begin at once by turns that are long past.
        let waits_here = is_weighed || self.rate.is_some();
        if waits_here { self.limited(support, parameters, work) } else { work }
    }

    /// As often as the `rate` says, if there is one.
    fn by_rate(&self, support: &Support, work: TokenStream) -> TokenStream {
        let Some((count, period)) = self.rate else { return work };
        let (of_work, rate) = (support.public("Work"), support.private("StaticRate"));
        let (own, period) = (local("rate"), seconds(period));
        let burst = self.burst.as_ref().map_or_else(|| quote!(1), |(_, most)| quote!(#most));
        quote!({
            let #own = {
                static __ASYNCKIT_RATE: #rate = #rate::new(#count, #period, #burst);
                &__ASYNCKIT_RATE
            };
            #of_work::rate(#work, #own)
        })
    }

    /// As many at once as the `limit` says, if there is one.
    fn limited(
        &self,
        support: &Support,
        parameters: &[Parameter],
        work: TokenStream,
    ) -> TokenStream {
        let Some(most) = &self.limit else { return work };
        let (of_work, limit) = (support.public("Work"), support.private("StaticLimit"));
        let own = local("limit");
        // Asked for while the arguments are still there.
        let weighed = self.weight.as_ref().map(|(name, expression)| {
            let weight = support.private_at("weight", name.span(), name.span());
            let expression = parenthesized(over(parameters, expression), name.span());
            quote!(let #own = &#own.take(#weight #expression);)
        });
        quote!({
            let #own = {
                static __ASYNCKIT_LIMIT: #limit = #limit::new(#most);
                &__ASYNCKIT_LIMIT
            };
            #weighed
            #of_work::limit(#work, #own)
        })
    }
}

/// An argument by its name, with the `#[cfg]`s of the parameter.
pub(crate) struct Argument {
    pub(crate) cfgs: TokenStream,
    pub(crate) name: Ident,
    /// As the user has written it, unless it is a pattern.
    pub(crate) written: Option<Ident>,
    /// Where the user's pattern for it begins.
    pub(crate) at: Span,
}

impl Argument {
    /// Has it again for another try; a mistake is told at the parameter.
    fn again(&self, support: &Support) -> TokenStream {
        let Self { cfgs, name, at, .. } = self;
        let again = support.private_at("again", *at, *at);
        // What is said of the argument is said of a name that stands at the user's pattern.
        let first = Ident::new("first", *at);
        let arguments = parenthesized(first.to_token_stream(), *at);
        quote!(#cfgs let #name = { let #first = &#name; #again #arguments };)
    }
}

/// An expression of the user's over the arguments, which are lent to it.
pub(crate) fn over(parameters: &[Parameter], expression: &Expr) -> TokenStream {
    let arguments = parameters.iter().filter_map(|parameter| parameter.argument.as_ref());
    let lent = arguments.filter_map(|Argument { cfgs, name, written, .. }| {
        let written = written.as_ref()?;
        Some(quote!(#cfgs #[allow(unused_variables)] let #written = &#name;))
    });
    quote!({ #(#lent)* #expression })
}

fn is_borrowed(kind: &ReceiverKind) -> bool {
    match kind {
        ReceiverKind::Reference(..) => true,
        ReceiverKind::Typed(_, ty) => matches!(**ty, Type::Reference(_)),
        _ => false,
    }
}
