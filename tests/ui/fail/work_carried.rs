//! Functions whose calls can't be told to somebody else, and options that nobody knows.

use asynckit::{Work, async_work};

mod desk {
    pub mod attribute {
        pub struct Keep;
        impl Keep {
            pub const fn new() -> Keep {
                Keep
            }
        }
    }
}

#[async_work(remote(crate = desk))]
fn generic<T: Send>(_: T) {}

#[async_work(remote(crate = desk))]
fn of_some_type(_: impl Send) {}

#[async_work(keep(crate = desk))]
fn gives_some_type() -> impl Send {}

#[async_work(keep(crate = desk))]
fn gives_nothing() -> ! {
    panic!()
}

struct Token;

impl Token {
    #[async_work(remote(crate = desk))]
    fn lent(&self) {}

    #[async_work(keep(crate = desk))]
    fn used_up(self) {}
}

impl Token {
    #[async_work(remote(crate = desk))]
    fn made() -> u8 {
        size_of::<Self>() as u8
    }
}

#[async_work(keep(forever), remote(deliveries = "many"))]
fn unknown() {}

#[async_work(keep(max_age = 7), keep = 3)]
fn no_time() {}

#[async_work(keep(crate = desk, version = 1, version = 2))]
fn twice() {}

// Of both, what is wrong with either; and of what both need, once.
#[async_work(keep(crate = desk), remote(crate = desk))]
fn kept_generic<T: Send>(_: T) {}

#[async_work(keep(crate = desk), remote(crate = desk))]
fn kept_and_sent(_: impl Send) -> impl Send {}

#[async_work(remote(crate = desk), keep(crate = desk))]
fn neither() -> ! {
    panic!()
}

impl Token {
    #[async_work(keep(crate = desk), remote(crate = desk))]
    fn kept_here(&self) {}
}

fn main() {
    let _: Work<'_, ()> = Token.lent();
    let _: Work<'_, ()> = unknown();
}
