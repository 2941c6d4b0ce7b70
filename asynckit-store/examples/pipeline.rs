//! Files in a folder → parse each → join → a report. Run it twice, touch a file, run it again.
//!
//! ```text
//! cargo run -p asynckit-store --example pipeline            # makes a folder `pipeline-demo` with something in it
//! cargo run -p asynckit-store --example pipeline            # does nothing again
//! echo "2026-11-27 rent -900" >> pipeline-demo/november.txt
//! cargo run -p asynckit-store --example pipeline            # parses that file again, and joins
//! ```
//!
//! With a folder as its argument it takes the `*.txt` of that. The store lies beside them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use asynckit::{Pool, async_work, chain};
use asynckit_store::{InputFile, OutputFile, Store};

/// What was spent or earned, by what it was for.
type Sums = BTreeMap<String, i64>;

/// Lines like `2026-11-02 bread -4`.
#[async_work(keep)]
fn parse(file: InputFile) -> Result<Sums, Box<dyn Error + Send + Sync>> {
    let mut sums = Sums::new();
    for (number, line) in fs::read_to_string(&file)?.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_date, what, amount] = words[..] else {
            return Err(
                format!("{}:{}: not a line of three words", file.display(), number + 1).into()
            );
        };
        *sums.entry(what.to_owned()).or_default() += amount.parse::<i64>()?;
    }
    Ok(sums)
}

#[async_work(keep)]
fn join(all: Vec<Sums>) -> Sums {
    let mut sums = Sums::new();
    for (what, amount) in all.into_iter().flatten() {
        *sums.entry(what).or_default() += amount;
    }
    sums
}

#[async_work(keep)]
fn report(sums: &Sums, to: PathBuf) -> std::io::Result<OutputFile> {
    let lines: Vec<String> =
        sums.iter().map(|(what, sum)| format!("{what:<12}{sum:>8}\n")).collect();
    fs::write(&to, lines.concat())?;
    Ok(to.into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => demo()?,
    };
    let pool = Pool::default();
    let store = Store::builder().explain(true).open(folder.join("results.redb"))?;
    let files = inputs(&folder)?;

    let written = chain!(&store.on(&pool), {
        let all: Vec<_> = files.into_iter().map(parse).collect();
        let sums = join(all);
        report(&sums, folder.join("report"))
    });
    print!("{}", fs::read_to_string(written.get()?)?);

    println!("\n{}", store.stats());
    for why in store.explain() {
        println!("again: {why}");
    }
    Ok(())
}

fn inputs(folder: &Path) -> std::io::Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files.into_iter().map(InputFile::from).collect())
}

/// A folder to begin with.
fn demo() -> std::io::Result<PathBuf> {
    let folder = PathBuf::from("pipeline-demo");
    if !folder.exists() {
        fs::create_dir(&folder)?;
        fs::write(folder.join("october.txt"), "2026-10-01 rent -900\n2026-10-04 bread -4\n")?;
        fs::write(folder.join("november.txt"), "2026-11-01 salary 2500\n2026-11-02 bread -5\n")?;
    }
    Ok(folder)
}
