//! What a cluster promises, with real processes: the same list for each backend.

mod again;
mod chaos;
mod documents;
mod ends;
mod functions;
mod given_up;
mod kept;
mod looks;
mod of_processes;
#[cfg(feature = "nats")]
mod over_nats;
mod recorded;
#[path = "../signals/mod.rs"]
mod signals;
mod site;
#[cfg(feature = "nats")]
#[path = "../nats/support.rs"]
#[allow(dead_code)]
mod support;
mod terms;
mod travel;
mod unhelpful;

use libtest_mimic::{Arguments, Trial};
use site::Site;

fn main() {
    // Copies that behave as a test wants it.
    match std::env::args().nth(1).as_deref() {
        Some("--does-not-serve") => std::process::exit(5),
        Some("--goes-on-without-serving") => loop {
            std::thread::park();
        },
        Some("--speaks-otherwise") => of_processes::speak_otherwise(),
        Some("--makes-a-cluster") => {
            println!("{}", asynckit_cluster::Cluster::processes(1).unwrap_err());
            return;
        }
        _ => {}
    }
    asynckit_cluster::serve_if_asked();
    if std::env::args().nth(1).as_deref() == Some("--has-a-cluster") {
        return given_up::has_a_cluster();
    }
    if let Ok(folder) = std::env::var("DRIVER") {
        return of_processes::driver(&folder);
    }
    if let Ok(folder) = std::env::var("DRIVER_WITHOUT_FILES") {
        return of_processes::driver_without_files(&folder);
    }
    if again::drive_if_asked() {
        return;
    }
    let mut arguments = Arguments::from_args();
    // Each has several processes.
    arguments.test_threads.get_or_insert(2);
    let mut trials = Vec::new();
    for site in Site::all() {
        let all = [
            travel::ALL,
            terms::ALL,
            ends::ALL,
            chaos::ALL,
            looks::ALL,
            recorded::ALL,
            kept::ALL,
            again::ALL,
            unhelpful::ALL,
        ];
        for (name, test) in all.concat() {
            let full = format!("{}::{name}", site.name);
            trials.push(Trial::test(full, move || {
                site::soon(name, move || test(&site));
                Ok(())
            }));
        }
        for (name, test) in chaos::LONG {
            let full = format!("{}::{name}", site.name);
            let run = move || {
                site::within(5 * site::LIMIT, name, move || test(&site));
                Ok(())
            };
            trials.push(Trial::test(full, run).with_ignored_flag(true));
        }
    }
    let others = [
        ("of_processes", of_processes::ALL),
        ("given_up", given_up::ALL),
        ("documents", documents::ALL),
    ];
    for (module, tests) in others {
        for (name, test) in tests {
            trials.push(Trial::test(format!("{module}::{name}"), move || {
                site::soon(name, *test);
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
