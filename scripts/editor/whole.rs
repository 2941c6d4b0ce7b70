//! Code that compiles. `//^` asks about what stands above its `^`.

use asynckit::{AsyncResult, Pool, async_work, chain};

pub struct Page {
    pub bytes: u32,
}

/// Downloads it.
#[async_work]
fn download(number: u32) -> Page {
    let bytes = weigh(number, 2);
    //          ^ definition: 1 x fn weigh(number: u32, factor: u32) -> u32 {
    //                ^ hover: number: u32
    //                     ^ signature: fn weigh(number: u32, factor: u32) -> u32
    //  ^ hover: bytes: u32
    Page { bytes }
    //     ^ definition: let bytes = weigh(number, 2);
}

/// Weighs it.
fn weigh(number: u32, factor: u32) -> u32 {
    number * factor
}

#[async_work]
fn size(page: &Page) -> u32 {
    //   ^ hover: page: &Page
    //         ^ definition: 1 x pub struct Page {
    page.bytes
    //   ^ definition: 1 x pub bytes: u32,
}

#[async_work]
fn add(a: u32, b: u32) -> u32 {
    a + b
    //  ^ definition: 1 x fn add(a: u32, b: u32) -> u32 {
}

struct Client {
    page: Page,
}

impl Client {
    /// Gets it.
    #[async_work]
    fn get(&'static self, path: &'static str) -> u32 {
        self.page.bytes + path.len() as u32
        //   ^ definition: 1 x page: Page,
    }
}

pub fn chained(pool: &Pool, client: &'static Client, extra: u32) -> AsyncResult<u32> {
    chain!(pool, {
        // ^ definition: 1 x pub fn chained(pool: &Pool
        let first = download(1);
        //          ^ definition: 1 x fn download(number: u32) -> Page {
        //          ^ hover: Downloads it.
        //                   ^ signature: fn download(number: u32)
        //  ^ hover: first: AsyncResult<Page
        let second = size(&first);
        //           ^ definition: 1 x fn size(page: &Page) -> u32 {
        //                 ^ definition: 1 x let first = download(1);
        //                 ^ hover: first: AsyncResult<Page
        //                ^ signature: fn size
        //  ^ hover: second: AsyncResult<u32>
        let third = add(second.clone(), extra);
        //          ^ definition: 1 x fn add(a: u32, b: u32) -> u32 {
        //              ^ definition: 1 x let second = size(&first);
        //                              ^ hover: extra: u32
        //                              ^ signature: fn add(
        //                     ^ hover: clone
        let gotten = client.get("path");
        //                  ^ hover: Gets it.
        //                  ^ definition: 1 x fn get(&'static self, path: &'static str) -> u32 {
        //           ^ hover: client: &
        //  ^ hover: gotten: AsyncResult<u32>
        let plain = weigh(extra, 3);
        //          ^ definition: 1 x fn weigh(number: u32, factor: u32) -> u32 {
        //  ^ hover: plain: u32
        let nested = add(add(third, 1), gotten);
        //               ^ definition: 1 x fn add(a: u32, b: u32) -> u32 {
        //                   ^ definition: 1 x let third = add(second.clone(), extra);
        //                              ^ definition: 1 x let gotten = client.get("path");
        if plain > 3 {
            // ^ definition: 1 x let plain = weigh(extra, 3);
            return AsyncResult::ready(plain);
        }
        let is_set = second.is_set();
        //                     ^ completion: is_set & cancel & get
        //                    ^ hover: is_set
        drop(first);
        //   ^ definition: 1 x let first = download(1);
        nested
        // ^ definition: 1 x let nested = add(add(third, 1), gotten);
    })
}

pub fn steered(pool: &Pool) -> AsyncResult<u32> {
    chain!(pool, async move {
        let page = download(1).await?;
        //         ^ definition: 1 x fn download(number: u32) -> Page {
        let weight = weigh(page.bytes, 2);
        //           ^ definition: 1 x fn weigh(number: u32, factor: u32) -> u32 {
        //                 ^ definition: 1 x let page = download(1).await?;
        let sum = add(weight, 1);
        //            ^ definition: 1 x let weight = weigh(page.bytes, 2);
        //        ^ definition: 1 x fn add(a: u32, b: u32) -> u32 {
        sum
    })
}
