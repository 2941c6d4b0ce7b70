//! Patterns of tuples, over values that may be pending: `let (a, (b, c)) = split(page);`.
//!
//! A pending tuple is a tuple of pending parts once it is taken apart. A part that has a pattern of
//! its own is then taken apart in turn:
//!
//! ```text
//! let (a, (b, c)) = match split(page)..__take_apart() {
//!     (part0, part1) => (part0, part1.__hold().__take_apart()),
//! };
//! ```

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprRange, ExprTuple, Pat, PatTuple};

use crate::support::{local, method, ours_at};

use super::argument::{is_place, ungroup};
use super::rewrite::{Rewriter, Wanted};

/// What a pattern asks for.
pub(super) enum Shape {
    /// A part that is bound as it is.
    Whole,
    /// `..`
    Rest,
    /// A part that is taken apart, with the place of the pattern's end.
    Parts(Vec<Shape>, Span),
}

impl Shape {
    /// The shape of a pattern of a `let`, if that is a tuple's.
    pub(super) fn of_pattern(pattern: &Pat) -> Option<Self> {
        match pattern {
            Pat::Tuple(PatTuple { elems, paren_token, .. }) => {
                let part = |part: &Pat| match part {
                    Pat::Rest(_) => Self::Rest,
                    part => Self::of_pattern(part).unwrap_or(Self::Whole),
                };
                Some(Self::Parts(elems.iter().map(part).collect(), paren_token.span.close()))
            }
            Pat::Type(typed) => Self::of_pattern(&typed.pat),
            Pat::Paren(paren) => Self::of_pattern(&paren.pat),
            _ => None,
        }
    }

    /// The same of the left side of an assignment.
    pub(super) fn of_assignee(assignee: &Expr) -> Option<Self> {
        let Expr::Tuple(ExprTuple { elems, paren_token, .. }) = ungroup(assignee) else {
            return None;
        };
        let part = |part: &Expr| match part {
            Expr::Range(ExprRange { start: None, end: None, .. }) => Self::Rest,
            part => Self::of_assignee(part).unwrap_or(Self::Whole),
        };
        Some(Self::Parts(elems.iter().map(part).collect(), paren_token.span.close()))
    }

    fn is_nested(&self) -> bool {
        matches!(self, Self::Parts(parts, _)
            if parts.iter().any(|part| matches!(part, Self::Parts(..))))
    }
}

/// The part of a pattern that is for one of a tuple's elements.
fn part_at(parts: &[Shape], index: usize, count: usize) -> Option<&Shape> {
    match parts.iter().position(|part| matches!(part, Shape::Rest)) {
        Some(rest) if index >= rest => {
            let from_end = count - index;
            parts.len().checked_sub(from_end).filter(|at| *at > rest).map(|at| &parts[at])
        }
        _ => parts.get(index),
    }
}

impl Rewriter<'_> {
    /// Rewrites a value that a pattern of this shape takes apart.
    pub(super) fn parts(&mut self, value: &mut Expr, shape: &Shape) {
        let Shape::Parts(parts, end) = shape else { return self.value(value, Wanted::Result) };
        match value {
            Expr::Group(group) => self.parts(&mut group.expr, shape),
            Expr::Paren(paren) => self.parts(&mut paren.expr, shape),
            // A tuple that is written out.
            Expr::Tuple(tuple) => {
                let count = tuple.elems.len();
                for (index, value) in tuple.elems.iter_mut().enumerate() {
                    match part_at(parts, index, count) {
                        Some(shape @ Shape::Parts(..)) => self.parts(value, shape),
                        _ => self.expression(value),
                    }
                }
            }
            _ => {
                let gives_parts = may_give_parts(value);
                if is_place(value) {
                    let probe = method("__probe", TokenStream::new(), ours_at(*end));
                    *value = self.finished(quote!(#value #probe), Wanted::Parts, *end);
                } else {
                    self.value(value, Wanted::Parts);
                }
                if gives_parts && shape.is_nested() {
                    *value = Expr::Verbatim(take_apart(&value.to_token_stream(), shape));
                }
            }
        }
    }
}

fn may_give_parts(value: &Expr) -> bool {
    matches!(
        value,
        Expr::Call(_)
            | Expr::MethodCall(_)
            | Expr::Block(_)
            | Expr::Unsafe(_)
            | Expr::If(_)
            | Expr::Match(_)
    ) || is_place(value)
}

/// The parts of the value, those with a pattern of their own taken apart.
fn take_apart(value: &TokenStream, shape: &Shape) -> TokenStream {
    let Shape::Parts(parts, _) = shape else { return value.clone() };
    let names: Vec<Ident> = (0..parts.len()).map(|index| local(&format!("part{index}"))).collect();
    let given = parts.iter().zip(&names).map(|(part, name)| match part {
        Shape::Parts(_, end) => {
            let probe = method("__probe", TokenStream::new(), ours_at(*end));
            let apart = method("__take_apart", TokenStream::new(), *end);
            take_apart(&quote!(#name #probe #apart), part)
        }
        _ => name.to_token_stream(),
    });
    // What `..` leaves out stays where it is in the tuple.
    let given = parts.iter().zip(given).map(|(part, given)| match part {
        Shape::Rest => quote!(()),
        _ => given,
    });
    let bound = parts.iter().zip(&names).map(|(part, name)| match part {
        Shape::Rest => quote!(..),
        _ => name.to_token_stream(),
    });
    quote!(match #value { (#(#bound,)*) => (#(#given,)*) })
}
