//! The statements of a chain: what a `let` binds, and what nobody binds.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, GenericArgument, Local, Pat, PathArguments, Stmt, Type};

use crate::support::{ends_of, local, method, ours_at};

use super::argument::is_container_call;
use super::pattern::Shape;
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
        let shape = Shape::of_pattern(&binding.pat).filter(|_| init.diverge.is_none());
        match annotation {
            Annotation::Results if is_container_call(&init.expr) => self.as_it_is(&mut init.expr),
            Annotation::None | Annotation::Results => match shape {
                Some(shape) => self.parts(&mut init.expr, &shape),
                None => self.value(&mut init.expr, Wanted::Results),
            },
            Annotation::Result => self.value(&mut init.expr, Wanted::Result),
            Annotation::ListOfAny => self.local_list(binding),
            Annotation::Decides => self.as_it_is(&mut init.expr),
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
        self.as_it_is(&mut init.expr);
        let (open, close) = ends_of(&init.expr);
        let value = &init.expr;
        let probe = method("__probe", TokenStream::new(), ours_at(close));
        let each = method("__each", TokenStream::new(), ours_at(close));
        let start = method("__start", self.place_at(close), close);
        let mut ascribed = proc_macro2::Group::new(
            proc_macro2::Delimiter::Brace,
            quote!(let #list: #ty = #value; #list),
        );
        ascribed.set_span(ours_at(open));
        *init.expr = Expr::Verbatim(quote!(#ascribed #probe #each #start));
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
    /// What no result and no work is: the value is left alone, with all that is inferred from the
    /// type and all that it coerces to.
    Decides,
    /// Perhaps another name of a result.
    Other,
}

impl Annotation {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Infer(_) => Self::None,
            Type::Group(group) => Self::of(&group.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Tuple(tuple) if tuple.elems.iter().any(has_result) => Self::Results,
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
                    (name, _) if NO_RESULTS.contains(&name) => Self::Decides,
                    _ => Self::Other,
                }
            }
            Type::Tuple(_) => Self::Other,
            _ => Self::Decides,
        }
    }
}

/// Types that are neither results nor other names of them.
const NO_RESULTS: &[&str] = &[
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "Box",
    "Cell",
    "Cow",
    "HashMap",
    "HashSet",
    "Mutex",
    "Option",
    "PathBuf",
    "Pin",
    "Rc",
    "RefCell",
    "Result",
    "String",
    "Vec",
    "VecDeque",
    "Work",
    "bool",
    "char",
    "f32",
    "f64",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "isize",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
];

/// Whether it is a result, or a tuple with one in it.
fn has_result(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().any(has_result),
        ty => is_result(ty),
    }
}

fn is_result(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "AsyncResult")
}

impl Rewriter<'_> {
    /// Rewrites what stands inside of an expression whose own value is left alone: a call there is
    /// not work, and its arguments are what it takes.
    fn as_it_is(&mut self, expression: &mut Expr) {
        match expression {
            Expr::Group(group) => self.as_it_is(&mut group.expr),
            Expr::Paren(paren) => self.as_it_is(&mut paren.expr),
            Expr::Call(call) => {
                self.expression(&mut call.func);
                call.args.iter_mut().for_each(|argument| self.argument(argument));
            }
            other => self.expression(other),
        }
    }
}
