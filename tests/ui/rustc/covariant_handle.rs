//! A handle is invariant in its value: whoever could shorten a lifetime in it could set a value
//! that the other holders believe to live longer.

use asynckit::AsyncResult;

fn shorten<'a>(long: &'a AsyncResult<&'static str>) -> &'a AsyncResult<&'a str> {
    long //~ error long: lifetime may not live long enough
}

fn main() {
    let long = AsyncResult::<&'static str>::new();
    {
        let text = String::from("gone soon");
        shorten(&long).set(&text).unwrap();
    }
    println!("{}", long.get().unwrap());
}
