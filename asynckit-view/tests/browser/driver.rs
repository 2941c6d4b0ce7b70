//! A headless browser, by its driver.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Longer than this nothing here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one page, which ends with this.
pub(crate) struct Browser {
    driver: Child,
    runtime: Runtime,
    client: Option<Client>,
}

impl Browser {
    /// Starts a browser with a window of this size.
    pub(crate) fn start(width: u32, height: u32) -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver is not installed: .ci/run does that");
        let port = port(&mut driver);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    "--disable-dev-shm-usage", format!("--window-size={width},{height}"),
                ],
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(connector);
            builder.capabilities(capabilities.as_object().unwrap().clone());
            let url = format!("http://127.0.0.1:{port}");
            tokio::time::timeout(LIMIT, builder.connect(&url)).await.unwrap().unwrap()
        });
        let browser = Browser { driver, runtime, client: Some(client) };
        browser.resize(width, height);
        browser
    }

    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            &json!({
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
            }),
        );
    }

    fn command(&self, path: &'static str, body: Value) -> Value {
        let client = self.client.as_ref().unwrap();
        let command = Post { path, body };
        let answer = async { tokio::time::timeout(LIMIT, client.issue_cmd(command)).await };
        let answer = self.runtime.block_on(answer);
        answer.expect("the browser takes too long").unwrap()
    }

    /// A command of Chrome's own protocol.
    pub(crate) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    /// From now on it counts for how long the page's thread is busy.
    pub(crate) fn measure(&self) {
        self.cdp("Performance.enable", &json!({ "timeDomain": "threadTicks" }));
    }

    /// For how many seconds the page's thread was busy: by the time of its processor, not by that of the day.
    pub(crate) fn busy(&self) -> f64 {
        let metrics = self.cdp("Performance.getMetrics", &json!({}));
        let metrics = metrics["metrics"].as_array().unwrap();
        let of = |metric: &&Value| metric["name"] == "TaskDuration";
        metrics.iter().find(of).unwrap()["value"].as_f64().unwrap()
    }

    /// Does something in each of so many frames that follow each other, and tells how many milliseconds a frame took, by
    /// the time of day: also what others than the page's thread do to bring it to the screen.
    pub(crate) fn paced(&self, frames: u32, statement: &str) -> f64 {
        let script = format!(
            "const done = arguments[arguments.length - 1], begin = performance.now(); let left = {frames}; \
             (function next() {{ if (!left--) return done((performance.now() - begin) / {frames}); \
             {statement}; requestAnimationFrame(next); }})();"
        );
        let took = self.command("execute/async", json!({ "script": script, "args": [] }));
        took.as_f64().unwrap()
    }

    /// Does something, and waits until it is drawn.
    pub(crate) fn in_a_frame(&self, statement: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1]; {statement}; \
             requestAnimationFrame(() => setTimeout(() => done(true)));"
        );
        self.command("execute/async", json!({ "script": script, "args": [] }));
    }

    /// Opens a file, and waits until the page is painted.
    pub(crate) fn open(&self, file: &Path) {
        let url = url::Url::from_file_path(file).unwrap();
        // Away from the page that may be open, as a file opened again would only be scrolled.
        self.command("url", json!({ "url": "about:blank" }));
        self.command("url", json!({ "url": url.as_str() }));
        self.until("window.__perf?.painted > 0");
    }

    /// What a script's expression is.
    pub(crate) fn ask(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.command("execute/sync", json!({ "script": script, "args": [] }))
    }

    pub(crate) fn number(&self, expression: &str) -> f64 {
        self.ask(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    pub(crate) fn text(&self, expression: &str) -> String {
        self.ask(expression)
            .as_str()
            .unwrap_or_else(|| panic!("{expression} is no text"))
            .to_owned()
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&self, expression: &str) {
        let begin = std::time::Instant::now();
        while self.ask(expression) != Value::Bool(true) {
            assert!(begin.elapsed() < LIMIT, "{expression} does not come true");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Presses keys, one after the other, as at a keyboard.
    pub(crate) fn press(&self, keys: &[&str]) {
        let keys = keys.iter().flat_map(|key| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        });
        let keys: Vec<Value> = keys.collect();
        self.command(
            "actions",
            json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys }] }),
        );
    }

    pub(crate) fn write(&self, text: &str) {
        self.press(&text.split("").filter(|letter| !letter.is_empty()).collect::<Vec<_>>());
    }

    /// Turns the wheel at a point.
    pub(crate) fn wheel(&self, x: i64, y: i64, by: i64) {
        self.command(
            "actions",
            json!({ "actions": [{ "type": "wheel", "id": "wheel", "actions": [
            { "type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by },
        ] }] }),
        );
    }

    /// Moves the mouse to a point.
    pub(crate) fn hover(&self, x: i64, y: i64) {
        let moves = json!([{ "type": "pointerMove", "x": x, "y": y }]);
        self.command(
            "actions",
            json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": moves }] }),
        );
    }

    /// Moves the mouse to a point and clicks.
    pub(crate) fn click(&self, x: i64, y: i64) {
        self.command(
            "actions",
            json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": [
            { "type": "pointerMove", "x": x, "y": y },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ] }] }),
        );
    }

    /// What the page complained of, and the addresses that it asked for, since this was asked last.
    pub(crate) fn complaints_and_requests(&self) -> (Vec<String>, Vec<String>) {
        let texts = |kind: &str| -> Vec<String> {
            let log = self.command("se/log", json!({ "type": kind }));
            let entries = log.as_array().unwrap().iter();
            entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
        };
        let requests = texts("performance").into_iter().filter_map(|text| {
            let message: Value = serde_json::from_str(&text).unwrap();
            let message = &message["message"];
            let is_request = message["method"] == "Network.requestWillBeSent";
            is_request.then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        });
        (texts("browser"), requests.collect())
    }
}

/// The driver says on which port it listens.
fn port(driver: &mut Child) -> u16 {
    let output = BufReader::new(driver.stdout.take().unwrap());
    for line in output.lines() {
        let line = line.unwrap();
        if let Some((_, port)) = line.rsplit_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().unwrap();
        }
    }
    panic!("chromedriver did not start");
}

#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // The driver ends its browser, if it still answers.
            let close = async { tokio::time::timeout(LIMIT, client.close()).await };
            let _ = self.runtime.block_on(close);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
