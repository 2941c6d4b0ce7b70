//! A build tool under a real `make -j`: two copies of this program share its slots. Without a GNU make it does nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use asynckit::{Limit, Pool, Results, async_work};

/// Where the copies note what they are doing.
const DIR: &str = "ASYNCKIT_STEPS";
/// How many steps each copy has.
const STEPS: usize = 12;

fn main() -> ExitCode {
    // SAFETY: it is the first thing that the program does.
    #[allow(unsafe_code)]
    let client = unsafe { jobserver::Client::from_env() };
    match (std::env::var_os(DIR), client) {
        (Some(dir), Some(client)) => build(Path::new(&dir), client),
        (Some(_), None) => panic!("make has told nothing of its jobserver"),
        (None, _) => check(),
    }
    ExitCode::SUCCESS
}

/// A step: notes how many are under way in both copies.
#[async_work]
fn step(dir: String, name: String) -> usize {
    let own = format!("{dir}/{name}");
    fs::write(&own, "").unwrap();
    let now = fs::read_dir(&dir).unwrap().count();
    thread::sleep(Duration::from_millis(20));
    fs::remove_file(own).unwrap();
    now
}

fn build(dir: &Path, client: jobserver::Client) {
    let (pool, dir) = (Pool::new(8), dir.to_str().unwrap().to_owned());
    let slots = Limit::jobserver(client, pool.worker_count());
    let steps = (0..STEPS).map(|n| step(dir.clone(), format!("{}-{n}", std::process::id())));
    let steps = steps.map(|step| step.limit(&slots).spawn_on(&pool));
    let most = steps.join_all().get().unwrap().into_iter().max().unwrap();
    println!("most at once: {most}");
}

fn check() {
    let make = ["gmake", "make"].into_iter().find(|make| {
        let version = Command::new(make).arg("--version").output();
        version.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).starts_with("GNU Make"))
    });
    let Some(make) = make else { return println!("make: there is no GNU make here") };
    for jobs in [2, 3, 5] {
        let dir = tempfile::tempdir().unwrap();
        let steps = dir.path().join("steps");
        fs::create_dir(&steps).unwrap();
        let makefile = dir.path().join("Makefile");
        fs::write(&makefile, "all: a b\na b:\n\t+@\"$(PROGRAM)\"\n.PHONY: all a b\n").unwrap();
        let mut run = Command::new(make);
        run.arg(format!("-j{jobs}")).arg("-f").arg(makefile);
        for variable in ["MAKEFLAGS", "MFLAGS", "CARGO_MAKEFLAGS", "MAKELEVEL"] {
            run.env_remove(variable);
        }
        let run = run.env(DIR, &steps).env("PROGRAM", std::env::current_exe().unwrap()).output();
        let run = run.unwrap();
        let (said, errors) =
            (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{said}{errors}");
        let counts: Vec<usize> = said
            .lines()
            .filter_map(|line| line.strip_prefix("most at once: ")?.parse().ok())
            .collect();
        assert_eq!(counts.len(), 2, "{said}{errors}");
        assert!(counts.iter().all(|most| *most <= jobs), "-j{jobs}: {said}");
        // That make has got all of its tokens back, it says itself where it has not.
        assert_eq!(errors, "", "-j{jobs}");
        println!("make: two copies under -j{jobs} ... ok, {counts:?} at once");
    }
}
