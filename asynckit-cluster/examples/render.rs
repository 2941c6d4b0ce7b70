//! Renders frames of the Mandelbrot set, in three ways by one flag:
//!
//! ```sh
//! cargo run --release -p asynckit-cluster --example render -- --local
//! cargo run --release -p asynckit-cluster --example render -- --processes 4
//! cargo run --release -p asynckit-cluster --example render -- --processes 4 --chaos
//! ```
//!
//! And over NATS, with workers that are this same program, on any machine:
//!
//! ```sh
//! nats-server -js &
//! cargo build --release -p asynckit-cluster --features nats --example render
//! ASYNCKIT_WORKER=nats://127.0.0.1:4222/render target/release/examples/render &
//! target/release/examples/render --nats nats://127.0.0.1:4222
//! target/release/examples/render --nats nats://127.0.0.1:4222 --workers 3 --chaos
//! ```
//!
//! The chain is the same in all of them. With `--chaos` it kills five of its workers in the middle of a frame, and
//! comes to the same pictures; over NATS these are workers that it has started itself, two unless said, and starts again.
//! With `--out FOLDER` it writes the pictures there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

use asynckit::{AsyncResult, Pool, Results, async_work, chain};
use asynckit_cluster::{Cluster, ClusterError, WorkerStatus};
use serde::{Deserialize, Serialize};

/// What is to be seen on all frames.
#[derive(Clone, Serialize, Deserialize)]
struct Scene {
    width: u32,
    height: u32,
    center: (f64, f64),
    frames: u32,
}

/// A picture, in shades of grey.
#[derive(Clone, Serialize, Deserialize)]
struct Frame {
    number: u32,
    shades: Vec<u8>,
    /// Who has rendered it: the id of a process.
    by: u32,
}

/// Renders a frame: all of it on one processor.
#[async_work(remote, retry = 2, timeout = "1m")]
fn render(scene: Scene, number: u32) -> Frame {
    let zoom = 0.97f64.powi(number as i32) * 3.0 / f64::from(scene.width);
    let shade = |x: u32, y: u32| {
        let from_center = |at: u32, size: u32| (f64::from(at) - f64::from(size) / 2.0) * zoom;
        let re = scene.center.0 + from_center(x, scene.width);
        let im = scene.center.1 + from_center(y, scene.height);
        let (mut a, mut b, mut steps) = (0.0f64, 0.0f64, 0u32);
        while a * a + b * b < 4.0 && steps < 1_000 {
            (a, b) = (a * a - b * b + re, 2.0 * a * b + im);
            steps += 1;
        }
        if steps == 1_000 { 0 } else { (steps % 255) as u8 + 1 }
    };
    let rows = (0..scene.height).flat_map(|y| (0..scene.width).map(move |x| (x, y)));
    let shades = rows.map(|(x, y)| shade(x, y)).collect();
    Frame { number, shades, by: process::id() }
}

/// Writes a frame, where the driver is: this one is not remote.
#[async_work]
fn save(frame: Frame, scene: Scene, folder: Option<PathBuf>) -> io::Result<(u32, u64)> {
    if let Some(folder) = folder {
        let mut file = fs::File::create(folder.join(format!("{:04}.pgm", frame.number)))?;
        writeln!(file, "P5 {} {} 255", scene.width, scene.height)?;
        file.write_all(&frame.shades)?;
    }
    // A sum of it, to see that it is the same picture however it was made.
    let sum = frame.shades.iter().fold(frame.number.into(), |sum: u64, shade| {
        sum.wrapping_mul(31).wrapping_add((*shade).into())
    });
    Ok((frame.by, sum))
}

/// What the command line says.
#[derive(Default)]
struct Options {
    processes: Option<usize>,
    nats: Option<String>,
    workers: Option<usize>,
    chaos: bool,
    frames: Option<u32>,
    out: Option<PathBuf>,
}

