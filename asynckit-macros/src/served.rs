//! The other side of `remote`: a function that others call by its name.
//!
//! ```text
//! fn __call<'work>(__called: Hop, page: &'work [u8], n: u8) -> ::asynckit::Work<'work, usize> { /* the work, for one try */ }
//! ::asynckit::__serve! {
//!     Served::new(&FUNCTION, &SETTINGS, |mut given| {
//!         let arrive = { use ::asynckit::__private::unserved::*; { use ::asynckit_cluster::attribute::*; Arrive } };
//!         let page = given.next::<[u8], _>(&arrive, "page")?;
//!         let page = lent::<[u8], _>(&arrive, &page);
//!         let n = owned::<u8, _>(&arrive, given.next::<u8, _>(&arrive, "n")?);
//!         given.end()?;
//!         let __called = called(&"module::size", defined());
//!         given.run(&arrive, __call(__called, page, n));
//!         Ok(())
//!     })
//! }
//! ```
//!
//! It is a function in a function, so that the list of all of them can name it wherever the attribute stands. `Arrive`
//! is looked for among the names of the attribute's crate first, and is ours where that has none.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::VisitMut;
use syn::{FnArg, Lifetime, Signature, Type};

use crate::async_work::{generic_parameters, work_type};
use crate::carried::Described;
use crate::error::Mistakes;
use crate::model::{Parameter, without_group};
use crate::support::{Support, ends, local, ours_at};

/// A function that others call, and its call here.
pub(crate) struct Served {
    pub(crate) function: TokenStream,
    /// What makes the work of a call, by the names of the parameters.
    pub(crate) call: TokenStream,
    /// What enters it among those that can be called; it names the statics of `carried`.
    pub(crate) entry: TokenStream,
}

/// Reports what keeps a function from being a function in a function.
pub(crate) fn suits(signature: &Signature, body: Option<&Group>, mistakes: &mut Mistakes) -> bool {
    let mut tokens = signature.to_token_stream();
    tokens.extend(body.map(ToTokens::to_token_stream));
    let Some(at) = own_type(tokens) else { return true };
    // (A receiver has its own message.)
    if signature.receiver().is_none() {
        mistakes.add(
            at,
            "a `remote` function is called by its name alone: write the type out that `Self` stands for",
        );
    }
    false
}

/// Where `Self` stands for a type around the function.
fn own_type(tokens: TokenStream) -> Option<TokenTree> {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(name) if name == "Self" => return Some(token),
            // `Self` is its own there.
            TokenTree::Ident(name)
                if ["impl", "trait", "struct", "enum", "union"].iter().any(|own| name == own) =>
            {
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => matches!(punct.as_char(), ';' | ','),
                    _ => false,
                };
                let _end = tokens.find(ends);
            }
            TokenTree::Group(group) => {
                if let Some(found) = own_type(group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

/// The function that is called from here and from elsewhere.
pub(crate) fn served(
    support: &Support,
    krate: &TokenStream,
    function: &Described<'_>,
    parameters: &[Parameter],
    work: TokenStream,
) -> Served {
    let Described { signature, lifetime, output, call: made_here, called, .. } = function;
    let generics = lifetime.bound(&signature.generics);
    let (list, conditions) = (generic_parameters(&generics), &generics.where_clause);
    let returned = work_type(support, &lifetime.name, output);
    let declarations = parameters.iter().map(|parameter| &parameter.declaration);
    let (name, hop) = (local("call"), support.private("Hop"));
    let made = quote! {
        fn #name #list (#called: #hop, #(#declarations),*) -> #returned #conditions { #work }
    };
    let arguments: Vec<TokenStream> = parameters
        .iter()
        .filter_map(|parameter| parameter.argument.as_ref())
        .map(|argument| {
            let (cfgs, name) = (&argument.cfgs, &argument.name);
            quote!(#cfgs #name)
        })
        .collect();
    let call = quote!(#name(#called, #(#arguments),*));

    let (given, arrive) = (local("given"), local("arrive"));
    let (lent, owned) = (support.private("lent"), support.private("owned"));
    let taken = parameters.iter().zip(&signature.inputs).filter_map(|pair| {
        let (Parameter { argument: Some(argument), .. }, FnArg::Typed(typed)) = pair else {
            return None;
        };
        let (cfgs, name, text) = (&argument.cfgs, &argument.name, argument.name.to_string());
        let mut ty = without_group(&typed.ty).clone();
        AnyLifetime.visit_type_mut(&mut ty);
        // What is wrong with an argument is told there.
        let at = |ty: &Type| ours_at(ends(ty).0);
        Some(match &ty {
            Type::Reference(reference) if reference.mutability.is_none() => {
                let (ty, at) = (&reference.elem, at(&reference.elem));
                let next = quote_spanned!(at=> #given.next::<#ty, _>(&#arrive, #text)?);
                quote! {
                    #cfgs let #name = #next;
                    #cfgs let #name = #lent::<#ty, _>(&#arrive, &#name);
                }
            }
            ty => {
                let at = at(ty);
                let next = quote_spanned!(at=> #given.next::<#ty, _>(&#arrive, #text)?);
                quote! {
                    #cfgs let #name = #next;
                    #cfgs let #name = #owned::<#ty, _>(&#arrive, #name);
                }
            }
        })
    });
    let (serve, served, unserved) =
        (support.public("__serve"), support.private("Served"), support.private("unserved"));
    let ok = support.private("Ok");
    let entry = quote! {
        #serve! {
            #served::new(&__ASYNCKIT_FUNCTION, &__ASYNCKIT_SETTINGS, |mut #given| {
                let #arrive = {
                    #[allow(unused_imports)]
                    use #unserved::*;
                    {
                        #[allow(unused_imports)]
                        use #krate::attribute::*;
                        Arrive
                    }
                };
                #(#taken)*
                #given.end()?;
                let #called = #made_here;
                #given.run(&#arrive, #call);
                #ok(())
            })
        }
    };
    Served { function: made, call, entry }
}

/// Lifetimes that the function has declared are any here.
struct AnyLifetime;

impl VisitMut for AnyLifetime {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = Lifetime::new("'_", Span::mixed_site());
        }
    }

    // Those that it declares itself stay.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
}
