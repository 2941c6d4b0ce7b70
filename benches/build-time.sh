#!/usr/bin/env bash
# What the macros cost the compiler: a crate of 300 annotated functions and one chain of 200 calls
# beside the same crate of plain functions and plain calls, and calls that are nested 60 deep.
#
#     benches/build-time.sh [rounds]
#
# Debug builds without incremental compilation; the least of the rounds counts. The dependencies are
# built before. `KEEP=1` leaves the crates in target/build-time for a closer look.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3}
functions=300
calls=200
depth=60
work=${CARGO_TARGET_DIR:-$PWD/target}/build-time
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=$work/target

crate() { # name
    mkdir -p "$work/$1/src"
    cat >"$work/$1/Cargo.toml" <<EOF
[package]
name = "$1"
version = "0.0.0"
edition = "2024"
[dependencies]
asynckit = { path = "$PWD/asynckit" }
[workspace]
EOF
}

# Functions of three kinds, in turn: by value, by reference, and one that may fail.
functions() { # attribute
    for ((i = 0; i < functions; i++)); do
        echo "$1"
        case $((i % 3)) in
        0) echo "pub fn f$i(a: u64, b: u64) -> u64 { a.wrapping_mul(b + $i) }" ;;
        1) echo "pub fn f$i(a: &u64, text: &str) -> u64 { a + text.len() as u64 }" ;;
        2) echo "pub fn f$i(a: u64) -> std::io::Result<u64> { Ok(a + $i) }" ;;
        esac
    done
}

# Each call takes the result of the one before.
calls() { # what follows a call that may fail
    echo "let v = start;"
    for ((i = 0; i < calls; i++)); do
        case $((i % 3)) in
        0) echo "let v = f$i(v, $i);" ;;
        1) echo "let v = f$i(&v, \"text\");" ;;
        2) echo "let v = f$i(v)$1;" ;;
        esac
    done
}

nested() {
    local call=start
    for ((i = 0; i < depth; i++)); do
        call="f$((i * 3))($call, $i)"
    done
    echo "$call"
}

plain() {
    functions ""
    echo "pub fn run(start: u64) -> std::io::Result<u64> { $(calls "?") Ok(v) }"
}

annotated() {
    echo "use asynckit::{AsyncResult, Pool, async_work, chain};"
    functions "#[async_work]"
    echo "pub fn run(pool: &Pool, start: AsyncResult<u64>) -> AsyncResult<u64> {"
    echo "    chain!(pool, { $(calls "") v })"
    echo "}"
}

deep() {
    echo "use asynckit::{AsyncResult, Pool, async_work, chain};"
    functions "#[async_work]"
    echo "pub fn run(pool: &Pool, start: AsyncResult<u64>) -> AsyncResult<u64> {"
    echo "    chain!(pool, { $(nested) })"
    echo "}"
}

shallow() {
    functions "#[asynckit::async_work]"
}

least() { # crate, cargo's command
    local best=999999
    for ((round = 0; round <= rounds; round++)); do
        touch "$work/$1/src/main.rs"
        local start=${EPOCHREALTIME/./}
        cargo "$2" --quiet --offline --manifest-path "$work/$1/Cargo.toml"
        local time=$(((${EPOCHREALTIME/./} - start) / 1000))
        # The first round also builds the dependencies.
        if ((round > 0 && time < best)); then best=$time; fi
    done
    echo "$best"
}

for name in plain annotated deep shallow; do
    crate "$name"
    { echo "#![allow(dead_code)]"; "$name"; echo "fn main() {}"; } >"$work/$name/src/main.rs"
    cp Cargo.lock "$work/$name/Cargo.lock"
done
# What nobody calls is not compiled.
echo 'const _: () = { #[used] static RUN: fn(u64) -> std::io::Result<u64> = run; };' \
    >>"$work/plain/src/main.rs"
for name in annotated deep; do
    echo 'const _: () = { #[used] static RUN: fn(&Pool, AsyncResult<u64>) -> AsyncResult<u64> = run; };' \
        >>"$work/$name/src/main.rs"
done

plain=$(least plain build)
annotated=$(least annotated build)
deep=$(least deep check)
shallow=$(least shallow check)
echo "plain functions and calls                  $plain ms"
echo "$functions annotated functions, $calls calls in a chain  $annotated ms, $((annotated - plain)) ms more"
echo "a call nested $depth deep, checked             $((deep - shallow)) ms"
if [[ -z ${KEEP:-} ]]; then rm -rf "${work:?}"; fi
