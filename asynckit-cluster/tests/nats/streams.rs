//! Streams that are full or have other settings, messages that can't be read, and who may connect.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy};
use asynckit_cluster::{Cluster, Server};

use crate::calls::{add, begun, gated, sum};
use crate::support::{Dir, Driven, NatsServer, soon};

#[test]
fn calls_wait_for_room_in_a_full_stream() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    server.change("WORK", |config| config.max_bytes = 64 << 10);
    let many: Vec<_> = (0..40).map(|n| sum(vec![n as u8; 20 << 10]).spawn_on(&cluster)).collect();
    soon("it is full", || server.messages("WORK") == 3);
    let held = gated(dir.path().to_owned(), 1).spawn_on(&cluster);
    // (There is room for that small one.) Long enough for the driver to have tried all of the others again.
    let mut beats = server.watch_drivers();
    beats.wait_for(2);
    assert_eq!((server.messages("WORK"), cluster.status().open), (4, 41));
    let _worker = server.worker("w", 2);
    dir.allow("go");
    for one in many {
        assert_eq!(one.get().unwrap().0, 20 << 10);
    }
    assert_eq!(held.get().unwrap(), 1);
    assert_eq!(begun(dir.path(), 1).len(), 1);
}

#[test]
fn a_stream_with_other_settings_is_an_error_that_says_what_differs() {
    let Some(server) = NatsServer::start() else { return };
    server.make(Config {
        name: "ASYNCKIT_test_WORK".to_owned(),
        subjects: vec!["asynckit.test.work.>".to_owned()],
        discard: DiscardPolicy::Old,
        ..Config::default()
    });
    let error = Cluster::connect(server.url(), "test").unwrap_err().to_string();
    for part in ["ASYNCKIT_test_WORK", "retention is Limits and should be WorkQueue", "discard"] {
        assert!(error.contains(part), "{error}");
    }
}

