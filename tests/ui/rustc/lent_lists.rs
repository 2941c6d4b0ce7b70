//! A list of results can't be lent: its values lie apart.

use asynckit::{AsyncResult, Pool, Results, async_work, chain};

#[async_work]
fn read(path: String) -> String {
    path
}
#[async_work]
fn longest(texts: &[String]) -> usize {
    texts.len()
}
fn count(handles: &[AsyncResult<String>]) -> usize {
    handles.len()
}

fn main() {
    let pool = Pool::new(1);
    let all = || ["a", "b"].map(|path| read(path.to_owned()));
    let lent = chain!(&pool, {
        let texts: Vec<_> = all().into_iter().collect();
        longest(&texts) //~ E0277 &texts: a list of results can't be lent
    });
    let lent_array = chain!(&pool, {
        let texts = all().map(|work| work.spawn_on(&pool));
        longest(&texts) //~ E0277 &texts: a list of results can't be lent
    });
    let right = chain!(&pool, {
        let texts: Vec<_> = all().into_iter().collect();
        let texts = texts.join_all();
        (longest(&texts), longest(&texts))
    });
    let handles = chain!(&pool, {
        let texts: Vec<_> = all().into_iter().collect();
        let _: usize = count({ &texts });
        texts
    });
    let _ = (lent, lent_array, right, handles);
}
