//! Stores of real processes: killed at any moment, two at a time, on a disk that is full, and with files that were
//! damaged.
//!
//! The processes are this test's own program once more, which is told by its environment what to do.

mod support;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use asynckit::{Pool, async_work};
use asynckit_store::{Store, StoreError};
use support::{Temporary, soon};

/// What is kept of `n`: large now and then.
fn expected(n: u64) -> Vec<u64> {
    vec![n; if n.is_multiple_of(50) { 70_000 } else { 12 }]
}

#[async_work(keep)]
fn numbers(n: u64) -> Vec<u64> {
    expected(n)
}

const ROLE: &str = "ASYNCKIT_STORE_TEST_ROLE";

/// This program as another process.
fn process(role: &str, path: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "as_another_process", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env("ASYNCKIT_STORE_TEST_PATH", path);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// No test by itself: what the processes do.
#[test]
fn as_another_process() {
    let Ok(role) = env::var(ROLE) else { return };
    let path = PathBuf::from(env::var("ASYNCKIT_STORE_TEST_PATH").unwrap());
    match role.as_str() {
        "write" => write_on_and_on(&path),
        "full" => write_where_there_is_no_room(&path),
        "forbidden" => work_where_nothing_may_be_written(&path),
        "open" => match Store::open(&path) {
            Ok(_) => println!("OPEN"),
            Err(StoreError::InUse { .. }) => println!("IN USE"),
            Err(error) => println!("{error}"),
        },
        other => panic!("{other}"),
    }
}

/// Keeps numbers until it is killed, and says which are committed.
fn write_on_and_on(path: &Path) {
    let (pool, store) = (Pool::new(2), Store::open(path).unwrap());
    let on = store.on(&pool);
    let first = store.entries().unwrap().len() as u64;
    println!("FROM {first}");
    for n in first.. {
        numbers(n).spawn_on(&on).get().unwrap();
        if n % 7 == 0 {
            store.flush().unwrap();
            println!("COMMITTED {n}");
        }
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number after a word, in a line of the process.
fn number_after(line: &str, word: &str) -> Option<u64> {
    // The test harness may have begun the line.
    line.split_once(word).and_then(|(_, number)| number.trim().parse().ok())
}

#[test]
fn what_was_committed_is_there_and_whole_however_often_it_is_killed() {
    let place = Temporary::new();
    let path = place.file("results.redb");
    let mut committed = None;
    let mut draw = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..200 {
        let mut child = Killed(process("write", &path).spawn().unwrap());
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        // Moments by chance: while the store is opened, when it is open, when it has committed something.
        let sign = ["", "FROM ", "COMMITTED "][round % 3];
        let mut lines = told.iter();
        let mut seen = Vec::new();
        if !sign.is_empty() {
            seen.extend(lines.by_ref().find(|line| line.contains(sign)));
        }
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros(draw >> 33 & 0x7fff));
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        reader.join().unwrap();
        seen.extend(lines);
        let last = seen.iter().filter_map(|line| number_after(line, "COMMITTED ")).max();
        committed = last.max(committed);
    }
    let committed = committed.expect("it came to commit something");
    let (pool, store) = (Pool::new(1), Store::open(&path).unwrap());
    let on = store.on(&pool);
    for n in 0..=committed {
        assert_eq!(numbers(n).spawn_on(&on).get().unwrap(), expected(n), "{n}");
    }
    let stats = store.stats();
    assert_eq!((stats.hits, stats.misses), (committed + 1, 0), "all of it was there");
    // Neither is there half of anything.
    let entries = store.entries().unwrap();
    let halves = fs::read_dir(place.file("results.redb.values")).unwrap().flatten();
    let halves = halves.filter(|file| file.path().extension().is_some());
    assert_eq!(halves.count(), 0);
    let large = entries.iter().filter(|entry| entry.size() >= 64 << 10).count();
    assert_eq!(fs::read_dir(place.file("results.redb.values")).unwrap().count(), large);
}

#[test]
fn a_second_process_is_told() {
    let place = Temporary::new();
    let path = place.file("results.redb");
    let store = Store::open(&path).unwrap();
    let told = |command: &mut Command| {
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(told(&mut process("open", &path)).contains("IN USE"));
    drop(store);
    assert!(told(&mut process("open", &path)).contains("OPEN"));
}

/// A limit on the size of files stands for a full disk.
fn write_where_there_is_no_room(path: &Path) {
    let (pool, store) = (Pool::new(2), Store::open(path).unwrap());
    let on = store.on(&pool);
    for n in 0..4000 {
        assert_eq!(numbers(n).spawn_on(&on).get().unwrap(), expected(n));
        if n % 500 == 499 {
            let _ = store.flush();
        }
    }
    println!("DONE");
}

#[cfg(unix)]
#[test]
fn a_full_disk_fails_nothing_but_the_keeping_and_is_told_once() {
    let place = Temporary::new();
    let path = place.file("results.redb");
    drop(Store::open(&path).unwrap());
    let inner = process("full", &path);
    let mut limited = Command::new("bash");
    // Blocks of 1024 bytes; the signal would end the process.
    limited.args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$@\"", "limited"]);
    limited.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        limited.env(name, value.unwrap());
    }
    let output = limited.output().unwrap();
    let (told, trouble) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("DONE"), "{told}\n{trouble}");
    assert_eq!(trouble.matches("results are not kept").count(), 1, "{trouble}");
    assert!(trouble.contains("results.redb"), "{trouble}");
    // What was there before is, and the store is one.
    let store = Store::open(&path).unwrap();
    assert!(store.entries().is_ok());
}

