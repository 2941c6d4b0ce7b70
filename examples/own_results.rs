//! Results that the program sets itself: work can depend on something that no task computes, such as a
//! key press, a message, or another library's callback.

use std::sync::mpsc;
use std::thread;

use asynckit::{AsyncResult, Error, ErrorKind, Pool, async_work, chain};

#[async_work]
fn greet(name: String) -> String {
    format!("hello, {name}")
}

fn main() -> Result<(), Error> {
    let pool = Pool::new(1);

    // `new`: many may try to set it, the first one wins. A late value is handed back.
    let name = AsyncResult::new();
    let greeting = chain!(&pool, greet(name.clone()));
    assert!(!greeting.is_set());
    assert!(name.set("Ada".to_owned()).is_ok());
    let late = name.set("Bob".to_owned()).unwrap_err();
    assert_eq!(late.into_inner(), "Bob");
    assert_eq!(greeting.get()?, "hello, Ada");

    // `channel`: one half sets, the other is the result.
    let (setter, name) = AsyncResult::channel();
    let greeting = chain!(&pool, greet(name));
    thread::spawn(move || setter.set("Grace".to_owned()));
    assert_eq!(greeting.get()?, "hello, Grace");

    // A setter that is dropped fails its result, so nobody waits for ever.
    let (setter, name) = AsyncResult::channel();
    let greeting = chain!(&pool, greet(name));
    drop(setter);
    let error = greeting.get().unwrap_err();
    println!("{error}");
    assert_eq!(error.kind(), ErrorKind::Abandoned);

    // The other way round: a callback when the result is set.
    let (told, news) = mpsc::channel();
    let greeting = greet("Alan".to_owned()).spawn_on(&pool);
    greeting.on_set(move |greeting| {
        let _ = told.send(greeting.is_ok_and(|text| text == "hello, Alan"));
    });
    assert_eq!(news.recv(), Ok(true));

    println!("all greeted");
    Ok(())
}
