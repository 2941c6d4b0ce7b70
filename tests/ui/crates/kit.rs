//! A crate that exports macros of its own, in which those of asynckit are used. Who uses them need not
//! know asynckit.

pub use asynckit;

/// Declares work, and a chain of it.
#[macro_export]
macro_rules! doubling {
    ($name:ident, $twice:ident: $number:ty) => {
        #[$crate::asynckit::async_work(crate = $crate::asynckit)]
        fn $name(n: $number) -> ::core::result::Result<$number, ::std::string::String> {
            ::core::result::Result::Ok(n + n)
        }

        fn $twice(
            pool: &$crate::asynckit::Pool,
            n: $number,
        ) -> $crate::asynckit::AsyncResult<$number> {
            $crate::asynckit::chain!(crate = $crate::asynckit, pool, {
                let once = $name(n);
                $name(once)
            })
        }
    };
}

/// The sum of two numbers that may be pending.
#[macro_export]
macro_rules! added {
    ($pool:expr, $a:expr, $b:ident) => {
        $crate::asynckit::chain!(crate = $crate::asynckit, $pool, ::core::ops::Add::add($a, $b))
    };
}

/// More work, if the value is large.
#[macro_export]
macro_rules! steered {
    ($pool:expr, $value:expr, $work:ident) => {
        $crate::asynckit::chain!(crate = $crate::asynckit, $pool, async move {
            let value = $value.await?;
            if value > 100 {
                return $work(value);
            }
            $work(1)
        })
    };
}
