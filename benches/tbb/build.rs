//! Builds the program by which oneTBB takes part in the comparison, where its headers and a compiler
//! are there; else tells the benchmark why not. It does not lie beside Cargo.toml, as the root
//! package would find it there and take it for a benchmark of its own.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "tbb/onetbb.cpp";

fn main() {
    println!("cargo::rerun-if-changed=tbb");
    println!("cargo::rerun-if-env-changed=CXX");
    let (program, why_not) = match build() {
        Ok(program) => (program.display().to_string(), String::new()),
        Err(why_not) => (String::new(), why_not),
    };
    println!("cargo::rustc-env=ONETBB_PROGRAM={program}");
    println!("cargo::rustc-env=ONETBB_WHY_NOT={why_not}");
}

fn build() -> Result<PathBuf, String> {
    // Checks and tests of the workspace need no such program.
    if env::var_os("CARGO_FEATURE_PEERS").is_none() {
        return Err("the comparison is not built".to_owned());
    }
    if env::var("PROFILE").is_ok_and(|profile| profile != "release") {
        return Err("only a release build (`--release`) has it".to_owned());
    }
    let compiler = env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
    let program = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where")).join("onetbb");
    let built = Command::new(&compiler)
        .args(["-std=c++17", "-O3", "-DNDEBUG", SOURCE, "-ltbb", "-pthread", "-o"])
        .arg(&program)
        .output();
    let why_not = match built {
        Ok(output) if output.status.success() => return Ok(program),
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let says = |line: &&str| line.contains("error") || line.contains("cannot find");
            let first = errors.lines().find(says).unwrap_or_default();
            format!("`{compiler}` can't build it: {first} (Debian has it as libtbb-dev)")
        }
        Err(error) => format!("`{compiler}` can't be run: {error}"),
    };
    // Whoever installs what is missing has it built the next time.
    println!("cargo::rerun-if-changed=/var/lib/dpkg/status");
    Err(why_not)
}
