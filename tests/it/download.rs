//! The `download` example, run as a user runs it: a program with arguments, output and an exit code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::example::{Done, Run};
use server::{Server, body};

#[path = "../../examples/download/names.rs"]
mod names;
mod server;

/// The SHA-256 of the embedded site's page `/about`.
const ABOUT_SHA256: &str = "928990309653b413826ad3cf283d50478f8f926b0c9a27033dabea55ec43b228";

#[test]
fn without_arguments_it_downloads_its_own_site() {
    let done = download(&[], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    done.shows("/about", ABOUT_SHA256);
    done.shows("/moved", ABOUT_SHA256);
    done.shows("/missing", "404 Not Found");
    done.shows("/cut-short", "cut short");
    done.says("refused");
    done.says("10 downloaded, 3 failed; ");
    done.says("one by one, measured: ");
}

#[test]
fn one_worker_is_enough() {
    assert_eq!(download(&["--workers", "1"], "").code, Some(0));
}

#[test]
fn a_page_that_should_not_fail_fails_the_whole() {
    // The fast pages may make it, the slow ones can't.
    let done = download(&["--timeout", "0.1"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
}

#[test]
fn what_fails_is_told_and_the_rest_is_downloaded() {
    let server = Server::start();
    let (good, silent) = (server.url("/good"), server.url("/silent"));
    let (_held, dead) = server.refusing();
    let urls = ["no url", "ftp://example.com/", &dead, &silent, &good, "https:///"];
    let done = download(&[&["--timeout", "0.5"], &urls[..]].concat(), "");

    assert_eq!(done.code, Some(1), "{done:?}");
    done.shows("no url", "not a URL");
    done.shows("ftp://example.com/", "not an http or https URL");
    done.shows(&dead, "refused");
    done.shows(&silent, "timed out");
    done.shows("https:///", "failed");
    done.shows(&good, "  200  ");
    done.says("1 downloaded, 5 failed");
    // A line each while it runs, as standard error is no terminal here.
    let lines = |kind| done.stderr.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!((lines("failed  "), lines("ok      ")), (5, 1), "{done:?}");
}

#[test]
fn urls_are_read_from_standard_input() {
    let server = Server::start();
    let [first, second, third] = ["/1", "/2", "/3"].map(|path| server.url(path));
    let input = format!("{first}\r\n\n  # a comment\n  {second}  ");
    let done = download(&["-", &third], &input);

    assert_eq!(done.code, Some(0), "{done:?}");
    let places = [first, second, third].map(|url| done.stdout.find(&format!("{url} ")));
    let in_order = places.iter().all(Option::is_some) && places.is_sorted();
    assert!(in_order, "{done:?}");
    done.says("3 downloaded, 0 failed");

    let nothing = download(&["-"], "\n");
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
}

#[test]
fn pages_are_kept_under_safe_names() {
    let server = Server::start();
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("mine.txt"), "mine").unwrap();
    let out = dir.path().join("made on the way/out");
    // Each path, and the name that its page is kept under.
    let pages = [
        ("/", "index.html"),
        ("/a/page.html", "page.html"),
        ("/b/page.html", "page-2.html"),
        ("/c/PAGE.html", "PAGE-3.html"),
        ("/..%2f..%2fmine.txt", "_.._2f.._2fmine.txt"),
        ("/con.txt", "_con.txt"),
    ];
    let urls = pages.map(|(path, _)| server.url(path));
    let done = download(&with_out(&out, &urls), "");

    assert_eq!(done.code, Some(0), "{done:?}");
    let expected = pages.map(|(path, name)| (name.to_owned(), body(path)));
    assert_eq!(files(&out), BTreeMap::from(expected));
    assert_eq!(fs::read(dir.path().join("mine.txt")).unwrap(), b"mine");
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let server = Server::start();
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("a.txt"), "old").unwrap();
    let done = download(&with_out(dir.path(), &[server.url("/a.txt")]), "");

    assert_eq!(done.code, Some(0), "{done:?}");
    let expected = [("a.txt", b"old".to_vec()), ("a-2.txt", body("/a.txt"))];
    let expected = expected.map(|(name, page)| (name.to_owned(), page));
    assert_eq!(files(dir.path()), BTreeMap::from(expected));
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let done = download(&with_out(&file, &["http://127.0.0.1:1/".to_owned()]), "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.starts_with("download: "), "{done:?}");
}

#[test]
fn wrong_usage_and_help() {
    for wrong in [
        &["--workers", "0"][..],
        &["--workers", "many"],
        &["--timeout", "0"],
        &["--timeout", "soon"],
        &["--timeout=-1"],
        &["--timeout", "1e300"],
        &["--out"],
        &["--unknown"],
    ] {
        let done = download(wrong, "");
        assert_eq!(done.code, Some(2), "{wrong:?}: {done:?}");
        assert!(done.stderr.starts_with("error: "), "{wrong:?}: {done:?}");
    }
    let help = download(&["--help"], "");
    assert_eq!(help.code, Some(0));
    for option in ["--workers", "--timeout", "--out", "130"] {
        assert!(help.stdout.contains(option), "{option}: {help:?}");
    }
}

#[test]
fn a_url_cannot_steer_the_terminal() {
    let done = download(&["-"], "\x1b[31mred\n");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(!(done.stdout + &done.stderr).contains('\x1b'));
}

#[cfg(unix)]
#[test]
fn signals_end_it_cleanly() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let server = Server::start();
        let dir = TempDir::new().unwrap();
        let (quick, silent) = (server.url("/quick.txt"), server.url("/silent"));
        let mut urls = vec![quick.clone()];
        // More than there are workers: some have not begun, and what has is not done in time.
        urls.extend(vec![silent; 20]);
        let running = Run::start("download", &with_out(dir.path(), &urls), "");

        let first = running.stderr.recv_timeout(crate::example::LIMIT).unwrap();
        assert_eq!(first, format!("ok      {quick} -> quick.txt"));
        running.signal(signal);
        let done = running.end();
        assert_eq!(done.code, Some(code), "{done:?}");
        done.shows(&quick, "  200  ");
        done.says("1 downloaded, 0 failed; 14000 bytes; interrupted");
        assert!(done.stderr.contains("still running: download ("), "{done:?}");
        let expected = BTreeMap::from([("quick.txt".to_owned(), body("/quick.txt"))]);
        assert_eq!(files(dir.path()), expected);
    }
}

