//! Work that is carried out elsewhere: `asynckit::carry`, with a carrier that anybody could write.

mod desk;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use asynckit::carry::{Call, Carriage, Carrier, Ended, Failure, Running, on};
use asynckit::{
    AsyncResult, CancelToken, Error, ErrorKind, Limit, Pool, Priority, Results, Retry, async_work,
    chain, current, try_work, work,
};

use crate::support::{Counter, Gate, eventually, occupy, soon};
use desk::{Desk, Reply, attribute::Keep};

const SHORT: Duration = Duration::from_millis(5);

#[async_work(keep(crate = desk))]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[async_work(remote(crate = desk))]
fn shout(text: &str) -> Result<String, std::num::ParseIntError> {
    let _: u8 = "1".parse()?;
    Ok(text.to_uppercase())
}

#[async_work]
fn double(n: u64) -> u64 {
    2 * n
}

#[test]
fn a_call_is_answered_from_elsewhere() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let sum = add(1, 2).spawn_on(&on(&pool, desk.clone()));
        let call = desk.next();
        assert_eq!(call.path, concat!(module_path!(), "::add"));
        assert_eq!(call.arguments, "1 2");
        assert!(call.types.contains("u64"), "{}", call.types);
        assert_eq!(pool.spawn(|| 7).get().unwrap(), 7, "it holds no thread meanwhile");
        assert!(!sum.is_set());
        call.value("33");
        assert_eq!(sum.get().unwrap(), 33);
    });
}

#[test]
fn without_a_carrier_it_is_an_ordinary_call() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        assert_eq!(add(1, 2).spawn_on(&pool).get().unwrap(), 3);
        assert_eq!(add(1, 2).run().unwrap(), 3);
        let place = on(&pool, desk.clone());
        assert_eq!(chain!(&place, double(4)).get().unwrap(), 8, "what was not annotated so");
        assert!(desk.is_empty());
        // Made before there was a place, and submitted to one without a carrier.
        let made = add(2, 2);
        drop(place);
        assert_eq!(made.spawn_on(&pool).get().unwrap(), 4);
    });
}

#[test]
fn it_may_be_done_here_after_all() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let sum = add(1, 2).spawn_on(&on(&pool, desk.clone()));
        desk.next().reply(Reply::Here);
        assert_eq!(sum.get().unwrap(), 3);
    });
}

#[test]
fn it_is_asked_when_the_inputs_are_there() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let input = AsyncResult::new();
        let place = on(&pool, desk.clone());
        let (first, second) = (input.clone(), desk.clone());
        let out = chain!(&place, double(add(first, 1)));
        assert!(second.is_empty());
        input.set(41).unwrap();
        let call = desk.next();
        assert_eq!(call.arguments, "41 1");
        call.value("5");
        assert_eq!(out.get().unwrap(), 10);
    });
}

#[test]
fn what_is_lent_to_a_call_comes_back_when_it_is_over() {
    soon(|| {
        let (pool, desk) = (Pool::new(2), Desk::new());
        let place = on(&pool, desk.clone());
        let (text, loud) = {
            #[async_work]
            fn text() -> String {
                "hello".to_owned()
            }
            #[async_work]
            fn consume(text: String) -> usize {
                text.len()
            }
            let both = chain!(&place, {
                let text = text();
                let loud = shout(&text);
                (consume(text), loud)
            });
            let call = desk.next();
            assert_eq!(call.arguments, "hello");
            call.value("HELLO");
            both.get().unwrap()
        };
        assert_eq!((text, loud.as_str()), (5, "HELLO"));
    });
}

#[test]
fn work_that_borrows_is_carried_too() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let text = "borrowed".to_owned();
        let answer = desk.clone();
        let loud = pool.scope(|s| {
            let loud = shout(&text).spawn_on(&on(s, desk.clone()));
            std::thread::spawn(move || answer.next().value("!"));
            loud
        });
        assert!(loud.is_set(), "the scope has waited for it");
        assert_eq!(loud.get().unwrap(), "!");
    });
}

