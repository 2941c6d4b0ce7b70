//! Half-written code, as an editor sees it all the time, made into code that parses.
//!
//! Only tokens that did not parse come here, and a mistake is reported beside what this makes of
//! them; it is there for completion and for the colours of the rest.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, TokenStream, TokenTree};
use quote::quote;

use crate::support::ours_at;

/// Fills the usual holes.
pub(crate) fn mend(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().map(mend_inside).collect();
    let mut mended = TokenStream::new();
    for (index, token) in tokens.iter().enumerate() {
        mended.extend([token.clone()]);
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        let after = tokens.get(index + 1);
        if is_lone_dot(before, token, after) && ends_here(after) {
            // A name for what is being typed, at the place where it is typed.
            mended.extend([TokenTree::Ident(Ident::new("__", token.span()))]);
            mended.extend(semicolon_before(after));
        } else if wants_operand(token) && ends_here(after) {
            mended.extend(quote!(::core::todo!()));
            mended.extend(semicolon_before(after));
        } else if is_operand_end(token) && after.is_some_and(is_operand_start) {
            mended.extend([semicolon()]);
        }
    }
    mended
}

fn mend_inside(token: TokenTree) -> TokenTree {
    let TokenTree::Group(group) = token else {
        return token;
    };
    let mut mended = Group::new(group.delimiter(), mend(group.stream()));
    mended.set_span(group.span());
    TokenTree::Group(mended)
}

fn semicolon() -> TokenTree {
    TokenTree::Punct(Punct::new(';', Spacing::Alone))
}

fn semicolon_before(next: Option<&TokenTree>) -> Option<TokenTree> {
    let TokenTree::Ident(_) = next? else {
        return None;
    };
    Some(semicolon())
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// A dot that is no part of `..`
fn is_lone_dot(before: Option<&TokenTree>, token: &TokenTree, after: Option<&TokenTree>) -> bool {
    is_punct(Some(token), '.') && !is_punct(before, '.') && !is_punct(after, '.')
}

/// Whether a statement or argument ends before this token, or a new one begins.
fn ends_here(next: Option<&TokenTree>) -> bool {
    match next {
        None => true,
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ';' | ','),
        Some(TokenTree::Ident(word)) => STATEMENT_WORDS.iter().any(|begins| word == begins),
        Some(_) => false,
    }
}

fn wants_operand(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct)
        if punct.spacing() == Spacing::Alone && "=&+-*/<>".contains(punct.as_char()))
}

const STATEMENT_WORDS: [&str; 8] =
    ["let", "if", "for", "while", "loop", "match", "return", "break"];

/// Words after which an expression goes on.
const JOINING_WORDS: [&str; 22] = [
    "as", "in", "else", "if", "let", "mut", "ref", "match", "while", "for", "loop", "return",
    "break", "move", "async", "unsafe", "await", "fn", "const", "static", "struct", "where",
];

fn is_operand_end(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => word == "await" || !JOINING_WORDS.iter().any(|join| word == join),
        TokenTree::Literal(_) => true,
        TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
        TokenTree::Punct(punct) => punct.as_char() == '?',
    }
}

fn is_operand_start(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => {
            STATEMENT_WORDS.iter().any(|begins| word == begins && word != "if")
                || !JOINING_WORDS.iter().any(|join| word == join)
        }
        TokenTree::Literal(_) => true,
        _ => false,
    }
}

/// The braces of the tokens alone, for when not even the mended tokens parse.
pub(crate) fn blocks_of(tokens: TokenStream) -> TokenStream {
    let block = |token| match token {
        TokenTree::Group(mut group) if group.delimiter() == Delimiter::Brace => {
            group.set_span(ours_at(group.span()));
            Some(TokenTree::Group(group))
        }
        _ => None,
    };
    tokens.into_iter().filter_map(block).collect()
}
