//! The macros as functions from tokens to tokens.

mod corpus;
mod fuzz;
mod garbled;
mod prefixes;
mod snapshots;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Expands what stands in `chain!(..)`, or the function below `#[async_work]`, and looks at what
/// comes out: whatever went in, it is no panic, and the user's own words are still there.
#[track_caller]
fn expand(source: &corpus::Source, tokens: TokenStream) {
    let (kept, expanded) = match source {
        corpus::Source::Chain => {
            (groups(tokens.clone(), Delimiter::Brace), crate::chain::expand(tokens.clone()))
        }
        corpus::Source::Function(options) => {
            let mut kept = groups(tokens.clone(), Delimiter::Brace);
            if !kept.is_empty() {
                kept.extend(groups(tokens.clone(), Delimiter::Parenthesis));
            }
            (kept, crate::async_work::expand(options.clone(), tokens.clone()))
        }
    };
    let found = words(expanded);
    for word in words(kept) {
        assert!(found.contains(&word), "`{word}` is lost in the expansion of: {tokens}");
    }
}

/// What an editor is to find again, even if nothing else is understood.
fn groups(tokens: TokenStream, wanted: Delimiter) -> TokenStream {
    let is_wanted =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == wanted);
    tokens.into_iter().filter(is_wanted).collect()
}

/// The names in it, but for keywords.
fn words(tokens: TokenStream) -> Vec<String> {
    let mut all = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                if syn::parse_str::<syn::Ident>(&word).is_ok() {
                    all.push(word);
                }
            }
            TokenTree::Group(group) => all.extend(words(group.stream())),
            _ => {}
        }
    }
    all
}
