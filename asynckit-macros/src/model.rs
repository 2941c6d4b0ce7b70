//! What an annotated function is made of: the lifetime of its work, its parameters, its result.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, BoundLifetimes, FnArg, GenericArgument, GenericParam, Generics, Ident, Lifetime,
    ParenthesizedGenericArguments, Pat, PatType, PathArguments, Receiver, ReceiverKind, ReturnType,
    Signature, Token, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeParamBound, TypeReference,
    WherePredicate, parse_quote,
};

use crate::options::Argument;
use crate::parse::Errors;
use crate::support::{ends, local, ours_at};

/// How long work may borrow: the `'w` of `Work<'w, T>`.
pub(crate) struct WorkLifetime {
    pub(crate) name: Lifetime,
    /// Declared by the expansion, rather than by the user.
    is_new: bool,
    /// Named lifetimes that have to outlive it, and are not parameters of the function.
    foreign: Vec<Lifetime>,
}

impl WorkLifetime {
    /// `'static` where nothing is borrowed, the user's own where there is just one, else `'work`.
    pub(crate) fn of(signature: &Signature) -> Self {
        let mut seen = LifetimesSeen::default();
        let mut inputs = signature.inputs.clone();
        inputs.iter_mut().for_each(|input| seen.visit_fn_arg_mut(input));
        let generic = seen.impl_trait || signature.generics.type_params().next().is_some();
        let name = match &seen.named[..] {
            [] if !seen.elided && !generic => Lifetime::new("'static", Span::mixed_site()),
            [only] if !seen.elided => only.clone(),
            _ => {
                let declared = signature.generics.lifetimes().map(|parameter| &parameter.lifetime);
                let is_taken = seen.named.iter().chain(declared).any(|name| name.ident == "work");
                let name = if is_taken { "'__work" } else { "'work" };
                let name = Lifetime::new(name, Span::mixed_site());
                return Self { foreign: seen.foreign(signature), name, is_new: true };
            }
        };
        Self { name, is_new: false, foreign: Vec::new() }
    }

    /// The generics of the expansion: all that comes in lives as long as the work.
    pub(crate) fn bound(&self, generics: &Generics) -> Generics {
        let mut generics = generics.clone();
        if self.name.ident == "static" {
            return generics;
        }
        let name = &self.name;
        let mut conditions = generics.where_clause.as_mut();
        for parameter in &mut generics.params {
            match parameter {
                GenericParam::Type(parameter) => {
                    // Beside the bounds that the user wrote, wherever these are.
                    let bound = TypeParamBound::Lifetime(name.clone());
                    match conditions.as_mut().and_then(|clause| condition(clause, &parameter.ident))
                    {
                        Some(bounds) => bounds.push(bound),
                        None => {
                            parameter.colon_token.get_or_insert_default();
                            parameter.bounds.push(bound);
                        }
                    }
                }
                GenericParam::Lifetime(parameter) if self.is_new => {
                    parameter.colon_token.get_or_insert_default();
                    parameter.bounds.push(name.clone());
                }
                _ => {}
            }
        }
        if self.is_new {
            generics.params.insert(0, parse_quote!(#name));
        }
        if !self.foreign.is_empty() {
            let foreign = self
                .foreign
                .iter()
                .map(|lifetime| -> WherePredicate { parse_quote!(#lifetime: #name) });
            generics.make_where_clause().predicates.extend(foreign);
        }
        generics
    }

    /// The type with every elided lifetime named.
    pub(crate) fn name_in(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        NameElided(&self.name).visit_type_mut(&mut ty);
        ty
    }
}

type Bounds = syn::punctuated::Punctuated<TypeParamBound, Token![+]>;

/// The bounds of a type parameter in a where clause.
fn condition<'a>(clause: &'a mut syn::WhereClause, parameter: &Ident) -> Option<&'a mut Bounds> {
    clause.predicates.iter_mut().find_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => match &predicate.bounded_ty {
            Type::Path(path) if path.path.is_ident(parameter) => Some(&mut predicate.bounds),
            _ => None,
        },
        _ => None,
    })
}

/// The lifetimes in the types of the parameters.
#[derive(Default)]
struct LifetimesSeen {
    elided: bool,
    impl_trait: bool,
    named: Vec<Lifetime>,
    bound: Vec<Lifetime>,
}

impl LifetimesSeen {
    /// Those of an `impl` block. Where `self` is borrowed they outlive the borrow anyway.
    fn foreign(self, signature: &Signature) -> Vec<Lifetime> {
        let borrows_self = signature.receiver().is_some_and(|receiver| match &receiver.kind {
            ReceiverKind::Reference(..) => true,
            ReceiverKind::Typed(_, ty) => matches!(**ty, Type::Reference(_)),
            _ => false,
        });
        if borrows_self {
            return Vec::new();
        }
        let declared = |lifetime: &Lifetime| {
            signature.generics.lifetimes().any(|parameter| parameter.lifetime == *lifetime)
        };
        self.named.into_iter().filter(|lifetime| !declared(lifetime)).collect()
    }
}

impl VisitMut for LifetimesSeen {
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        if let ReceiverKind::Reference(_, None, _) = receiver.kind {
            self.elided = true;
        }
        visit_mut::visit_receiver_mut(self, receiver);
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        self.elided |= reference.lifetime.is_none();
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            self.elided = true;
        } else if lifetime.ident != "static"
            && !self.named.contains(lifetime)
            && !self.bound.contains(lifetime)
        {
            self.named.push(lifetime.clone());
        }
    }

    /// `for<'a>` names lifetimes that nobody has to outlive.
    fn visit_bound_lifetimes_mut(&mut self, bound: &mut BoundLifetimes) {
        for parameter in &bound.lifetimes {
            if let GenericParam::Lifetime(parameter) = parameter {
                self.bound.push(parameter.lifetime.clone());
            }
        }
    }

    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        self.impl_trait = true;
        visit_mut::visit_type_impl_trait_mut(self, ty);
    }

    // What is elided in `fn(&T)` and `Fn(&T)` is theirs.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}

