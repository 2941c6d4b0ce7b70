//! Types that cannot go to other threads, errors that cannot travel, results that are none.

use std::rc::Rc;

use asynckit::async_work;

#[async_work]
fn not_send(shared: Rc<u8>) -> u8 { //~ E0277 Rc<u8>: cannot be sent between threads
    *shared
}

#[async_work]
fn error_cannot_travel() -> Result<u8, Vec<u8>> { //~ E0277 Result<u8, Vec<u8>>: the error type `Vec<u8>` cannot travel along a chain
    Ok(1)
}

mod other {
    pub struct Result;
}

#[async_work]
fn no_result() -> other::Result { //~ E0277 other::Result: took this return type for a `Result`
    other::Result
}

fn main() {}
