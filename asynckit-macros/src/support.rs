//! How expansions name what they call, and where in the user's text they say that it stands.
//!
//! A span has two halves. *Where* decides what the compiler underlines and what a location
//! reports; *how* (hygiene) decides what a name means. Names of ours mean what they mean here
//! (`mixed_site`), so that nothing of the user's can capture them. They stand at the user's
//! punctuation, never at an identifier, where they would answer an editor's questions.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, Path};

/// The crate under its name in the user's crate.
pub(crate) struct Support {
    krate: Path,
}

impl Support {
    pub(crate) fn new(krate: Option<Path>) -> Self {
        let krate = krate.unwrap_or_else(|| {
            let name = Ident::new("asynckit", Span::mixed_site());
            syn::parse_quote!(::#name)
        });
        Self { krate }
    }

    /// `::asynckit::Name`.
    pub(crate) fn public(&self, name: &str) -> TokenStream {
        let (krate, name) = (&self.krate, Ident::new(name, Span::mixed_site()));
        quote!(#krate::#name)
    }

    /// `::asynckit::__private::name`.
    pub(crate) fn private(&self, name: &str) -> TokenStream {
        let private = self.public("__private");
        let name = Ident::new(name, Span::mixed_site());
        quote!(#private::#name)
    }

    /// The same as the beginning of an expression that stands at the user's tokens: the compiler
    /// sees a path where its two ends are. `end` is punctuation, as a name of ours stands there.
    pub(crate) fn private_at(&self, name: &str, start: Span, end: Span) -> TokenStream {
        let mut tokens: Vec<TokenTree> = begin_at(self.private(name), start).into_iter().collect();
        if let Some(last) = tokens.last_mut() {
            last.set_span(end);
        }
        tokens.into_iter().collect()
    }

    /// A call of a function of ours, of so many types, that stands where the user's expression does.
    pub(crate) fn call_at(
        &self,
        name: &str,
        types: usize,
        arguments: TokenStream,
        place: &Place,
    ) -> TokenStream {
        let Place { start, end, ends_in_name } = *place;
        let arguments = parenthesized(arguments, end);
        if !ends_in_name {
            let path = self.private_at(name, start, end);
            return quote!(#path #arguments);
        }
        // The path ends in `::<_>` rather than in a name.
        let path = begin_at(self.private(name), start);
        let types = (0..types).map(|_| quote_spanned!(start=> _));
        let greater = quote_spanned!(end=> >);
        quote!(#path::<#(#types),* #greater #arguments)
    }
}

/// Where an expression of the user's stands.
pub(crate) struct Place {
    pub(crate) start: Span,
    pub(crate) end: Span,
    /// A name of ours that stood at that name would answer an editor's questions about it.
    ends_in_name: bool,
}

impl Place {
    pub(crate) fn of(expression: &Expr) -> Self {
        let (start, end) = ends_of(expression);
        let last = expression.to_token_stream().into_iter().last();
        Self { start, end, ends_in_name: matches!(last, Some(TokenTree::Ident(_))) }
    }
}

/// A path that begins at the user's token. A leading `::` is two tokens of no meaning of their
/// own; a path that begins with a name keeps what that means.
pub(crate) fn begin_at(path: TokenStream, start: Span) -> TokenStream {
    let begin = |(index, mut token): (usize, TokenTree)| {
        match &token {
            TokenTree::Punct(_) if index < 2 => token.set_span(start),
            TokenTree::Ident(name) if index == 0 => token.set_span(name.span().located_at(start)),
            _ => {}
        }
        token
    };
    path.into_iter().enumerate().map(begin).collect()
}

/// A variable that the user can neither see nor shadow. The underscores are for constants and
/// statics, which a pattern of the same name would mean.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(&format!("__{name}"), Span::mixed_site())
}

/// Our meaning, the user's place.
pub(crate) fn ours_at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// `(tokens)`, its parentheses at `place`.
pub(crate) fn parenthesized(tokens: TokenStream, place: Span) -> TokenStream {
    let mut group = Group::new(Delimiter::Parenthesis, tokens);
    group.set_span(place);
    group.to_token_stream()
}

/// `.name(arguments)`, all of it at `place`.
pub(crate) fn method(name: &str, arguments: TokenStream, place: Span) -> TokenStream {
    let mut dot = Punct::new('.', Spacing::Alone);
    dot.set_span(place);
    let name = Ident::new(name, place);
    let arguments = parenthesized(arguments, place);
    quote!(#dot #name #arguments)
}

/// Where the first and the last token of an expression stand. Groups of tokens that were parsed and
/// written again have forgotten where their two ends are, unlike the expression.
pub(crate) fn ends_of(expression: &Expr) -> (Span, Span) {
    (first(expression), last(expression))
}

fn first(expression: &Expr) -> Span {
    match expression {
        Expr::Array(array) => array.bracket_token.span.open(),
        Expr::Await(awaited) => first(&awaited.base),
        Expr::Binary(both) => first(&both.left),
        Expr::Block(block) if block.label.is_none() => block.block.brace_token.span.open(),
        Expr::Call(call) => first(&call.func),
        Expr::Cast(cast) => first(&cast.expr),
        Expr::Field(field) => first(&field.base),
        Expr::Group(group) => first(&group.expr),
        Expr::Index(index) => first(&index.expr),
        Expr::MethodCall(call) => first(&call.receiver),
        Expr::Paren(paren) => paren.paren_token.span.open(),
        Expr::Try(raised) => first(&raised.expr),
        Expr::Tuple(tuple) => tuple.paren_token.span.open(),
        other => ends(other).0,
    }
}

fn last(expression: &Expr) -> Span {
    match expression {
        Expr::Array(array) => array.bracket_token.span.close(),
        Expr::Async(block) => block.block.brace_token.span.close(),
        Expr::Binary(both) => last(&both.right),
        Expr::Block(block) => block.block.brace_token.span.close(),
        Expr::Call(call) => call.paren_token.span.close(),
        Expr::Group(group) => last(&group.expr),
        Expr::If(branch) => match &branch.else_branch {
            Some((_, otherwise)) => last(otherwise),
            None => branch.then_branch.brace_token.span.close(),
        },
        Expr::Index(index) => index.bracket_token.span.close(),
        Expr::Macro(call) => call.mac.delimiter.span().close(),
        Expr::Match(choice) => choice.brace_token.span.close(),
        Expr::MethodCall(call) => call.paren_token.span.close(),
        Expr::Paren(paren) => paren.paren_token.span.close(),
        Expr::Reference(reference) => last(&reference.expr),
        Expr::Struct(made) => made.brace_token.span.close(),
        Expr::Tuple(tuple) => tuple.paren_token.span.close(),
        Expr::Unary(unary) => last(&unary.expr),
        other => ends(other).1,
    }
}

/// Where the first and the last token stand.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let Some(first) = tokens.next() else {
        return (Span::call_site(), Span::call_site());
    };
    let last = tokens.last().unwrap_or_else(|| first.clone());
    let open = match &first {
        TokenTree::Group(group) => group.span_open(),
        token => token.span(),
    };
    let close = match &last {
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    };
    (open, close)
}
