//! Thumbnails of all pictures in a folder, with progress and a page of the run.
//!
//! ```text
//! cargo run --release -p asynckit-view --example thumbnails
//! cargo run --release -p asynckit-view --example thumbnails -- --record run.html ~/Pictures
//! ```
//!
//! They go into `thumbnails/` within the folder. Without a folder it makes pictures of its own, in a temporary one.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use asynckit::{Limit, Pool, Results, async_work, chain};
use asynckit_view::progress;
use image::imageops::FilterType;
use image::{DynamicImage, ImageError, ImageReader, RgbImage};

/// As wide and high as a thumbnail is, at most.
const SIZE: u32 = 160;

/// Reads a file. Too many at once would only make the disk's head jump.
#[async_work]
fn read(path: Arc<Path>) -> std::io::Result<Vec<u8>> {
    fs::read(path)
}

#[async_work]
fn decode(file: Vec<u8>) -> Result<DynamicImage, ImageError> {
    ImageReader::new(std::io::Cursor::new(file)).with_guessed_format()?.decode()
}

#[async_work]
fn shrink(picture: &DynamicImage) -> RgbImage {
    picture.resize(SIZE, SIZE, FilterType::Lanczos3).into_rgb8()
}

/// The mean colour: what a page shows until the thumbnail is there.
#[async_work]
fn colour(picture: &DynamicImage) -> String {
    let pixel = picture.resize_exact(1, 1, FilterType::Triangle).into_rgb8();
    let [r, g, b] = pixel.get_pixel(0, 0).0;
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[async_work]
fn save(thumbnail: RgbImage, path: PathBuf) -> Result<PathBuf, ImageError> {
    thumbnail.save(&path)?;
    Ok(path)
}

#[async_work]
fn line(thumbnail: PathBuf, colour: String) -> String {
    format!("{colour} {}", thumbnail.display())
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let temporary = options.folder.is_none().then(tempfile::tempdir).transpose()?;
    let folder = match (&options.folder, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => unreachable!("without a folder there is a temporary one"),
    };

    // `ASYNCKIT_RECORD=run.html` does the same for any program.
    let builder = asynckit_view::from_env(Pool::builder().thread_name("thumbnails"));
    let builder = match &options.record {
        Some(file) => asynckit_view::to_file(builder, file)?,
        None => builder,
    };
    let pool = builder.build()?;
    let bar = progress::bar(&pool);

    let made = temporary.is_some().then(|| make_pictures(&pool, &folder)).transpose()?;
    let thumbnails = folder.join("thumbnails");
    fs::create_dir_all(&thumbnails)?;
    let disk = Limit::new(2);
    let all: Vec<_> = pictures(&folder)?
        .into_iter()
        .map(|path| {
            let to = thumbnails.join(path.file_name().unwrap_or_default()).with_extension("png");
            chain!(&pool, {
                let file = read(path.clone().into()).limit(&disk).spawn_on(&pool);
                let picture = decode(file);
                let colour = colour(&picture);
                let thumbnail = save(shrink(&picture), to);
                line(thumbnail, colour)
            })
        })
        .collect();

    // A file that is no picture fails by itself, and stops nothing else.
    let (mut done, mut failed) = (0, 0);
    for thumbnail in all.as_completed() {
        match thumbnail.get() {
            Ok(line) => {
                done += 1;
                bar.println(line);
            }
            Err(error) => {
                failed += 1;
                bar.println(format!("{error}"));
            }
        }
    }
    bar.finish();
    println!("{done} thumbnails, {failed} failed");
    if let Some(made) = made {
        assert_eq!((done, failed), (made, 1), "all but the one that is no picture");
    }
    Ok(())
}

/// All files of a folder that are called like pictures, in the order of their names.
fn pictures(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        if ["jpg", "jpeg", "png"].contains(&ending.to_ascii_lowercase().as_str()) {
            pictures.push(path);
        }
    }
    pictures.sort();
    Ok(pictures)
}

/// Draws a picture. The one that is much larger than the others shows on the page of the run.
#[async_work]
fn draw(path: PathBuf, number: u32) -> Result<(), ImageError> {
    let width = if number == 7 { 2400 } else { 320 + 40 * (number % 5) };
    let picture = RgbImage::from_fn(width, width * 3 / 4, |x, y| {
        let wave =
            |v: u32, by: u32| ((f64::from(v * by) / f64::from(width)).sin() * 127.0 + 128.0) as u8;
        image::Rgb([wave(x, number + 2), wave(y, number % 7 + 3), wave(x + y, 5)])
    });
    picture.save(path)
}

/// Makes pictures, and a file that is none; tells how many are good.
fn make_pictures(pool: &Pool, folder: &Path) -> Result<usize, Box<dyn Error>> {
    let drawn: Vec<_> = (0..24)
        .map(|number| draw(folder.join(format!("picture-{number:02}.jpg")), number).spawn_on(pool))
        .collect();
    let made = drawn.join_all().get()?;
    fs::write(folder.join("broken.jpg"), "this is no picture")?;
    Ok(made.len())
}

/// What was asked for on the command line.
struct Options {
    folder: Option<PathBuf>,
    record: Option<PathBuf>,
}

impl Options {
    fn read() -> Result<Options, String> {
        let mut options = Options { folder: None, record: None };
        let mut arguments = std::env::args_os().skip(1);
        while let Some(argument) = arguments.next() {
            if argument == "--record" {
                options.record = Some(arguments.next().ok_or("--record needs a file")?.into());
            } else if options.folder.is_none() && !argument.to_string_lossy().starts_with("--") {
                options.folder = Some(argument.into());
            } else {
                return Err(format!(
                    "usage: thumbnails [--record FILE] [FOLDER]; not `{}`",
                    argument.display()
                ));
            }
        }
        Ok(options)
    }
}
