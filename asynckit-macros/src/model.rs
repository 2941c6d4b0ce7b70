//! What an annotated function is made of: its parameters and its result.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Lifetime, Pat, PatType, PathArguments, Receiver,
    ReceiverKind, ReturnType, Signature, Token, Type, TypeImplTrait, TypeInfer, TypeParamBound,
    TypeTuple,
};

use crate::lifetimes::{WorkLifetime, may_hide_a_lifetime};
use crate::options::Argument;
use crate::parse::Errors;
use crate::support::{ends, local, ours_at};

/// A parameter of the expansion, and how the body gets at it.
pub(crate) struct Parameter {
    /// As it stands in the signature.
    pub(crate) declaration: TokenStream,
    /// Binds it again, in the body, with the user's own pattern: parameters are dropped there in
    /// the order in which those of a plain function are.
    pub(crate) binding: TokenStream,
    /// What has to go to another thread, with the `#[cfg]`s of the parameter.
    pub(crate) travels: Option<(TokenStream, Type)>,
    /// What it is called, but for `self`.
    pub(crate) argument: Option<Argument>,
}

impl Parameter {
    pub(crate) fn all(signature: &Signature, lifetime: &WorkLifetime) -> Vec<Self> {
        let mut names = Vec::new();
        let one = |(index, argument): (usize, &FnArg)| match argument {
            FnArg::Receiver(receiver) => Self::receiver(receiver, lifetime),
            FnArg::Typed(typed) => {
                let mut name = parameter_name(typed, index);
                // Names that only differ by the macro that they come from.
                if names.contains(&name) {
                    name = local(&format!("arg{index}"));
                }
                names.push(name.clone());
                Self::typed(typed, name, lifetime)
            }
        };
        signature.inputs.iter().enumerate().map(one).collect()
    }