/// Reads what is there, and says how often trouble was told.
fn work_where_nothing_may_be_written(path: &Path) {
    let told = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let its = told.clone();
    let store = Store::builder().on_trouble(move |error| {
        assert!(error.to_string().contains("results.redb"), "{error}");
        its.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    let (pool, store) = (Pool::new(2), store.open(path).unwrap());
    for n in 0..40 {
        assert_eq!(numbers(n).spawn_on(&store.on(&pool)).get().unwrap(), expected(n));
    }
    store.flush().unwrap();
    let told = told.load(std::sync::atomic::Ordering::SeqCst);
    println!("FORBIDDEN hits {} told {told}", store.stats().hits);
}

#[cfg(unix)]
#[test]
fn where_nothing_may_be_written_work_goes_on_and_it_is_told_once() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let place = Temporary::new();
    let folder = place.file("folder");
    fs::create_dir(&folder).unwrap();
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let said = || {
        let mut process = process("forbidden", &folder.join("results.redb"));
        // Nothing is forbidden to root: that has nobody run it.
        if fs::metadata(&folder).unwrap().uid() == 0 {
            process.uid(65534).gid(65534);
        }
        allow(&place.file(""), 0o755);
        allow(&folder, 0o555);
        let output = process.output();
        allow(&folder, 0o755);
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let text = said();
    assert!(text.contains("FORBIDDEN hits 0 told 1"), "{text}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    // What is there is used all the same.
    let path = folder.join("results.redb");
    {
        let (pool, store) = (Pool::new(1), Store::open(&path).unwrap());
        (0..10).for_each(|n| drop(numbers(n).spawn_on(&store.on(&pool)).get().unwrap()));
    }
    allow(&path, 0o444);
    let text = said();
    assert!(text.contains("FORBIDDEN hits 10 told 1"), "{text}");
}

#[test]
fn a_damaged_file_is_a_clear_error_and_never_a_panic() {
    soon(|| {
        let place = Temporary::new();
        let path = place.file("results.redb");
        let pool = Pool::new(1);
        {
            let store = Store::open(&path).unwrap();
            for n in 0..2000 {
                numbers(n).spawn_on(&store.on(&pool)).get().unwrap();
            }
        }
        let whole = fs::read(&path).unwrap();
        let mut draw = 7_u64;
        let mut next = |below: usize| {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            (draw >> 33) as usize % below
        };
        let mut told = 0;
        for round in 0..60 {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(next(whole.len())),
                1 => (0..64).for_each(|_| bytes[next(whole.len())] ^= 0xa5),
                _ => {
                    let from = next(whole.len() - 4096);
                    bytes[from..from + 4096].fill(next(256) as u8);
                }
            }
            fs::write(&path, &bytes).unwrap();
            match Store::open(&path) {
                Err(error) => {
                    told += 1;
                    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
                    assert!(error.to_string().contains("results.redb"), "{error}");
                }
                // What is damaged in it is computed anew.
                Ok(store) => {
                    let on = store.on(&pool);
                    for n in (0..2000).step_by(97) {
                        assert_eq!(numbers(n).spawn_on(&on).get().unwrap(), expected(n));
                    }
                }
            }
            let store = Store::open_or_reset(&path).unwrap();
            assert_eq!(numbers(3).spawn_on(&store.on(&pool)).get().unwrap(), expected(3));
        }
        assert!(told > 0);
    });
}