#[test]
fn what_the_work_submits_is_carried_too() {
    #[async_work]
    fn outer(n: u64) -> u64 {
        add(n, n).spawn_on(&current()).get().unwrap()
    }
    soon(|| {
        let (pool, other, desk) = (Pool::new(1), Arc::new(Pool::new(1)), Desk::new());
        let place = on(&pool, desk.clone());
        let result = outer(4).spawn_on(&place);
        desk.next().value("9");
        assert_eq!(result.get().unwrap(), 9);
        // Also on another pool.
        let its = other.clone();
        let result = work(move || add(1, 1).spawn_on(&*its).get()).spawn_on(&place);
        desk.next().value("8");
        assert_eq!(result.get().unwrap().unwrap(), 8);
        let token = CancelToken::new();
        let result = add(1, 1).spawn_on(&token.on(&place));
        desk.next().value("7");
        assert_eq!(result.get().unwrap(), 7);
    });
}

#[test]
fn a_stop_and_a_scope_wait_for_it() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let sum = add(1, 2).spawn_on(&on(&pool, desk.clone()));
        let more = chain!(&pool, double(sum));
        let call = desk.next();
        let answer = std::thread::spawn(move || {
            std::thread::sleep(SHORT);
            call.value("4");
        });
        pool.stop();
        assert_eq!(more.get().unwrap(), 8);
        answer.join().unwrap();
    });
}

#[test]
fn a_stop_in_time_gives_it_up() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let sum = add(1, 2).spawn_on(&on(&pool, desk.clone()));
        let call = desk.next();
        let _ = pool.stop_timeout(SHORT);
        assert_eq!(sum.get().unwrap_err().kind(), ErrorKind::Stopped);
        eventually("the carrier has learned of it", || call.is_over());
        call.value("3"); // nobody waits for it
    });
}

#[test]
fn who_cancels_it_tells_the_carrier() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let sum = add(1, 2).spawn_on(&place);
        let call = desk.next();
        assert!(sum.cancel());
        eventually("the carrier has learned of it", || call.is_over());
        assert_eq!(sum.get().unwrap_err().kind(), ErrorKind::Cancelled);

        let token = CancelToken::new();
        let sum = add(1, 2).spawn_on(&token.on(&place));
        let call = desk.next();
        token.cancel();
        eventually("the carrier has learned of it", || call.is_over());
        assert_eq!(sum.get().unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

/// A carrier that has each call done here, and tells how many minutes that may take.
struct Asks(Sender<Option<u64>>);

impl Carrier for Asks {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        let left = call.deadline().map(|at| at.saturating_duration_since(Instant::now()));
        self.0.send(left.map(|left| left.as_secs().div_ceil(60))).unwrap();
        Err(call)
    }
}

#[test]
fn a_carrier_may_ask_for_the_deadline() {
    soon(|| {
        let (send, asked) = channel();
        let (pool, minutes) = (Pool::new(1), |n: u64| Duration::from_secs(60 * n));
        let place = on(&pool, Asks(send.clone()));
        let left = |result: AsyncResult<String>| {
            assert_eq!(result.get().unwrap(), "A");
            asked.recv().unwrap()
        };
        let call = || shout("a");
        assert_eq!(left(call().spawn_on(&place)), None);
        assert_eq!(left(call().deadline(minutes(5)).spawn_on(&place)), Some(5));
        assert_eq!(left(call().timeout(minutes(4)).spawn_on(&place)), Some(4));
        // The earliest of all that are around it.
        let both = call().deadline(minutes(3)).timeout(minutes(4));
        assert_eq!(left(both.spawn_on(&place)), Some(3));
        let both = call().timeout(minutes(3)).deadline(minutes(2));
        assert_eq!(left(both.spawn_on(&place)), Some(2));
        let tried = Retry::new(2).work(call).deadline(minutes(6));
        assert_eq!(left(tried.spawn_on(&place)), Some(6));
        let token = CancelToken::with_timeout(minutes(7)).child();
        assert_eq!(left(call().spawn_on(&token.on(&place))), Some(7));
        assert_eq!(left(call().deadline(minutes(1)).spawn_on(&token.on(&place))), Some(1));
        // A clock of its own means nothing to anybody else.
        let virtual_one = Pool::deterministic(3);
        let place = on(&virtual_one, Asks(send));
        assert_eq!(left(call().deadline(minutes(5)).spawn_on(&place)), None);
    });
}

