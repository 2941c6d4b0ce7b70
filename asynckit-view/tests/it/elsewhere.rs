//! Calls that are carried out elsewhere are on rows of whoever has run them.

use std::time::{Duration, Instant};

use asynckit::carry::{Call, Carriage, Carrier, on};
use asynckit::{Pool, async_work};
use asynckit_view::Recording;

use crate::temporary;

/// What the attribute names.
mod far {
    pub mod attribute {
        use asynckit::{BoxError, carry::Codec};

        pub struct Keep;
        impl Keep {
            pub const fn new() -> Keep {
                Keep
            }
        }
        pub const fn argument<A>() {}
        pub const fn value<T>() {}

        #[derive(Clone, Copy)]
        pub struct Bytes;
        impl Codec<(u8, ()), u8> for Bytes {
            fn arguments(&self, (n, ()): &(u8, ())) -> Result<Vec<Vec<u8>>, BoxError> {
                Ok(vec![vec![*n]])
            }
            fn value(&self, value: &u8) -> Result<Vec<u8>, BoxError> {
                Ok(vec![*value])
            }
            fn decode(&self, bytes: &[u8]) -> Result<u8, BoxError> {
                Ok(bytes[0])
            }
        }
    }
}

#[async_work(keep(crate = far))]
fn double(n: u8) -> u8 {
    2 * n
}

/// Answers by itself, and says that one of two others has done it.
struct Others;

impl Carrier for Others {
    fn carry<'w>(&self, call: Call<'w>) -> Result<Carriage<'w>, Call<'w>> {
        Ok(Box::pin(async move {
            let n = call.arguments().unwrap()[0][0];
            let place = ["far-10", "far-9"][usize::from(n % 2)];
            std::thread::sleep(Duration::from_millis(5));
            let ended = Instant::now();
            call.ran(place, ended - Duration::from_millis(2), ended);
            let Ok(carried) = call.value(&[2 * n]) else { unreachable!("it is a number") };
            carried
        }))
    }
}

#[test]
fn a_call_that_ran_elsewhere_is_on_a_row_of_its_own() {
    let pool = Pool::new(1);
    let recording = Recording::of(&pool);
    std::thread::sleep(Duration::from_millis(5));
    for n in 0..4 {
        let place = on(&pool, Others);
        assert_eq!(double(n).spawn_on(&place).get().unwrap(), 2 * n);
    }
    pool.stop();
    let run = recording.finish();
    let (_folder, path) = temporary("run.json");
    run.save_trace(&path).unwrap();
    let trace: serde_json::Value =
        serde_json::from_reader(std::fs::File::open(path).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let names = events.iter().filter(|event| event["name"] == "thread_name");
    let rows: Vec<(u64, &str)> = names
        .map(|event| (event["tid"].as_u64().unwrap(), event["args"]["name"].as_str().unwrap()))
        .filter(|(_, name)| name.starts_with("far-"))
        .collect();
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    assert_eq!(sorted.iter().map(|row| row.1).collect::<Vec<_>>(), ["far-9", "far-10"]);
    for (row, name) in rows {
        let its = events.iter().filter(|event| event["ph"] == "X" && event["tid"] == row);
        let took: Vec<f64> = its.map(|event| event["dur"].as_f64().unwrap()).collect();
        assert_eq!(took.len(), 2, "{name}");
        // In microseconds; both ends are told from one reading of the clock.
        assert!(took.iter().all(|took| (1_999.0..=2_001.0).contains(took)), "{took:?}");
    }
}
