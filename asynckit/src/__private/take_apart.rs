//! A pending tuple as a tuple of pending parts: `let (a, b) = split(x);`.

use crate::AsyncResult;
use crate::error::Hop;
use crate::lift::hand_over;
use crate::result::part_of;

/// A tuple of 1 to 12.
#[diagnostic::on_unimplemented(
    message = "a pending `{Self}` cannot be taken apart by a pattern",
    label = "only the result of a tuple of 1 to 12 can",
    note = "pass it to a function that takes the value, or `.await` it in the async form of the chain"
)]
pub trait TakeApart: Sized {
    type Parts;

    #[track_caller]
    fn take_apart(whole: AsyncResult<Self>) -> Self::Parts;
}

macro_rules! take_apart {
    ($(($($T:ident $setter:ident $part:ident)+))+) => { $(
        impl<$($T: Send),+> TakeApart for ($($T,)+) {
            type Parts = ($(AsyncResult<$T>,)+);

            #[allow(non_snake_case)]
            fn take_apart(whole: AsyncResult<Self>) -> Self::Parts {
                let hop = Hop::here(&"let");
                $(let ($setter, $part) = part_of(&whole);)+
                hand_over(hop, whole, move |outcome| match outcome {
                    Ok(($($T,)+)) => { $(let _ = $setter.set($T);)+ }
                    Err(error) => { $(let _ = $setter.fail(error.clone());)+ }
                });
                ($($part,)+)
            }
        }
    )+ };
}

take_apart! {
    (A a p0)
    (A a p0 B b p1)
    (A a p0 B b p1 C c p2)
    (A a p0 B b p1 C c p2 D d p3)
    (A a p0 B b p1 C c p2 D d p3 E e p4)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5 G g p6)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5 G g p6 H h p7)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5 G g p6 H h p7 I i p8)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5 G g p6 H h p7 I i p8 J j p9)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5 G g p6 H h p7 I i p8 J j p9 K k p10)
    (A a p0 B b p1 C c p2 D d p3 E e p4 F f p5 G g p6 H h p7 I i p8 J j p9 K k p10 L l p11)
}
