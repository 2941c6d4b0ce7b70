//! Macros of another crate in which those of asynckit are used: this crate does not name asynckit.
#![no_implicit_prelude]
#![deny(warnings)]

::kit::doubling!(double, four_times: u64);

fn main() {
    let pool = ::kit::asynckit::Pool::new(1);
    let (a, b) = (four_times(&pool, 2), four_times(&pool, 3));
    let _ = ::kit::added!(&pool, a, b).get();
    let c = four_times(&pool, 4);
    let _ = ::kit::steered!(&pool, c, double).get();
}
