//! The expansion of `#[async_work]`:
//!
//! ```text
//! #[track_caller]
//! pub fn size<'work>(page: &'work [u8]) -> ::asynckit::Work<'work, usize> {
//!     ::asynckit::__private::work_moves_to_another_thread::<&'work [u8]>();
//!     ::asynckit::__private::sync_work(called(&"module::size", ..), AsValue, move || -> usize {
//!         let page = page;
//!         let value: usize = { /* the body */ };
//!         return value;
//!     })
//! }
//! ```
//!
//! The body is a closure's rather than a function's, so that it can name the generics of an
//! `impl` around it. Where it may fail, its errors are asked for the way that they travel:
//!
//! ```text
//! let body = move || -> io::Result<usize> { .. };
//! ::asynckit::__private::sync_work(called(&"module::size", ..), errors_of(&body).way(), body)
//! ```

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Lifetime, Meta, Token, parse_quote};

use crate::carried::Described;
use crate::error::Mistakes;
use crate::lifetimes::WorkLifetime;
use crate::model::{Output, Parameter, Value, has_impl_trait, is_simple};
use crate::order::{check_twice, moved_down};
use crate::parse::{Function, Options};
use crate::support::{Support, begin_at, ends, local, method, ours_at, parenthesized};
use crate::validate::mend_function;

/// Expands the attribute on `item`; whatever is wrong, something is left for the editor.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let written = options.clone();
    let mut options = Options::read(options, &mut mistakes);
    let work = match syn::parse2::<Function>(item.clone()) {
        Ok(mut function) => {
            check_twice(&mut function, &mut mistakes);
            mend_function(&mut function, &mut mistakes);
            if mistakes.is_empty()
                && let Some(ordered) = moved_down(&options, &written, &function, &item)
            {
                return ordered;
            }
            options.calls.mend(&function.signature, function.body.as_ref(), &mut mistakes);
            expand_function(&options, &function)
        }
        Err(error) => {
            mistakes.push(error);
            item
        }
    };
    let mistakes = mistakes.into_compile_errors();
    quote!(#mistakes #work)
}

fn expand_function(options: &Options, function: &Function) -> TokenStream {
    let support = Support::new(options.krate.clone());
    let signature = &function.signature;
    let lifetime = WorkLifetime::of(signature);
    let parameters = Parameter::all(signature, &lifetime);
    let output = Output::of(signature, options.errors, &lifetime);

    let attributes = attributes(&function.attributes);
    let (visibility, name) = (&function.visibility, &signature.ident);
    let mut generics = lifetime.bound(&signature.generics);
    // The header ends, as it begins, in a token of the user's: what is said of a function that nobody
    // calls is said of code that the user wrote.
    if let Some(conditions) = &mut generics.where_clause
        && !conditions.predicates.empty_or_trailing()
    {
        conditions.predicates.push_punct(Token![,](ends(&output.returned).1));
    }
    let (parameter_list, conditions) = (generic_parameters(&generics), &generics.where_clause);
    let begin = &signature.fn_token;
    let declarations = parameters.iter().map(|parameter| &parameter.declaration);
    let work = work_type(&support, &lifetime.name, &output);
    let body = match &function.body {
        Some(body) => work_body(&support, options, function, &lifetime, &parameters, &output, body),
        None => quote!(;),
    };
    quote! {
        #(#attributes)*
        #visibility #begin #name #parameter_list (#(#declarations),*) -> #work
        #conditions
        #body
    }
}

