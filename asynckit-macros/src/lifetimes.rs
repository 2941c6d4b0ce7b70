//! The lifetime of work: how long what an annotated function was given has to live.

use proc_macro2::Span;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    BoundLifetimes, FnArg, GenericArgument, GenericParam, Generics, Ident, Lifetime,
    ParenthesizedGenericArguments, PathArguments, PathSegment, Receiver, ReceiverKind, ReturnType,
    Signature, Token, Type, TypeFnPtr, TypeImplTrait, TypeParamBound, TypePath, TypeReference,
    WhereClause, WherePredicate, parse_quote,
};

/// How long work may borrow: the `'w` of `Work<'w, T>`.
pub(crate) struct WorkLifetime {
    pub(crate) name: Lifetime,
    /// Declared by the expansion, rather than by the user.
    is_new: bool,
    /// What has to outlive it, and is not a parameter of the function: lifetimes and types of an
    /// `impl` or a trait around it.
    foreign: Vec<WherePredicate>,
}

impl WorkLifetime {
    /// `'static` where nothing is borrowed, the user's own where there is just one, else `'work`.
    pub(crate) fn of(signature: &Signature) -> Self {
        let (given, returned) = (Seen::in_parameters(signature), Seen::in_result(signature));
        let has_types = given.impl_trait || signature.generics.type_params().next().is_some();
        let foreign = foreign_types(signature, &given, &returned);
        let mut named = given.named.clone();
        let declared = signature.generics.lifetimes().map(|parameter| &parameter.lifetime);
        for lifetime in returned.named.iter().chain(declared) {
            if !named.contains(lifetime) {
                named.push(lifetime.clone());
            }
        }
        let name = match &named[..] {
            [] if !given.elided && !has_types && foreign.is_empty() => {
                Lifetime::new("'static", Span::mixed_site())
            }
            [only] if !given.elided && foreign.is_empty() => only.clone(),
            _ => {
                let is_taken = named.iter().any(|name| name.ident == "work");
                let name = if is_taken { "'__work" } else { "'work" };
                let name = Lifetime::new(name, Span::mixed_site());
                let lifetimes = given.foreign_lifetimes(signature).into_iter();
                let foreign = lifetimes
                    .map(|lifetime| parse_quote!(#lifetime: #name))
                    .chain(foreign.iter().map(|ty| {
                        let mut ty = ty.clone();
                        NameElided(&name).visit_type_mut(&mut ty);
                        parse_quote!(#ty: #name)
                    }))
                    .collect();
                return Self { name, foreign, is_new: true };
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
            // Before what the user wrote, so that the header of the function ends in that.
            let predicates = &mut generics.make_where_clause().predicates;
            *predicates = self.foreign.iter().cloned().chain(predicates.iter().cloned()).collect();
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

type Bounds = Punctuated<TypeParamBound, Token![+]>;

/// The bounds of a type parameter in a where clause.
fn condition<'a>(clause: &'a mut WhereClause, parameter: &Ident) -> Option<&'a mut Bounds> {
    clause.predicates.iter_mut().find_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => match &predicate.bounded_ty {
            Type::Path(path) if path.path.is_ident(parameter) => Some(&mut predicate.bounds),
            _ => None,
        },
        _ => None,
    })
}

/// Types of parameters and of the result that may have a lifetime of an `impl` around the function, or
/// are made of its types. What the user says to be `'static` is not among them, nor is what stands
/// behind a reference, which it outlives anyway.
fn foreign_types(signature: &Signature, given: &Seen, returned: &Seen) -> Vec<Type> {
    if given.lends_self() {
        return Vec::new();
    }
    let is_foreign = |name: &Ident| {
        let declared = signature.generics.params.iter().any(|parameter| match parameter {
            GenericParam::Type(parameter) => parameter.ident == *name,
            GenericParam::Const(parameter) => parameter.ident == *name,
            GenericParam::Lifetime(_) => false,
        });
        !declared && !given.lent.contains(name) && !is_static(signature, name)
    };
    let mut types: Vec<Type> = Vec::new();
    let mut add = |ty: &Type, seen: &Seen| {
        if seen.types.iter().any(is_foreign)
            && !seen.impl_trait
            && !types.iter().any(|it| is_same(it, ty))
        {
            types.push(ty.clone());
        }
    };
    for parameter in &signature.inputs {
        match parameter {
            FnArg::Receiver(_) => {
                let mut seen = Seen::default();
                seen.visit_fn_arg_mut(&mut parameter.clone());
                add(&parse_quote!(Self), &seen);
            }
            FnArg::Typed(parameter) => add(&parameter.ty, &Seen::of(&parameter.ty)),
        }
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        match returned.impl_trait {
            true if returned.types.iter().any(|name| name == "Self") => {
                add(&parse_quote!(Self), &Seen::of(&parse_quote!(Self)));
            }
            _ => add(ty, returned),
        }
    }
    types
}

/// The lifetimes in types, and the types that may have lifetimes of their own.
#[derive(Default)]
struct Seen {
    elided: bool,
    impl_trait: bool,
    named: Vec<Lifetime>,
    bound: Vec<Lifetime>,
    /// `Self`, and what may be a type parameter of an `impl` or a trait: as nobody but the compiler
    /// knows whether it is, that goes by the usual names, `T` or `K1`.
    types: Vec<Ident>,
    /// Those of them that stand behind a reference.
    lent: Vec<Ident>,
    references: usize,
}

impl Seen {
    fn in_parameters(signature: &Signature) -> Self {
        let mut seen = Self::default();
        signature.inputs.clone().iter_mut().for_each(|input| seen.visit_fn_arg_mut(input));
        seen
    }

    fn in_result(signature: &Signature) -> Self {
        match &signature.output {
            ReturnType::Default => Self::default(),
            ReturnType::Type(_, ty) => Self::of(ty),
        }
    }

    fn of(ty: &Type) -> Self {
        let mut seen = Self::default();
        seen.visit_type_mut(&mut ty.clone());
        seen
    }

    /// Lifetimes of an `impl` block. Where `self` is borrowed they outlive the borrow anyway.
    fn foreign_lifetimes(&self, signature: &Signature) -> Vec<Lifetime> {
        if self.lends_self() {
            return Vec::new();
        }
        let declared = |lifetime: &&Lifetime| {
            signature.generics.lifetimes().any(|parameter| parameter.lifetime == **lifetime)
        };
        self.named.iter().filter(|lifetime| !declared(lifetime)).cloned().collect()
    }

    fn lends_self(&self) -> bool {
        self.lent.iter().any(|name| name == "Self")
    }

    fn note(&mut self, name: &Ident) {
        let list = if self.references > 0 { &mut self.lent } else { &mut self.types };
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
}

fn is_same(one: &Type, other: &Type) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

/// Whether the function says `where Name: 'static`.
fn is_static(signature: &Signature, name: &Ident) -> bool {
    let Some(clause) = &signature.generics.where_clause else { return false };
    clause.predicates.iter().any(|predicate| match predicate {
        WherePredicate::Type(predicate) => {
            matches!(&predicate.bounded_ty, Type::Path(path) if path.path.is_ident(name))
                && predicate.bounds.iter().any(
                    |bound| matches!(bound, TypeParamBound::Lifetime(it) if it.ident == "static"),
                )
        }
        _ => false,
    })
}

/// `Self`, or a name as type parameters usually have: a capital, perhaps with a number.
fn may_be_foreign(name: &Ident) -> bool {
    if name == "Self" {
        return true;
    }
    let name = name.to_string();
    let mut letters = name.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.all(|c| c.is_ascii_digit())
}

impl VisitMut for Seen {
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        let this = Ident::new("Self", receiver.self_token.span);
        match &mut receiver.kind {
            ReceiverKind::Reference(_, lifetime, _) => {
                match lifetime {
                    Some(lifetime) => self.visit_lifetime_mut(lifetime),
                    None => self.elided = true,
                }
                self.references += 1;
                self.note(&this);
                self.references -= 1;
            }
            ReceiverKind::Typed(_, ty) => {
                self.visit_type_mut(ty);
                // Also where its type is written out.
                if matches!(**ty, Type::Reference(_)) {
                    self.references += 1;
                    self.note(&this);
                    self.references -= 1;
                }
            }
            _ => self.note(&this),
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        self.elided |= reference.lifetime.is_none();
        self.references += 1;
        visit_mut::visit_type_reference_mut(self, reference);
        self.references -= 1;
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

    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        if ty.qself.is_none()
            && let Some(PathSegment { ident, .. }) = ty.path.segments.first()
            && may_be_foreign(ident)
        {
            self.note(ident);
        }
        visit_mut::visit_type_path_mut(self, ty);
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
    fn visit_type_fn_ptr_mut(&mut self, ty: &mut TypeFnPtr) {
        let elided = self.elided;
        visit_mut::visit_type_fn_ptr_mut(self, ty);
        self.elided = elided;
    }

    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        arguments: &mut ParenthesizedGenericArguments,
    ) {
        let elided = self.elided;
        visit_mut::visit_parenthesized_generic_arguments_mut(self, arguments);
        self.elided = elided;
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

/// Whether a type's name may hide a lifetime, as `Page` does for a `struct Page<'a>`.
pub(crate) fn may_hide_a_lifetime(ty: &Type) -> bool {
    let mut hidden = Hidden(false);
    hidden.visit_type_mut(&mut ty.clone());
    hidden.0
}

struct Hidden(bool);

/// Names that hide none.
const WITHOUT_LIFETIMES: &[&str] = &[
    "Arc", "Box", "Duration", "HashMap", "Option", "PathBuf", "Result", "Self", "String", "Vec",
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16",
    "u32", "u64", "u8", "usize",
];

impl VisitMut for Hidden {
    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        self.0 |= match &segment.arguments {
            PathArguments::None => {
                !may_be_foreign(&segment.ident)
                    && !WITHOUT_LIFETIMES.iter().any(|name| segment.ident == name)
            }
            PathArguments::AngleBracketed(arguments) => {
                !arguments.args.iter().any(|one| matches!(one, GenericArgument::Lifetime(_)))
                    && !WITHOUT_LIFETIMES.iter().any(|name| segment.ident == name)
            }
            PathArguments::Parenthesized(_) => false,
        };
        visit_mut::visit_path_segment_mut(self, segment);
    }

    // What is hidden there is theirs.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}
