//! What Graphviz makes of graphs whose functions have names of all kinds.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::model::Model;
use crate::run::Run;
use crate::testing::Sample;
use crate::words::tail;

/// What means something to Graphviz, to HTML, or to nobody.
fn hostile() -> Vec<String> {
    let names = [
        "plain",
        "a \"quoted\" name",
        "\"",
        "back\\slash",
        "\\",
        "at the end\\",
        "\\N \\G \\l \\\"",
        "two\nlines",
        "return\r\nand tab\t.",
        "<b>bold</b>",
        "<",
        "]; n0 [label=\"x\"",
        "/* no comment */ // nor this",
        "# include",
        "a & b &amp; &lt;i&gt; &#65; &quot;",
        "{ a | b }",
        "Größe 計算 🦀 עברית",
        "e\u{301}\u{200d}\u{2028}",
        "nul\0byte",
        "\u{1b}[31m \u{7f} \u{85}",
        "",
    ];
    names.into_iter().map(str::to_owned).chain(["long ".repeat(4_000)]).collect()
}

/// A task of each function, one after the other; every third fails, and skips the next.
fn run() -> Model {
    let mut run = Sample::new(1, 100);
    let mut last: Option<u32> = None;
    for (k, name) in (0..).zip(hostile()) {
        let inputs: Vec<u32> = last.into_iter().collect();
        let task = match k % 3 {
            2 => run.skipped(&name, &inputs),
            _ => run.task(&name, 0, [k, k + 1], &inputs),
        };
        if k % 3 == 2 {
            run.fails(task - 1, &name, &[task]);
        }
        last = (k % 3 != 2).then_some(task);
    }
    run.0
}

/// The picture that Graphviz draws; nothing where it is not installed.
fn drawn(dot: &str) -> Option<String> {
    let program = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut program) = program else {
        assert!(std::env::var_os("ASYNCKIT_NEEDS_GRAPHVIZ").is_none(), "`dot` is not installed");
        eprintln!("left out: `dot` is not installed, so nobody asks Graphviz");
        return None;
    };
    let (mut input, dot) = (program.stdin.take().unwrap(), dot.to_owned());
    let writer = std::thread::spawn(move || input.write_all(dot.as_bytes()).unwrap());
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // Of letters that no font here has it may complain, and of nothing else.
    let syntax = said.lines().any(|line| line.starts_with("Error") || line.contains("syntax"));
    assert!(output.status.success() && !syntax, "{said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What is written in a picture, as text.
fn texts(svg: &str) -> Vec<String> {
    let parts = svg.split("<text ").skip(1);
    let inner = parts.map(|part| part.split_once('>').unwrap().1.split_once("</text>").unwrap().0);
    inner.map(plain).collect()
}

fn plain(xml: &str) -> String {
    let mut text = String::new();
    let mut rest = xml;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').unwrap();
        text += before;
        text.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            number => {
                let number = number.strip_prefix('#').unwrap();
                let hex = number.strip_prefix('x').map(|hex| u32::from_str_radix(hex, 16));
                char::from_u32(hex.unwrap_or(number.parse()).unwrap()).unwrap()
            }
        });
        rest = after;
    }
    (text + rest).replace('\u{a0}', " ")
}

#[test]
fn graphviz_accepts_any_name_and_shows_it_as_it_is() {
    let run = Run::new(run());
    // The end of a very long one is shown.
    let without_control = |name: &String| -> String {
        tail(name, 1000).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    let names: Vec<String> = hostile().iter().map(without_control).collect();
    let graph = run.graph();
    let Some(svg) = drawn(&graph.dot()) else { return };
    assert_eq!(svg.matches("class=\"node\"").count(), names.len());
    let shown = texts(&svg);
    for name in names.iter().filter(|name| !name.trim().is_empty()) {
        assert!(shown.contains(name), "{name:?} is not in {shown:?}");
    }
    let Some(svg) = drawn(&graph.by_task().dot()) else { return };
    assert_eq!(svg.matches("class=\"node\"").count(), names.len());
    assert_eq!(
        svg.matches("class=\"edge\"").count(),
        run.graph().by_task().dot().matches(" -> ").count()
    );
    let shown = texts(&svg);
    for (k, name) in names.iter().enumerate() {
        assert!(shown.contains(&tail(&format!("{name} #{k}"), 1000)), "{name:?} #{k}");
    }
}
