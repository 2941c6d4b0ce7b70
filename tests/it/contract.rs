//! The program by which the library presents itself, as it stands there.

use asynckit::{AsyncResult, Pool, async_work, chain};

use crate::support::soon;

/// Fetches a page.
#[async_work]
fn download(url: String) -> std::io::Result<Vec<u8>> {
    Ok(url.into_bytes())
}
#[async_work]
fn size(page: &[u8]) -> usize {
    page.len()
}
#[async_work]
fn merge(a: usize, b: usize) -> usize {
    a + b
}
#[async_work]
fn join(pages: Vec<Vec<u8>>) -> Vec<u8> {
    pages.concat()
}

fn program(urls: Vec<String>, data: &[u8]) -> asynckit::Result<()> {
    let pool = Pool::new(4);

    let page: AsyncResult<Vec<u8>> = download("a".into()).spawn_on(&pool); // one piece of work
    assert_eq!(page.get()?, b"a");
    assert_eq!(merge(1, 2).run()?, 3); // in place, as in a test

    let total = chain!(&pool, {
        let a = download("hello".into());
        let b = download("you".into());
        merge(size(&a), size(&b))
    });
    assert_eq!(total.get()?, 8);

    let input = AsyncResult::new(); // a result that the program sets
    let out = chain!(&pool, merge(input.clone(), 1));
    assert!(input.set(41).is_ok());
    assert_eq!(out.get()?, 42);

    let bytes: usize = urls.iter().map(String::len).sum();
    let fan = chain!(&pool, {
        let pages: Vec<_> = urls.into_iter().map(download).collect();
        let all = join(pages);
        size(&all)
    });
    assert_eq!(fan.get()?, bytes);

    let r = chain!(&pool, async move {
        let a = download("hello".into());
        if size(&a).await? < 3 {
            return merge(0, 0);
        }
        let mut n = 0;
        for i in 0..3 {
            n = merge(n, i).await?;
        }
        merge(n, size(&a).await?)
    });
    assert_eq!(r.get()?, 8);

    let sum = pool.scope(|s| {
        let parts: Vec<AsyncResult<usize>> = data.chunks(5).map(|c| size(c).spawn_on(s)).collect();
        let all = chain!(s, {
            let mut sum = AsyncResult::ready(0);
            for part in parts {
                sum = merge(sum, part);
            }
            sum
        });
        all.get()
    })?;
    assert_eq!(sum, data.len());
    Ok(())
}

#[test]
fn the_program_of_the_contract() {
    soon(|| {
        let urls = vec!["one".to_owned(), "three".to_owned(), "seven".to_owned()];
        program(urls, &[7; 23]).unwrap();
    });
}
