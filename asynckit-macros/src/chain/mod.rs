//! The expansion of `chain!`:
//!
//! ```text
//! match ::asynckit::__private::chain_place(&&pool) {
//!     ref place => {
//!         use ::asynckit::__private::{Hold as _, ..};
//!         { /* the block: `rewrite`, `call`, `argument` */ }
//!     }
//! }
//! ```

mod argument;
mod call;
mod pattern;
mod repeat;
mod rewrite;
mod statement;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Block, Expr, ExprBlock};

use crate::error::Mistakes;
use crate::mend::{blocks_of, mend};
use crate::parse::Chain;
use crate::support::{Place, Support, ends_of, local, ours_at};

use self::rewrite::Rewriter;

/// Expands the macro; half-written code as far as it goes, beside the message.
pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    let error = match syn::parse2::<Chain>(tokens.clone()) {
        Ok(chain) => return expand_chain(chain),
        Err(error) => error,
    };
    let mut mistakes = Mistakes::default();
    mistakes.push(error);
    let mistakes = mistakes.into_compile_errors();
    let rest = match syn::parse2::<Chain>(mend(tokens.clone())) {
        Ok(chain) => expand_chain(chain),
        Err(_) => blocks_of(tokens),
    };
    quote!({ #mistakes #rest })
}

fn expand_chain(chain: Chain) -> TokenStream {
    let support = Support::new(chain.krate);
    match without_groups(chain.body) {
        Expr::Async(body) => expand_async(&support, &chain.place, body.block),
        Expr::Block(ExprBlock { attrs, label: None, block }) if attrs.is_empty() => {
            expand_block(&support, &chain.place, block)
        }
        expression => {
            let (open, _) = ends_of(&expression);
            let block = Block {
                brace_token: syn::token::Brace(ours_at(open)),
                stmts: vec![syn::Stmt::Expr(expression, None)],
            };
            expand_block(&support, &chain.place, block)
        }
    }
}

/// A body that a macro was given as `$e:expr` comes in an invisible group; it may be the async form.
fn without_groups(body: Expr) -> Expr {
    match body {
        Expr::Group(group) if group.attrs.is_empty() => without_groups(*group.expr),
        body => body,
    }
}

/// The user's braces stand in braces of ours now, which would make them unnecessary.
fn disown_braces(block: &mut Block) {
    block.brace_token = syn::token::Brace(ours_at(block.brace_token.span.open()));
}

/// The traits whose methods the rewritten block calls.
fn traits(support: &Support) -> TokenStream {
    let path = support.public("__private");
    let names = ["EachUnchanged", "ProbedUnchanged", "Probe", "LooseStarted", "LooseUnchanged"]
        .map(|name| Ident::new(name, Span::mixed_site()));
    quote!(#[allow(unused_imports)] use #path::{#(#names as _),*};)
}

fn expand_block(support: &Support, place: &Expr, mut block: Block) -> TokenStream {
    let name = local("place");
    let shown = support.call_at("same", 1, name.to_token_stream(), &Place::of(place));
    Rewriter::new(support, &name, &shown, false).chain_block(&mut block);
    disown_braces(&mut block);
    let (traits, chain_place) = (traits(support), support.private("chain_place"));
    // Calls that never return leave what we wrote behind them unreachable.
    quote! {
        match #chain_place(&#place) { #[allow(unreachable_code)] ref #name => { #traits #block } }
    }
}

/// The block becomes a future of its own, whose `?` and `return` end the chain.
fn expand_async(support: &Support, place: &Expr, mut block: Block) -> TokenStream {
    let (name, borrowed) = (local("place"), local("borrowed"));
    let has_statements =
        Rewriter::new(support, &name, &name.to_token_stream(), true).chain_block(&mut block);
    disown_braces(&mut block);
    let traits = traits(support);
    let (open, close) = ends_of(place);
    let shown = support.call_at("same", 1, borrowed.to_token_stream(), &Place::of(place));
    let owned_place = support.call_at("owned_place", 1, shown, &Place::of(place));
    let chain_future = support.private("chain_future");
    let site = call::site(support, "chain", open, close);
    let body = match has_statements {
        true => {
            let (chain_place, whole) = (support.private("chain_place"), support.private("whole"));
            quote! {
                let #name = &#chain_place(&#name);
                #whole(#name, async move { #traits #block }).await
            }
        }
        false => quote!(#traits let #name = &#name; #block),
    };
    quote! {
        match #place {
            #[allow(unreachable_code)]
            ref #borrowed => {
                let #name = #owned_place;
                #chain_future(&::core::clone::Clone::clone(&#name), #site, async move { #body })
            }
        }
    }
}
