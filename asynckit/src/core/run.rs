//! Running a claimed task, and what follows from how its run ended.

use super::cell::{self, CellPtr, Header, News, Ran, Run};
use super::complete;
use super::edge::Link;
use super::entry::Entry;
use super::fail;
use super::frame;
use super::news;
use super::schedule::{QueuedOnly, Schedule, ToHomes};
use super::state::Suspend;
use super::trampoline::{self, Step};
use super::wish;
use crate::error::Error;
use crate::observe::OneMoment;
use crate::panic;
use crate::sync::weakened;

/// Runs a claimed task.
///
/// # Safety
/// The caller has the claim; the task's home, if any, is alive meanwhile.
#[inline]
pub(super) unsafe fn run_claimed(task: CellPtr, to: &mut impl Schedule) {
    // SAFETY: the caller's promise; an open task is alive.
    unsafe {
        if task.as_ref().state.has_news() {
            return run_told(task, to);
        }
        run_plain(task, to);
    }
}

/// As `run_claimed`, of a task that nobody is told of.
///
/// # Safety
/// As `run_claimed`.
#[inline(always)]
pub(super) unsafe fn run_plain(task: CellPtr, to: &mut impl Schedule) {
    // SAFETY: the caller's promise.
    unsafe {
        match run(task, Run::Plain) {
            Ran::Value => complete::close_with_value(task, to),
            ran => end(task, ran, to),
        }
    }
}

/// Does a task on the spot, as a step of the trampoline, where nobody has claimed it before.
///
/// # Safety
/// The caller has its entry, or its claim (`claimed`), and the home has counted this.
pub(super) unsafe fn on_the_spot(task: *mut (), claimed: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let task = CellPtr::new_unchecked(task.cast());
        let home = task.as_ref().home();
        if claimed != 0 || complete::claim(task) {
            run_claimed(task, &mut ToHomes);
        }
        if !home.is_null() {
            ((*home).table.met)(home);
        }
    }
}

/// # Safety
/// As `run_claimed`.
#[inline]
unsafe fn run(task: CellPtr, how: Run) -> Ran {
    // SAFETY: the claim keeps the task open; the table's functions are for its types.
    unsafe {
        let run = task.as_ref().table().run;
        match frame::within(task, false, || panic::catch(|| run(task, how))) {
            Ok(ran) => ran,
            Err(payload) => panicked(task, payload),
        }
    }
}

/// # Safety
/// As `run_claimed`.
#[cold]
unsafe fn panicked(task: CellPtr, payload: panic::Payload) -> Ran {
    // SAFETY: the claim keeps the task, and the caller its home.
    let (hop, hook) = unsafe { (task.as_ref().hop, frame::hook_of(task)) };
    Ran::Failed(Error::panicked(hop, payload, hook))
}

/// As `run_claimed`, and those who look on are told, or its home is told when it is over.
///
/// # Safety
/// As `run_claimed`.
#[cold]
#[inline(never)]
unsafe fn run_told(task: CellPtr, to: &mut impl Schedule) {
    // SAFETY: the caller's promise; until it waits, or is closed, the task is open.
    unsafe {
        let header = task.as_ref();
        let Some(told) = news::told(header) else { return run_hooked(task, to) };
        // Before it is told that it begins: once it does, it calls foreign code.
        if header.table().moves && !wish::loans_are_over(task) {
            return;
        }
        let how = told_as(header);
        if how == Run::Told {
            told.begins(to.came_at_once());
        }
        let ran = run(task, how);
        // What becomes ready by its end does so when it ends.
        let _moment = OneMoment::begin();
        if let Ran::Value = ran {
            told.ends(None, header.outcome.is_closed());
            return complete::close_with_value(task, to);
        }
        tell_ran(task, &ran);
        end(task, ran, to);
    }
}

/// How a task is run whose beginning is told: nothing of what is done on the spot is.
fn told_as(task: &Header) -> Run {
    if task.is_immediate() { Run::Plain } else { Run::Told }
}

