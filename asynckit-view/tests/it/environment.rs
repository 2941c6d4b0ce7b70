//! Recordings that the environment asks for; each in a process of its own.

use std::path::Path;
use std::process::Command;

use asynckit::Pool;

use crate::{data, runs, states, temporary};

/// Runs one of the programs below, with the variable set, and tells what it said on standard error.
fn program(name: &str, record: &Path) -> String {
    let output = command(name).env("ASYNCKIT_RECORD", record).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

fn command(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        &format!("environment::programs::{name}"),
        "--ignored",
        "--nocapture",
    ]);
    command
}

/// Not tests: what those here run.
mod programs {
    use super::*;

    fn pool() -> Pool {
        asynckit_view::from_env(Pool::builder().workers(2)).build().unwrap()
    }

    fn work(pool: &Pool) {
        runs::read(1).spawn_on(pool).get().unwrap();
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn ends() {
        work(&pool());
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn has_two_pools() {
        let (a, b) = (pool(), pool());
        work(&a);
        work(&b);
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn builds_twice() {
        let builder = asynckit_view::from_env(Pool::builder().workers(1));
        let unbuilt = builder.clone();
        let (a, b) = (builder.clone().build().unwrap(), builder.build().unwrap());
        work(&a);
        work(&b);
        asynckit_view::write_now();
        drop(unbuilt);
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn builds_nothing() {
        let builder = asynckit_view::from_env(Pool::builder().workers(1));
        asynckit_view::write_now();
        drop(builder);
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn unwinds_while_work_runs() {
        let pool = pool();
        let (begun, never) = (asynckit::AsyncResult::new(), asynckit::AsyncResult::<()>::new());
        let tell = begun.clone();
        let handle = never.clone();
        let _running = pool.spawn(move || {
            tell.set(()).unwrap();
            handle.wait();
        });
        begun.get().unwrap();
        // It lives longer than the pool, so that the work goes on.
        std::mem::forget(never);
        panic!("on purpose");
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn exits() {
        let pool = pool();
        work(&pool);
        std::process::exit(0);
    }

    #[test]
    #[ignore = "run by the tests around it"]
    fn exits_with_a_word() {
        let pool = pool();
        work(&pool);
        asynckit_view::write_now();
        std::process::exit(0);
    }
}

fn recorded(path: &Path) -> Vec<String> {
    states(&data(&std::fs::read_to_string(path).unwrap()))
}

/// All files of a folder.
fn files(of: &Path) -> Vec<String> {
    let folder = std::fs::read_dir(of.parent().unwrap()).unwrap();
    let mut names: Vec<_> =
        folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_ending_says_what_is_written() {
    let begin = [
        ("run.html", "<!doctype html>"),
        ("run.json", "{\"displayTimeUnit\""),
        ("run.svg", "<svg"),
        ("run.dot", "digraph"),
        ("run.mmd", "flowchart"),
    ];
    let written = |name: &str| {
        let (_folder, path) = temporary(name);
        program("ends", &path);
        assert_eq!(files(&path), [name]);
        std::fs::read_to_string(&path).unwrap()
    };
    for (name, begin) in begin {
        assert!(written(name).starts_with(begin), "{name}");
    }
    // This one begins with how long it took.
    let text = written("run.txt");
    assert!(text.contains(" on 2 workers: ") && text.contains("\nfunction "), "{text}");
}

#[test]
fn another_ending_is_told_and_harms_nothing() {
    let (_folder, path) = temporary("run.pdf");
    let said = program("ends", &path);
    assert!(said.contains("run.pdf") && said.contains(".html"), "{said}");
    assert!(files(&path).is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_harms_nothing() {
    let (_folder, path) = temporary("nowhere/run.html");
    let said = program("ends", &path);
    assert!(said.contains("nowhere/run.html"), "{said}");
}

#[test]
fn the_second_pool_has_a_file_of_its_own() {
    let (_folder, path) = temporary("run.html");
    program("has_two_pools", &path);
    assert_eq!(files(&path), ["run-2.html", "run.html"]);
}

#[test]
fn each_pool_of_a_cloned_builder_has_a_file_of_its_own() {
    let (_folder, path) = temporary("run.html");
    program("builds_twice", &path);
    assert_eq!(files(&path), ["run-2.html", "run.html"]);
    for name in ["run.html", "run-2.html"] {
        assert_eq!(recorded(&path.with_file_name(name)), ["read: 1 done"]);
    }
}

#[test]
fn a_builder_that_builds_no_pool_leaves_no_file() {
    let (_folder, path) = temporary("run.html");
    program("builds_nothing", &path);
    assert!(files(&path).is_empty());
}

#[test]
fn it_is_written_while_a_panic_unwinds_with_what_still_runs_marked() {
    let (_folder, path) = temporary("run.html");
    let said = program("unwinds_while_work_runs", &path);
    assert!(said.contains("on purpose"), "{said}");
    assert_eq!(recorded(&path), ["closure: 1 still running"]);
}

#[test]
fn an_exit_leaves_no_file_unless_a_word_was_said_before() {
    let (_folder, path) = temporary("run.html");
    program("exits", &path);
    assert!(files(&path).is_empty());
    program("exits_with_a_word", &path);
    assert_eq!(recorded(&path), ["read: 1 done"]);
    assert_eq!(files(&path), ["run.html"]);
}

#[test]
fn without_the_variable_nothing_is_written() {
    let (folder, path) = temporary("run.html");
    let output = command("exits_with_a_word")
        .env_remove("ASYNCKIT_RECORD")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    // (It has been run: it ends the process before it passes.)
    assert!(String::from_utf8_lossy(&output.stdout).contains("running 1 test"), "{output:?}");
    assert!(files(&path).is_empty());
}
