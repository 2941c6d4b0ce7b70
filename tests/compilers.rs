//! What compiler is needed: each crate says the oldest that will do, and nothing that it is compiled with needs a newer
//! one. (Whether its own code does is clippy's to say, by `incompatible_msrv`.)
//!
//! Looks at what this machine has: the features that are on by default, unless `ASYNCKIT_ALL_FEATURES` is set, where
//! cargo may have to get the others.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::Command;

use cargo_metadata::semver::Version;
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

#[test]
fn nothing_needs_a_newer_compiler_than_is_said() {
    let Some(metadata) = metadata() else {
        return println!("left out: cargo has not got all packages, and is not asked to get them");
    };
    let members = metadata.workspace_packages();
    let newest = members.iter().map(|member| needed(member)).max().unwrap();
    let mut complaints = Vec::new();
    for member in members {
        for (tests_too, most) in [(false, needed(member)), (true, newest.clone())] {
            let all = compiled(&metadata, &member.id, tests_too);
            assert!(
                all.len() > 1 || member.dependencies.iter().all(is_for_tests),
                "{}",
                member.name
            );
            complaints.extend(
                all.iter().map(|id| &metadata[id]).filter(|it| needed(it) > most).map(|it| {
                    let (name, version, needs) = (&it.name, &it.version, needed(it));
                    format!("{} says {most}, but {name} {version} needs {needs}", member.name)
                }),
            );
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The README says the same as the manifests.
#[test]
fn the_readme_says_what_compiler_is_needed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let said = |manifest: &str, key: &str| {
        let text = std::fs::read_to_string(root.join(manifest)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("it is said");
        line.trim_matches([' ', '=', '"']).to_owned()
    };
    let usual = said("Cargo.toml", "rust-version");
    let cluster = said("asynckit-cluster/Cargo.toml", "rust-version");
    let store = said("asynckit-store/Cargo.toml", "rust-version");
    let words = format!(
        "needs Rust {usual} or later (`asynckit-cluster` {cluster}, `asynckit-store` {store}, as the tests of all do)"
    );
    assert!(readme.contains(&words), "the README does not say: {words}");
    for name in ["asynckit", "asynckit-macros", "asynckit-view"] {
        assert_eq!(
            said(&format!("{name}/Cargo.toml"), "rust-version"),
            ".workspace = true",
            "{name}"
        );
    }
}

/// What cargo knows of all packages, as far as they are compiled here.
fn metadata() -> Option<Metadata> {
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    let mut command = MetadataCommand::new();
    command.manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let mut options = vec!["--locked", "--filter-platform", host.trim()];
    if env::var_os("ASYNCKIT_ALL_FEATURES").is_some() {
        command.features(CargoOpt::AllFeatures).other_options(own(&options));
        return Some(command.exec().unwrap());
    }
    options.push("--offline");
    command.other_options(own(&options)).exec().ok()
}

fn own(options: &[&str]) -> Vec<String> {
    options.iter().map(|&option| option.to_owned()).collect()
}

/// The oldest compiler that will do for a package; the very first where it does not say.
fn needed(package: &Package) -> Version {
    package.rust_version.clone().unwrap_or_else(|| Version::new(1, 0, 0))
}

fn is_for_tests(dependency: &cargo_metadata::Dependency) -> bool {
    dependency.kind == DependencyKind::Development
}

/// All that is compiled where a package is, with itself; and with its tests, if they are to be.
fn compiled(metadata: &Metadata, member: &PackageId, tests_too: bool) -> BTreeSet<PackageId> {
    let nodes = &metadata.resolve.as_ref().expect("a graph of packages").nodes;
    let (mut all, mut left) = (BTreeSet::new(), vec![member]);
    while let Some(id) = left.pop() {
        if !all.insert(id.clone()) {
            continue;
        }
        let node = nodes.iter().find(|node| node.id == *id).expect("a package of the graph");
        let is_compiled = |kind: DependencyKind| {
            kind != DependencyKind::Development || (tests_too && id == member)
        };
        left.extend(node.deps.iter().filter_map(|dependency| {
            let mut kinds = dependency.dep_kinds.iter();
            kinds.any(|kind| is_compiled(kind.kind)).then_some(&dependency.pkg)
        }));
    }
    all
}
