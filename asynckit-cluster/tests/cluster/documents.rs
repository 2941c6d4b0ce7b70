//! What the documentation says of faults is what tests make: each row of a table names some that are there.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

pub const ALL: &[(&str, fn())] = &[(
    "each_test_that_the_documentation_names_is_there",
    each_test_that_the_documentation_names_is_there,
)];

fn each_test_that_the_documentation_names_is_there() {
    let crate_ = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = HashSet::new();
    for folder in ["tests/cluster", "tests/nats"] {
        for entry in fs::read_dir(crate_.join(folder)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let names = text.lines().filter_map(|line| line.strip_prefix("fn ")?.split('(').next());
            tests.extend(names.map(str::to_owned));
        }
    }
    for document in ["README.md", "docs/machines.md"] {
        let text = fs::read_to_string(crate_.join(document)).unwrap();
        // A table whose last column is headed by `Test`.
        let rows = text.lines().skip_while(|line| !line.ends_with("| Test |")).skip(2);
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        assert!(rows.len() > 10, "there is a table in {document}");
        for row in rows {
            let named = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
            for name in named.split(',') {
                let name = name.trim().trim_matches('`');
                assert!(tests.contains(name), "{document} names `{name}`, in {row}");
            }
        }
    }
}
