//! What travels: calls, arguments, values and failures.

use std::collections::BTreeMap;

use asynckit::{ErrorKind, Results, async_work, chain};
use asynckit_cluster::{Cluster, RemoteError};
use serde::{Deserialize, Serialize};

use crate::functions::*;
use crate::site::{Folder, Here, Site, Test};

pub const ALL: &[Test] = &[
    ("a_call_runs_in_another_process", a_call_runs_in_another_process),
    ("values_and_arguments_travel", values_and_arguments_travel),
    ("what_borrows_goes_by_a_scope", what_borrows_goes_by_a_scope),
    ("remote_work_in_remote_work_runs_there", remote_work_in_remote_work_runs_there),
    ("large_arguments_and_values_travel", large_arguments_and_values_travel),
    ("a_failure_is_the_same_as_here", a_failure_is_the_same_as_here),
    ("an_error_travels_typed_where_that_is_said", an_error_travels_typed_where_that_is_said),
    ("what_only_its_data_can_tell_is_refused", what_only_its_data_can_tell_is_refused),
    ("a_panic_and_its_place_travel", a_panic_and_its_place_travel),
    ("a_failed_call_is_tried_again", a_failed_call_is_tried_again),
    ("a_call_has_an_id_of_its_own", a_call_has_an_id_of_its_own),
    ("two_clusters_are_two", two_clusters_are_two),
    ("a_deterministic_pool_waits_for_its_calls", a_deterministic_pool_waits_for_its_calls),
    ("an_async_chain_goes_out", an_async_chain_goes_out),
];

fn a_call_runs_in_another_process(site: &Site) {
    let cluster = site.cluster(1);
    let other = process().spawn_on(&*cluster).get().unwrap();
    assert_ne!(other, std::process::id());
    assert_eq!(process().run().unwrap(), std::process::id(), "without a cluster it is a function");
    assert_eq!(process().spawn_on(&*cluster).get().unwrap(), other, "workers are kept");
}

fn values_and_arguments_travel(site: &Site) {
    let cluster = site.cluster(2);
    assert_eq!(add(1, 2).spawn_on(&*cluster).get().unwrap(), 3);
    let loud = chain!(&*cluster, {
        let text = shout("a b");
        let again = shout(&text);
        again
    });
    assert_eq!(loud.get().unwrap(), "A B");
    assert_eq!(asynchronous(4).spawn_on(&*cluster).get().unwrap(), 5);
    let all = (0..500).map(|n| add(n, n).spawn_on(&*cluster)).try_join_all();
    assert_eq!(all.get().unwrap(), (0..500).map(|n| 2 * n).collect::<Vec<u64>>());
}

fn what_borrows_goes_by_a_scope(site: &Site) {
    let cluster = site.cluster(2);
    let numbers: Vec<u64> = (0..100).collect();
    let there: Vec<u64> = cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let sums = (0..100).map(|n| Numbers::sum(&numbers[..n]).spawn_on(&place));
        sums.collect::<Vec<_>>().into_iter().map(|sum| sum.get().unwrap()).collect()
    });
    let here: Vec<u64> = (0..100).map(|n| numbers[..n].iter().sum()).collect();
    assert_eq!(there, here);
}

fn remote_work_in_remote_work_runs_there(site: &Site) {
    let cluster = site.cluster(2);
    let (outside, inside) = nested().spawn_on(&*cluster).get().unwrap();
    assert_eq!(outside, inside);
}

fn large_arguments_and_values_travel(site: &Site) {
    let cluster = site.cluster(2);
    let large: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
    cluster.pool().scope(|s| {
        let place = cluster.on(s);
        let all: Vec<_> = (0..6).map(|_| length(&large).spawn_on(&place)).collect();
        all.into_iter().for_each(|one| assert_eq!(one.get().unwrap(), large.len()));
    });
    let n = 700_000;
    assert_eq!(bytes(n).spawn_on(&*cluster).get().unwrap().len(), n);
    // Through the driver, and out again.
    let again = chain!(&*cluster, {
        let all = bytes(n);
        length(&all)
    });
    assert_eq!(again.get().unwrap(), n);
}

fn a_failure_is_the_same_as_here(site: &Site) {
    let cluster = site.cluster(1);
    let error = fails("A".into()).spawn_on(&*cluster).get().unwrap_err();
    let here = fails("A".into()).run().unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (here.kind(), here.to_string()));
    assert_eq!(error.origin(), here.origin());
    let remote: &RemoteError = error.downcast_ref().unwrap();
    assert_eq!(remote.to_string(), "nothing was written");
    let whole = format!("{error:#}");
    assert!(whole.contains("nothing was written: the disk A is full"), "{whole}");
    assert!(whole.contains(concat!("fails (", file!(), ":")), "{whole}");
    // What has failed inside of it says so.
    let error = outer(1).spawn_on(&*cluster).get().unwrap_err();
    assert!(error.origin().ends_with("::inner"), "{error:#}");
    assert!(error.to_string().ends_with("inner failed: invalid digit found in string"), "{error}");
}