/// And it is left as it is.
#[test]
fn a_consumer_with_other_settings_is_an_error_that_says_what_differs() {
    let Some(server) = NatsServer::start() else { return };
    drop(server.cluster());
    server.change_consumers(|config| config.max_deliver = 5);
    for _ in 0..2 {
        let error = Cluster::connect(server.url(), "test").unwrap_err().to_string();
        assert!(error.contains("-any has other settings than it needs"), "{error}");
        assert!(error.contains("max_deliver is 5 and should be 1"), "{error}");
    }
    // How long it is kept is up to who runs the server.
    server.change_consumers(|config| {
        (config.max_deliver, config.inactive_threshold) = (1, Duration::from_secs(7_200));
    });
    let cluster = server.cluster();
    server.change_consumers(|config| {
        assert_eq!(config.inactive_threshold, Duration::from_secs(7_200));
    });
    let _worker = server.worker("w", 1);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

/// Said at once, and not when the first large argument can't go.
#[test]
fn a_stream_of_large_arguments_with_other_settings_is_an_error_that_says_what_differs() {
    let Some(server) = NatsServer::start() else { return };
    server.make(Config {
        name: "ASYNCKIT_test_ARGUMENTS".to_owned(),
        subjects: vec!["asynckit.test.argument.*".to_owned()],
        max_age: Duration::from_secs(60),
        deny_delete: true,
        ..Config::default()
    });
    let error = Cluster::connect(server.url(), "test").unwrap_err().to_string();
    for part in [
        "test_ARGUMENTS",
        "subjects",
        "max_age is 60s",
        "max_msgs_per_subject is 0",
        "deny_delete is true and should be false",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

/// The server would say that it has an outcome before it has it. A call may be kept more safely than it must be.
#[test]
fn a_stream_of_outcomes_is_written_before_it_is_acknowledged() {
    let Some(server) = NatsServer::start() else { return };
    let outcomes = Config {
        name: "ASYNCKIT_test_DONE".to_owned(),
        subjects: vec!["asynckit.test.done.>".to_owned()],
        discard: DiscardPolicy::New,
        allow_direct: true,
        allow_message_ttl: true,
        persist_mode: Some(PersistenceMode::Async),
        ..Config::default()
    };
    server.make(Config {
        name: "ASYNCKIT_test_WORK".to_owned(),
        subjects: vec!["asynckit.test.work.>".to_owned()],
        discard: DiscardPolicy::New,
        retention: RetentionPolicy::WorkQueue,
        allow_direct: true,
        ..Config::default()
    });
    server.make(outcomes);
    let error = Cluster::connect(server.url(), "test").unwrap_err().to_string();
    assert!(error.contains("test_DONE has other settings"), "{error}");
    assert!(error.contains("persist_mode is Async and should be Default"), "{error}");
}

#[test]
fn a_garbled_message_is_refused_counted_and_kept_aside() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    let subject = server.a_subject_of_calls();
    for garbage in [&b""[..], b"\x05\0\0\0abc", &[0xff; 300]] {
        server.publish(&subject, garbage);
    }
    soon("they are kept aside", || server.messages("DEAD") == 3);
    soon("they are counted", || cluster.status().refused == 3);
    assert_eq!(server.messages("WORK"), 0);
    assert_eq!(add(2, 2).spawn_on(&cluster).get().unwrap(), 4);
}

#[test]
fn garbage_for_a_driver_is_refused_counted_and_kept_aside() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    let outcomes = server.subject_of_outcomes();
    let news = outcomes.replace("done", "news");
    let subjects = [&*outcomes, &*news, "asynckit.test.beat.0123456789abcdef"];
    for (subject, garbage) in subjects.iter().zip([&b""[..], b"\x05\0\0\0abc", &[0xff; 300]]) {
        server.publish(subject, garbage);
    }
    soon("they are counted", || cluster.status().refused == 3);
    soon("they are kept aside", || server.messages("DEAD") == 3);
    // Each once, also where it comes again or to several.
    let other = server.cluster();
    server.publish(subjects[2], &[0xff; 300]);
    soon("both have it", || cluster.status().refused == 4 && other.status().refused == 1);
    server.publish(subjects[2], &[0xfe; 300]);
    soon("another one is kept aside, too", || server.messages("DEAD") == 4);
    assert_eq!(add(2, 2).spawn_on(&cluster).get().unwrap(), 4);
}

/// The key of the seed below.
pub const KEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

/// The seed in NATS's documentation, which guards nothing.
pub const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

#[test]
fn who_has_no_credentials_is_not_let_in() {
    let users = format!(
        "accounts {{ films: {{ jetstream: enabled, users: [ {{ user: driver, password: secret }}, {{ nkey: {KEY} }} ] }} }}"
    );
    let Some(server) = NatsServer::with(&users, "") else { return };
    assert!(Cluster::connect(server.url(), "test").is_err());
    let guess = Server::at(server.url()).user("driver", "guess");
    let in_url = server.url().replace("nats://", "nats://driver:guess@").into();
    for wrong in [guess, in_url] {
        let error = Cluster::connect(wrong, "test").unwrap_err().to_string();
        assert!(error.contains("doesn't take the name") && !error.contains("guess"), "{error}");
    }
    let right = Server::at(server.url()).user("driver", "secret");
    let cluster = Driven::at(right);
    let by_key = Cluster::connect(Server::at(server.url()).nkey(SEED), "test");
    drop(by_key.unwrap());
    let url = server.url().replace("nats://", "nats://driver:secret@");
    let _worker = crate::support::WorkerProcess::start(&format!("{url}/test"), "w", 1);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
}

#[test]
fn a_server_without_jetstream_or_no_server_is_an_error() {
    let Some(server) = NatsServer::start() else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = Cluster::connect(format!("nats://127.0.0.1:{port}"), "test").unwrap_err();
    assert!(nobody.to_string().contains("no connection"), "{nobody}");
    let error = Cluster::connect(server.url(), "a.b").unwrap_err();
    assert!(error.to_string().contains("`a.b`"), "{error}");
}

/// A driver and a worker whose counterpart speaks otherwise: neither takes anything from it, and each says what to do.
#[test]
fn who_speaks_another_version_is_refused_and_told_what_to_do() {
    let Some(server) = NatsServer::start() else { return };
    let (cluster, dir) = (server.cluster(), Dir::new());
    let said = std::fs::File::create(dir.join("said")).unwrap();
    let url = format!("{}/test", server.url());
    let _worker = crate::support::WorkerProcess::with(&url, "w", 1, |command| {
        command.stderr(said);
    });
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    // A head that begins with another version.
    let other = b"\x03\0\0\0\x63\x01\x02";
    let calls = server.a_subject_of_calls();
    server.publish(&calls, other);
    soon("it is kept aside", || server.messages("DEAD") == 1);
    soon("it is counted", || cluster.status().refused == 1);
    let said = || std::fs::read_to_string(dir.join("said")).unwrap();
    soon("the worker says so", || said().contains("version 99 of the protocol"));
    assert!(said().contains("same build"), "{}", said());
    server.publish(&server.subject_of_outcomes(), other);
    soon("the driver counts it as well", || cluster.status().refused == 2);
    assert_eq!(add(2, 2).spawn_on(&cluster).get().unwrap(), 4);
}