/// Tells how a run came out; whether the task is over.
///
/// # Safety
/// The caller has run it.
#[cold]
unsafe fn tell_ran(task: CellPtr, ran: &Ran) -> bool {
    // SAFETY: the caller's promise: it has the claim.
    unsafe {
        match ran {
            Ran::Value | Ran::ValueFirst | Ran::Over => news::tell(task, &News::Ends(None)),
            Ran::Failed(error) | Ran::OverFailed(error) => {
                news::tell(task, &News::Ends(Some(error)));
            }
            Ran::Waits | Ran::WaitsLast | Ran::Pending => {
                news::waits(task);
                return false;
            }
            Ran::Lent => return false,
        }
        true
    }
}

/// As `run_claimed`, and its home is told when it is over.
///
/// # Safety
/// As `run_claimed`.
unsafe fn run_hooked(task: CellPtr, to: &mut impl Schedule) {
    /// # Safety
    /// As `fail::over_step`.
    unsafe fn over_last(task: *mut (), _: usize) {
        // SAFETY: the caller's promise.
        trampoline::defer_last(unsafe { Step::new(fail::over_step, task, 0) });
    }
    // SAFETY: the caller's promise.
    unsafe {
        task.as_ref().holds.add_ref();
        // Before it is told that it begins: once it does, it calls foreign code.
        if !wish::loans_are_over(task) {
            return cell::drop_ref(task);
        }
        news::tell(task, &News::Begins { then: false });
        let ran = run(task, told_as(task.as_ref()));
        let is_over = tell_ran(task, &ran);
        end(task, ran, to);
        if is_over {
            // After all that its end led to on this thread: when what is queued now is done.
            trampoline::defer(Step::new(over_last, task.as_ptr().cast(), 0));
        } else {
            cell::drop_ref(task);
        }
    }
}

/// What follows a run, beside the plain way.
///
/// # Safety
/// The caller has run the task so.
#[cold]
#[inline(never)]
unsafe fn end(task: CellPtr, ran: Ran, to: &mut impl Schedule) {
    // SAFETY: the caller's promise.
    unsafe {
        match ran {
            Ran::Value => complete::close_with_value(task, to),
            // What is ready then is for whoever comes: a drop may take its time.
            Ran::ValueFirst => {
                complete::close_with_value(task, &mut QueuedOnly(to));
                trampoline::run_queued();
            }
            Ran::Failed(error) => trampoline::hold_back(|| {
                let _ = fail::close_with_failure(task, error);
            }),
            // Dependents need not wait for what is dropped.
            ran @ (Ran::Over | Ran::OverFailed(_)) => {
                close_over(task, ran, &mut QueuedOnly(to));
                trampoline::dispose(Step::new(drop_rest, task.as_ptr().cast(), 0));
            }
            Ran::Lent => {}
            Ran::Waits | Ran::WaitsLast => {
                wait_again(task, matches!(ran, Ran::WaitsLast), to);
                // What was lent to the call may be to be dropped.
                trampoline::run_queued();
            }
            Ran::Pending => suspend(task),
        }
    }
}

/// Closes a task that has a job left, and adds a reference for its drop.
///
/// # Safety
/// As `end`.
unsafe fn close_over(task: CellPtr, ran: Ran, to: &mut impl Schedule) {
    // SAFETY: the caller's promise.
    unsafe {
        task.as_ref().holds.add_ref();
        if let Ran::OverFailed(error) = ran {
            let _ = fail::close_with_failure(task, error);
        } else {
            complete::close_with_value(task, to);
        }
    }
}

/// Drops what a run has left of a job.
///
/// # Safety
/// The task is over, and the caller gives a reference away.
unsafe fn drop_rest(task: *mut (), _: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let task = CellPtr::new_unchecked(task.cast());
        let table = task.as_ref().table();
        (table.drop_job)(task, false);
        (table.drop_edges)(task);
        cell::drop_ref(task);
    }
}