#[test]
fn a_deadline_holds_elsewhere() {
    // Long enough for the carrier to be asked before, on a machine that does much else.
    const WHILE: Duration = Duration::from_millis(300);
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let sum = add(1, 2).deadline(WHILE).spawn_on(&place);
        let text = shout("a").timeout(WHILE).spawn_on(&place);
        let calls = [desk.next(), desk.next()];
        assert_eq!(sum.get().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(text.get().unwrap_err().kind(), ErrorKind::TimedOut);
        eventually("the carrier has learned of it", || calls.iter().all(|call| call.is_over()));
    });
}

#[test]
fn a_value_that_is_known_takes_no_permit() {
    soon(|| {
        let (pool, desk, one) = (Pool::new(2), Desk::new(), Limit::new(1));
        let gate = Gate::new();
        let its = gate.clone();
        let holder = work(move || its.pass()).limit(&one).spawn_on(&pool);
        let place = on(&pool, desk.clone());
        let known = add(1, 2).limit(&one).timeout(Duration::from_secs(60)).spawn_on(&place);
        desk.next().value("3");
        assert_eq!(known.get().unwrap(), 3, "though the only permit is taken");
        // Done here, it stands in line.
        let here = add(3, 4).limit(&one).spawn_on(&place);
        desk.next().reply(Reply::Here);
        eventually("it stands in line", || one.waiting() == 1);
        gate.open();
        assert_eq!(here.get().unwrap(), 7);
        holder.get().unwrap();
    });
}

/// In whichever order terms are put around it, also where some hold for the look as well.
#[test]
fn a_value_that_is_known_takes_no_permit_under_other_terms() {
    #[async_work(keep(crate = desk), priority = "high", deadline = "1m", limit = 1)]
    fn terms(n: u64) -> u64 {
        n
    }
    const MINUTE: Duration = Duration::from_secs(60);
    soon(|| {
        let (pool, desk, one) = (Pool::new(2), Desk::new(), Limit::new(1));
        let gate = Gate::new();
        let its = gate.clone();
        let holder = work(move || its.pass()).limit(&one).spawn_on(&pool);
        let place = on(&pool, desk.clone());
        let earlier = pool.spawn(|| ());
        let all = [
            terms(0).limit(&one),
            add(0, 0).priority(Priority::High).limit(&one),
            add(0, 0).deadline(MINUTE).limit(&one).timeout(MINUTE).priority(Priority::Low),
            add(0, 0).after(&earlier).limit(&one),
            add(0, 0).after(&earlier).deadline(MINUTE),
        ];
        let known: Vec<_> = all.into_iter().map(|work| work.spawn_on(&place)).collect();
        known.iter().for_each(|_| desk.next().value("7"));
        for value in known {
            assert_eq!(value.get().unwrap(), 7, "though the only permit is taken");
        }
        // Done here, or in place, they hold all the same.
        let here = add(3, 4).priority(Priority::High).limit(&one).deadline(SHORT).spawn_on(&place);
        desk.next().reply(Reply::Here);
        assert_eq!(here.get().unwrap_err().kind(), ErrorKind::TimedOut);
        let error = add(3, 4).priority(Priority::High).limit(&one).deadline(SHORT).run();
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
        gate.open();
        holder.get().unwrap();
        assert_eq!(add(3, 4).priority(Priority::Low).limit(&one).run().unwrap(), 7);
        // A call that has waited for its arguments goes on with it.
        let lifted = chain!(&place, {
            let one = add(1, 1);
            terms(one)
        });
        desk.next().value("2");
        desk.next().reply(Reply::Here);
        assert_eq!(lifted.get().unwrap(), 2);
        let nested = try_work(|| {
            add(5, 6).priority(Priority::High).limit(&Limit::new(1)).spawn_on(&current()).get()
        });
        let nested = nested.spawn_on(&place);
        desk.next().reply(Reply::Here);
        assert_eq!(nested.get().unwrap(), 11);
    });
}

