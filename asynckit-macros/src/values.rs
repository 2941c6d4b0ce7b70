//! The values of the options of `#[async_work]`: numbers, times, rates, and what one is told where they are something
//! else.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, Ident, LitStr, Result, Token};

pub(crate) fn once<T>(name: &Ident, option: &mut Option<T>, value: T) -> Result<()> {
    if option.replace(value).is_some() {
        return Err(Error::new(name.span(), format!("`{name}` is given twice")));
    }
    Ok(())
}

/// `= value`, told what it should be where it is not.
pub(crate) fn value<T>(
    name: &Ident,
    input: ParseStream,
    what: &str,
    parse: impl FnOnce(ParseStream) -> Result<T>,
) -> Result<T> {
    let wrong = |span: Span| Error::new(span, format!("`{}` takes {what}", name.unraw()));
    if !input.peek(Token![=]) {
        return Err(wrong(name.span()));
    }
    input.parse::<Token![=]>()?;
    let span = if input.is_empty() { name.span() } else { input.span() };
    let value = parse(input).map_err(|_| wrong(span))?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(wrong(input.span()));
    }
    Ok(value)
}

pub(crate) fn number(name: &Ident, input: ParseStream) -> Result<Expr> {
    let what = format!("a number: `{name} = 3`");
    let zero = format!("`{name} = 0` would let no call begin");
    let number = value(name, input, &what, |input| {
        let number: Expr = input.parse()?;
        let is_number = match &number {
            Expr::Lit(literal) => matches!(literal.lit, syn::Lit::Int(_)),
            _ => true,
        };
        if is_number { Ok(number) } else { Err(input.error("")) }
    })?;
    match &number {
        Expr::Lit(literal) if (name == "limit" || name == "burst") && is_zero(&literal.lit) => {
            Err(Error::new_spanned(number, zero))
        }
        _ => Ok(number),
    }
}

pub(crate) fn expression(name: &Ident, input: ParseStream) -> Result<Expr> {
    let what = format!("what tells how much of the limit a call takes: `{name} = image.size()`");
    value(name, input, &what, |input| input.parse())
}

/// `"low"`, as the variant of `Priority`.
pub(crate) fn priority(name: &Ident, input: ParseStream) -> Result<&'static str> {
    let what = format!("`\"low\"`, `\"normal\"` or `\"high\"`: `{name} = \"low\"`");
    value(name, input, &what, |input| {
        let text: LitStr = input.parse()?;
        Ok(match text.value().as_str() {
            "low" => "Low",
            "normal" => "Normal",
            "high" => "High",
            _ => return Err(input.error("")),
        })
    })
}

/// `"10/s"`
pub(crate) fn rate(name: &Ident, input: ParseStream) -> Result<(u32, Duration)> {
    let what = format!(
        "so many calls in so long: `{name} = \"10/s\"`, or by `ms`, `m`, `h`, `d` or a time as `5s`"
    );
    let zero = format!("this `{name}` would let no call begin");
    let (rate, span) = value(name, input, &what, |input| {
        let text: LitStr = input.parse()?;
        let rate = parse_rate(&text.value()).ok_or_else(|| input.error(""))?;
        Ok((rate, text.span()))
    })?;
    if rate.0 == 0 || rate.1.is_zero() { Err(Error::new(span, zero)) } else { Ok(rate) }
}

/// `10/s`, `1 / 5s`.
fn parse_rate(text: &str) -> Option<(u32, Duration)> {
    let (count, period) = text.split_once('/')?;
    let period = period.trim();
    let one = if period.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "1" };
    Some((count.trim().parse().ok()?, parse_duration(&format!("{one}{period}"))?))
}

fn is_zero(literal: &syn::Lit) -> bool {
    matches!(literal, syn::Lit::Int(number) if number.base10_digits() == "0")
}

pub(crate) fn duration(name: &Ident, input: ParseStream) -> Result<Duration> {
    let what = format!("a time: `{name} = \"100ms\"`, or with `us`, `s`, `m`, `h` or `d`");
    value(name, input, &what, |input| {
        let text: LitStr = input.parse()?;
        parse_duration(&text.value()).ok_or_else(|| input.error(""))
    })
}

/// `100ms`, `1.5s`, `2 m`.
fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    let seconds = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

pub(crate) fn seconds(duration: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanoseconds)).into_token_stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let millis = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("100ms"), Some(100));
        assert_eq!(millis(" 1.5 s "), Some(1500));
        assert_eq!(millis("2m"), Some(120_000));
        assert_eq!(millis("1h"), Some(3_600_000));
        assert_eq!(millis("7d"), Some(604_800_000));
        assert_eq!(parse_duration("7us"), Some(Duration::from_micros(7)));
        for wrong in ["", "5", "s", "5 days", "1..5s", "-1s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rates() {
        let rate = |text| parse_rate(text).map(|(count, period)| (count, period.as_millis()));
        assert_eq!(rate("10/s"), Some((10, 1000)));
        assert_eq!(rate(" 1 / 5s "), Some((1, 5000)));
        assert_eq!(rate("600/min"), Some((600, 60_000)));
        for wrong in ["", "5", "/s", "10/", "s/10", "1.5/s", "-1/s", "1/2/s", "10 s"] {
            assert_eq!(parse_rate(wrong), None, "{wrong}");
        }
    }
}
