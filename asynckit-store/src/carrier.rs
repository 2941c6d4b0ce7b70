//! What a store does about a call: hands out the value that is kept, or has it computed and keeps that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use asynckit::ErrorKind;
use asynckit::carry::{Call, Carriage, Carried, Carrier, Ended, KEPT};

use crate::attribute::Keep;
use crate::context;
use crate::disk::Put;
use crate::explain::Explain;
use crate::flights::{Board, Flights, Landing, Seat};
use crate::record::{Asked, Functions, Lies, Note, at, check, now};
use crate::stamp::{Seen, Stamps};
use crate::writer::Writer;

/// What a store's handles and the work that it serves share.
pub(crate) struct Inner {
    pub(crate) writer: Arc<Writer>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) stamps: Arc<Stamps>,
    pub(crate) counts: Counts,
    pub(crate) functions: Functions,
    pub(crate) explain: Option<Explain>,
    /// From which size on a value gets a file of its own.
    pub(crate) large: usize,
    /// Nobody has a handle any more.
    pub(crate) is_closed: AtomicBool,
}

/// What has happened since the store was opened.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) hits: AtomicU64,
    pub(crate) misses: AtomicU64,
    /// In microseconds.
    pub(crate) saved: AtomicU64,
}

impl Counts {
    /// The call that this thread is at has its value, which had taken so many microseconds.
    fn hit(&self, took: u64) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.saved.fetch_add(took, Ordering::Relaxed);
        asynckit::note(KEPT, format_args!("{}.{:06}", took / 1_000_000, took % 1_000_000));
    }

    /// It has none.
    fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
        asynckit::note(KEPT, "no");
    }
}

/// The carrier of a store.
pub(crate) struct OfStore(pub(crate) Arc<Inner>);

impl Carrier for OfStore {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        let Some(keep) = call.settings::<Keep>() else { return Err(call) };
        if self.0.is_closed.load(Ordering::Acquire) {
            return Err(call);
        }
        let inner = self.0.clone();
        Ok(Box::pin(async move { inner.carry(call, keep).await }))
    }
}

impl Inner {
    async fn carry(self: Arc<Self>, mut call: Call<'_>, keep: &'static Keep) -> Carried {
        let (arguments, files) = context::of_key(&self.stamps, || call.arguments());
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(error) => {
                // Say, a file that is not there: the function has its own words for it.
                self.counts.miss();
                if let Some(explain) = &self.explain {
                    let path = call.function().path();
                    explain.tell(path, at(call.at()), format!("it has no key: {error}"));
                }
                return call.here();
            }
        };
        let asked = Asked::new(&self.functions, &call, keep, arguments);
        for looked in 0.. {
            let writes = self.writer.writes();
            call = match self.answer(call, keep, &asked) {
                Ok(carried) => return carried,
                Err(back) => back,
            };
            // It may be there by now. (One that is too old, or can't be read, is there as well.)
            let is_there = || {
                let is_pending = self.writer.pending(&asked.key).is_some();
                looked == 0 && (is_pending || self.writer.writes() != writes)
            };
            match self.flights.board(asked.key, is_there) {
                None => {}
                Some(Board::Begins(seat)) => return self.compute(call, asked, files, seat),
                Some(Board::Waits(flight)) => match flight.landing().await {
                    Landing::Value(bytes) => match call.value(&bytes) {
                        Ok(carried) => {
                            self.counts.hit(0);
                            return carried;
                        }
                        // Its type can't be read again.
                        Err((call, _)) => {
                            self.counts.miss();
                            return call.here();
                        }
                    },
                    Landing::Failed(error) => return call.fail_as(&error),
                    Landing::Nothing => {}
                },
            }
        }
        call.here()
    }

    /// Answers a call with what is kept, if that is there.
    fn answer<'w>(&self, call: Call<'w>, keep: &Keep, asked: &Asked) -> Result<Carried, Call<'w>> {
        let is_young = |note: &Note| keep.max_age.is_none_or(|most| note.age() <= most);
        let found = match self.writer.pending(&asked.key) {
            Some(put) if is_young(&put.note) => Some((put.note.took, put.bytes.clone())),
            Some(_) => None,
            None => match self.writer.disk.find(&asked.key, is_young) {
                Ok(found) => found.map(|(note, bytes)| (note.took, Arc::new(bytes))),
                Err(error) => {
                    self.writer.tell(&error);
                    None
                }
            },
        };
        let Some((took, bytes)) = found else { return Err(call) };
        // What can't be read wholly is computed anew.
        let carried = call.value(&bytes).map_err(|(call, _)| call)?;
        self.counts.hit(took);
        self.writer.used(asked.key);
        Ok(carried)
    }

    /// Has a call done, and keeps its value.
    fn compute(
        self: Arc<Self>,
        call: Call<'_>,
        asked: Asked,
        files: Vec<Seen>,
        seat: Seat,
    ) -> Carried {
        self.counts.miss();
        if let Some(explain) = &self.explain {
            explain.miss(&asked);
        }
        let (begun, flight) = (Instant::now(), seat.flight());
        let (carried, running) = call.here_and_tell(move |ended| {
            seat.land(match ended {
                Ended::Value(bytes) => {
                    let bytes = Arc::new(bytes);
                    self.keep(&asked, &files, &bytes, begun.elapsed());
                    Landing::Value(bytes)
                }
                Ended::Failed(error) if is_its_own(error.kind()) => Landing::Failed(error.clone()),
                Ended::Failed(_) => Landing::Nothing,
                Ended::Unencodable(error) => {
                    self.is_not_kept(&asked, &error.to_string());
                    Landing::Nothing
                }
            });
        });
        flight.runs(running);
        carried
    }

    fn keep(&self, asked: &Asked, files: &[Seen], bytes: &Arc<Vec<u8>>, took: Duration) {
        if files.iter().any(Seen::has_changed) {
            return self.is_not_kept(asked, "a file that it takes has changed meanwhile");
        }
        let note = Note {
            function: asked.known.id,
            at: asked.at(),
            made: now(),
            took: took.as_micros() as u64,
            size: bytes.len() as u64,
            lies: Lies::of(bytes.len(), self.large),
            check: check(bytes),
            arguments: asked.checks(),
        };
        if let Some(explain) = &self.explain {
            explain.kept(asked, &note.arguments);
        }
        let put = Put { note, known: asked.known.clone(), bytes: bytes.clone() };
        self.writer.put(asked.key, put);
    }

    /// Tells who asks why that a value is not kept: the next call of this key is computed, too.
    fn is_not_kept(&self, asked: &Asked, why: &str) {
        if let Some(explain) = &self.explain {
            let path = &asked.known.function.path;
            explain.tell(path, asked.at(), format!("its value is not kept: {why}"));
        }
    }
}

/// Whether it is a failure of the call, rather than of who made it: that one was cancelled, or out of time.
fn is_its_own(kind: ErrorKind) -> bool {
    use ErrorKind::{Deadlock, Failed, Lost, Panicked};
    matches!(kind, Failed | Panicked | Deadlock | Lost)
}