struct NameElided<'a>(&'a Lifetime);

impl VisitMut for NameElided<'_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            lifetime.ident = self.0.ident.clone();
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| self.0.clone());
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}

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
    pub(crate) fn of(argument: &FnArg, index: usize, lifetime: &WorkLifetime) -> Self {
        match argument {
            FnArg::Receiver(receiver) => Self::receiver(receiver, lifetime),
            FnArg::Typed(typed) => Self::typed(typed, index, lifetime),
        }
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

    fn typed(typed: &PatType, index: usize, lifetime: &WorkLifetime) -> Self {
        let PatType { attrs: attributes, pat: pattern, ty, .. } = typed;
        let only_cfg = |attribute: &&Attribute| {
            attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
        };
        let cfgs: TokenStream =
            attributes.iter().filter(only_cfg).map(ToTokens::to_token_stream).collect();
        let mut ty = lifetime.name_in(ty);
        let mut impls = BoundImplTrait { lifetime: &lifetime.name, found: false };
        impls.visit_type_mut(&mut ty);
        let name = parameter_name(pattern, index);
        let attributes: TokenStream = attributes.iter().map(ToTokens::to_token_stream).collect();
        let unused =
            is_unused(pattern).then(|| quote!(#[allow(clippy::no_effect_underscore_binding)]));
        let mut binding = quote!(#unused #attributes let #pattern = #name;);
        if !matches!(**pattern, Pat::Ident(_)) {
            // What the pattern leaves unbound is dropped after what it binds.
            binding = quote!(#cfgs let #name = #name; #binding);
        }
        let declaration = quote!(#cfgs #name: #ty);
        let travels = (!impls.found).then(|| (cfgs.clone(), ty));
        let argument = Some(Argument { cfgs, name, at: ends(pattern).0 });
        Self { declaration, binding, travels, argument }
    }
}

/// `_name`
fn is_unused(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Ident(pattern) if pattern.ident.to_string().starts_with('_'))
}

/// The user's name, where there is one: it is what the documentation shows.
fn parameter_name(pattern: &Pat, index: usize) -> Ident {
    let Pat::Ident(pattern) = pattern else {
        return local(&format!("arg{index}"));
    };
    let name = pattern.ident.to_string();
    let Some(bare) = name.strip_prefix('_') else {
        return pattern.ident.clone();
    };
    // An underscore says that the body does not use it; the expansion does.
    match syn::parse_str::<Ident>(bare) {
        Ok(bare) => Ident::new(&bare.to_string(), ours_at(pattern.ident.span())),
        Err(_) => local(&format!("arg{index}")),
    }
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
    pub(crate) fn of(output: &ReturnType, errors: Errors, lifetime: &WorkLifetime) -> Self {
        let ty = match output {
            ReturnType::Default => parse_quote!(()),
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
