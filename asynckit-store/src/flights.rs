//! What is being computed: who asks for the same thing meanwhile waits for it.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use asynckit::Error;
use asynckit::carry::Running;

use crate::record::Key;

/// What is being computed now, by its key.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, Arc<Flight>>>);

/// One of these.
#[derive(Default)]
pub(crate) struct Flight(Mutex<FlightState>);

#[derive(Default)]
enum FlightState {
    /// It is about to begin.
    #[default]
    Begins,
    Runs(Running),
    Over(Landing),
}

/// How it came out.
#[derive(Clone)]
pub(crate) enum Landing {
    Value(Arc<Vec<u8>>),
    /// With a failure of the call itself.
    Failed(Error),
    /// It was given up, or its value can't be had twice: who waits asks again.
    Nothing,
}

/// What comes of asking for a flight.
pub(crate) enum Board {
    /// Somebody else is at it.
    Waits(Arc<Flight>),
    /// Nobody is: now the asker is.
    Begins(Seat),
}

impl Flights {
    /// Joins who computes this, or begins to. `is_there` is asked where nobody does: it may be there by now.
    pub(crate) fn board(
        self: &Arc<Self>,
        key: Key,
        is_there: impl FnOnce() -> bool,
    ) -> Option<Board> {
        let mut all = lock(&self.0);
        if let Some(flight) = all.get(&key) {
            return Some(Board::Waits(flight.clone()));
        }
        if is_there() {
            return None;
        }
        let flight = Arc::new(Flight::default());
        all.insert(key, flight.clone());
        Some(Board::Begins(Seat { key, flight, all: self.clone() }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to say how a flight comes out. Dropped without, it came to nothing.
pub(crate) struct Seat {
    key: Key,
    flight: Arc<Flight>,
    all: Arc<Flights>,
}

impl Seat {
    pub(crate) fn flight(&self) -> Arc<Flight> {
        self.flight.clone()
    }

    /// It is over; whoever asks from now on finds what is kept, or begins anew.
    pub(crate) fn land(&self, landing: Landing) {
        let before = std::mem::replace(&mut *lock(&self.flight.0), FlightState::Over(landing));
        drop(before);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = lock(&self.flight.0);
        if !matches!(*state, FlightState::Over(_)) {
            *state = FlightState::Over(Landing::Nothing);
        }
        drop(state);
        lock(&self.all.0).remove(&self.key);
    }
}

impl Flight {
    /// This computes it.
    pub(crate) fn runs(&self, running: Running) {
        let mut state = lock(&self.0);
        if matches!(*state, FlightState::Begins) {
            *state = FlightState::Runs(running);
        }
    }

    /// Waits until it is over.
    pub(crate) async fn landing(&self) -> Landing {
        loop {
            let running = match &*lock(&self.0) {
                FlightState::Over(landing) => return landing.clone(),
                FlightState::Runs(running) => Some(running.clone()),
                FlightState::Begins => None,
            };
            match running {
                Some(running) => {
                    if let Err(error) = running.end().await {
                        return Landing::Failed(error);
                    }
                    // Who was given up tells nothing.
                    return match &*lock(&self.0) {
                        FlightState::Over(landing) => landing.clone(),
                        _ => Landing::Nothing,
                    };
                }
                // That takes a moment.
                None => turn().await,
            }
        }
    }
}

/// Leaves others their turn.
async fn turn() {
    let mut asked = false;
    poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
