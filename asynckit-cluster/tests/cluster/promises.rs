//! The list of tests.

use asynckit::{ErrorKind, Results, chain};
use asynckit_cluster::RemoteError;

use crate::functions::*;
use crate::site::{Folder, Site};

/// The tests, by name.
pub const ALL: &[(&str, fn(&Site))] = &[
    ("a_call_runs_in_another_process", a_call_runs_in_another_process),
    ("values_and_arguments_travel", values_and_arguments_travel),
    ("a_failure_is_the_same_as_here", a_failure_is_the_same_as_here),
];

fn a_call_runs_in_another_process(site: &Site) {
    let cluster = site.cluster(1);
    let other = process().spawn_on(&*cluster).get().unwrap();
    assert_ne!(other, std::process::id());
    assert_eq!(process().run().unwrap(), std::process::id(), "without a cluster it is a function");
    assert_eq!(process().spawn_on(&*cluster).get().unwrap(), other, "processes are kept");
}

fn values_and_arguments_travel(site: &Site) {
    let cluster = site.cluster(2);
    assert_eq!(add(1, 2).spawn_on(&*cluster).get().unwrap(), 3);
    let all = chain!(&*cluster, {
        let text = shout("a b");
        let loud = shout(&text);
        loud
    });
    assert_eq!(all.get().unwrap(), "A B");
    let many: Vec<u64> = (0..100).collect();
    let sums = many.iter().map(|n| Numbers::sum(&many[..*n as usize]).run().unwrap());
    let sums: Vec<u64> = sums.collect();
    let place = &*cluster;
    let there = cluster.pool().scope(|s| {
        let place = place.on(s);
        let all = many.iter().map(|n| Numbers::sum(&many[..*n as usize]).spawn_on(&place));
        all.collect::<Vec<_>>().join_all().get().unwrap()
    });
    assert_eq!(sums, there);
    assert_eq!(asynchronous(4).spawn_on(&*cluster).get().unwrap(), 5);
    let (one, two) = nested().spawn_on(&*cluster).get().unwrap();
    assert_eq!(one, two);
}

fn a_failure_is_the_same_as_here(site: &Site) {
    let cluster = site.cluster(1);
    let error = fails_typed("A".into()).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(error.downcast_ref::<Full>().unwrap().disk, "A");
    let here = fails_typed("A".into()).run().unwrap_err();
    assert_eq!(error.to_string(), here.to_string());
    let error = fails("A".into()).spawn_on(&*cluster).get().unwrap_err();
    let here = fails("A".into()).run().unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (here.kind(), here.to_string()));
    let remote: &RemoteError = error.downcast_ref().unwrap();
    assert_eq!(remote.to_string(), "nothing was written");
    let panicked = panics(3).spawn_on(&*cluster).get().unwrap_err();
    assert_eq!(panicked.kind(), ErrorKind::Panicked);
    let _ = Folder::new();
}
