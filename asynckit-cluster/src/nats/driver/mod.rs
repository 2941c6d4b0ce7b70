//! The driver's side: a handle for any thread, and one thread with the connection, which does all else
//! (`life`).
//!
//! # The files
//!
//! `calls` has what is known of each open call, `seen` of each worker, `spare` of large arguments; `recover` is what the server is asked for;
//! `acting` is what the thread has, `sending` and `hearing` what it sends and hears, `leaving` what it does about calls
//! that nobody wants any more, `endings` what about losses, and `life` is its life.

mod calls;
mod recover;
mod seen;
mod spare;

mod acting;

mod leaving;
mod sending;

mod hearing;

mod endings;

mod life;

use std::sync::{Arc, Mutex, Weak, mpsc as std_mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use asynckit::BoxError;
use tokio::sync::{Notify, mpsc};

use super::names::{self, Names};
use super::server::Server;
use crate::seam::{Backend, Driver, Outgoing};
use crate::status::Status;
use crate::sync::lock;
use crate::wire::CallId;

use acting::ActingDriver;

/// How long an answer of the driver's own thread may take.
const ANSWER: Duration = Duration::from_secs(2);

/// What the thread is asked for.
enum Command {
    Publish(Outgoing),
    Withdraw(CallId),
    Status(std_mpsc::SyncSender<Status>),
}

/// Calls travel over NATS JetStream.
pub(crate) struct Nats {
    commands: mpsc::UnboundedSender<Command>,
    /// The thread is to come to its end, whatever it waits for.
    end: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Nats {
    /// Connects, and makes what is missing on the server. Returns when all of it is there.
    pub(crate) fn connect(
        server: &Server,
        app: &str,
        driver: Weak<dyn Driver>,
    ) -> Result<Nats, BoxError> {
        if let Some(complaint) = names::complaint(app) {
            return Err(complaint.into());
        }
        if let Some(warning) = server.warning() {
            super::say(&warning);
        }
        let names = Names { app: app.to_owned(), build: super::build()? };
        let (commands, orders) = mpsc::unbounded_channel();
        let (send, answer) = std_mpsc::sync_channel(1);
        let server = server.clone();
        let end = Arc::new(Notify::new());
        let its_end = end.clone();
        let its_life = move || {
            let runtime = match super::runtime() {
                Ok(runtime) => runtime,
                Err(error) => return drop(send.send(Err(error))),
            };
            runtime.block_on(async {
                match ActingDriver::connect(&server, names, driver).await {
                    Ok(acting) => {
                        send.send(Ok(())).ok();
                        acting.act(orders, &its_end).await;
                    }
                    Err(error) => drop(send.send(Err(error))),
                }
            });
            // An address that is being looked up isn't waited for.
            runtime.shutdown_background();
        };
        let thread =
            std::thread::Builder::new().name("asynckit-nats".to_owned()).spawn(its_life)?;
        let lost = || BoxError::from("the thread of the connection has ended");
        answer.recv().map_err(|_| lost())??;
        Ok(Nats { commands, end, thread: Mutex::new(Some(thread)) })
    }

    fn order(&self, command: Command) {
        // The thread lives until it is told to stop, and then nothing is open.
        self.commands.send(command).ok();
    }
}

impl Backend for Nats {
    fn publish(&self, outgoing: Outgoing) {
        self.order(Command::Publish(outgoing));
    }

    fn withdraw(&self, id: CallId) {
        self.order(Command::Withdraw(id));
    }

    fn status(&self) -> Status {
        let (send, answer) = std_mpsc::sync_channel(1);
        self.order(Command::Status(send));
        answer.recv_timeout(ANSWER).unwrap_or_default()
    }

    fn stop(&self) {
        self.end.notify_one();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            thread.join().ok();
        }
    }
}