/// Ties a task that has begun to the result that its work returned.
///
/// # Safety
/// As `end`.
unsafe fn wait_again(task: CellPtr, last: bool, to: &mut impl Schedule) {
    // SAFETY: the caller's promise; the reference keeps the task, which others may end when it waits. Nobody
    // seizes it during the visit.
    unsafe {
        let header = task.as_ref();
        let home = header.home();
        header.holds.add_ref();
        header.state.begin_wait(last);
        let mut link = Link::There;
        (header.table().edges)(task, &mut |edge| {
            // Those that were used may be shown, too.
            if edge.is_open() {
                link = edge.link(task, home);
            }
        });
        header.state.unvisit();
        if link != Link::Pending {
            match to.room() {
                0 => complete::arrive_alone(task, &mut ToHomes),
                _ => complete::arrive_alone(task, to),
            }
        }
        if !home.is_null() {
            ((*home).table.sleeps)(home, task, false);
        }
        if !weakened("waits again") {
            fail::give_up_sleeper(task);
        }
        cell::drop_ref(task);
    }
}

/// Puts a task to sleep until its waker is called.
///
/// # Safety
/// As `end`.
unsafe fn suspend(task: CellPtr) {
    // SAFETY: the caller's promise: the task has run, and is its until it sleeps. From then on its waker may have it run
    // and end it: the reference keeps the memory meanwhile, and the home is alive as long as the caller has it run.
    unsafe {
        let header = task.as_ref();
        let home = header.home();
        header.holds.add_ref();
        match header.state.suspend() {
            Suspend::Sleeps => {
                if !home.is_null() {
                    ((*home).table.sleeps)(home, task, true);
                }
                if !weakened("sleeper") {
                    fail::give_up_sleeper(task);
                }
            }
            // Behind the others, so that one that wakes itself again and again leaves them their turn.
            Suspend::WokenAgain => {
                if header.outcome.is_closed() {
                    // Nor is it polled in vain for ever, where it always does so.
                    fail::give_up_sleeper(task);
                }
                ((*home).table.queue)(home, task);
            }
        }
        cell::drop_ref(task);
    }
}

/// Gives the claim of a task back that has not begun, and queues it: what comes next on this thread may take its time.
///
/// # Safety
/// The caller has the claim, and the task's home is alive.
#[cold]
pub(super) unsafe fn put_back(task: CellPtr) {
    // SAFETY: the caller's promise. Once the claim is given back anybody may run the task and end it: the reference keeps
    // the memory until this is done with it.
    unsafe {
        let header = task.as_ref();
        header.holds.add_ref();
        header.state.release();
        // Who has given it up meanwhile has left it to who has the claim.
        fail::give_up_sleeper(task);
        ToHomes.ready(Entry::new(task));
        cell::drop_ref(task);
    }
}

/// How a run in place came out.
#[must_use]
pub(crate) enum RanHere {
    /// The outcome is there.
    Over,
    /// The work has returned a result, which is to be there before it is run again.
    Again,
}

/// Runs work that was not submitted, on this thread, as a part of what that does.
///
/// # Safety
/// The caller has claimed it, and its inputs are there.
pub(super) unsafe fn run_in_place(task: CellPtr) -> RanHere {
    // SAFETY: the caller's promise.
    unsafe {
        let run = task.as_ref().table().run;
        let ran = frame::within(task, true, || panic::catch(|| run(task, Run::InPlace)));
        let ran = ran.unwrap_or_else(|payload| panicked(task, payload));
        match ran {
            Ran::Waits | Ran::WaitsLast => {
                trampoline::run_queued();
                RanHere::Again
            }
            Ran::Lent | Ran::Pending => unreachable!("work in place ends in an outcome"),
            // At once, whatever step is under way below: what it borrows is its caller's own.
            ran @ (Ran::Over | Ran::OverFailed(_)) => {
                close_over(task, ran, &mut ToHomes);
                drop_rest(task.as_ptr().cast(), 0);
                RanHere::Over
            }
            ran => {
                end(task, ran, &mut ToHomes);
                RanHere::Over
            }
        }
    }
}
