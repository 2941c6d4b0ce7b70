//! All chains and annotated functions of this repository's tests and examples, as tokens.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Which macro tokens are for; of an attribute, with its options.
pub(super) enum Source {
    Chain,
    Function(TokenStream),
}

/// Every use of the macros. A packaged crate has none: its tests are elsewhere.
pub(super) fn corpus() -> Vec<(Source, Vec<TokenTree>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut uses = Vec::new();
    for folder in ["tests/it", "tests/ui/pass", "tests/ui/rustc", "tests/ui/fail", "examples"] {
        let Ok(files) = fs::read_dir(root.join(folder)) else { continue };
        for file in files.map(|file| file.expect("a file").path()) {
            if file.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("text");
            let tokens: TokenStream = text.parse().expect("a file of Rust");
            collect(&tokens.into_iter().collect::<Vec<_>>(), &mut uses);
        }
    }
    if root.join("tests/it").exists() {
        assert!(uses.len() > 500, "only {} uses were found", uses.len());
    }
    uses
}

fn collect(tokens: &[TokenTree], uses: &mut Vec<(Source, Vec<TokenTree>)>) {
    for (index, token) in tokens.iter().enumerate() {
        match tokens.get(index..) {
            Some([TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Group(group), ..])
                if name == "chain" =>
            {
                uses.push((Source::Chain, group.stream().into_iter().collect()));
            }
            Some([TokenTree::Punct(hash), TokenTree::Group(group), ..])
                if hash.as_char() == '#' =>
            {
                let attribute: Vec<TokenTree> = group.stream().into_iter().collect();
                let options = match &attribute[..] {
                    [TokenTree::Ident(name)] if name == "async_work" => TokenStream::new(),
                    [TokenTree::Ident(name), TokenTree::Group(options)] if name == "async_work" => {
                        options.stream()
                    }
                    _ => continue,
                };
                let item = &tokens[index + 2..];
                let end = item.iter().position(ends_item).map_or(item.len(), |end| end + 1);
                uses.push((Source::Function(options), item[..end].to_vec()));
            }
            _ => {}
        }
        if let TokenTree::Group(group) = token {
            collect(&group.stream().into_iter().collect::<Vec<_>>(), uses);
        }
    }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}
