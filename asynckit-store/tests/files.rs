//! Files as arguments and values.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use asynckit::{Pool, async_work, chain};
use asynckit_store::{InputFile, OutputFile, Store};
use support::{Gate, Temporary, soon};

#[test]
fn contents_count_and_nothing_else_of_a_file() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    #[async_work(keep)]
    fn read(file: InputFile) -> std::io::Result<String> {
        READ.fetch_add(1, SeqCst);
        fs::read_to_string(&file)
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let file = place.file("input");
        let ask =
            |store: &Store| read(file.clone().into()).spawn_on(&store.on(&pool)).get().unwrap();
        fs::write(&file, "one").unwrap();
        assert_eq!((ask(&store), ask(&store)), ("one".to_owned(), "one".to_owned()));
        assert_eq!(READ.load(SeqCst), 1);
        // Written anew with the same in it.
        fs::remove_file(&file).unwrap();
        fs::write(&file, "one").unwrap();
        ask(&store);
        assert_eq!(READ.load(SeqCst), 1);
        // As long as before, and at the same time for what a coarse clock can tell.
        fs::write(&file, "two").unwrap();
        assert_eq!(ask(&store), "two");
        fs::write(&file, "one").unwrap();
        assert_eq!(ask(&store), "one");
        assert_eq!(READ.load(SeqCst), 2, "the first one is still kept");
        drop(store);
        ask(&place.store());
        assert_eq!(READ.load(SeqCst), 2);
    });
}

#[test]
fn a_file_that_is_not_there_is_the_function_s_to_tell() {
    #[async_work(keep)]
    fn read(file: InputFile) -> std::io::Result<String> {
        fs::read_to_string(&file)
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let error = read(place.file("none").into()).spawn_on(&store.on(&pool)).get().unwrap_err();
        let cause: &std::io::Error = error.downcast_ref().unwrap();
        assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
    });
}

/// Those that a read says that it has begun by, and waits at.
type Gates = std::sync::Mutex<Vec<(Gate, Gate)>>;

/// Reads a file, which may be changed between its begin and that.
fn read_between(gates: &Gates, file: &InputFile) -> std::io::Result<String> {
    let gates = gates.lock().unwrap().pop();
    if let Some((begun, go)) = gates {
        begun.open();
        go.pass();
    }
    fs::read_to_string(file)
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_kept() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    static GATES: Gates = Gates::new(Vec::new());
    #[async_work(keep)]
    fn slow(file: InputFile) -> std::io::Result<String> {
        READ.fetch_add(1, SeqCst);
        read_between(&GATES, &file)
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let file = place.file("input");
        fs::write(&file, "before").unwrap();
        let (begun, go) = (Gate::new(), Gate::new());
        GATES.lock().unwrap().push((begun.clone(), go.clone()));
        let first = slow(file.clone().into()).spawn_on(&store.on(&pool));
        begun.pass();
        fs::write(&file, "afterwards").unwrap();
        go.open();
        assert_eq!(first.get().unwrap(), "afterwards");
        // The contents of before lead to nothing.
        fs::write(&file, "before").unwrap();
        assert_eq!(slow(file.clone().into()).spawn_on(&store.on(&pool)).get().unwrap(), "before");
        assert_eq!(READ.load(SeqCst), 2);
    });
}

/// The same size and the same time: only its contents tell, and they do.
#[test]
fn a_change_that_a_coarse_clock_hides_is_not_kept_either() {
    static GATES: Gates = Gates::new(Vec::new());
    #[async_work(keep)]
    fn slow(file: InputFile) -> std::io::Result<String> {
        read_between(&GATES, &file)
    }
    soon(|| {
        let place = Temporary::new();
        let pool = Pool::new(1);
        let store = Store::builder().explain(true).open(place.file("results.redb")).unwrap();
        let (file, just_now) = (place.file("input"), SystemTime::now() + Duration::from_secs(60));
        let write = |text: &str| {
            fs::write(&file, text).unwrap();
            fs::File::options().write(true).open(&file).unwrap().set_modified(just_now).unwrap();
        };
        let ask = || slow(file.clone().into()).spawn_on(&store.on(&pool));
        write("one");
        let (begun, go) = (Gate::new(), Gate::new());
        GATES.lock().unwrap().push((begun.clone(), go.clone()));
        let first = ask();
        begun.pass();
        write("two");
        go.open();
        assert_eq!(first.get().unwrap(), "two");
        write("one");
        assert_eq!(ask().get().unwrap(), "one");
        assert_eq!(store.stats().hits, 0);
        let why = store.explain()[1].to_string();
        assert!(
            why.ends_with("its value is not kept: a file that it takes has changed meanwhile"),
            "{why}"
        );
        assert_eq!(ask().get().unwrap(), "one");
        assert_eq!(store.stats().hits, 1);
    });
}

