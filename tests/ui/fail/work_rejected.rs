//! What `#[async_work]` does not go on: all mistakes in one go, each on its own token, and the
//! callers of the functions do not fail as well.

use asynckit::{Work, async_work};

#[async_work]
const fn constant() -> u8 {
    1
}

#[async_work]
extern "C" fn foreign() {}

#[async_work]
unsafe fn dangerous(_x: u8) {}

#[async_work]
fn lent(list: &mut Vec<u8>) -> &u8 {
    &list[0]
}

struct Counter(u8);

impl Counter {
    #[async_work]
    fn add(&mut self, n: u8) -> u8 {
        self.0 + n
    }
}

trait Fetch {
    #[async_work]
    fn fetch(&self, url: &str) -> usize;
}

#[async_work]
#[test]
fn tested() {}

#[async_work]
struct NotAFunction;

#[async_work]
static NUMBER: u8 = 1;

fn main() {
    let _: Work<'_, u8> = constant();
    let _: Work<'_, ()> = foreign();
    let _: Work<'_, ()> = dangerous(1);
    let _ = NotAFunction;
    let _ = NUMBER;
}
