//! Tests of the core by itself, in a small home of their own: `support.rs` has it.

mod loans;
mod support;
mod values;