#[test]
fn a_failure_has_the_line_of_the_call_wherever_it_is_made() {
    #[async_work(keep(crate = desk), retry = 1, limit = 1)]
    fn kept(n: u8) -> Result<u8, String> {
        Err(n.to_string())
    }
    #[async_work(remote(crate = desk), timeout = "1m")]
    async fn sent(n: u8) -> Result<u8, String> {
        Err(n.to_string())
    }
    #[async_work(keep(crate = desk), remote(crate = desk))]
    fn both(n: u8) -> u8 {
        panic!("{n}")
    }
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let path = |error: Error| {
            let text = format!("{error:#}");
            text[text.rfind('[').unwrap()..].to_owned()
        };
        let line = line!() + 1;
        let calls = || [kept(1), sent(1), both(1)];
        let wanted = ["kept", "sent", "both"].map(|name| format!("[{name} ({}:{line})]", file!()));
        let all = calls().map(|work| path(work.spawn_on(&pool).get().unwrap_err()));
        assert_eq!(all, wanted);
        assert_eq!(calls().map(|work| path(work.run().unwrap_err())), wanted);
        let all = calls().map(|work| {
            let result = work.spawn_on(&place);
            while !result.is_set() {
                if !desk.is_empty() {
                    desk.next().reply(Reply::Here);
                }
            }
            path(result.get().unwrap_err())
        });
        assert_eq!(all, wanted);
    });
}

#[test]
fn each_try_of_a_remote_call_goes_out() {
    #[async_work(remote(crate = desk), retry = 2)]
    fn tried(n: u64) -> Result<u64, std::fmt::Error> {
        Ok(n)
    }
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let result = tried(1).spawn_on(&place);
        let failure = || Reply::Fail(Failure::new(ErrorKind::Failed, "no luck"));
        desk.next().reply(failure());
        desk.next().reply(failure());
        desk.next().value("3");
        assert_eq!(result.get().unwrap(), 3);

        let result = Retry::new(1).work(|| shout("a")).spawn_on(&place);
        desk.next().reply(failure());
        desk.next().reply(failure());
        let error = result.get().unwrap_err();
        assert_eq!(error.tries(), 2);
        assert!(desk.is_empty());
    });
}

#[test]
fn a_kept_call_is_looked_for_once_however_often_it_is_tried() {
    static CALLS: Mutex<Option<Counter>> = Mutex::new(None);
    #[async_work(keep(crate = desk), retry = 2)]
    fn flaky(n: u64) -> Result<u64, std::fmt::Error> {
        let calls = CALLS.lock().unwrap().clone().unwrap();
        if calls.add() < 3 { Err(std::fmt::Error) } else { Ok(n) }
    }
    soon(|| {
        let calls = Counter::new();
        *CALLS.lock().unwrap() = Some(calls.clone());
        let (pool, desk) = (Pool::new(1), Desk::new());
        let result = flaky(5).spawn_on(&on(&pool, desk.clone()));
        desk.next().reply(Reply::Here);
        assert_eq!(result.get().unwrap(), 5);
        assert_eq!(calls.count(), 3);
        assert!(desk.is_empty());
    });
}

