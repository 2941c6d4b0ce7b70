//! Calls travel over NATS JetStream, to workers on any machine.
//!
//! ```text
//!  driver                          server                                  worker
//!  a call        ──────────▶ WORK, a work queue on disk, handed out once ──▶ claim, told the driver if it isn't over
//!  claimed       ◀────────────────── news, not kept ◀─────────────────────┘  at once; in progress, told each 2 s
//!  outcomes      ◀── DONE, on disk, and at once to who listens ◀──────────── outcomes that are ready, in one message
//!                                                        │ when that is stored ▼
//!                            WORK forgets the call ◀───────────────────── acknowledged
//!  who lives     ◀────────────────── beats, each second ◀─────────────────── and what it has
//!  a driver's beat, with what nobody wants any more ───────────────────────▶ cancelled
//! ```
//!
//! *Who decides.* The server hands each message out once. That a delivery is lost is the driver's to decide, by
//! its own clock: it knows from claims and beats who has what, asks the stream how far it has been handed out, and
//! reads the kept outcomes first. So a call isn't in two minds, and nothing depends on somebody pulling.
//!
//! *Whose end it was.* A worker tells of a process of its own that has ended, and of its call. Where the worker itself falls
//! silent, nobody tells why, and most of its calls have not begun. So what may be the end of a worker is told of before it
//! begins, no more at a time than there are processes, and what was in two such ends has a worker to itself, where that
//! gets free in some seconds. (What may go out but once is told of as it comes: lost with a worker that has said so, it
//! does not go out again.)
//!
//! *What is not said.* A message costs as much as a short call. So a call that is over in a moment is not claimed, and an
//! acknowledgement goes with the next outcome; nor is the server asked whether it has a call that is not one of many: who
//! claims it or tells its outcome says so, and if nobody does it is sent again under its id. A call that may be the end of
//! its worker is claimed before it begins.
//!
//! *What is large* goes by itself, and before the call or the outcome that needs it: in chunks that are stored several at a
//! time, and fetched so, by names that follow from its hash and its size. Arguments and values are in a stream each, ARGUMENTS
//! and VALUES: of an argument its driver has another copy, so the server need not have it on its disk at once; a value is
//! all there is.
//!
//! *A limit* of a function for the whole cluster is how many messages its own consumer lets out unacknowledged. A
//! worker acknowledges when the code has ended and the outcome is stored; a dead worker's permits are free when the
//! server has waited for its sign of life, or the driver says so in its place.
//!
//! *The connection comes and goes.* Whatever was underway is sent again under its own id, which the server stores
//! once, as long as it knows that; what it may have forgotten is lost, unless somebody says within a lease that he has it.
//! Outcomes are read from where all had come; each call that nobody has claimed is looked for in the stream.
//!
//! *Nobody wants it any more.* A call that is not begun is taken out of the stream, where it is there: a message that goes
//! again under its id says where. A worker that has one that it was not told of is told when it says so.
//!
//! # The files
//!
//! `names`, `frames`, `credentials`, `encrypted`; `server`, `streams`, `objects` stand on these; `driver/` and `worker/` on all of them.

mod credentials;
mod encrypted;
mod frames;
mod names;

mod server;
mod streams;

mod objects;

mod driver;
mod worker;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use asynckit::BoxError;
use tokio::runtime::{Builder, Runtime};

use crate::processes;

pub(crate) use driver::Nats;
pub use server::Server;
pub(crate) use worker::serve_if_asked;

/// How often drivers and workers say that they live.
const EACH: Duration = Duration::from_secs(1);

/// A number that nobody else has, by chance.
fn by_chance() -> u64 {
    // Each hasher is another one.
    RandomState::new().build_hasher().finish()
}

/// Which program this is: drivers and workers of the same one understand each other.
///
/// # Errors
///
/// The file of the program can't be read.
fn build() -> Result<String, BoxError> {
    let program = processes::program()?;
    let mut hash = blake3::Hasher::new();
    let read = std::fs::File::open(&program).and_then(|file| hash.update_reader(file).map(drop));
    read.map_err(|error| format!("this program, {}, can't be read: {error}", program.display()))?;
    Ok(hash.finalize().to_hex()[..16].to_owned())
}

/// Waits for so long, if at all: a sleep of no time takes a millisecond.
async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// What this machine is called.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// The runtime of a thread with a connection.
fn runtime() -> Result<Runtime, BoxError> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Says something that the user should know, on standard error.
fn say(words: &str) {
    eprintln!("asynckit-cluster: {words}");
}
