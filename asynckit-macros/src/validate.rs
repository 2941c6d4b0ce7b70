//! What `#[async_work]` does not go on, with what to do instead.

use syn::{Attribute, FnArg, Receiver, ReceiverKind, ReturnType, Safety, Type};

use crate::error::Mistakes;
use crate::model::without_group;
use crate::parse::Function;

/// Reports each mistake on its own token, and takes it out, so that what is left can be expanded:
/// the callers of the function should not fail as well.
pub(crate) fn mend_function(function: &mut Function, mistakes: &mut Mistakes) {
    check_qualifiers(function, mistakes);
    check_attributes(function, mistakes);
    for parameter in &function.signature.inputs {
        check_parameter(parameter, mistakes);
    }
    check_return_type(&function.signature.output, mistakes);
    if function.body.is_none() {
        let declaration = match function.signature.receiver().map(|receiver| &receiver.kind) {
            Some(ReceiverKind::Value) => "fn f<'w>(self) -> Work<'w, T> where Self: 'w;",
            _ => "fn f<'w>(&'w self, x: &'w str) -> Work<'w, T>;",
        };
        mistakes.add(
            &function.signature.ident,
            format_args!(
                "`#[async_work]` needs a body: in a trait, declare the method by hand, as \
                 `{declaration}`, and annotate it where it is implemented"
            ),
        );
    }
}

fn check_qualifiers(function: &mut Function, mistakes: &mut Mistakes) {
    let signature = &mut function.signature;
    if let Some(token) = signature.constness.take() {
        mistakes.add(token, "a `const fn` cannot be work: constants are made before any pool");
    }
    if let Safety::Unsafe(token) = std::mem::take(&mut signature.safety) {
        mistakes.add(
            token,
            "an `unsafe fn` cannot be work: what its caller promises would have to hold later, on \
             another thread; write a safe function around it",
        );
    }
    if let Some(abi) = signature.abi.take() {
        mistakes
            .add(abi, "an `extern` function cannot be work: write a Rust function that calls it");
    }
    if let Some(variadic) = signature.variadic.take() {
        mistakes.add(
            variadic.dots,
            "work takes a known number of arguments: write a function that calls this one",
        );
    }
}

fn check_attributes(function: &mut Function, mistakes: &mut Mistakes) {
    let is_test = |attribute: &Attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
    };
    for attribute in function.attributes.extract_if(.., |attribute| is_test(attribute)) {
        mistakes.add(
            attribute,
            "a test cannot be work: nobody would run it; in a test, call work with `.run()`",
        );
    }
}

fn check_parameter(parameter: &FnArg, mistakes: &mut Mistakes) {
    const MUTABLE_SELF: &str = "`&mut self` cannot be lent to work, which runs later: take `self` \
                                and return it, or keep the state behind a `Mutex`";
    match parameter {
        FnArg::Receiver(Receiver {
            kind: ReceiverKind::Reference(and, _, Some(mutability)),
            self_token,
            ..
        }) => {
            mistakes.add(quote::quote!(#and #mutability #self_token), MUTABLE_SELF);
        }
        FnArg::Receiver(Receiver { kind: ReceiverKind::Typed(_, ty), .. })
            if is_mutable_reference(ty) || is_pinned_mutable_reference(ty) =>
        {
            mistakes.add(ty, MUTABLE_SELF);
        }
        FnArg::Typed(typed) if is_mutable_reference(&typed.ty) => mistakes.add(
            &typed.ty,
            "a `&mut` parameter cannot be lent to work, which runs later: take the value and \
             return it, or share it as a `Mutex`",
        ),
        _ => {}
    }
}

fn is_mutable_reference(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => reference.mutability.is_some(),
        Type::Paren(paren) => is_mutable_reference(&paren.elem),
        Type::Group(group) => is_mutable_reference(&group.elem),
        _ => false,
    }
}

/// `Pin<&mut Self>`
fn is_pinned_mutable_reference(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else {
        return false;
    };
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return false;
    };
    last.ident == "Pin"
        && arguments.args.iter().any(|argument| {
            matches!(argument, syn::GenericArgument::Type(ty) if is_mutable_reference(ty))
        })
}

fn check_return_type(output: &ReturnType, mistakes: &mut Mistakes) {
    let ReturnType::Type(_, ty) = output else {
        return;
    };
    let Type::Reference(reference) = without_group(ty) else {
        return;
    };
    if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
        mistakes.add(
            ty,
            "work returns a value of its own: what it borrowed may be gone when the value is read; \
             return an owned value, or `&'static`",
        );
    }
}
