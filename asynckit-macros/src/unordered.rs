//! What `keep` has to say of arguments that come in another order each time: a warning, at the type, as
//! the calls work and are only computed again and again.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

use crate::support::ours_at;

/// Types of the standard library whose values have an order, which says nothing.
const UNORDERED: [(&str, &str); 2] = [("HashMap", "BTreeMap"), ("HashSet", "BTreeSet")];

/// Code that the compiler warns of, where such a type stands in the type of an argument.
pub(crate) fn warning(ty: &Type) -> Option<TokenStream> {
    let (found, instead) = find(ty.to_token_stream())?;
    let note = format!(
        "a `{found}` has another order in each run, so that `keep` takes it for another argument and computes the call \
         again: take a `{instead}`. (Where the order stays the same, `#[allow(deprecated)]` on this function says so.)"
    );
    let at = ours_at(found.span());
    let name = Ident::new("unordered_argument", at);
    let call = quote_spanned!(at=> #name());
    Some(quote!({
        #[deprecated(note = #note)]
        const fn #name() {}
        #call;
    }))
}

fn find(tokens: TokenStream) -> Option<(Ident, &'static str)> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => find(group.stream()),
        TokenTree::Ident(name) => {
            let (_, instead) = UNORDERED.iter().find(|(unordered, _)| name == unordered)?;
            Some((name, *instead))
        }
        _ => None,
    })
}
