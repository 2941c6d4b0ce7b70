//! Code as it is while it is being written: every prefix of every use of the macros, with what is
//! open closed, as an editor closes it.

use proc_macro2::{Group, TokenTree};

use super::corpus::corpus;
use super::expand;

/// `visit` gets every prefix, however deep it ends.
fn prefixes(tokens: &[TokenTree], visit: &mut dyn FnMut(Vec<TokenTree>)) {
    for (index, token) in tokens.iter().enumerate() {
        visit(tokens[..index].to_vec());
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            prefixes(&inner, &mut |prefix| {
                let closed = Group::new(group.delimiter(), prefix.into_iter().collect());
                visit(tokens[..index].iter().cloned().chain([closed.into()]).collect());
            });
        }
    }
    visit(tokens.to_vec());
}

#[test]
fn every_prefix_expands_and_keeps_the_users_words() {
    for (source, tokens) in corpus() {
        prefixes(&tokens, &mut |prefix| expand(&source, prefix.into_iter().collect()));
    }
}
