//! The code of a function, token by token: what tells whether it is still the same function.
//!
//! An encoding of our own, so that neither the compiler's version nor how the code is laid out changes it: without
//! spacing, comments, documentation and trailing commas, nor the comma after the block of a `match` arm. What
//! else `rustfmt` may rewrite (braces around an arm) is another code.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// The encoding: each token's kind, and its text up to a zero byte.
pub(crate) fn code(tokens: impl IntoIterator<Item = TokenStream>) -> Vec<u8> {
    let mut code = Vec::new();
    for part in tokens {
        encode(part, Around::Other, &mut code);
        code.push(b'\n');
    }
    code
}

/// Its tokens with one space between two.
pub(crate) fn text(tokens: TokenStream) -> String {
    let words = flat(tokens, Around::Other).into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let (open, close) = brackets(group.delimiter());
            format!("{open} {} {close}", text(group.stream())).replace("  ", " ")
        }
        other => other.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// What tokens stand in.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    /// Parentheses that are no list of arguments: with a comma, one value is a tuple.
    Tuple,
    Other,
}

fn encode(tokens: TokenStream, around: Around, code: &mut Vec<u8>) {
    let tokens = flat(tokens, around);
    for (place, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                let inside = match place.checked_sub(1).map(|before| &tokens[before]) {
                    _ if group.delimiter() != Delimiter::Parenthesis => Around::Other,
                    Some(before) if ends_in_a_callee(before) => Around::Other,
                    _ => Around::Tuple,
                };
                code.extend(open.bytes());
                encode(group.stream(), inside, code);
                code.extend(close.bytes());
            }
            TokenTree::Punct(punct) => {
                code.push(b'p');
                code.extend(punct.to_string().bytes());
                let is_same = |next: &TokenTree| matches!(next, TokenTree::Punct(next) if next.as_char() == punct.as_char());
                // `a && b` and `a & &b`; of all others one of the two is no Rust.
                let ambiguous = matches!(punct.as_char(), '&' | '|' | '<');
                if ambiguous
                    && punct.spacing() == Spacing::Joint
                    && tokens.get(place + 1).is_some_and(is_same)
                {
                    code.push(b'+');
                }
            }
            TokenTree::Ident(name) => word(b'i', &name.to_string(), code),
            TokenTree::Literal(literal) => word(b'l', &literal.to_string(), code),
        }
    }
}

fn word(kind: u8, text: &str, code: &mut Vec<u8>) {
    code.push(kind);
    code.extend(text.bytes());
    code.push(0);
}

/// The tokens, with those of invisible groups among them, and without what makes no difference.
fn flat(tokens: TokenStream, around: Around) -> Vec<TokenTree> {
    let mut all = Vec::new();
    open_up(tokens, &mut all);
    without_docs(&mut all);
    without_commas(all, around)
}

fn open_up(tokens: TokenStream, all: &mut Vec<TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                open_up(group.stream(), all);
            }
            token => all.push(token),
        }
    }
}

/// `#[doc ..]` and `#![doc ..]`.
fn without_docs(all: &mut Vec<TokenTree>) {
    let mut place = 0;
    while place < all.len() {
        let inner = usize::from(all.get(place + 1).is_some_and(|next| is_punct(next, '!')));
        let is_doc = is_punct(&all[place], '#')
            && matches!(all.get(place + 1 + inner), Some(TokenTree::Group(group)) if is_doc(group));
        if is_doc {
            all.drain(place..=place + 1 + inner);
        } else {
            place += 1;
        }
    }
}

fn is_doc(group: &Group) -> bool {
    let first = group.stream().into_iter().next();
    group.delimiter() == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(name)) if name == "doc")
}

fn without_commas(all: Vec<TokenTree>, around: Around) -> Vec<TokenTree> {
    let commas = all.iter().filter(|token| is_punct(token, ',')).count();
    let mut kept: Vec<TokenTree> = Vec::with_capacity(all.len());
    for (place, token) in all.iter().enumerate() {
        let dropped = is_punct(token, ',')
            && match all.get(place + 1) {
                None => around != Around::Tuple || commas > 1,
                // `<A, B,>`
                Some(next) if is_punct(next, '>') => true,
                // `=> { .. },`
                Some(_) => ends_an_arm(&all[..place]),
            };
        if !dropped {
            kept.push(token.clone());
        }
    }
    kept
}

fn ends_an_arm(before: &[TokenTree]) -> bool {
    matches!(before, [.., equals, greater, TokenTree::Group(block)]
        if is_punct(equals, '=') && is_punct(greater, '>') && block.delimiter() == Delimiter::Brace)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Whether parentheses after it are a list: of arguments, of parameters, of what stands in a macro.
fn ends_in_a_callee(token: &TokenTree) -> bool {
    const NONE: &[&str] = &[
        "as", "await", "break", "const", "dyn", "else", "for", "if", "impl", "in", "let", "match",
        "move", "mut", "ref", "return", "static", "where", "while", "yield",
    ];
    match token {
        TokenTree::Ident(name) => !NONE.iter().any(|keyword| name == keyword),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '>' | '!' | '?'),
        TokenTree::Group(_) => true,
        TokenTree::Literal(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> Vec<u8> {
        code([text.parse().unwrap()])
    }

    #[test]
    fn how_code_is_laid_out_makes_no_difference() {
        for (one, other) in [
            ("fn f(a: u8) { g(a) }", "/// What it is.\nfn f(\n  a: u8,\n) {\n  g(a,) // so\n}"),
            ("f::<A, B>(x)", "f::<\nA,\nB,\n>(x,)"),
            ("(a, b)", "(a, b,)"),
            ("[a, b]", "[ a, b, ]"),
            ("S { a, b: c }", "S { a, b: c, }"),
            ("match a { A => { 1 } B => 2 }", "match a { A => { 1 }, B => 2, }"),
            ("a&&b", "a && b"),
            ("x = -1", "x =-1"),
            ("Vec<Vec<u8>>", "Vec<Vec<u8> >"),
            ("{ #![doc = \"x\"] a }", "{ a }"),
        ] {
            assert_eq!(code_of(one), code_of(other), "{one} and {other}");
        }
    }

    #[test]
    fn other_code_is_other_code() {
        for (one, other) in [
            ("(a,)", "(a)"),
            ("return (a,)", "return (a)"),
            ("a && b", "a & &b"),
            ("a || b", "a | | b"),
            ("a << b", "a < < b"),
            ("f(A { b })", "f(A, { b })"),
            ("\"a b\"", "\"a  b\""),
            ("ab", "a b"),
            ("f(\"1\")", "f('1')"),
            ("#[cfg(x)] a", "a"),
            ("[a]", "(a)"),
        ] {
            assert_ne!(code_of(one), code_of(other), "{one} and {other}");
        }
    }

    /// What is kept on disk goes by it.
    #[test]
    fn the_encoding_stays() {
        let code = code_of("fn f(a: &str) -> u8 { /* none */ g(a, 1,)? }");
        let text = String::from_utf8(code).unwrap().replace('\0', "_");
        assert_eq!(text, "ifn_if_(ia_p:p&istr_)p-p>iu8_{ig_(ia_p,l1_)p?}\n");
    }

    #[test]
    fn the_text_has_one_space_between_two_tokens() {
        let tokens = "fn  f<'a>(x:&'a [u8],\n) -> ()".parse().unwrap();
        assert_eq!(text(tokens), "fn f < ' a > ( x : & ' a [ u8 ] ) - > ( )");
    }
}