#[test]
fn a_failure_from_elsewhere_is_one_like_any_other() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let result = chain!(&place, double(add(1, 2)));
        let mut failure = Failure::new(ErrorKind::Failed, "no disk");
        failure.sources = vec!["device gone".to_owned(), "cable".to_owned()];
        failure.origin = "other::read".to_owned();
        failure.path = "read (src/other.rs:7) -> add (src/main.rs:3)".to_owned();
        desk.next().reply(Reply::Fail(failure));
        let error = result.get().unwrap_err();
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Failed, "other::read"));
        assert_eq!(error.to_string(), "other::read failed: no disk");
        let whole = format!("{error:#}");
        assert!(whole.starts_with("other::read failed: no disk: device gone: cable ["), "{whole}");
        assert!(
            whole.contains("[read (src/other.rs:7) -> add (src/main.rs:3) -> double ("),
            "{whole}"
        );

        let panicked = add(1, 2).spawn_on(&place);
        let mut failure = Failure::new(ErrorKind::Panicked, "index out of bounds");
        failure.place = "src/other.rs:9".to_owned();
        desk.next().reply(Reply::Fail(failure));
        let error = panicked.get().unwrap_err();
        assert!(error.is_panic());
        let text = error.to_string();
        assert!(text.ends_with("add panicked at src/other.rs:9: index out of bounds"), "{text}");
        let payload = std::panic::catch_unwind(|| error.resume_panic()).unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "index out of bounds");
    });
}

#[test]
fn the_parts_of_a_failure_make_the_same_failure_again() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        #[async_work]
        fn fails() -> Result<u64, std::io::Error> {
            std::fs::read("no/such/file").map(|read| read.len() as u64)
        }
        let error = chain!(&pool, double(fails())).get().unwrap_err();
        let again = add(1, 2).spawn_on(&place);
        desk.next().reply(Reply::Fail(Failure::of(&error)));
        let again = again.get().unwrap_err();
        assert_eq!(error.to_string(), again.to_string());
        assert_eq!(format!("{error:#}"), format!("{again:#}"));
    });
}

#[test]
fn bytes_that_are_no_value_leave_the_call_as_it_was() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let sum = add(1, 2).spawn_on(&on(&pool, desk.clone()));
        desk.next().value("three");
        let error = sum.get().unwrap_err();
        assert!(
            error.to_string().ends_with("add failed: invalid digit found in string"),
            "{error}"
        );
    });
}

#[test]
fn a_wait_for_it_is_no_deadlock_and_runs_on_every_kind_of_pool() {
    soon(|| {
        for pool in [Pool::new(1), Pool::new(0), Pool::deterministic(3)] {
            let desk = Desk::new();
            let answers = desk.clone();
            let answer = std::thread::spawn(move || {
                for value in ["1", "2"] {
                    let call = answers.next();
                    std::thread::sleep(SHORT);
                    call.value(value);
                }
            });
            let place = on(&pool, desk.clone());
            let inside = work(|| add(1, 1).spawn_on(&current()).get()).spawn_on(&place);
            assert_eq!(inside.get().unwrap().unwrap(), 1);
            assert_eq!(add(2, 2).spawn_on(&place).get().unwrap(), 2);
            answer.join().unwrap();
        }
    });
}

#[test]
fn an_async_fn_and_an_async_chain_are_carried() {
    #[async_work(keep(crate = desk))]
    async fn later(n: u64) -> u64 {
        n
    }
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let sum = chain!(&place, async move {
            let first = later(1).await?;
            let second = add(first, 10).await?;
            double(second)
        });
        desk.next().value("5");
        let call = desk.next();
        assert_eq!(call.arguments, "5 10");
        call.reply(Reply::Here);
        assert_eq!(sum.get().unwrap(), 30);
        let here = later(3).spawn_on(&place);
        desk.next().reply(Reply::Here);
        assert_eq!(here.get().unwrap(), 3);
    });
}

#[test]
fn it_follows_other_work_and_runs_with_statements() {
    soon(|| {
        let (pool, desk) = (Pool::new(1), Desk::new());
        let place = on(&pool, desk.clone());
        let gate = AsyncResult::<()>::new();
        let after = add(1, 2).after(&gate).spawn_on(&place);
        assert!(desk.is_empty());
        gate.set(()).unwrap();
        desk.next().value("9");
        assert_eq!(after.get().unwrap(), 9);
        let all = chain!(&place, {
            add(5, 5);
            double(1)
        });
        let call = desk.next();
        assert!(!all.is_set(), "the statement's work belongs to the chain");
        call.value("10");
        assert_eq!(all.get().unwrap(), 2);
        let list = (0..20).map(|n| add(n, n).spawn_on(&place)).join_all();
        (0..20).for_each(|_| desk.next().reply(Reply::Here));
        assert_eq!(list.get().unwrap()[19], 38);
    });
}

