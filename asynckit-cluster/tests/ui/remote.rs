//! What can't go to another process, or come back from there: each is told of where it stands.

use std::fmt;
use std::io;

use asynckit::async_work;

struct Token;

/// Goes, and can't be had again there.
#[derive(serde::Serialize)]
struct Half;

#[derive(Debug)]
struct Plain;

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain")
    }
}

impl std::error::Error for Plain {}

#[async_work(remote)]
fn owned(
    n: u8,
    token: Token, //~ Token: `Token` can't go to another process | derive `serde::Serialize` and `serde::Deserialize`
) -> u8 {
    let _ = token;
    n
}

#[async_work(remote)]
fn lent(
    token: &Token, //~ Token: `Token` can't go to another process | derive `serde::Serialize` and `serde::Deserialize`
    n: u8,
) -> u8 {
    let _ = token;
    n
}

#[async_work(remote)]
fn lent_for_long<'a>(
    token: &'a Token, //~ Token: `Token` can't go to another process | derive `serde::Serialize` and `serde::Deserialize`
    n: &'a u8,
) -> u8 {
    let _ = token;
    *n
}

#[async_work(remote)]
fn lent_lists(
    tokens: &[Token], //~ [Token]: `[Token]` can't go to another process | derive `serde::Serialize` and `serde::Deserialize`
) {
    let _ = tokens;
}

#[async_work(remote)]
fn lists(
    tokens: Vec<Token>, //~ Vec<Token>: `Vec<Token>` can't go to another process | derive `serde::Serialize`
) {
    let _ = tokens;
}

#[async_work(remote)]
fn half_of_it(
    half: Half, //~ Half: `Half` can't go to another process | `serde::de::DeserializeOwned` | derive `serde::Serialize`
) {
    let _ = half;
}

#[async_work(remote)]
fn half_of_it_lent(
    half: &Half, //~ Half: `Half` can't go to another process | `serde::de::DeserializeOwned` | derive `serde::Serialize`
) {
    let _ = half;
}

#[async_work(remote)]
fn comes_back() -> Token { //~ Token: `Token` can't come back from another process | derive `serde::Serialize`
    Token
}

#[async_work(remote)]
fn may_come_back() -> Result<Token, io::Error> { //~ Token: `Token` can't come back from another process | derive `serde::Serialize`
    Ok(Token)
}

#[async_work(remote(error))]
fn fails() -> Result<u8, Plain> { //~ Plain: `Plain` can't be sent as it is | derive `serde::Serialize` and `serde::Deserialize`, or leave `error` out
    Err(Plain)
}

type Outcome = Result<u8, Plain>;

#[async_work(remote(error), fallible)]
fn fails_by_another_name() -> Outcome { //~ Outcome: `Plain` can't be sent as it is | leave `error` out
    Err(Plain)
}

// (Its text goes.)
#[async_work(remote)]
fn fails_in_words() -> Result<u8, Plain> {
    Err(Plain)
}

fn main() {}
