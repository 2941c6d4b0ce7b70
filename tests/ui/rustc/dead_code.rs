//! Functions that nobody calls.
#![deny(dead_code)]

use asynckit::async_work;

#[async_work]
fn never_called() {} //~ error never_called: function `never_called` is never used

#[async_work]
async fn nor_this<T: Send>(value: T) -> Result<T, String> //~ error nor_this: function `nor_this` is never used
where
    T: Clone,
{
    Ok(value)
}

struct Page<'a>(&'a str);

impl Page<'_> {
    #[async_work]
    fn size(self) -> usize { //~ error fn size: method `size` is never used
        self.0.len()
    }
}

fn main() {
    let _ = Page("").0;
}
