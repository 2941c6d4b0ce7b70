//! Functions with `remote` can be called by their name.
#![forbid(unsafe_code)]

use asynckit::async_work;
use asynckit::carry::{Ended, Served};

#[async_work(remote, limit = 3, timeout = "5s")]
fn shout(text: &str, times: u8) -> Result<String, std::fmt::Error> {
    if times == 0 {
        return Err(std::fmt::Error);
    }
    Ok(text.to_uppercase().repeat(times.into()))
}

struct Numbers;

impl Numbers {
    #[async_work(remote(deliveries = 1, memory = "2GB"), retry = 3)]
    fn sum(all: &[u64], (a, b): (u64, u64)) -> u64 {
        all.iter().sum::<u64>() + a * b
    }
}

#[async_work(remote)]
async fn later<'a>(path: &'a std::path::Path, also: std::borrow::Cow<'a, str>) -> usize {
    path.as_os_str().len() + also.len()
}

fn served(name: &str) -> &'static Served {
    let path = format!("{}::{name}", module_path!());
    Served::all().find(|served| served.function().path() == path).expect(name)
}

fn call(name: &str, arguments: &[&[u8]]) -> String {
    let mut said = String::new();
    let called = served(name).call(arguments, |ended| {
        said = match ended {
            Ended::Value(bytes) => format!("{bytes:?}"),
            Ended::Unencodable(error) => format!("unencodable: {error}"),
            Ended::Failed(error) => format!("failed: {error}"),
        }
    });
    match called {
        Ok(()) => said,
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn a_function_is_called_by_its_name() {
    assert_eq!(call("shout", &[b"\x01a", &[2]]), "[2, 65, 65]");
    assert!(call("shout", &[b"\x01a", &[0]]).starts_with("failed: served::shout failed: "));
    assert_eq!(call("sum", &[&[2, 1, 2], &[3, 4]]), "[15]");
    assert_eq!(call("later", &[b"\x02ab", b"\x01c"]), "[3]");
    let shout = served("shout").function();
    assert_eq!((shout.limit(), shout.timeout().map(|time| time.as_secs())), (Some(3), Some(5)));
    // And as any function.
    assert_eq!(shout_here(), "AA");
    assert_eq!(later("ab".as_ref(), "c".into()).run().unwrap(), 3);
    assert_eq!(Numbers::sum(&[1, 2], (3, 4)).run().unwrap(), 15);
}

fn shout_here() -> String {
    shout("a", 2).run().unwrap()
}

#[test]
fn what_is_no_argument_is_refused() {
    for (arguments, words) in [
        (&[b"\x01a".as_slice()][..], "there is no argument `times`"),
        (&[b"\x05a", &[2]], "the argument `text`: "),
        (&[b"\x01\xff", &[2]], "the argument `text`: "),
        (&[b"\x01a", &[2, 2]], "the argument `times`: 1 bytes too many"),
        (&[b"\x01a", &[2], &[]], "there are 1 arguments too many"),
    ] {
        let said = call("shout", arguments);
        assert!(said.starts_with(&format!("refused: {words}")), "{said}");
    }
}
