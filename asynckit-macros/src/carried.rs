//! The options `keep` and `remote`: calls that may be carried out elsewhere, or whose value may be known already.
//!
//! ```text
//! {
//!     static FUNCTION: Function = Function::new("module::f", "fn f(..) -> ..", b"..", &["a", "b"]);
//!     static SETTINGS: ::asynckit_store::attribute::Keep = ::asynckit_store::attribute::Keep::new().version(2);
//!     let arguments = (a, (b, ()));
//!     carried(.., ::asynckit_store::attribute::Bytes, &|| {}, arguments, move |arguments| {
//!         let (a, arguments) = arguments;
//!         let (b, arguments) = arguments;
//!         /* the work, as it is without the option */
//!     })
//! }
//! ```

use proc_macro2::{Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::{Error, Expr, FnArg, Path, ReceiverKind, Result, Signature, Token, Type};

use crate::code;
use crate::error::Mistakes;
use crate::lifetimes::WorkLifetime;
use crate::model::{Output, Parameter, has_impl_trait, without_group};
use crate::options::over;
use crate::parse::crate_option;
use crate::served;
use crate::support::{Support, begin_at, ends, local, ours_at};
use crate::unordered;
use crate::values::{duration, number, once, seconds, value};

/// `keep(..)` or `remote(..)`.
pub(crate) struct Carried {
    kind: CarriedKind,
    at: Ident,
    krate: Option<Path>,
    /// Calls of the settings' methods.
    settings: Vec<(Ident, TokenStream)>,
    /// What belongs to the arguments besides.
    key: Option<Expr>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum CarriedKind {
    Keep,
    Remote,
}

impl CarriedKind {
    fn name(self) -> &'static str {
        if self == CarriedKind::Keep { "keep" } else { "remote" }
    }

    fn options(self) -> &'static str {
        match self {
            CarriedKind::Keep => "`keep` takes `version`, `max_age`, `key` and `crate = path`",
            CarriedKind::Remote => {
                "`remote` takes `deliveries`, `memory`, `error` and `crate = path`"
            }
        }
    }
}

impl Carried {
    /// Reads what follows the name of the option.
    pub(crate) fn read(at: &Ident, kind: CarriedKind, input: ParseStream) -> Result<Carried> {
        let mut carried =
            Carried { kind, at: at.clone(), krate: None, settings: Vec::new(), key: None };
        if input.peek(syn::token::Paren) {
            let options;
            syn::parenthesized!(options in input);
            while !options.is_empty() {
                carried.read_one(&options)?;
                let _comma: Option<Token![,]> = options.parse()?;
            }
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(Error::new(input.span(), kind.options()));
        }
        Ok(carried)
    }

    fn read_one(&mut self, input: ParseStream) -> Result<()> {
        let wrong = |span| Error::new(span, self.kind.options());
        if input.peek(Token![crate]) {
            self.krate = Some(crate_option(input)?);
            return Ok(());
        }
        let name: Ident = input.parse().map_err(|error| wrong(error.span()))?;
        let setting = match (self.kind, name.to_string().as_str()) {
            (CarriedKind::Keep, "version") | (CarriedKind::Remote, "deliveries") => {
                number(&name, input)?.into_token_stream()
            }
            (CarriedKind::Keep, "max_age") => seconds(duration(&name, input)?),
            (CarriedKind::Keep, "key") => {
                let what = "what is to belong to the arguments: `key = \"..\"`, or an expression";
                let key = value(&name, input, what, |input| input.parse())?;
                return once(&name, &mut self.key, key);
            }
            (CarriedKind::Remote, "memory") => {
                let what = "an amount: `memory = \"2GB\"`";
                let text: syn::LitStr = value(&name, input, what, |input| input.parse())?;
                text.into_token_stream()
            }
            // Its type is the function's.
            (CarriedKind::Remote, "error") => TokenStream::new(),
            _ => return Err(wrong(name.span())),
        };
        if self.settings.iter().any(|(other, _)| *other == name) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        self.settings.push((name, setting));
        Ok(())
    }

