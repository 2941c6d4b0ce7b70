//! What functions and places are called on a page: as short as tells them apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::sites::Site;

/// The names of functions, in the order in which they were met; and the function of each site.
pub(crate) fn functions(sites: &[Arc<Site>]) -> (Vec<String>, Vec<u32>) {
    let full = full_names(sites);
    let mut order: Vec<&str> = Vec::new();
    for name in &full {
        if !order.contains(&name.as_str()) {
            order.push(name);
        }
    }
    let place: BTreeMap<&str, u32> = order.iter().copied().zip(0..).collect();
    let of = full.iter().map(|name| place[name.as_str()]).collect();
    (shortened(&order), of)
}

/// What the library calls work that has no name of its own.
const NAMELESS: [&str; 3] = ["closure", "map", "try_map"];

/// What has no name of its own is told apart by its place, if there are several. A call in a chain is known by how
/// it is written there; so it is the function whose path ends so, if there is but one.
fn full_names(sites: &[Arc<Site>]) -> Vec<String> {
    let mut places: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for site in sites {
        if NAMELESS.contains(&site.name) {
            places.entry(site.name).or_default().insert(site.number);
        } else if site.name.contains("::") {
            paths.entry(last_part(site.name)).or_default().insert(site.name);
        }
    }
    let name = |site: &Arc<Site>| {
        let ends_so = paths.get(last_part(site.name));
        let path = ends_so.and_then(|paths| paths.iter().find(|path| ends_with(path, site.name)));
        if places.get(site.name).is_some_and(|places| places.len() > 1) {
            format!("{} {}:{}", site.name, file(site.at.file()), site.at.line())
        } else {
            let path = path.filter(|_| ends_so.is_some_and(|paths| paths.len() == 1));
            path.copied().unwrap_or(site.name).to_owned()
        }
    };
    sites.iter().map(name).collect()
}

/// Whether a path ends with these parts.
fn ends_with(path: &str, parts: &str) -> bool {
    path.strip_suffix(parts).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

/// `function` of `module::function`.
pub(crate) fn last_part(path: &str) -> &str {
    last_parts(path, 1)
}

/// The last parts of each path, as many as no other one ends with.
pub(crate) fn shortened(names: &[&str]) -> Vec<String> {
    let mut short: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut open: Vec<usize> = (0..names.len()).collect();
    for parts in 1.. {
        let mut met: BTreeMap<&str, usize> = BTreeMap::new();
        for &k in &open {
            *met.entry(last_parts(names[k], parts)).or_default() += 1;
        }
        open.retain(|&k| {
            let last = last_parts(names[k], parts);
            let done = met[last] == 1 || last == names[k];
            if done {
                last.clone_into(&mut short[k]);
            }
            !done
        });
        if open.is_empty() {
            break;
        }
    }
    short
}

fn last_parts(name: &str, parts: usize) -> &str {
    let cut = name.rmatch_indices("::").nth(parts - 1);
    cut.map_or(name, |(at, colons)| &name[at + colons.len()..])
}

/// A path's last part.
fn file(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// `src/deep/file.rs:31:5` as `file.rs:31`.
pub(crate) fn short_place(place: &str) -> String {
    let line = place.rsplit_once(':').map_or(place, |(line, _column)| line);
    file(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_short_as_tells_them_apart() {
        let names = ["app::page::load", "app::image::load", "app::size", "closure"];
        assert_eq!(shortened(&names), ["page::load", "image::load", "size", "closure"]);
        assert_eq!(shortened(&["load", "app::load"]), ["load", "app::load"]);
        assert_eq!(short_place("src/deep/file.rs:31:5"), "file.rs:31");
    }
}
