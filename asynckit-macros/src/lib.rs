//! The macros of `asynckit`, which re-exports and documents them. Depend on that crate.
//!
//! The way of the tokens: `parse` (what was written) → `model` and `lifetimes` (what it means) → `validate`
//! (what is wrong with it) → `async_work` and `chain` (what becomes of it). `order` is the order of attributes,
//! `options` what ours says about how calls are made (`values` reads what stands behind a `=`), `carried` about
//! where, `served` is the other side of that, and `code` is what tells a function from what it was before.
//! `support` says how expansions name things, `error` collects mistakes, `mend` fills the holes of half-written
//! code.

mod async_work;
mod carried;
mod chain;
mod code;
mod error;
mod lifetimes;
mod mend;
mod model;
mod options;
mod order;
mod parse;
mod served;
mod support;
#[cfg(test)]
mod tests;
mod unordered;
mod validate;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro::TokenStream;

/// The attribute that `asynckit` documents and re-exports.
#[proc_macro_attribute]
pub fn async_work(options: TokenStream, item: TokenStream) -> TokenStream {
    let original = item.clone();
    guarded(original, || async_work::expand(options.into(), item.into()).into())
}

/// The macro that `asynckit` documents and re-exports.
#[proc_macro]
pub fn chain(input: TokenStream) -> TokenStream {
    let original = mend::blocks_of(input.clone().into()).into();
    guarded(original, || chain::expand(input.into()).into())
}

/// Should an expansion panic, the user's own tokens stay, for the editor, beside a message.
fn guarded(original: TokenStream, expand: impl FnOnce() -> TokenStream) -> TokenStream {
    catch_unwind(AssertUnwindSafe(expand)).unwrap_or_else(|_| {
        let mut tokens: TokenStream = quote::quote!(
            ::core::compile_error! { "a macro of asynckit panicked: please report it" }
        )
        .into();
        tokens.extend(original);
        tokens
    })
}
