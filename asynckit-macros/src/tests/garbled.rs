//! The macros take whatever an editor gives them: code with a token missing, twice, or in the
//! wrong place never makes them panic.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

const FUNCTION: &str = r#"
    /// Documented.
    #[must_use]
    pub fn load<'a, T: Into<String> + Send, const N: usize>(
        &self, #[cfg(unix)] mut url: &'a str, (a, _): (u8, [T; N]), _x: impl Fn(&u8) + Send,
    ) -> std::io::Result<Vec<u8>> where T: Clone { url.len(); Ok(vec![a]) }
"#;

const CHAIN: &str = r#"
    crate = some::path, &pool, {
        let a = download("hello".into());
        let (b, c) = split(&a, x.y.clone(), { a }, |n| n + 1, -1)?;
        let pages: Vec<_> = urls.map(download).collect();
        if ok(a) && !b { return merge(size(&a), 1); } else { client.get(u); }
        'outer: for i in 0..3 { total = merge(total, i); break 'outer; }
        match c { Some(d) if d > 1 => log(d), _ => (f)(1)(a) };
        (b, vec![c], merge(a, b).await?)
    }
"#;

/// `change` gets each place in the tokens, however deep, in turn.
fn variations(
    tokens: &[TokenTree],
    change: &dyn Fn(&[TokenTree], usize) -> Vec<TokenTree>,
) -> Vec<TokenStream> {
    let mut all = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        all.push(change(tokens, index).into_iter().collect());
        let TokenTree::Group(group) = token else {
            continue;
        };
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        for variation in variations(&inner, change) {
            let mut changed = tokens.to_vec();
            changed[index] = Group::new(group.delimiter(), variation).into();
            all.push(changed.into_iter().collect());
        }
    }
    all
}

fn without(tokens: &[TokenTree], index: usize) -> Vec<TokenTree> {
    let mut changed = tokens.to_vec();
    changed.remove(index);
    changed
}

fn twice(tokens: &[TokenTree], index: usize) -> Vec<TokenTree> {
    let mut changed = tokens.to_vec();
    changed.insert(index, tokens[index].clone());
    changed
}

fn up_to(tokens: &[TokenTree], index: usize) -> Vec<TokenTree> {
    tokens[..index].to_vec()
}

fn exchanged(tokens: &[TokenTree], index: usize) -> Vec<TokenTree> {
    let mut changed = tokens.to_vec();
    changed.swap(index, tokens.len() - 1 - index);
    changed
}

fn bracketed(tokens: &[TokenTree], index: usize) -> Vec<TokenTree> {
    let mut changed = tokens.to_vec();
    let inner = tokens[index..].iter().cloned().collect();
    changed[index] = Group::new(Delimiter::None, inner).into();
    changed
}

fn expand_each(source: &str, expand: impl Fn(TokenStream) -> TokenStream) {
    let source: TokenStream = source.parse().expect("tokens");
    let tokens: Vec<TokenTree> = source.into_iter().collect();
    for change in [without, twice, up_to, exchanged, bracketed] {
        for variation in variations(&tokens, &change) {
            assert!(!expand(variation.clone()).is_empty() || variation.is_empty());
        }
    }
}

#[test]
fn garbled_functions_expand_to_something() {
    let none = TokenStream::new;
    expand_each(FUNCTION, |tokens| crate::async_work::expand(none(), tokens));
    let function: TokenStream = FUNCTION.parse().expect("tokens");
    expand_each("crate = some::path, plain, fallible = 5", |options| {
        crate::async_work::expand(options, function.clone())
    });
}

#[test]
fn garbled_chains_expand_to_something() {
    expand_each(CHAIN, crate::chain::expand);
    let in_future = CHAIN.replacen('{', "async move {", 1);
    expand_each(&in_future, crate::chain::expand);
}