/// All that the user wrote, and `#[track_caller]`: the place of a piece of work is that of its
/// call. `Work` is `#[must_use]` already.
fn attributes(attributes: &[Attribute]) -> Vec<Attribute> {
    let is_path = |attribute: &Attribute, name: &str| matches!(&attribute.meta, Meta::Path(path) if path.is_ident(name));
    let mut kept: Vec<Attribute> =
        (attributes.iter()).filter(|attribute| !is_path(attribute, "must_use")).cloned().collect();
    if !kept.iter().any(|attribute| is_path(attribute, "track_caller")) {
        kept.push(parse_quote!(#[track_caller]));
    }
    kept
}

/// `<'a, T: Bound>`, without the where clause.
pub(crate) fn generic_parameters(generics: &syn::Generics) -> TokenStream {
    if generics.params.is_empty() {
        return TokenStream::new();
    }
    let params = &generics.params;
    quote!(<#params>)
}

/// `Work<'w, T>`, at the user's return type: that is where mistakes in it are to be told.
pub(crate) fn work_type(support: &Support, lifetime: &Lifetime, output: &Output) -> TokenStream {
    let (open, close) = ends(&output.returned);
    let work = begin_at(support.public("Work"), open);
    let value = value_type(support, output);
    let greater = quote_spanned!(close=> >);
    quote!(#work<#lifetime, #value #greater)
}

/// The `T` of `Work<'w, T>`.
fn value_type(support: &Support, output: &Output) -> TokenStream {
    match &output.value {
        Value::Plain(ty) | Value::Fallible(Some(ty)) => ty.to_token_stream(),
        Value::Never => support.private("Infallible"),
        Value::Fallible(None) => {
            let returned = &output.returned;
            let (open, close) = ends(returned);
            let fallible = support.private_at("Fallible", open, close);
            let (less, value) = (quote_spanned!(open=> <), quote_spanned!(close=> Value));
            quote!(#less #returned as #fallible>::#value)
        }
    }
}

fn work_body(
    support: &Support,
    options: &Options,
    function: &Function,
    lifetime: &WorkLifetime,
    parameters: &[Parameter],
    output: &Output,
    body: &Group,
) -> TokenStream {
    let checks = checks(support, parameters, output);
    let (span, body_as_written) = (body.span(), body);
    let name = function.signature.ident.unraw().to_string();
    let at = function.signature.fn_token.span;
    let origin = origin(&name);
    let call = call(support, &origin, at);
    // What is made later, such as another try, is of the same call.
    let called = if options.calls.are_made_later() {
        local("called").to_token_stream()
    } else {
        call.clone()
    };
    let bindings = parameters.iter().map(|parameter| &parameter.binding);
    let result = local("value");
    let is_async = function.signature.asyncness.is_some();
    let returned = match output.value {
        Value::Never => support.private("Infallible"),
        _ => output.annotation().to_token_stream(),
    };
    // What is temporary in the body's last expression is dropped before the parameters are.
    let tail = match output.value {
        Value::Never => {
            let mut body = body.clone();
            body.set_span(ours_at(body.span()));
            body.to_token_stream()
        }
        _ => quote! {
            // Nor is it a mistake to panic there.
            #[allow(clippy::diverging_sub_expression)]
            let #result: #returned = #body;
            // A body may never come to its end.
            #[allow(unreachable_code)]
            return #result;
        },
    };
    let fallible = matches!(output.value, Value::Fallible(_));
    let (open, close) = ends(&output.returned);
    let make = if is_async { "async_work" } else { "sync_work" };
    // A `return` in an async block coerces to its type only if that is known before.
    let returns = (is_async && !matches!(output.value, Value::Never)).then(|| {
        let option = quote!(::core::option::Option);
        quote!(if let #option::Some(#result) = #option::None::<#returned> { return #result; })
    });
    // The closure stands at the return type: one message about that type is enough.
    let mut block = Group::new(Delimiter::Brace, quote!(#(#bindings)* #returns #tail));
    block.set_span(close);
    let body = if is_async {
        quote_spanned!(open=> async move #block)
    } else {
        quote_spanned!(open=> move || -> #returned #block)
    };
    let made = if fallible {
        let (own, errors) = (local("body"), if is_async { "async_errors_of" } else { "errors_of" });
        let errors = support.private_at(errors, open, close);
        let of_own = parenthesized(quote_spanned!(close=> &#own), close);
        let way = method("way", TokenStream::new(), close);
        let make = support.private_at(make, open, close);
        let arguments = parenthesized(quote!(#called, #errors #of_own #way, #own), close);
        quote!({ let #own = #body; #make #arguments })
    } else {
        let (make, way) = (support.private(make), support.private("AsValue"));
        let arguments = parenthesized(quote!(#called, #way, #body), close);
        quote!(#make #arguments)
    };
    let described = Described {
        signature: &function.signature,
        lifetime,
        output,
        body: body_as_written,
        origin,
        call,
        called,
        value: value_type(support, output),
    };
    let work = options.calls.around(support, &described, parameters, made);
    let attributes = &function.inner_attributes;
    let mut block = Group::new(Delimiter::Brace, quote!(#(#attributes)* #checks return #work;));
    block.set_span(span);
    block.to_token_stream()
}

/// The name of the function.
fn origin(name: &str) -> TokenStream {
    quote!(::core::concat!(::core::module_path!(), "::", #name))
}

/// The call of the function, which stands here.
fn call(support: &Support, origin: &TokenStream, at: Span) -> TokenStream {
    let (called, defined) = (support.private("called"), support.private_at("defined", at, at));
    let arguments = parenthesized(TokenStream::new(), at);
    quote!(#called(&#origin, const { #defined #arguments }))
}

/// Each on the user's own type: what may not go to another thread, and what is no `Result`.
fn checks(support: &Support, parameters: &[Parameter], output: &Output) -> TokenStream {
    let travels = support.private("work_moves_to_another_thread");
    let mut checks = TokenStream::new();
    for (cfgs, ty) in parameters.iter().filter_map(|parameter| parameter.travels.as_ref()) {
        if is_simple(ty) {
            continue;
        }
        checks.extend(quote!(#cfgs #travels::<#ty>();));
    }
    match &output.value {
        Value::Plain(ty) | Value::Fallible(Some(ty)) if !has_impl_trait(ty) && !is_simple(ty) => {
            checks.extend(quote!(#travels::<#ty>();));
        }
        _ => {}
    }
    if let Value::Fallible(Some(_)) = output.value
        && !has_impl_trait(&output.returned)
    {
        let (is_result, returned) = (support.private("returns_a_result"), &output.returned);
        checks.extend(quote!(#is_result::<#returned>();));
    }
    checks
}
