//! The walk over the block of a chain. What is not mentioned here stays as it is.

use std::cell::Cell;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    BinOp, Block, Expr, ExprAsync, ExprAwait, ExprClosure, ExprConst, ExprMethodCall, ExprReturn,
    Item, Stmt, UnOp,
};

use crate::support::{Place, Support, local, method, ours_at};

use super::argument::{is_of_wanted_type, is_place, may_be_pending, ungroup};
use super::pattern::Shape;
use super::repeat::ends;

pub(super) struct Rewriter<'a> {
    pub(super) support: &'a Support,
    /// The variable that is the chain's pool.
    pub(super) place: &'a Ident,
    /// The same, standing where the user wrote it: for messages about it.
    shown_place: &'a TokenStream,
    is_async: bool,
    /// Whether there are statements whose values may be work.
    has_statements: Cell<bool>,
}

/// What a value is wanted for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    /// Bound, returned, or awaited: work is started.
    Result,
    /// Bound: work is started, each of a list's as well.
    Results,
    /// Bound by the pattern of a tuple.
    Parts,
    /// Nothing.
    Nothing,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(
        support: &'a Support,
        place: &'a Ident,
        shown_place: &'a TokenStream,
        is_async: bool,
    ) -> Self {
        Self { support, place, shown_place, is_async, has_statements: Cell::new(false) }
    }

    /// The block of the chain itself; whether it has statements whose work may belong to the chain.
    pub(super) fn chain_block(&mut self, block: &mut Block) -> bool {
        let tail = self.block(block, Wanted::Result);
        match tail {
            Some(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_)) => {}
            Some(Expr::Loop(repeat)) if !ends(repeat) => {}
            Some(Expr::Macro(call)) if never_returns(&call.mac.path) => {}
            Some(end) => *end = self.end(end),
            None => {
                let end = self.end(&syn::parse_quote!(()));
                block.stmts.push(Stmt::Expr(end, None));
            }
        }
        self.has_statements.get()
    }

    /// Rewrites the statements, and gives the last expression.
    pub(super) fn block<'b>(
        &mut self,
        block: &'b mut Block,
        wanted: Wanted,
    ) -> Option<&'b mut Expr> {
        let last_is_macro = matches!(block.stmts.last(), Some(Stmt::Macro(_)));
        if last_is_macro && let Some(Stmt::Macro(last)) = block.stmts.pop() {
            // The last macro without a semicolon is the value of the block.
            block.stmts.push(match last.semi_token {
                None => Stmt::Expr(
                    Expr::Macro(syn::ExprMacro { attrs: last.attrs, mac: last.mac }),
                    None,
                ),
                Some(_) => Stmt::Macro(last),
            });
        }
        let last = block.stmts.len().saturating_sub(1);
        for (index, statement) in block.stmts.iter_mut().enumerate() {
            match statement {
                Stmt::Expr(value, None) if index == last => self.value(value, wanted),
                statement => self.statement(statement),
            }
        }
        match block.stmts.last_mut() {
            Some(Stmt::Expr(tail, None)) => Some(tail),
            _ => None,
        }
    }

    /// What the chain gives.
    fn end(&self, value: &Expr) -> Expr {
        if self.is_async && fails(value) {
            // `Err(error)?` is of any type that is wanted, and nothing here wants one.
            let (never, infallible) = (local("never"), self.support.private("Infallible"));
            return Expr::Verbatim(quote!({ let #never: #infallible = #value; match #never {} }));
        }
        let place = self.shown_place;
        // The async form waits for its statements when its block is over.
        let end = if self.is_async { "end_of_block" } else { "end_of_chain" };
        let end = self.support.call_at(end, 2, quote!(#place, #value), &Place::of(value));
        if !self.is_async {
            return Expr::Verbatim(end);
        }
        let (ok, raised) = (self.support.private("Ok"), self.support.private("Thrown"));
        Expr::Verbatim(quote!(#ok::<_, #raised>(#end)))
    }

    /// Rewrites an expression whose value is neither bound nor dropped.
    pub(super) fn expression(&mut self, expression: &mut Expr) {
        self.visit_expr_mut(expression);
    }

    /// Rewrites an expression, and does with each of its possible values what is wanted.
    pub(super) fn value(&mut self, value: &mut Expr, wanted: Wanted) {
        match value {
            Expr::Group(group) => self.value(&mut group.expr, wanted),
            Expr::Paren(paren) => self.value(&mut paren.expr, wanted),
            Expr::Call(call) => {
                let close = call.paren_token.span.close();
                if let Some(probed) = self.probed_call(call) {
                    *value = self.finished(probed, wanted, close);
                }
            }
            Expr::MethodCall(call) => {
                self.visit_expr_method_call_mut(call);
                if !is_of_wanted_type(call) {
                    let close = call.paren_token.span.close();
                    let probe = method("__probe", TokenStream::new(), ours_at(close));
                    *value = self.finished(quote!(#call #probe), wanted, close);
                }
            }
            Expr::Block(block) => {
                self.block(&mut block.block, wanted);
            }
            Expr::Unsafe(block) => {
                self.block(&mut block.block, wanted);
            }
            Expr::If(branch) => {
                self.condition(&mut branch.cond);
                let wanted = match branch.else_branch {
                    Some(_) => wanted,
                    None => Wanted::Nothing,
                };
                self.block(&mut branch.then_branch, wanted);
                if let Some((_, otherwise)) = &mut branch.else_branch {
                    self.value(otherwise, wanted);
                }
            }
            Expr::Match(choice) => {
                self.expression(&mut choice.expr);
                for arm in &mut choice.arms {
                    self.arm(arm, wanted);
                }
            }
            other => self.expression(other),
        }
    }

    fn arm(&mut self, arm: &mut syn::Arm, wanted: Wanted) {
        self.visit_pat_mut(&mut arm.pat);
        self.value(&mut arm.body, wanted);
    }

    pub(super) fn finished(&self, probed: TokenStream, wanted: Wanted, at: Span) -> Expr {
        let nothing = TokenStream::new;
        let place = self.place_at(at);
        let steps = match wanted {
            Wanted::Result => method("__start", place, at),
            Wanted::Results => {
                let steps = [method("__each", nothing(), at), method("__start", place, at)];
                quote!(#(#steps)*)
            }
            Wanted::Parts => {
                let steps = [
                    method("__start", place, at),
                    method("__probe", nothing(), at),
                    method("__take_apart", nothing(), at),
                ];
                quote!(#(#steps)*)
            }
            Wanted::Nothing => {
                self.has_statements.set(true);
                let steps = [method("__loosen", nothing(), at), method("__statement", place, at)];
                quote!(#(#steps)*)
            }
        };
        Expr::Verbatim(quote!(#probed #steps))
    }

    /// The pool as an argument of a method of ours.
    pub(super) fn place_at(&self, at: Span) -> TokenStream {
        Ident::new(&self.place.to_string(), ours_at(at)).to_token_stream()
    }

    /// Says, where a value that is not there yet is to decide something, what to write instead.
    fn condition(&mut self, condition: &mut Expr) {
        match condition {
            Expr::Paren(paren) => self.condition(&mut paren.expr),
            Expr::Unary(not) if matches!(not.op, UnOp::Not(_)) => self.condition(&mut not.expr),
            Expr::Binary(both) if matches!(both.op, BinOp::And(_) | BinOp::Or(_)) => {
                self.condition(&mut both.left);
                self.condition(&mut both.right);
            }
            Expr::Call(_) | Expr::Path(_) | Expr::Field(_) => {
                let place = Place::of(condition);
                self.expression(condition);
                let value = condition.to_token_stream();
                let checked = self.support.call_at("plain_condition", 1, value, &place);
                *condition = Expr::Verbatim(checked);
            }
            other => self.expression(other),
        }
    }

    /// A call whose value a method is called on is not started: the method gets the work.
    pub(super) fn receiver(&mut self, receiver: &mut Expr) {
        match receiver {
            Expr::Group(group) => self.receiver(&mut group.expr),
            Expr::Paren(paren) => self.receiver(&mut paren.expr),
            Expr::Call(call) if call.args.iter().any(may_be_pending) => {
                let close = call.paren_token.span.close();
                if let Some(probed) = self.probed_call(call) {
                    let value = method("__value", TokenStream::new(), ours_at(close));
                    *receiver = Expr::Verbatim(quote!(#probed #value));
                }
            }
            Expr::Call(call) => {
                self.expression(&mut call.func);
                for argument in &mut call.args {
                    self.argument(argument);
                }
            }
            other => self.expression(other),
        }
    }
}

/// `Err(error)?`
fn fails(value: &Expr) -> bool {
    let Expr::Try(raised) = ungroup(value) else { return false };
    let Expr::Call(call) = ungroup(&raised.expr) else { return false };
    matches!(ungroup(&call.func), Expr::Path(function)
        if function.path.segments.last().is_some_and(|last| last.ident == "Err"))
}

/// Whether a macro's value is `!`.
fn never_returns(path: &syn::Path) -> bool {
    const NEVER: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];
    path.segments.last().is_some_and(|last| NEVER.iter().any(|name| last.ident == name))
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Call(_) | Expr::Group(_) if matches!(ungroup(expression), Expr::Call(_)) => {
                self.value(expression, Wanted::Result);
            }
            Expr::If(_) => {
                // The values of its branches are passed on as they are.
                let Expr::If(branch) = expression else { return };
                self.condition(&mut branch.cond);
                self.visit_block_mut(&mut branch.then_branch);
                if let Some((_, otherwise)) = &mut branch.else_branch {
                    self.expression(otherwise);
                }
            }
            Expr::Assign(assign) => {
                let shape = Shape::of_assignee(&assign.left).unwrap_or(Shape::Whole);
                self.expression(&mut assign.left);
                self.parts(&mut assign.right, &shape);
            }
            other => visit_mut::visit_expr_mut(self, other),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        let last = block.stmts.len().saturating_sub(1);
        for (index, statement) in block.stmts.iter_mut().enumerate() {
            match statement {
                Stmt::Expr(value, None) if index == last => self.expression(value),
                statement => self.statement(statement),
            }
        }
    }

    fn visit_expr_for_loop_mut(&mut self, repeat: &mut syn::ExprForLoop) {
        self.expression(&mut repeat.expr);
        self.block(&mut repeat.body, Wanted::Nothing);
    }

    fn visit_expr_while_mut(&mut self, repeat: &mut syn::ExprWhile) {
        self.condition(&mut repeat.cond);
        self.block(&mut repeat.body, Wanted::Nothing);
    }

    fn visit_expr_loop_mut(&mut self, repeat: &mut syn::ExprLoop) {
        self.block(&mut repeat.body, Wanted::Nothing);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        self.receiver(&mut call.receiver);
        for argument in &mut call.args {
            self.expression(argument);
        }
    }

    fn visit_expr_await_mut(&mut self, awaited: &mut ExprAwait) {
        let base = &mut awaited.base;
        if is_place(base) {
            let dot = awaited.dot_token.span;
            let probe = method("__probe", TokenStream::new(), ours_at(dot));
            **base = self.finished(quote!(#base #probe), Wanted::Result, dot);
        } else {
            self.value(base, Wanted::Result);
        }
    }

    /// In the async form `return` ends the chain.
    fn visit_expr_return_mut(&mut self, returned: &mut ExprReturn) {
        if !self.is_async {
            return visit_mut::visit_expr_return_mut(self, returned);
        }
        let value = match &mut returned.expr {
            Some(value) => {
                self.value(value, Wanted::Result);
                self.end(value)
            }
            None => self.end(&syn::parse_quote!(())),
        };
        returned.expr = Some(Box::new(value));
    }

    // What runs another time, or is none of the chain's code.
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_expr_const_mut(&mut self, _: &mut ExprConst) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
