//! What other threads do for the builders: the *courier* sets results and never blocks, the *getter*
//! waits for them.

use std::thread;
use std::time::Duration;

use asynckit::{AsyncResult, Setter};
use crossbeam_channel::{Receiver, TryRecvError};

use crate::expected::{Mercy, Node};
use crate::looks::look;
use crate::random::Random;
use crate::tally::{Broken, Value};
use crate::watch;

pub enum Errand {
    Set(Setter<Value>, u64),
    SetByHand(AsyncResult<Value>, u64),
    Fail(Setter<Value>, u64),
    Abandon(Setter<Value>),
    Drop(AsyncResult<Value>),
}

/// Does the errands in an order of its own, but each soon.
pub fn courier(errands: &Receiver<Errand>, mut random: Random) {
    let mut bag = Vec::new();
    loop {
        match errands.try_recv() {
            Ok(errand) if bag.len() < 16 => bag.push(errand),
            Ok(errand) => {
                let place = random.below(bag.len());
                run(std::mem::replace(&mut bag[place], errand));
            }
            Err(TryRecvError::Empty) if bag.is_empty() => nap(),
            Err(TryRecvError::Empty) => {
                let place = random.below(bag.len());
                run(bag.swap_remove(place));
                nap();
            }
            Err(TryRecvError::Disconnected) => break,
        }
    }
    bag.into_iter().for_each(run);
}

/// Instead of a receive that blocks, which would take a lock out of ThreadSanitizer's sight.
fn nap() {
    thread::sleep(Duration::from_micros(50));
}

/// Setting may come too late only where somebody has cancelled the result.
fn run(errand: Errand) {
    watch::progress();
    match errand {
        Errand::Set(setter, number) => drop(setter.set(Value::new(number))),
        Errand::SetByHand(result, number) => drop(result.set(Value::new(number))),
        Errand::Fail(setter, number) => drop(setter.fail(Broken(number))),
        Errand::Abandon(setter) => drop(setter),
        Errand::Drop(result) => drop(result),
    }
}

/// Waits for results, one after the other.
pub fn getter(slot: usize, nodes: &Receiver<Node>, mercy: Mercy, mut random: Random) {
    loop {
        match nodes.try_recv() {
            Ok(node) => {
                watch::doing(slot, "getting");
                look(node, mercy, &mut random);
                watch::doing(slot, "");
            }
            Err(TryRecvError::Empty) => nap(),
            Err(TryRecvError::Disconnected) => return,
        }
    }
}
