//! What there is to be had of a limit: permits, or turns that come with time.

use std::time::Duration;

#[cfg(feature = "jobserver")]
use crate::terms::slots::Slots;
#[cfg(feature = "rate")]
use crate::terms::turns::Turns;

pub(crate) enum Supply {
    /// So many permits are free.
    Permits(usize),
    #[cfg(feature = "rate")]
    Turns(Turns),
    #[cfg(feature = "jobserver")]
    Slots(Slots),
}

impl Supply {
    /// Takes so many; or tells how long it is until they are there, where time brings them.
    pub(crate) fn take(&mut self, weight: usize) -> Result<(), Option<Duration>> {
        match self {
            Supply::Permits(free) => {
                *free = free.checked_sub(weight).ok_or(None)?;
                Ok(())
            }
            #[cfg(feature = "rate")]
            Supply::Turns(turns) => turns.take(weight).map_err(Some),
            #[cfg(feature = "jobserver")]
            Supply::Slots(slots) => slots.take(weight).then_some(()).ok_or(None),
        }
    }

    /// These have come back. Turns don't.
    pub(crate) fn give_back(&mut self, weight: usize) {
        match self {
            Supply::Permits(free) => *free += weight,
            #[cfg(feature = "rate")]
            Supply::Turns(_) => {}
            #[cfg(feature = "jobserver")]
            Supply::Slots(slots) => slots.give_back(weight),
        }
    }

    /// What was taken at once comes back in one part more.
    pub(crate) fn split(&mut self) {
        #[cfg(feature = "jobserver")]
        if let Supply::Slots(slots) = self {
            slots.split();
        }
    }

    /// Another one of the same kind.
    pub(crate) fn alike(&self, most: usize) -> Supply {
        match self {
            #[cfg(feature = "jobserver")]
            Supply::Slots(slots) => Supply::Slots(slots.alike()),
            _ => Supply::Permits(most),
        }
    }

    /// Whether they come back.
    pub(crate) fn comes_back(&self) -> bool {
        match self {
            #[cfg(feature = "rate")]
            Supply::Turns(_) => false,
            _ => true,
        }
    }

    /// Has this called after a while, and not what was to be called before.
    pub(crate) fn call_after(&mut self, _wait: Duration, _call: impl FnOnce() + Send + 'static) {
        #[cfg(feature = "rate")]
        if let Supply::Turns(turns) = self {
            turns.call_after(_wait, _call);
        }
    }

    /// Nobody stands in line any more.
    pub(crate) fn call_off(&mut self) {
        #[cfg(feature = "jobserver")]
        if let Supply::Slots(slots) = self {
            slots.give_rest_back();
        }
        #[cfg(feature = "rate")]
        if let Supply::Turns(turns) = self {
            turns.call_off();
        }
    }
}
