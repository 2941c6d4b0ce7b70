//! How a cause is printed: with its sources, each once, and with what it knows besides.

use std::error::Error as StdError;
use std::fmt;

/// `: source: source of that`, what the error's own text tells already left out.
pub(super) struct Sources<'a>(pub(super) &'a (dyn StdError + 'static));

impl fmt::Display for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        for source in sources(self.0) {
            let text = source.to_string();
            // Many errors print their source as a part of themselves.
            if !tells(&told, &text) {
                write!(f, ": {text}")?;
                told = format!("{told}: {text}");
            }
        }
        Ok(())
    }
}

fn sources<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

/// An error, and all that has caused it.
pub(super) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::once(error).chain(sources(error))
}

/// Whether `part` stands somewhere in `text`, not as a piece of longer words.
fn tells(text: &str, part: &str) -> bool {
    let within_word = |a: Option<char>, b: Option<char>| match (a, b) {
        (Some(a), Some(b)) => a.is_alphanumeric() && b.is_alphanumeric(),
        _ => false,
    };
    part.is_empty()
        || text.match_indices(part).any(|(start, _)| {
            let (before, after) = (&text[..start], &text[start + part.len()..]);
            !within_word(before.chars().next_back(), part.chars().next())
                && !within_word(part.chars().next_back(), after.chars().next())
        })
}

/// What an error's own `{:?}` has to say besides its text and its sources, where it is one that
/// prints in sections: a backtrace, the place where it was made.
pub(super) struct Besides<'a> {
    pub(super) error: &'a (dyn StdError + 'static),
    pub(super) debug: &'a dyn fmt::Debug,
}

impl fmt::Display for Besides<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, debug) = (self.error.to_string(), format!("{:?}", self.debug));
        let rest = debug.strip_prefix(&text).unwrap_or(&debug);
        for section in sections(rest).skip(1) {
            if !section.starts_with("Caused by:") {
                write!(f, "\n\n{}", section.trim_end())?;
            }
        }
        Ok(())
    }
}

/// The parts of a text that are set apart by empty lines. What is indented belongs to what is above.
fn sections(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let begins = |&(at, _): &(usize, &str)| {
            text[at + 2..].starts_with(|next: char| !next.is_whitespace())
        };
        let Some((end, _)) = text.match_indices("\n\n").find(begins) else {
            return rest.take();
        };
        rest = Some(&text[end + 2..]);
        Some(&text[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_whole_words() {
        assert!(tells("can't read a: no such file (2)", "no such file (2)"));
        assert!(tells("no such file", "no such file"));
        assert!(tells("the `a` of it", "a"));
        assert!(tells("anything", ""));
        assert!(!tells("layer 10", "layer 1"));
        assert!(!tells("broken", "no such file"));
        assert!(tells("layer 10, layer 1", "layer 1"));
    }

    #[test]
    fn sections_are_set_apart_by_empty_lines() {
        let split = |text| sections(text).collect::<Vec<_>>();
        assert_eq!(split("one\ntwo"), ["one\ntwo"]);
        assert_eq!(
            split("one\n\ntwo:\n  a\n\n  b\n\nthree\n"),
            ["one", "two:\n  a\n\n  b", "three\n"]
        );
        assert_eq!(split(""), [""]);
    }
}
