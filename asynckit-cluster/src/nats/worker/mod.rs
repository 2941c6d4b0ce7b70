//! The worker's side: one thread with the connection, which brings calls to the pool and their outcomes back.
//!
//! # The files
//!
//! `settings` is what a worker is told to be; `taken` the calls that it has; `acting` what its thread has; `pulling`
//! how it gets calls, `telling` what it says of them; `life` is its life.

mod settings;
mod taken;

mod acting;

mod pulling;
mod telling;

mod life;

use std::sync::Arc;

use asynckit::BoxError;
use bytes::Bytes;
use tokio::sync::mpsc;

use acting::Acting;
use settings::Settings;

use super::names::{self, Names};
use crate::seam::Tell;
use crate::wire::{CallId, Outcome};
use crate::worker::Worker;

/// What the pool's threads say.
enum Said {
    Begun(CallId),
    Finished(CallId, Outcome, Bytes),
    Over(CallId),
}

struct Voice(mpsc::UnboundedSender<Said>);

impl Voice {
    fn say(&self, said: Said) {
        // Without a listener the process is about to end.
        self.0.send(said).ok();
    }
}

impl Tell for Voice {
    fn begun(&self, id: CallId) {
        self.say(Said::Begun(id));
    }

    fn finished(&self, id: CallId, outcome: Outcome, body: Bytes) {
        self.say(Said::Finished(id, outcome, body));
    }

    fn over(&self, id: CallId) {
        self.say(Said::Over(id));
    }
}

/// Serves calls for as long as the process lives, where the environment or the arguments ask for it, and never returns
/// then.
pub(crate) fn serve_if_asked() {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned()).collect();
    let served = match settings::read(&arguments, |name| std::env::var(name).ok()) {
        Ok(None) => return,
        Ok(Some(settings)) => super::build().and_then(|build| serve(settings, build)),
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            super::say(&format!("the worker ends: {error}"));
            std::process::exit(1);
        }
    }
}

/// Serves until the process is asked to end.
fn serve(settings: Settings, build: String) -> Result<(), BoxError> {
    if let Some(complaint) = settings.app.as_deref().and_then(names::complaint) {
        return Err(complaint.into());
    }
    if let Some(warning) = settings.server.warning() {
        super::say(&warning);
    }
    let (send, said) = mpsc::unbounded_channel();
    let worker =
        Worker::new(settings.threads, &settings.name, Arc::new(Voice(send)), |_memory| {})?;
    super::runtime()?.block_on(async move {
        let connection =
            settings.server.connect(&format!("asynckit worker {}", settings.name)).await?;
        let app = match &settings.app {
            Some(app) => app.clone(),
            None => life::app_of_a_driver(&connection.client, &build).await?,
        };
        let names = Names { app, build };
        Acting::begin(settings, names, connection, worker).await?.act(said).await
    })
}
