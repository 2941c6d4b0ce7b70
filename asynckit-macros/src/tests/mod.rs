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
        corpus::Source::Chain => (blocks(tokens.clone()), crate::chain::expand(tokens.clone())),
        corpus::Source::Function(options) => {
            (tokens.clone(), crate::async_work::expand(options.clone(), tokens.clone()))
        }
    };
    let found = words(expanded);
    for word in words(kept) {
        assert!(found.contains(&word), "`{word}` is lost in the expansion of: {tokens}");
    }
}

/// What an editor is to find again, even if nothing else of a chain is understood.
fn blocks(tokens: TokenStream) -> TokenStream {
    let is_block = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    tokens.into_iter().filter(is_block).collect()
}

/// The names in it. Keywords go where what they mean is not taken.
fn words(tokens: TokenStream) -> Vec<String> {
    const TAKEN: [&str; 7] = ["const", "unsafe", "extern", "test", "must_use", "return", "_"];
    let mut all = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(word) if !TAKEN.iter().any(|taken| word == taken) => {
                all.push(word.to_string());
            }
            TokenTree::Group(group) => all.extend(words(group.stream())),
            _ => {}
        }
    }
    all
}
