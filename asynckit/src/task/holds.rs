//! Who holds a cell, in one word: who owns its value, who borrows it, who keeps its memory.
//!
//! However many there are, no count overflows: what is more than the word has room for is counted in a
//! table beside it.
//!
//! No memory is touched here: `handle.rs` has a type for each way to hold a cell, and acts on what
//! a release answers.

use crate::sync::{AtomicU64, Ordering};

/// Who holds a cell: owners of the value, borrowers of it, and references to the memory alone.
///
/// One word, so that the last owner and the last borrower can't miss each other.
pub(crate) struct Holds(AtomicU64);

/// A reference that keeps the memory: the queue's, a walker's.
const REFERENCE: u64 = 1;
/// The last owner waits until no borrower is left.
const MOVER: u64 = 1 << BITS;
/// A dependent that was lent the value, a clone under way, a callback.
const BORROW: u64 = MOVER << 1;
/// A handle, or a dependent that the value moves into.
const OWNER: u64 = BORROW << BITS;
const BORROWS: u64 = FIELD * BORROW;
const OWNERS: u64 = FIELD * OWNER;
/// Of this kind there are more than the word has, at the word's own count of at least one: the rest is
/// set aside (`aside`).
const MORE_REFERENCES: u64 = OWNER << BITS;
const MORE_BORROWS: u64 = MORE_REFERENCES << 1;
const MORE_OWNERS: u64 = MORE_BORROWS << 1;

/// How much room the word has for the count of each kind: for a million.
const BITS: u32 = 20;
const FIELD: u64 = (1 << BITS) - 1;
/// From so many on some are set aside: well before a count could run into its neighbour, as no more
/// threads than this can be in `add` at once.
const HIGH: u64 = 1 << (BITS - 1);
/// How many are set aside, or brought back, at a time.
const BATCH: u64 = HIGH / 2;

/// How many of a kind the word has.
fn count(word: u64, one: u64) -> u64 {
    (word / one) & FIELD
}

/// The mark that there are more of a kind.
fn more(one: u64) -> u64 {
    match one {
        REFERENCE => MORE_REFERENCES,
        BORROW => MORE_BORROWS,
        _ => MORE_OWNERS,
    }
}

/// Whether the word has the last one of a kind, and there are more.
fn is_short(word: u64, one: u64) -> bool {
    count(word, one) == 1 && word & more(one) != 0
}

/// What the last step of a holder left behind.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Left {
    /// Somebody still holds it.
    Held,
    /// The last owner waits for just this: the value is free to be taken.
    FreeToTake,
    /// No owner and no borrower is left, though somebody keeps the memory: the value is to be
    /// dropped. The caller has got a reference in place of its hold.
    Unowned,
    /// Nobody is left: the caller frees the cell.
    Nobody,
}

/// How a holder of an owner's right gets at the value.
#[must_use]
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Take {
    /// It is the last, and nobody borrows: it takes the value itself. (Of several owners that a
    /// task has, all but the last clone.)
    Itself,
    /// There are other owners: its right has become a borrow, to clone from.
    Clone,
    /// It is the last, but the value is lent.
    Lent,
}

impl Holds {
    /// For models: in the program it is memory for cells that is zero to begin with.
    #[cfg(asynckit_loom)]
    pub(crate) fn new(owners: u64, references: u64) -> Holds {
        Holds(AtomicU64::new(owners * OWNER + references * REFERENCE))
    }

    /// ORDERING: Relaxed for one more: whoever adds has a hold already, as with `Arc`.
    fn add(&self, one: u64) {
        let old = self.0.fetch_add(one, Ordering::Relaxed);
        if count(old, one) >= HIGH {
            self.set_aside(one);
        }
    }