#[test]
fn names_are_safe_whatever_the_url() {
    for (url, name) in [
        ("http://h", "index.html"),
        ("http://h/a/b/", "index.html"),
        ("http://h/a.html?q=../../x#../y", "a.html"),
        ("http://h/a/../../../etc/passwd", "passwd"),
        ("http://h/%2e%2e/%2e%2e", "index.html"),
        ("http://h/..%5c..%5cx", "_.._5c.._5cx"),
        ("http://h/.bashrc", "_.bashrc"),
        ("http://h/nul", "_nul"),
        ("http://h/LPT1.tar.gz", "_LPT1.tar.gz"),
        ("http://h/com10.txt", "com10.txt"),
        ("http://h/dots...", "dots"),
        ("http://h/...", "_"),
        ("http://h/a:b", "a_b"),
        ("http://h/\u{e9}.txt", "_C3_A9.txt"),
        ("mailto:someone", "index.html"),
        ("no url", "index.html"),
    ] {
        assert_eq!(names::file_name(url), name, "{url}");
    }
    let long = names::file_name(&format!("http://h/{}.html", "x".repeat(5000)));
    assert!(long.len() <= 120 && long.ends_with("x.html"), "{long}");

    let dir = TempDir::new().unwrap();
    let mut names = names::Names::new(dir.path());
    let claimed =
        ["http://h/a", "http://i/A", "http://h/a-2", "http://h/a"].map(|url| names.claim(url));
    assert_eq!(claimed, ["a", "A-2", "a-2-2", "a-3"]);
}

fn download(args: &[&str], input: &str) -> Done {
    Run::start("download", args, input).end()
}

fn with_out<'a>(dir: &'a Path, urls: &'a [String]) -> Vec<&'a str> {
    let mut args = vec!["--out", dir.to_str().unwrap()];
    args.extend(urls.iter().map(String::as_str));
    args
}

/// All that is in a directory, hidden files too.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let named = |file: fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        (name, fs::read(file.path()).unwrap())
    };
    let entries = fs::read_dir(dir).unwrap();
    entries.map(Result::unwrap).map(named).collect()
}
