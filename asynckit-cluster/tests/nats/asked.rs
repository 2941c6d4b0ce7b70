//! Workers that are told what to be by their arguments alone.

use std::path::Path;

use asynckit_cluster::Server;

use crate::calls::{add, begun, gated};
use crate::certificates::Authority;
use crate::secured::encrypted;
use crate::signals::Signal;
use crate::streams::{KEY, SEED};
use crate::support::{Dir, Driven, NatsServer, WorkerProcess, soon};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// How many at once, in how many processes, its name, whom it trusts, what it shows and who it is.
#[test]
fn a_worker_may_be_told_all_by_its_arguments() {
    let dir = Dir::new();
    let Some(ours) = Authority::new(&dir, "ca") else { return };
    let [its, driver, its_worker] =
        ["server", "driver", "worker"].map(|name| ours.signs(&dir, name));
    let users = format!("{{ user: me, password: secret }}, {{ nkey: {KEY} }}");
    let users = format!("authorization {{ users: [ {users} ] }}");
    let Some((_server, url)) = encrypted(&its, &ours, true, &users) else { return };
    let known = Server::at(&url).root_certificates(ours.file());
    let known = known.client_certificate(&driver.file, &driver.key);
    let cluster = Driven::at(known.nkey(SEED));

    let [ca, file, key] = [ours.file(), &its_worker.file, &its_worker.key].map(text);
    let by_password = ["--asynckit-worker-user=me", "--asynckit-worker-password", "secret"];
    let by_key = [&format!("--asynckit-worker-nkey={SEED}")[..]];
    for (name, who) in [("first", &by_password[..]), ("second", &by_key)] {
        let mut arguments = vec!["--asynckit-worker", &url, "--asynckit-worker-app=test"];
        arguments.extend(["--asynckit-worker-threads", "3", "--asynckit-worker-processes=1"]);
        arguments.extend(["--asynckit-worker-name", name, "--asynckit-worker-grace", "0.5"]);
        arguments.extend(["--asynckit-worker-ca", ca, "--asynckit-worker-certificate", file]);
        arguments.extend(["--asynckit-worker-key", key]);
        arguments.extend(who);
        let mut worker = WorkerProcess::by_arguments(&arguments);
        let dir = Dir::new();
        let all: Vec<_> =
            (0..4).map(|n| gated(dir.path().to_owned(), n).spawn_on(&cluster)).collect();
        let running = || (0..4).filter(|n| !begun(dir.path(), *n).is_empty()).count();
        soon("three run", || running() == 3);
        soon("it has a name", || {
            let status = cluster.status();
            status.workers.iter().any(|its| its.name == name && its.process == worker.id())
        });
        // The fourth one waits for as long as they run.
        assert_eq!(running(), 3);
        dir.allow("go");
        for (n, one) in (0..).zip(all) {
            assert_eq!(one.get().unwrap(), n);
        }
        worker.signal(Signal::TERM);
        assert!(worker.ended());
    }
}

/// The app may be behind the address, and the token as well.
#[test]
fn a_worker_may_be_told_a_token_by_its_arguments() {
    let Some(server) = NatsServer::with("authorization { token: sesame }", "") else { return };
    let url = server.url();
    let cluster = Driven::at(Server::at(&url).token("sesame"));
    let its = format!("--asynckit-worker={url}/test");
    let worker = WorkerProcess::by_arguments(&[&its, "--asynckit-worker-token", "sesame"]);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    drop(worker);
}

/// It must not go on as if it were a driver, or with other settings than it was meant to have.
#[test]
fn a_worker_that_is_told_what_there_is_not_ends() {
    let Some(server) = NatsServer::start() else { return };
    let its = format!("--asynckit-worker={}/test", server.url());
    for arguments in [
        &["--asynckit-worker"][..],
        &[&its, "--asynckit-worker-treads=3"],
        &[&its, "--asynckit-worker-threads=many"],
        &[&its, "--asynckit-worker-user=me"],
    ] {
        assert!(!WorkerProcess::by_arguments(arguments).ended(), "{arguments:?}");
    }
}
