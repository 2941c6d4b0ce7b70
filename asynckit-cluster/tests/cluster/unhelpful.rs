//! Types whose own code panics where a call travels: each such call fails, and no other one.

use std::fmt;

use asynckit::{ErrorKind, Work, async_work};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::functions::{add, process};
use crate::site::{Here, Site, Test};

pub const ALL: &[Test] = &[
    ("a_value_whose_encoding_panics_fails_its_call", a_value_whose_encoding_panics_fails_its_call),
    (
        "an_argument_whose_decoding_panics_fails_its_call",
        an_argument_whose_decoding_panics_fails_its_call,
    ),
    ("an_error_whose_text_panics_fails_its_call", an_error_whose_text_panics_fails_its_call),
    ("an_error_whose_source_panics_fails_its_call", an_error_whose_source_panics_fails_its_call),
    (
        "an_error_whose_encoding_panics_fails_its_call",
        an_error_whose_encoding_panics_fails_its_call,
    ),
];

#[derive(Debug, Deserialize)]
pub struct NeverLeaves;

impl Serialize for NeverLeaves {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("it does not leave")
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct NeverArrives(u8);

impl<'d> Deserialize<'d> for NeverArrives {
    fn deserialize<D: Deserializer<'d>>(_: D) -> Result<NeverArrives, D::Error> {
        panic!("it does not arrive")
    }
}

#[derive(Debug)]
pub struct Wordless;

impl fmt::Display for Wordless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("it has no words")
    }
}

impl std::error::Error for Wordless {}

#[derive(Debug)]
pub struct Groundless;

impl fmt::Display for Groundless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("without a reason")
    }
}

impl std::error::Error for Groundless {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        panic!("it has no source")
    }
}

#[derive(Debug, Deserialize)]
pub struct Stays;

impl Serialize for Stays {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("it stays where it is")
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stays")
    }
}

impl std::error::Error for Stays {}

#[async_work(remote)]
fn gives() -> NeverLeaves {
    NeverLeaves
}

#[async_work(remote)]
fn takes(it: NeverArrives) -> u8 {
    it.0
}

#[async_work(remote)]
fn wordless() -> Result<u8, Wordless> {
    Err(Wordless)
}

#[async_work(remote)]
fn groundless() -> Result<u8, Groundless> {
    Err(Groundless)
}

#[async_work(remote(error))]
fn stays() -> Result<u8, Stays> {
    Err(Stays)
}

/// It fails once, with its name, and its process goes on.
fn fails<T: Send + fmt::Debug>(site: &Site, work: Work<'_, T>, function: &str, words: &str) {
    let cluster = site.cluster(1);
    let before = process().spawn_on(&*cluster).get().unwrap();
    let error = work.fail_here(&cluster);
    assert_eq!(error.kind(), ErrorKind::Panicked, "{error}");
    let text = error.to_string();
    assert!(text.contains(function) && text.contains(words), "{text}");
    assert_eq!(add(1, 2).spawn_on(&*cluster).get().unwrap(), 3);
    assert_eq!(process().spawn_on(&*cluster).get().unwrap(), before);
    assert_eq!((cluster.status().open, cluster.status().redelivered), (0, 0));
}

fn a_value_whose_encoding_panics_fails_its_call(site: &Site) {
    fails(site, gives(), "gives", "it does not leave");
}

fn an_argument_whose_decoding_panics_fails_its_call(site: &Site) {
    fails(site, takes(NeverArrives(1)), "takes", "it does not arrive");
}

fn an_error_whose_text_panics_fails_its_call(site: &Site) {
    fails(site, wordless(), "wordless", "it has no words");
}

fn an_error_whose_source_panics_fails_its_call(site: &Site) {
    fails(site, groundless(), "groundless", "it has no source");
}

fn an_error_whose_encoding_panics_fails_its_call(site: &Site) {
    fails(site, stays(), "stays", "it stays where it is");
}
