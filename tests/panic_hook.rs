//! The panic hook that notes where work has panicked: a program of its own, as hooks are the process's.

use std::panic::{catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use asynckit::{AsyncResult, Error, Pool, try_work, work};

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[track_caller]
fn calls(n: usize) {
    assert_eq!(CALLS.swap(0, SeqCst), n);
}

fn failure<T: Send + 'static>(pool: &Pool, f: fn() -> T) -> Error {
    let Err(error) = pool.spawn(f).get() else { panic!("it did not panic") };
    error
}

#[test]
fn it_is_beside_the_program_s_own() {
    // The program's own hook, from before its first pool.
    set_hook(Box::new(|_| {
        CALLS.fetch_add(1, SeqCst);
    }));
    let in_place = work(|| -> u8 { panic!("in place") }).run().unwrap_err();
    assert!(in_place.to_string().ends_with("closure panicked: in place"), "{in_place}");
    calls(1);

    let pool = Pool::new(1);
    let line = line!() + 1;
    let error = failure(&pool, || panic!("first"));
    let place = format!("{}:{line}", file!());
    for text in [error.to_string(), format!("{error:#}"), format!("{error:?}")] {
        assert!(text.contains(&format!("panicked at {place}: first")), "{text}");
    }
    calls(1);

    // Other pools change nothing, and threads of others are let be.
    let others = [Pool::new(1), Pool::deterministic(1)];
    thread::spawn(|| panic!("elsewhere")).join().unwrap_err();
    assert!(catch_unwind(|| panic!("outside of work")).is_err());
    calls(2);
    for pool in others {
        assert!(failure(&pool, || panic!("again")).to_string().contains(file!()));
    }
    calls(2);

    // What such a thread has raised is not taken for the place of what work raises.
    let error = failure(&pool, || {
        let payload = thread::spawn(|| panic!("elsewhere")).join().unwrap_err();
        std::panic::resume_unwind(payload)
    });
    assert!(error.to_string().ends_with("panicked: elsewhere"), "{error}");
    let error = failure(&pool, || {
        catch_unwind(|| panic!("caught")).unwrap_err();
        std::panic::resume_unwind(Box::new("on"))
    });
    assert!(error.to_string().ends_with("panicked: on"), "{error}");
    calls(2);

    // Panics of which none is the first.
    let (many, line) = (failure(&pool, panics_while_it_unwinds), line!() + 19);
    assert!(many.to_string().contains(&format!(":{line}: outer")), "{many}");
    let error = failure(&pool, || {
        (0..20).for_each(|n| drop(catch_unwind(move || panic!("{n}"))));
        panic!("the last one")
    });
    assert!(error.to_string().contains(&format!("{}:{}: the", file!(), line!() - 2)), "{error}");
    let error = failure(&pool, || std::panic::panic_any(7));
    assert!(error.to_string().contains(&format!("{}:{}: ", file!(), line!() - 1)), "{error}");
    CALLS.store(0, SeqCst);

    struct Catches;
    impl Drop for Catches {
        fn drop(&mut self) {
            catch_unwind(|| panic!("inner")).unwrap_err();
        }
    }
    fn panics_while_it_unwinds() {
        let _catches = Catches;
        panic!("outer");
    }

    // Callbacks, and work in place.
    let line = line!() + 1;
    let error = work(|| -> u8 { panic!("in place") }).run().unwrap_err();
    assert!(error.to_string().contains(&format!("{}:{line}: in place", file!())), "{error}");
    let (sender, reports) = std::sync::mpsc::channel();
    let hook = move |error: &Error| drop(sender.send(error.to_string()));
    let told = Pool::builder().workers(1).on_unobserved_error(hook).build().unwrap();
    let result = told.spawn(|| 1);
    let line = line!() + 1;
    result.on_set(|_| panic!("in a callback"));
    let report = reports.recv().unwrap();
    assert!(report.contains(&format!("{}:{line}: in a callback", file!())), "{report}");
    drop((result, told));
    calls(2);

    // A pool that is made while its thread panics.
    struct MakesAPool;
    impl Drop for MakesAPool {
        fn drop(&mut self) {
            assert_eq!(Pool::new(1).spawn(|| 1).get().unwrap(), 1);
        }
    }
    let made = thread::spawn(|| {
        let _makes = MakesAPool;
        panic!("on purpose");
    });
    assert_eq!(made.join().unwrap_err().downcast_ref(), Some(&"on purpose"));

    // A hook that the program sets later takes the place, not the error.
    let ours = take_hook();
    set_hook(Box::new(|_| {}));
    let error = failure(&pool, || panic!("without a place"));
    assert!(error.is_panic() && error.to_string().ends_with("panicked: without a place"));
    // One that calls on loses nothing.
    set_hook(Box::new(move |info| ours(info)));
    let error = failure(&pool, || panic!("with a place"));
    assert!(error.to_string().contains(file!()), "{error}");
    let failed = try_work(|| Err::<u8, _>("no panic")).run().unwrap_err();
    assert!(!failed.to_string().contains(file!()), "{failed}");
    drop(AsyncResult::ready(1));
}
