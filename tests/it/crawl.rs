//! The `crawl` example, run as a user runs it.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::soon;

fn start(args: &[&str]) -> Child {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples/crawl");
    let program =
        Command::new(program).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    program.expect("run `cargo build --example crawl`")
}

fn end(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

/// It checks itself that it was polite.
#[test]
fn it_fetches_each_page_once() {
    soon(|| {
        let (code, said) = end(start(&["--a-host", "1000/s"]));
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.starts_with("1981 pages in ") && said.contains("19 of 2000 failed:"),
            "{said}"
        );
    });
}

#[test]
fn it_says_how_far_it_came_when_it_is_told_to_end() {
    soon(|| {
        let mut child = start(&["--a-host", "1/s"]); // it would take minutes
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        assert_eq!(errors.next().unwrap().unwrap(), "1 pages to fetch");
        let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let (code, said) = end(child);
        assert_eq!(code, Some(143), "{said}");
        assert!(said.contains("interrupted: ") && said.contains("not reached"), "{said}");
    });
}
