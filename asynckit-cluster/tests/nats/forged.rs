//! What somebody else says on the server, and what is not so.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::calls::{add, sum};
use crate::support::{NatsServer, WorkerProcess, soon};

/// The variable that says how many bytes of address space a worker has.
const SPACE: &str = "ASYNCKIT_TEST_SPACE";

/// Has this process no more than it is to have.
pub fn have_little_space_if_asked() {
    let Ok(space) = std::env::var(SPACE) else { return };
    let space = space.parse().ok();
    setrlimit(Resource::As, Rlimit { current: space, maximum: space }).unwrap();
}

/// A worker that believed it would end, and with it all that it runs. Nothing is had for what does not come: the call is
/// handed back, and its driver puts the argument there again.
#[test]
fn a_large_argument_that_is_said_to_be_larger_than_memory_ends_no_worker() {
    let Some(server) = NatsServer::start() else { return };
    let cluster = server.cluster();
    let one = sum(vec![1; 3 << 20]).spawn_on(&cluster);
    soon("it is there", || server.messages("WORK") == 1);
    server.forge_size(16 << 30);
    let mut worker = WorkerProcess::with(&format!("{}/test", server.url()), "w", 1, |command| {
        command.env(SPACE, (8u64 << 30).to_string());
    });
    assert_eq!(one.get().unwrap(), (3 << 20, 3 << 20));
    assert_eq!(add(1, 1).spawn_on(&cluster).get().unwrap(), 2);
    assert!(worker.is_alive());
    assert_eq!(cluster.status().redelivered, 0, "it was not begun before");
}