    /// There are many of a kind: sets some aside, so that the word has room.
    #[cold]
    fn set_aside(&self, one: u64) {
        aside::change(self.address(), one, |aside| {
            let mut old = self.0.load(Ordering::Acquire);
            while count(old, one) >= HIGH {
                let new = (old - BATCH * one) | more(one);
                match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return aside + BATCH,
                    Err(now) => old = now,
                }
            }
            aside
        });
    }

    /// The word has the last one of a kind that there are more of: brings some back.
    #[cold]
    fn bring_back(&self, one: u64) {
        aside::change(self.address(), one, |aside| {
            let mut old = self.0.load(Ordering::Acquire);
            while is_short(old, one) {
                let some = aside.min(BATCH);
                let mark = if some == aside { more(one) } else { 0 };
                let new = (old + some * one) & !mark;
                match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return aside - some,
                    Err(now) => old = now,
                }
            }
            aside
        });
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Releases an owner or a borrow. Where the caller is left with something to do about the
    /// cell, its hold turns into a reference in the same step.
    ///
    /// ORDERING: AcqRel: all that a holder did with the cell comes before its release, and
    /// whoever frees, drops or takes next sees it. It acquires `wait_for_borrows`.
    fn release(&self, one: u64) -> Left {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if is_short(old, one) {
                self.bring_back(one);
                old = self.0.load(Ordering::Acquire);
                continue;
            }
            let rest = old - one;
            let (new, left) = if rest & (OWNERS | BORROWS) == 0 {
                // The wish of an owner who is gone is nobody's.
                match rest & !MOVER {
                    0 => (0, Left::Nobody),
                    references => (references + REFERENCE, Left::Unowned),
                }
            } else if rest & MOVER != 0 && rest & BORROWS == 0 {
                (rest - MOVER + REFERENCE, Left::FreeToTake)
            } else {
                (rest, Left::Held)
            };
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return left,
                Err(now) => old = now,
            }
        }
    }

    pub(crate) fn add_reference(&self) {
        self.add(REFERENCE);
    }

    pub(crate) fn add_owner(&self) {
        self.add(OWNER);
    }

    pub(crate) fn add_borrow(&self) {
        self.add(BORROW);
    }

    pub(crate) fn drop_reference(&self) -> Left {
        // ORDERING: Relaxed: where the mark is set later, the word has many.
        if self.0.load(Ordering::Relaxed) & MORE_REFERENCES != 0 {
            return self.drop_reference_of_many();
        }
        // ORDERING: AcqRel, as in `release`.
        if self.0.fetch_sub(REFERENCE, Ordering::AcqRel) == REFERENCE {
            Left::Nobody
        } else {
            Left::Held
        }
    }

    #[cold]
    fn drop_reference_of_many(&self) -> Left {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if is_short(old, REFERENCE) {
                self.bring_back(REFERENCE);
                old = self.0.load(Ordering::Acquire);
                continue;
            }
            let new = old - REFERENCE;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if new == 0 => return Left::Nobody,
                Ok(_) => return Left::Held,
                Err(now) => old = now,
            }
        }
    }

    pub(crate) fn drop_owner(&self) -> Left {
        self.release(OWNER)
    }

    /// Ends the only hold there is, an owner's: true where nobody else has any, so that the caller
    /// is alone with the cell.
    #[must_use]
    pub(crate) fn end_sole_owner(&self) -> bool {
        // ORDERING: AcqRel, as in `release`. A step, not a look, as a walker may come to hold the cell
        // (`try_add_reference`) as long as anybody does.
        self.0.compare_exchange(OWNER, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Releases the reference of whoever has closed the cell. Where no owner and no borrower is
    /// left, but somebody keeps the memory, the caller keeps its reference (`Left::Unowned`).
    pub(crate) fn drop_closers_reference(&self) -> Left {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            let rest = old - REFERENCE;
            if rest != 0 && rest & (OWNERS | BORROWS) == 0 {
                return Left::Unowned;
            }
            if is_short(old, REFERENCE) {
                self.bring_back(REFERENCE);
                old = self.0.load(Ordering::Acquire);
                continue;
            }
            // ORDERING: AcqRel, as in `release`: a holder who leaves later sees the cell closed.
            match self.0.compare_exchange_weak(old, rest, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if rest == 0 => return Left::Nobody,
                Ok(_) => return Left::Held,
                Err(now) => old = now,
            }
        }
    }

    /// A reference for somebody who has no hold; false where nobody has any (any more).
    #[must_use]
    pub(crate) fn try_add_reference(&self) -> bool {
        let mut old = self.0.load(Ordering::Relaxed);
        while old != 0 {
            let new = old + REFERENCE;
            // ORDERING: Acquire pairs with the Release in `begin`: the cell is all there.
            match self.0.compare_exchange_weak(old, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if count(old, REFERENCE) >= HIGH => {
                    self.set_aside(REFERENCE);
                    return true;
                }
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
        false
    }

    /// The first holds on a cell that is all there now, in memory that walkers may look at.
    pub(crate) fn begin(&self, owners: u64, references: u64) {
        // ORDERING: Release, see `try_add_reference`.
        self.0.store(owners * OWNER + references * REFERENCE, Ordering::Release);
    }

    pub(crate) fn drop_borrow(&self) -> Left {
        self.release(BORROW)
    }

    /// Settles how one owner gets at a value that is there.
    pub(crate) fn take(&self) -> Take {
        self.take_of(1, false)
    }

    /// As `take`, for a task that has several of the owners; `lent`: it also borrows, for as long
    /// as it runs, so that it can't have the value itself.
    pub(crate) fn take_of(&self, own: u64, lent: bool) -> Take {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if is_short(old, OWNER) {
                self.bring_back(OWNER);
                old = self.0.load(Ordering::Acquire);
                continue;
            }
            if !lent && self.owners(old) <= own {
                return if old & BORROWS == 0 { Take::Itself } else { Take::Lent };
            }
            let new = old - OWNER + BORROW;
            // ORDERING: AcqRel as in `release`: giving up ownership is a release.
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => old = now,
            }
        }
        if count(old, BORROW) >= HIGH {
            self.set_aside(BORROW);
        }
        Take::Clone
    }

    /// How many owners there are while the word is this one.
    fn owners(&self, word: u64) -> u64 {
        let some = count(word, OWNER);
        if word & MORE_OWNERS == 0 { some } else { some + aside::count(self.address(), OWNER) }
    }

    /// The last owner asks to be told when nobody borrows any more; false where nobody does.
    #[must_use]
    pub(crate) fn wait_for_borrows(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & BORROWS == 0 {
                return false;
            }
            // ORDERING: Release publishes whom to tell (the waiters' word) to the last borrower,
            // which acquires it by `remove`.
            let new = old | MOVER;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// The last owner no longer waits. False where the last borrower was quicker: it tells, or
    /// has told, that the value is free.
    #[must_use]
    pub(crate) fn stop_waiting(&self) -> bool {
        let mut old = self.0.load(Ordering::Acquire);
        loop {
            if old & MOVER == 0 {
                return false;
            }
            let new = old & !MOVER;
            match self.0.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    pub(crate) fn is_lent(&self) -> bool {
        self.0.load(Ordering::Acquire) & BORROWS != 0
    }

    /// Whether this is the only owner, and nobody borrows.
    pub(crate) fn is_sole(&self) -> bool {
        let now = self.0.load(Ordering::Acquire);
        now & (OWNERS | MORE_OWNERS | BORROWS) == OWNER
    }

    /// Whether any owner or borrower is left.
    pub(crate) fn is_owned(&self) -> bool {
        // ORDERING: a read-modify-write, so that it and the last holder's release come one after
        // the other: that release either shows here, or sees all that came before this.
        self.0.fetch_add(0, Ordering::AcqRel) & (OWNERS | BORROWS) != 0
    }
}

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let now = self.0.load(Ordering::Acquire);
        let [references, borrows, owners] = [REFERENCE, BORROW, OWNER].map(|one| {
            let aside = if now & more(one) == 0 { 0 } else { aside::count(self.address(), one) };
            count(now, one) + aside
        });
        write!(f, "{owners} owners, {borrows} borrows, {references} references")
    }
}

/// What the words of cells have no room for, by their addresses. Few cells ever have so many holders.
mod aside {
    use std::collections::HashMap;

    use crate::sync::{Mutex, give_up, lock};

    type Table = HashMap<(usize, u64), u64>;
    static TABLE: Mutex<Option<Table>> = Mutex::new(None);

    pub(super) fn count(address: usize, one: u64) -> u64 {
        let table = lock(&TABLE);
        table.as_ref().and_then(|table| table.get(&(address, one))).copied().unwrap_or(0)
    }

    /// Changes a count by what it was, under the lock.
    pub(super) fn change(address: usize, one: u64, change: impl FnOnce(u64) -> u64) {
        let mut table = lock(&TABLE);
        let table = table.get_or_insert_default();
        let before = table.get(&(address, one)).copied().unwrap_or(0);
        match change(before) {
            0 => drop(table.remove(&(address, one))),
            many if many > u64::MAX / 2 => give_up("one result has too many handles or dependents"),
            now => drop(table.insert((address, one), now)),
        }
    }
}

#[cfg(all(test, not(asynckit_loom)))]
mod tests {
    use super::*;

    const MANY: u64 = HIGH + 2 * BATCH + 3;

    fn of_one_owner() -> Holds {
        let holds = Holds(AtomicU64::new(0));
        holds.begin(1, 1);
        holds
    }

    #[test]
    fn as_many_owners_as_there_are() {
        let holds = of_one_owner();
        (1..MANY).for_each(|_| holds.add_owner());
        assert!(!holds.is_sole() && holds.is_owned() && !holds.is_lent());
        assert_eq!(holds.take_of(MANY, false), Take::Itself);
        assert_eq!(holds.take_of(MANY - 1, false), Take::Clone);
        assert_eq!(holds.drop_borrow(), Left::Held);
        (2..MANY).for_each(|_| assert_eq!(holds.drop_owner(), Left::Held));
        assert!(holds.is_sole());
        assert_eq!(holds.drop_owner(), Left::Unowned);
        assert_eq!(holds.drop_reference(), Left::Held);
        assert_eq!(holds.drop_reference(), Left::Nobody);
    }

    #[test]
    fn as_many_borrows_and_references() {
        let holds = of_one_owner();
        (0..MANY).for_each(|_| {
            holds.add_borrow();
            holds.add_reference();
            assert!(holds.try_add_reference());
        });
        assert_eq!(holds.take(), Take::Lent);
        assert!(holds.wait_for_borrows());
        (1..MANY).for_each(|_| {
            assert_eq!(holds.drop_borrow(), Left::Held);
            assert_eq!(holds.drop_reference(), Left::Held);
            assert_eq!(holds.drop_closers_reference(), Left::Held);
        });
        assert_eq!(holds.drop_borrow(), Left::FreeToTake);
        assert_eq!(holds.drop_owner(), Left::Unowned);
        assert_eq!(holds.drop_closers_reference(), Left::Unowned);
        (0..4).for_each(|_| assert_eq!(holds.drop_reference(), Left::Held));
        assert_eq!(holds.drop_reference(), Left::Nobody);
    }

    #[test]
    fn owners_that_clone() {
        let holds = of_one_owner();
        (1..MANY).for_each(|_| holds.add_owner());
        (1..MANY).for_each(|_| assert_eq!(holds.take(), Take::Clone));
        assert_eq!(holds.take(), Take::Lent);
        (1..MANY).for_each(|_| assert_eq!(holds.drop_borrow(), Left::Held));
        assert_eq!(holds.take(), Take::Itself);
        assert!(holds.drop_reference() == Left::Held && holds.end_sole_owner());
    }

    #[test]
    fn from_several_threads() {
        let holds = of_one_owner();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2 {
                        (0..BATCH).for_each(|_| holds.add_owner());
                        (0..BATCH).for_each(|_| assert_eq!(holds.drop_owner(), Left::Held));
                    }
                });
            }
        });
        assert!(holds.is_sole());
    }
}
