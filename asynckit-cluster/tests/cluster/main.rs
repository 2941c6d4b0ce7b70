//! What a cluster promises, with real processes: the same list for each backend.

mod functions;
mod promises;
mod site;

use libtest_mimic::{Arguments, Trial};
use site::Site;

fn main() {
    asynckit_cluster::serve_if_asked();
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for site in Site::all() {
        for (name, test) in promises::ALL {
            let name = format!("{}::{name}", site.name);
            trials.push(Trial::test(name, move || {
                site::soon(move || test(&site));
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
