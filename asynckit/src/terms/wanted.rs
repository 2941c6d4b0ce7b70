//! What work needs to begin: permits of a limit, or a turn by a rate.

use crate::sync::Arc;
use crate::terms::permits::Permits;
#[cfg(feature = "rate")]
use crate::terms::rates::Rates;
use crate::terms::timers::Timers;

/// In whose line work stands, and how much it takes.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) whose: Whose,
    pub(crate) weight: usize,
}

#[derive(Clone)]
pub(crate) enum Whose {
    Limit(Arc<Permits>),
    #[cfg(feature = "rate")]
    Rate(Arc<Rates>),
}

impl Wanted {
    /// The line to stand in, for work that is timed by these timers.
    pub(crate) fn line(&self, _timers: impl FnOnce() -> Arc<Timers>) -> Arc<Permits> {
        match &self.whose {
            Whose::Limit(permits) => permits.clone(),
            #[cfg(feature = "rate")]
            Whose::Rate(rates) => rates.line(&_timers()),
        }
    }

    /// Why work that wants this could never begin, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        let weight = self.weight;
        let (most, at, what) = match &self.whose {
            Whose::Limit(permits) => (permits.facts().most, permits.facts().made_at, "a limit"),
            #[cfg(feature = "rate")]
            Whose::Rate(rates) => (rates.pace().most(), rates.made_at(), "a rate with a burst"),
        };
        (weight > most).then(|| {
            format!(
                "takes {weight} of {what} of {most} ({}:{}), and could never begin: take at most {most}, or make that \
                 larger",
                at.file(),
                at.line()
            )
        })
    }
}
