//! Where failures began, and all that was skipped for them.

use std::collections::BTreeMap;

use crate::model::{Failure, Model, State};

/// Fills in the model's failures. Of the messages there is one for each task that failed by itself.
pub(super) fn find(model: &mut Model, messages: &BTreeMap<u32, (String, String)>) {
    let mut failures: Vec<Failure> = Vec::new();
    // The failure that each task has, if it has one.
    let mut of: Vec<Option<usize>> = vec![None; model.tasks.len()];
    for i in model.numbers() {
        let state = model.task(i).state;
        let handed_on = model
            .inputs(i)
            .iter()
            .copied()
            .filter(|&input| of[input as usize].is_some())
            .min_by_key(|&input| model.task(input).end);
        let from = handed_on.filter(|_| model.task(i).row.is_none() && state != State::Done);
        if let Some(input) = from {
            let failure = of[input as usize];
            of[i as usize] = failure;
            failures[failure.unwrap_or(0)].skipped.push(i);
            model.tasks[i as usize].state = State::Skipped;
            continue;
        }
        if state.is_failure() || state == State::Skipped {
            let (kind, message) = messages.get(&i).cloned().unwrap_or_else(|| unknown(state));
            of[i as usize] = Some(failures.len());
            failures.push(Failure { task: i, kind, message, skipped: Vec::new() });
        }
    }
    model.failures = failures;
}

/// What is said of a task that has failed without a word of its own.
fn unknown(state: State) -> (String, String) {
    let message = match state {
        State::Skipped => {
            "what it needed failed elsewhere: in a result that the program set, or before the recording"
        }
        State::TimedOut => "its time was over before it began",
        _ => "",
    };
    (state.word().to_owned(), message.to_owned())
}
