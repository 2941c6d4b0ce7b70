//! File names for pages: whatever the URL says, a plain name that is safe on every system.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use url::Url;

/// Longer names are cut; every common file system takes 255 bytes, and a temporary name needs some.
const LONGEST: usize = 120;

/// Hands out names within one directory, each once.
pub struct Names {
    dir: PathBuf,
    /// In lower case: some file systems take `A.html` and `a.html` for the same.
    taken: HashSet<String>,
}

impl Names {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), taken: HashSet::new() }
    }

    /// A name that nobody has: neither another page nor a file that is there already.
    pub fn claim(&mut self, url: &str) -> String {
        let wanted = file_name(url);
        let (stem, extension) = split(&wanted);
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.is_free(&name) {
            name = format!("{stem}-{number}{extension}");
            number += 1;
        }
        self.taken.insert(name.to_lowercase());
        name
    }

    fn is_free(&self, name: &str) -> bool {
        // Not `exists`, which says no for a symbolic link to nowhere.
        !self.taken.contains(&name.to_lowercase())
            && self.dir.join(name).symlink_metadata().is_err()
    }
}

/// The last part of the URL's path, made safe: letters, digits, `-`, `_` and `.` only, so there is
/// nothing in it that could lead to another directory.
pub fn file_name(url: &str) -> String {
    let url = Url::parse(url).ok();
    let last = url.as_ref().and_then(|url| url.path_segments()?.next_back());
    let last = match last {
        None | Some("") => "index.html",
        Some(last) => last,
    };
    let safe: String = last.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    let mut name = shorten(safe.trim_end_matches('.'));
    if name.is_empty() || name.starts_with('.') || is_reserved(&name) {
        name.insert(0, '_');
    }
    name
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Windows keeps these names for devices, with any extension.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered =
        |device| stem.strip_prefix(device).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// Cuts the stem of a long name and keeps its extension. (The name is ASCII by now.)
fn shorten(name: &str) -> String {
    let (stem, extension) = split(name);
    let room = LONGEST.saturating_sub(extension.len());
    format!("{}{extension}", &stem[..stem.len().min(room)])
}

/// A name's stem and its extension with the dot, if it has one that is worth keeping.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}
