//! loom models: every interleaving of a few threads that run the real code.
//!
//! `RUSTFLAGS="--cfg asynckit_loom" cargo test --target-dir target/loom -p asynckit --lib --release models`
//!
//! A value here is a `Part`, of which loom sees who reads and who ends it; edges are watched likewise; and memory
//! that was given back is never used again, but filled with what no atomic can be. `each_is_caught_when_weakened`
//! runs each model once more for each place in the code that it guards, with that weakened.

mod jobs;
mod ready;
mod values;
mod world;

use crate::sync::loom::not_caught;

/// What each model guards, and fails without: the names are those of `sync::weakened` in the code.
const GUARDS: &[(&str, &str)] = &[
    ("ready::two_inputs_and_the_tying", "arrive"),
    ("ready::the_only_input_and_the_tying", "push"),
    ("values::a_reader_and_the_set", "close"),
    ("ready::a_claim_and_a_cancel", "claim"),
    ("ready::a_seizer_and_edges", "seizer"),
    ("ready::the_last_owner_and_two_failures", "only"),
    ("values::the_last_of_owners_and_loans", "release"),
    ("values::the_last_of_owners_and_loans", "alone"),
    ("values::the_last_loan_and_a_task_that_waits_for_it", "wish"),
    ("values::a_wish_after_a_wish", "slow teller"),
    ("jobs::the_cancelled_sleeper", "sleeper"),
    ("values::an_observer_and_the_set", "observe"),
    ("values::the_clone_in_the_way", "clone in the way"),
    ("ready::a_sweep_and_the_end_of_a_home", "lists"),
    ("ready::two_deaths_and_their_sweeps", "swept too late"),
    ("ready::a_failure_and_the_tying", "tying"),
    ("ready::the_claim_with_the_last_input_and_a_cancel", "arrive and claim"),
    ("values::a_take_and_a_handle_that_reads", "take"),
    ("jobs::the_late_look", "late look"),
    ("jobs::the_late_look", "looked"),
    ("jobs::the_cancelled_sleeper", "change"),
    ("jobs::a_cancel_and_a_job_that_waits_again", "waits again"),
];

#[test]
fn each_is_caught_when_weakened() {
    let missed = not_caught("core::models", GUARDS);
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
