//! From tokens to what was written.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, Expr, ExprLit, Ident, Lit, Path, Result, Signature, Token, Visibility,
};

use crate::error::Mistakes;
use crate::options::Calls;

/// The option by which an expansion tells the next one that the order of the attributes is settled.
pub(crate) const IS_LAST: &str = "__is_last";

/// What stands in `#[async_work(..)]`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) krate: Option<Path>,
    pub(crate) errors: Errors,
    pub(crate) calls: Calls,
    /// Whether the attribute stands where it is to stand, below those that change the function.
    pub(crate) is_last: bool,
}

/// Whether the error of a function travels apart from its value.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Errors {
    /// As the name of the return type says.
    #[default]
    ByName,
    /// `fallible`
    Travel,
    /// `plain`
    Stay,
}

impl Options {
    /// Reads what can be read; an option that is not understood changes nothing.
    pub(crate) fn read(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut options = Self::default();
        let read = |input: ParseStream| {
            while !input.is_empty() {
                if let Err(error) = options.read_one(input) {
                    mistakes.push(error);
                    skip_to_comma(input)?;
                }
                let _comma: Option<Token![,]> = input.parse()?;
            }
            Ok(())
        };
        if let Err(error) = syn::parse::Parser::parse2(read, tokens) {
            mistakes.push(error);
        }
        options
    }

    fn read_one(&mut self, input: ParseStream) -> Result<()> {
        const OPTIONS: &str = "unknown option: `#[async_work]` takes `fallible`, `plain`, `retry`, \
                               `backoff`, `timeout`, `deadline`, `limit`, `weight`, `rate`, `burst`, `priority`, `keep`, \
                               `remote` and `crate = path`";
        if input.peek(Token![crate]) {
            self.krate = Some(crate_option(input)?);
            return Ok(());
        }
        let name: Ident = input.parse().map_err(|error| Error::new(error.span(), OPTIONS))?;
        if let Some(read) = self.calls.read(&name, input) {
            return read;
        }
        if name == IS_LAST {
            self.is_last = true;
            return Ok(());
        }
        let errors = match name.to_string().as_str() {
            "fallible" => Errors::Travel,
            "plain" => Errors::Stay,
            _ => return Err(Error::new(name.span(), OPTIONS)),
        };
        if self.errors != Errors::ByName && self.errors != errors {
            return Err(Error::new(name.span(), "`fallible` and `plain` exclude each other"));
        }
        self.errors = errors;
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(Error::new(input.span(), format!("`{name}` takes no value")));
        }
        Ok(())
    }
}

fn skip_to_comma(input: ParseStream) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// `crate = path`, also as a string.
pub(crate) fn crate_option(input: ParseStream) -> Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    if input.peek(Lit) {
        let literal: ExprLit = input.parse()?;
        if let Lit::Str(path) = &literal.lit {
            return path.parse_with(Path::parse_mod_style);
        }
        return Err(Error::new_spanned(literal, "expected a path: `crate = path::to::asynckit`"));
    }
    input.call(Path::parse_mod_style)
}

/// The function below `#[async_work]`. Its body is never looked into.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    /// Those that the body begins with: `#![allow(..)]`, `//! ..`.
    pub(crate) inner_attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Option<Group>,
}

impl Parse for Function {
    fn parse(input: ParseStream) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let has_functions = input.peek(Token![impl]) || input.peek(Token![trait]);
        let not_a_function = |error: Error| {
            let rest = match has_functions {
                true => "annotate those that stand in here".to_owned(),
                false => error.to_string(),
            };
            Error::new(error.span(), format!("`#[async_work]` goes on a function: {rest}"))
        };
        let signature = input.parse().map_err(not_a_function)?;
        let mut inner_attributes = Vec::new();
        let body = match without_group(input.parse()?) {
            TokenTree::Punct(semicolon) if semicolon.as_char() == ';' => None,
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                let (attributes, body) = split_attributes(body)?;
                inner_attributes = attributes;
                Some(body)
            }
            other => {
                return Err(Error::new(other.span(), "expected the body of the function"));
            }
        };
        if !input.is_empty() {
            return Err(input.error("unexpected tokens after the function"));
        }
        Ok(Self { attributes, inner_attributes, visibility, signature, body })
    }
}

/// The attributes that a body begins with, and the rest of it.
fn split_attributes(body: Group) -> Result<(Vec<Attribute>, Group)> {
    let mut begin = body.stream().into_iter();
    let mut is_next =
        |wanted| matches!(begin.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    if !(is_next('#') && is_next('!')) {
        return Ok((Vec::new(), body));
    }
    let split = |input: ParseStream| Ok((input.call(Attribute::parse_inner)?, input.parse()?));
    let (attributes, rest) = syn::parse::Parser::parse2(split, body.stream())?;
    let mut bare = Group::new(Delimiter::Brace, rest);
    bare.set_span(body.span());
    Ok((attributes, bare))
}

/// What stands in an invisible group, as a fragment of `macro_rules!` does.
fn without_group(token: TokenTree) -> TokenTree {
    let TokenTree::Group(group) = &token else { return token };
    let mut inside = group.stream().into_iter();
    match (group.delimiter(), inside.next(), inside.next()) {
        (Delimiter::None, Some(only), None) => without_group(only),
        _ => token,
    }
}

/// What stands in `chain!(..)`.
pub(crate) struct Chain {
    pub(crate) krate: Option<Path>,
    pub(crate) place: Expr,
    pub(crate) body: Expr,
}

impl Parse for Chain {
    fn parse(input: ParseStream) -> Result<Self> {
        const SHAPE: &str = "a chain is written `chain!(&pool, { .. })`";
        let mut krate = None;
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            krate = Some(crate_option(input)?);
            input.parse::<Token![,]>()?;
        }
        if input.is_empty() {
            let message = format!("{SHAPE}: the pool and the work are missing");
            return Err(Error::new(input.span(), message));
        }
        let place = input.call(Expr::parse_without_eager_brace)?;
        if input.is_empty() {
            let message = match place {
                Expr::Block(_) | Expr::Async(_) => "the pool is missing before the block",
                _ => "the work is missing after the pool",
            };
            return Err(Error::new_spanned(place, format!("{SHAPE}: {message}")));
        }
        let comma = |error: Error| Error::new(error.span(), format!("{SHAPE}: expected a comma"));
        input.parse::<Token![,]>().map_err(comma)?;
        if input.is_empty() {
            let message = format!("{SHAPE}: the work is missing after the pool");
            return Err(Error::new(input.span(), message));
        }
        let body = input.parse()?;
        let _comma: Option<Token![,]> = input.parse()?;
        if !input.is_empty() {
            return Err(input.error(format!("{SHAPE}: there is one block or expression")));
        }
        Ok(Self { krate, place, body })
    }
}