fn an_error_travels_typed_where_that_is_said(site: &Site) {
    let cluster = site.cluster(1);
    let error = fails_typed("A".into()).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(error.downcast_ref::<Full>().unwrap().disk, "A");
    assert_eq!(error.to_string(), fails_typed("A".into()).run().unwrap_err().to_string());
}

/// What it is has to be told by the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
}

/// How long it is turns out when it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    all: BTreeMap<String, u64>,
}

#[async_work(remote)]
fn takes_untagged(_first: u8, which: Untagged) -> u8 {
    u8::from(which == Untagged::Number(1))
}

#[async_work(remote)]
fn gives_untagged() -> Untagged {
    Untagged::Number(1)
}

#[async_work(remote)]
fn takes_flat(_first: u8, which: &Flat) -> usize {
    which.all.len()
}

#[async_work(remote)]
fn gives_flat() -> Flat {
    Flat { all: [("a".to_owned(), 1)].into() }
}

fn what_only_its_data_can_tell_is_refused(site: &Site) {
    let cluster = site.cluster(1);
    let flat = gives_flat().run().unwrap();
    let errors = [
        (
            takes_untagged(0, Untagged::Number(1)).fail_here(&cluster),
            "takes_untagged failed: a worker can't run it: the argument `which`: ",
        ),
        (
            takes_flat(0, &flat).fail_here(&cluster),
            "takes_flat failed: the argument `which` can't be sent: ",
        ),
        (gives_untagged().fail_here(&cluster), "gives_untagged failed: its value can't be read: "),
        (gives_flat().fail_here(&cluster), "gives_flat failed: its value can't be sent: "),
    ];
    for (error, words) in errors {
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(text.contains(words), "{text}");
        assert!(
            text.contains("`serde(untagged)`") && text.contains("a `String` of JSON"),
            "{text}"
        );
    }
}

fn a_panic_and_its_place_travel(site: &Site) {
    let cluster = site.cluster(1);
    let error = panics(3).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    let text = error.to_string();
    assert!(text.contains("functions.rs:") && text.ends_with(": 3 on purpose"), "{text}");
    assert_eq!(add(1, 1).spawn_on(&*cluster).get().unwrap(), 2, "the worker goes on");
}

fn a_failed_call_is_tried_again(site: &Site) {
    let (cluster, folder) = (site.cluster(2), Folder::new());
    assert_eq!(third_time(&folder.file("runs")).spawn_here(&cluster), 3);
    assert_eq!(folder.count("runs"), 3);
    // And says how often, as here.
    let error = never_works("A".to_owned()).spawn_on(&*cluster).get().unwrap_err();
    let here = never_works("A".to_owned()).run().unwrap_err();
    assert_eq!((error.tries(), error.to_string()), (here.tries(), here.to_string()));
    assert_eq!(error.tries(), 3);
}

fn a_call_has_an_id_of_its_own(site: &Site) {
    let cluster = site.cluster(1);
    let ids: Vec<String> =
        (0..10).map(|_| id_of_this_call().spawn_on(&*cluster)).try_join_all().get().unwrap();
    let mut others = ids.clone();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), ids.len(), "{ids:?}");
    assert!(asynckit_cluster::call_id().is_none());
}

fn two_clusters_are_two(site: &Site) {
    let (one, two) = (site.cluster(1), site.cluster(1));
    let first = process().spawn_on(&*one).get().unwrap();
    let second = process().spawn_on(&*two).get().unwrap();
    assert_ne!(first, second);
    drop(one);
    assert_eq!(process().spawn_on(&*two).get().unwrap(), second);
}

fn a_deterministic_pool_waits_for_its_calls(site: &Site) {
    let pool = asynckit::Pool::deterministic(5);
    let cluster = site.with(Cluster::builder().pool(pool), 1);
    let sum = chain!(&*cluster, {
        let one = add(1, 2);
        let two = add(3, 4);
        add(one, two)
    });
    assert_eq!(sum.get().unwrap(), 10);
}

fn an_async_chain_goes_out(site: &Site) {
    let cluster = site.cluster(1);
    let sum = chain!(&*cluster, async move {
        let one = add(1, 2).await?;
        let two = add(one, 4).await?;
        add(one, two)
    });
    assert_eq!(sum.get().unwrap(), 10);
}
