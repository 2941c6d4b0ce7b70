//! The order of attributes: those that change the function come before `#[async_work]`.
//!
//! An attribute like `#[tracing::instrument]` rewrites a body, and has to find that of the function,
//! not one that makes work. Above `#[async_work]` it does so by itself. From below it is moved up:
//!
//! ```text
//! #[tracing::instrument]
//! #[asynckit::async_work(__is_last, ..)]
//! fn size(page: &[u8]) -> usize { .. }
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Attribute;
use syn::parse::{ParseStream, Parser};

use crate::error::Mistakes;
use crate::parse::{Function, IS_LAST, Options};
use crate::support::Support;

/// Attributes of the language, which leave the function as it is. (One that is missing here is moved
/// up as well, and changes nothing there.)
const OF_THE_LANGUAGE: &[&str] = &[
    "allow",
    "cfg",
    "cfg_attr",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "link_section",
    "must_use",
    "no_mangle",
    "should_panic",
    "target_feature",
    "track_caller",
    "unsafe",
    "warn",
];

/// Tools whose attributes the compiler passes over.
const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

fn may_change_the_function(attribute: &Attribute) -> bool {
    let segments = &attribute.path().segments;
    match segments.first() {
        Some(only) if segments.len() == 1 => {
            !OF_THE_LANGUAGE.iter().any(|known| only.ident == known)
        }
        Some(first) => !TOOLS.iter().any(|tool| first.ident == tool),
        None => false,
    }
}

/// The item with `#[async_work]` below those attributes, if any stands below it.
pub(crate) fn moved_down(
    options: &Options,
    written: &TokenStream,
    function: &Function,
    item: &TokenStream,
) -> Option<TokenStream> {
    if options.is_last || !function.attributes.iter().any(may_change_the_function) {
        return None;
    }
    let split = |input: ParseStream| -> syn::Result<(Vec<Attribute>, TokenStream)> {
        Ok((input.call(Attribute::parse_outer)?, input.parse()?))
    };
    let (attributes, rest) = split.parse2(item.clone()).ok()?;
    let ours = Support::new(options.krate.clone()).public("async_work");
    let is_last = Ident::new(IS_LAST, Span::mixed_site());
    Some(quote! {
        #(#attributes)*
        #[#ours(#is_last, #written)]
        #rest
    })
}

/// Takes a second `#[async_work]` away.
pub(crate) fn check_twice(function: &mut Function, mistakes: &mut Mistakes) {
    let is_ours = |attribute: &mut Attribute| {
        attribute.path().segments.last().is_some_and(|last| last.ident == "async_work")
    };
    for attribute in function.attributes.extract_if(.., is_ours) {
        mistakes.add(attribute, "the function is `#[async_work]` already");
    }
}
