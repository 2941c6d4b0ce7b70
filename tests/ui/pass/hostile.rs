//! Expansions mean what they mean among items, macros and constants of every name that they might
//! use themselves, and without a prelude.
#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, non_upper_case_globals, unused_macros)]

use ::asynckit::Pool;

macro_rules! captured {
    (($dollar:tt) $($name:ident)*) => { $(
        macro_rules! $name { ($dollar($t:tt)*) => { ::core::compile_error!("captured") } }
    )* };
}
macro_rules! types {
    ($($name:ident)*) => { $(pub struct $name;)* };
}
macro_rules! functions {
    ($($name:ident)*) => { $(pub fn $name() {})* };
}
macro_rules! constants {
    ($($name:ident)*) => { $(pub const $name: i32 = 1;)* };
}
macro_rules! methods {
    ($($name:ident)*) => {
        /// Methods that every value has.
        pub trait Hostile { $(fn $name(&self) {})* }
        impl<T> Hostile for T {}
    };
}
captured! { ($) concat module_path stringify unreachable todo panic }

mod hostile {
    types! { Ok Err Some None Box Vec Work Send Sync Result Option String AsyncResult Clone Fn Sized }
    types! { Drop Into From Probe Probed Lifted Plain Moved Now Later Infallible Gather Future Iterator }
    types! { u8 bool usize str now later place function }
    functions! { drop give lift probe same call_site end_of_chain plain_work fallible_work matches }
    functions! { chain_future owned_place plain_condition returns_a_result async_work_ }
    constants! { value list here borrowed input0 part0 arg0 never }
    methods! { clone start probed detach value arg lend finish call each take_apart run spawn_on into }
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
    pub mod asynckit {}
    pub mod __private {}
}

mod used {
    use ::asynckit::{AsyncResult, Pool, async_work, chain};
    use ::std::primitive::u8 as N;

    #[allow(unused_imports)]
    use super::hostile::*;

    #[async_work]
    pub fn number(a: N, b: N) -> N {
        a + b
    }
    #[async_work]
    pub fn fails(a: N) -> ::std::result::Result<N, ::std::string::String> {
        ::std::result::Result::Ok(a)
    }
    #[async_work]
    pub fn lent(_all: &::std::vec::Vec<N>, _b: N) -> N {
        3
    }
    #[async_work]
    pub fn nested() -> (N, (N, N)) {
        (1, (2, 3))
    }
    #[async_work]
    pub async fn polled(a: N) -> N {
        a
    }
    #[async_work]
    pub fn ends() -> ! {
        loop {}
    }
    #[async_work]
    pub fn any((_a, _): (N, N), _b: impl ::std::marker::Send) {}
    #[async_work]
    pub fn sum(_all: ::std::vec::Vec<N>) -> N {
        0
    }
    pub fn plain(a: N) -> N {
        a
    }

    pub fn chained(pool: &Pool, input: AsyncResult<N>) -> AsyncResult<(N, N)> {
        chain!(pool, {
            let a = number(input, 1);
            let pages = ::asynckit::AsyncResult::ready(::std::vec![1]);
            let b = lent(&pages, a);
            let c = plain(fails(b));
            let (d, (e, f)) = nested();
            let mut started = ::std::vec::Vec::new();
            ::std::vec::Vec::push(&mut started, { polled(1) });
            let all: ::std::vec::Vec<_> =
                ::std::iter::Iterator::collect(::std::iter::Iterator::map(0..3, fails));
            if ::std::matches!(3, 4) {
                return AsyncResult::ready((1, 1));
            }
            any((1, 2), 3);
            ends();
            (number(d, e), number(number(sum(all), sum(started)), number(c, f)))
        })
    }

    pub fn steered(pool: &Pool) -> AsyncResult<N> {
        chain!(pool, async move {
            let a = number(1, 2).await?;
            if a > 1 {
                return number(a, 3);
            }
            fails(a)
        })
    }
}

/// The name of the lifetime that work gets where none was written.
mod lifetimes {
    use ::asynckit::async_work;
    use ::std::primitive::{str, usize};

    pub struct Text<'work>(&'work str);

    impl<'work> Text<'work> {
        #[async_work]
        pub fn both(self: Text<'work>, more: &str) -> usize {
            self.0.len() + more.len()
        }
    }
    #[async_work]
    pub fn one<'work>(a: &'work str, b: &str) -> usize {
        a.len() + b.len()
    }
    #[async_work]
    pub fn two<'work, 'a>(a: &'work str, b: &'a str) -> usize {
        a.len() + b.len()
    }
}

fn main() {
    let pool = Pool::new(1);
    let _ = used::chained(&pool, ::asynckit::AsyncResult::ready(1)).get();
    let _ = used::steered(&pool).get();
}