    /// Whether calls of this function can be told to somebody else; reports why not. `tells_of_value`: unless
    /// somebody else does.
    pub(crate) fn suits(
        &self,
        signature: &Signature,
        tells_of_value: bool,
        all: &mut Mistakes,
    ) -> bool {
        let mut mistakes = Mistakes::default();
        let (name, keeps) = (self.kind.name(), self.kind == CarriedKind::Keep);
        for parameter in &signature.inputs {
            match parameter {
                FnArg::Receiver(receiver) if !keeps => mistakes.add(
                    receiver.self_token,
                    "`self` can't go with a `remote` call: write a function that takes what it needs",
                ),
                FnArg::Receiver(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                    mistakes.add(
                        receiver.self_token,
                        "`self` is an argument that `keep` looks at, and moves into the call: take `&self`",
                    );
                }
                FnArg::Typed(typed) if !keeps && has_impl_trait(&typed.ty) => mistakes.add(
                    &typed.ty,
                    "another process has to know the type of this argument: write it out",
                ),
                _ => {}
            }
        }
        let types = signature
            .generics
            .params
            .iter()
            .find(|one| !matches!(one, syn::GenericParam::Lifetime(_)));
        if let (false, Some(parameter)) = (keeps, types) {
            mistakes.add(
                parameter,
                "a `remote` function has to be known by its name, and a generic one is many: write one for each type",
            );
        }
        let mut suits = mistakes.is_empty();
        if let syn::ReturnType::Type(_, ty) = &signature.output {
            let mut refuse = |why| {
                suits = false;
                if tells_of_value {
                    mistakes.add(ty, format!("`{name}` needs a value{why}"));
                }
            };
            if has_impl_trait(ty) {
                refuse(" whose type is known: write it out");
            } else if matches!(without_group(ty), Type::Never(_)) {
                refuse(": this function has none");
            }
        }
        all.take_over(mistakes);
        suits
    }

