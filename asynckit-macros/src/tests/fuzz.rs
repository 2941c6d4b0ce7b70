//! Random code: pieces of the uses of the macros, put together at random, many changes at once.
//!
//! A test tries some thousands. To go on for longer, say for how many seconds:
//!
//! ```sh
//! ASYNCKIT_FUZZ=600 cargo test --release -p asynckit-macros fuzz -- --nocapture
//! ```
//!
//! A failure names its seed; `ASYNCKIT_FUZZ_SEED` repeats just that one.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenTree};

use super::corpus::{Source, corpus};
use super::expand;

/// Numbers that are different for each seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("a small number")
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

type Uses = [(Source, Vec<TokenTree>)];

/// A token of some use, however deep.
fn some_token(random: &mut Random, uses: &Uses) -> TokenTree {
    const WORDS: [&str; 14] = [
        "await", "match", "if", "else", "let", "return", "move", "async", "crate", "self", "fn",
        "impl", "for", "r#type",
    ];
    const MARKS: &[u8] = b"=&|.,;:?!<>-+*@#";
    match random.below(10) {
        0 => match random.of(&WORDS).strip_prefix("r#") {
            Some(word) => Ident::new_raw(word, Span::call_site()).into(),
            None => {
                Ident::new(random.of(&WORDS).trim_start_matches("r#"), Span::call_site()).into()
            }
        },
        1 => {
            let spacing = if random.below(2) == 0 { Spacing::Alone } else { Spacing::Joint };
            Punct::new(char::from(*random.of(MARKS)), spacing).into()
        }
        _ => {
            let mut tokens = random.of(uses).1.clone();
            loop {
                if tokens.is_empty() {
                    return Punct::new(';', Spacing::Alone).into();
                }
                match random.of(&tokens).clone() {
                    TokenTree::Group(group) if random.below(3) > 0 => {
                        tokens = group.stream().into_iter().collect();
                    }
                    token => return token,
                }
            }
        }
    }
}

/// Changes the tokens in one place, however deep.
fn change(random: &mut Random, tokens: &mut Vec<TokenTree>, uses: &Uses) {
    const DELIMITERS: [Delimiter; 4] =
        [Delimiter::Brace, Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::None];
    let at = random.below(tokens.len() + 1);
    if let Some(TokenTree::Group(group)) = tokens.get(at)
        && random.below(4) > 0
    {
        let mut inner = group.stream().into_iter().collect();
        change(random, &mut inner, uses);
        let mut delimiter = group.delimiter();
        if random.below(20) == 0 {
            delimiter = *random.of(&DELIMITERS);
        }
        tokens[at] = Group::new(delimiter, inner.into_iter().collect()).into();
        return;
    }
    match random.below(6) {
        0 if at < tokens.len() => drop(tokens.remove(at)),
        1 if at < tokens.len() => tokens[at] = some_token(random, uses),
        2 if at < tokens.len() => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        3 => tokens.truncate(at),
        4 if at < tokens.len() => {
            let inner = tokens.split_off(at).into_iter().collect();
            tokens.push(Group::new(*random.of(&DELIMITERS), inner).into());
        }
        _ => tokens.insert(at, some_token(random, uses)),
    }
}

fn try_one(seed: u64, uses: &Uses) {
    let mut random = Random(seed);
    let (source, tokens) = random.of(uses);
    let mut tokens = tokens.clone();
    for _ in 0..=random.below(8) {
        change(&mut random, &mut tokens, uses);
    }
    let attempt = AssertUnwindSafe(|| expand(source, tokens.into_iter().collect()));
    if let Err(payload) = catch_unwind(attempt) {
        eprintln!("the seed was {seed}");
        resume_unwind(payload);
    }
}

#[test]
fn fuzz() {
    let uses = corpus();
    if uses.is_empty() {
        return; // in a package, which has no tests to take pieces from
    }
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    if let Some(seed) = number("ASYNCKIT_FUZZ_SEED") {
        return try_one(seed, &uses);
    }
    let Some(seconds) = number("ASYNCKIT_FUZZ") else {
        return (0..3000).for_each(|seed| try_one(seed, &uses));
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let begin = u64::from(std::process::id()) << 32;
    let tried = (begin..).take_while(|_| Instant::now() < end).map(|seed| try_one(seed, &uses));
    eprintln!("{} random uses expanded", tried.count());
}