#[test]
fn the_one_in_front_is_asked_first_and_may_pass_it_on() {
    /// Takes none.
    struct Picky(Counter);
    impl Carrier for Picky {
        fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
            self.0.add();
            Err(call)
        }
    }
    soon(|| {
        let (pool, desk, asked) = (Pool::new(1), Desk::new(), Counter::new());
        let behind = on(&pool, desk.clone());
        let sum = add(1, 2).spawn_on(&on(&behind, Picky(asked.clone())));
        desk.next().value("3");
        assert_eq!((sum.get().unwrap(), asked.count()), (3, 1));
        let alone = add(1, 2).spawn_on(&on(&pool, Picky(asked.clone())));
        assert_eq!((alone.get().unwrap(), asked.count()), (3, 2));
    });
}

/// Has each call done here, and tells how it came out; others wait for the first one.
#[derive(Clone, Default)]
struct Once(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    running: Option<Running>,
    told: Vec<String>,
}

impl Carrier for Once {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        let all = self.0.clone();
        Ok(Box::pin(async move {
            let running = all.lock().unwrap().running.clone();
            if let Some(running) = running {
                return match running.end().await {
                    Ok(()) => {
                        let told = all.lock().unwrap().told[0].clone();
                        call.value(told.as_bytes()).unwrap_or_else(|(call, _)| {
                            call.fail(Failure::new(ErrorKind::Failed, told))
                        })
                    }
                    Err(error) => call.fail(Failure::of(&error)),
                };
            }
            let its = all.clone();
            let (carried, running) = call.here_and_tell(move |ended| {
                its.lock().unwrap().told.push(match ended {
                    Ended::Value(bytes) => String::from_utf8(bytes).unwrap(),
                    Ended::Unencodable(error) => error.to_string(),
                    Ended::Failed(error) => error.to_string(),
                });
            });
            all.lock().unwrap().running = Some(running);
            carried
        }))
    }
}

#[async_work(keep(crate = desk))]
fn gated(gate: Held) -> u64 {
    gate.0.pass();
    17
}

#[derive(Clone)]
struct Held(Gate);

impl desk::attribute::Wire for Held {
    fn wire(&self) -> String {
        String::new()
    }
}

#[test]
fn others_wait_for_the_one_that_is_done_here() {
    soon(|| {
        let (pool, once, gate) = (Pool::new(2), Once::default(), Gate::new());
        let place = on(&pool, once.clone());
        let first = gated(Held(gate.clone())).spawn_on(&place);
        eventually("it runs", || once.0.lock().unwrap().running.is_some());
        let second = gated(Held(Gate::new())).spawn_on(&place);
        assert!(!second.is_set());
        gate.open();
        assert_eq!((first.get().unwrap(), second.get().unwrap()), (17, 17));
        assert_eq!(once.0.lock().unwrap().told, ["17"]);
    });
}

#[test]
fn what_waits_for_itself_by_way_of_a_carrier_fails() {
    #[async_work(keep(crate = desk))]
    fn cycle(depth: u64) -> Result<u64, Error> {
        cycle(depth + 1).spawn_on(&current()).get()
    }
    soon(|| {
        for pool in [Pool::new(2), Pool::deterministic(1)] {
            let once = Once::default();
            let error = cycle(0).spawn_on(&on(&pool, once)).get().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deadlock, "{error:#}");
        }
    });
}

#[test]
fn how_a_call_came_out_is_told_before_anybody_sees_it() {
    #[async_work(keep(crate = desk))]
    fn fails(n: u64) -> Result<u64, String> {
        Err(format!("no {n}"))
    }
    soon(|| {
        let (pool, once) = (Pool::new(1), Once::default());
        let error = fails(3).spawn_on(&on(&pool, once.clone())).get().unwrap_err();
        assert!(error.to_string().ends_with("fails failed: no 3"));
        let told = once.0.lock().unwrap().told.clone();
        assert!(told[0].ends_with("fails failed: no 3"), "{told:?}");
    });
}

