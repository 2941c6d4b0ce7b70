//! Ctrl-C and SIGTERM: the pools that are to end then.
//!
//! One thread of the process waits for signals. The first one tells all pools to end, each on a thread of its own, as
//! to drop what has not begun may take its time; so the second one is always heard.

use std::io;
use std::time::Duration;

use crate::pool::handle::Pool;
use crate::pool::shared::Shared;
use crate::sync::{Arc, Mutex, Weak, lock, thread};

/// A signal that asks a program to end.
///
/// ```
/// use asynckit::Signal;
///
/// assert_eq!((Signal::Interrupt.exit_code(), Signal::Terminate.exit_code()), (130, 143));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Ctrl-C: SIGINT.
    Interrupt,
    /// SIGTERM, as `kill` and service managers send it.
    Terminate,
}

impl Signal {
    /// The exit code by which shells say that a program was ended by it.
    pub fn exit_code(self) -> u8 {
        match self {
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

/// Whether a signal has come; made by [`Pool::end_on_signal`].
#[derive(Debug)]
pub struct Ending(());

impl Ending {
    /// The signal that has told the program to end, once one has.
    ///
    /// ```
    /// # #[cfg(any(unix, windows))] {
    /// use std::time::Duration;
    ///
    /// let pool = asynckit::Pool::new(1);
    /// let ending = pool.end_on_signal(Duration::from_secs(5)).unwrap();
    /// assert_eq!(ending.signal(), None);
    /// # }
    /// ```
    pub fn signal(&self) -> Option<Signal> {
        lock(&ENDS).came
    }
}

/// What is to be done when a signal comes.
struct Ends {
    pools: Vec<(Weak<Shared>, Duration)>,
    came: Option<Signal>,
    listens: bool,
}

static ENDS: Mutex<Ends> = Mutex::new(Ends { pools: Vec::new(), came: None, listens: false });

impl Pool {
    /// Has the pool end on Ctrl-C (SIGINT) and on SIGTERM, [within](Pool::end_within) so long: the way for a
    /// program to end in time and in order.
    ///
    /// The first signal tells all pools that have asked for it; waits for what is cancelled then fail, so that `main`
    /// goes on and can say how far the program came. A second one ends the process at once, as if nobody had
    /// asked; and so does the first where none of these pools is left. A pool that asks when a signal has come ends
    /// right away.
    ///
    /// ```no_run
    /// use std::process::ExitCode;
    /// use std::time::Duration;
    /// use asynckit::{Pool, async_work};
    ///
    /// #[async_work]
    /// fn serve() -> std::io::Result<()> {
    ///     while !asynckit::is_cancelled() {
    ///         // the next request
    ///     }
    ///     Ok(())
    /// }
    ///
    /// fn main() -> ExitCode {
    ///     let pool = Pool::new(4);
    ///     let ending = pool.end_on_signal(Duration::from_secs(10)).expect("signals can be had");
    ///     let outcome = serve().spawn_on(&pool).get();
    ///     if let Some(signal) = ending.signal() {
    ///         // Waits for what is left of the time.
    ///         if let Err(still) = pool.stop_timeout(Duration::MAX) {
    ///             eprintln!("{still}"); // names the work, and is not waited for
    ///         }
    ///         return ExitCode::from(signal.exit_code());
    ///     }
    ///     match outcome {
    ///         Ok(()) => ExitCode::SUCCESS,
    ///         Err(error) => {
    ///             eprintln!("{error}");
    ///             ExitCode::FAILURE
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// A program whose `main` does nothing of the kind ends in time as well, when it drops its pools. What
    /// [`end_within`](Pool::end_within) says of scopes and of pools without workers holds here, too. With a pool on
    /// tokio's threads the runtime has to be left by its `shutdown_background`, as its drop waits for them.
    ///
    /// On Windows it is Ctrl-C alone.
    ///
    /// # Errors
    ///
    /// Where signals can't be had: the system refuses it; on Windows, something else has Ctrl-C already.
    pub fn end_on_signal(&self, grace: Duration) -> io::Result<Ending> {
        let mut ends = lock(&ENDS);
        if !ends.listens {
            listen()?;
            ends.listens = true;
        }
        ends.pools.retain(|(pool, _)| pool.strong_count() > 0);
        ends.pools.push((Arc::downgrade(self.shared()), grace));
        let came = ends.came.is_some();
        drop(ends);
        if came {
            self.end_within(grace);
        }
        Ok(Ending(()))
    }
}

/// A signal has come.
fn came(signal: Signal) {
    let mut ends = lock(&ENDS);
    let pools = std::mem::take(&mut ends.pools);
    let alive = pools.into_iter().filter_map(|(pool, grace)| Some((pool.upgrade()?, grace)));
    let open: Vec<_> = alive.filter(|(pool, _)| !pool.is_closed()).collect();
    if ends.came.is_some() || open.is_empty() {
        end_at_once(signal);
    }
    ends.came = Some(signal);
    drop(ends);
    for (pool, grace) in open {
        let its = pool.clone();
        let thread = thread::Builder::new().name("asynckit-end".to_owned());
        if thread.spawn(move || its.begin_end(grace)).is_err() {
            pool.begin_end(grace);
        }
    }
}

#[cfg(unix)]
fn listen() -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let thread = thread::Builder::new().name("asynckit-signals".to_owned());
    thread.spawn(move || {
        for signal in signals.forever() {
            came(if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate });
        }
    })?;
    Ok(())
}

/// As if nobody had asked for the signal, so that who waits for the process sees what has ended it.
#[cfg(unix)]
fn end_at_once(signal: Signal) -> ! {
    use signal_hook::consts::{SIGINT, SIGTERM};

    let number = if signal == Signal::Interrupt { SIGINT } else { SIGTERM };
    let _ = signal_hook::low_level::emulate_default_handler(number);
    signal_hook::low_level::exit(signal.exit_code().into())
}

#[cfg(windows)]
fn listen() -> io::Result<()> {
    ctrlc::try_set_handler(|| came(Signal::Interrupt)).map_err(|error| match error {
        ctrlc::Error::System(error) => error,
        other => io::Error::other(other),
    })
}

#[cfg(not(any(unix, windows)))]
fn listen() -> io::Result<()> {
    let _ = came;
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn end_at_once(signal: Signal) -> ! {
    std::process::exit(signal.exit_code().into())
}