impl Options {
    /// The cluster, unless it is done here.
    fn cluster(&self) -> Result<Option<Cluster>, ClusterError> {
        let builder = Cluster::builder().deliveries(10);
        match (&self.nats, self.processes) {
            #[cfg(feature = "nats")]
            (Some(url), _) => builder.connect(url, "render").map(Some),
            #[cfg(not(feature = "nats"))]
            (Some(_), _) => Err(ClusterError::Unsupported),
            (None, Some(processes)) => builder.processes(processes).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn options() -> Result<Options, String> {
    let (mut options, mut words) = (Options::default(), env::args().skip(1));
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().and_then(|word| word.parse().ok());
            number.ok_or_else(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            "--local" => (options.processes, options.nats) = (None, None),
            "--processes" => options.processes = Some(number()? as usize),
            "--nats" => options.nats = Some(words.next().ok_or("--nats needs an address")?),
            "--workers" => options.workers = Some(number()? as usize),
            "--frames" => options.frames = Some(number()?),
            "--chaos" => options.chaos = true,
            "--out" => options.out = words.next().map(PathBuf::from),
            other => {
                return Err(format!(
                    "{other}: say --local, --processes N [--chaos] or --nats URL [--workers N] [--chaos]"
                ));
            }
        }
    }
    match (&options.nats, options.processes) {
        (None, None) if options.chaos => Err("--chaos kills workers: here are none".to_owned()),
        (None, _) if options.workers.is_some() => Err("--workers are those of --nats".to_owned()),
        _ => Ok(options),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    asynckit_cluster::serve_if_asked();
    let options = options()?;
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder)?;
    }
    let frames = options.frames.unwrap_or(60);
    let scene = Scene { width: 160, height: 100, center: (-0.743_643, 0.131_825), frames };
    let begin = Instant::now();
    let done = match options.cluster()? {
        None => {
            let pool = Pool::builder().build()?;
            film(&scene, options.out.as_deref(), &pool).get()?
        }
        Some(cluster) => {
            let mut workers = options.start_workers()?;
            let film = film(&scene, options.out.as_deref(), &cluster);
            if options.chaos {
                kill_workers(&cluster, workers.as_mut(), || film.is_set())?;
            }
            let done = film.get()?;
            println!("{}", cluster.status());
            done
        }
    };
    let mut by = BTreeMap::<u32, u32>::new();
    let sum = done.iter().fold(0u64, |sum, (who, frame)| {
        *by.entry(*who).or_default() += 1;
        sum.wrapping_mul(31).wrapping_add(*frame)
    });
    for (who, frames) in by {
        let here = if who == process::id() { " (this one)" } else { "" };
        println!("process {who}{here}: {frames} frames");
    }
    println!("{frames} frames in {:.1?}, of the sum {sum:016x}", begin.elapsed());
    Ok(())
}

/// The whole film: the same chain, wherever its calls run.
fn film<P>(scene: &Scene, out: Option<&Path>, place: &P) -> AsyncResult<Vec<(u32, u64)>>
where
    P: asynckit::Spawner<'static>,
{
    let frames = (0..scene.frames).map(|number| {
        let (its, out) = (scene.clone(), out.map(Path::to_owned));
        chain!(place, {
            let frame = render(its.clone(), number);
            save(frame, its, out)
        })
    });
    frames.try_join_all()
}

/// A worker over NATS, which this program has started.
struct Worker {
    name: String,
    url: String,
    process: Child,
}

impl Worker {
    fn start(name: String, url: String) -> io::Result<Worker> {
        let mut command = Command::new(env::current_exe()?);
        command.env("ASYNCKIT_WORKER", &url).env("ASYNCKIT_WORKER_NAME", &name);
        let process = command.spawn()?;
        Ok(Worker { name, url, process })
    }

    /// Kills it, and starts it again.
    fn replace(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        *self = Worker::start(self.name.clone(), self.url.clone())?;
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // What it has is done, when this program comes to its end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Options {
    /// Those that are asked for, over NATS; a cluster of processes has its own.
    fn start_workers(&self) -> io::Result<Option<Vec<Worker>>> {
        let Some(url) = &self.nats else { return Ok(None) };
        let number = self.workers.unwrap_or(if self.chaos { 2 } else { 0 });
        let url = format!("{}/render", url.trim_end_matches('/'));
        let start = |n| Worker::start(format!("render-{n}"), url.clone());
        (1..=number).map(start).collect::<io::Result<_>>().map(Some)
    }
}

/// Whether there was such a process to kill.
fn kill(process: u32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    Pid::from_raw(process.cast_signed()).is_some_and(|id| kill_process(id, Signal::KILL).is_ok())
}

/// Kills five workers that render, one after the other: processes of the cluster, or over NATS those that were started here.
fn kill_workers(
    cluster: &Cluster,
    mut started: Option<&mut Vec<Worker>>,
    is_done: impl Fn() -> bool,
) -> io::Result<()> {
    let (mut killed, mut others, mut gone) = (0, BTreeSet::new(), BTreeSet::new());
    while killed < 5 && !is_done() {
        thread::sleep(Duration::from_millis(5));
        for worker in cluster.status().workers {
            let WorkerStatus { name, process, running, .. } = worker;
            let Some(call) = running.first() else { continue };
            match &mut started {
                None => {
                    // (Likewise, one that is dead already can be killed again.)
                    if gone.contains(&process) || !kill(process) {
                        continue;
                    }
                    gone.insert(process);
                }
                Some(ours) => match ours.iter_mut().find(|ours| ours.process.id() == process) {
                    Some(worker) => worker.replace()?,
                    None => {
                        // (One that was killed is there until its silence is noticed.)
                        let was_ours = ours.iter().any(|ours| ours.name == name);
                        if !was_ours && others.insert(name.clone()) {
                            println!("chaos: {name} was not started here, and is let alone");
                        }
                        continue;
                    }
                },
            }
            killed += 1;
            println!("chaos: {name} is killed while it runs {}", call.function);
            thread::sleep(Duration::from_millis(100));
            break;
        }
    }
    Ok(())
}