#[test]
fn the_description_has_what_the_attribute_says() {
    #[derive(Clone, Default)]
    struct Look(Arc<Mutex<Vec<String>>>);
    impl Carrier for Look {
        fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
            let arguments = call.arguments().unwrap();
            let arguments: Vec<_> =
                arguments.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect();
            let (function, keep) = (call.function(), call.settings::<Keep>());
            self.0.lock().unwrap().push(format!(
                "{} | {:?} | {:?} | {} | {keep:?} | {}",
                function.signature(),
                function.parameters(),
                arguments,
                call.types(),
                call.at().file(),
            ));
            Err(call)
        }
    }
    struct Model<T>(T);
    impl desk::attribute::Wire for Model<u8> {
        fn wire(&self) -> String {
            format!("model {}", self.0)
        }
    }
    impl Model<u8> {
        #[async_work(keep(crate = desk, version = 3, max_age = "7d", key = name.len() as u64))]
        fn named<const N: usize>(&self, name: &str, _rest: u8) -> u64 {
            N as u64 + self.0 as u64 + name.len() as u64
        }
    }
    static MODEL: Model<u8> = Model(9);
    soon(|| {
        let (pool, look) = (Pool::new(1), Look::default());
        assert_eq!(
            MODEL.named::<2>("abc", 1).spawn_on(&on(&pool, look.clone())).get().unwrap(),
            14
        );
        let told = look.0.lock().unwrap()[0].clone();
        let parts: Vec<&str> = told.split(" | ").collect();
        assert!(parts[0].starts_with("fn named < const N : usize > ( & self , name"), "{told}");
        assert_eq!(parts[1], r#"["self", "name", "rest"]"#);
        assert_eq!(parts[2], r#"["model 9", "abc", "1", "3"]"#);
        assert!(parts[3].contains("named<2>") && parts[3].contains("Model<u8>"), "{told}");
        assert_eq!(parts[4], "Some(Keep { version: 3, days: 7 })");
        assert_eq!(parts[5], file!());
    });
}

#[test]
fn queued_calls_count_in_a_full_queue_and_are_told_apart_from_running_ones() {
    soon(|| {
        let pool = Pool::builder().workers(1).queue_capacity(1).build().unwrap();
        let desk = Desk::new();
        let place = on(&pool, desk.clone());
        let busy = occupy(&pool);
        let queued = add(1, 1).try_spawn_on(&place).expect("there is room for one");
        let back = add(2, 2).try_spawn_on(&place).expect_err("there is room for one");
        busy.free();
        let call = desk.next();
        let second = back.try_spawn_on(&place).expect("what is elsewhere takes no room");
        desk.next().value("4");
        call.value("2");
        assert_eq!((queued.get().unwrap(), second.get().unwrap()), (2, 4));
    });
}

#[test]
fn what_is_done_elsewhere_is_counted_once() {
    soon(|| {
        let (pool, desk) = (Pool::builder().workers(1).watch(true).build().unwrap(), Desk::new());
        let counted = || {
            let all = pool.snapshot().functions;
            let its = all.iter().find(|one| one.name == "add");
            its.map_or([0; 3], |one| [one.running + one.suspended, one.ended, one.failed])
        };
        let place = on(&pool, desk.clone());
        let sum = add(1, 2).spawn_on(&place);
        let call = desk.next();
        eventually("it is under way", || counted() == [1, 0, 0]);
        call.value("3");
        assert_eq!(sum.get().unwrap(), 3);
        eventually("it is over", || counted() == [0, 1, 0]);
        let here = add(1, 2).spawn_on(&place);
        desk.next().reply(Reply::Here);
        assert_eq!(here.get().unwrap(), 3);
        eventually("it was done here", || counted() == [0, 2, 0]);
    });
}
