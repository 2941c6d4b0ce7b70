//! The parts: each is a program that is sent a signal when it has said that it runs.

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use asynckit::{Ending, ErrorKind, Pool, async_work, is_cancelled, try_work};

/// What those have for their end that use it up.
pub const GRACE: Duration = Duration::from_millis(200);
/// What those have that do not.
const LONG: Duration = Duration::from_secs(3600);

pub fn run(part: &str) -> ExitCode {
    match part {
        "polite" => polite_part(),
        "stubborn" => stubborn_part(),
        "dropped" => dropped_part(),
        "patient" => patient_part(),
        "stopping" => stopping_part(),
        "scope" => scope_part(&Pool::new(2)),
        "this_thread" => scope_part(&Pool::deterministic(1)),
        "two" => two_part(),
        "none_left" => none_left_part(),
        other => panic!("there is no part {other}"),
    }
}

#[async_work]
fn polite() -> u32 {
    println!("runs");
    wait_until_told();
    1
}

#[async_work]
fn stubborn() -> u32 {
    println!("runs");
    loop {
        thread::park();
    }
}

fn wait_until_told() {
    while !is_cancelled() {
        thread::sleep(Duration::from_millis(1));
    }
}

fn code(ending: &Ending) -> ExitCode {
    ending.signal().map_or(ExitCode::FAILURE, |signal| signal.exit_code().into())
}

fn show<T: Send>(what: &str, outcome: asynckit::Result<T>) {
    match outcome {
        Ok(_) => println!("{what}: came in time"),
        Err(error) if error.kind() == ErrorKind::Cancelled => println!("{what}: cancelled"),
        Err(error) => println!("{what}: {error}"),
    }
}

fn polite_part() -> ExitCode {
    let pool = Pool::new(1);
    let ending = pool.end_on_signal(LONG).unwrap();
    assert_eq!(ending.signal(), None);
    let running = polite().spawn_on(&pool);
    let queued = pool.spawn(|| 2);
    show("queued", queued.get());
    show("running", running.get());
    match pool.stop_timeout(Duration::MAX) {
        Ok(()) => println!("all ended"),
        Err(still) => println!("{still}"),
    }
    code(&ending)
}

fn stubborn_part() -> ExitCode {
    let pool = Pool::new(2);
    let ending = pool.end_on_signal(GRACE).unwrap();
    show("running", stubborn().spawn_on(&pool).get());
    println!("{}", pool.stop_timeout(Duration::MAX).unwrap_err());
    code(&ending)
}

fn dropped_part() -> ExitCode {
    let pool = Pool::new(2);
    pool.end_on_signal(GRACE).unwrap();
    stubborn().detach_on(&pool);
    drop(pool);
    ExitCode::from(7)
}

/// Would wait for an hour.
fn patient_part() -> ExitCode {
    let pool = Pool::new(1);
    pool.end_on_signal(LONG).unwrap();
    let running = pool.spawn(|| {
        println!("runs");
        wait_until_told();
        println!("was told");
        loop {
            thread::park();
        }
    });
    running.wait();
    ExitCode::FAILURE
}

fn stopping_part() -> ExitCode {
    let pool = Pool::new(2);
    pool.end_on_signal(GRACE).unwrap();
    stubborn().detach_on(&pool);
    pool.stop();
    println!("stopped");
    ExitCode::SUCCESS
}

fn scope_part(pool: &Pool) -> ExitCode {
    let ending = pool.end_on_signal(Duration::ZERO).unwrap();
    let text = "borrowed".to_owned();
    pool.scope(|s| {
        let running = s.spawn(|| {
            println!("runs");
            wait_until_told();
            text.len()
        });
        let _ = running.get();
    });
    println!("the scope is over");
    code(&ending)
}

fn two_part() -> ExitCode {
    let (one, two) = (Pool::new(1), Pool::new(1));
    let ending = one.end_on_signal(LONG).unwrap();
    two.end_on_signal(GRACE).unwrap();
    let (begun, begins) = mpsc::channel();
    let far = two.spawn(move || {
        begun.send(()).unwrap();
        loop {
            thread::park();
        }
    });
    begins.recv().unwrap();
    let near = far.clone();
    let waits = try_work(move || {
        println!("runs");
        near.get()
    });
    show("one", waits.spawn_on(&one).get());
    show("two", far.get());
    let late = Pool::new(1);
    late.end_on_signal(LONG).unwrap();
    show("late", late.spawn(|| 1).get());
    let _ = two.stop_timeout(Duration::MAX);
    code(&ending)
}

fn none_left_part() -> ExitCode {
    let pool = Pool::new(1);
    pool.end_on_signal(LONG).unwrap();
    drop(pool);
    println!("runs");
    loop {
        thread::park();
    }
}
