//! Tests of the core by itself, in a small home of their own: `support.rs` has it.

mod clones;
mod homes;
mod lists;
mod loans;
mod memory;
mod panics;
mod stress;
mod support;
mod values;
mod watching;
