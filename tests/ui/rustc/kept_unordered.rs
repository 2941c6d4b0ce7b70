//! Arguments of `keep` that come in another order in each run: a warning, at the type.
#![deny(deprecated)]

use std::collections::{BTreeMap, HashMap, HashSet};

use asynckit::async_work;

mod desk {
    pub mod attribute {
        use asynckit::{BoxError, carry::Codec};

        pub struct Keep;
        impl Keep {
            pub const fn new() -> Keep {
                Keep
            }
        }
        pub const fn argument<A: ?Sized>() {}
        pub const fn value<T>() {}

        #[derive(Clone, Copy)]
        pub struct Bytes;
        impl<A, T> Codec<A, T> for Bytes {
            fn arguments(&self, _: &A) -> Result<Vec<Vec<u8>>, BoxError> {
                Ok(Vec::new())
            }
            fn value(&self, _: &T) -> Result<Vec<u8>, BoxError> {
                Ok(Vec::new())
            }
            fn decode(&self, _: &[u8]) -> Result<T, BoxError> {
                Err("nothing is kept".into())
            }
        }
    }
}

#[async_work(keep(crate = desk))]
fn count(words: HashMap<String, u32>) -> usize { //~ error HashMap: take a `BTreeMap`
    words.len()
}

#[async_work(keep(crate = desk))]
fn deep(words: Vec<(u8, &'static HashSet<u32>)>) -> usize { //~ error HashSet: take a `BTreeSet`
    words.len()
}

/// The value may be one.
#[async_work(keep(crate = desk))]
fn gives(words: BTreeMap<String, u32>) -> HashMap<String, u32> {
    words.into_iter().collect()
}

/// Said to be meant.
#[allow(deprecated)]
#[async_work(keep(crate = desk))]
fn meant(words: HashMap<String, u32>) -> usize {
    words.len()
}

/// Without `keep` nobody looks at it.
#[async_work]
fn plain(words: HashMap<String, u32>) -> usize {
    words.len()
}

fn main() {
    drop((count(HashMap::new()), deep(Vec::new()), gives(BTreeMap::new())));
    drop((meant(HashMap::new()), plain(HashMap::new())));
}
