//! A carrier for tests: calls come to lie on a desk, and the test answers them from its own thread.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker};

use asynckit::carry::{Call, Carriage, Carrier, Failure};

use crate::support::LIMIT;

/// What the attribute names.
pub mod attribute {
    use asynckit::BoxError;
    use asynckit::carry::Codec;

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Keep {
        pub version: u32,
        pub days: u64,
    }

    impl Keep {
        pub const fn new() -> Keep {
            Keep { version: 0, days: 0 }
        }

        pub const fn version(self, version: u32) -> Keep {
            Keep { version, ..self }
        }

        pub const fn max_age(self, age: std::time::Duration) -> Keep {
            Keep { days: age.as_secs() / 86_400, ..self }
        }
    }

    #[derive(Clone, Copy, Debug, Default)]
    pub struct Remote;

    impl Remote {
        pub const fn new() -> Remote {
            Remote
        }
    }

    pub const fn argument<A: Wire + ?Sized>() {}
    pub const fn value<T: Wired>() {}

    #[derive(Clone, Copy)]
    pub struct Bytes;

    /// What can be told.
    pub trait Wire {
        fn wire(&self) -> String;
    }

    /// What can be had again.
    pub trait Wired: Wire + Sized {
        fn wired(text: &str) -> Result<Self, BoxError>;
    }

    impl<W: Wire + ?Sized> Wire for &W {
        fn wire(&self) -> String {
            (**self).wire()
        }
    }

    macro_rules! numbers {
        ($($number:ty)*) => { $(
            impl Wire for $number {
                fn wire(&self) -> String {
                    self.to_string()
                }
            }
            impl Wired for $number {
                fn wired(text: &str) -> Result<Self, BoxError> {
                    Ok(text.parse()?)
                }
            }
        )* };
    }
    numbers!(u8 u32 u64 String);

    impl Wire for str {
        fn wire(&self) -> String {
            self.to_owned()
        }
    }

    pub trait Arguments {
        fn each(&self, all: &mut Vec<Vec<u8>>);
    }

    impl Arguments for () {
        fn each(&self, _: &mut Vec<Vec<u8>>) {}
    }

    impl<W: Wire, Rest: Arguments> Arguments for (W, Rest) {
        fn each(&self, all: &mut Vec<Vec<u8>>) {
            all.push(self.0.wire().into_bytes());
            self.1.each(all);
        }
    }

    impl<A: Arguments, T: Wired> Codec<A, T> for Bytes {
        fn arguments(&self, arguments: &A) -> Result<Vec<Vec<u8>>, BoxError> {
            let mut all = Vec::new();
            arguments.each(&mut all);
            Ok(all)
        }

        fn value(&self, value: &T) -> Result<Vec<u8>, BoxError> {
            Ok(value.wire().into_bytes())
        }

        fn decode(&self, bytes: &[u8]) -> Result<T, BoxError> {
            T::wired(std::str::from_utf8(bytes)?)
        }
    }
}

/// How the test answers.
pub enum Reply {
    Value(&'static str),
    Fail(Failure),
    Here,
}

/// A call that lies on the desk.
pub struct OnDesk {
    pub path: &'static str,
    pub types: String,
    /// The arguments, with a space between two.
    pub arguments: String,
    slot: Arc<Slot>,
}

#[derive(Default)]
struct Slot {
    state: Mutex<(Option<Reply>, Option<Waker>)>,
    /// Whether the call was given up, or is over.
    over: Mutex<bool>,
}

impl OnDesk {
    pub fn reply(&self, reply: Reply) {
        let mut state = self.slot.state.lock().unwrap();
        state.0 = Some(reply);
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn value(self, value: &'static str) {
        self.reply(Reply::Value(value));
    }

    /// Whether nobody waits for a reply any more.
    pub fn is_over(&self) -> bool {
        *self.slot.over.lock().unwrap()
    }
}

/// Where calls come to lie.
#[derive(Clone, Default)]
pub struct Desk(Arc<(Mutex<VecDeque<OnDesk>>, Condvar)>);

impl Desk {
    pub fn new() -> Desk {
        Desk::default()
    }

    /// The next call, as soon as there is one.
    #[track_caller]
    pub fn next(&self) -> OnDesk {
        let calls = self.0.0.lock().unwrap();
        let (mut calls, _) =
            self.0.1.wait_timeout_while(calls, LIMIT / 2, |calls| calls.is_empty()).unwrap();
        calls.pop_front().expect("no call came")
    }

    pub fn is_empty(&self) -> bool {
        self.0.0.lock().unwrap().is_empty()
    }
}

impl Carrier for Desk {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        let is_own = call.settings::<attribute::Keep>().is_some()
            || call.settings::<attribute::Remote>().is_some();
        if !is_own {
            return Err(call);
        }
        let arguments = call.arguments().expect("arguments");
        let slot = Arc::new(Slot::default());
        let words: Vec<String> =
            arguments.into_iter().map(|one| String::from_utf8(one).unwrap()).collect();
        let on_desk = OnDesk {
            path: call.function().path(),
            types: call.types(),
            arguments: words.join(" "),
            slot: slot.clone(),
        };
        self.0.0.lock().unwrap().push_back(on_desk);
        self.0.1.notify_all();
        struct Over(Arc<Slot>);
        impl Drop for Over {
            fn drop(&mut self) {
                *self.0.over.lock().unwrap() = true;
            }
        }
        let over = Over(slot);
        Ok(Box::pin(async move {
            let reply = poll_fn(|context| {
                let mut state = over.0.state.lock().unwrap();
                match state.0.take() {
                    Some(reply) => Poll::Ready(reply),
                    None => {
                        state.1 = Some(context.waker().clone());
                        Poll::Pending
                    }
                }
            });
            match reply.await {
                Reply::Value(value) => match call.value(value.as_bytes()) {
                    Ok(carried) => carried,
                    Err((call, error)) => {
                        call.fail(Failure::new(asynckit::ErrorKind::Failed, error.to_string()))
                    }
                },
                Reply::Fail(failure) => call.fail(failure),
                Reply::Here => call.here(),
            }
        }))
    }
}
