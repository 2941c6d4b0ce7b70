//! A tiny `make`: steps that depend on each other, known only at run time. Each runs once, as soon as
//! the steps that it needs are done. Under a `make -j` it shares the slots of that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use asynckit::{AsyncResult, Error, Limit, Pool, async_work, chain, current};

/// A target and what it needs, needs first.
const STEPS: [(&str, &[&str]); 6] = [
    ("parser.o", &[]),
    ("lexer.o", &[]),
    ("manual.txt", &[]),
    ("lib.a", &["parser.o", "lexer.o"]),
    ("app", &["lib.a"]),
    ("app.tar", &["app", "manual.txt"]),
];

type Log = Arc<Mutex<Vec<&'static str>>>;

/// Makes one target of the things that it needs.
#[async_work]
fn make(target: &'static str, needs: Vec<String>, log: Log) -> String {
    log.lock().unwrap().push(target);
    match needs.as_slice() {
        [] => target.to_owned(),
        needs => format!("{target}({})", needs.join(" ")),
    }
}

/// The same when there is a slot for it; it stands in line once it has what it needs.
fn make_in_turn(
    slots: Limit,
    target: &'static str,
    needs: Vec<String>,
    log: Log,
) -> AsyncResult<String> {
    make(target, needs, log).limit(&slots).spawn_on(&current())
}

/// How many steps may be made at once: as make says, where it has started this program, or as many as there
/// are workers.
fn slots(workers: usize) -> Limit {
    // SAFETY: it is called first in `main`, when the files that are open are those that make has opened.
    #[allow(unsafe_code)]
    let make = unsafe { jobserver::Client::from_env() };
    match make {
        Some(client) => Limit::jobserver(client, workers),
        None => Limit::new(workers),
    }
}

fn main() -> Result<(), Error> {
    let workers = 2;
    let slots = slots(workers);
    let pool = Pool::new(workers);
    let log = Log::default();

    let mut targets: HashMap<&str, AsyncResult<String>> = HashMap::new();
    for (target, needs) in STEPS {
        // Several steps may need the same one: each gets a clone of its result.
        let needs: Vec<_> = needs.iter().map(|need| targets[need].clone()).collect();
        let made = chain!(&pool, make_in_turn(slots.clone(), target, needs, log.clone()));
        targets.insert(target, made);
    }
    let tar = targets.remove("app.tar").expect("a step makes it").get()?;

    println!("{tar}");
    assert_eq!(tar, "app.tar(app(lib.a(parser.o lexer.o)) manual.txt)");

    let log = log.lock().unwrap();
    println!("in this order: {}", log.join(", "));
    let place = |target: &str| log.iter().position(|made| *made == target);
    for (target, needs) in STEPS {
        assert!(needs.iter().all(|need| place(need) < place(target)));
    }
    assert_eq!(log.len(), STEPS.len());
    Ok(())
}
