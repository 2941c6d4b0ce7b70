//! What a task does with its time: a body of a set length.

use std::hint::black_box;
use std::time::Instant;

/// Some steps of computing that the optimizer can't leave out. It counts steps rather than reading
/// the clock, so that a thread that was off its core has its work still to do.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    steps: u32,
}

impl Body {
    /// Nothing at all.
    pub const EMPTY: Body = Body { steps: 0 };

    /// One of so many steps.
    pub fn of(steps: u32) -> Body {
        Body { steps }
    }

    /// How many steps it has.
    pub fn steps(self) -> u32 {
        self.steps
    }

    /// Works for the body's length.
    pub fn run(self) {
        if self.steps > 0 {
            let mut x = black_box(1u64);
            for _ in 0..self.steps {
                x = x.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            }
            black_box(x);
        }
    }
}

/// How long one step takes on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    nanoseconds_a_step: f64,
}

impl Pace {
    /// Measures it: the best of several, as whatever else runs can only slow it down.
    pub fn measure() -> Pace {
        const STEPS: u32 = 1_000_000;
        let best = (0..30)
            .map(|_| {
                let begin = Instant::now();
                Body { steps: STEPS }.run();
                begin.elapsed()
            })
            .min()
            .unwrap_or_default();
        Pace { nanoseconds_a_step: best.as_nanos() as f64 / f64::from(STEPS) }
    }

    /// A body of about this length.
    pub fn body(self, nanoseconds: f64) -> Body {
        Body { steps: (nanoseconds / self.nanoseconds_a_step).round().max(1.0) as u32 }
    }

    /// How long a body is.
    pub fn nanoseconds(self, body: Body) -> f64 {
        f64::from(body.steps) * self.nanoseconds_a_step
    }
}
