//! The statements of a chain: what a `let` binds, and what nobody binds.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, GenericArgument, Local, Pat, PathArguments, Stmt, Type};

use crate::support::{ends, local, method, ours_at};

use super::argument::ungroup;
use super::rewrite::{Rewriter, Wanted};

impl Rewriter<'_> {
    pub(super) fn statement(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::Local(binding) => self.local(binding),
            Stmt::Expr(assign @ Expr::Assign(_), _) => self.expression(assign),
            Stmt::Expr(value, _) => self.value(value, Wanted::Nothing),
            Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    fn local(&mut self, binding: &mut Local) {
        let Some(init) = &mut binding.init else {
            return;
        };
        if let Some((_, otherwise)) = &mut init.diverge {
            self.expression(otherwise);
        }
        let annotation = match &binding.pat {
            Pat::Type(typed) => Annotation::of(&typed.ty),
            _ => Annotation::None,
        };
        let is_tuple = match &binding.pat {
            Pat::Tuple(_) => true,
            Pat::Type(typed) => matches!(*typed.pat, Pat::Tuple(_)),
            _ => false,
        };
        let is_tuple = is_tuple && init.diverge.is_none();
        match annotation {
            Annotation::None | Annotation::Results if is_tuple => {
                self.value(&mut init.expr, Wanted::Parts);
            }
            Annotation::None | Annotation::Results => self.value(&mut init.expr, Wanted::Results),
            Annotation::Result => self.value(&mut init.expr, Wanted::Result),
            Annotation::ListOfAny => self.local_list(binding),
            Annotation::Coerces => self.receiver_or_expression(&mut init.expr),
            Annotation::Other => self.expression(&mut init.expr),
        }
    }

    /// `let pages: Vec<_> = urls.map(download).collect();`: the annotation decides what the value
    /// is, which in turn decides what the variable is.
    fn local_list(&mut self, binding: &mut Local) {
        let (Pat::Type(typed), Some(init)) = (&binding.pat, &mut binding.init) else {
            return;
        };
        let (list, ty) = (local("list"), &typed.ty);
        self.receiver_or_expression(&mut init.expr);
        let (open, close) = ends(&init.expr);
        let value = &init.expr;
        let hold = method("__hold", TokenStream::new(), ours_at(close));
        let each = method("__each", TokenStream::new(), ours_at(close));
        let start = method("__start", self.place_at(close), close);
        let mut ascribed = proc_macro2::Group::new(
            proc_macro2::Delimiter::Brace,
            quote!(let #list: #ty = #value; #list),
        );
        ascribed.set_span(ours_at(open));
        *init.expr = Expr::Verbatim(quote!(#ascribed #hold #each #start));
        binding.pat = (*typed.pat).clone();
    }
}

/// What the type of a `let` says about its value.
enum Annotation {
    /// `_`, or nothing at all.
    None,
    /// A result.
    Result,
    /// A list or tuple of results.
    Results,
    /// `Vec<_>`
    ListOfAny,
    /// What the value has to become: it is left alone, with all that is inferred from the type.
    Coerces,
    Other,
}

impl Annotation {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Infer(_) => Self::None,
            Type::Group(group) => Self::of(&group.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Tuple(tuple) if tuple.elems.iter().any(is_result) => Self::Results,
            Type::Path(path) => {
                let Some(last) = path.path.segments.last() else {
                    return Self::Other;
                };
                let element = match &last.arguments {
                    PathArguments::AngleBracketed(arguments) => arguments.args.first(),
                    _ => None,
                };
                match (last.ident.to_string().as_str(), element) {
                    ("AsyncResult", _) => Self::Result,
                    ("Vec", Some(GenericArgument::Type(Type::Infer(_)))) => Self::ListOfAny,
                    ("Vec", Some(GenericArgument::Type(ty))) if is_result(ty) => Self::Results,
                    ("Box" | "Rc" | "Arc" | "Pin" | "Work", Some(_)) => Self::Coerces,
                    _ => Self::Other,
                }
            }
            Type::Tuple(_) => Self::Other,
            _ => Self::Coerces,
        }
    }
}

fn is_result(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "AsyncResult")
}

impl Rewriter<'_> {
    /// Rewrites what stands inside of an expression whose own value is left alone.
    fn receiver_or_expression(&mut self, expression: &mut Expr) {
        if let Expr::Call(_) = ungroup(expression) {
            self.receiver(expression);
        } else {
            self.expression(expression);
        }
    }
}
