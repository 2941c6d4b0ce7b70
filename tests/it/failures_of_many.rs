//! What failed of many, in words for a person.

use asynckit::{Error, Failures, Pool, Results, Retry, async_work, chain, try_work};

use crate::support::{Broken, reporting, soon};

#[async_work]
fn fetch(n: u32) -> Result<u32, String> {
    match n % 10 {
        0 => Err("503 Service Unavailable".to_owned()),
        1 if n == 41 => panic!("no title"),
        3 => Err("no such host".to_owned()),
        _ => Ok(n),
    }
}

#[async_work]
fn size(page: u32) -> u32 {
    page
}

#[test]
fn alike_are_those_of_one_origin_and_text() {
    soon(|| {
        let (pool, reports) = reporting(2);
        let settled = (0..100).map(|n| fetch(n).spawn_on(&pool)).settle_all().get().unwrap();
        let failures: Failures = settled.iter().collect();
        assert_eq!((failures.count(), failures.of(), failures.is_empty()), (21, 100, false));

        let text = failures.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let module = module_path!();
        assert_eq!(lines[0], "21 of 100 failed:");
        assert_eq!(
            lines[1],
            format!("  10 times: {module}::fetch failed: 503 Service Unavailable")
        );
        assert_eq!(lines[2], format!("  10 times: {module}::fetch failed: no such host"));
        assert!(lines[3].starts_with(&format!("  once: {module}::fetch panicked at ")), "{text}");
        assert!(lines[3].ends_with(": no title") && lines.len() == 4, "{text}");

        let counts: Vec<_> = failures.groups().map(|group| group.count()).collect();
        assert_eq!(counts, [10, 10, 1]);
        assert!(failures.groups().nth(2).unwrap().first().is_panic());
        drop((pool, settled, failures));
        assert_eq!(reports.count(), 0);
    });
}

/// Skipped work has failed as what it was skipped for; tries make no difference.
#[test]
fn the_way_and_the_tries_make_no_difference() {
    soon(|| {
        let pool = Pool::new(2);
        let direct = fetch(0).spawn_on(&pool);
        let skipped = chain!(&pool, size(fetch(0)));
        let tried = Retry::new(2).work(|| fetch(0)).spawn_on(&pool);
        let failures: Failures =
            [direct, skipped, tried].settle_all().get().unwrap().iter().collect();
        assert_eq!((failures.count(), failures.groups().len()), (3, 1));
        assert!(!failures.to_string().contains("tried"), "{failures}");
    });
}

#[test]
fn few_lines_for_many_kinds_unless_all_are_asked_for() {
    let failed = |n: u32| try_work(move || Err::<u8, _>(Broken(n))).run().unwrap_err();
    let failures: Failures = (0..30).map(|n| failed(n % 15)).collect();
    let text = failures.to_string();
    assert!(text.starts_with("30 failed:\n  2 times: closure failed: broken 0\n"), "{text}");
    assert!(text.ends_with("\n  and 10 more, of 5 kinds") && text.lines().count() == 12, "{text}");
    assert_eq!(format!("{failures:#}").lines().count(), 16);
    assert_eq!(format!("{failures:?}"), format!("{failures:#}"));

    let eleven: Failures = (0..11).map(failed).collect();
    assert!(eleven.to_string().ends_with("\n  and 1 more"), "{eleven}");
}

#[test]
fn of_none_there_are_words_too() {
    let values: Failures = [Ok::<_, Error>(1), Ok(2)].into_iter().collect();
    assert_eq!(values.to_string(), "none of 2 failed");
    assert_eq!(Failures::default().to_string(), "nothing failed");
    assert!(values.is_empty() && values.groups().next().is_none());
}

#[test]
fn a_text_of_several_lines_stays_a_block() {
    let error = try_work(|| Err::<u8, _>("first\nsecond\n")).run().unwrap_err();
    let failures: Failures = [&error, &error].into_iter().collect();
    assert_eq!(failures.to_string(), "2 failed:\n  2 times: closure failed: first\n    second");
}

/// They grow as outcomes come, and are an error to return.
#[test]
fn they_may_be_added_to_and_returned() {
    let run = |n: u32| -> Result<(), Box<dyn std::error::Error>> {
        let mut failures = Failures::default();
        for n in 0..n {
            failures.extend([fetch(n).run()]);
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
    };
    let error = run(11).unwrap_err();
    assert!(error.to_string().starts_with("3 of 11 failed:"), "{error}");
}
