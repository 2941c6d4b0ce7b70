//! One attribute is enough; and a method by value that a trait declares.

use asynckit::async_work;

#[async_work]
#[async_work(plain)]
fn twice() -> u8 {
    1
}

trait Job {
    #[async_work]
    fn run(self) -> u8;
}

fn main() {
    let _: asynckit::Work<'_, u8> = twice();
}
