//! A server of its own for each test, and what the tests ask of it.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout
)]

pub mod files;
pub mod people;

use std::{
    fs::File,
    future::Future,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `probe` gives something.
pub async fn wait_for<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut probe: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
    }
}

/// The program, without the settings of whoever runs the tests.
pub fn citymind() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citymind"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CITYMIND")) {
        command.env_remove(name);
    }
    // Whatever is pulled on this machine, a test runs without models unless it says otherwise.
    command.env("CITYMIND_MODELS", "/nonexistent");
    command
}

/// The database of the tests; none where records lie in the data folder, in SQLite.
pub fn test_database() -> Option<String> {
    let url = std::env::var("CITYMIND_TEST_DATABASE");
    url.ok().filter(|url| !url.is_empty())
}

/// Says that a test is skipped where there is no SQLite file to look into.
pub fn lacks_sqlite() -> bool {
    let lacks = test_database().is_some();
    if lacks {
        // Past the capture of a test's output, which shows failures only.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: it looks into the SQLite file, and the records lie in PostgreSQL"
        );
    }
    lacks
}

/// Lets a command find what belongs to a data folder: its schema, where the tests have a database.
pub fn stored(command: &mut Command, data: &Path) {
    if let Some(url) = test_database() {
        let schema = kernel::id::derived(&[&data.to_string_lossy()]);
        command
            .env("CITYMIND__DATABASE__URL", url)
            .env("CITYMIND__DATABASE__SCHEMA", format!("test_{schema}"));
    }
}

/// Runs the program to its end, with the server's address of no concern.
pub async fn run(arguments: &[&str]) -> Output {
    let mut command = citymind();
    command.args(arguments);
    if let Some(at) = arguments.iter().position(|a| *a == "--data") {
        stored(&mut command, Path::new(arguments[at + 1]));
    }
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// Standard output and standard error.
pub fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A server on a free port, killed when dropped.
pub struct Server {
    pub data: PathBuf,
    pub address: String,
    pub key: String,
    pub client: Client,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts on a data folder and waits until questions can be answered.
    pub async fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::start_with(data, arguments, &[]).await
    }

    /// The same with settings, such as `("RATES__PER_KEY", "1")`.
    pub async fn start_with(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let _ = std::fs::remove_file(data.join("server"));
        let log = data.with_extension("log");
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut command = citymind();
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments);
        stored(&mut command, data);
        for (name, value) in settings {
            command.env(format!("CITYMIND__{name}"), value);
        }
        let child = command.stdout(Stdio::null()).stderr(out).spawn().unwrap();
        let mut server = Self {
            data: data.to_owned(),
            address: String::new(),
            key: String::new(),
            client: client(),
            child,
            log,
        };
        server.await_readiness().await;
        server
    }

    /// The demonstration city.
    pub async fn demo(data: &Path) -> Self {
        Self::start(data, &["--demo"]).await
    }

    async fn await_readiness(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.log());
            }
            assert!(
                Instant::now() < deadline,
                "the server isn't ready: {}",
                self.log()
            );
            let text = std::fs::read_to_string(self.data.join("server")).unwrap_or_default();
            let mut lines = text.lines();
            let (Some(address), Some(key)) = (lines.next(), lines.next()) else {
                continue;
            };
            (self.address, self.key) = (address.to_owned(), key.to_owned());
            if let Ok(response) = self.get("/health/ready").send().await
                && response.status() == 200
            {
                return;
            }
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, then the end.
    pub async fn stop(&mut self) -> ExitStatus {
        let sent = Command::new("kill")
            .arg("-TERM")
            .arg(self.id().to_string())
            .status()
            .unwrap();
        assert!(sent.success());
        let child = std::cell::RefCell::new(&mut self.child);
        wait_for("the server's end", || async {
            child.borrow_mut().try_wait().unwrap()
        })
        .await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path)).bearer_auth(&self.key)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path)).bearer_auth(&self.key)
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(self.url(path)).bearer_auth(&self.key)
    }

    /// A request by somebody who has not signed in.
    pub fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url(path))
    }

    /// What a path gives, as who sits at this machine.
    pub async fn read(&self, path: &str) -> Value {
        expect(200, self.get(path)).await
    }

    pub async fn ask(&self, question: &str) -> Value {
        expect(
            200,
            self.post("/api/v1/ask")
                .json(&json!({"question": question})),
        )
        .await
    }

    pub async fn search(&self, query: &str) -> Vec<Value> {
        let found = expect(
            200,
            self.post("/api/v1/knowledge/search")
                .json(&json!({"query": query})),
        )
        .await;
        found["hits"].as_array().unwrap().clone()
    }

    /// All standing documents.
    pub async fn documents(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let list = self
                .read(&format!(
                    "/api/v1/knowledge/documents?page_size=200&sort=title&order=asc&page={page}"
                ))
                .await;
            let items = list["items"].as_array().unwrap();
            if items.is_empty() {
                assert_eq!(list["total"], all.len());
                break;
            }
            all.extend(items.iter().cloned());
        }
        all
    }

    pub async fn document_titled(&self, title: &str) -> Option<Value> {
        self.documents()
            .await
            .into_iter()
            .find(|d| d["title"] == title)
    }

    /// The text of a document as far as its clauses tell it: gaps stay blank.
    pub async fn text(&self, id: &str) -> Vec<char> {
        let detail = self
            .read(&format!("/api/v1/knowledge/documents/{id}"))
            .await;
        let mut text = vec![' '; detail["characters"].as_u64().unwrap() as usize];
        for clause in detail["body"].as_array().unwrap() {
            let (start, end) = (at(&clause["start"]), at(&clause["end"]));
            let own: Vec<char> = clause["text"].as_str().unwrap().chars().collect();
            assert_eq!(own.len(), end - start, "{clause}");
            text[start..end].copy_from_slice(&own);
        }
        text
    }

    /// Uploads files and returns the import as it was accepted.
    pub async fn upload(&self, files: Vec<(&str, Vec<u8>)>) -> Value {
        expect(202, self.uploading(files)).await
    }

    pub fn uploading(&self, files: Vec<(&str, Vec<u8>)>) -> RequestBuilder {
        self.post("/api/v1/knowledge/imports")
            .multipart(form(files))
    }

    /// Waits until an import is over and returns it with all its rows.
    pub async fn import_done(&self, id: &str) -> Value {
        let path = format!("/api/v1/knowledge/imports/{id}?page_size=200");
        let mut import = wait_for("the import's end", || async {
            let import = self.read(&path).await;
            (import["state"] != "running").then_some(import)
        })
        .await;
        let total = import["rows_total"].as_u64().unwrap();
        let mut rows = import["rows"].as_array().unwrap().clone();
        for page in 2.. {
            if rows.len() as u64 >= total {
                break;
            }
            let more = self.read(&format!("{path}&page={page}")).await;
            rows.extend(more["rows"].as_array().unwrap().iter().cloned());
        }
        assert_eq!(rows.len() as u64, total);
        import["rows"] = rows.into();
        import
    }

    /// Uploads files and waits until every one has its outcome.
    pub async fn import(&self, files: Vec<(&str, Vec<u8>)>) -> Value {
        let accepted = self.upload(files).await;
        self.import_done(accepted["id"].as_str().unwrap()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- the server's log\n{}", self.log());
        }
    }
}

