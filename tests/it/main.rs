//! The promises of asynckit, a module a behaviour, through the public API only.

mod support;

mod async_on_a_pool;
mod auto_traits;
mod callbacks_that_wait;
mod cancelling;
mod chain_async;
mod chain_ends;
mod chain_language;
mod chain_rules;
mod contract;
mod deadlocks;
mod download;
mod failures;
mod failures_unobserved;
mod long_chains;
mod pool_basics;
mod pool_capacity;
mod pool_drop;
mod pool_fairness;
mod pool_resize;
mod pool_stop;
mod pool_stop_in_time;
mod pool_zero_workers;
mod result_await;
mod result_callbacks;
mod result_many;
mod result_ownership;
mod result_set;
mod result_waiting;
mod scope;
mod scope_drops;
mod stress;
mod waiting_inside_work;
mod work_forms;
mod work_rules;
