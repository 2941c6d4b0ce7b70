//! Results that the program sets.

use std::marker::PhantomData;

use super::super::cell::{self, CellKind, CellPtr, Table, drop_of, room_of};
use super::super::handle::{Owner, Setting};
use super::super::run;
use super::super::state::{State, Traits};
use crate::error::Hop;
use crate::observe::TaskKind;

struct TableByHand<T>(PhantomData<T>);

impl<T> TableByHand<T> {
    const TABLE: Table = Table {
        run: |_, _| unreachable!("a result without work was run"),
        on_the_spot: run::on_the_spot,
        drop_job: |_, _| (),
        drop_edges: |_| (),
        edges: |_, _| (),
        loans: |_, _| (),
        withdraw: |_, _| (),
        awaited: |_, _| false,
        fail_await: |_, _| (),
        failed: |_, _, _| (),
        drop_value: drop_of::<T>(),
        room: room_of::<T, ()>(),
        moves: false,
        kind: CellKind::ByHand,
        shown_as: TaskKind::Gather,
    };
}

fn by_hand<T>(hop: Hop, traits: Traits) -> CellPtr {
    let state = State::lacking_one(traits);
    // SAFETY: the table is for these types; there is no home to be hooked to.
    unsafe { cell::make::<T, ()>(&TableByHand::<T>::TABLE, std::ptr::null(), hop, state, (), None) }
}

/// A result that any of its handles may set.
pub(crate) fn manual<T>(hop: Hop) -> Owner<T> {
    // SAFETY: the cell was made just now; its state counts one handle.
    unsafe { Owner::setting(by_hand::<T>(hop, Traits::PLAIN)) }
}

/// A result that one other may set.
pub(crate) fn channel<T>(hop: Hop) -> (Owner<T>, Setting<T>) {
    channel_of(Traits::PLAIN, hop)
}

/// Likewise, for a value with these traits.
pub(crate) fn channel_of<T>(traits: Traits, hop: Hop) -> (Owner<T>, Setting<T>) {
    // SAFETY: the cell was made just now.
    unsafe {
        let owner = Owner::new(by_hand::<T>(hop, traits));
        let setting = Setting::new(owner.reference());
        (owner, setting)
    }
}
