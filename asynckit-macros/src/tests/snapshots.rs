//! What expansions look like, and how large they are. `snapshots/` has what goes in (`*.in.rs`) and
//! what came out when somebody last looked (`*.out.rs`).
//!
//! If expansions change on purpose, write them anew with `SNAPSHOTS=overwrite cargo test -p
//! asynckit-macros`, and read the difference.

use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

/// `chain!(..)` as an expression, or a function with its attribute, expanded and formatted.
fn expanded(source: &str) -> (String, usize) {
    let tokens: Vec<TokenTree> =
        source.parse::<TokenStream>().expect("tokens").into_iter().collect();
    let file = match &tokens[..] {
        [TokenTree::Ident(_), TokenTree::Punct(_), TokenTree::Group(chain)] => {
            let expanded = crate::chain::expand(chain.stream());
            quote!(fn expanded() { #expanded })
        }
        [TokenTree::Punct(_), TokenTree::Group(attribute), item @ ..] => {
            let options = match attribute.stream().into_iter().nth(1) {
                Some(TokenTree::Group(options)) => options.stream(),
                _ => TokenStream::new(),
            };
            crate::async_work::expand(options, item.iter().cloned().collect())
        }
        _ => panic!("neither a chain nor an annotated function: {source}"),
    };
    let size = count(file.clone());
    let text = file.to_string();
    (prettyplease::unparse(&syn2::parse_file(&text).expect("an expansion is Rust")), size)
}

fn count(tokens: TokenStream) -> usize {
    let size = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(size).sum()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

#[test]
fn expansions_are_as_they_were() {
    let overwrite = env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).expect("the snapshots").map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".in.rs"));
    assert!(files.len() >= 8, "the snapshots are there");
    for file in files {
        let (now, _) = expanded(&fs::read_to_string(&file).unwrap());
        let kept = PathBuf::from(file.to_string_lossy().replace(".in.rs", ".out.rs"));
        if overwrite {
            fs::write(&kept, now).unwrap();
        } else {
            let before = fs::read_to_string(&kept).unwrap_or_default();
            assert!(now == before, "{} changed:\n{now}", kept.display());
        }
    }
}

#[test]
fn expansions_are_small() {
    let size = |source: &str| expanded(source).1;
    let empty = size("chain!(pool, {})");
    let plain = size("chain!(pool, { f(1); })") - empty;
    let lifted = size("chain!(pool, { f(a, &b); })") - empty;
    let work = size("#[async_work] fn f(a: u8) -> u8 { a }");
    assert!(plain <= 30, "a call without pending arguments: {plain} tokens");
    assert!(lifted <= 300, "a call with two: {lifted} tokens");
    assert!(work <= 150, "a function: {work} tokens");
}