/// It would wait for somebody to write into it.
#[cfg(unix)]
#[test]
fn a_pipe_has_no_contents() {
    #[async_work(keep)]
    fn name(file: InputFile) -> Option<String> {
        Some(file.file_name()?.to_string_lossy().into_owned())
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, pipe) = (Pool::new(1), place.file("pipe"));
        let store = Store::builder().explain(true).open(place.file("results.redb")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let value = name(pipe.into()).spawn_on(&store.on(&pool)).get().unwrap();
        assert_eq!(value.as_deref(), Some("pipe"));
        let why = store.explain()[0].to_string();
        assert!(
            why.contains("it has no key") && why.contains("neither a file nor a folder"),
            "{why}"
        );
    });
}

#[test]
fn folders_count_with_all_that_is_in_them() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    #[async_work(keep)]
    fn count(folder: InputFile) -> std::io::Result<usize> {
        READ.fetch_add(1, SeqCst);
        Ok(fs::read_dir(&folder)?.count())
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(1), place.store());
        let folder = place.file("folder");
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("inner/a"), "a").unwrap();
        let ask = || count(folder.clone().into()).spawn_on(&store.on(&pool)).get().unwrap();
        assert_eq!((ask(), ask(), READ.load(SeqCst)), (1, 1, 1));
        fs::write(folder.join("inner/a"), "b").unwrap();
        assert_eq!((ask(), READ.load(SeqCst)), (1, 2));
        fs::write(folder.join("b"), "").unwrap();
        assert_eq!((ask(), READ.load(SeqCst)), (2, 3));
        fs::rename(folder.join("b"), folder.join("c")).unwrap();
        assert_eq!((ask(), READ.load(SeqCst)), (2, 4));
    });
}

#[test]
fn an_output_counts_while_it_is_there_unchanged() {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    static JOINED: AtomicUsize = AtomicUsize::new(0);
    #[async_work(keep)]
    fn upper(input: InputFile, to: PathBuf) -> std::io::Result<OutputFile> {
        WRITTEN.fetch_add(1, SeqCst);
        fs::write(&to, fs::read_to_string(&input)?.to_uppercase())?;
        Ok(to.into())
    }
    #[async_work(keep)]
    fn join(parts: Vec<OutputFile>) -> std::io::Result<String> {
        JOINED.fetch_add(1, SeqCst);
        parts.iter().map(fs::read_to_string).collect()
    }
    soon(|| {
        let place = Temporary::new();
        let (pool, store) = (Pool::new(2), place.store());
        let names = ["a", "b"];
        for name in names {
            fs::write(place.file(name), name).unwrap();
        }
        let build = || {
            let place = &place;
            let on = store.on(&pool);
            let all = chain!(&on, {
                let parts: Vec<_> = names
                    .iter()
                    .map(|name| upper(place.file(name).into(), place.file(&format!("{name}.out"))))
                    .collect();
                join(parts)
            });
            (all.get().unwrap(), WRITTEN.load(SeqCst), JOINED.load(SeqCst))
        };
        assert_eq!(build(), ("AB".to_owned(), 2, 1));
        assert_eq!(build(), ("AB".to_owned(), 2, 1));
        // One output is gone: it is written again, and as it is the same, no more has to be done.
        fs::remove_file(place.file("a.out")).unwrap();
        assert_eq!(build(), ("AB".to_owned(), 3, 1));
        fs::write(place.file("b.out"), "spoiled").unwrap();
        assert_eq!(build(), ("AB".to_owned(), 4, 1));
        fs::write(place.file("a"), "other").unwrap();
        assert_eq!(build(), ("OTHERB".to_owned(), 5, 2));
    });
}

/// As to another process: where the other side looks, it is the same file.
#[test]
fn outside_of_a_store_a_file_is_its_path() {
    let (input, output) = (InputFile::new("in"), OutputFile::new("out"));
    let bytes = postcard::to_stdvec(&(&input, &output)).unwrap();
    assert_eq!(bytes, postcard::to_stdvec(&("in", "out")).unwrap());
    assert_eq!(postcard::from_bytes::<(InputFile, OutputFile)>(&bytes).unwrap(), (input, output));
}