    fn receiver(receiver: &Receiver, lifetime: &WorkLifetime) -> Self {
        let mut receiver = receiver.clone();
        match &mut receiver.kind {
            ReceiverKind::Reference(_, name, _) => {
                name.get_or_insert_with(|| lifetime.name.clone());
            }
            ReceiverKind::Typed(_, ty) => **ty = lifetime.name_in(ty),
            _ => {}
        }
        // The whole of it, and even if the body does not use it.
        let this = receiver.self_token;
        let binding = quote!(let _ = &#this;);
        Self { declaration: receiver.into_token_stream(), binding, travels: None, argument: None }
    }

    fn typed(typed: &PatType, name: Ident, lifetime: &WorkLifetime) -> Self {
        let PatType { attrs: attributes, pat: pattern, ty, .. } = typed;
        let only_cfg = |attribute: &&Attribute| {
            attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
        };
        let cfgs: TokenStream =
            attributes.iter().filter(only_cfg).map(ToTokens::to_token_stream).collect();
        // The compiler then says to write the lifetime, and how.
        let hides = may_hide_a_lifetime(ty).then(|| quote!(#[deny(elided_lifetimes_in_paths)]));
        let mut ty = lifetime.name_in(ty);
        let mut impls = BoundImplTrait { lifetime: &lifetime.name, found: false };
        impls.visit_type_mut(&mut ty);
        let attributes: TokenStream = attributes.iter().map(ToTokens::to_token_stream).collect();
        let unused =
            is_unused(pattern).then(|| quote!(#[allow(clippy::no_effect_underscore_binding)]));
        let mut binding = quote!(#unused #attributes let #pattern = #name;);
        if !matches!(**pattern, Pat::Ident(_)) {
            // What the pattern leaves unbound is dropped after what it binds.
            binding = quote!(#cfgs let #name = #name; #binding);
        }
        let declaration = quote!(#cfgs #hides #name: #ty);
        let travels = (!impls.found).then(|| (cfgs.clone(), ty));
        let written = match &**pattern {
            Pat::Ident(pattern) => Some(pattern.ident.clone()),
            _ => None,
        };
        let argument = Some(Argument { cfgs, name, written, at: ends(pattern).0 });
        Self { declaration, binding, travels, argument }
    }
}

/// `_name`
fn is_unused(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Ident(pattern) if pattern.ident.to_string().starts_with('_'))
}

/// The user's name, where there is one: it is what the documentation shows. As it is a name of ours, the
/// body's shadows none of the user's.
fn parameter_name(parameter: &PatType, index: usize) -> Ident {
    let here = ours_at(parameter.colon_token.span);
    let Pat::Ident(pattern) = &*parameter.pat else {
        return local(&format!("arg{index}"));
    };
    let mut name = pattern.ident.clone();
    // An underscore says that the body does not use it; the expansion does.
    if let Some(bare) = name.to_string().strip_prefix('_') {
        match syn::parse_str::<Ident>(bare) {
            Ok(bare) => name = bare,
            Err(_) => return local(&format!("arg{index}")),
        }
    }
    name.set_span(here);
    name
}

/// `impl Trait` as the type of a parameter lives as long as the work.
struct BoundImplTrait<'a> {
    lifetime: &'a Lifetime,
    found: bool,
}

impl VisitMut for BoundImplTrait<'_> {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        self.found = true;
        ty.bounds.push(TypeParamBound::Lifetime(self.lifetime.clone()));
    }
}

/// What an annotated function gives.
pub(crate) struct Output {
    /// The user's return type, as the body's closure says it.
    pub(crate) returned: Type,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    /// The returned value itself.
    Plain(Type),
    /// `!`, which is not a type of its own yet.
    Never,
    /// The value of a `Result`, where it is written out, else `None`.
    Fallible(Option<Type>),
}

impl Output {
    pub(crate) fn of(signature: &Signature, errors: Errors, lifetime: &WorkLifetime) -> Self {
        let ty = match &signature.output {
            ReturnType::Default => Type::Tuple(TypeTuple {
                attrs: Vec::new(),
                paren_token: syn::token::Paren(signature.paren_token.span.close()),
                elems: syn::punctuated::Punctuated::new(),
            }),
            ReturnType::Type(_, ty) => lifetime.name_in(without_group(ty)),
        };
        let value = match (errors, result_value(&ty)) {
            (Errors::ByName, Some(value)) => Value::Fallible(value),
            (Errors::Travel, _) => Value::Fallible(None),
            _ if matches!(ty, Type::Never(_)) => Value::Never,
            _ => Value::Plain(ty.clone()),
        };
        Self { returned: ty, value }
    }

    /// The type of the error, where that is written out, else all that is returned: for what is told of it.
    pub(crate) fn error_as_written(&self) -> &Type {
        let returned = &self.returned;
        let Type::Path(path) = returned else { return returned };
        let last = path.path.segments.last().map(|last| &last.arguments);
        let Some(PathArguments::AngleBracketed(arguments)) = last else { return returned };
        let mut types = arguments.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        });
        types.nth(1).unwrap_or(returned)
    }

    /// The return type where `impl Trait` cannot be written.
    pub(crate) fn annotation(&self) -> Type {
        let mut ty = self.returned.clone();
        InferImplTrait.visit_type_mut(&mut ty);
        ty
    }
}

/// What stands in the invisible groups of `macro_rules!`.
pub(crate) fn without_group(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => without_group(&group.elem),
        ty => ty,
    }
}

/// `Some` if the type is called `Result`, with its value if that is written out.
fn result_value(ty: &Type) -> Option<Option<Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Some(None);
    };
    Some(arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(value) => Some(value.clone()),
        _ => None,
    }))
}

struct InferImplTrait;

impl VisitMut for InferImplTrait {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(_) = ty {
            let underscore_token = Token![_](Span::mixed_site());
            *ty = Type::Infer(TypeInfer { attrs: Vec::new(), underscore_token });
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}

/// Whether `impl Trait` stands anywhere in it.
pub(crate) fn has_impl_trait(ty: &Type) -> bool {
    let mut impls =
        BoundImplTrait { lifetime: &Lifetime::new("'_", Span::mixed_site()), found: false };
    impls.visit_type_mut(&mut ty.clone());
    impls.found
}

/// Whether it is a number, text, or nothing: which goes to other threads, so that there is nothing to
/// be checked.
pub(crate) fn is_simple(ty: &Type) -> bool {
    const SIMPLE: &[&str] = &[
        "String", "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str",
        "u128", "u16", "u32", "u64", "u8", "usize",
    ];
    match ty {
        Type::Path(path) => {
            path.path.get_ident().is_some_and(|name| SIMPLE.iter().any(|simple| name == simple))
        }
        Type::Reference(reference) => is_simple(&reference.elem),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}
