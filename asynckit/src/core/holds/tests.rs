//! The word alone, with more holders than it has room for.

use super::cloning::Begun;
use super::*;

const MANY: u64 = HIGH + 2 * BATCH + 3;

#[test]
fn as_many_owners_as_there_are() {
    let holds = Holds::owned();
    (1..MANY).for_each(|_| holds.add_owner());
    assert!(!holds.is_only_owner() && holds.is_wanted() && !holds.is_lent());
    assert_eq!(holds.take(), Take::Clone);
    (1..MANY).for_each(|_| assert_eq!(holds.drop_owner(), Left::Held));
    assert!(holds.is_only_owner());
    assert_eq!(holds.drop_owner(), Left::Unowned);
    assert!(holds.drop_ref());
}

#[test]
fn as_many_loans_and_references() {
    let holds = Holds::owned();
    (0..MANY).for_each(|_| {
        holds.add_loan();
        holds.add_ref();
    });
    assert!(holds.wish());
    (1..MANY).for_each(|_| {
        assert_eq!(holds.drop_loan(), Left::Held);
        assert!(!holds.drop_ref());
    });
    assert_eq!(holds.drop_loan(), Left::Wished { unowned: false });
    assert_eq!(holds.drop_owner(), Left::Unowned);
    assert!(!holds.drop_ref() && !holds.drop_ref());
    assert!(holds.drop_ref());
}

#[test]
fn owners_that_clone() {
    let holds = Holds::owned();
    (1..MANY).for_each(|_| holds.add_owner());
    let begun: Vec<Begun> = (1..MANY).map(|_| holds.begin_clone(false)).collect();
    let clones = begun.iter().filter(|begun| **begun == Begun::Clones).count();
    assert!(clones > 1000 && begun.contains(&Begun::Looks));
    assert_eq!(holds.begin_clone(false), Begun::Waits);
    assert!(holds.is_one_owner_cloned() && holds.wait_for_clones());
    for begun in begun.iter().filter(|begun| **begun == Begun::Looks) {
        assert_eq!((begun, holds.drop_loan()), (&Begun::Looks, Left::Held));
    }
    (1..clones).for_each(|_| assert_eq!(holds.end_clone(), Some(Left::Held)));
    assert_eq!(holds.end_clone(), None);
    assert_eq!(holds.end_waited_clone(), (Left::Held, true));
    assert!(!holds.wait_for_clones());
    assert_eq!(holds.begin_clone(false), Begun::Takes);
    assert_eq!(holds.take(), Take::Alone);
}

#[test]
fn from_several_threads() {
    let holds = Holds::owned();
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
    assert!(holds.is_only_owner());
}
