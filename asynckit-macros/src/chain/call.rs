//! The calls of a chain. What each becomes is told in `asynckit/src/__private/call.rs`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprBlock, ExprCall, ExprReference};

use crate::support::{Place, Support, ends_of, local, method, ours_at, parenthesized};

use super::argument::{Kind, is_place, is_plain_call, may_be_pending, ungroup};
use super::rewrite::Rewriter;

/// The place of a call, and the name of what it calls.
pub(super) fn site(support: &Support, name: &str, open: Span, close: Span) -> TokenStream {
    let path = support.private_at("call_site", open, close);
    let argument = parenthesized(quote!(&#name), close);
    quote!(#path #argument)
}

/// The values of an argument list: what they are made of, their pattern, and the arguments of the
/// call that is made with them.
struct Arguments {
    list: TokenStream,
    pattern: TokenStream,
    passed: Vec<TokenStream>,
    any: bool,
}

impl Rewriter<'_> {
    /// A call, held up to have the type of its value looked at; `None` if that is never work.
    pub(super) fn probed_call(&mut self, call: &mut ExprCall) -> Option<TokenStream> {
        if is_plain_call(call) {
            call.args.iter_mut().for_each(|argument| self.argument(argument));
            return None;
        }
        let attributes = std::mem::take(&mut call.attrs);
        let (open, close) = (ends_of(&call.func).0, call.paren_token.span.close());
        let arguments = self.arguments(call);
        let bound = self.bind_function(call);
        let is_match = arguments.any || bound.is_some();
        let mut probed = if arguments.any {
            self.lifted(call, arguments)
        } else {
            let probe = method("__probe", TokenStream::new(), ours_at(close));
            quote!(#call #probe)
        };
        if let Some((name, function)) = bound {
            probed = quote!(match #function { #[allow(unused_mut)] mut #name => #probed });
        }
        if is_match {
            // From the function's name to the end of the call, as the user's own call is.
            let same = self.support.private_at("same", open, close);
            let probed_there = parenthesized(probed, close);
            probed = quote!(#same #probed_there);
        }
        Some(quote!(#(#attributes)* #probed))
    }

    /// A function that is the value of an expression is evaluated once, before the arguments.
    fn bind_function(&mut self, call: &mut ExprCall) -> Option<(Ident, TokenStream)> {
        match ungroup(&call.func) {
            Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => None,
            _ => {
                let name = local("function");
                let named = Expr::Verbatim(name.to_token_stream());
                let mut function = std::mem::replace(&mut *call.func, named);
                self.expression(&mut function);
                let (_, close) = ends_of(&function);
                let function = ungroup(&function).to_token_stream();
                Some((name, parenthesized(function, ours_at(close))))
            }
        }
    }

    fn arguments(&mut self, call: &mut ExprCall) -> Arguments {
        let mut arguments = Arguments {
            list: TokenStream::new(),
            pattern: TokenStream::new(),
            passed: Vec::new(),
            any: call.args.iter().any(may_be_pending),
        };
        if !arguments.any {
            call.args.iter_mut().for_each(|argument| self.argument(argument));
            return arguments;
        }
        let mut inputs = Vec::new();
        let mut values = Vec::new();
        let end = call.paren_token.span.close();
        for (index, argument) in call.args.iter_mut().enumerate() {
            let place = Place::of(argument);
            let value = local(&format!("input{index}"));
            let input = match Kind::of(argument) {
                Kind::Constant => {
                    self.argument(argument);
                    arguments.passed.push(argument.to_token_stream());
                    continue;
                }
                Kind::Plain => {
                    self.argument(argument);
                    let plain = self.support.private("Plain");
                    arguments.passed.push(self.given(&value, &place));
                    quote!(#plain::new(#argument))
                }
                kind => {
                    arguments.passed.push(self.given(&value, &place));
                    match kind {
                        Kind::Lent => self.lent(argument),
                        _ => self.moved(argument, end),
                    }
                }
            };
            inputs.push(input);
            values.push(quote!(mut #value));
        }
        arguments.list = nested_pairs(inputs);
        arguments.pattern = nested_pairs(values);
        arguments
    }

    /// An argument that is passed as it is. Braces say so; they are not to be taken away.
    pub(super) fn argument(&mut self, argument: &mut Expr) {
        self.expression(argument);
        if let Expr::Block(ExprBlock { label: None, block, .. }) = argument {
            block.brace_token = syn::token::Brace(ours_at(block.brace_token.span.open()));
        }
    }

    /// `give(&mut input)`, at the user's argument.
    fn given(&self, value: &Ident, place: &Place) -> TokenStream {
        self.support.call_at("give", 1, quote!(&mut #value), place)
    }

    /// What looks at the argument stands at the `end` of the call, where no name of the user's is.
    fn moved(&mut self, argument: &mut Expr, end: Span) -> TokenStream {
        let probed = match ungroup_mut(argument) {
            Expr::Call(call) => self.probed_call(call).expect("a plain call is not moved"),
            place => {
                let probe = method("__probe", TokenStream::new(), ours_at(end));
                quote!(#place #probe)
            }
        };
        let each = method("__each", TokenStream::new(), ours_at(end));
        let argument = method("__arg", self.place_at(end), ours_at(end));
        quote!(#probed #each #argument)
    }

    fn lent(&mut self, argument: &mut Expr) -> TokenStream {
        let Expr::Reference(ExprReference { and_token, expr, .. }) = ungroup_mut(argument) else {
            unreachable!("only a reference is lent")
        };
        let (_, close) = ends_of(expr);
        let value = match ungroup_mut(expr) {
            Expr::Call(call) => {
                let probed = self.probed_call(call).expect("a plain call is not lent");
                let start = method("__start", self.place_at(close), ours_at(close));
                quote!(#probed #start)
            }
            place => place.to_token_stream(),
        };
        let and = and_token.span;
        let probe = self.support.private_at("probe", and, and);
        let value = parenthesized(quote!(#and_token #value), close);
        let lend = method("__lend", TokenStream::new(), and);
        quote!(#probe #value #lend)
    }

    /// A call that happens now or later, as its arguments are.
    fn lifted(&self, call: &ExprCall, arguments: Arguments) -> TokenStream {
        let Arguments { list, pattern, passed, .. } = arguments;
        let close = call.paren_token.span.close();
        let (open, _) = ends_of(&call.func);
        let function = &call.func;
        let call_with = {
            let mut passed_in = proc_macro2::Group::new(proc_macro2::Delimiter::Parenthesis, {
                // With the user's own commas, by which an editor counts.
                let commas = call.args.pairs().map(|pair| pair.punct().copied());
                passed.iter().zip(commas).map(|(passed, comma)| quote!(#passed #comma)).collect()
            });
            passed_in.set_span(call.paren_token.span.join());
            quote!(#function #passed_in)
        };
        let (now, later, here) = (local("now"), local("later"), local("here"));
        let (place, support) = (self.place, self.support);
        let lifted = support.private("Lifted");
        let lift = {
            let path = support.private_at("lift", open, close);
            let list = parenthesized(quote!(#place, #list), close);
            quote!(#path #list)
        };
        let probed = method("__probed", now.to_token_stream(), ours_at(close));
        let probe = method("__probe", TokenStream::new(), close);
        let finish = method("__finish", here.to_token_stream(), close);
        let site = site(support, &name_of(function), open, close);
        let task = {
            let same = support.private_at("same", open, close);
            let later = parenthesized(later.to_token_stream(), close);
            quote!(#same #later)
        };
        let later_call = {
            let begin = quote_spanned!(open=> move);
            quote!(#begin |#here, #pattern| #call_with #probe #finish)
        };
        let start = method("__call", quote!(#site, #later_call), close);
        let name = name_of(function);
        // `drop(a)` waits for `a`, even if that is a number.
        let waits = (name == "drop" || name.ends_with("::drop"))
            .then(|| quote!(dropping_copy_types, clippy::drop_non_drop,));
        quote! {
            match #lift {
                #[allow(unreachable_patterns, clippy::unit_arg, #waits)]
                #lifted::Now(#now, #pattern) => #call_with #probed,
                #[allow(unreachable_patterns, clippy::unit_arg, #waits)]
                #lifted::Later(#later) => #task #start,
            }
        }
    }
}

/// `(a, (b, (c, ())))`
fn nested_pairs(items: Vec<TokenStream>) -> TokenStream {
    items.into_iter().rev().fold(quote!(()), |rest, item| quote!((#item, #rest)))
}

fn ungroup_mut(expression: &mut Expr) -> &mut Expr {
    match expression {
        Expr::Group(group) => ungroup_mut(&mut group.expr),
        Expr::Paren(paren) => ungroup_mut(&mut paren.expr),
        other => other,
    }
}

/// The text of the function's path: `String::from_utf8`.
fn name_of(function: &Expr) -> String {
    match ungroup(function) {
        Expr::Path(path) => {
            let names = path.path.segments.iter().map(|segment| segment.ident.to_string());
            names.collect::<Vec<_>>().join("::")
        }
        field @ Expr::Field(_) if is_place(field) => {
            field.to_token_stream().to_string().replace(' ', "")
        }
        _ => "closure".to_owned(),
    }
}
