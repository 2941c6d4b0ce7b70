//! A lifetime that a type's name hides has to be written.

use asynckit::async_work;

struct Page<'a>(&'a str);

#[rustfmt::skip]
mod functions {
    use super::{Page, async_work};

    #[async_work] pub fn size(page: Page) -> usize { page.0.len() } //~ error Page: hidden lifetime parameters
    #[async_work] pub fn both(text: &str, pages: Vec<Page>) -> usize { text.len() + pages.len() } //~ error Page: hidden lifetime parameters
    #[async_work] pub fn right(page: Page<'_>) -> usize { page.0.len() }
    #[async_work] pub fn returned(text: &str) -> Page<'_> { Page(text) }
    #[async_work] pub fn called(call: fn(Page) -> usize) -> usize { call(Page("")) }
}

fn main() {}
