//! loom models of what a pool's threads have to agree on: every interleaving of a few threads that run the real code,
//! from the submission to the thread's end. `core/models.rs` has the manner, and the command.
//!
//! Its workers are loom's threads, and so are those that a model starts. A wake-up that is lost leaves a thread that
//! sleeps for ever, which loom sees, as no time passes. `each_is_caught_when_weakened` runs each model once more for
//! each place in the code that it guards, with that weakened.

mod block;
mod help;
mod hosted;
mod sleep;
mod stop;
mod wait;
mod world;

use crate::sync::loom::not_caught;

/// What each model guards, and fails without: the names are those of `sync::weakened` in the code.
const GUARDS: &[(&str, &str)] = &[
    ("sleep::the_unseen_task", "light"),
    ("sleep::the_unseen_task", "publish"),
    ("sleep::the_unseen_task", "look"),
    ("sleep::the_unseen_task", "look again"),
    ("sleep::the_unseen_task_where_all_fence", "call"),
    ("sleep::the_woken_calls_the_next", "calls the next"),
    ("sleep::the_woken_calls_the_next", "end of search"),
    ("sleep::what_is_on_its_way", "on its way"),
    ("wait::what_is_put_back", "put back"),
    ("block::a_call_that_blocks", "blocking"),
    ("block::a_wait", "wait"),
    ("block::a_worker_that_leaves_while_another_one_sleeps", "reserve look"),
    ("hosted::a_worker_that_goes_home", "last look"),
    ("help::a_thread_that_sleeps_at_two_pools", "others' queues"),
    ("help::a_thread_that_sleeps_at_two_pools", "woken elsewhere"),
    ("help::the_last_worker_leaves", "rouse"),
    ("stop::the_late_submission", "light"),
    ("stop::the_late_submission", "late submission"),
    ("stop::the_late_submission", "close"),
    ("stop::the_late_task", "late task"),
    ("stop::what_a_root_leads_to", "news"),
    ("stop::a_root_in_another_pool", "counted"),
    ("stop::a_root_in_another_pool", "counted in between"),
    ("stop::a_root_in_another_pool", "gives way"),
    ("stop::the_last_one_to_go", "quiet"),
    ("stop::the_last_one_leaves", "quiet as it leaves"),
];

#[test]
fn each_is_caught_when_weakened() {
    let missed = not_caught("pool::models", GUARDS);
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
