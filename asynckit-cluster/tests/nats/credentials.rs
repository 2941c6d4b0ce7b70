//! Files of credentials, as `nsc` makes them, on a server that knows its accounts by what an operator has signed.

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use asynckit_cluster::{Cluster, Server};
use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;

use crate::calls::add;
use crate::support::{Dir, Driven, LONG, NatsServer, WorkerProcess, soon};

/// What an account may: as much as the server has, and with JetStream or not.
fn account(has_jetstream: bool) -> String {
    let most =
        |names: &[&str]| names.iter().map(|name| format!(",{name:?}:-1")).collect::<String>();
    let usual = most(&["subs", "data", "payload", "imports", "exports", "conn", "leaf"]);
    let jetstream = match has_jetstream {
        true => most(&["mem_storage", "disk_storage", "streams", "consumer"]),
        false => String::new(),
    };
    format!(r#""type":"account","limits":{{"wildcards":true{usual}{jetstream}}}"#)
}

/// What `by` says and has signed of who has the key `of`.
fn signed(by: &KeyPair, of: &KeyPair, says: &str) -> String {
    signed_until(by, of, says, None)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed_until(by: &KeyPair, of: &KeyPair, says: &str, until: Option<u64>) -> String {
    let (iss, sub, iat) = (by.public_key(), of.public_key(), now());
    let exp = until.map(|until| format!(r#""exp":{until},"#)).unwrap_or_default();
    let who = format!(r#""iss":"{iss}","sub":"{sub}","name":"test""#);
    let claims =
        format!(r#"{{"jti":"{sub}-{iat}","iat":{iat},{exp}{who},"nats":{{{says},"version":2}}}}"#);
    let header = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;
    let parts = [header, &claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
    let text = parts.join(".");
    let signature = BASE64URL_NOPAD.encode(&by.sign(text.as_bytes()).unwrap());
    format!("{text}.{signature}")
}

/// The file of a new user of this account.
fn file_of_user(dir: &Dir, name: &str, account: &KeyPair) -> PathBuf {
    file_until(dir, name, account, None)
}

/// The same, whose credentials expire.
fn file_until(dir: &Dir, name: &str, account: &KeyPair, until: Option<u64>) -> PathBuf {
    let user = KeyPair::new_user();
    let says = r#""type":"user","pub":{},"sub":{},"subs":-1,"data":-1,"payload":-1"#;
    let (jwt, seed) = (signed_until(account, &user, says, until), user.seed().unwrap());
    let (path, line) = (dir.join(name), "------");
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n{line}END NATS USER JWT{line}\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n{line}END USER NKEY SEED{line}\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// A server that knows these two accounts.
fn server_of(films: &KeyPair, system: &KeyPair) -> Option<NatsServer> {
    let operator = KeyPair::new_operator();
    // (The account of the server itself has no JetStream.)
    let preload = [(films, true), (system, false)].map(|(key, has_jetstream)| {
        let jwt = signed(&operator, key, &account(has_jetstream));
        format!("{}: {jwt:?}", key.public_key())
    });
    let jwt = signed(&operator, &operator, r#""type":"operator""#);
    let config = format!(
        "operator: {jwt:?}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload {{\n{}\n}}",
        system.public_key(),
        preload.join("\n")
    );
    NatsServer::with(&config, "")
}

#[test]
fn who_has_the_file_of_a_user_is_let_in_and_others_are_told_why_not() {
    let dir = Dir::new();
    let [films, system, stranger] = [(); 3].map(|()| KeyPair::new_account());
    let Some(server) = server_of(&films, &system) else { return };
    let url = format!("{}/test", server.url());
    let file = file_of_user(&dir, "films.creds", &films);
    let cluster = Driven::at(Server::at(server.url()).credentials_file(&file));
    let worker = WorkerProcess::with(&url, "w", 1, |command| {
        command.env("ASYNCKIT_WORKER_CREDENTIALS", &file);
    });
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    drop(worker);
    let argument = format!("--asynckit-worker-credentials={}", file.display());
    let its = ["--asynckit-worker", &url, &argument];
    let _worker = WorkerProcess::by_arguments(&its);
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);

    let garbled = dir.join("garbled.creds");
    std::fs::write(&garbled, "secret").unwrap();
    for (file, words) in [
        (dir.join("none.creds"), "No such file"),
        (garbled, "cannot parse"),
        (file_of_user(&dir, "stranger.creds", &stranger), "doesn't take the credentials in"),
        (file_of_user(&dir, "system.creds", &system), "JetStream"),
    ] {
        let begin = Instant::now();
        let error = Cluster::connect(Server::at(server.url()).credentials_file(&file), "test");
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        // The worker says the same, and ends.
        let said = std::fs::File::create(dir.join("said")).unwrap();
        let mut worker = WorkerProcess::with(&url, "wrong", 1, |command| {
            command.env("ASYNCKIT_WORKER_CREDENTIALS", &file).stderr(said);
        });
        assert!(!worker.ended());
        let said = std::fs::read_to_string(dir.join("said")).unwrap();
        assert!(said.contains(words), "{said}");
        assert!(begin.elapsed() < LONG);
    }
    let error = Cluster::connect(server.url(), "test").unwrap_err().to_string();
    assert!(error.contains("asks who this is"), "{error}");
    assert_eq!(add(2, 2).spawn_on(&cluster).get().unwrap(), 4);
}

/// They say when that is, and the server ends the connection then. Calls wait; and go on with another file in its place.
#[test]
fn credentials_that_expire_are_told_of_and_may_be_replaced() {
    let dir = Dir::new();
    let [films, system] = [(); 2].map(|()| KeyPair::new_account());
    let Some(server) = server_of(&films, &system) else { return };
    let file = file_of_user(&dir, "driver.creds", &films);
    let cluster = Driven::at(Server::at(server.url()).credentials_file(&file));
    let url = format!("{}/test", server.url());
    let until = now() + 6;
    let file = file_until(&dir, "worker.creds", &films, Some(until));
    let said = std::fs::File::create(dir.join("said")).unwrap();
    let _worker = WorkerProcess::with(&url, "w", 1, |command| {
        command.env("ASYNCKIT_WORKER_CREDENTIALS", &file).stderr(said);
    });
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    let said = || std::fs::read_to_string(dir.join("said")).unwrap();
    soon("it is told", || said().contains("doesn't let this one in any more"));
    assert!(now() >= until && said().contains("worker.creds"), "{}", said());
    let waits = add(2, 2).spawn_on(&cluster);
    soon("it is told of at each try", || now() > until + 2);
    assert_eq!((said().matches("any more").count(), waits.is_set()), (1, false), "{}", said());
    file_of_user(&dir, "worker.creds", &films);
    soon("it is let in again", || waits.is_set());
    assert_eq!(waits.get().unwrap(), 4);
}
