//! A fence of which one side is cheap: the frequent one only keeps the compiler from reordering, and the
//! rare one has every thread of the process fence, by `membarrier` where the system has it.
//!
//! Two threads that each write one thing and then look at the other's, with a fence in between, can't
//! both miss what the other wrote. Where the system has no `membarrier`, both sides fence.
//!
//! loom knows no fence of one thread for another: in its models the frequent side fences itself. That orders what two
//! threads do on that side as well, which the real one does not.

use std::time::Duration;

use crate::sync::{AtomicU8, Ordering, fence};

/// Whether the frequent side has to fence by itself.
static MODE: ModeWord = ModeWord::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const LIGHT: u8 = 1;
const FULL: u8 = 2;
/// The system does it no more, as where a program has shut itself in: both sides fence, and it may be that one who took
/// the mode for light has not.
const LOST: u8 = 3;

/// So long, and what a thread has stored is seen by all others: its processor keeps it for nanoseconds.
const SEEN: Duration = Duration::from_millis(1);

#[cfg(asynckit_loom)]
type ModeWord = std::sync::atomic::AtomicU8;
#[cfg(not(asynckit_loom))]
type ModeWord = AtomicU8;
#[cfg(asynckit_loom)]
const _: fn(AtomicU8) = |_| ();

/// The frequent side.
#[inline]
pub(crate) fn light() {
    // Most models have nobody on the other side, and a fence would hide what they are to find.
    if !crate::sync::fences() {
        return;
    }
    if MODE.load(Ordering::Relaxed) != LIGHT {
        return full();
    }
    compiler();
}

/// The frequent side, where it is known to be light (`is_light`).
#[inline(always)]
pub(crate) fn compiler() {
    #[cfg(asynckit_loom)]
    if is_light() && !crate::sync::weakened("light") {
        fence(Ordering::SeqCst);
    }
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
}

/// Whether the frequent side has only to keep the compiler from reordering.
pub(crate) fn is_light() -> bool {
    if cfg!(asynckit_loom) {
        return crate::sync::fences_are_light();
    }
    if MODE.load(Ordering::Relaxed) == UNKNOWN {
        let mode = if barrier::register() { LIGHT } else { FULL };
        MODE.store(mode, Ordering::SeqCst);
    }
    MODE.load(Ordering::Relaxed) == LIGHT
}

#[cold]
#[inline(never)]
fn full() {
    is_light();
    // ORDERING: SeqCst, as the partner may have seen that it has to fence for itself alone.
    fence(Ordering::SeqCst);
}

/// The rare side.
#[cold]
#[inline(never)]
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    if is_light() && !barrier::call() {
        MODE.store(LOST, Ordering::SeqCst);
    }
    if MODE.load(Ordering::Relaxed) == LOST {
        std::thread::sleep(SEEN);
    }
    fence(Ordering::SeqCst);
}

#[cfg(all(target_os = "linux", not(asynckit_loom), not(asynckit_tsan), not(miri)))]
mod barrier {
    // linux/membarrier.h
    const QUERY: i32 = 0;
    const EXPEDITED: i32 = 1 << 3;
    const REGISTER: i32 = 1 << 4;

    fn command(command: i32) -> i64 {
        // SAFETY: the call changes no memory of the program's.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) as i64 }
    }

    /// Registers the process; whether it may call.
    pub(super) fn register() -> bool {
        let both = i64::from(EXPEDITED | REGISTER);
        let known = command(QUERY);
        known > 0 && known & both == both && command(REGISTER) == 0
    }

    /// When it returns true, each thread of the process has fenced.
    pub(super) fn call() -> bool {
        command(EXPEDITED) == 0
    }
}

#[cfg(not(all(target_os = "linux", not(asynckit_loom), not(asynckit_tsan), not(miri))))]
mod barrier {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn call() -> bool {
        true
    }
}