/// A citizen without a login, known by the cookie.
pub struct Visitor<'a> {
    server: &'a Server,
    cookie: String,
}

impl<'a> Visitor<'a> {
    pub async fn new(server: &'a Server) -> Self {
        let response = server
            .anonymous("GET", "/api/v1/status")
            .send()
            .await
            .unwrap();
        let cookie = response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { server, cookie }
    }

    fn own(&self, method: &str, path: &str) -> RequestBuilder {
        self.server
            .anonymous(method, path)
            .header("cookie", &self.cookie)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.own("GET", path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.own("POST", path)
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.own("DELETE", path)
    }

    pub async fn ask(&self, input: Value) -> Value {
        expect(200, self.post("/api/v1/ask").json(&input)).await
    }
}

pub fn client() -> Client {
    // The same for every test of a process: only the first call counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

/// A form with these files, named by their paths.
pub fn form(files: Vec<(&str, Vec<u8>)>) -> reqwest::multipart::Form {
    files.into_iter().fold(
        reqwest::multipart::Form::new().text("space", "测试"),
        |form, (path, bytes)| {
            form.part(
                "file",
                reqwest::multipart::Part::bytes(bytes).file_name(path.to_owned()),
            )
        },
    )
}

/// Sends a request that must end with this status.
pub async fn expect(status: u16, request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let got = response.status().as_u16();
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Sends a request that must fail with problem details in Chinese.
pub async fn problem(status: u16, code: &str, request: RequestBuilder) -> Value {
    problem_of(status, code, request.send().await.unwrap()).await
}

pub async fn problem_of(status: u16, code: &str, response: Response) -> Value {
    let got = response.status().as_u16();
    let kind = response
        .headers()
        .get("content-type")
        .map(|v| v.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    assert_eq!(kind.as_deref(), Some("application/problem+json"), "{text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&body["code"], &body["status"]),
        (&json!(code), &json!(status)),
        "{body}"
    );
    for field in ["type", "title", "detail", "request_id"] {
        assert!(
            body[field].as_str().is_some_and(|t| !t.is_empty()),
            "{field}: {body}"
        );
    }
    assert!(
        is_chinese(&body["detail"]) && is_chinese(&body["title"]),
        "{body}"
    );
    body
}

/// A number in JSON as a place.
pub fn at(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap_or_else(|| panic!("{value}"))).unwrap()
}

/// Chinese, through which no message of a library shows.
pub fn is_chinese(text: &Value) -> bool {
    let text = text.as_str().unwrap_or_default();
    let han = text
        .chars()
        .filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c))
        .count();
    let foreign = [
        "expected", "invalid ", "unknown ", "missing ", "failed", "error", "parse", " of ",
    ];
    han >= 4 && !foreign.iter().any(|w| text.contains(w))
}

/// Server-sent events: name and data.
pub fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|b| b.contains("data:"));
    blocks
        .map(|block| {
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|l| l.strip_prefix(name))
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            };
            (
                field("event:"),
                serde_json::from_str(&field("data:")).unwrap(),
            )
        })
        .collect()
}

/// The row of a file.
pub fn row<'a>(import: &'a Value, path: &str) -> &'a Value {
    let rows = import["rows"].as_array().unwrap();
    rows.iter()
        .find(|r| r["path"] == path)
        .unwrap_or_else(|| panic!("no row for {path}: {import:#}"))
}