    /// The expression that makes the work, from the one that makes it here.
    pub(crate) fn around(
        &self,
        support: &Support,
        function: &Described<'_>,
        parameters: &[Parameter],
        terms: TokenStream,
        work: TokenStream,
    ) -> TokenStream {
        let Described { signature, body, origin, .. } = function;
        let krate = self.krate.as_ref().map_or_else(
            || {
                let name = if self.kind == CarriedKind::Keep {
                    "asynckit_store"
                } else {
                    "asynckit_cluster"
                };
                let name = Ident::new(name, Span::mixed_site());
                quote!(::#name)
            },
            ToTokens::to_token_stream,
        );
        let at = ours_at(self.at.span());
        let theirs = |name: &str| {
            let (attribute, name) = (Ident::new("attribute", at), Ident::new(name, at));
            quote_spanned!(at=> #krate::#attribute::#name)
        };
        let settings_type = theirs(if self.kind == CarriedKind::Keep { "Keep" } else { "Remote" });
        let settings = self.settings.iter().map(|(name, value)| {
            if self.kind == CarriedKind::Remote && name == "error" {
                // That it can't be sent is told there.
                let at = ours_at(ends(function.output.error_as_written()).0);
                let (fallible, returned) =
                    (support.private_at("Fallible", at, at), &function.output.returned);
                return quote_spanned!(at=> .error::<<#returned as #fallible>::Error>());
            }
            quote!(.#name(#value))
        });
        let bytes = theirs("Bytes");
        let (argument, given) = (theirs("argument"), theirs("value"));
        let checked = parameters.iter().filter_map(|parameter| parameter.travels.as_ref());
        let checks = checked.map(|(cfgs, ty)| {
            let ty = match without_group(ty) {
                // What is behind it is what goes.
                Type::Reference(lent)
                    if self.kind == CarriedKind::Remote && lent.mutability.is_none() =>
                {
                    &lent.elem
                }
                _ => ty,
            };
            let check = spanned(argument.clone(), ty);
            let warning =
                (self.kind == CarriedKind::Keep).then(|| unordered::warning(ty)).flatten();
            let warning = warning.map(|warning| quote!(#cfgs #warning));
            quote!(#cfgs #check::<#ty>(); #warning)
        });
        let value_check = spanned(given, &function.value);
        let value = &function.value;

        let code = code::code([signature.to_token_stream(), body.to_token_stream()]);
        let (code, text) = (Literal::byte_string(&code), code::text(signature.to_token_stream()));
        let all = local("arguments");
        let named = parameters.iter().map(|parameter| match &parameter.argument {
            Some(argument) => {
                let (cfgs, name) = (&argument.cfgs, argument.name.to_string());
                quote!(#cfgs #name)
            }
            None => quote!("self"),
        });
        let gathered = parameters.iter().rev().map(|parameter| match &parameter.argument {
            Some(argument) => {
                let (cfgs, name) = (&argument.cfgs, &argument.name);
                quote!(#cfgs let #all = (#name, #all);)
            }
            None => {
                let this = signature.receiver().map(|receiver| &receiver.self_token);
                quote!(let #all = (#this, #all);)
            }
        });
        let apart = parameters.iter().map(|parameter| match &parameter.argument {
            Some(argument) => {
                let (cfgs, name) = (&argument.cfgs, &argument.name);
                quote!(#cfgs let (#name, #all) = #all;)
            }
            None => quote!(let (_, #all) = #all;),
        });
        // What belongs to the arguments besides is seen, not named: it comes last.
        let key = self.key.as_ref().map(|key| {
            let key = over(parameters, key);
            quote!((#key, ()))
        });
        let rest = key.as_ref().map_or_else(|| quote!(()), |_| quote!(_));
        let first = key.unwrap_or_else(|| quote!(()));
        let (carried, about, described) =
            (support.private("carried"), support.private("About"), support.private("Function"));
        let known = self.kind == CarriedKind::Keep;
        let called = &function.called;
        // What is called from elsewhere is a function of its own, which is called here as well.
        let (served, entry, work) = match self.kind {
            CarriedKind::Keep => (None, None, work),
            CarriedKind::Remote => {
                let served = served::served(support, &krate, function, parameters, work);
                (Some(served.function), Some(served.entry), served.call)
            }
        };
        quote!({
            #(#checks)*
            #value_check::<#value>();
            #served
            static __ASYNCKIT_FUNCTION: #described =
                #described::new(#origin, #text, #code, &[#(#named),*]) #terms;
            static __ASYNCKIT_SETTINGS: #settings_type = #settings_type::new() #(#settings)*;
            #entry
            let #all = #first;
            #(#gathered)*
            #carried(
                #called,
                #about { function: &__ASYNCKIT_FUNCTION, settings: &__ASYNCKIT_SETTINGS, known: #known },
                #bytes,
                &|| {},
                #all,
                move |#all| {
                    #(#apart)*
                    let #rest = #all;
                    #work
                },
            )
        })
    }
}

/// What is told of a function.
pub(crate) struct Described<'a> {
    pub(crate) signature: &'a Signature,
    pub(crate) lifetime: &'a WorkLifetime,
    pub(crate) output: &'a Output,
    pub(crate) body: &'a Group,
    /// Its name, its call as that is made, and the same later: three expressions.
    pub(crate) origin: TokenStream,
    pub(crate) call: TokenStream,
    pub(crate) called: TokenStream,
    /// The type of its value.
    pub(crate) value: TokenStream,
}

/// A path that stands at a type.
fn spanned(path: TokenStream, at: &impl ToTokens) -> TokenStream {
    begin_at(path, ends(at).0)
}
