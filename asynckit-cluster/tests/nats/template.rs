//! The configuration that this crate ships, as it is and with its users filled in.

use asynckit_cluster::{Cluster, Server};

use crate::calls::{add, sum};
use crate::streams::{KEY, SEED};
use crate::support::{Driven, NatsServer, WorkerProcess, free_port};

const TEMPLATE: &str = include_str!("../../nats.conf");

/// What `nats server passwd` prints for `secret`.
const HASH: &str = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// With this in the place of that, which is there.
fn with(text: &str, that: &str, this: &str) -> String {
    assert!(text.contains(that), "`{that}` is in nats.conf");
    text.replace(that, this)
}

/// A server by this configuration, on ports and with a directory of its own.
fn server(text: &str) -> Option<NatsServer> {
    NatsServer::by(|port, store| {
        let text = with(text, "127.0.0.1:4222\"", &format!("127.0.0.1:{port}\""));
        let text = with(&text, "127.0.0.1:8222\"", &format!("127.0.0.1:{}\"", free_port()));
        with(&text, "\"/var/lib/nats\"", &format!("{store:?}"))
    })
}

#[test]
fn a_server_runs_by_the_configuration_that_is_shipped() {
    let Some(server) = server(TEMPLATE) else { return };
    let cluster = server.cluster();
    let _worker = server.worker("w", 1);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    assert_eq!(sum(vec![1; 3 << 20]).spawn_on(&cluster).get().unwrap(), (3 << 20, 3 << 20));
}

#[test]
fn only_its_users_are_let_in_where_they_are_filled_in() {
    let (before, accounts) = TEMPLATE.split_once("# accounts {").unwrap();
    let accounts = accounts.replace("\n# ", "\n");
    let accounts = with(&accounts, "<U..>", KEY);
    let accounts = with(&accounts, "<name>", "me");
    let accounts = with(&accounts, "<what `nats server passwd` prints>", HASH);
    let Some(server) = server(&format!("{before}accounts {{{accounts}")) else { return };
    assert!(Cluster::connect(server.url(), "test").is_err());
    let wrong = Server::at(server.url()).user("me", "guess");
    assert!(Cluster::connect(wrong, "test").is_err());
    let cluster = Driven::at(Server::at(server.url()).nkey(SEED));
    let _worker = WorkerProcess::with(&format!("{}/test", server.url()), "w", 1, |command| {
        command.env("ASYNCKIT_WORKER_USER", "me").env("ASYNCKIT_WORKER_PASSWORD", "secret");
    });
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    assert_eq!(sum(vec![1; 3 << 20]).spawn_on(&cluster).get().unwrap(), (3 << 20, 3 << 20));
}
