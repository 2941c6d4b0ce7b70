//! Servers that let in only those who prove who they are, in each of the ways that there are. (For files of credentials see
//! `credentials`.)

use std::path::Path;

use asynckit_cluster::{Cluster, Server};

use crate::calls::add;
use crate::certificates::{Authority, Certificate};
use crate::streams::{KEY, SEED};
use crate::support::{Dir, Driven, NatsServer, WorkerProcess};

/// Variables of a worker.
type Variables<'a> = &'a [(&'a str, &'a Path)];

/// A driver and a worker that are let in.
fn are_let_in(url: &str, driver: impl Into<Server>, worker: Variables<'_>) {
    let cluster = Driven::at(driver);
    let _worker = WorkerProcess::with(&format!("{url}/test"), "w", 1, |command| {
        command.envs(worker.iter().copied());
    });
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

/// What a driver is told that isn't let in.
fn told(driver: impl Into<Server>) -> String {
    Cluster::connect(driver, "test").unwrap_err().to_string()
}

/// What a worker says that isn't let in; then it ends.
fn said(url: &str, worker: Variables<'_>) -> String {
    let dir = Dir::new();
    let said = std::fs::File::create(dir.join("said")).unwrap();
    let mut worker = WorkerProcess::with(&format!("{url}/test"), "wrong", 1, |command| {
        command.envs(worker.iter().copied()).stderr(said);
    });
    assert!(!worker.ended());
    std::fs::read_to_string(dir.join("said")).unwrap()
}

/// The certificate that a worker shows.
fn shows(file: &Path) -> (&str, &Path) {
    ("ASYNCKIT_WORKER_CERTIFICATE", file)
}

/// And its key.
fn by(key: &Path) -> (&str, &Path) {
    ("ASYNCKIT_WORKER_KEY", key)
}

#[track_caller]
fn has(words: &str, told: &str) {
    assert!(told.contains(words), "{told}");
}

/// An encrypted server that shows this certificate, and knows those of this authority; and its address.
pub fn encrypted(
    shows: &Certificate,
    knows: &Authority,
    verifies: bool,
    more: &str,
) -> Option<(NatsServer, String)> {
    let (Certificate { file, key }, ca) = (shows, knows.file());
    let tls =
        format!("cert_file: {file:?}, key_file: {key:?}, ca_file: {ca:?}, verify: {verifies}");
    let server = NatsServer::with(&format!("tls {{ {tls} }}\n{more}"), "")?;
    let url = server.url().replace("nats://127.0.0.1", "tls://localhost");
    Some((server, url))
}

#[test]
fn connections_are_encrypted_where_that_is_asked_for() {
    let dir = Dir::new();
    let Some(ours) = Authority::new(&dir, "ca") else { return };
    let strangers = Authority::new(&dir, "strangers").unwrap();
    let Some((server, url)) = encrypted(&ours.signs(&dir, "server"), &ours, false, "") else {
        return;
    };
    are_let_in(
        &url,
        Server::at(&url).root_certificates(ours.file()),
        &[("ASYNCKIT_WORKER_CA", ours.file())],
    );
    // The server insists on it, also where the address does not.
    let plain = server.url();
    are_let_in(
        &plain,
        Server::at(&plain).root_certificates(ours.file()),
        &[("ASYNCKIT_WORKER_CA", ours.file())],
    );

    for nobody_knows in [told(&url), told(&plain), said(&url, &[])] {
        has("nobody who is trusted here has signed", &nobody_knows);
        has("`Server::root_certificates`", &nobody_knows);
        has("`ASYNCKIT_WORKER_CA`", &nobody_knows);
    }
    has("nobody who is trusted here", &told(Server::at(&url).root_certificates(strangers.file())));
    let none = dir.join("none.pem");
    has("none.pem: No such file", &told(Server::at(&url).root_certificates(none)));

    let elsewhere = ours.signs_for(&dir, "elsewhere", "DNS:elsewhere");
    let (_other, url) = encrypted(&elsewhere, &ours, false, "").unwrap();
    has("is no good", &told(Server::at(&url).root_certificates(ours.file())));
    let open = NatsServer::start().unwrap();
    let asked = Server::at(open.url()).root_certificates(ours.file());
    has("the server doesn't encrypt", &told(asked));
}

#[test]
fn who_shows_no_certificate_where_one_is_asked_for_is_told_what_to_do() {
    let dir = Dir::new();
    let Some(ours) = Authority::new(&dir, "ca") else { return };
    let strangers = Authority::new(&dir, "strangers").unwrap();
    let [its, driver, worker] = ["server", "driver", "worker"].map(|name| ours.signs(&dir, name));
    let Some((_server, url)) = encrypted(&its, &ours, true, "") else { return };
    let stranger = strangers.signs(&dir, "stranger");
    let known = || Server::at(&url).root_certificates(ours.file());
    let trusts = ("ASYNCKIT_WORKER_CA", ours.file());

    are_let_in(
        &url,
        known().client_certificate(&driver.file, &driver.key),
        &[trusts, shows(&worker.file), by(&worker.key)],
    );

    for shows_none in [told(known()), said(&url, &[trusts])] {
        has("asks for a certificate", &shows_none);
        has("`Server::client_certificate`", &shows_none);
        has("`ASYNCKIT_WORKER_CERTIFICATE` and `ASYNCKIT_WORKER_KEY`", &shows_none);
    }
    for of_another in [
        told(known().client_certificate(&stranger.file, &stranger.key)),
        said(&url, &[trusts, shows(&stranger.file), by(&stranger.key)]),
    ] {
        has("the server doesn't take the certificate in", &of_another);
        has("stranger.pem", &of_another);
        has("`ca_file`", &of_another);
    }
    for (file, key) in [(&driver.file, &stranger.key), (&driver.key, &driver.key)] {
        has("don't go together", &told(known().client_certificate(file, key)));
    }
    let none = dir.join("none.pem");
    for is_missing in [
        told(known().client_certificate(&driver.file, &none)),
        said(&url, &[trusts, shows(&none), by(&worker.key)]),
    ] {
        has("none.pem: No such file", &is_missing);
    }
    has("go together", &said(&url, &[trusts, shows(&worker.file)]));
}

#[test]
fn who_has_the_token_is_let_in_and_others_are_told_why_not() {
    let Some(server) = NatsServer::with("authorization { token: sesame }", "") else { return };
    let url = server.url();
    let variable = |token| ("ASYNCKIT_WORKER_TOKEN", Path::new(token));
    are_let_in(&url, Server::at(&url).token("sesame"), &[variable("sesame")]);
    let in_url = url.replace("nats://", "nats://sesame@");
    are_let_in(&in_url, in_url.as_str(), &[]);

    for wrong in [
        told(Server::at(&url).token("barley")),
        told(url.replace("nats://", "nats://barley@")),
        said(&url, &[variable("barley")]),
    ] {
        has("doesn't take the name and password, the token or the key", &wrong);
        assert!(!wrong.contains("barley"), "{wrong}");
    }
    for without in [told(&url), said(&url, &[])] {
        has("asks who this is", &without);
        has("`ASYNCKIT_WORKER_CREDENTIALS`", &without);
    }
}

#[test]
fn who_has_the_key_is_let_in_and_others_are_told_why_not() {
    let users = format!("authorization {{ users: [ {{ nkey: {KEY} }} ] }}");
    let Some(server) = NatsServer::with(&users, "") else { return };
    let url = server.url();
    let variable = |seed| ("ASYNCKIT_WORKER_NKEY", Path::new(seed));
    are_let_in(&url, Server::at(&url).nkey(SEED), &[variable(SEED)]);

    let other = nkeys::KeyPair::new_user().seed().unwrap();
    for wrong in [told(Server::at(&url).nkey(&other)), said(&url, &[variable(&other)])] {
        has("doesn't take the name and password, the token or the key", &wrong);
        assert!(!wrong.contains(&other), "{wrong}");
    }
    for garbled in [told(Server::at(&url).nkey("SUsecret")), said(&url, &[variable("SUsecret")])] {
        has("no key in this seed", &garbled);
        assert!(!garbled.contains("SUsecret"), "{garbled}");
    }
    for without in [told(&url), said(&url, &[])] {
        has("asks who this is", &without);
    }
}

/// Which machine it is is told by its address alone: this one is here, and may be reached from elsewhere.
#[test]
fn who_speaks_to_another_machine_without_credentials_is_warned() {
    let Some(open) = NatsServer::start() else { return };
    let closed = NatsServer::with("authorization { token: sesame }", "").unwrap();
    let dir = Dir::new();
    let elsewhere = |server: &NatsServer| server.url().replace("127.0.0.1", "0.0.0.0");
    for (server, token, is_warned) in [(&open, None, true), (&closed, Some("sesame"), false)] {
        let url = elsewhere(server);
        let said = dir.join("said");
        let file = std::fs::File::create(&said).unwrap();
        let mut its = Server::at(&url);
        let _worker = WorkerProcess::with(&format!("{url}/test"), "w", 1, |command| {
            command.stderr(file).envs(token.map(|token| ("ASYNCKIT_WORKER_TOKEN", token)));
        });
        if let Some(token) = token {
            its = its.token(token);
        }
        let cluster = Driven::at(its);
        assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
        let said = std::fs::read_to_string(said).unwrap();
        assert_eq!(said.contains("is spoken to without credentials"), is_warned, "{said}");
    }
}
